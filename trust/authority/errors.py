"""What goes wrong at the authorities."""

from trust.kernel.errors import Broken, Conflict, InvalidInput, NotFound, Unavailable


class CertificateUnknown(NotFound):
    """There is no such certificate."""

    code = "certificate-unknown"


class CertificateBroken(Broken):
    """What was signed is not what was intended, or came too late; it is not handed out."""

    code = "certificate-broken"


class CeremonyRefused(InvalidInput):
    """The ceremony file is not complete or says something it must not."""

    code = "ceremony-refused"


class RevocationReasonRefused(InvalidInput):
    """The reason of a revocation is none that a CRL can hold."""

    code = "revocation-reason-refused"


class CrlUnknown(NotFound):
    """There is no such authority, or it has published nothing yet."""

    code = "crl-unknown"


class TimestampAuthorityAway(Unavailable):
    """The timestamp authority cannot be reached."""

    code = "timestamp-authority-away"


class AuthorityMissing(Conflict):
    """No authority issues certificates of this profile, or the one that does has come to its end."""

    code = "authority-missing"


class RequestUnknown(NotFound):
    """There is no such request for a certificate from elsewhere."""

    code = "certificate-request-unknown"


class ExternalCertificateRefused(InvalidInput):
    """A certificate from elsewhere is not taken: another key, another use, or no path to a trusted anchor."""

    code = "external-certificate-refused"


class OutsideAuthorityRefused(Unavailable):
    """An outside timestamp authority gave no token that can be used: it is away, slow, or what it gave is wrong."""

    code = "outside-authority-refused"


class OfflineRootRefused(InvalidInput):
    """An offline root, its passphrase, its record, or a file to or from it is not as it has to be."""

    code = "offline-root-refused"
