"""Digests: one-shot, and several in one pass over a stream."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import BinaryIO, Protocol

from cryptography.hazmat.primitives import hashes

from trust.crypto import der
from trust.kernel.errors import TooLarge

# Large enough that the loop costs nothing beside hashing, small enough for many streams at once.
CHUNK_BYTES = 1 << 20


class StreamTooLarge(TooLarge):
    """A stream went on beyond the limit given."""

    code = "stream-too-large"


class Digest(StrEnum):
    """Digest algorithms that this house computes. Which are trusted when is said by the algorithm policy."""

    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"
    SM3 = "sm3"


class _RunningDigest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> "_RunningDigest": ...


class _Sm3:
    """SM3 with hashlib's two methods: not every OpenSSL under hashlib has it, cryptography's has."""

    def __init__(self, running: hashes.Hash | None = None) -> None:
        self._hash = running or hashes.Hash(hashes.SM3())

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.copy().finalize()

    def copy(self) -> "_Sm3":
        return _Sm3(self._hash.copy())


@dataclass(frozen=True, kw_only=True)
class _Definition:
    oid: str
    octets: int
    start: Callable[[], _RunningDigest]


_DEFINITIONS: Mapping[Digest, _Definition] = MappingProxyType(
    {
        Digest.SHA1: _Definition(oid="1.3.14.3.2.26", octets=20, start=hashlib.sha1),
        Digest.SHA224: _Definition(oid="2.16.840.1.101.3.4.2.4", octets=28, start=hashlib.sha224),
        Digest.SHA256: _Definition(oid="2.16.840.1.101.3.4.2.1", octets=32, start=hashlib.sha256),
        Digest.SHA384: _Definition(oid="2.16.840.1.101.3.4.2.2", octets=48, start=hashlib.sha384),
        Digest.SHA512: _Definition(oid="2.16.840.1.101.3.4.2.3", octets=64, start=hashlib.sha512),
        Digest.SM3: _Definition(oid="1.2.156.10197.1.401", octets=32, start=_Sm3),
    }
)
_BY_OID = {definition.oid: digest for digest, definition in _DEFINITIONS.items()}


def sha256(data: bytes) -> bytes:
    """SHA-256 of `data`, 32 octets (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def digest_of(data: bytes, algorithm: Digest) -> bytes:
    """The digest of `data` by any algorithm of the table."""
    running = _DEFINITIONS[algorithm].start()
    running.update(data)
    return running.digest()


def digest_size(algorithm: Digest) -> int:
    """How many octets this digest has."""
    return _DEFINITIONS[algorithm].octets


def digest_by_oid(oid: str) -> Digest | None:
    """The algorithm of a dotted OID; None where this house does not know it."""
    return _BY_OID.get(oid)


@cache
def algorithm_identifier(algorithm: Digest) -> bytes:
    """DER AlgorithmIdentifier, its parameters absent (RFC 5754 §2)."""
    return der.sequence(der.oid(_DEFINITIONS[algorithm].oid))


class StreamingDigests:
    """Computes several digests and the size in one pass.

    digests = StreamingDigests(Digest.SHA256, Digest.SM3)
    for chunk in chunks:
        digests.update(chunk)
    digests.results()[Digest.SHA256]
    """

    def __init__(self, *algorithms: Digest) -> None:
        self._running = {name: _DEFINITIONS[name].start() for name in algorithms or (Digest.SHA256,)}
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Takes the next octets."""
        self.size += len(chunk)
        for running in self._running.values():
            running.update(chunk)

    def fork(self) -> "StreamingDigests":
        """One more that has taken the same octets so far; each then goes on alone."""
        forked = StreamingDigests(*self._running)
        forked._running = {name: running.copy() for name, running in self._running.items()}
        forked.size = self.size
        return forked

    def results(self) -> Mapping[Digest, bytes]:
        """The digests of all octets so far, by algorithm."""
        return {name: running.digest() for name, running in self._running.items()}

    def through(self, stream: BinaryIO, *, limit: int | None = None) -> Iterator[bytes]:
        """Yields the stream's chunks while digesting them; raises StreamTooLarge beyond `limit` octets."""
        while chunk := stream.read(CHUNK_BYTES):
            self.update(chunk)
            if limit is not None and self.size > limit:
                raise StreamTooLarge(f"the stream is larger than the {limit} octets taken here")
            yield chunk

    def consume(self, stream: BinaryIO, *, limit: int | None = None) -> Mapping[Digest, bytes]:
        """Reads the stream to its end and gives the digests; raises StreamTooLarge beyond `limit` octets."""
        for _ in self.through(stream, limit=limit):
            pass
        return self.results()
