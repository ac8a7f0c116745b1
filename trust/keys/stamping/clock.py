"""The clock that timestamps are made by; where it steps, no more are made.

Two things are held against it: a clock of the machine that cannot be set (how much time passed since the last
look), and the latest time that was ever stamped, which outlives the process. That one is kept as a reservation: the
row is raised before a time beyond it is stamped, so whatever kills the process, nothing stamped is later than it.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from trust.kernel.clock import Clock, rfc3339
from trust.keys.errors import TimeNotTrusted
from trust.keys.stamping.model import STOPPED, ClockStanding, ClockState
from trust.keys.stamping.repository import Mark, StampingMarks

# What our timestamps claim where nothing else is set: the machine's clock is kept by NTP and looked at by `doctor`.
ACCURACY: Final = timedelta(seconds=1)
# How far the mark is raised at once: a write a second while tokens are made. Never beyond the accuracy, so that a
# signer that starts again right away does not find its own clock to be behind.
RESERVED_AHEAD: Final = timedelta(seconds=1)
_log = structlog.get_logger("yinxin.signer")

Elapsed = Callable[[], float]


def seconds_since_start() -> float:
    """Seconds of a clock that nobody can set, and that goes on while the machine sleeps where the system has one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class StampingClock:
    """Tells the time to stamp, or raises TimeNotTrusted; safe to share between threads.

    A time is trusted that differs by at most the accuracy from what the other clock leads to expect, and that is not
    behind what was stamped already by more than that. Steps within the accuracy are what the accuracy states.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        marks: StampingMarks,
        accuracy: timedelta = ACCURACY,
        elapsed: Elapsed = seconds_since_start,
    ) -> None:
        self._clock = clock
        self._marks = marks
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self.accuracy = accuracy
        # What both clocks said when the time was last trusted; None before the first look.
        self._seen: tuple[datetime, float] | None = None
        self._mark: Mark | None = None
        self._latest: datetime | None = None
        self._state = ClockState.TRUSTED
        self._kept = ClockState.TRUSTED
        # What a clock that stepped back has to pass.
        self._past: datetime | None = None

    def now(self) -> datetime:
        """The time to stamp; raises TimeNotTrusted, and DatabaseAway where the mark cannot be kept."""
        with self._lock:
            standing = self._look()
            if not standing.trusted:
                raise TimeNotTrusted(_says(standing))
            self._reserve(standing.clock_at)
            return standing.clock_at

    def standing(self, *, changes_after: int | None = None) -> ClockStanding:
        """How the clock stands, looked at now, with the changes after a position where one is given."""
        with self._lock:
            standing = self._look()
        if changes_after is None:
            return standing
        return ClockStanding(
            state=standing.state,
            clock_at=standing.clock_at,
            expected_at=standing.expected_at,
            changes=self._marks.changes(after=changes_after),
        )

    def resume(self) -> ClockStanding:
        """An operator's word that the clock is right as it is: a new era begins, and the mark with it."""
        with self._lock:
            moment, elapsed = self._clock.now(), self._elapsed()
            self._mark = self._marks.open(moment, resumed=True)
            self._seen, self._latest = (moment, elapsed), moment
            self._past = None
            self._state = self._kept = ClockState.TRUSTED
            _log.warning("timestamp-clock.resumed", clock=rfc3339(moment))
            return ClockStanding(state=self._state, clock_at=moment, expected_at=moment)

    def _look(self) -> ClockStanding:
        """Reads both clocks and says how the clock stands; a change is kept before anything else is done."""
        # 1. Between the two readings of the other clock lies ours, however long this thread had to wait.
        before = self._elapsed()
        moment = self._clock.now()
        after = self._elapsed()
        if self._mark is None:
            self._remember(moment, after)
        if self._seen is None:
            self._seen = (moment, after)
        seen, then = self._seen
        earliest, latest = seen + timedelta(seconds=before - then), seen + timedelta(seconds=after - then)

        # 2. Is it where it must be?
        state = self._judged(moment, earliest, latest)
        if state is ClockState.STEPPED_BACK and self._state is not state:
            # What it has to pass again: where it should be now, or what was stamped already.
            self._past = max(latest, self._latest or latest)
        self._state = state
        if state is ClockState.TRUSTED:
            self._seen, self._past = (moment, after), None
        expected = self._past or latest
        standing = ClockStanding(state=state, clock_at=moment, expected_at=expected)
        self._keep(standing)
        return standing

    def _judged(self, moment: datetime, earliest: datetime, latest: datetime) -> ClockState:
        if self._past is not None and moment < self._past:
            return ClockState.STEPPED_BACK
        if moment > latest + self.accuracy:
            return ClockState.JUMPED_AHEAD
        floor = earliest if self._state is not ClockState.STEPPED_BACK else moment
        if self._latest is not None:
            floor = max(floor, self._latest)
        return ClockState.STEPPED_BACK if moment < floor - self.accuracy else ClockState.TRUSTED

    def _remember(self, moment: datetime, elapsed: float) -> None:
        """What an earlier process kept: its mark, and whether it was stopped."""
        found, change = self._marks.newest(), self._marks.last_change()
        self._mark = found or self._marks.open(moment, resumed=False)
        self._latest = self._mark.highest if found is not None else None
        if change is None or change.state not in STOPPED:
            return
        self._state = self._kept = change.state
        if change.state is ClockState.STEPPED_BACK:
            self._past = change.expected_at
        else:
            # How much time has passed since nobody knows any more; the clock has to go back to where it was.
            self._seen = (change.expected_at, elapsed)

    def _reserve(self, moment: datetime) -> None:
        """Raises the mark over `moment` before it is stamped."""
        if self._mark is None:
            raise AssertionError("the mark is read before the time is trusted")
        if moment >= self._mark.highest:
            highest = moment + min(RESERVED_AHEAD, self.accuracy)
            self._marks.raise_to(self._mark.era, highest)
            self._mark = Mark(era=self._mark.era, highest=highest)
        self._latest = max(self._latest or moment, moment)

    def _keep(self, standing: ClockStanding) -> None:
        """Has a change outlive the process; the worker tells the ledger of it."""
        if standing.state is self._kept:
            return
        log = _log.info if standing.trusted else _log.error
        log(
            "timestamp-clock.changed",
            state=standing.state.value,
            clock=rfc3339(standing.clock_at),
            expected=rfc3339(standing.expected_at),
        )
        self._marks.changed(standing.state, clock_at=standing.clock_at, expected_at=standing.expected_at)
        self._kept = standing.state


def _says(standing: ClockStanding) -> str:
    if standing.state is ClockState.STEPPED_BACK:
        return (
            f"the clock stepped back: it says {rfc3339(standing.clock_at)} and was at "
            f"{rfc3339(standing.expected_at)} already; no timestamps are made until it is past that"
        )
    return (
        f"the clock jumped ahead: it says {rfc3339(standing.clock_at)}, expected was "
        f"{rfc3339(standing.expected_at)}; set it right, or say that it is right by `yinxin timestamps resume`"
    )
