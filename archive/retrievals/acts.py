"""Reading what is archived: asked for by one person, approved by a second, and every read an event."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from archive.errors import (
    MaterialUnknown,
    RecordUnknown,
    RetrievalPeriodRefused,
    RetrievalRefused,
    RetrievalRequestUnknown,
    SamePersonRefused,
)
from archive.events import (
    MATERIAL_READ,
    PACKAGE_READ,
    RETRIEVAL_APPROVED,
    RETRIEVAL_DECLINED,
    RETRIEVAL_REQUESTED,
)
from archive.ids import RetrievalRequestId
from archive.ingest.storing import PackageOpener, PackageStore
from archive.model import (
    RETRIEVAL_STEPS,
    ArchivalRecord,
    Material,
    RecordState,
    RetrievalRequest,
    RetrievalState,
)
from archive.repository import Records
from archive.retrievals.repository import RetrievalRequests
from archive.rights import READERS, refused, role_required
from identity.caller import Caller, Role
from trust.kernel.clock import Clock, rfc3339
from trust.kernel.errors import YinxinError
from trust.kernel.ids import Ids
from trust.kernel.text import paragraph
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.storage.database import ReadWork

# A retrieval serves one purpose at hand; whoever needs longer asks again.
MAX_PERIOD: Final = timedelta(days=90)


class RetrievalActs:
    """Requests, their decisions, and the reading they allow."""

    def __init__(self, *, ledger: Ledger, packages: PackageStore, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._packages = packages
        self._clock = clock
        self._ids = ids

    def request(
        self, caller: Caller, record_id: str, *, purpose: str, materials: Sequence[str], until: datetime
    ) -> RetrievalRequest:
        """An archivist asks to read these materials of a record until then.

        Raises RoleMissing, RecordUnknown, MaterialUnknown, RetrievalPeriodRefused, InvalidInput on the purpose.
        """
        agency_id = role_required(
            caller, Role.ARCHIVIST, act=RETRIEVAL_REQUESTED, ledger=self._ledger, subject=record_id
        )
        now = self._clock.now()
        if not now < until <= now + MAX_PERIOD:
            raise RetrievalPeriodRefused(f"a retrieval ends in the future, at most {MAX_PERIOD.days} days on")
        request = RetrievalRequest(
            id=self._ids.new(RetrievalRequestId),
            agency_id=agency_id,
            record_id=record_id,
            purpose=paragraph(purpose, what="the purpose", limit=2000),
            materials=tuple(dict.fromkeys(materials)),
            until=until,
            state=RetrievalState.REQUESTED,
            requested_by=caller.require_person(),
            requested_at=now,
            decided_by=None,
            decided_at=None,
            note=None,
        )
        with self._ledger.work() as work:
            record = _registered(work, record_id, agency_id)
            held = {material.name for material in Records(work).materials(record.id)}
            if not request.materials or not held.issuperset(request.materials):
                raise MaterialUnknown("the request names materials that the record does not have, or none")
            RetrievalRequests(work).add(request)
            work.record(
                Event(
                    act=RETRIEVAL_REQUESTED,
                    actor=caller.actor(),
                    subject=request.id,
                    agency=agency_id,
                    content={
                        "record": record.id,
                        "archival_code": str(record.code),
                        "materials": list(request.materials),
                        "purpose": request.purpose,
                        "until": rfc3339(until),
                    },
                )
            )
        return request

    def decide(self, caller: Caller, request_id: str, *, approve: bool, note: str) -> RetrievalRequest:
        """An approver, another natural person than the archivist, approves or declines.

        Raises RoleMissing, RetrievalRequestUnknown, SamePersonRefused, StateRefused, RetrievalPeriodRefused
        where the period asked for has run out before it was approved.
        """
        act = RETRIEVAL_APPROVED if approve else RETRIEVAL_DECLINED
        agency_id = role_required(
            caller, Role.ARCHIVE_APPROVER, act=act, ledger=self._ledger, subject=request_id
        )
        note = paragraph(note, what="the note", limit=2000)
        state = RetrievalState.APPROVED if approve else RetrievalState.DECLINED
        now = self._clock.now()
        with self._ledger.work() as work:
            requests = RetrievalRequests(work)
            request = requests.get(request_id, agency_id=agency_id, lock=True)
            if request.requested_by == caller.require_person():
                raise refused(
                    SamePersonRefused(
                        "whoever asked for a retrieval cannot decide on it; ask a second person"
                    ),
                    caller,
                    act=act,
                    subject=request.id,
                )
            RETRIEVAL_STEPS.require(request.state, state)
            if approve and now >= request.until:
                raise RetrievalPeriodRefused("the period that was asked for is over; ask again")
            requests.decide(request.id, state=state, by=caller.require_person(), at=now, note=note)
            work.record(
                Event(
                    act=act,
                    actor=caller.actor(),
                    subject=request.id,
                    agency=agency_id,
                    content={"note": note},
                )
            )
            return requests.get(request_id, agency_id=agency_id)

    def get(self, caller: Caller, request_id: str) -> RetrievalRequest:
        """Raises RoleMissing, RetrievalRequestUnknown."""
        caller.require_role(*READERS)
        with self._ledger.read() as work:
            return RetrievalRequests(work).get(request_id, agency_id=caller.require_agency())

    def page(self, caller: Caller, *, after: str | None, limit: int) -> tuple[RetrievalRequest, ...]:
        """The agency's requests; raises RoleMissing."""
        caller.require_role(*READERS)
        with self._ledger.read() as work:
            return RetrievalRequests(work).page(agency_id=caller.require_agency(), after=after, limit=limit)

    def read(
        self, caller: Caller, record_id: str, name: str, *, request_id: str | None
    ) -> tuple[Material, bytes]:
        """One material's octets, by a range read, checked against its digest; every read is an event.

        Raises RoleMissing, RecordUnknown, MaterialUnknown; RetrievalRefused, with its event kept, where no
        approved and unexpired request of this very person covers the material; PackageBroken.
        """
        agency_id = role_required(
            caller, Role.ARCHIVIST, act=MATERIAL_READ, ledger=self._ledger, subject=record_id
        )
        with self._ledger.work() as work:
            record = _registered(work, record_id, agency_id)
            request = self._covering(work, caller, record, name, request_id)
            material = Records(work).material(record.id, name)
        octets = self._packages.read_stretch(
            record, offset=material.offset, size=material.size, sha256=material.sha256
        )
        with self._ledger.work() as work:
            work.record(
                Event(
                    act=MATERIAL_READ,
                    actor=caller.actor(),
                    subject=record.id,
                    agency=agency_id,
                    content={
                        "archival_code": str(record.code),
                        "material": name,
                        "retrieval_request": request.id,
                    },
                )
            )
        return material, octets

    def read_package(
        self, caller: Caller, record_id: str, *, request_id: str | None
    ) -> tuple[ArchivalRecord, PackageOpener]:
        """The whole package as what opens a stream over it, where one request covers every material of the record.

        Raises as `read` does; reading a package is an event.
        """
        agency_id = role_required(
            caller, Role.ARCHIVIST, act=PACKAGE_READ, ledger=self._ledger, subject=record_id
        )
        with self._ledger.work() as work:
            record = _registered(work, record_id, agency_id)
            materials = Records(work).materials(record.id)
            requests = [
                self._covering(work, caller, record, material.name, request_id, act=PACKAGE_READ)
                for material in materials
            ]
            work.record(
                Event(
                    act=PACKAGE_READ,
                    actor=caller.actor(),
                    subject=record.id,
                    agency=agency_id,
                    content={
                        "archival_code": str(record.code),
                        "retrieval_request": requests[0].id,
                        "materials": len(materials),
                    },
                )
            )
        return record, self._packages.opener(record)

    def _covering(
        self,
        work: RecordedWork,
        caller: Caller,
        record: ArchivalRecord,
        name: str,
        request_id: str | None,
        *,
        act: str = MATERIAL_READ,
    ) -> RetrievalRequest:
        error: YinxinError = RetrievalRefused("reading a material needs an approved retrieval request")
        if request_id is not None:
            try:
                request = RetrievalRequests(work).get(request_id, agency_id=record.agency_id)
            except RetrievalRequestUnknown as unknown:
                error = unknown
            else:
                if request.covers(
                    record_id=record.id,
                    material=name,
                    person_id=caller.require_person(),
                    at=self._clock.now(),
                ):
                    return request
                error = RetrievalRefused(
                    "this retrieval request is not approved, is over, is another person's, or does not cover it"
                )
        raise refused(error, caller, act=act, subject=record.id)


def _registered(work: ReadWork, record_id: str, agency_id: str) -> ArchivalRecord:
    record = Records(work).get(record_id, agency_id=agency_id)
    if record.state is not RecordState.REGISTERED:
        raise RecordUnknown("there is no such record")
    return record
