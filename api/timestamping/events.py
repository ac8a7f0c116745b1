"""What the ledger is told of timestamps: how many were given to callers, and how the clock stood."""

import threading
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from identity.caller import WORKER
from trust.authority.timestamps import TimestampAuthority
from trust.kernel.clock import Clock, rfc3339
from trust.keys.stamping.model import STOPPED, ClockChange, ClockStanding, ClockState
from trust.keys.stamping.repository import ClockReports
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event, EventOutcome

GIVEN: Final = "timestamps.given"
CLOCK_STOPPED: Final = "timestamp-clock.stopped"
CLOCK_TRUSTED: Final = "timestamp-clock.trusted"
CLOCK_RESUMED: Final = "timestamp-clock.resumed"
REQUEST_REFUSED: Final = "timestamp.requested"
ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        GIVEN: "So many requests for timestamps were answered over HTTP since the moment in the content.",
        CLOCK_STOPPED: "The signer's clock stepped, so that no timestamps are made (alarm): the reason says how.",
        CLOCK_TRUSTED: "The signer's clock is where it must be again, and timestamps are made.",
        CLOCK_RESUMED: "An operator said that the signer's clock is right as it is; the content holds why.",
        REQUEST_REFUSED: "A caller asked for a timestamp without being allowed to.",
    }
)
# A token carries its own proof, so that the ledger counts them; an event each would be most of the log.
COUNTED_FOR: Final = timedelta(minutes=1)
_SUBJECT: Final = "timestamp-authority"


class GivenTimestamps:
    """Counts what was answered, and records the count of each minute as one event; safe between threads.

    A server that is killed takes the count of its last minute along; the tokens stay what they are.
    """

    def __init__(self, *, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._since = clock.now()

    def count(self, responses: int) -> None:
        """Takes note of so many responses."""
        now = self._clock.now()
        with self._lock:
            if not self._count:
                self._since = now
            self._count += responses
            due = abs(now - self._since) >= COUNTED_FOR
        if due:
            self.record()

    def record(self) -> None:
        """Records what was counted so far, if anything; raises DatabaseAway, the count then being kept."""
        with self._lock:
            count, since = self._count, self._since
            self._count = 0
        if not count:
            return
        try:
            with self._ledger.work() as work:
                work.record(
                    Event(
                        act=GIVEN,
                        actor=Actor(kind="service", id=_SUBJECT),
                        subject=_SUBJECT,
                        agency=None,
                        content={"responses": count, "since": rfc3339(since)},
                    )
                )
        except BaseException:
            with self._lock:
                self._count, self._since = self._count + count, since
            raise


class ReportClock:
    """Tells the ledger of each change of the signer's clock, once; a chore of the worker.

    The signer writes no events. It keeps its changes, and each gets its event here, in the transaction that says so.
    """

    def __init__(self, *, timestamps: TimestampAuthority, ledger: Ledger, clock: Clock) -> None:
        self._timestamps = timestamps
        self._ledger = ledger
        self._clock = clock

    def __call__(self) -> int:
        """Reports what is new; how many changes there were. Raises TimestampAuthorityAway."""
        with self._ledger.work() as work:
            known = ClockReports(work)
            changes = self._timestamps.clock(changes_after=known.last()).changes
            for change in changes:
                receipt = work.record(_event(change))
                known.add(change.position, event_id=receipt.event_id, at=self._clock.now())
        return len(changes)


def resume(*, timestamps: TimestampAuthority, ledger: Ledger, reason: str, operator: str) -> ClockStanding:
    """An operator's word that the signer's clock is right: an event first, then the signer is told.

    Raises TimestampAuthorityAway; the event then says what was meant to be done, and it may be done again.
    """
    before = timestamps.clock()
    with ledger.work() as work:
        work.record(
            Event(
                act=CLOCK_RESUMED,
                actor=Actor(kind="operator", id="command-line"),
                subject=_SUBJECT,
                agency=None,
                content={
                    "reason": reason,
                    "operator": operator,
                    "state": before.state.value,
                    "clock": rfc3339(before.clock_at),
                    "expected": rfc3339(before.expected_at),
                },
            )
        )
    return timestamps.resume()


def refused_request(actor: Actor, reason: str) -> Event:
    """That somebody who is known may not ask for timestamps."""
    return Event(
        act=REQUEST_REFUSED,
        actor=actor,
        subject=_SUBJECT,
        agency=None,
        outcome=EventOutcome.REFUSED,
        reason=reason,
    )


def _event(change: ClockChange) -> Event:
    stopped = change.state in STOPPED
    return Event(
        act=CLOCK_STOPPED if stopped else CLOCK_TRUSTED,
        actor=WORKER.actor(),
        subject=_SUBJECT,
        agency=None,
        reason=None if change.state is ClockState.TRUSTED else change.state.value,
        content={
            "position": change.position,
            "clock": rfc3339(change.clock_at),
            "expected": rfc3339(change.expected_at),
        },
    )
