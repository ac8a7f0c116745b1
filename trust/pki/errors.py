"""What can be wrong with certificates, CRLs, requests and trust stores."""

from trust.kernel.errors import Broken, InvalidInput, Malformed


class CertificateMalformed(Malformed):
    """Octets that are not a certificate this house can read."""

    code = "certificate-malformed"


class CrlMalformed(Malformed):
    """Octets that are not a certificate revocation list this house can read."""

    code = "crl-malformed"


class OcspMalformed(Malformed):
    """Octets that are not an OCSP answer (RFC 6960) this house can read, or one that is no answer."""

    code = "ocsp-malformed"


class OcspRequestMalformed(Malformed):
    """Octets that are not an OCSP request (RFC 6960) this house answers."""

    code = "ocsp-request-malformed"


class CsrRefused(InvalidInput):
    """A certificate signing request that is not taken."""

    code = "csr-refused"


class TrustStoreRefused(InvalidInput):
    """A folder or set of trust material that cannot be used as a trust store."""

    code = "trust-store-refused"


class NameRefused(InvalidInput):
    """A subject name that a certificate of this house does not carry."""

    code = "name-refused"


class ProfileViolated(Broken):
    """A certificate about to be signed does not match its profile; nothing was signed."""

    code = "profile-violated"


class ProfilesRefused(InvalidInput):
    """A file of certificate profiles that is not complete, or bends a rule that no file may bend."""

    code = "profiles-refused"
