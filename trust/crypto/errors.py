"""What can be wrong with cryptographic input."""

from trust.kernel.errors import Broken, InvalidInput, Malformed, Unavailable


class DerMalformed(Malformed):
    """Octets that are not the DER (X.690 §10) that was expected at this place."""

    code = "der-malformed"


class PemMalformed(Malformed):
    """Text that is not the PEM armour (RFC 7468) that was expected."""

    code = "pem-malformed"


class CmsMalformed(Malformed):
    """Octets that are not a CMS SignedData (RFC 5652) of the shape this house reads."""

    code = "cms-malformed"


class SignatureInvalid(InvalidInput):
    """The signature does not match the data under the given public key."""

    code = "signature-invalid"


class SuiteUnknown(InvalidInput):
    """The key or algorithm belongs to no suite of the table in `trust.crypto.suites`."""

    code = "suite-unknown"


class PolicyBroken(Broken):
    """The algorithm policy file cannot be read as a policy."""

    code = "algorithm-policy-broken"


class HashNotSigned(InvalidInput):
    """A hash made elsewhere is not signed: its length is another, or the suite hashes by itself only."""

    code = "hash-not-signed"


class SuiteUnavailable(Unavailable):
    """The suite is known, and what makes keys and signatures by it is not installed here."""

    code = "suite-unavailable"
    retryable = False


class SuiteNotAccepted(InvalidInput):
    """The algorithm policy does not have keys of this suite certified for this use."""

    code = "suite-not-accepted"
