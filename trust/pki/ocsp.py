"""OCSP answers read from strangers (RFC 6960 §4.2): `OcspMalformed` or everything that judging one asks.

    answer = read_ocsp(octets)                      # an OCSPResponse, or the BasicOCSPResponse inside one
    for single in answer.about(certificate, issuer):
        single.state, single.this_update, single.next_update

Whether its responder is to be believed is judged by `trust.pki.revocation`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import lru_cache

from trust.crypto import der, der_reader, schemes
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, digest_by_oid, digest_of
from trust.crypto.errors import DerMalformed, SignatureInvalid
from trust.crypto.schemes import Scheme, read_scheme
from trust.pki.certificate import Certificate
from trust.pki.certificate_extensions import MAX_EXTENSIONS, read_extension
from trust.pki.crl import RevocationReason
from trust.pki.der_values import read_signature_bits, read_time
from trust.pki.distinguished_names import PreparedName, prepare
from trust.pki.errors import OcspMalformed

# With a responder's certificate and its authority inside an answer has about 4 KiB; with RSA-4096 and a chain, 12.
MAX_OCSP_BYTES = 64 << 10
# Responders answer about one certificate, at most about a path.
MAX_SINGLE_RESPONSES = 64
MAX_OCSP_CERTIFICATES = 8
# The answers about the few signers and authorities that recur in one process; at most 16 MiB.
_CACHED_ANSWERS = 256

_ID_PKIX_OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1"
_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"
# Nonce, CRL references, archive cutoff, service locator, preferred algorithms, extended revoked definition.
_PROCESSED = frozenset(f"1.3.6.1.5.5.7.48.1.{last}" for last in (2, 3, 6, 7, 8, 9))
# What certificates are identified by; which digest it is, is no question of trust: it only finds.
_IDENTIFYING = frozenset({Digest.SHA1, Digest.SHA256, Digest.SHA384, Digest.SHA512})


class OcspStatus(IntEnum):
    """OCSPResponseStatus (RFC 6960 §4.2.1)."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    SIG_REQUIRED = 5
    UNAUTHORIZED = 6


class CertificateState(StrEnum):
    """CertStatus (RFC 6960 §4.2.1)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class CertId:
    """Which certificate is meant: digests of its issuer's name and key, and its serial number."""

    digest: Digest | None
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int


@dataclass(frozen=True, kw_only=True)
class SingleResponse:
    """What is said about one certificate.

    `revoked_at` and `reason` are of a revoked one. Without `next_update`, newer information was always available.
    `archive_cutoff` says since when the responder keeps what it knows of expired certificates (§4.4.4).
    """

    cert_id: CertId
    state: CertificateState
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None
    archive_cutoff: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OcspAnswer:
    """A BasicOCSPResponse as it stood in `der`, the octets that were read.

    `responder_name` or `responder_key_hash` (SHA-1) says who signed; `certificates` are what was sent along.
    `unprocessed` says that there is a critical extension not processed here, so that nothing of it counts.
    """

    der: bytes
    produced_at: datetime = field(compare=False)
    responder_name: PreparedName | None = field(compare=False)
    responder_key_hash: bytes | None = field(compare=False)
    responses: tuple[SingleResponse, ...] = field(compare=False)
    certificates: tuple[bytes, ...] = field(compare=False)
    scheme: Scheme | None = field(compare=False)
    signature: bytes = field(compare=False, repr=False)
    tbs: bytes = field(compare=False, repr=False)
    unprocessed: bool = field(compare=False)

    def about(self, certificate: Certificate, issuer: Certificate) -> tuple[SingleResponse, ...]:
        """The responses that are about this certificate of this issuer."""
        return tuple(
            each
            for each in self.responses
            if each.cert_id.serial == certificate.serial and _is_of(each.cert_id, certificate, issuer)
        )

    def names(self, responder: Certificate) -> bool:
        """Whether the responder id is that of this certificate."""
        if self.responder_name is not None:
            return self.responder_name == responder.subject_name
        return self.responder_key_hash == _key_hash(responder.spki, Digest.SHA1)

    def is_signed_by(self, spki: bytes) -> bool:
        """Whether this key signed it."""
        return _signature_holds(self, spki)


