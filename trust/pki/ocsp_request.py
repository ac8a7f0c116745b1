"""OCSPRequest (RFC 6960 §4.1): read from strangers as a responder, written as RFC 5019 has it as a client."""

from dataclasses import dataclass
from typing import Final

from trust.crypto import der, der_reader
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, digest_by_oid, digest_of, digest_size
from trust.crypto.errors import DerMalformed
from trust.pki.certificate import Certificate
from trust.pki.certificate_extensions import MAX_EXTENSIONS, read_extension
from trust.pki.errors import OcspRequestMalformed
from trust.pki.ocsp import CertId

MEDIA_TYPE: Final = "application/ocsp-request"
# One certificate takes about 80 octets with SHA-1, 120 with a nonce, 200 with SHA-512; a signed request carries chains
# that nobody here looks at.
MAX_OCSP_REQUEST_BYTES: Final = 8 << 10
# RFC 5019 asks about one certificate; RFC 6960 about as many as one likes, and each costs a look-up.
MAX_CERTIFICATES_ASKED: Final = 20
# RFC 9654 §2.1: a nonce has from 1 to 128 octets, any other length is a malformed request.
MAX_NONCE_OCTETS: Final = 128
# RFC 5280 §4.1.2.2 gives serials 20 octets; nobody has been certified under a longer one.
_MAX_SERIAL_OCTETS: Final = 20
_NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
# Nonce, acceptable responses, service locator, preferred signature algorithms: known, and but for the nonce not needed.
_KNOWN: Final = frozenset(f"1.3.6.1.5.5.7.48.1.{last}" for last in (2, 4, 7, 8))
# Every responder finds certificates by SHA-1 (RFC 5019 §2.1.1); it identifies, and nothing rests on it.
_IDENTIFYING: Final = Digest.SHA1
_SHA1: Final = der.sequence(der.oid("1.3.14.3.2.26"), der.null())
_EXPLICIT_0, _EXPLICIT_1, _EXPLICIT_2 = 0xA0, 0xA1, 0xA2


@dataclass(frozen=True, kw_only=True, slots=True)
class OcspRequest:
    """Which certificates are asked about, from one to MAX_CERTIFICATES_ASKED, and the nonce to be echoed."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None


def read_ocsp_request(octets: bytes) -> OcspRequest:
    """Reads a DER request; raises OcspRequestMalformed.

    A signature or requestor's name is passed over: whoever asks is answered (RFC 6960 §4.1.2).
    """
    if len(octets) > MAX_OCSP_REQUEST_BYTES:
        raise OcspRequestMalformed(
            f"the request has {len(octets)} octets; at most {MAX_OCSP_REQUEST_BYTES} are read"
        )
    try:
        return _read(der_reader.read(octets))
    except DerMalformed as error:
        raise OcspRequestMalformed(f"the OCSP request cannot be read: {error.message}") from error


def _read(request: Element) -> OcspRequest:
    outer = request.fields()
    fields = outer.take().fields()
    outer.optional(_EXPLICIT_0)
    outer.end()

    version = fields.optional(_EXPLICIT_0)
    if version is not None and version.only().integer() != 0:
        raise DerMalformed("only version 1 is read")
    fields.optional(_EXPLICIT_1)
    asked = fields.take(der.SEQUENCE).children()
    extensions = fields.optional(_EXPLICIT_2)
    fields.end()
    if not 0 < len(asked) <= MAX_CERTIFICATES_ASKED:
        raise DerMalformed(f"{len(asked)} certificates; from one to {MAX_CERTIFICATES_ASKED} are answered")
    return OcspRequest(
        cert_ids=tuple(map(_read_single, asked)),
        nonce=None if extensions is None else _read_nonce(extensions),
    )


def _read_single(element: Element) -> CertId:
    fields = element.fields()
    cert_id = _read_cert_id(fields.take())
    extensions = fields.optional(_EXPLICIT_0)
    fields.end()
    if extensions is not None:
        _read_extensions(extensions)
    return cert_id


def _read_cert_id(element: Element) -> CertId:
    fields = element.fields()
    algorithm = fields.take().fields()
    digest = digest_by_oid(algorithm.take().oid())
    algorithm.optional(der.NULL)
    algorithm.end()
    name_hash, key_hash = fields.take().octets(), fields.take().octets()
    serial = fields.take().expect(der.INTEGER)
    fields.end()
    if digest is not None and not len(name_hash) == len(key_hash) == digest_size(digest):
        raise DerMalformed(f"a {digest} digest has {digest_size(digest)} octets")
    if len(serial.content) > _MAX_SERIAL_OCTETS + 1:
        raise DerMalformed(f"a serial number has at most {_MAX_SERIAL_OCTETS} octets")
    return CertId(
        digest=digest, issuer_name_hash=name_hash, issuer_key_hash=key_hash, serial=serial.integer()
    )


def _read_nonce(explicit: Element) -> bytes | None:
    value = _read_extensions(explicit).get(_NONCE)
    if value is None:
        return None
    nonce = der_reader.read(value).octets()
    if not 0 < len(nonce) <= MAX_NONCE_OCTETS:
        raise DerMalformed(f"a nonce of {len(nonce)} octets; from one to {MAX_NONCE_OCTETS} are taken")
    return nonce


def _read_extensions(explicit: Element) -> dict[str, bytes]:
    elements = explicit.only().expect(der.SEQUENCE).children()
    if len(elements) > MAX_EXTENSIONS:
        raise DerMalformed(f"{len(elements)} extensions; at most {MAX_EXTENSIONS} are read")
    found: dict[str, bytes] = {}
    for element in elements:
        oid, critical, value = read_extension(element)
        if oid in found:
            raise DerMalformed(f"the extension {oid} is there twice")
        if critical and oid not in _KNOWN:
            raise DerMalformed(f"the critical extension {oid} is not known")
        found[oid] = value
    return found


def build_ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes:
    """The DER request about a certificate of this issuer: unsigned, without extensions (RFC 5019 §2.1.1)."""
    key = der_reader.read(issuer.spki).children()[1].content[1:]
    cert_id = der.sequence(
        _SHA1,
        der.octet_string(digest_of(certificate.issuer, _IDENTIFYING)),
        der.octet_string(digest_of(key, _IDENTIFYING)),
        der.integer(certificate.serial),
    )
    return der.sequence(der.sequence(der.sequence(der.sequence(cert_id))))
