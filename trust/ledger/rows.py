"""Reading the rows of events in pages, and judging each by itself."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Row, select, text

from trust.kernel.canonical import canonical_json
from trust.ledger.erasure import CONTENT_ERASED
from trust.ledger.headers import commit, whole_milliseconds
from trust.ledger.tables import event_contents, events, sequence, waiting
from trust.storage.database import ReadWork

# Sixteen tiles: each page is one short statement, far from the statement timeout.
PAGE_EVENTS: Final = 4096

_WHOLE: Final = (
    select(
        events,
        event_contents.c.salt,
        event_contents.c.content,
        sequence.c.index.label("position"),
    )
    .outerjoin(event_contents, event_contents.c.event_id == events.c.event_id)
    .outerjoin(sequence, sequence.c.event_id == events.c.event_id)
)


_BY_INDEX_ALONE: Final = text(
    "SELECT set_config(name, 'off', true) FROM unnest("
    "ARRAY['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan']) AS name"
)


def by_index_alone(read: ReadWork) -> None:
    """Has this transaction find rows by their keys, a page at a time, whatever the planner believes of the tables.

    A page of four thousand of ten million is a nested loop over two indexes; where statistics are old, or a plan
    is kept for all ranges alike, PostgreSQL may choose to read a whole table for each page instead.
    """
    read.execute(_BY_INDEX_ALONE)


def sequenced_rows(read: ReadWork, begin: int, end: int) -> Sequence[Row[Any]]:
    """The events of these indexes with their content, in order; `position` is the index."""
    return read.execute(
        _WHOLE.where(sequence.c.index >= begin, sequence.c.index < end).order_by(sequence.c.index)
    ).all()


def rows_of(read: ReadWork, event_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """These events with their content, in order of id."""
    if not event_ids:
        return ()
    return read.execute(_WHOLE.where(events.c.event_id.in_(event_ids)).order_by(events.c.event_id)).all()


def uncovered_events(read: ReadWork, size: int) -> Iterator[Sequence[Row[Any]]]:
    """The events that a tree of `size` does not cover, in pages: `event_id`, `position`, and `queued` or None.

    Walks all events by id: an event that nothing else points to is exactly what this is to find.
    """
    last = ""
    while True:
        page = (
            select(events.c.event_id)
            .where(events.c.event_id > last)
            .order_by(events.c.event_id)
            .limit(PAGE_EVENTS)
            .cte("page")
        )
        rows = read.execute(
            select(page.c.event_id, sequence.c.index.label("position"), waiting.c.event_id.label("queued"))
            .outerjoin_from(page, sequence, sequence.c.event_id == page.c.event_id)
            .outerjoin(waiting, waiting.c.event_id == page.c.event_id)
            .order_by(page.c.event_id)
        ).all()
        if not rows:
            return
        yield [row for row in rows if row.position is None or row.position >= size]
        last = rows[-1].event_id


def erased_on_order(read: ReadWork, event_ids: Collection[str]) -> frozenset[str]:
    """Those of these events of which another event says that their content was erased."""
    if not event_ids:
        return frozenset()
    orders = select(events.c.subject).where(
        events.c.subject.in_(event_ids), events.c.act == CONTENT_ERASED, events.c.outcome == "done"
    )
    return frozenset(read.execute(orders).scalars())


def stray_rows(read: ReadWork) -> Iterator[tuple[str, str]]:
    """Rows that belong to no event, or twice: the event's id and what is wrong, in pages."""
    for table, fault in ((event_contents, "content"), (waiting, "a place in the queue")):
        last = ""
        while True:
            page = (
                select(table.c.event_id)
                .where(table.c.event_id > last)
                .order_by(table.c.event_id)
                .limit(PAGE_EVENTS)
                .cte("page")
            )
            rows = read.execute(
                select(page.c.event_id, events.c.event_id.label("event"), sequence.c.index.label("position"))
                .outerjoin_from(page, events, events.c.event_id == page.c.event_id)
                .outerjoin(sequence, sequence.c.event_id == page.c.event_id)
                .order_by(page.c.event_id)
            ).all()
            if not rows:
                break
            for row in rows:
                if row.event is None:
                    yield row.event_id, f"there is {fault} but no such event"
                elif table is waiting and row.position is not None:
                    yield row.event_id, f"it waits although it has the index {row.position}"
            last = rows[-1].event_id


def header_fault(row: Row[Any], computed: bytes) -> str | None:
    """What is wrong with a row's public part, whose leaf hash was computed; None where it is as recorded."""
    if any(moment != whole_milliseconds(moment) for moment in (row.at, row.latest_inclusion)):
        return "its times are not whole milliseconds"
    if computed != bytes(row.leaf_hash):
        return "its row does not give its leaf hash"
    return None


def content_fault(row: Row[Any]) -> str | None:
    """What is wrong with a row's content; None where it is what was committed to, or was erased."""
    if redacted(row):
        return None
    try:
        commitment = commit(bytes(row.salt), canonical_json(row.content))
    except ValueError:
        return "its content is not canonical JSON"
    if commitment != bytes(row.content_commitment):
        return "its content and salt do not give its commitment"
    return None


def redacted(row: Row[Any]) -> bool:
    """Whether the content and the salt were erased."""
    return row.salt is None
