"""The second transaction of an ingest: the outcome, once, whoever comes first."""

from collections.abc import Sequence

from archive.errors import IngestLost
from archive.events import RECORD_REGISTERED
from archive.model import ArchivalRecord, Material, RecordTimestamp, StoredPackage
from archive.ports import EvidenceRegister
from archive.repository import Records
from identity.caller import Caller
from trust.kernel.clock import Clock
from trust.ledger.ledger import RecordedWork
from trust.ledger.model import Event, EventReceipt


def register(
    work: RecordedWork,
    record: ArchivalRecord,
    stored: StoredPackage,
    materials: Sequence[Material],
    timestamp: RecordTimestamp | None,
    *,
    caller: Caller,
    clock: Clock,
    evidence: EvidenceRegister,
) -> EventReceipt:
    """Writes outcome, materials, timestamp, event, and that evidence is to be kept.

    Raises IngestLost where there is an outcome already.
    """
    now = clock.now()
    receipt = work.record(
        Event(
            act=RECORD_REGISTERED,
            actor=caller.actor(),
            subject=record.id,
            agency=record.agency_id,
            content={
                "archival_code": str(record.code),
                "package_sha256": stored.package.sha256.hex(),
                "materials": len(materials),
                "stamped": timestamp is not None,
            },
        )
    )
    records = Records(work)
    if not records.register(record.id, stored, materials, event_id=receipt.event_id, at=now):
        raise IngestLost(f"{record.id} was resolved before this request; its record says how")
    evidence.keep(work, group=record.id, objects=[stored.package], agency_id=record.agency_id)
    if timestamp is not None:
        records.stamp(record.id, timestamp, at=now)
    records.retained(record.id, until=stored.retain_until, at=now)
    return receipt
