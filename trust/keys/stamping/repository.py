"""Queries over the marks of stamped time and the changes of the clock that is behind them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select

from trust.keys.stamping.model import ClockChange, ClockState
from trust.keys.stamping.tables import stamping_clock_changes, stamping_clock_reports, stamping_marks
from trust.storage.database import Database, ReadWork

# Of one asking; the next brings the rest.
MAX_CHANGES: Final = 100


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Nothing that was stamped in this era is later than `highest`."""

    era: int
    highest: datetime


class StampingMarks:
    """What the signer keeps of the time it stamped; each method is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> Mark | None:
        """The mark of the era that counts; None before the first."""
        marks = stamping_marks.c
        with self._database.read() as work:
            row = work.execute(
                select(marks.era, marks.highest).order_by(marks.era.desc()).limit(1)
            ).one_or_none()
        return None if row is None else Mark(era=row.era, highest=row.highest)

    def open(self, moment: datetime, *, resumed: bool) -> Mark:
        """Begins an era at this moment; where an operator resumed, that is a change of the clock."""
        with self._database.work() as work:
            era = work.execute(
                stamping_marks.insert()
                .values(highest=moment, opened_at=moment)
                .returning(stamping_marks.c.era)
            ).scalar_one()
            if resumed:
                _change(work, ClockState.RESUMED, clock_at=moment, expected_at=moment)
        return Mark(era=era, highest=moment)

    def raise_to(self, era: int, moment: datetime) -> None:
        """Says that what is stamped in this era may be as late as `moment`; committed when it returns."""
        marks = stamping_marks.c
        with self._database.work() as work:
            work.execute(
                stamping_marks.update()
                .where(marks.era == era)
                .values(highest=func.greatest(marks.highest, moment))
            )

    def changed(self, state: ClockState, *, clock_at: datetime, expected_at: datetime) -> None:
        """Keeps a change of the clock's state."""
        with self._database.work() as work:
            _change(work, state, clock_at=clock_at, expected_at=expected_at)

    def last_change(self) -> ClockChange | None:
        """The newest change; None while there was none."""
        position = stamping_clock_changes.c.position
        with self._database.read() as work:
            row = work.execute(
                select(stamping_clock_changes).order_by(position.desc()).limit(1)
            ).one_or_none()
        return None if row is None else _read(row)

    def changes(self, *, after: int) -> tuple[ClockChange, ...]:
        """Changes later than a position, oldest first, MAX_CHANGES at most."""
        position = stamping_clock_changes.c.position
        with self._database.read() as work:
            rows = work.execute(
                select(stamping_clock_changes).where(position > after).order_by(position).limit(MAX_CHANGES)
            ).all()
        return tuple(map(_read, rows))


class ClockReports:
    """Which changes the ledger has been told of; in the caller's unit of work."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def last(self) -> int:
        """The position of the last change that has its event; 0 before the first. Waits for whoever reports now."""
        self._work.advisory_lock("stamping-clock-reports")
        highest = select(func.max(stamping_clock_reports.c.position))
        return int(self._work.execute(highest).scalar() or 0)

    def add(self, position: int, *, event_id: str, at: datetime) -> None:
        self._work.execute(
            stamping_clock_reports.insert().values(position=position, event_id=event_id, at=at)
        )


def _change(work: ReadWork, state: ClockState, *, clock_at: datetime, expected_at: datetime) -> None:
    work.execute(
        stamping_clock_changes.insert().values(state=state.value, clock_at=clock_at, expected_at=expected_at)
    )


def _read(row: Row[Any]) -> ClockChange:
    return ClockChange(
        position=row.position,
        state=ClockState(row.state),
        clock_at=row.clock_at,
        expected_at=row.expected_at,
    )
