"""The platform's own keys (authorities, services, ledger), and the destructions that one asks for and another confirms.

The keys of seals and licences are agencies': they end by the acts of whoever has them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from trust.kernel.errors import Conflict, Forbidden, NotFound
from trust.kernel.ids import Id
from trust.keys.model import KeyId, KeyPurpose, OrderId
from trust.keys.tables import key_bindings, key_destruction_confirmations, key_destructions
from trust.storage.database import ReadWork, Work

PLATFORM_PURPOSES: Final = frozenset(
    {
        KeyPurpose.AUTHORITY,
        KeyPurpose.TIMESTAMP,
        KeyPurpose.STATUS_LIST,
        KeyPurpose.LEDGER,
        KeyPurpose.OCSP,
    }
)
# Time for the second person; nobody confirms what everybody has forgotten.
DESTRUCTION_STANDS: Final = timedelta(days=30)


class DestructionId(Id):
    """A destruction that was asked for."""

    prefix = "destruction"


class KeyUnknown(NotFound):
    """There is no such key."""

    code = "key-unknown"


class KeyNotOfPlatform(Forbidden):
    """The key is an agency's: it ends by the acts of the seal or licence that it is for."""

    code = "key-not-of-platform"


class KeyStillActive(Conflict):
    """A key that signs is not destroyed: it has to be suspended or retired first."""

    code = "key-still-active"


class DestructionUnknown(NotFound):
    """Nobody asked for such a destruction."""

    code = "key-destruction-unknown"


class DestructionConfirmed(Conflict):
    """Somebody has confirmed this destruction before."""

    code = "key-destruction-confirmed"


class DestructionLapsed(Conflict):
    """Nobody confirmed this destruction in time; it has to be asked for again."""

    code = "key-destruction-lapsed"


class DestroyedByTwo(Forbidden):
    """Whoever asks for a destruction and whoever confirms it are two natural persons."""

    code = "key-destruction-needs-second-person"


@dataclass(frozen=True, kw_only=True)
class DestructionConfirmation:
    """Who confirmed, and the order that this gave to the signer."""

    by_account: str
    order_id: OrderId
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Destruction:
    """A destruction as it stands; nothing is ordered while `confirmation` is None."""

    id: DestructionId
    key_id: KeyId
    reason: str
    by_account: str
    event_id: str
    at: datetime
    confirmation: DestructionConfirmation | None = None

    @property
    def lapses_at(self) -> datetime:
        """From then on it can be confirmed no longer."""
        return self.at + DESTRUCTION_STANDS

    def require_confirmable(self, now: datetime) -> None:
        """Raises DestructionConfirmed, DestructionLapsed."""
        if self.confirmation is not None:
            raise DestructionConfirmed("somebody has confirmed this destruction before")
        if now >= self.lapses_at:
            raise DestructionLapsed("nobody confirmed this destruction in time; it has to be asked for again")


class PlatformKeys:
    """Which keys are the platform's, by what they are bound to."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def page(self, *, after: str = "", limit: int) -> tuple[tuple[KeyId, str], ...]:
        """Keys with the label of their newest binding, in the order of their making."""
        newest = select(func.max(key_bindings.c.position)).group_by(key_bindings.c.key_id)
        rows = self._work.execute(
            select(key_bindings.c.key_id, key_bindings.c.label)
            .where(
                key_bindings.c.position.in_(newest),
                key_bindings.c.purpose.in_([purpose.value for purpose in PLATFORM_PURPOSES]),
                key_bindings.c.key_id > after,
            )
            .order_by(key_bindings.c.key_id)
            .limit(limit)
        )
        return tuple((KeyId(row.key_id), row.label) for row in rows)


class Destructions:
    """The two facts about each destruction."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def get(self, destruction_id: str) -> Destruction:
        """One; raises DestructionUnknown."""
        row = self._work.execute(_every().where(key_destructions.c.id == destruction_id)).one_or_none()
        if row is None:
            raise DestructionUnknown("nobody asked for such a destruction")
        return _destruction(row)

    def of_key(self, key_id: str) -> tuple[Destruction, ...]:
        """What was asked about a key, oldest first."""
        statement = _every().where(key_destructions.c.key_id == key_id).order_by(key_destructions.c.id)
        return tuple(map(_destruction, self._work.execute(statement)))


def ask_destruction(work: Work, destruction: Destruction) -> None:
    """Inserts that a destruction was asked for."""
    row = {name: value for name, value in vars(destruction).items() if name != "confirmation"}
    work.execute(key_destructions.insert().values(row))


def confirm_destruction(work: Work, destruction: Destruction, confirmation: DestructionConfirmation) -> None:
    """Inserts the confirmation; raises DestructionConfirmed where somebody else was first."""
    row = {"destruction_id": destruction.id, **vars(confirmation)}
    inserted = work.execute(upsert(key_destruction_confirmations).values(row).on_conflict_do_nothing())
    if not inserted.rowcount:
        raise DestructionConfirmed("somebody has confirmed this destruction before")


def _every() -> Select[Any]:
    confirmations = key_destruction_confirmations
    return select(
        key_destructions,
        confirmations.c.order_id,
        confirmations.c.by_account.label("confirmed_by"),
        confirmations.c.at.label("confirmed_at"),
    ).outerjoin(confirmations, confirmations.c.destruction_id == key_destructions.c.id)


def _destruction(row: Row[Any]) -> Destruction:
    confirmation = None
    if row.confirmed_at is not None:
        confirmation = DestructionConfirmation(
            by_account=row.confirmed_by, order_id=OrderId(row.order_id), at=row.confirmed_at
        )
    return Destruction(
        id=DestructionId(row.id),
        key_id=KeyId(row.key_id),
        reason=row.reason,
        by_account=row.by_account,
        event_id=row.event_id,
        at=row.at,
        confirmation=confirmation,
    )
