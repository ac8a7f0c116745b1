"""Reading a stranger's CMS SignedData: one signer, strict DER; what it says, not whether it is true."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from trust.crypto import der, der_reader
from trust.crypto.cms_oids import (
    DATA_TYPES,
    ID_AA_SIGNATURE_TIMESTAMP,
    ID_AA_SIGNING_CERTIFICATE,
    ID_AA_SIGNING_CERTIFICATE_V2,
    ID_CONTENT_TYPE,
    ID_MESSAGE_DIGEST,
    SIGNED_DATA_TYPES,
)
from trust.crypto.der_reader import Element
from trust.crypto.digests import Digest, digest_by_oid
from trust.crypto.errors import CmsMalformed, DerMalformed
from trust.crypto.schemes import Scheme, read_scheme

_ID_CE_SUBJECT_KEY_IDENTIFIER = der.oid("2.5.29.14")
_EXPLICIT_0 = 0xA0
_IMPLICIT_1 = 0xA1
_KEY_IDENTIFIER = 0x80


@dataclass(frozen=True, kw_only=True)
class CmsLimits:
    """What is read at most. Real messages with a chain, a token and embedded CRLs stay far below."""

    max_bytes: int = 4 << 20
    max_certificates: int = 50
    max_attributes: int = 50


DEFAULT_LIMITS = CmsLimits()


@dataclass(frozen=True, kw_only=True)
class EssCertificateId:
    """A digest by which signing-certificate-v2 binds a certificate; `digest` is None where not known here."""

    digest: Digest | None
    value: bytes


@dataclass(frozen=True, kw_only=True)
class ParsedCms:
    """A SignedData message; octets are DER as they stood in it.

    `signed_attrs` is the SET OF that was signed. `digest_algorithm` and `scheme` are None where this house does
    not know the algorithm; `signer_certificate` is None where no certificate inside is the one the signer names.
    `signing_certificate_ids` is None where the attribute signing-certificate-v2 is missing; the first binds the
    signer's certificate.
    """

    econtent_type: str
    econtent: bytes | None
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    digest_algorithm: Digest | None
    scheme: Scheme | None
    signature: bytes
    signed_attrs: bytes
    message_digest: bytes
    signing_certificate_ids: tuple[EssCertificateId, ...] | None
    has_signing_certificate_v1: bool
    signer_certificate: bytes | None
    timestamp_tokens: tuple[bytes, ...]

    @property
    def timestamp_token(self) -> bytes | None:
        """The first signature timestamp, where there is one."""
        return self.timestamp_tokens[0] if self.timestamp_tokens else None

    @classmethod
    def parse(cls, octets: bytes, limits: CmsLimits = DEFAULT_LIMITS) -> Self:
        """Reads a ContentInfo; raises CmsMalformed on anything that is not strictly one signer's SignedData."""
        if len(octets) > limits.max_bytes:
            raise CmsMalformed(f"the message has {len(octets)} octets; at most {limits.max_bytes} are read")
        try:
            return cls._read(bytes(octets), limits)
        except DerMalformed as error:
            raise CmsMalformed(f"the message is not the DER expected: {error.message}") from error

    @classmethod
    def _read(cls, octets: bytes, limits: CmsLimits) -> Self:
        # 1. ContentInfo and SignedData down to the one SignerInfo (RFC 5652 §3, §5.1).
        content_info = der_reader.read(octets).fields()
        if content_info.take().oid() not in SIGNED_DATA_TYPES:
            raise CmsMalformed("the message is not SignedData")
        signed_data = content_info.take(_EXPLICIT_0).only().fields()
        content_info.end()
        message_version = signed_data.take().integer()
        if message_version not in (1, 3, 4, 5):
            raise CmsMalformed("SignedData has a version that RFC 5652 does not know")
        digest_algorithms = signed_data.take(der.SET).children()
        econtent_type, econtent = _encapsulated(signed_data.take())
        if message_version == 1 and econtent_type not in DATA_TYPES:
            raise CmsMalformed("SignedData of version 1 holds something other than data (RFC 5652 §5.1)")
        certificates = _members(signed_data.optional(_EXPLICIT_0), limits.max_certificates)
        crls = _members(signed_data.optional(_IMPLICIT_1), limits.max_certificates)
        signer = signed_data.take(der.SET).only().fields()
        signed_data.end()

        # 2. SignerInfo (RFC 5652 §5.3); signed attributes are required.
        version = signer.take().integer()
        signer_id = signer.take(der.SEQUENCE if version == 1 else _KEY_IDENTIFIER)
        if version not in (1, 3):
            raise CmsMalformed("SignerInfo has a version that RFC 5652 does not know")
        digest_algorithm = _digest_of_identifier(signer.take())
        if digest_algorithm not in [_digest_of_identifier(each) for each in digest_algorithms]:
            raise CmsMalformed("the signer's digest algorithm is not among those of the message")
        signed = signer.take(_EXPLICIT_0)
        signature_algorithm = signer.take(der.SEQUENCE).encoded
        signature = signer.take().octets()
        unsigned = signer.optional(_IMPLICIT_1)
        signer.end()

        # 3. The attributes: what is signed must be in DER's order, or the octets signed would be a guess.
        signed_values = _attributes(signed, limits)
        encodings = [element.encoded for element in signed.children()]
        if encodings != sorted(encodings):
            raise CmsMalformed("the signed attributes are not in DER's order")
        if _single(signed_values, ID_CONTENT_TYPE).oid() != econtent_type:
            raise CmsMalformed("the signed content type is not that of the content")
        unsigned_values = {} if unsigned is None else _attributes(unsigned, limits)
        return cls(
            econtent_type=econtent_type,
            econtent=econtent,
            certificates=certificates,
            crls=crls,
            digest_algorithm=digest_algorithm,
            scheme=read_scheme(signature_algorithm, message_digest=digest_algorithm),
            signature=signature,
            signed_attrs=bytes((der.SET,)) + signed.encoded[1:],
            message_digest=_single(signed_values, ID_MESSAGE_DIGEST).octets(),
            signing_certificate_ids=_signing_certificate_ids(signed_values, limits),
            has_signing_certificate_v1=ID_AA_SIGNING_CERTIFICATE in signed_values,
            signer_certificate=_find_signer(signer_id, certificates),
            timestamp_tokens=tuple(
                value.encoded for value in unsigned_values.get(ID_AA_SIGNATURE_TIMESTAMP, ())
            ),
        )


