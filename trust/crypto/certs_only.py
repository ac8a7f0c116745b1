"""Certificates and nothing else as a CMS message (RFC 5652 §5, RFC 5280 §4.2.2.1: "certs-only")."""

from collections.abc import Sequence

from trust.crypto import der
from trust.crypto.cms_oids import ID_DATA, ID_SIGNED_DATA

MEDIA_TYPE = "application/pkcs7-mime"
_VERSION = der.integer(1)


def certs_only(certificates: Sequence[bytes]) -> bytes:
    """The DER ContentInfo of a SignedData without content and signers; `certificates` are DER."""
    signed_data = der.sequence(
        _VERSION,
        der.set_of(),
        der.sequence(der.oid(ID_DATA)),
        der.context(0, b"".join(sorted(certificates))),
        der.set_of(),
    )
    return der.sequence(der.oid(ID_SIGNED_DATA), der.context(0, signed_data))
