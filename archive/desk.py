"""The archive's desk: every act and look-up, built once by wiring."""

from dataclasses import dataclass
from datetime import timedelta

from archive.checks.four_properties import FourPropertyCheck
from archive.ingest.ingest_case import IngestCase
from archive.ingest.resume import ResumeIngests
from archive.ingest.retaining import RetainPermanent
from archive.ingest.stamping import PackageStamps, StampPending
from archive.ingest.storing import PackageStore
from archive.ingest.sweeping import SweepSubmissions
from archive.ports import AgencyDirectory, DocumentVerifier, EvidenceRegister, TimestampSource
from archive.reading import ArchiveReading
from archive.retrievals.acts import RetrievalActs
from archive.reuses.acts import MaterialReuseActs
from archive.scheme.acts import SchemeActs
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger
from trust.storage.objects import ObjectStore


@dataclass(frozen=True, kw_only=True)
class ArchiveDesk:
    """Everything that can be done with the archive.

    `resume`, `stamp_pending`, `retain_permanent` and `sweep` are the worker's chores: about every lease, every
    minute, every day and every few hours.
    """

    scheme: SchemeActs
    ingest: IngestCase
    reading: ArchiveReading
    retrievals: RetrievalActs
    reuses: MaterialReuseActs
    resume: ResumeIngests
    stamp_pending: StampPending
    retain_permanent: RetainPermanent
    sweep: SweepSubmissions


def build_archive(
    *,
    ledger: Ledger,
    objects: ObjectStore,
    timestamps: TimestampSource,
    evidence: EvidenceRegister,
    verifier: DocumentVerifier,
    agencies: AgencyDirectory,
    clock: Clock,
    ids: Ids,
    lease: timedelta,
) -> ArchiveDesk:
    """Joins the acts of the archive with what they need."""
    packages = PackageStore(objects)
    stamps = PackageStamps(objects=objects, timestamps=timestamps)
    return ArchiveDesk(
        scheme=SchemeActs(ledger=ledger, clock=clock, ids=ids),
        ingest=IngestCase(
            ledger=ledger,
            objects=objects,
            check=FourPropertyCheck(verifier),
            packages=packages,
            stamps=stamps,
            evidence=evidence,
            agencies=agencies,
            clock=clock,
            ids=ids,
            lease=lease,
        ),
        reading=ArchiveReading(ledger=ledger),
        retrievals=RetrievalActs(ledger=ledger, packages=packages, clock=clock, ids=ids),
        reuses=MaterialReuseActs(ledger=ledger, packages=packages, clock=clock, ids=ids),
        resume=ResumeIngests(
            ledger=ledger, objects=objects, packages=packages, stamps=stamps, evidence=evidence, clock=clock
        ),
        stamp_pending=StampPending(ledger=ledger, stamps=stamps, clock=clock),
        retain_permanent=RetainPermanent(ledger=ledger, packages=packages, clock=clock),
        sweep=SweepSubmissions(ledger=ledger, objects=objects, clock=clock),
    )