def _encapsulated(element: Element) -> tuple[str, bytes | None]:
    fields = element.fields()
    econtent_type = fields.take().oid()
    explicit = fields.optional(_EXPLICIT_0)
    fields.end()
    return econtent_type, None if explicit is None else explicit.only().octets()


def _members(collection: Element | None, limit: int) -> tuple[bytes, ...]:
    """The X.509 certificates or CRLs of a collection; other choices (attribute certificates) are passed over."""
    if collection is None:
        return ()
    members = tuple(child.encoded for child in collection.children() if child.tag == der.SEQUENCE)
    if len(members) > limit:
        raise CmsMalformed(f"the message holds {len(members)} certificates or CRLs; at most {limit} are read")
    return members


def _digest_of_identifier(element: Element) -> Digest | None:
    """The digest of an AlgorithmIdentifier; parameters may be absent or NULL (RFC 5754 §2)."""
    fields = element.fields()
    oid = fields.take().oid()
    parameters = fields.optional(der.NULL)
    fields.end()
    if parameters is not None and parameters.content:
        raise CmsMalformed("a digest algorithm has a NULL with contents")
    return digest_by_oid(oid)


def _attributes(collection: Element, limits: CmsLimits) -> Mapping[str, tuple[Element, ...]]:
    children = collection.children()
    if len(children) > limits.max_attributes:
        raise CmsMalformed(
            f"a signer has {len(children)} attributes; at most {limits.max_attributes} are read"
        )
    found: dict[str, tuple[Element, ...]] = {}
    for child in children:
        attribute = child.fields()
        oid = attribute.take().oid()
        values = attribute.take(der.SET).children()
        attribute.end()
        if oid in found:
            raise CmsMalformed(f"attribute {oid} stands there twice")
        found[oid] = values
    return found


def _single(attributes: Mapping[str, tuple[Element, ...]], oid: str) -> Element:
    values = attributes.get(oid, ())
    if len(values) != 1:
        raise CmsMalformed(f"attribute {oid} must be there with exactly one value, it has {len(values)}")
    return values[0]


def _signing_certificate_ids(
    attributes: Mapping[str, tuple[Element, ...]], limits: CmsLimits
) -> tuple[EssCertificateId, ...] | None:
    """SigningCertificateV2 (RFC 5035 §3); its policies and issuerSerial repeat what is bound otherwise."""
    if ID_AA_SIGNING_CERTIFICATE_V2 not in attributes:
        return None
    fields = _single(attributes, ID_AA_SIGNING_CERTIFICATE_V2).fields()
    identifiers = fields.take(der.SEQUENCE).children()
    if not 1 <= len(identifiers) <= limits.max_certificates:
        raise CmsMalformed("signing-certificate-v2 names no certificate, or too many")
    return tuple(_ess_certificate_id(identifier) for identifier in identifiers)


def _ess_certificate_id(element: Element) -> EssCertificateId:
    fields = element.fields()
    algorithm = fields.take()
    if algorithm.tag == der.SEQUENCE:
        return EssCertificateId(digest=_digest_of_identifier(algorithm), value=fields.take().octets())
    return EssCertificateId(digest=Digest.SHA256, value=algorithm.octets())


def _find_signer(signer_id: Element, certificates: tuple[bytes, ...]) -> bytes | None:
    """The certificate named by issuer and serial or by key identifier (RFC 5652 §5.3)."""
    if signer_id.tag == der.SEQUENCE:
        wanted = tuple(child.encoded for child in signer_id.children())
        matches = (each for each in certificates if _issuer_and_serial(each) == wanted)
        return next(matches, None)
    identifier = der.octet_string(signer_id.expect(_KEY_IDENTIFIER).content)
    extension = _ID_CE_SUBJECT_KEY_IDENTIFIER + der.octet_string(identifier)
    return next((each for each in certificates if extension in each), None)


def _issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes] | None:
    try:
        return issuer_and_serial(certificate)
    except DerMalformed:
        return None


def issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes]:
    """The DER of a certificate's issuer Name and serial INTEGER (RFC 5280 §4.1); raises DerMalformed."""
    tbs = der_reader.read(certificate).fields().take().fields()
    tbs.optional(_EXPLICIT_0)
    serial = tbs.take(der.INTEGER)
    tbs.take(der.SEQUENCE)
    return tbs.take(der.SEQUENCE).encoded, serial.encoded


def spki_of(certificate: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1); raises DerMalformed."""
    tbs = der_reader.read(certificate).fields().take().fields()
    tbs.optional(_EXPLICIT_0)
    for _ in ("serial", "signature", "issuer", "validity", "subject"):
        tbs.take()
    return tbs.take(der.SEQUENCE).encoded
