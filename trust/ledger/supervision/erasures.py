"""Orders to erase an event's content: who ordered, who confirmed; what they erase is `trust.ledger.erasure`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert as upsert

from trust.kernel.errors import Conflict, Forbidden, NotFound
from trust.kernel.ids import Id
from trust.ledger.erasure import ErasureReason
from trust.ledger.model import EventId
from trust.ledger.search import EventScope
from trust.ledger.supervision.tables import erasure_confirmations, erasure_orders
from trust.storage.database import ReadWork, Work

# Time for a second person to look at the file behind the order; nobody confirms what everybody has forgotten.
ORDER_LASTS: Final = timedelta(days=30)


class ErasureOrderId(Id):
    """An order to erase."""

    prefix = "erasure"


class ErasureOrderUnknown(NotFound):
    """There is no such order, or it is not the caller's to see."""

    code = "erasure-order-unknown"


class ErasureConfirmed(Conflict):
    """Somebody has confirmed the order before."""

    code = "erasure-order-confirmed"


class ErasureOrderLapsed(Conflict):
    """Nobody confirmed the order in time; it has to be given again."""

    code = "erasure-order-lapsed"


class ContentErased(Conflict):
    """The event's content was erased before."""

    code = "event-content-erased"


class ErasureOfOwnEvent(Forbidden):
    """The event is about the caller; somebody else orders or confirms its erasure."""

    code = "erasure-of-own-event"


@dataclass(frozen=True, kw_only=True)
class ErasureConfirmation:
    """Who confirmed, and the event that says the content was erased."""

    by_account: str
    erased_event_id: EventId
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ErasureOrder:
    """An order as it stands; `agency` is that of the event (None: the platform's own)."""

    id: ErasureOrderId
    event_id: EventId
    agency: str | None
    reason: ErasureReason
    by_account: str
    ordered_event_id: EventId
    at: datetime
    confirmation: ErasureConfirmation | None = None

    @property
    def lapses_at(self) -> datetime:
        """From then on it can be confirmed no longer."""
        return self.at + ORDER_LASTS

    def require_confirmable(self, now: datetime) -> None:
        """Raises ErasureConfirmed, ErasureOrderLapsed."""
        if self.confirmation is not None:
            raise ErasureConfirmed("somebody has confirmed this order before")
        if now >= self.lapses_at:
            raise ErasureOrderLapsed("nobody confirmed this order in time; it has to be given again")


class ErasureOrders:
    """Orders within a scope, and the two facts about each."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def page(
        self,
        *,
        scope: EventScope,
        waiting_only: bool | None = None,
        after: ErasureOrderId | None = None,
        limit: int = 50,
    ) -> tuple[ErasureOrder, ...]:
        """One page, newest first; `waiting_only` True: those nobody has confirmed, False the others, None all."""
        statement = _scoped(scope)
        if waiting_only is not None:
            confirmed = erasure_confirmations.c.order_id
            statement = statement.where(confirmed.is_(None) if waiting_only else confirmed.is_not(None))
        if after is not None:
            statement = statement.where(erasure_orders.c.id < after)
        rows = self._work.execute(statement.order_by(erasure_orders.c.id.desc()).limit(limit)).all()
        return tuple(map(_order, rows))

    def get(self, order_id: str, *, scope: EventScope) -> ErasureOrder:
        """One order; raises ErasureOrderUnknown, also for another agency's."""
        row = self._work.execute(_scoped(scope).where(erasure_orders.c.id == order_id)).one_or_none()
        if row is None:
            raise ErasureOrderUnknown("there is no such order")
        return _order(row)


def give(work: Work, order: ErasureOrder) -> None:
    """Inserts the order."""
    row = {name: value for name, value in vars(order).items() if name != "confirmation"}
    work.execute(erasure_orders.insert().values({**row, "reason": order.reason.value}))


def confirm(work: Work, order: ErasureOrder, confirmation: ErasureConfirmation) -> None:
    """Inserts the confirmation; raises ErasureConfirmed where somebody else was first."""
    row = {"order_id": order.id, **vars(confirmation)}
    if not work.execute(upsert(erasure_confirmations).values(row).on_conflict_do_nothing()).rowcount:
        raise ErasureConfirmed("somebody has confirmed this order before")


def _scoped(scope: EventScope) -> Select[Any]:
    statement = select(
        erasure_orders,
        erasure_confirmations.c.erased_event_id,
        erasure_confirmations.c.by_account.label("confirmed_by"),
        erasure_confirmations.c.at.label("confirmed_at"),
    ).outerjoin(erasure_confirmations, erasure_confirmations.c.order_id == erasure_orders.c.id)
    return statement if scope.agency is None else statement.where(erasure_orders.c.agency == scope.agency)


def _order(row: Row[Any]) -> ErasureOrder:
    confirmation = None
    if row.confirmed_at is not None:
        confirmation = ErasureConfirmation(
            by_account=row.confirmed_by, erased_event_id=EventId(row.erased_event_id), at=row.confirmed_at
        )
    return ErasureOrder(
        id=ErasureOrderId(row.id),
        event_id=EventId(row.event_id),
        agency=row.agency,
        reason=ErasureReason(row.reason),
        by_account=row.by_account,
        ordered_event_id=EventId(row.ordered_event_id),
        at=row.at,
        confirmation=confirmation,
    )
