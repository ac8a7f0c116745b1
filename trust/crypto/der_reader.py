"""A strict, non-recursive DER reader for strangers' octets: `DerMalformed` or the value, nothing else.

Nothing is read deeper than the caller asks, so nesting costs an attacker nothing to write and us nothing to
refuse. Tags are single octets, lengths definite and shortest, integers minimal (X.690 §10).

    fields = read(octets).fields()
    version = fields.take(der.INTEGER).integer()
    extensions = fields.optional(0xA0)
    fields.end()
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from trust.crypto import der
from trust.crypto.errors import DerMalformed

# A SEQUENCE OF longer than this is not read into a list; CRL entries, which may be more, are read elsewhere.
MAX_CHILDREN = 1000
# OIDs in use have at most a few dozen octets; a UUID arc (2.25) takes twenty.
_MAX_OID_OCTETS = 64
# Serial numbers and nonces stay below this; a longer INTEGER is not decoded.
_MAX_INTEGER_OCTETS = 128
_HIGH_TAG_NUMBER = 0x1F
_GENERALIZED = re.compile(rb"(\d{14})(?:\.(\d{1,6})\d*)?Z\Z")


@dataclass(frozen=True, slots=True)
class Element:
    """One encoded value inside `source`: octets `start` to `end`, contents from `body`."""

    source: bytes
    start: int
    body: int
    end: int

    @property
    def tag(self) -> int:
        """The identifier octet."""
        return self.source[self.start]

    @property
    def encoded(self) -> bytes:
        """The whole encoding: tag, length and contents."""
        return self.source[self.start : self.end]

    @property
    def content(self) -> bytes:
        """The contents octets."""
        return self.source[self.body : self.end]

    def expect(self, tag: int) -> "Element":
        """Itself where it has this tag."""
        if self.tag != tag:
            raise DerMalformed(f"expected tag {tag:02x} at octet {self.start}, found {self.tag:02x}")
        return self

    def children(self) -> tuple["Element", ...]:
        """The values inside a constructed value, in order."""
        if not self.tag & 0x20:
            raise DerMalformed(f"the value at octet {self.start} is primitive and has nothing inside")
        found = []
        at = self.body
        while at < self.end:
            child = _element(self.source, at, self.end)
            found.append(child)
            if len(found) > MAX_CHILDREN:
                raise DerMalformed(f"more than {MAX_CHILDREN} values inside one")
            at = child.end
        return tuple(found)

    def first(self, count: int) -> tuple["Element", ...]:
        """The first `count` values inside, without looking at those after them."""
        found = []
        at = self.body
        for _ in range(count):
            found.append(_element(self.source, at, self.end))
            at = found[-1].end
        return tuple(found)

    def only(self) -> "Element":
        """The one value inside a constructed value."""
        children = self.children()
        if len(children) != 1:
            raise DerMalformed(f"expected one value at octet {self.body}, found {len(children)}")
        return children[0]

    def fields(self, tag: int = der.SEQUENCE) -> "Fields":
        """The values inside, to be taken one after the other."""
        return Fields(self.expect(tag).children())

    def integer(self, tag: int = der.INTEGER) -> int:
        """The number of an INTEGER (or of another tag with the same contents)."""
        octets = self.expect(tag).content
        if not octets or len(octets) > _MAX_INTEGER_OCTETS:
            raise DerMalformed(f"an INTEGER of {len(octets)} octets is not read")
        if len(octets) > 1 and (octets[0], octets[1] & 0x80) in ((0x00, 0x00), (0xFF, 0x80)):
            raise DerMalformed("an INTEGER is not in its shortest form")
        return int.from_bytes(octets, "big", signed=True)

    def boolean(self) -> bool:
        """The value of a BOOLEAN."""
        octets = self.expect(der.BOOLEAN).content
        if octets not in (b"\xff", b"\x00"):
            raise DerMalformed("a BOOLEAN is neither FF nor 00")
        return octets == b"\xff"

    def octets(self) -> bytes:
        """The contents of an OCTET STRING."""
        return self.expect(der.OCTET_STRING).content

    def bits(self) -> bytes:
        """The octets of a BIT STRING that has no unused bits."""
        content = self.expect(der.BIT_STRING).content
        if not content or content[0] != 0:
            raise DerMalformed("a BIT STRING of whole octets was expected")
        return content[1:]

    def oid(self) -> str:
        """The dotted decimals of an OBJECT IDENTIFIER."""
        content = self.expect(der.OBJECT_IDENTIFIER).content
        if not content or len(content) > _MAX_OID_OCTETS or content[-1] & 0x80:
            raise DerMalformed("an OBJECT IDENTIFIER is empty, too long or cut off")
        arcs: list[int] = []
        value = 0
        fresh = True
        for octet in content:
            if fresh and octet == 0x80:
                raise DerMalformed("an OBJECT IDENTIFIER has an arc with leading zeros")
            value = value << 7 | octet & 0x7F
            fresh = not octet & 0x80
            if fresh:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))

    def generalized_time(self) -> datetime:
        """The moment of a GeneralizedTime in UTC; fractions below a microsecond are cut."""
        content = self.expect(der.GENERALIZED_TIME).content
        match = _GENERALIZED.match(content)
        if match is None or (b"." in content and content[-2:-1] == b"0"):
            raise DerMalformed("a GeneralizedTime is not YYYYMMDDHHMMSS[.f]Z")
        try:
            moment = datetime.strptime(match[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError as error:
            raise DerMalformed("a GeneralizedTime names a moment that does not exist") from error
        return moment.replace(microsecond=int((match[2] or b"0").ljust(6, b"0")))


class Fields:
    """Takes the fields of a SEQUENCE in order; `end` refuses what is left over."""

    def __init__(self, elements: tuple[Element, ...]) -> None:
        self._elements = elements
        self._next = 0

    def take(self, tag: int | None = None) -> Element:
        """The next field, which must be there (and have this tag)."""
        if self._next >= len(self._elements):
            raise DerMalformed("a field is missing at the end of a sequence")
        element = self._elements[self._next]
        self._next += 1
        return element if tag is None else element.expect(tag)

    def optional(self, *tags: int) -> Element | None:
        """The next field where it has one of these tags."""
        if self._next < len(self._elements) and self._elements[self._next].tag in tags:
            return self.take()
        return None

    def end(self) -> None:
        """Refuses further fields."""
        if self._next != len(self._elements):
            raise DerMalformed("a sequence has more fields than expected")


def read(octets: bytes) -> Element:
    """The one value that `octets` encode, with nothing after it."""
    element = _element(octets, 0, len(octets))
    if element.end != len(octets):
        raise DerMalformed(f"{len(octets) - element.end} octets follow the encoded value")
    return element


def encoded_length(octets: bytes) -> int:
    """How many of `octets` the first value takes: cuts the zero padding off a PDF's /Contents."""
    return _element(octets, 0, len(octets)).end


def _element(source: bytes, start: int, limit: int) -> Element:
    if start + 2 > limit:
        raise DerMalformed(f"the value at octet {start} is cut off")
    if source[start] & 0x1F == _HIGH_TAG_NUMBER:
        raise DerMalformed(f"a tag of several octets at octet {start}")
    first = source[start + 1]
    if first < 0x80:
        body = start + 2
        count = first
    else:
        width = first & 0x7F
        body = start + 2 + width
        if not 1 <= width <= 4 or body > limit:
            raise DerMalformed(f"an indefinite or over-long length at octet {start}")
        count = int.from_bytes(source[start + 2 : body], "big")
        if count < 0x80 or count >> 8 * (width - 1) == 0:
            raise DerMalformed(f"a length at octet {start} is not in its shortest form")
    if body + count > limit:
        raise DerMalformed(f"the value at octet {start} is cut off")
    return Element(source, start, body, body + count)
