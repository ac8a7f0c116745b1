"""Asking for a licence to be issued, and finishing what a crash left."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

import structlog

from identity.caller import WORKER, Caller, Scope
from licences import events
from licences.access import require_issuing_application
from licences.acts.drafting import Drafting
from licences.acts.procedure import IssuingAttempt, IssuingProcedure
from licences.acts.statements import Statements
from licences.errors import LicenceAbandoned, LicenceLost
from licences.ids import LicenceVersionId
from licences.model import AgencyRows, IssueRequest, Licence, LicenceState
from licences.reading import LicenceReader
from licences.repository import LicenceRows
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger
from trust.storage import idempotency
from trust.storage.idempotency import IdempotencyClaim

# What one run of the worker takes on; the next run takes what is left.
MAX_RESUMED: Final = 50
_log = structlog.get_logger("yinxin.licences")


def claim(caller: Caller, act: str, key: str, body: dict[str, Any]) -> IdempotencyClaim:
    """A caller's idempotency key for an act, with the digest of what was asked; raises IdempotencyKeyRefused."""
    return IdempotencyClaim(
        caller=caller.account_id,
        act=act,
        key=key,
        # Not canonical JSON: whatever a caller sends has a digest, even what will be refused.
        body_digest=hashlib.sha256(json.dumps(body, sort_keys=True).encode("ascii")).digest(),
    )


def require_alive(licence: Licence) -> Licence:
    """The licence; raises LicenceAbandoned where an earlier request with this key came to nothing."""
    if licence.state is LicenceState.ABANDONED:
        raise LicenceAbandoned(
            f"an earlier request with this key could not be fulfilled ({licence.version.licence_id}); "
            "look into what was refused then, and use a new key"
        )
    return licence


class IssueLicence:
    """Issues a licence (制证): asked for by an application with `licence:issue` or a licence officer.

    Raises what `Statements.check` and `IssuingProcedure` raise, IdempotencyKeyReused, and for the wrong caller
    ScopeMissing, RoleMissing or KindRefused. The same key and body again answer with the same licence, also
    while it is still being issued; LicenceAbandoned where it came to nothing.
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

    def __call__(self, request: IssueRequest, caller: Caller, *, idempotency_key: str) -> Licence:
        version_id = self._procedure.run(lambda: self._begin(request, caller, idempotency_key))
        licence = self._reader.version(version_id, scope=AgencyRows(agency_id=caller.require_agency()))
        return require_alive(licence)

    def _begin(
        self, request: IssueRequest, caller: Caller, idempotency_key: str
    ) -> IssuingAttempt | LicenceVersionId:
        subject = caller.agency_id or caller.account_id
        with events.refusals_kept(self._ledger, events.LICENCE_INTENDED, caller, subject=subject):
            agency_id = require_issuing_application(caller, Scope.LICENCE_ISSUE)
            asked = claim(caller, events.LICENCE_INTENDED, idempotency_key, _body(request))
            with self._ledger.read() as reading:
                earlier = idempotency.find(reading, asked)
            if earlier is not None:
                return LicenceVersionId(earlier)
            statement = self._statements.check(
                agency_id=agency_id,
                type_code=request.type_code,
                holder=request.holder,
                fields=request.fields,
                valid_from=request.valid_from,
                valid_until=request.valid_until,
                case_number=request.case_number,
            )
            version_id = self._ids.new(LicenceVersionId)
            with self._ledger.work() as work:
                taken = idempotency.claim_for(work, asked, subject=version_id, at=self._clock.now())
                if taken != version_id:
                    return LicenceVersionId(taken)
                return self._drafting.intend_first(work, statement, caller, version_id=version_id)


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """What one run of the worker came to: versions issued, abandoned, and left for a later run."""

    issued: int = 0
    abandoned: int = 0
    waiting: int = 0


class ResumeIssuing:
    """Finishes, by the same steps, the versions whose lease has run out without an end."""

    def __init__(
        self, *, ledger: Ledger, drafting: Drafting, procedure: IssuingProcedure, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._drafting = drafting
        self._procedure = procedure
        self._clock = clock

    def __call__(self, *, limit: int = MAX_RESUMED) -> Resumed:
        with self._ledger.read() as work:
            due = LicenceRows(work).without_lease(at=self._clock.now(), limit=limit)
        issued = abandoned = waiting = 0
        for version_id in due:
            try:
                self._procedure.run(partial(self._take_over, version_id))
            except LicenceLost:
                pass  # somebody else has concluded it, or has it in hand
            except YinxinError as refused:
                _log.warning("licence.not-resumed", version=version_id, code=refused.code)
                waiting, abandoned = waiting + refused.retryable, abandoned + (not refused.retryable)
            except Exception as fault:
                # A fault of ours in one version must not keep the others waiting; no content goes into a log.
                _log.error("licence.fault", version=version_id, fault=type(fault).__name__)
                waiting += 1
            else:
                issued += 1
        return Resumed(issued=issued, abandoned=abandoned, waiting=waiting)

    def _take_over(self, version_id: LicenceVersionId) -> IssuingAttempt:
        with self._ledger.work() as work:
            attempt = self._drafting.take_over(work, version_id, WORKER)
        if attempt is None:
            raise LicenceLost("somebody else has this version in hand")
        return attempt


def _body(request: IssueRequest) -> dict[str, Any]:
    def text(day: date | None) -> str | None:
        return None if day is None else day.isoformat()

    return {
        "type_code": request.type_code,
        "holder": [request.holder.kind.value, request.holder.name, request.holder.code],
        "fields": dict(request.fields),
        "valid_from": text(request.valid_from),
        "valid_until": text(request.valid_until),
        "case_number": request.case_number,
    }
