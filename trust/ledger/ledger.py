"""Recording events in the transaction of the act they tell of.

    with ledger.work() as work:                  # one act, one transaction
        work.execute(insert(...))
        receipt = work.record(Event(act="seal-use.intended", ...))

A refusal is kept although the act is not: `raise AuthorisationRefused(...).refused_as(Event(...))` inside the
block rolls the act back, commits the event in a transaction of its own, and goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any, Final

from sqlalchemy import Executable, Row, delete, text

from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.ledger.errors import EventNotFound
from trust.ledger.headers import (
    HEADER_COLUMNS,
    SALT_OCTETS,
    commit,
    content_octets,
    header_of,
    whole_milliseconds,
)
from trust.ledger.model import Event, EventId, EventReceipt
from trust.ledger.origin import ORIGIN, current_origin
from trust.ledger.tables import event_contents
from trust.storage.database import Database, ReadWork, Work

# Sequencing takes about a second; a minute leaves room for a restart and stays short for a receipt.
INCLUSION_DELAY: Final = timedelta(minutes=1)

# One round trip for the three rows of an event.
_RECORD: Final = text(
    """
    WITH event AS (
      INSERT INTO ledger.events (event_id, at, act, actor_kind, actor_id, on_behalf_of, subject, agency,
                                 outcome, reason, content_commitment, leaf_hash, latest_inclusion)
      VALUES (:event_id, :at, :act, :actor_kind, :actor_id, :on_behalf_of, :subject, :agency,
              :outcome, :reason, :content_commitment, :leaf_hash, :latest_inclusion)
      RETURNING event_id
    ), content AS (
      INSERT INTO ledger.event_contents (event_id, salt, content)
      SELECT event_id, :salt, CAST(:content AS jsonb) FROM event
    )
    INSERT INTO ledger.waiting (event_id) SELECT event_id FROM event
    """
)

# From so many events on, three streams cost less than a statement for each event.
_MANY: Final = 8
# The same three rows, by table and column.
_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "ledger.events": (*HEADER_COLUMNS, "leaf_hash"),
    "ledger.event_contents": ("event_id", "salt", "content"),
    "ledger.waiting": ("event_id",),
}


class Recorder:
    """Turns events into rows: gives each its id, time, salt, commitment and leaf hash."""

    def __init__(self, *, clock: Clock, randomness: Randomness, ids: Ids, inclusion_delay: timedelta) -> None:
        self._clock = clock
        self._randomness = randomness
        self._ids = ids
        self._inclusion_delay = inclusion_delay
        self._last_id = EventId()
        self._last_id_guard = Lock()

    def record(self, work: Work, events: Sequence[Event]) -> tuple[EventReceipt, ...]:
        """Inserts the events in the transaction given; raises `EventRefused`."""
        recorded = [self._row(event) for event in events]
        if len(recorded) < _MANY:
            for row, _ in recorded:
                work.execute(_RECORD, row)
        else:
            for table, columns in _TABLES.items():
                work.copy_in(table, columns, ([row[name] for name in columns] for row, _ in recorded))
        return tuple(receipt for _, receipt in recorded)

    def _row(self, event: Event) -> tuple[dict[str, Any], EventReceipt]:
        event_id = self._next_id()
        at = whole_milliseconds(self._clock.now())
        latest = whole_milliseconds(at + self._inclusion_delay)
        salt = self._randomness.octets(SALT_OCTETS)
        content = content_octets(_content_with_origin(event))
        commitment = commit(salt, content)
        header = header_of(event, event_id=event_id, at=at, latest_inclusion=latest, commitment=commitment)
        leaf = header.leaf_hash()
        row = {**vars(header), "leaf_hash": leaf, "salt": salt, "content": content.decode()}
        return row, EventReceipt(event_id=event_id, leaf_hash=leaf, latest_inclusion=latest)

    def _next_id(self) -> EventId:
        """A new id above this recorder's last: events of one millisecond keep the order they happened in.

        RFC 9562 §6.2, method 2: where the drawn id is not above the last, the last is counted on.
        """
        with self._last_id_guard:
            drawn = self._ids.new(EventId)
            if drawn <= self._last_id:
                following = int(self._last_id.removeprefix(f"{EventId.prefix}_"), 16) + 1
                drawn = EventId(f"{EventId.prefix}_{following:032x}")
            self._last_id = drawn
            return drawn


def _content_with_origin(event: Event) -> Mapping[str, Any]:
    origin = current_origin()
    if origin is None:
        return event.content
    return {**event.content, ORIGIN: origin.said(event.actor.session)}


class RecordedWork(Work):
    """A unit of work whose acts are recorded in it."""

    def __init__(self, work: Work, recorder: Recorder) -> None:
        # The inner work already owns the transaction and its queue; this one only adds the record.
        ReadWork.__init__(self, work.connection)
        self._work = work
        self._recorder = recorder

    def defer(self, task_name: str, **arguments: Any) -> None:
        self._work.defer(task_name, **arguments)

    def record(self, event: Event) -> EventReceipt:
        """Records one event; it exists if and only if this transaction commits. Raises `EventRefused`."""
        return self._recorder.record(self._work, [event])[0]

    def record_all(self, events: Sequence[Event]) -> tuple[EventReceipt, ...]:
        """Records many events in one go, in order; for batches."""
        return self._recorder.record(self._work, events)

    def erase_content(self, event_id: EventId, *, recorded_as: Event) -> EventReceipt:
        """Erases an event's content and salt for ever; the log still verifies, with the leaf `redacted`.

        Raises `EventNotFound` where there is no content (any more). Who may order this is for the caller.
        """
        erased = self.execute(delete(event_contents).where(event_contents.c.event_id == event_id)).rowcount
        if erased == 0:
            raise EventNotFound("there is no content of such an event to erase")
        return self.record(recorded_as)


class Ledger:
    """Opens the units of work in which domains act; see the module's example."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        randomness: Randomness,
        ids: Ids,
        inclusion_delay: timedelta = INCLUSION_DELAY,
    ) -> None:
        self._database = database
        self._recorder = Recorder(
            clock=clock, randomness=randomness, ids=ids, inclusion_delay=inclusion_delay
        )

    @contextmanager
    def work(self) -> Iterator[RecordedWork]:
        """A unit of work that commits at the end of the block and rolls back on any error.

        An error that carries a refusal has that event committed before it goes on; where even that is
        impossible, DatabaseAway is raised from it, and the act is refused without a record of it.
        """
        try:
            with self._database.work() as work:
                yield RecordedWork(work, self._recorder)
        except YinxinError as error:
            if isinstance(error.refusal, Event):
                refusal, error.refusal = error.refusal, None  # an outer block must not keep it again
                with self._database.work() as work:
                    self._recorder.record(work, [refusal])
                error.recorded = True
            raise

    def read(self) -> AbstractContextManager[ReadWork]:
        """A unit of work that only reads."""
        return self._database.read()

    def read_primary(self) -> AbstractContextManager[ReadWork]:
        """One that only reads, from the database that is written to: what it says is not behind."""
        return self._database.read_primary()

    def read_once(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """The rows of one statement, in one round trip."""
        return self._database.read_once(statement, parameters)
