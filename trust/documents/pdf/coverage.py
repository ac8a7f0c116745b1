"""The digests of what signatures cover: of any number of signatures, the file is read once."""

from collections.abc import Sequence
from itertools import pairwise

from trust.crypto.digests import CHUNK_BYTES, Digest, StreamingDigests
from trust.documents.pdf.octets import Octets, let_go

ByteRange = tuple[int, int, int, int]


class CoveredDigests:
    """The digests of sound byte ranges of one file.

    What comes before a signature's gap is the beginning of the file, the same for all: one running digest goes
    over it and is forked at each gap. What follows the gap is digested for each signature; that is the rest of
    its own revision.
    """

    def __init__(self, data: Octets, byte_ranges: Sequence[ByteRange]) -> None:
        self._data = data
        self._gaps = sorted({length for _, length, _, _ in byte_ranges})
        self._forks: dict[Digest, dict[int, StreamingDigests]] = {}
        self._found: dict[tuple[Digest, ByteRange], bytes] = {}

    def of(self, byte_range: ByteRange, algorithm: Digest = Digest.SHA256) -> bytes:
        """The digest of what one of the ranges covers."""
        key = algorithm, byte_range
        if key not in self._found:
            _, length, second, second_length = byte_range
            running = self._at_gaps(algorithm)[length].fork()
            self._update(running, second, second + second_length)
            self._found[key] = running.results()[algorithm]
        return self._found[key]

    def _at_gaps(self, algorithm: Digest) -> dict[int, StreamingDigests]:
        if algorithm not in self._forks:
            running = StreamingDigests(algorithm)
            forks: dict[int, StreamingDigests] = {}
            for start, end in pairwise((0, *self._gaps)):
                self._update(running, start, end)
                forks[end] = running.fork()
            self._forks[algorithm] = forks
        return self._forks[algorithm]

    def _update(self, running: StreamingDigests, start: int, end: int) -> None:
        for at in range(start, end, CHUNK_BYTES):
            piece_end = min(at + CHUNK_BYTES, end)
            running.update(self._data[at:piece_end])
            let_go(self._data, at, piece_end)


def covered_digest(data: Octets, byte_range: ByteRange, algorithm: Digest = Digest.SHA256) -> bytes:
    """The digest of what one sound byte range covers."""
    return CoveredDigests(data, (byte_range,)).of(byte_range, algorithm)
