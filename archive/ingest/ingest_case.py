"""Archiving one case: from the submission to the receipt for its record (归档).

The numbered steps of `IngestCase.__call__` are the procedure of the architecture page. A crash after any of them
leaves at most an intent without an outcome, which `archive.ingest.resume` brings to its end when its lease is over.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final

from archive.checks.four_properties import FourPropertyCheck, FourPropertyReport, Surroundings
from archive.codes import ArchivalCode, retain_until
from archive.errors import (
    ArchiveClassUnknown,
    IngestAbandoned,
    IngestInProgress,
    RetentionOver,
    SubmissionRefused,
)
from archive.events import RECORD_INTENDED
from archive.ids import RecordId
from archive.ingest.manifest import Manifest, read_manifest
from archive.ingest.package import MANIFEST_FILE, REPORT_FILE, REUSED_FILE, build_package
from archive.ingest.registration import register
from archive.ingest.stamping import PackageStamps
from archive.ingest.storing import PackageStore
from archive.ingest.submission import (
    IncomingFile,
    Received,
    keep_submission,
    received_files,
    received_package,
)
from archive.model import ArchivalRecord, ArchiveClass, MaterialReuse, RecordState
from archive.ports import AgencyDirectory, EvidenceRegister
from archive.repository import Records
from archive.reuses.repository import MaterialReuses
from archive.rights import refused, scope_required
from archive.scheme.repository import ClassificationScheme
from identity.caller import Caller, Scope
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock
from trust.kernel.errors import FieldError, InvalidInput, Unavailable
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event, EventReceipt
from trust.storage.idempotency import IdempotencyClaim, claim_for, find
from trust.storage.objects import ObjectStore, StoredObject

# Packing and storing a case of hundreds of megabytes takes under half a minute.
INGEST_LEASE: Final = timedelta(minutes=2)
ACT: Final = "ingest"
# A lock in the past cannot be set; what has less than a day left is for appraisal.
_LEAST_RETENTION: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class IngestRequest:
    """A submission: the manifest's octets, and the files either one by one or in one zip (which can seek)."""

    manifest: bytes
    files: Sequence[IncomingFile]
    package: BinaryIO | None
    idempotency_key: str
    body_digest: bytes


@dataclass(frozen=True, kw_only=True)
class IngestedCase:
    """The registered record; `receipt` is the ledger's promise for the event that registered it."""

    record: ArchivalRecord
    receipt: EventReceipt | None


