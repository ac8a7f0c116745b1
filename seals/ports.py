"""What seals need of others, as small as it is; `api/wiring.py` joins them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from trust.ledger.ledger import RecordedWork
from trust.ledger.model import Actor
from trust.pki.trust_store import TrustStore


@dataclass(frozen=True, kw_only=True)
class AgencyFacts:
    """What a seal's certificate says of its agency."""

    id: str
    name: str
    uscc: str


@dataclass(frozen=True, kw_only=True)
class IssuedSealCertificate:
    """A seal's certificate with the chain above it (DER, nearest first)."""

    serial: str
    certificate: bytes
    chain: tuple[bytes, ...]
    not_before: datetime
    not_after: datetime


class AgencyDirectory(Protocol):
    """Names agencies and says whether an application or item is theirs."""

    def agency(self, agency_id: str) -> AgencyFacts: ...

    def has_item(self, agency_id: str, item_code: str) -> bool: ...

    def has_application(self, agency_id: str, application_id: str) -> bool: ...


class SealAuthority(Protocol):
    """Issues, holds and revokes the certificates of seals; each is a procedure with transactions of its own."""

    def issue_seal_certificate(
        self, *, spki: bytes, key_id: str, subject: Mapping[str, str], owner: str, agency: str
    ) -> IssuedSealCertificate: ...

    def renew_seal_certificate(self, *, owner: str, key_id: str) -> None:
        """Issues and binds the successor of the newest certificate of this key of the owner's, for the same key."""
        ...

    def hold(self, serial: str) -> None:
        """Puts this certificate and its owner's others on hold. Raises StateRefused where it is revoked."""
        ...

    def release(self, serial: str) -> None:
        """Takes this certificate and its owner's others off hold. Raises StateRefused where it is revoked."""
        ...

    def revoke(self, serial: str, *, reason: str) -> None:
        """Revokes this certificate and every other of the same owner that is not revoked."""
        ...

    def revoke_others(self, *, owner: str, keep: str) -> None:
        """Revokes every certificate of this owner but the one with this serial."""
        ...


class SealKeys(Protocol):
    """Has the keys of seals destroyed; what is ordered is carried out by the worker where nobody else does."""

    def order_destruction(
        self, work: RecordedWork, key_id: str, *, agency: str, actor: Actor, reason: str
    ) -> str:
        """Orders it in this transaction; the order's id."""
        ...

    def destroyed(self, order_id: str) -> None:
        """Returns where the signer has destroyed the key and the ledger says so; raises Unavailable."""
        ...


class TimestampSource(Protocol):
    """Gives RFC 3161 tokens."""

    def token(self, imprint: bytes) -> bytes:
        """A token (DER) over a SHA-256 imprint; raises Unavailable where the authority is away."""
        ...

    def tokens(self, imprints: Sequence[bytes]) -> list[bytes]:
        """A token for each imprint, in order, by one request; raises Unavailable."""
        ...

    def require_there(self) -> None:
        """Raises Unavailable where the authority is known to be away, without asking for a token."""
        ...

    def largest_token(self) -> int:
        """A bound on a token's size in octets, for reserving room; known while the authority is away."""
        ...


class TrustView(Protocol):
    """The anchors and revocation data of our own authorities as a stranger would hold them now."""

    def current(self) -> TrustStore: ...
