"""What preservation needs of others."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from trust.crypto.digests import Digest
from trust.pki.trust_store import TrustStore


class ArchiveTimestamps(Protocol):
    """Gives RFC 3161 tokens over digests of several algorithms."""

    def token(self, imprint: bytes, algorithm: Digest) -> bytes:
        """A token (DER) over the imprint; raises Unavailable where the authority is away or cannot take it."""
        ...


class CurrentTrust(Protocol):
    """The trust material of this moment, with current revocation lists."""

    def current(self) -> TrustStore: ...


class Progress(Protocol):
    """Is told how far a long reading has come, in octets."""

    def expect(self, octets: int) -> None: ...

    def advance(self, octets: int) -> None: ...


# Asked between two objects; true ends the reading, and what was done so far stays done.
Stopping: TypeAlias = Callable[[], bool]
