"""Reusing an archived material in another case: granted on a ground, delivered with its proof."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from archive.codes import ArchivalCode
from archive.errors import MaterialReuseOver, MaterialReuseUnknown, MaterialUnknown
from archive.events import REUSE_DELIVERED, REUSE_GRANTED
from archive.ids import MaterialReuseId
from archive.ingest.storing import PackageStore
from archive.model import (
    REUSABLE_ROLES,
    ArchivalRecord,
    Material,
    MaterialReuse,
    RecordState,
    ReuseBasis,
)
from archive.repository import Records
from archive.reuses.repository import MaterialReuses
from archive.rights import READERS, refused, scope_required
from archive.scheme.repository import ClassificationScheme
from identity.caller import Caller, CallerKind, Scope
from identity.ids import AgencyId
from trust.kernel.clock import Clock
from trust.kernel.errors import InvalidInput, NotFound
from trust.kernel.ids import Ids
from trust.kernel.text import line, paragraph
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.storage.database import ReadWork

# Long enough for a case officer's week, short enough that a consent is not used for something else later.
DELIVERY_PERIOD: Final = timedelta(days=7)
_UNKNOWN: Final = "there is no such material that is open to reuse"


@dataclass(frozen=True, kw_only=True)
class ReuseRequest:
    """What is asked for, and why. `basis_reference` names the holder's consent, or the provision relied on."""

    archival_code: str
    material: str
    case_number: str
    purpose: str
    basis: ReuseBasis
    basis_reference: str


@dataclass(frozen=True, kw_only=True)
class ReuseProof:
    """What proves the delivered octets: their digest is in the package, the package's under a timestamp.

    `timestamp` is the RFC 3161 token (DER) over `package_sha256`, None while it is wanting; `event_id` is the
    ledger's event that registered the record.
    """

    archival_code: str
    material: Material
    package_sha256: bytes
    timestamp: bytes | None
    event_id: str


@dataclass(frozen=True, kw_only=True)
class GrantedReuse:
    """A reuse with its proof."""

    reuse: MaterialReuse
    proof: ReuseProof


