"""A CMS message of a stranger with any number of signers, each taken as a message of its own (RFC 5652 §5).

    message = read_signed_message(octets)
    for signer in message.signers:
        signer.parsed  # a ParsedCms, as if the message had this signer alone

Signers do not vouch for each other: what is wrong with one is said of that one. BER is taken (a streamed message
is written so); what was signed still has to be DER. Content inside may be of any size; it stands beside the
signers, not in them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from trust.crypto import der, der_reader
from trust.crypto.ber import to_definite
from trust.crypto.cms_oids import (
    ID_AA_CERTIFICATE_VALUES,
    ID_AA_REVOCATION_VALUES,
    ID_PKIX_OCSP_BASIC,
    ID_RI_OCSP_RESPONSE,
    ID_SIGNED_DATA,
    ID_SIGNING_TIME,
    SIGNED_DATA_TYPES,
)
from trust.crypto.der_reader import Element
from trust.crypto.errors import CmsMalformed, DerMalformed
from trust.crypto.parsed_cms import DEFAULT_LIMITS, CmsLimits, ParsedCms

# A resolution circulates through a dozen hands; each signer costs a few signature verifications.
MAX_SIGNERS = 20
# Embedded answers of responders: one for each certificate of a few chains.
MAX_OCSP_RESPONSES = 50
_EXPLICIT_0 = 0xA0
_CONTEXT_1 = 0xA1
_UTC_TIME_PIVOT = 50


@dataclass(frozen=True, kw_only=True)
class ValidationMaterial:
    """Certificates, CRLs and whole OCSPResponse values (RFC 6960 §4.2.1) that came along, DER; nothing is trusted."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()

    def with_more(self, other: "ValidationMaterial") -> "ValidationMaterial":
        """This and the other together."""
        return ValidationMaterial(
            certificates=self.certificates + other.certificates,
            crls=self.crls + other.crls,
            ocsp_responses=self.ocsp_responses + other.ocsp_responses,
        )


@dataclass(frozen=True, kw_only=True)
class MessageSigner:
    """One signer. `parsed` is None where the signer cannot be read; `problem` then says why.

    `unsupported` says that the signer is sound in form and of a kind not judged here. `claimed_time` is the
    signed attribute signing-time: the signer's word. `material` is what its unsigned attributes hold besides
    timestamps (RFC 5126 §6.3).
    """

    parsed: ParsedCms | None
    problem: str = ""
    unsupported: bool = False
    claimed_time: datetime | None = None
    material: ValidationMaterial = ValidationMaterial()


@dataclass(frozen=True, kw_only=True)
class SignedMessage:
    """What a message holds. `econtent` is None where the signature is detached; `material` is for all signers."""

    econtent_type: str
    econtent: bytes | None
    material: ValidationMaterial
    signers: tuple[MessageSigner, ...]


def in_definite_form(octets: bytes) -> bytes:
    """The octets themselves where they are DER down to the second level, else rewritten from BER.

    Raises CmsMalformed where they are neither.
    """
    try:
        return _definite(bytes(octets))
    except DerMalformed as error:
        raise CmsMalformed(f"the message is neither DER nor BER: {error.message}") from error


def read_signed_message(octets: bytes, limits: CmsLimits = DEFAULT_LIMITS) -> SignedMessage:
    """Reads a ContentInfo with SignedData; raises CmsMalformed.

    `limits` hold for each signer with the certificates, the content left aside.
    """
    try:
        return _read(_definite(bytes(octets)), limits)
    except DerMalformed as error:
        raise CmsMalformed(f"the message is not the DER expected: {error.message}") from error


def _definite(octets: bytes) -> bytes:
    """Streamed messages are indefinite at the top; others may have it only around the content or the signers."""
    try:
        _walk(octets)
    except DerMalformed:
        return to_definite(octets)
    return octets


def _walk(octets: bytes) -> None:
    content_info = der_reader.read(octets).fields()
    content_info.take(der.OBJECT_IDENTIFIER)
    for element in content_info.take(_EXPLICIT_0).only().children():
        if element.tag != der.INTEGER:
            for inner in element.children():
                if inner.tag == _EXPLICIT_0:
                    inner.only().expect(der.OCTET_STRING)


def _read(octets: bytes, limits: CmsLimits) -> SignedMessage:
    # 1. ContentInfo and SignedData (RFC 5652 §3, §5.1).
    content_info = der_reader.read(octets).fields()
    if content_info.take().oid() not in SIGNED_DATA_TYPES:
        raise CmsMalformed("the message is not SignedData")
    signed_data = content_info.take(_EXPLICIT_0).only().fields()
    content_info.end()
    version = signed_data.take(der.INTEGER)
    algorithms = signed_data.take(der.SET)
    econtent_type, econtent = _encapsulated(signed_data.take(der.SEQUENCE))
    certificates = signed_data.optional(_EXPLICIT_0)
    revocation = signed_data.optional(_CONTEXT_1)
    signer_infos = signed_data.take(der.SET).children()
    signed_data.end()
    if len(signer_infos) > MAX_SIGNERS:
        raise CmsMalformed(
            f"the message has {len(signer_infos)} signers; at most {MAX_SIGNERS} are verified here"
        )

    # 2. Each signer in a message of its own, without the content.
    before = der.sequence(der.oid(econtent_type))
    shared = [version.encoded, algorithms.encoded, before]
    shared += [element.encoded for element in (certificates, revocation) if element is not None]
    signers = tuple(_signer(info, shared, limits) for info in signer_infos)
    return SignedMessage(
        econtent_type=econtent_type,
        econtent=econtent,
        material=ValidationMaterial(
            certificates=_sequences(certificates, limits),
            crls=_sequences(revocation, limits),
            ocsp_responses=tuple(_responses_of(revocation)),
        ),
        signers=signers,
    )


