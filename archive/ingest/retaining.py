"""Permanent records stay locked for a rolling period: extended long before it ends."""

from datetime import timedelta
from typing import Final

from archive.codes import Retention, retain_until
from archive.events import RECORD_RETAINED
from archive.ingest.storing import PackageStore
from archive.model import ArchivalRecord, StoredFile
from archive.repository import Records
from identity.caller import WORKER
from trust.kernel.clock import Clock, rfc3339
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event

# With five years to the lock, extending yearly leaves four years for a worker that does not run.
EXTEND_BELOW: Final = timedelta(days=4 * 366)


class RetainPermanent:
    """Extends the locks of permanent records; the worker's chore, once a day."""

    def __init__(self, *, ledger: Ledger, packages: PackageStore, clock: Clock) -> None:
        self._ledger = ledger
        self._packages = packages
        self._clock = clock

    def __call__(self, *, limit: int = 100) -> int:
        """Answers how many records were extended."""
        now = self._clock.now()
        with self._ledger.read() as work:
            due = Records(work).permanent_locked_before(now + EXTEND_BELOW, limit=limit)
        for record in due:
            self._extend(record)
        return len(due)

    def _extend(self, record: ArchivalRecord) -> None:
        now = self._clock.now()
        until = retain_until(Retention.PERMANENT, record.event_date, now=now)
        with self._ledger.read() as work:
            files = Records(work).files(record.id)
        self._packages.retain((*files, *_stamp_of(record)), until=until)
        with self._ledger.work() as work:
            if Records(work).retained(record.id, until=until, at=now):
                work.record(
                    Event(
                        act=RECORD_RETAINED,
                        actor=WORKER.actor(),
                        subject=record.id,
                        agency=record.agency_id,
                        content={"retain_until": rfc3339(until)},
                    )
                )


def _stamp_of(record: ArchivalRecord) -> tuple[StoredFile, ...]:
    if record.timestamp is None:
        return ()
    return (
        StoredFile(
            path="",
            key=record.timestamp.key,
            version_id=record.timestamp.version_id,
            size=len(record.timestamp.token),
            sha256=b"",
        ),
    )
