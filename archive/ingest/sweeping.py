"""Kept submissions that nobody needs any more: of ingests that ended, or that were never intended."""

from datetime import UTC, datetime, timedelta
from typing import Final

from archive.errors import RecordUnknown
from archive.ids import RecordId
from archive.model import RecordState
from archive.repository import Records
from archive.scheme.repository import ArchivingAgencies
from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger
from trust.storage.objects import ListedObject, ObjectStore

# A request that has kept its submission and not yet recorded its intent is at work for seconds.
UNINTENDED_FOR: Final = timedelta(days=1)


class SweepSubmissions:
    """Purges working objects; the worker's chore, a few times a day."""

    def __init__(self, *, ledger: Ledger, objects: ObjectStore, clock: Clock) -> None:
        self._ledger = ledger
        self._objects = objects
        self._clock = clock

    def __call__(self) -> int:
        """Answers how many submissions were purged."""
        with self._ledger.read() as work:
            agencies = ArchivingAgencies(work).all()
        purged = 0
        for agency_id in agencies:
            for found in self._objects.list(f"{agency_id}/submissions/"):
                if self._is_over(found):
                    self._objects.delete(found.key, found.version_id)
                    purged += 1
        return purged

    def _is_over(self, found: ListedObject) -> bool:
        record_id = RecordId.parse(found.key.split("/")[2])
        try:
            with self._ledger.read() as work:
                record = Records(work).of_any_agency(record_id)
        except RecordUnknown:
            return _made_at(record_id) < self._clock.now() - UNINTENDED_FOR
        return record.state is not RecordState.INTENDED


def _made_at(record_id: RecordId) -> datetime:
    """The moment inside the id's UUIDv7 (RFC 9562 §5.7)."""
    milliseconds = int(record_id.rpartition("_")[2][:12], 16)
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