def _encapsulated(element: Element) -> tuple[str, bytes | None]:
    fields = element.fields()
    econtent_type = fields.take().oid()
    explicit = fields.optional(_EXPLICIT_0)
    fields.end()
    return econtent_type, None if explicit is None else explicit.only().octets()


def _signer(info: Element, shared: list[bytes], limits: CmsLimits) -> MessageSigner:
    alone = der.sequence(
        der.oid(ID_SIGNED_DATA),
        der.context(0, der.sequence(*shared, der.tlv(der.SET, info.encoded))),
    )
    try:
        signed, unsigned = _attributes_of(info)
        if signed is None:
            problem = "the signer has no signed attributes, so nothing binds its certificate"
            return MessageSigner(parsed=None, problem=problem, unsupported=True)
        parsed = ParsedCms.parse(alone, limits)
        return MessageSigner(
            parsed=parsed,
            claimed_time=_signing_time(signed),
            material=_validation_material(unsigned, limits),
        )
    except CmsMalformed as error:
        return MessageSigner(parsed=None, problem=error.message)
    except DerMalformed as error:
        return MessageSigner(parsed=None, problem=f"the signer is not the DER expected: {error.message}")


def _attributes_of(info: Element) -> tuple[Element | None, Element | None]:
    """The signed and the unsigned attributes of a SignerInfo (RFC 5652 §5.3)."""
    fields = info.fields()
    for _ in ("version", "sid", "digestAlgorithm"):
        fields.take()
    signed = fields.optional(_EXPLICIT_0)
    for _ in ("signatureAlgorithm", "signature"):
        fields.take()
    return signed, fields.optional(_CONTEXT_1)


def _values(attributes: Element, oid: str, limits: CmsLimits) -> tuple[Element, ...]:
    for attribute in attributes.children()[: limits.max_attributes]:
        fields = attribute.fields()
        if fields.take().oid() == oid:
            return fields.take(der.SET).children()
    return ()


def _signing_time(attributes: Element) -> datetime | None:
    """The signing-time attribute (RFC 5652 §11.3), a claim; None where it is not there or not a time."""
    values = _values(attributes, ID_SIGNING_TIME, DEFAULT_LIMITS)
    if len(values) != 1:
        return None
    try:
        if values[0].tag == der.GENERALIZED_TIME:
            return values[0].generalized_time()
        text = values[0].expect(der.UTC_TIME).content.decode("ascii")
        moment = datetime.strptime(text, "%y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except (DerMalformed, ValueError):
        return None
    # RFC 5280 §4.1.2.5.1: two digits from 50 on are of the last century, however strptime has it.
    year = moment.year % 100 + (1900 if moment.year % 100 >= _UTC_TIME_PIVOT else 2000)
    return moment.replace(year=year)


def _validation_material(unsigned: Element | None, limits: CmsLimits) -> ValidationMaterial:
    """certificate-values and revocation-values (RFC 5126 §6.3.3, §6.3.4)."""
    if unsigned is None:
        return ValidationMaterial()
    certificates: tuple[bytes, ...] = ()
    crls: Element | None = None
    answers: Element | None = None
    for values in _values(unsigned, ID_AA_CERTIFICATE_VALUES, limits)[:1]:
        certificates = _sequences(values, limits)
    for values in _values(unsigned, ID_AA_REVOCATION_VALUES, limits)[:1]:
        fields = values.fields()
        crls, answers = fields.optional(_EXPLICIT_0), fields.optional(_CONTEXT_1)
    # BasicOCSPResponse values; a whole response is made of each, so that there is one reader.
    basics = () if answers is None else answers.only().children()[:MAX_OCSP_RESPONSES]
    return ValidationMaterial(
        certificates=certificates,
        crls=() if crls is None else _sequences(crls.only(), limits),
        ocsp_responses=tuple(_whole_response(basic.encoded) for basic in basics),
    )


def _sequences(collection: Element | None, limits: CmsLimits) -> tuple[bytes, ...]:
    """The X.509 certificates or CRLs of a collection; other choices stand under tags of their own."""
    if collection is None:
        return ()
    members = [child.encoded for child in collection.children() if child.tag == der.SEQUENCE]
    return tuple(members[: limits.max_certificates])


def _responses_of(revocation: Element | None) -> Iterator[bytes]:
    """OCSP responses among the revocation information (RFC 5940 §2.1, OtherRevocationInfoFormat)."""
    if revocation is None:
        return
    others = [child for child in revocation.children() if child.tag == _CONTEXT_1]
    for other in others[:MAX_OCSP_RESPONSES]:
        kind, *rest = other.children()
        if kind.oid() == ID_RI_OCSP_RESPONSE and len(rest) == 1:
            yield rest[0].encoded


def _whole_response(basic: bytes) -> bytes:
    """OCSPResponse with the status successful around a BasicOCSPResponse (RFC 6960 §4.2.1)."""
    inner = der.sequence(der.oid(ID_PKIX_OCSP_BASIC), der.octet_string(basic))
    return der.sequence(der.enumerated(0), der.context(0, inner))
