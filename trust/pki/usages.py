"""Key usages, extended key usages and certificate policies by name."""

from enum import IntEnum, StrEnum


class KeyUsage(IntEnum):
    """The bits of the key usage extension by position (RFC 5280 §4.2.1.3)."""

    DIGITAL_SIGNATURE = 0
    CONTENT_COMMITMENT = 1
    KEY_ENCIPHERMENT = 2
    DATA_ENCIPHERMENT = 3
    KEY_AGREEMENT = 4
    KEY_CERT_SIGN = 5
    CRL_SIGN = 6
    ENCIPHER_ONLY = 7
    DECIPHER_ONLY = 8


# An arc under 2.25 (ITU-T X.667) needs no registration: the number is a UUID made for this project.
YINXIN_ARC = "2.25.57203377850238124910000674326115290642"


class ExtendedKeyUsage(StrEnum):
    """What a certified key may be used for, by OID."""

    CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2"
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
    TIMESTAMPING = "1.3.6.1.5.5.7.3.8"
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
    DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"  # RFC 9336
    ANY = "2.5.29.37.0"
    CREDENTIAL_SIGNING = f"{YINXIN_ARC}.3.1"
    STATUS_SIGNING = f"{YINXIN_ARC}.3.2"
    LEDGER_SIGNING = f"{YINXIN_ARC}.3.3"
