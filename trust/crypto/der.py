"""A small DER writer (X.690): each function gives the whole encoding of one value.

    der.sequence(der.integer(1), der.oid("1.2.840.113549.1.7.1"))

Values are octets already encoded, so constants are made once and joined on the hot path.
"""

from datetime import UTC, datetime
from functools import lru_cache

from trust.kernel.errors import InvalidInput

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

# RFC 5280 §4.1.2.5: dates through 2049 are UTCTime, later ones GeneralizedTime.
_FIRST_UTC_TIME_YEAR = 1950
_FIRST_GENERALIZED_YEAR = 2050
_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")


def length(count: int) -> bytes:
    """The length octets for `count` content octets, in the shortest form (X.690 §10.1)."""
    if count < 0x80:
        return bytes((count,))
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def tlv(tag: int, content: bytes) -> bytes:
    """One value with a single-octet tag."""
    count = len(content)
    if count < 0x80:
        return bytes((tag, count)) + content
    return bytes((tag,)) + length(count) + content


def sequence(*items: bytes) -> bytes:
    """SEQUENCE and SEQUENCE OF."""
    return tlv(SEQUENCE, b"".join(items))


def set_of(*items: bytes) -> bytes:
    """SET OF, its encodings in ascending order (X.690 §11.6)."""
    return tlv(SET, b"".join(sorted(items)))


def context(number: int, content: bytes, *, constructed: bool = True) -> bytes:
    """A context-specific tag around `content`: explicit when that is an encoding, implicit when contents octets."""
    return tlv((0xA0 if constructed else 0x80) | number, content)


def integer(value: int) -> bytes:
    """INTEGER in the fewest octets."""
    return tlv(INTEGER, _integer_octets(value))


def enumerated(value: int) -> bytes:
    """ENUMERATED in the fewest octets."""
    return tlv(ENUMERATED, _integer_octets(value))


def _integer_octets(value: int) -> bytes:
    magnitude = value if value >= 0 else ~value
    return value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def boolean(value: bool) -> bytes:
    """BOOLEAN; DER's TRUE is FF."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def null() -> bytes:
    """NULL."""
    return b"\x05\x00"


def octet_string(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(BIT_STRING, b"\x00" + value)


def named_bits(positions: frozenset[int]) -> bytes:
    """BIT STRING of a named bit list: trailing zero bits removed (X.690 §11.2.2); bit 0 is the first."""
    if not positions:
        return tlv(BIT_STRING, b"\x00")
    highest = max(positions)
    octets = bytearray(highest // 8 + 1)
    for position in positions:
        octets[position // 8] |= 0x80 >> position % 8
    return tlv(BIT_STRING, bytes((7 - highest % 8,)) + bytes(octets))


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from dotted decimals; raises InvalidInput on anything else."""
    try:
        arcs = [int(arc) for arc in dotted.split(".")]
    except ValueError as error:
        raise InvalidInput(f"{dotted!r} is not an object identifier of dotted decimals") from error
    if len(arcs) < 2 or min(arcs) < 0 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise InvalidInput(f"{dotted!r} is not an object identifier: its first arcs are out of range")
    content = b"".join(_base128(arc) for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]))
    return tlv(OBJECT_IDENTIFIER, content)


def _base128(value: int) -> bytes:
    octets = [value & 0x7F]
    value >>= 7
    while value:
        octets.append(0x80 | value & 0x7F)
        value >>= 7
    return bytes(reversed(octets))


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tlv(UTF8_STRING, text.encode("utf-8"))


def printable(text: str) -> bytes:
    """PrintableString; raises InvalidInput on a character outside its set (X.680 §41.4)."""
    if not set(text) <= _PRINTABLE:
        raise InvalidInput(f"{text!r} has a character that a PrintableString does not take")
    return tlv(PRINTABLE_STRING, text.encode("ascii"))


def ia5(text: str) -> bytes:
    """IA5String; raises InvalidInput on a character outside ASCII."""
    if not text.isascii():
        raise InvalidInput(f"{text!r} has a character outside ASCII")
    return tlv(IA5_STRING, text.encode("ascii"))


def x509_time(moment: datetime) -> bytes:
    """Time of RFC 5280 §4.1.2.5, UTC; raises InvalidInput on a fraction of a second or a year before 1950."""
    utc = _utc(moment)
    if utc.microsecond or utc.year < _FIRST_UTC_TIME_YEAR:
        raise InvalidInput("a certificate or CRL holds whole seconds from 1950 on; round the moment first")
    if utc.year >= _FIRST_GENERALIZED_YEAR:
        return tlv(GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode("ascii"))
    return tlv(UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode("ascii"))


def generalized_time(moment: datetime) -> bytes:
    """GeneralizedTime in UTC with a fraction only where there is one, no trailing zeros (X.690 §11.7)."""
    utc = _utc(moment)
    text = utc.strftime("%Y%m%d%H%M%S")
    if utc.microsecond:
        text += f".{utc.microsecond:06d}".rstrip("0")
    return tlv(GENERALIZED_TIME, f"{text}Z".encode("ascii"))


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InvalidInput("a moment without a time zone cannot be encoded")
    return moment.astimezone(UTC)