class IngestCase:
    """Archives a case for an application of its agency.

    Raises ManifestRefused, ZipRefused, SubmissionTooLarge or SubmissionRefused before any number is taken, and
    IngestLost when the worker has resolved this ingest first. Whatever it raises, the record was either never
    intended or its intent is recorded and will be resolved.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        check: FourPropertyCheck,
        packages: PackageStore,
        stamps: PackageStamps,
        evidence: EvidenceRegister,
        agencies: AgencyDirectory,
        clock: Clock,
        ids: Ids,
        lease: timedelta = INGEST_LEASE,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._check = check
        self._packages = packages
        self._stamps = stamps
        self._evidence = evidence
        self._agencies = agencies
        self._clock = clock
        self._ids = ids
        self._lease = lease

    def __call__(self, request: IngestRequest, caller: Caller) -> IngestedCase:
        # 1. Who may; an earlier answer is given again; the submission is received and counted.
        agency_id = scope_required(caller, Scope.ARCHIVE_INGEST, act=RECORD_INTENDED, ledger=self._ledger)
        claim = IdempotencyClaim(
            caller=caller.account_id, act=ACT, key=request.idempotency_key, body_digest=request.body_digest
        )
        earlier = self._earlier(claim, agency_id)
        if earlier is not None:
            return earlier
        manifest = read_manifest(request.manifest)
        with _received(request) as received, tempfile.TemporaryFile() as package:
            # 2. The four-property check; what passes is kept, so that whatever follows can be done again.
            known = self._surroundings(manifest, caller, agency_id)
            checked = self._check(manifest, received, known)
            archive_class = self._require_passed(checked, known, caller)
            until = self._retain_until(manifest, archive_class)
            record_id = self._ids.new(RecordId)
            tags = _tags(manifest, checked, known)
            kept = self._keep(f"{agency_id}/submissions/{record_id}/submission.zip", received, tags)

            # 3. Take the archival code and record the intent; nothing is put under a lock before this commits.
            record = self._record(record_id, manifest, archive_class, caller, kept=kept, until=until)
            with self._ledger.work() as work:
                subject = claim_for(work, claim, subject=record_id, at=record.intended_at)
                if subject == record_id:
                    record = _numbered(work, record)
                    Records(work).intend(record, citations=[cited.reuse_id for cited in manifest.reused])
                    work.record(_intended(record, caller))
            if subject != record_id:
                self._purge(kept)
                return self._answer(subject, agency_id)

            # 4. One package, a bag in a stored zip.
            materials = build_package(package, record, manifest, received, tags)

            # 5. One OCFL object under its lock; the lock is read back and the octets are compared.
            stored = self._packages.put(record, package)

        # 6. A timestamp over the package, if the authority is there; then say that the record exists, unless the
        #    worker spoke first. What was kept for resuming is no longer needed.
        timestamp = self._stamps.obtain(record, stored.package.sha256)
        with self._ledger.work() as work:
            receipt = register(
                work, record, stored, materials, timestamp,
                caller=caller, clock=self._clock, evidence=self._evidence,
            )  # fmt: skip
        self._purge(kept)
        with self._ledger.read() as reading:
            return IngestedCase(record=Records(reading).get(record.id, agency_id=agency_id), receipt=receipt)

    def _earlier(self, claim: IdempotencyClaim, agency_id: str) -> IngestedCase | None:
        with self._ledger.read() as work:
            subject = find(work, claim)
        return None if subject is None else self._answer(subject, agency_id)

    def _answer(self, record_id: str, agency_id: str) -> IngestedCase:
        """What a retry gets: the record's own answer, whatever its state."""
        with self._ledger.read() as work:
            record = Records(work).get(record_id, agency_id=agency_id)
        if record.state is RecordState.INTENDED:
            raise IngestInProgress(f"{record.id} is still at work; ask again after a moment")
        if record.state is RecordState.ABANDONED:
            raise IngestAbandoned(f"{record.id} did not come to its end; submit again with a new key")
        return IngestedCase(record=record, receipt=None)

    def _surroundings(self, manifest: Manifest, caller: Caller, agency_id: str) -> Surroundings:
        with self._ledger.read() as work:
            try:
                archive_class = ClassificationScheme(work, agency_id=agency_id).by_code(manifest.class_code)
            except ArchiveClassUnknown:
                archive_class = None
            reuses = MaterialReuses(work).made_by(
                agency_id, ids=[cited.reuse_id for cited in manifest.reused]
            )
        return Surroundings(
            archive_class=archive_class,
            item_known=self._agencies.has_item(caller.require_agency(), manifest.item_code),
            reuses=reuses,
            now=self._clock.now(),
        )

    def _require_passed(
        self, checked: FourPropertyReport, known: Surroundings, caller: Caller
    ) -> ArchiveClass:
        """The class to file under; raises SubmissionRefused, with its event, where any check failed."""
        if not checked.errors and known.archive_class is not None:
            return known.archive_class
        codes = ", ".join(checked.report.reasons())
        error = SubmissionRefused(f"the submission fails the checks: {codes}", errors=checked.errors)
        with self._ledger.work():
            raise refused(error, caller, act=RECORD_INTENDED, subject="archive")

    def _retain_until(self, manifest: Manifest, archive_class: ArchiveClass) -> datetime:
        now = self._clock.now()
        retention = manifest.retention or archive_class.retention
        until = retain_until(retention, manifest.event_date, now=now)
        if until < now + _LEAST_RETENTION:
            raise RetentionOver(
                "the retention period is over: appraise this case instead of archiving it",
                errors=[FieldError(pointer="/event_date", detail=f"{retention} from this day has passed")],
            )
        return until

    def _keep(self, key: str, received: Received, tags: Mapping[str, bytes]) -> StoredObject:
        with tempfile.TemporaryFile() as bag:
            keep_submission(bag, received, tags)
            bag.seek(0)
            return self._objects.put(key, bag)

    def _purge(self, kept: StoredObject) -> None:
        """What is kept is no longer needed; where the store is away for that, the worker sweeps it later."""
        with suppress(Unavailable):
            self._objects.delete(kept.key, kept.version_id)

    def _record(
        self,
        record_id: RecordId,
        manifest: Manifest,
        archive_class: ArchiveClass,
        caller: Caller,
        *,
        kept: StoredObject,
        until: datetime,
    ) -> ArchivalRecord:
        """The record as it will be, but for its item's number."""
        now = self._clock.now()
        return ArchivalRecord(
            id=record_id,
            agency_id=archive_class.agency_id,
            agency_name=self._agencies.agency(archive_class.agency_id).name,
            code=ArchivalCode(
                fonds=archive_class.fonds,
                class_code=archive_class.code,
                year=manifest.event_date.year,
                retention=manifest.retention or archive_class.retention,
                office=manifest.office or archive_class.office,
                item=0,
            ),
            class_id=archive_class.id,
            title=manifest.title,
            case_number=manifest.case_number,
            item_code=manifest.item_code,
            event_date=manifest.event_date,
            retain_until=until,
            application_id=caller.account_id,
            manifest_sha256=manifest.sha256,
            submission_key=kept.key,
            submission_version=kept.version_id,
            submission_sha256=kept.sha256,
            lease_until=now + self._lease,
            intended_at=now,
            state=RecordState.INTENDED,
            package_key=None,
            package_version=None,
            package_sha256=None,
            package_size=None,
            concluded_at=None,
            event_id=None,
            timestamp=None,
        )


