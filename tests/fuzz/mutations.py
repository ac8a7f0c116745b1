"""A small mutator: octets in, almost the same octets out, by a seed.

    mutator = Mutator(Random(7), words=(b"endobj", b"/Prev"))
    mutator.mutated(document, others=corpus)

Blind mutations break what is checked first; DER is also taken apart and put together again with its lengths made
right, so that what lies deep inside changes alone.
"""

import re
from collections.abc import Sequence
from random import Random

from trust.crypto import der, der_reader
from trust.crypto.errors import DerMalformed

_MAX_STEPS = 6
_MAX_PIECE = 64
# Lengths, counts and offsets that lie at the edges of something.
_NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 65535, 65536, 1 << 31, (1 << 32) - 1, 1 << 63, 10**12)
_DIGITS = re.compile(rb"\d+")
_TAGS = (
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0A,
    0x0C,
    0x13,
    0x17,
    0x18,
    0x24,
    0x30,
    0x31,
    0x80,
    0xA0,
    0xA1,
    0xA3,
)
_MAX_DEPTH = 40
# Repetitions of repetitions would fill the memory before anything is parsed.
_MAX_REPEATED = 32 << 10


class Mutator:
    """Draws everything from one `Random`, so that a seed and a corpus give the same inputs again."""

    def __init__(self, random: Random, *, words: Sequence[bytes] = ()) -> None:
        self._random = random
        self._words = tuple(words)

    def mutated(self, octets: bytes, others: Sequence[bytes]) -> bytes:
        """Some blind changes, one after the other."""
        changed = bytearray(octets)
        for _ in range(self._random.randint(1, _MAX_STEPS)):
            self._random.choice(
                (self._flip, self._set, self._cut, self._repeat, self._put, self._number, self._splice)
            )(changed, others)
        return bytes(changed)

    def mutated_der(self, octets: bytes, others: Sequence[bytes]) -> bytes:
        """One or a few values inside changed, the lengths around them made right."""
        for _ in range(self._random.randint(1, 3)):
            try:
                octets = self._rebuilt(der_reader.read(octets), others, depth=0)
            except DerMalformed:
                return self.mutated(octets, others)
        return octets

    def _rebuilt(self, element: der_reader.Element, others: Sequence[bytes], depth: int) -> bytes:
        children = self._children(element)
        if not children or depth > _MAX_DEPTH or self._random.random() < 0.12:
            return self._changed_value(element, others)
        at = self._random.randrange(len(children))
        parts = [child.encoded for child in children]
        parts[at] = self._rebuilt(children[at], others, depth + 1)
        return der.tlv(element.tag, b"".join(parts))

    def _children(self, element: der_reader.Element) -> tuple[der_reader.Element, ...]:
        try:
            return element.children() if element.tag & 0x20 else ()
        except DerMalformed:
            return ()

    def _changed_value(self, element: der_reader.Element, others: Sequence[bytes]) -> bytes:
        kind = self._random.randrange(8)
        if kind == 0:
            return b""
        if kind == 1:
            most = _MAX_REPEATED // len(element.encoded) + 1
            return element.encoded * min(self._random.choice((2, 3, 60, 1200)), most)
        if kind == 2:
            return der.tlv(self._random.choice(_TAGS), element.content)
        if kind == 3:
            return der.tlv(element.tag, b"")
        if kind == 4:
            return der.tlv(element.tag, self._random.randbytes(self._random.choice((1, 2, 9, 40, 300))))
        if kind == 5:
            nested = element.encoded
            for _ in range(self._random.choice((1, 5, 100))):
                nested = der.tlv(self._random.choice((0x30, 0x31, 0xA0)), nested)
            return nested
        return der.tlv(element.tag, self.mutated(element.content or b"\0", others))

    def _place(self, changed: bytearray) -> int:
        return self._random.randrange(len(changed) + 1)

    def _flip(self, changed: bytearray, others: Sequence[bytes]) -> None:
        if changed:
            changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)

    def _set(self, changed: bytearray, others: Sequence[bytes]) -> None:
        at = self._place(changed)
        changed[at : at + 1] = bytes((self._random.randrange(256),))

    def _cut(self, changed: bytearray, others: Sequence[bytes]) -> None:
        at = self._place(changed)
        size = len(changed) if self._random.random() < 0.05 else self._random.randint(1, _MAX_PIECE)
        del changed[at : at + size]

    def _repeat(self, changed: bytearray, others: Sequence[bytes]) -> None:
        at = self._place(changed)
        piece = changed[at : at + self._random.randint(1, _MAX_PIECE)]
        changed[at:at] = piece * self._random.choice((1, 2, 50))

    def _put(self, changed: bytearray, others: Sequence[bytes]) -> None:
        at = self._place(changed)
        word = self._random.choice(self._words) if self._words else self._random.randbytes(4)
        changed[at:at] = word

    def _number(self, changed: bytearray, others: Sequence[bytes]) -> None:
        """A number written in digits, or in octets, becomes one at an edge."""
        number = self._random.choice(_NUMBERS)
        at = self._place(changed)
        found = _DIGITS.search(changed, at)
        if found is not None and self._random.random() < 0.8:
            written = (
                int(found[0][:15]) + self._random.choice((-1, 1)) if self._random.random() < 0.4 else number
            )
            changed[found.start() : found.end()] = b"%d" % written
        else:
            size = self._random.choice((1, 2, 4, 8))
            changed[at : at + size] = (number & (1 << 8 * size) - 1).to_bytes(size, "big")

    def _splice(self, changed: bytearray, others: Sequence[bytes]) -> None:
        other = self._random.choice(others)
        start = self._random.randrange(len(other) + 1)
        piece = other[start : start + self._random.choice((8, 64, 512))]
        at = self._place(changed)
        changed[at : at + self._random.choice((0, len(piece)))] = piece
