"""The octets of a document: in memory, or mapped from a file that is larger than one would hold.

    with mapped(path) as document:
        prepared = prepare(document, …)

A mapped file is read where the structure asks for it and hashed piece by piece, each piece let go of at once, so
that a gigabyte costs a few megabytes of memory. The file must not be changed by anybody while it is mapped: where it
is cut short, the system ends the process that reads what is gone (SIGBUS). Map copies of one's own only.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeAlias

from trust.documents.pdf.errors import DocumentNotPdf

Octets: TypeAlias = bytes | mmap.mmap

# Large enough that the loop costs nothing beside hashing; a multiple of every page size, as letting go needs.
PIECE_BYTES = 4 << 20


class Running(Protocol):
    """A digest that is being computed (hashlib's methods)."""

    def update(self, data: bytes | memoryview, /) -> None: ...


@contextmanager
def mapped(path: Path) -> Iterator[Octets]:
    """The octets of a file, mapped for reading; raises DocumentNotPdf where it is empty."""
    with path.open("rb") as file:
        try:
            octets = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise DocumentNotPdf("the file is empty") from error
    try:
        yield octets
    finally:
        with suppress(BufferError):  # somebody still looks at a piece: the mapping ends with the last of them
            octets.close()


def feed(data: Octets, start: int, end: int, *running: Running) -> None:
    """Updates every running digest with the octets from `start` to `end`."""
    at = start
    with memoryview(data) as view:
        while at < end:
            # Cut at multiples, so that what is let go of is whole pages.
            piece_end = min(end, (at // PIECE_BYTES + 1) * PIECE_BYTES)
            with view[at:piece_end] as piece:
                for each in running:
                    each.update(piece)
            let_go(data, at, piece_end)
            at = piece_end


def let_go(data: Octets, start: int, end: int) -> None:
    """Tells the system that these octets of a mapped file need not stay in memory."""
    if isinstance(data, mmap.mmap) and hasattr(data, "madvise"):
        first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
        last = end // mmap.PAGESIZE * mmap.PAGESIZE
        if last > first:
            data.madvise(mmap.MADV_DONTNEED, first, last - first)
