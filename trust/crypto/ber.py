"""BER made readable for a strict DER reader: definite shortest lengths, octet strings in one piece (X.690 §8, §10).

Messages written as a stream (RFC 5652 §5 lets SignedData be BER) have lengths of the indefinite form and content in
pieces. What is rewritten is how values are framed, never what they hold: octets that are DER come out as they went
in, so embedded certificates and signed attributes keep their signatures. The order of a SET is left as it stands.
"""

from dataclasses import dataclass, field

from trust.crypto import der
from trust.crypto.errors import DerMalformed

# A streamed message of 256 MiB in pieces of a kilobyte has as many; each costs about a microsecond.
MAX_VALUES = 300_000
# SignedData with embedded responders' answers nests about twenty deep; every level copies its contents once.
MAX_DEPTH = 40
_CONSTRUCTED = 0x20
_CONSTRUCTED_OCTETS = der.OCTET_STRING | _CONSTRUCTED
_HIGH_TAG_NUMBER = 0x1F
_END_OF_CONTENTS = b"\x00\x00"


@dataclass(slots=True)
class _Open:
    """A constructed value whose end has not come: `end` is None where only end-of-contents tells it."""

    tag: int
    end: int | None
    bound: int
    parts: list[bytes] = field(default_factory=list)


def to_definite(octets: bytes) -> bytes:
    """The one value that `octets` encode, in definite form; raises DerMalformed where it is no BER or over limits."""
    waiting: list[_Open] = []
    at, values = 0, 0
    while True:
        # 1. What has come to its end is closed, and handed to the value around it.
        while waiting and _has_ended(waiting[-1], octets, at):
            top = waiting.pop()
            at = at if top.end is not None else at + len(_END_OF_CONTENTS)
            closed = _close(top)
            if not waiting:
                if at != len(octets):
                    raise DerMalformed(f"{len(octets) - at} octets follow the encoded value")
                return closed
            waiting[-1].parts.append(closed)
        # 2. The next value: a primitive one is copied, a constructed one opened.
        bound = waiting[-1].bound if waiting else len(octets)
        values += 1
        if values > MAX_VALUES:
            raise DerMalformed(f"the encoding has more than {MAX_VALUES} values")
        tag, body, end = _head(octets, at, bound)
        if tag & _CONSTRUCTED:
            if len(waiting) >= MAX_DEPTH:
                raise DerMalformed(f"the encoding nests deeper than {MAX_DEPTH}")
            waiting.append(_Open(tag=tag, end=end, bound=bound if end is None else end))
            at = body
        elif end is None:
            raise DerMalformed(f"a primitive value at octet {at} has no length")
        elif not waiting:
            if end != len(octets):
                raise DerMalformed(f"{len(octets) - end} octets follow the encoded value")
            return der.tlv(tag, octets[body:end])
        else:
            waiting[-1].parts.append(der.tlv(tag, octets[body:end]))
            at = end


def _has_ended(value: _Open, octets: bytes, at: int) -> bool:
    if value.end is not None:
        return at == value.end
    return at + 2 <= value.bound and octets[at : at + 2] == _END_OF_CONTENTS


def _close(value: _Open) -> bytes:
    if value.tag != _CONSTRUCTED_OCTETS:
        return der.tlv(value.tag, b"".join(value.parts))
    pieces = []
    for part in value.parts:
        tag, body, _ = _head(part, 0, len(part))
        if tag != der.OCTET_STRING:
            raise DerMalformed("an OCTET STRING in pieces holds something else")
        pieces.append(part[body:])
    return der.tlv(der.OCTET_STRING, b"".join(pieces))


def _head(octets: bytes, at: int, bound: int) -> tuple[int, int, int | None]:
    """Tag, where the contents begin and where they end (None: indefinite) of the value at `at`."""
    if at + 2 > bound:
        raise DerMalformed(f"the value at octet {at} is cut off")
    tag, first = octets[at], octets[at + 1]
    if tag & _HIGH_TAG_NUMBER == _HIGH_TAG_NUMBER:
        raise DerMalformed(f"a tag of several octets at octet {at}")
    if tag == 0:
        raise DerMalformed(f"end-of-contents at octet {at} ends nothing")
    if first == 0x80:
        return tag, at + 2, None
    width = first & 0x7F if first & 0x80 else 0
    body = at + 2 + width
    if width > 8 or body > bound:
        raise DerMalformed(f"the length at octet {at} is cut off or over-long")
    count = int.from_bytes(octets[at + 2 : body], "big") if width else first
    if body + count > bound:
        raise DerMalformed(f"the value at octet {at} is cut off")
    return tag, body, body + count
