"""Looking events up: for auditors of an agency, and of the platform.

page = search(work, EventQuery(scope=EventScope.of_agency(agency_id), act="seal-use.intended"))
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, select, tuple_

from trust.kernel.errors import InvalidInput
from trust.ledger.errors import CursorRefused, EventNotFound
from trust.ledger.model import Actor, EventId, EventOutcome, EventReceipt
from trust.ledger.tables import event_contents, events, sequence
from trust.storage.database import ReadWork

DEFAULT_PAGE: Final = 50
# A page is read by a person or kept in memory by a program; more than this is an export.
MAX_PAGE: Final = 500


class EventQueryRefused(InvalidInput):
    """The search asks for what no event can answer: see the message."""

    code = "event-query-refused"


@dataclass(frozen=True, kw_only=True)
class EventScope:
    """Whose events may be seen; every reading names one. `agency` None: every agency's and the platform's."""

    agency: str | None

    @classmethod
    def of_agency(cls, agency: str) -> "EventScope":
        """One agency's own events: its auditors."""
        return cls(agency=agency)

    @classmethod
    def everything(cls) -> "EventScope":
        """All events: the platform's auditors, and the worker."""
        return cls(agency=None)


@dataclass(frozen=True, kw_only=True)
class RecordedEvent:
    """An event as it stands in the ledger.

    `content` is None where it has been erased (the leaf then verifies as redacted); `index` is None until
    the sequencer has taken the event.
    """

    event_id: EventId
    at: datetime
    act: str
    actor: Actor
    subject: str
    agency: str | None
    outcome: EventOutcome
    reason: str | None
    content: Mapping[str, Any] | None
    index: int | None
    leaf_hash: bytes
    latest_inclusion: datetime

    @property
    def redacted(self) -> bool:
        """Whether the content was erased."""
        return self.content is None

    def receipt(self) -> EventReceipt:
        """The promise made when the event was recorded."""
        return EventReceipt(
            event_id=self.event_id, leaf_hash=self.leaf_hash, latest_inclusion=self.latest_inclusion
        )


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    """What to look for; every part given must hold. The period is `since <= at < until`."""

    scope: EventScope
    subject: str | None = None
    actor_id: str | None = None
    act: str | None = None
    outcome: EventOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: EventId | None = None
    limit: int = DEFAULT_PAGE

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_PAGE:
            raise EventQueryRefused(f"a page has 1 to {MAX_PAGE} events")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise EventQueryRefused("the period ends before it begins")
        if any(
            text is not None and not text.isprintable() for text in (self.subject, self.actor_id, self.act)
        ):
            raise EventQueryRefused("what to look for holds unprintable characters; no event does")


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Events, the newest first; `next` is the `after` of the next page, None on the last."""

    items: tuple[RecordedEvent, ...]
    next: EventId | None


def search(work: ReadWork, query: EventQuery) -> EventPage:
    """One page, newest first, by keyset; raises `CursorRefused` on an `after` outside the scope."""
    statement = _scoped(query.scope)
    for column, wanted in (
        (events.c.subject, query.subject),
        (events.c.actor_id, query.actor_id),
        (events.c.act, query.act),
        (events.c.outcome, query.outcome),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if query.since is not None:
        statement = statement.where(events.c.at >= query.since)
    if query.until is not None:
        statement = statement.where(events.c.at < query.until)
    if query.after is not None:
        try:
            last = find_event(work, query.after, scope=query.scope)
        except EventNotFound as error:
            raise CursorRefused("this cursor was not given out by this search; begin again") from error
        statement = statement.where(tuple_(events.c.at, events.c.event_id) < (last.at, last.event_id))
    rows = work.execute(
        statement.order_by(events.c.at.desc(), events.c.event_id.desc()).limit(query.limit + 1)
    ).all()
    items = tuple(map(_recorded, rows[: query.limit]))
    return EventPage(items=items, next=items[-1].event_id if len(rows) > query.limit else None)


def find_event(work: ReadWork, event_id: EventId, *, scope: EventScope) -> RecordedEvent:
    """One event; raises `EventNotFound`, also for another agency's."""
    row = work.execute(_scoped(scope).where(events.c.event_id == event_id)).one_or_none()
    if row is None:
        raise EventNotFound("there is no such event")
    return _recorded(row)


def _scoped(scope: EventScope) -> Select[Any]:
    statement = (
        select(events, event_contents.c.content, sequence.c.index.label("position"))
        .outerjoin(event_contents, event_contents.c.event_id == events.c.event_id)
        .outerjoin(sequence, sequence.c.event_id == events.c.event_id)
    )
    return statement if scope.agency is None else statement.where(events.c.agency == scope.agency)


def _recorded(row: Row[Any]) -> RecordedEvent:
    return RecordedEvent(
        event_id=EventId(row.event_id),
        at=row.at,
        act=row.act,
        actor=Actor(kind=row.actor_kind, id=row.actor_id, on_behalf_of=row.on_behalf_of),
        subject=row.subject,
        agency=row.agency,
        outcome=EventOutcome(row.outcome),
        reason=row.reason,
        content=row.content,
        index=row.position,
        leaf_hash=bytes(row.leaf_hash),
        latest_inclusion=row.latest_inclusion,
    )
