"""CMS SignedData (RFC 5652) as PAdES and RFC 3161 use it, written from precomputed DER.

    identity = CmsIdentity(certificate=leaf, chain=(issuing_ca,), suite=Suite.P256_SHA256)
    attributes = identity.signed_attributes(content_type=ID_DATA, message_digest=digest)
    cms = identity.signed_data(signed_attributes=attributes, signature=signer.sign(attributes))
    cms = add_timestamp(cms, token)

Only the message digest and the signature vary from one document to the next; everything else is encoded once.
"""

from dataclasses import dataclass, field
from functools import cached_property

from trust.crypto import der, der_reader
from trust.crypto.cms_oids import (
    ID_AA_SIGNATURE_TIMESTAMP,
    ID_AA_SIGNING_CERTIFICATE_V2,
    ID_CONTENT_TYPE,
    ID_CT_TST_INFO,
    ID_DATA,
    ID_MESSAGE_DIGEST,
    ID_SIGNED_DATA,
)
from trust.crypto.digests import Digest, algorithm_identifier, digest_of, digest_size, sha256
from trust.crypto.errors import CmsMalformed, DerMalformed
from trust.crypto.parsed_cms import CmsLimits, ParsedCms, issuer_and_serial
from trust.crypto.suites import Suite, definition
from trust.kernel.errors import InvalidInput

__all__ = [
    "ID_CT_TST_INFO",
    "ID_DATA",
    "CmsIdentity",
    "CmsLimits",
    "ParsedCms",
    "add_timestamp",
    "max_signed_data_size",
]

# RFC 5652 §5.1: version 1 for id-data with v3 certificates, 3 for any other content type.
_VERSION_DATA = der.integer(1)
_VERSION_OTHER = der.integer(3)
_SIGNER_INFO_VERSION = der.integer(1)  # the signer is named by issuer and serial (RFC 5652 §5.3)
_SIGNED_ATTRIBUTES_TAG = 0xA0
_SIGNED_DATA_OID = der.oid(ID_SIGNED_DATA)


@dataclass(frozen=True, kw_only=True)
class CmsIdentity:
    """A signer's certificate, the certificates above it (nearest first, the anchor usually left out) and suite.

    Certificates are DER. Raises CmsMalformed where the certificate's issuer and serial cannot be read.
    """

    certificate: bytes
    chain: tuple[bytes, ...]
    suite: Suite
    _digest: Digest = field(init=False, repr=False, compare=False)
    _attribute_frames: dict[str, tuple[bytes, bytes]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digest", definition(self.suite).cms_digest)
        _ = self._signer_head

    @property
    def digest(self) -> Digest:
        """The digest that `message_digest` must be of."""
        return self._digest

    def signed_attributes(self, *, content_type: str = ID_DATA, message_digest: bytes) -> bytes:
        """The DER SET OF to be signed: content-type, message-digest, signing-certificate-v2 (RFC 5652 §5.4).

        Raises InvalidInput where the digest has not the suite's length.
        """
        frame = self._attribute_frames.get(content_type)
        if frame is None:
            frame = self._attribute_frame(content_type)
            self._attribute_frames[content_type] = frame
        if len(message_digest) != digest_size(self._digest):
            raise InvalidInput(f"a {self._digest} digest was expected, got {len(message_digest)} octets")
        return frame[0] + message_digest + frame[1]

    def signed_data(
        self,
        *,
        signed_attributes: bytes,
        signature: bytes,
        content: bytes | None = None,
        content_type: str = ID_DATA,
        include_certificates: bool = True,
        timestamp_token: bytes | None = None,
    ) -> bytes:
        """The DER ContentInfo around a signature made over `signed_attributes`.

        `content` is the eContent; without it the signature is detached. Timestamp tokens asked for without
        certReq leave the certificates out (RFC 3161 §2.4.1). `timestamp_token` is one over SHA-256 of
        `signature`, where it is at hand already; `add_timestamp` puts it in later.
        """
        signer_info = der.sequence(
            self._signer_head,
            bytes((_SIGNED_ATTRIBUTES_TAG,)) + signed_attributes[1:],
            self._signature_algorithm,
            der.octet_string(signature),
            b"" if timestamp_token is None else _timestamp_attribute(timestamp_token),
        )
        encapsulated = der.oid(content_type)
        if content is not None:
            encapsulated += der.context(0, der.octet_string(content))
        signed_data = der.sequence(
            _VERSION_DATA if content_type == ID_DATA else _VERSION_OTHER,
            self._digest_algorithms,
            der.sequence(encapsulated),
            self._certificates if include_certificates else b"",
            der.tlv(der.SET, signer_info),
        )
        return der.sequence(_SIGNED_DATA_OID, der.context(0, signed_data))

    def _attribute_frame(self, content_type: str) -> tuple[bytes, bytes]:
        """What stands before and after the digest. The order of a SET OF is settled by the attributes' first
        octets, which no digest value reaches, so any placeholder sorts as every digest does."""
        placeholder = bytes(digest_size(self._digest))
        message_digest = _attribute(ID_MESSAGE_DIGEST, der.octet_string(placeholder))
        attributes = sorted(
            (_attribute(ID_CONTENT_TYPE, der.oid(content_type)), message_digest, self._signing_certificate)
        )
        before = b"".join(attributes[: attributes.index(message_digest)])
        after = b"".join(attributes[attributes.index(message_digest) + 1 :])
        head = message_digest[: -len(placeholder)]
        size = len(before) + len(message_digest) + len(after)
        return bytes((der.SET,)) + der.length(size) + before + head, after

    @cached_property
    def _signing_certificate(self) -> bytes:
        """signing-certificate-v2 with one ESSCertIDv2, its SHA-256 by default (RFC 5035 §3); issuer and serial
        already stand in the SignerInfo. What is signed by SM2 rests on SM3 alone."""
        identifier = der.sequence(der.octet_string(sha256(self.certificate)))
        if self._digest is Digest.SM3:
            value = der.octet_string(digest_of(self.certificate, Digest.SM3))
            identifier = der.sequence(algorithm_identifier(Digest.SM3), value)
        return _attribute(ID_AA_SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier)))

    @cached_property
    def _signer_head(self) -> bytes:
        try:
            issuer, serial = issuer_and_serial(self.certificate)
        except DerMalformed as error:
            raise CmsMalformed(f"the signer's certificate cannot be read: {error.message}") from error
        return _SIGNER_INFO_VERSION + der.sequence(issuer, serial) + algorithm_identifier(self._digest)

    @cached_property
    def _signature_algorithm(self) -> bytes:
        return definition(self.suite).signature_algorithm

    @cached_property
    def _digest_algorithms(self) -> bytes:
        return der.set_of(algorithm_identifier(self._digest))

    @cached_property
    def _certificates(self) -> bytes:
        certificates = sorted({self.certificate, *self.chain})
        return der.context(0, b"".join(certificates))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.tlv(der.SET, value))