@lru_cache(maxsize=2 * _CACHED_ANSWERS)
def _signature_holds(answer: OcspAnswer, spki: bytes) -> bool:
    if answer.scheme is None:
        return False
    try:
        schemes.verify(spki, answer.signature, answer.tbs, answer.scheme)
    except SignatureInvalid:
        return False
    return True


def _is_of(cert_id: CertId, certificate: Certificate, issuer: Certificate) -> bool:
    digest = cert_id.digest
    return (
        digest in _IDENTIFYING
        and cert_id.issuer_key_hash == _key_hash(issuer.spki, digest)
        and cert_id.issuer_name_hash == digest_of(certificate.issuer, digest)
    )


@lru_cache(maxsize=_CACHED_ANSWERS)
def _key_hash(spki: bytes, digest: Digest) -> bytes:
    """Of the BIT STRING's contents without the count of unused bits (RFC 6960 §4.1.1)."""
    fields = der_reader.read(spki).fields()
    fields.take()
    return digest_of(fields.take().content[1:], digest)


@lru_cache(maxsize=_CACHED_ANSWERS)
def read_ocsp(octets: bytes) -> OcspAnswer:
    """Reads a DER OCSPResponse, or a BasicOCSPResponse; raises OcspMalformed, also where it is no success."""
    if len(octets) > MAX_OCSP_BYTES:
        raise OcspMalformed(f"the answer has {len(octets)} octets; at most {MAX_OCSP_BYTES} are read")
    try:
        return _read_basic(octets, _basic(octets))
    except DerMalformed as error:
        raise OcspMalformed(f"the OCSP answer cannot be read: {error.message}") from error


def response_of(octets: bytes) -> bytes:
    """The DER OCSPResponse around a BasicOCSPResponse, or itself: what a PDF's security store holds.

    Raises OcspMalformed.
    """
    basic = basic_of(octets)
    if basic != octets:
        return octets
    inner = der.sequence(der.oid(_ID_PKIX_OCSP_BASIC), der.octet_string(basic))
    return der.sequence(der.enumerated(OcspStatus.SUCCESSFUL), der.context(0, inner))


def basic_of(octets: bytes) -> bytes:
    """The DER BasicOCSPResponse inside an OCSPResponse, or itself; raises OcspMalformed."""
    if len(octets) > MAX_OCSP_BYTES:
        raise OcspMalformed(f"the answer has {len(octets)} octets; at most {MAX_OCSP_BYTES} are read")
    try:
        return _basic(octets)
    except DerMalformed as error:
        raise OcspMalformed(f"the OCSP answer cannot be read: {error.message}") from error


def _basic(octets: bytes) -> bytes:
    outer = der_reader.read(octets)
    fields = outer.fields()
    status = fields.optional(der.ENUMERATED)
    if status is None:
        return octets
    value = status.integer(der.ENUMERATED)
    if value != OcspStatus.SUCCESSFUL:
        known = value in OcspStatus.__members__.values()
        raise OcspMalformed(f"the responder answered {OcspStatus(value).name.lower() if known else value}")
    inner = fields.take(0xA0).only().fields()
    fields.end()
    if inner.take().oid() != _ID_PKIX_OCSP_BASIC:
        raise OcspMalformed("the answer is not of the basic type")
    basic = inner.take().octets()
    inner.end()
    return basic


