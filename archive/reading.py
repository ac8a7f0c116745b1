"""Looking records up, without their content: for archive staff and auditors, and for the submitting application."""

from dataclasses import dataclass, replace

from archive.errors import RecordUnknown
from archive.model import ArchivalRecord, Material
from archive.repository import Records
from archive.rights import READERS
from archive.search import RecordQuery
from identity.caller import Caller, CallerKind, Scope
from trust.ledger.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class RecordDetails:
    """A record with what its package holds and the ids of the reuses that its case cites."""

    record: ArchivalRecord
    materials: tuple[Material, ...]
    citations: tuple[str, ...]


class ArchiveReading:
    """Records of the caller's agency; an application sees those it submitted."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    def search(self, caller: Caller, query: RecordQuery) -> tuple[ArchivalRecord, ...]:
        """One page; raises RoleMissing, ScopeMissing."""
        agency_id = self._reader(caller)
        if caller.kind is CallerKind.APPLICATION:
            query = replace(query, application_id=caller.account_id)
        with self._ledger.read() as work:
            return Records(work).search(agency_id, query)

    def record(self, caller: Caller, record_id: str) -> RecordDetails:
        """Raises RoleMissing, ScopeMissing, RecordUnknown."""
        agency_id = self._reader(caller)
        with self._ledger.read() as work:
            records = Records(work)
            record = records.get(record_id, agency_id=agency_id)
            if caller.kind is CallerKind.APPLICATION and record.application_id != caller.account_id:
                raise RecordUnknown("there is no such record")
            return RecordDetails(
                record=record,
                materials=records.materials(record.id),
                citations=records.citations(record.id),
            )

    def _reader(self, caller: Caller) -> str:
        if caller.kind is CallerKind.APPLICATION:
            caller.require_scope(Scope.ARCHIVE_INGEST)
        else:
            caller.require_role(*READERS)
        return caller.require_agency()
