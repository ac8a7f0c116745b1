"""OCSPRequest (RFC 6960 §4.1) about one certificate, as RFC 5019 has it: unsigned, without extensions."""

from typing import Final

from trust.crypto import der, der_reader
from trust.crypto.digests import Digest, digest_of
from trust.pki.certificate import Certificate

MEDIA_TYPE: Final = "application/ocsp-request"
# Every responder finds certificates by SHA-1 (RFC 5019 §2.1.1); it identifies, and nothing rests on it.
_IDENTIFYING: Final = Digest.SHA1
_SHA1: Final = der.sequence(der.oid("1.3.14.3.2.26"), der.null())


def build_ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes:
    """The DER request about a certificate of this issuer."""
    key = der_reader.read(issuer.spki).children()[1].content[1:]
    cert_id = der.sequence(
        _SHA1,
        der.octet_string(digest_of(certificate.issuer, _IDENTIFYING)),
        der.octet_string(digest_of(key, _IDENTIFYING)),
        der.integer(certificate.serial),
    )
    return der.sequence(der.sequence(der.sequence(der.sequence(cert_id))))