class MaterialReuseActs:
    """Applications reuse for their agency's cases; both agencies see it in the ledger."""

    def __init__(self, *, ledger: Ledger, packages: PackageStore, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._packages = packages
        self._clock = clock
        self._ids = ids

    def grant(self, caller: Caller, request: ReuseRequest) -> GrantedReuse:
        """Grants the reuse of one material to the caller's agency, for one case.

        Another agency's material has to be of a class that its agency has opened to reuse, and never one that was
        disclosed to it alone. Raises ScopeMissing, InvalidInput on text, MaterialUnknown for all that is not open.
        """
        agency_id = scope_required(caller, Scope.ARCHIVE_REUSE, act=REUSE_GRANTED, ledger=self._ledger)
        case_number = line(request.case_number, what="the citing case's number", limit=80)
        purpose = paragraph(request.purpose, what="the purpose", limit=2000)
        reference = line(request.basis_reference, what="the consent or legal basis")
        now = self._clock.now()
        reuse_id = self._ids.new(MaterialReuseId)
        with self._ledger.work() as work:
            record, material = self._open_to(work, caller, agency_id, request)
            common = {
                "record": record.id,
                "archival_code": str(record.code),
                "material": material.name,
                "material_sha256": material.sha256.hex(),
                "recipient_agency": agency_id,
                "case_number": case_number,
                "purpose": purpose,
                "basis": request.basis.value,
                "basis_reference": reference,
            }
            receipts = work.record_all(
                [
                    Event(
                        act=REUSE_GRANTED,
                        actor=caller.actor(),
                        subject=reuse_id,
                        agency=concerned,
                        content=common,
                    )
                    for concerned in _agencies(agency_id, record.agency_id)
                ]
            )
            reuse = MaterialReuse(
                id=reuse_id,
                holder_agency_id=record.agency_id,
                recipient_agency_id=agency_id,
                application_id=caller.account_id,
                record_id=record.id,
                archival_code=str(record.code),
                material=material.name,
                sha256=material.sha256,
                case_number=case_number,
                purpose=purpose,
                basis=request.basis,
                basis_reference=reference,
                granted_at=now,
                deliver_until=now + DELIVERY_PERIOD,
                event_id=receipts[0].event_id,
            )
            MaterialReuses(work).add(reuse)
        return GrantedReuse(reuse=reuse, proof=_proof(record, material))

    def get(self, caller: Caller, reuse_id: str) -> GrantedReuse:
        """For the application that made it, and for archivists and auditors of both agencies."""
        agency_id = _reader(caller)
        with self._ledger.read() as work:
            return self._granted(work, caller, reuse_id, agency_id)

    def page(self, caller: Caller, *, after: str | None, limit: int) -> tuple[MaterialReuse, ...]:
        """Reuses of the agency's records and by its cases; for archivists, approvers and auditors."""
        caller.require_role(*READERS)
        with self._ledger.read() as work:
            return MaterialReuses(work).page(agency_id=caller.require_agency(), after=after, limit=limit)

    def content(self, caller: Caller, reuse_id: str) -> tuple[GrantedReuse, bytes]:
        """The material's octets, by a range read, checked; each delivery is an event of both agencies.

        Raises ScopeMissing, MaterialReuseUnknown, MaterialReuseOver after its time, PackageBroken.
        """
        agency_id = scope_required(
            caller, Scope.ARCHIVE_REUSE, act=REUSE_DELIVERED, ledger=self._ledger, subject=reuse_id
        )
        with self._ledger.work() as work:
            granted = self._granted(work, caller, reuse_id, agency_id)
            reuse = granted.reuse
            if self._clock.now() >= reuse.deliver_until:
                raise refused(
                    MaterialReuseOver("the time for delivering this material has passed"),
                    caller,
                    act=REUSE_DELIVERED,
                    subject=reuse.id,
                )
            record = Records(work).of_any_agency(reuse.record_id)
        material = granted.proof.material
        octets = self._packages.read_stretch(
            record, offset=material.offset, size=material.size, sha256=reuse.sha256
        )
        with self._ledger.work() as work:
            work.record_all(
                [
                    Event(
                        act=REUSE_DELIVERED,
                        actor=caller.actor(),
                        subject=reuse.id,
                        agency=concerned,
                        content={
                            "record": reuse.record_id,
                            "archival_code": reuse.archival_code,
                            "material": reuse.material,
                        },
                    )
                    for concerned in _agencies(reuse.recipient_agency_id, reuse.holder_agency_id)
                ]
            )
        return granted, octets

    def _granted(self, work: ReadWork, caller: Caller, reuse_id: str, agency_id: str) -> GrantedReuse:
        reuse = MaterialReuses(work).get(reuse_id, agency_id=agency_id)
        if caller.kind is CallerKind.APPLICATION and reuse.application_id != caller.account_id:
            raise MaterialReuseUnknown("there is no such reuse")
        record = Records(work).of_any_agency(reuse.record_id)
        return GrantedReuse(
            reuse=reuse, proof=_proof(record, Records(work).material(record.id, reuse.material))
        )

    def _open_to(
        self, work: RecordedWork, caller: Caller, agency_id: AgencyId, request: ReuseRequest
    ) -> tuple[ArchivalRecord, Material]:
        """The record and material, where they are open to this agency; one answer for all that is not."""
        holder: str | None = None
        try:
            record = Records(work).by_code_of_any_agency(str(ArchivalCode.parse(request.archival_code)))
            holder = record.agency_id
            material = Records(work).material(record.id, request.material)
            defined = ClassificationScheme(work, agency_id=holder).get(record.class_id)
        except (ValueError, NotFound):
            raise refused(
                MaterialUnknown(_UNKNOWN), caller, act=REUSE_GRANTED, subject="archive", agency_id=holder
            ) from None
        if (
            record.state is not RecordState.REGISTERED
            or material.role not in REUSABLE_ROLES
            or (record.agency_id != agency_id and not defined.open_to_reuse)
        ):
            raise refused(
                MaterialUnknown(_UNKNOWN), caller, act=REUSE_GRANTED, subject=record.id, agency_id=holder
            )
        return record, material


def _reader(caller: Caller) -> AgencyId:
    if caller.kind is CallerKind.APPLICATION:
        caller.require_scope(Scope.ARCHIVE_REUSE)
    else:
        caller.require_role(*READERS)
    return caller.require_agency()


def _agencies(recipient: str, holder: str) -> tuple[str, ...]:
    """Both agencies, the recipient first; one where a case reuses its own agency's record."""
    return tuple(dict.fromkeys((recipient, holder)))


def _proof(record: ArchivalRecord, material: Material) -> ReuseProof:
    if record.package_sha256 is None or record.event_id is None:
        raise InvalidInput(f"{record.id} is not registered")
    return ReuseProof(
        archival_code=str(record.code),
        material=material,
        package_sha256=record.package_sha256,
        timestamp=None if record.timestamp is None else record.timestamp.token,
        event_id=record.event_id,
    )
