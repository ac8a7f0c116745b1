"""DER values that only certificates, lists and answers have: their two kinds of time, and named bits."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from trust.crypto import der
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed

_UTC = re.compile(rb"\d{12}Z\Z")
_GENERALIZED = re.compile(rb"\d{14}Z\Z")
# RFC 5280 §4.1.2.5.1: two digits below this are of this century, the others of the last.
_PIVOT = 50


def read_time(element: Element) -> datetime:
    """UTCTime or GeneralizedTime in whole seconds (RFC 5280 §4.1.2.5); raises DerMalformed."""
    octets = element.content
    if element.tag == der.UTC_TIME and _UTC.match(octets):
        century = b"20" if int(octets[:2]) < _PIVOT else b"19"
        octets = century + octets
    elif element.tag != der.GENERALIZED_TIME or not _GENERALIZED.match(octets):
        raise DerMalformed("a time is neither a UTCTime nor a GeneralizedTime in whole seconds of UTC")
    digits = octets.decode("ascii")
    try:
        return datetime(
            int(digits[:4]),
            int(digits[4:6]),
            int(digits[6:8]),
            int(digits[8:10]),
            int(digits[10:12]),
            int(digits[12:14]),
            tzinfo=UTC,
        )
    except ValueError as error:
        raise DerMalformed("a time names a moment that does not exist") from error


def read_named_bits(element: Element, tag: int = der.BIT_STRING) -> Iterable[int]:
    """The positions of the bits set in a BIT STRING of named bits (`tag` where it is tagged otherwise)."""
    content = element.expect(tag).content
    if not content or content[0] > 7 or len(content) > 5 or (len(content) == 1 and content[0]):
        raise DerMalformed("a BIT STRING of named bits is empty or too long")
    if len(content) > 1 and content[-1] & ((1 << content[0]) - 1):
        raise DerMalformed("a BIT STRING has unused bits that are set")
    return [
        position
        for position in range((len(content) - 1) * 8)
        if content[1 + position // 8] & 0x80 >> position % 8
    ]


def read_signature_bits(element: Element) -> bytes:
    """A signature's octets; empty, which no key ever signs, where the BIT STRING is not one of whole octets."""
    content = element.expect(der.BIT_STRING).content
    return content[1:] if content[:1] == b"\x00" else b""
