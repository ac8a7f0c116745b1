"""What a crash left: ingests without an outcome, brought to their end by the worker when their lease is over."""

import hashlib
import tempfile
from collections.abc import Sequence
from typing import BinaryIO, Final

from archive.errors import IngestLost
from archive.events import RECORD_ABANDONED
from archive.ingest.manifest import read_manifest
from archive.ingest.package import MANIFEST_FILE, build_package
from archive.ingest.registration import register
from archive.ingest.stamping import PackageStamps
from archive.ingest.storing import PackageStore
from archive.ingest.submission import kept_submission
from archive.model import ArchivalRecord, Material
from archive.ports import EvidenceRegister
from archive.repository import Records
from identity.caller import WORKER
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable, YinxinError
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.storage.objects import ObjectMissing, ObjectStore

_CHUNK_OCTETS: Final = 1024 * 1024


class ResumeIngests:
    """Does the same steps from what was kept; abandons an ingest whose submission is gone or not itself."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        packages: PackageStore,
        stamps: PackageStamps,
        evidence: EvidenceRegister,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._packages = packages
        self._stamps = stamps
        self._evidence = evidence
        self._clock = clock

    def __call__(self, *, limit: int = 20) -> int:
        """Resolves overdue ingests; answers how many. Two workers at once are harmless: one outcome is written.

        Raises Unavailable where a part is away. Any other fault of one ingest is raised when the rest are done.
        """
        with self._ledger.read() as work:
            overdue = Records(work).overdue(self._clock.now(), limit=limit)
        faults: list[YinxinError] = []
        for record in overdue:
            try:
                self._resolve(record)
            except Unavailable:
                raise
            except YinxinError as fault:
                faults.append(fault)
        if faults:
            raise faults[0]
        return len(overdue)

    def _resolve(self, record: ArchivalRecord) -> None:
        try:
            with tempfile.TemporaryFile() as kept, tempfile.TemporaryFile() as package:
                materials = self._rebuilt(record, kept, package)
                if materials is None:
                    self._abandon(record)
                else:
                    self._complete(record, package, materials)
        except IngestLost:
            return  # the request or another worker has written the outcome: rolled back, nothing to add
        self._objects.delete(record.submission_key, record.submission_version)

    def _rebuilt(
        self, record: ArchivalRecord, kept: BinaryIO, package: BinaryIO
    ) -> Sequence[Material] | None:
        """The package from the kept submission; None where that is gone, or is no longer what was checked."""
        digest = hashlib.sha256()
        try:
            with self._objects.open(record.submission_key, record.submission_version) as stream:
                while chunk := stream.read(_CHUNK_OCTETS):
                    digest.update(chunk)
                    kept.write(chunk)
        except ObjectMissing:
            return None
        if digest.digest() != record.submission_sha256:
            return None
        received, tags = kept_submission(kept)
        manifest = read_manifest(tags[MANIFEST_FILE])
        return build_package(package, record, manifest, received, tags)

    def _complete(self, record: ArchivalRecord, package: BinaryIO, materials: Sequence[Material]) -> None:
        stored = self._packages.put(record, package)
        timestamp = self._stamps.obtain(record, stored.package.sha256)
        with self._ledger.work() as work:
            register(
                work,
                record,
                stored,
                materials,
                timestamp,
                caller=WORKER,
                clock=self._clock,
                evidence=self._evidence,
            )

    def _abandon(self, record: ArchivalRecord) -> None:
        with self._ledger.work() as work:
            receipt = work.record(
                Event(
                    act=RECORD_ABANDONED,
                    actor=WORKER.actor(),
                    subject=record.id,
                    agency=record.agency_id,
                    content={"archival_code": str(record.code)},
                )
            )
            if not Records(work).abandon(record.id, event_id=receipt.event_id, at=self._clock.now()):
                raise IngestLost(f"{record.id} was resolved by somebody else")
