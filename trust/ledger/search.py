"""Looking events up: for auditors of an agency, and of the platform.

page = search(work, EventQuery(scope=EventScope.of_agency(agency_id), act="seal-use.intended"))
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, cast, select, tuple_
from sqlalchemy.dialects.postgresql import JSONPATH

from trust.kernel.errors import InvalidInput
from trust.ledger.errors import CursorRefused, EventNotFound
from trust.ledger.model import MAX_NAME_CHARACTERS, Actor, EventId, EventOutcome, EventReceipt
from trust.ledger.origin import CASE_NUMBER
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
    """What to look for; every part given must hold. The period is `since <= at < until`.

    An `act` that ends in a dot (`seal-use.`) means every act that begins so. `mentions` is an id that stands
    anywhere in the content, `case_number` the case that the content names. Pages go back in time `after` a cursor,
    or forward again `before` one; either way a page is newest first.
    """

    scope: EventScope
    subject: str | None = None
    actor_id: str | None = None
    on_behalf_of: str | None = None
    act: str | None = None
    outcome: EventOutcome | None = None
    reason: str | None = None
    case_number: str | None = None
    mentions: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: EventId | None = None
    before: EventId | None = None
    limit: int = DEFAULT_PAGE

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_PAGE:
            raise EventQueryRefused(f"a page has 1 to {MAX_PAGE} events")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise EventQueryRefused("the period ends before it begins")
        if self.after is not None and self.before is not None:
            raise EventQueryRefused("a page lies after one cursor or before one, not both")
        for text in self.texts().values():
            if not text.isprintable() or len(text) > MAX_NAME_CHARACTERS:
                raise EventQueryRefused(
                    f"what is searched for has {MAX_NAME_CHARACTERS} printable characters at most"
                )

    def texts(self) -> Mapping[str, str]:
        """The parts that are compared as text, by their names; those that are given."""
        names = ("subject", "actor_id", "on_behalf_of", "act", "reason", "case_number", "mentions")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """One page, newest first; `next` is the cursor of the older page and `previous` of the newer, None at an end."""

    items: tuple[RecordedEvent, ...]
    next: EventId | None
    previous: EventId | None = None


def search(work: ReadWork, query: EventQuery) -> EventPage:
    """One page of the events that match; raises `CursorRefused` for a cursor outside the scope."""
    statement = matching(query)
    order: tuple[ColumnElement[Any], ...] = (events.c.at.desc(), events.c.event_id.desc())
    cursor = query.after or query.before
    if cursor is not None:
        at = _moment_of(work, cursor, query.scope)
        place, here = tuple_(events.c.at, events.c.event_id), (at, cursor)
        statement = statement.where(place < here if query.after is not None else place > here)
    if query.before is not None:
        order = (events.c.at.asc(), events.c.event_id.asc())
    rows = work.execute(statement.order_by(*order).limit(query.limit + 1)).all()
    more, items = len(rows) > query.limit, list(map(_recorded, rows[: query.limit]))
    if query.before is not None:
        items.reverse()
    older, newer = (True, more) if query.before is not None else (more, query.after is not None)
    return EventPage(
        items=tuple(items),
        next=items[-1].event_id if items and older else None,
        previous=items[0].event_id if items and newer else None,
    )


def matching(query: EventQuery) -> Select[Any]:
    """The statement of everything that the query matches, without its cursors, order and limit."""
    statement = _scoped(query.scope)
    for column, wanted in (
        (events.c.subject, query.subject),
        (events.c.actor_id, query.actor_id),
        (events.c.on_behalf_of, query.on_behalf_of),
        (events.c.reason, query.reason),
        (events.c.outcome, None if query.outcome is None else query.outcome.value),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if query.act is not None:
        statement = statement.where(is_act(query.act))
    if query.case_number is not None:
        statement = statement.where(names_case(query.case_number))
    if query.mentions is not None:
        statement = statement.where(mentions_any([query.mentions]))
    if query.since is not None:
        statement = statement.where(events.c.at >= query.since)
    if query.until is not None:
        statement = statement.where(events.c.at < query.until)
    return statement


def selected_rows(
    work: ReadWork, query: EventQuery, *, after: int, before: int, limit: int, only_places: bool = False
) -> Sequence[Row[Any]]:
    """The rows that match and have a place in the log between the two, in the log's order, salts included."""
    statement = matching(query).where(sequence.c.index > after, sequence.c.index < before)
    if only_places:
        statement = statement.with_only_columns(sequence.c.index)
    else:
        statement = statement.add_columns(event_contents.c.salt)
    return work.execute(statement.order_by(sequence.c.index).limit(limit)).all()


def is_act(act: str) -> ColumnElement[bool]:
    """The act, or with a dot at its end every act that begins so, by an index that knows no collation."""
    if not act.endswith("."):
        return events.c.act == act
    # The octet after the dot is the slash: between them lies everything that begins with the dot's text.
    below = f"{act[:-1]}/"
    return and_(events.c.act.op("~>=~")(act), events.c.act.op("~<~")(below))


def names_case(case_number: str) -> ColumnElement[bool]:
    """The content names this case."""
    return event_contents.c.content.contains({CASE_NUMBER: case_number})


def mentions_any(ids: Sequence[str]) -> ColumnElement[bool]:
    """One of these texts stands anywhere in the content; goes by the GIN index, which reads such a path."""
    either = " || ".join(f"@ == {json.dumps(each, ensure_ascii=True)}" for each in ids)
    return event_contents.c.content.op("@?")(cast(f"$.** ? ({either})", JSONPATH))


def find_event(work: ReadWork, event_id: EventId, *, scope: EventScope) -> RecordedEvent:
    """One event; raises `EventNotFound`, also for another agency's."""
    row = work.execute(_scoped(scope).where(events.c.event_id == event_id)).one_or_none()
    if row is None:
        raise EventNotFound("there is no such event")
    return _recorded(row)


def sequenced(work: ReadWork, begin: int, end: int) -> tuple[RecordedEvent, ...]:
    """The events of these places in the log, in the log's order."""
    rows = work.execute(
        _scoped(EventScope.everything())
        .where(sequence.c.index >= begin, sequence.c.index < end)
        .order_by(sequence.c.index)
    ).all()
    return tuple(map(_recorded, rows))


def _scoped(scope: EventScope) -> Select[Any]:
    statement = (
        select(events, event_contents.c.content, sequence.c.index.label("position"))
        .outerjoin(event_contents, event_contents.c.event_id == events.c.event_id)
        .outerjoin(sequence, sequence.c.event_id == events.c.event_id)
    )
    return statement if scope.agency is None else statement.where(events.c.agency == scope.agency)


def recorded(row: Row[Any]) -> RecordedEvent:
    """The event of a row of `matching`."""
    return _recorded(row)


def _moment_of(work: ReadWork, cursor: EventId, scope: EventScope) -> datetime:
    row = work.execute(_scoped(scope).where(events.c.event_id == cursor)).one_or_none()
    if row is None:
        raise CursorRefused("this cursor is not one of this search")
    at: datetime = row.at
    return at


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
