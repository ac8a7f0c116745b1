"""Validation data inside a token: certificates and revocation data in its SignedData, beside what is signed.

    token = with_validation_data(token, certificates=path.certificates_used, crls=path.crls_used, ocsps=path.ocsps_used)
    data = validation_data_of(token)

A timestamp renewal hashes the whole old token (RFC 4998 §5.2), so what is laid into it beforehand is proven to have
existed by then, and the record carries all that a verifier with the same anchors needs. The fields `certificates`
and `crls` of SignedData are not signed (RFC 5652 §5.4): the token's own signature stays what it was. OCSP answers
stand among `crls` as RFC 5940 §2 has it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from trust.crypto import der, der_reader
from trust.crypto.cms import ParsedCms
from trust.crypto.der_reader import Element
from trust.crypto.errors import CmsMalformed, DerMalformed
from trust.crypto.parsed_cms import DEFAULT_LIMITS
from trust.pki.ocsp import response_of

_CERTIFICATES = 0xA0
_CRLS = 0xA1
_OTHER_REVOCATION_INFO = 0xA1
_ID_RI_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"
# RFC 5652 §5.1: this version says that revocation information of another kind than CRLs is inside.
_VERSION_WITH_OTHERS = der.integer(5)


@dataclass(frozen=True, kw_only=True)
class TokenData:
    """What stands in a token beside the signature: each DER, OCSP as OCSPResponse."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()


def with_validation_data(
    token: bytes,
    *,
    certificates: Iterable[bytes] = (),
    crls: Iterable[bytes] = (),
    ocsps: Iterable[bytes] = (),
) -> bytes:
    """The same token with this beside the certificates it has; revocation data it had is replaced.

    Raises CmsMalformed where the token cannot be read, or could not be read again with this in it.
    """
    try:
        held = _read(token)
    except DerMalformed as error:
        raise CmsMalformed(f"the token is not the DER expected: {error.message}") from error
    others = [_other(response_of(each)) for each in dict.fromkeys(ocsps)]
    kept = [each.encoded for each in held.certificates]
    signed_data = der.sequence(
        _VERSION_WITH_OTHERS if others else held.version,
        held.digest_algorithms,
        held.encapsulated,
        _set(_CERTIFICATES, [*kept, *certificates]),
        _set(_CRLS, [*crls, *others]),
        held.signers,
    )
    written = der.sequence(held.content_type, der.context(0, signed_data))
    ParsedCms.parse(written)
    return written


def validation_data_of(token: bytes) -> TokenData:
    """What stands in a token; raises CmsMalformed."""
    try:
        held = _read(token)
        parsed = ParsedCms.parse(token)
        ocsps = tuple(_answer(each) for each in held.revocation if each.tag == _OTHER_REVOCATION_INFO)
    except DerMalformed as error:
        raise CmsMalformed(f"the token is not the DER expected: {error.message}") from error
    return TokenData(
        certificates=parsed.certificates,
        crls=parsed.crls,
        ocsps=tuple(each for each in ocsps if each is not None)[: DEFAULT_LIMITS.max_certificates],
    )


@dataclass(frozen=True, kw_only=True)
class _Held:
    """The fields of a token's SignedData (RFC 5652 §5.1)."""

    content_type: bytes
    version: bytes
    digest_algorithms: bytes
    encapsulated: bytes
    certificates: tuple[Element, ...]
    revocation: tuple[Element, ...]
    signers: bytes


def _read(token: bytes) -> _Held:
    content_info = der_reader.read(token).fields()
    content_type = content_info.take(der.OBJECT_IDENTIFIER)
    fields = content_info.take(0xA0).only().fields()
    content_info.end()
    version, algorithms, encapsulated = fields.take(der.INTEGER), fields.take(der.SET), fields.take()
    certificates, crls = fields.optional(_CERTIFICATES), fields.optional(_CRLS)
    signers = fields.take(der.SET)
    fields.end()
    return _Held(
        content_type=content_type.encoded,
        version=version.encoded,
        digest_algorithms=algorithms.encoded,
        encapsulated=encapsulated.encoded,
        certificates=() if certificates is None else certificates.children(),
        revocation=() if crls is None else crls.children(),
        signers=signers.encoded,
    )


def _set(tag: int, members: list[bytes]) -> bytes:
    """An implicit SET OF in DER's order, nothing twice; absent where it would be empty."""
    return der.tlv(tag, b"".join(sorted(frozenset(members)))) if members else b""


def _other(response: bytes) -> bytes:
    return der.context(1, der.oid(_ID_RI_OCSP_RESPONSE) + response)


def _answer(element: Element) -> bytes | None:
    fields = element.fields(_OTHER_REVOCATION_INFO)
    kind = fields.take().oid()
    value = fields.take()
    fields.end()
    return value.encoded if kind == _ID_RI_OCSP_RESPONSE else None