def _received(request: IngestRequest) -> AbstractContextManager[Received]:
    if request.package is not None and request.files:
        raise InvalidInput("send the files one by one or in one zip, not both")
    return received_files(request.files) if request.package is None else received_package(request.package)


def _numbered(work: RecordedWork, record: ArchivalRecord) -> ArchivalRecord:
    item = Records(work).take_number(record.agency_id, record.code.series)
    return replace(record, code=replace(record.code, item=item))


def _tags(manifest: Manifest, checked: FourPropertyReport, known: Surroundings) -> dict[str, bytes]:
    tags = {MANIFEST_FILE: manifest.octets, REPORT_FILE: canonical_json(checked.report.to_json())}
    if manifest.reused:
        cited = [_cited(known.reuses[each.reuse_id]) for each in manifest.reused]
        tags[REUSED_FILE] = canonical_json({"reused": cited})
    return tags


def _cited(reuse: MaterialReuse) -> dict[str, Any]:
    return {
        "reuse_id": reuse.id,
        "archival_code": reuse.archival_code,
        "material": reuse.material,
        "sha256": reuse.sha256.hex(),
        "holder_agency": reuse.holder_agency_id,
        "record_id": reuse.record_id,
        "purpose": reuse.purpose,
        "basis": reuse.basis.value,
        "basis_reference": reuse.basis_reference,
        "event_id": reuse.event_id,
    }


def _intended(record: ArchivalRecord, caller: Caller) -> Event:
    return Event(
        act=RECORD_INTENDED,
        actor=caller.actor(),
        subject=record.id,
        agency=record.agency_id,
        content={
            "archival_code": str(record.code),
            "title": record.title,
            "case_number": record.case_number,
            "item_code": record.item_code,
            "manifest_sha256": record.manifest_sha256.hex(),
            "submission_sha256": record.submission_sha256.hex(),
        },
    )