def _timestamp_attribute(token: bytes) -> bytes:
    """The unsigned attributes with one signature timestamp (RFC 3161 appendix A)."""
    return der.context(1, _attribute(ID_AA_SIGNATURE_TIMESTAMP, token))


def add_timestamp(cms: bytes, token: bytes) -> bytes:
    """The same SignedData with a signature timestamp as unsigned attribute (RFC 3161 appendix A).

    Raises CmsMalformed where `cms` is not a SignedData of one signer, or already has unsigned attributes: what
    this house timestamps it has just made.
    """
    try:
        der_reader.read(token).expect(der.SEQUENCE)
        return _with_timestamp(cms, token)
    except DerMalformed as error:
        raise CmsMalformed(f"the message or token cannot be read: {error.message}") from error


def _with_timestamp(cms: bytes, token: bytes) -> bytes:
    content_info = der_reader.read(cms).fields()
    content_type = content_info.take(der.OBJECT_IDENTIFIER)
    signed_data = content_info.take(0xA0).only()
    *head, signer_infos = signed_data.expect(der.SEQUENCE).children()
    signer_info = signer_infos.expect(der.SET).only().expect(der.SEQUENCE)
    if signer_info.children()[-1].tag != der.OCTET_STRING:
        raise CmsMalformed("the signer info already has unsigned attributes")
    stamped = der.tlv(der.SET, der.sequence(signer_info.content, _timestamp_attribute(token)))
    return der.sequence(
        content_type.encoded,
        der.context(0, der.sequence(*(element.encoded for element in head), stamped)),
    )


def max_signed_data_size(identity: CmsIdentity, token_size: int = 0) -> int:
    """The most octets a detached message of this signer takes, with a token of `token_size` octets (0: none).

    Computed by encoding one around the largest signature, so it is a bound and not a guess.
    """
    attributes = identity.signed_attributes(message_digest=bytes(digest_size(identity.digest)))
    signature = bytes(definition(identity.suite).max_signature_bytes)
    cms = identity.signed_data(signed_attributes=attributes, signature=signature)
    if not token_size:
        return len(cms)
    return len(_with_timestamp(cms, bytes(token_size)))
