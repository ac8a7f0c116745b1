"""A stretch of a file read as a file of its own, so that no material has to be held in memory whole."""

import io
from dataclasses import dataclass
from typing import BinaryIO

from trust.kernel.errors import Broken


class FileCutShort(Broken):
    """A file of ours ends before the stretch that is to be read."""

    code = "file-cut-short"


@dataclass(frozen=True, kw_only=True)
class Slice:
    """`size` octets from `offset` of a file that can seek. Two slices of one file are not read at once."""

    file: BinaryIO
    offset: int
    size: int

    def open(self) -> BinaryIO:
        """The stretch as a stream to read forwards."""
        return io.BufferedReader(_Stretch(self), buffer_size=1024 * 1024)

    def read(self) -> bytes:
        """All of it; raises FileCutShort."""
        self.file.seek(self.offset)
        octets = self.file.read(self.size)
        if len(octets) != self.size:
            raise FileCutShort("a file ends before what was to be read of it")
        return octets


class _Stretch(io.RawIOBase):
    def __init__(self, part: Slice) -> None:
        self._part = part
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # what BufferedReader passes
        wanted = min(len(buffer), self._part.size - self._position)
        if wanted == 0:
            return 0
        self._part.file.seek(self._part.offset + self._position)
        octets = self._part.file.read(wanted)
        if not octets:
            raise FileCutShort("a file ends before what was to be read of it")
        buffer[: len(octets)] = octets
        self._position += len(octets)
        return len(octets)
