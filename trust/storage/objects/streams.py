"""Content on its way in: hashed and counted as it is read, never twice."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import BinaryIO, Final

from trust.storage.objects.errors import ObjectTooLarge, RetentionRefused

# Large enough that SHA-256 runs at full speed, small enough to hold one for each of many requests.
CHUNK_OCTETS: Final = 1024 * 1024


class HashingReader:
    """Reads a stream or octets forwards, keeping SHA-256 and count; raises ObjectTooLarge over `limit`.

    It has just the `read` that the S3 SDK asks of a stream, so the hash is taken beside the upload.
    """

    def __init__(self, data: BinaryIO | bytes, *, limit: int) -> None:
        self._stream: BinaryIO = BytesIO(data) if isinstance(data, bytes) else data
        self._limit = limit
        self._sha256 = hashlib.sha256()
        self._unread = b""
        self.size = 0

    def read(self, octets: int) -> bytes:
        """Up to `octets` octets; empty at the end."""
        if self._unread:
            chunk, self._unread = self._unread[:octets], self._unread[octets:]
            return chunk
        chunk = self._stream.read(octets)
        self.size += len(chunk)
        if self.size > self._limit:
            raise ObjectTooLarge(f"the content is larger than {self._limit} octets")
        self._sha256.update(chunk)
        return chunk

    def read_fully(self, octets: int) -> bytes:
        """Exactly `octets` octets, fewer only at the end: a pipe or socket may give a little at a time."""
        chunks: list[bytes] = []
        missing = octets
        while missing and (chunk := self.read(missing)):
            chunks.append(chunk)
            missing -= len(chunk)
        return b"".join(chunks)

    def unread(self, octets: bytes) -> None:
        """Gives back what was read ahead: it is read again, not hashed and counted again."""
        self._unread = octets + self._unread

    def chunks(self) -> Iterator[bytes]:
        """The rest, in chunks."""
        while chunk := self.read(CHUNK_OCTETS):
            yield chunk

    def digest(self) -> bytes:
        """SHA-256 of what was read so far."""
        return self._sha256.digest()


def sha256_of(stream: BinaryIO) -> bytes:
    """SHA-256 of the rest of a stream."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK_OCTETS):
        digest.update(chunk)
    return digest.digest()


def checked_retention(until: datetime, *, now: datetime) -> datetime:
    """The date rounded up to a whole second in UTC, as every store keeps it; raises RetentionRefused."""
    if until.tzinfo is None:
        raise RetentionRefused("a retention date needs a time zone")
    whole = until.astimezone(UTC)
    if whole.microsecond:
        whole = whole.replace(microsecond=0) + timedelta(seconds=1)
    if whole <= now:
        raise RetentionRefused("a retention date lies in the future")
    return whole
