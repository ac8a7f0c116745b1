"""A licence is changed (变更): a new version is issued in the place of the present one."""

from datetime import date
from typing import Any, Final

from identity.caller import Caller, Scope
from licences import events
from licences.access import require_issuing_application
from licences.acts.drafting import Drafting
from licences.acts.issue import claim, require_alive
from licences.acts.procedure import IssuingAttempt, IssuingProcedure
from licences.acts.statements import Statements
from licences.errors import LicenceChangeInProgress
from licences.ids import LicenceVersionId
from licences.model import (
    LICENCE_STEPS,
    AgencyRows,
    ChangeRequest,
    Licence,
    LicenceHolder,
    LicenceState,
)
from licences.reading import LicenceReader
from licences.repository import LicenceRows
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger
from trust.storage import idempotency

MAX_REASON: Final = 300


class ChangeLicence:
    """Changes a valid licence: `licence:manage` or a licence officer.

    The former version stays valid until the new one is issued, by the procedure of issuing, and is then
    marked invalid in the same transaction. Raises LicenceUnknown, StateRefused where the licence is not
    valid, LicenceChangeInProgress, and what IssueLicence raises.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        statements: Statements,
        drafting: Drafting,
        procedure: IssuingProcedure,
        reader: LicenceReader,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._statements = statements
        self._drafting = drafting
        self._procedure = procedure
        self._reader = reader
        self._clock = clock
        self._ids = ids

    def __call__(self, request: ChangeRequest, caller: Caller, *, idempotency_key: str) -> Licence:
        version_id = self._procedure.run(lambda: self._begin(request, caller, idempotency_key))
        licence = self._reader.version(version_id, scope=AgencyRows(agency_id=caller.require_agency()))
        return require_alive(licence)

    def _begin(
        self, request: ChangeRequest, caller: Caller, idempotency_key: str
    ) -> IssuingAttempt | LicenceVersionId:
        with events.refusals_kept(self._ledger, events.LICENCE_INTENDED, caller, subject=request.licence_id):
            scope = AgencyRows(agency_id=require_issuing_application(caller, Scope.LICENCE_MANAGE))
            asked = claim(caller, "licence.changed", idempotency_key, _body(request))
            reason = line(request.reason, what="the reason of the change", limit=MAX_REASON)
            with self._ledger.read() as reading:
                earlier = idempotency.find(reading, asked)
            if earlier is not None:
                return LicenceVersionId(earlier)
            present = self._reader.current(request.licence_id, scope=scope)
            LICENCE_STEPS.require(present.state, LicenceState.REPLACED)
            holder = present.content.holder
            statement = self._statements.check(
                agency_id=scope.agency_id,
                type_code=present.version.type_code,
                holder=LicenceHolder(
                    kind=holder.kind, name=request.holder_name or holder.name, code=holder.code
                ),
                fields=present.content.fields if request.fields is None else request.fields,
                valid_from=request.valid_from or present.version.valid_from,
                valid_until=request.valid_until,
                case_number=request.case_number,
                former_until=present.version.valid_until,
            )
            version_id = self._ids.new(LicenceVersionId)
            with self._ledger.work() as work:
                taken = idempotency.claim_for(work, asked, subject=version_id, at=self._clock.now())
                if taken != version_id:
                    return LicenceVersionId(taken)
                rows = LicenceRows(work)
                rows.lock(request.licence_id)
                former = rows.current(request.licence_id, scope=scope)
                LICENCE_STEPS.require(former.stored_state, LicenceState.REPLACED)
                if former.version_id != present.version.version_id or rows.versions_in_work(
                    former.licence_id
                ):
                    raise LicenceChangeInProgress(
                        "another change of this licence is being issued; wait for it"
                    )
                return self._drafting.intend_change(
                    work,
                    statement,
                    caller,
                    version_id=version_id,
                    former=former,
                    number=present.content.number,
                    reason=reason,
                )


def _body(request: ChangeRequest) -> dict[str, Any]:
    def text(day: date | None) -> str | None:
        return None if day is None else day.isoformat()

    return {
        "licence_id": request.licence_id,
        "reason": request.reason,
        "holder_name": request.holder_name,
        "fields": None if request.fields is None else dict(request.fields),
        "valid_from": text(request.valid_from),
        "valid_until": text(request.valid_until),
        "case_number": request.case_number,
    }