def _read_basic(octets: bytes, basic: bytes) -> OcspAnswer:
    frame = der_reader.read(basic).fields()
    tbs_element = frame.take(der.SEQUENCE)
    algorithm = frame.take(der.SEQUENCE).encoded
    signature = read_signature_bits(frame.take())
    sent = frame.optional(0xA0)
    frame.end()
    certificates = () if sent is None else sent.only().expect(der.SEQUENCE).children()
    if len(certificates) > MAX_OCSP_CERTIFICATES:
        raise DerMalformed(f"{len(certificates)} certificates; at most {MAX_OCSP_CERTIFICATES} are read")

    # ResponseData, field by field.
    tbs = tbs_element.fields()
    version = tbs.optional(0xA0)
    if version is not None and version.only().integer() != 0:
        raise DerMalformed("only version 1 is read")
    responder = tbs.take()
    name = prepare(responder.only().encoded) if responder.tag == 0xA1 else None
    key_hash = None if name is not None else responder.expect(0xA2).only().octets()
    produced_at = tbs.take().generalized_time()
    singles = tbs.take(der.SEQUENCE).children()
    if not 0 < len(singles) <= MAX_SINGLE_RESPONSES:
        raise DerMalformed(f"{len(singles)} responses; from one to {MAX_SINGLE_RESPONSES} are read")
    extensions = tbs.optional(0xA1)
    tbs.end()
    read = [_read_single(each) for each in singles]
    return OcspAnswer(
        der=octets,
        produced_at=produced_at,
        responder_name=name,
        responder_key_hash=key_hash,
        responses=tuple(single for single, _ in read),
        certificates=tuple(each.encoded for each in certificates),
        scheme=read_scheme(algorithm),
        signature=signature,
        tbs=tbs_element.encoded,
        unprocessed=any(strange for _, strange in read) or _read_extensions(extensions)[1],
    )


def _read_single(element: Element) -> tuple[SingleResponse, bool]:
    fields = element.fields()
    cert_id = _read_cert_id(fields.take())
    status = fields.take()
    this_update = read_time(fields.take(der.GENERALIZED_TIME))
    following = fields.optional(0xA0)
    extensions = fields.optional(0xA1)
    fields.end()
    cutoff, strange = _read_extensions(extensions)
    state, revoked_at, reason = _read_status(status)
    single = SingleResponse(
        cert_id=cert_id,
        state=state,
        this_update=this_update,
        next_update=None if following is None else read_time(following.only().expect(der.GENERALIZED_TIME)),
        revoked_at=revoked_at,
        reason=reason,
        archive_cutoff=cutoff,
    )
    if single.next_update is not None and single.next_update < this_update:
        raise DerMalformed("the next update comes before this one")
    return single, strange


def _read_cert_id(element: Element) -> CertId:
    fields = element.fields()
    algorithm = fields.take().fields()
    digest = digest_by_oid(algorithm.take().oid())
    algorithm.optional(der.NULL)
    algorithm.end()
    name_hash, key_hash = fields.take().octets(), fields.take().octets()
    serial = fields.take().integer()
    fields.end()
    return CertId(digest=digest, issuer_name_hash=name_hash, issuer_key_hash=key_hash, serial=serial)


def _read_status(element: Element) -> tuple[CertificateState, datetime | None, RevocationReason | None]:
    if element.tag in (0x80, 0x82):
        if element.content:
            raise DerMalformed("a status that has no content has some")
        return (CertificateState.GOOD if element.tag == 0x80 else CertificateState.UNKNOWN), None, None
    fields = element.fields(0xA1)
    revoked_at = read_time(fields.take(der.GENERALIZED_TIME))
    given = fields.optional(0xA0)
    fields.end()
    if given is None:
        return CertificateState.REVOKED, revoked_at, None
    code = given.only().integer(der.ENUMERATED)
    try:
        return CertificateState.REVOKED, revoked_at, RevocationReason(code)
    except ValueError as error:
        raise DerMalformed(f"{code} is no reason for a revocation") from error


def _read_extensions(explicit: Element | None) -> tuple[datetime | None, bool]:
    """The archive cutoff, and whether there is a critical extension that is not processed."""
    if explicit is None:
        return None, False
    elements = explicit.only().expect(der.SEQUENCE).children()
    if len(elements) > MAX_EXTENSIONS:
        raise DerMalformed(f"{len(elements)} extensions; at most {MAX_EXTENSIONS} are read")
    cutoff = None
    strange = False
    for element in elements:
        oid, critical, value = read_extension(element)
        if oid == _ARCHIVE_CUTOFF:
            cutoff = read_time(der_reader.read(value).expect(der.GENERALIZED_TIME))
        strange = strange or (critical and oid not in _PROCESSED)
    return cutoff, strange
