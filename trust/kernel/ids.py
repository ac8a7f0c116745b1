"""Opaque prefixed ids (`seal_0197…`): a type of its own for each kind of thing, UUIDv7 inside.

class SealId(Id):
    prefix = "seal"

ids = Ids(clock, randomness)
seal_id = ids.new(SealId)          # 'seal_' + 32 lower-case hex digits, sorted by time
SealId.parse(text)                 # raises ValueError on anything else
"""

import re
from typing import ClassVar, Self, TypeVar

from trust.kernel.clock import Clock
from trust.kernel.randomness import Randomness

_HEX = re.compile(r"[0-9a-f]{32}\Z")


class Id(str):
    """An opaque id: `prefix`, an underscore and a UUIDv7 (RFC 9562 §5.7) as 32 hex digits."""

    __slots__ = ()
    prefix: ClassVar[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Takes the text of an id; raises ValueError where prefix or shape differ."""
        head, _, tail = text.rpartition("_")
        if head != cls.prefix or not _HEX.match(tail):
            raise ValueError(f"not an id of the form {cls.prefix}_ and 32 hex digits")
        return cls(text)


IdT = TypeVar("IdT", bound=Id)


class Ids:
    """Makes new ids from an injected clock and randomness."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    def new(self, kind: type[IdT]) -> IdT:
        milliseconds = int(self._clock.now().timestamp() * 1000)
        tail = int.from_bytes(self._randomness.octets(10), "big")
        value = milliseconds << 80 | 0x7 << 76 | (tail >> 68 & 0xFFF) << 64
        value |= 0b10 << 62 | tail & (1 << 62) - 1
        return kind(f"{kind.prefix}_{value:032x}")
