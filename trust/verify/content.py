"""What a detached signature or a timestamp is about: octets beside it, read as a stream, or their digest alone.

content = SignedContent.of(octets)
content = SignedContent.read_from(lambda: path.open("rb"))
content = SignedContent.known_by(Digest.SHA256, digest)
"""

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import BinaryIO, TypeAlias

from trust.crypto.digests import Digest, StreamingDigests, digest_size
from trust.kernel.errors import InvalidInput

# `sha256:` and 64 hexadecimal digits, or those digits alone.
_DEFAULT_DIGEST = Digest.SHA256


# What gives the digests by the algorithms asked for.
Digesting: TypeAlias = Callable[[Collection[Digest]], Mapping[Digest, bytes]]


class DigestRefused(InvalidInput):
    """Text that is not a digest of a known algorithm."""

    code = "digest-refused"


@dataclass(frozen=True, kw_only=True)
class SignedContent:
    """Where the content's digests come from; it is read once for all algorithms asked together."""

    source: Digesting | None = None
    known: Mapping[Digest, bytes] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, octets: bytes) -> "SignedContent":
        """Content in memory."""
        return cls.read_from(lambda: io.BytesIO(octets))

    @classmethod
    def read_from(cls, source: Callable[[], BinaryIO]) -> "SignedContent":
        """Content that `source` opens anew at each reading; it is read in pieces and closed."""

        def digests(wanted: Collection[Digest]) -> Mapping[Digest, bytes]:
            with source() as stream:
                return StreamingDigests(*sorted(wanted)).consume(stream)

        return cls(source=digests)

    @classmethod
    def digested_by(cls, source: Digesting) -> "SignedContent":
        """Content that `source` digests in its own way."""
        return cls(source=source)

    @classmethod
    def known_by(cls, algorithm: Digest, digest: bytes) -> "SignedContent":
        """Content of which only this digest is at hand."""
        return cls.known_as({algorithm: digest})

    @classmethod
    def parse_digest(cls, text: str) -> "SignedContent":
        """From `sha256:<hex>`, or SHA-256 as hexadecimal digits alone; raises DigestRefused."""
        name, separator, digits = text.strip().lower().rpartition(":")
        try:
            algorithm = Digest(name) if separator else _DEFAULT_DIGEST
            digest = bytes.fromhex(digits)
        except ValueError as error:
            raise DigestRefused(f"a digest is written as {_DEFAULT_DIGEST}:<hexadecimal digits>") from error
        if len(digest) != digest_size(algorithm):
            raise DigestRefused(
                f"a {algorithm} digest has {digest_size(algorithm)} octets, not {len(digest)}"
            )
        return cls.known_by(algorithm, digest)

    @classmethod
    def known_as(cls, digests: Mapping[Digest, bytes]) -> "SignedContent":
        """Content of which these digests are at hand."""
        return cls(known=MappingProxyType(dict(digests)))

    def every_digest(self) -> Mapping[Digest, bytes]:
        """All digests that can be known: what goes to a process that is not given the content itself."""
        return self.digests(tuple(Digest))

    def gives(self, algorithm: Digest) -> bool:
        """Whether the digest by this algorithm can be known."""
        return self.source is not None or algorithm in self.known

    def digests(self, algorithms: Collection[Digest]) -> Mapping[Digest, bytes]:
        """The digests by these algorithms, as far as they can be known."""
        if self.source is None:
            return {name: digest for name, digest in self.known.items() if name in algorithms}
        if not algorithms:
            return {}
        return self.source(algorithms)
