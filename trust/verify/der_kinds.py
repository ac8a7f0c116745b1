"""What a DER (or BER) or PEM file is, told from its first octets: no more is read than tells the kinds apart."""

from collections.abc import Iterator
from enum import StrEnum

from trust.crypto import der
from trust.crypto.cms_oids import ID_CT_TST_INFO, SIGNED_DATA_TYPES
from trust.crypto.errors import PemMalformed
from trust.crypto.pem import blocks_of, label_of


class DerKind(StrEnum):
    """The kinds."""

    MESSAGE = "message"
    STAMP = "stamp"
    RESPONSE = "response"
    CERTIFICATE = "certificate"
    CRL = "crl"
    OCSP = "ocsp"
    EVIDENCE = "evidence"


# RFC 7468 §5-9, and what openssl writes.
MESSAGE_LABELS = frozenset({"CMS", "PKCS7", "PKCS #7 SIGNED DATA"})
CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
CRL_LABELS = frozenset({"X509 CRL"})
OCSP_LABELS = frozenset({"OCSP RESPONSE"})
_LABELS = {
    **dict.fromkeys(MESSAGE_LABELS, DerKind.MESSAGE),
    **dict.fromkeys(CERTIFICATE_LABELS, DerKind.CERTIFICATE),
    **dict.fromkeys(CRL_LABELS, DerKind.CRL),
    **dict.fromkeys(OCSP_LABELS, DerKind.OCSP),
}
# Text may stand before the armour, such as openssl's description of a certificate; not a whole document.
_ARMOUR_WITHIN = 4096
_EXPLICIT_0 = 0xA0
_TIMES = frozenset({der.UTC_TIME, der.GENERALIZED_TIME})
_SIGNED_DATA = tuple(der.oid(each) for each in sorted(SIGNED_DATA_TYPES))
_TST_INFO = der.oid(ID_CT_TST_INFO)


def der_kind(data: bytes) -> DerKind | None:
    """The kind of a file; None where it is none of these."""
    if data[:1] == b"\x30":
        return _kind_of_value(data)
    label = label_of(data[:_ARMOUR_WITHIN])
    kind = None if label is None else _LABELS.get(label)
    if kind is DerKind.MESSAGE:
        try:
            return _kind_of_value(blocks_of(data, MESSAGE_LABELS)[0]) or kind
        except PemMalformed:
            return kind
    return kind


def _kind_of_value(data: bytes) -> DerKind | None:
    outer = _inside(data, 0)
    tag, at = next(outer, (None, 0))
    if tag == der.ENUMERATED:
        return DerKind.OCSP
    if tag == der.OBJECT_IDENTIFIER:
        return _kind_of_message(data, at)
    if tag == der.INTEGER:
        return _kind_of_version(data)
    if tag != der.SEQUENCE:
        return None
    tags = [inner for inner, _ in _inside(data, at)][:4]
    if tags[:1] == [_EXPLICIT_0] or tags == [der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE]:
        return DerKind.CERTIFICATE
    if tags[:2] == [der.SEQUENCE, der.SEQUENCE] and set(tags[2:3]) <= _TIMES:
        return DerKind.CRL
    if tags[:3] == [der.INTEGER, der.SEQUENCE, der.SEQUENCE] and set(tags[3:4]) <= _TIMES:
        return DerKind.CRL
    # PKIStatusInfo: a status, then perhaps sentences and bits; what follows it is the token.
    return DerKind.RESPONSE if tags[:1] == [der.INTEGER] else None


def _kind_of_version(data: bytes) -> DerKind | None:
    """An evidence record: version, then a list of algorithms (RFC 4998 §3.1); a key's or a TSTInfo begins otherwise."""
    tags = [(tag, place) for tag, place in _inside(data, 0)][:2]
    if [tag for tag, _ in tags] != [der.INTEGER, der.SEQUENCE]:
        return None
    algorithm, at = next(_inside(data, tags[1][1]), (None, 0))
    identifier, _ = next(_inside(data, at), (None, 0)) if algorithm == der.SEQUENCE else (None, 0)
    return DerKind.EVIDENCE if identifier == der.OBJECT_IDENTIFIER else None


def _kind_of_message(data: bytes, at: int) -> DerKind | None:
    if not data.startswith(_SIGNED_DATA, at):
        return None
    explicit = next((place for tag, place in _inside(data, 0) if tag == _EXPLICIT_0), None)
    signed_data = None if explicit is None else next(_inside(data, explicit), None)
    if signed_data is None:
        return DerKind.MESSAGE
    for tag, place in _inside(data, signed_data[1]):
        if tag == der.SEQUENCE:  # encapContentInfo, after version and digest algorithms
            first = next(_inside(data, place), (None, 0))
            return DerKind.STAMP if data.startswith(_TST_INFO, first[1]) else DerKind.MESSAGE
    return DerKind.MESSAGE


def _inside(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Tags and places of the values inside the constructed one at `at`, as far as `data` goes."""
    place = _body(data, at)
    bound = _end(data, at) or len(data)
    while place is not None and place + 1 < min(bound, len(data)) and data[place] != 0:
        yield data[place], place
        place = _end(data, place)


def _body(data: bytes, at: int) -> int | None:
    if at + 2 > len(data):
        return None
    first = data[at + 1]
    return at + 2 + (first & 0x7F if first & 0x80 else 0)


def _end(data: bytes, at: int) -> int | None:
    """Where a value with a definite length ends; None for others."""
    body = _body(data, at)
    if body is None or data[at + 1] == 0x80:
        return None
    first = data[at + 1]
    count = int.from_bytes(data[at + 2 : body], "big") if first & 0x80 else first
    return body + count
