"""A presentation is redeemed: the named recipient gets a verification report and only the agreed fields, once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from identity.caller import Caller, Scope
from licences import events
from licences.acts.issue import claim
from licences.acts.present import code_digest
from licences.acts.statements import MAX_CASE_NUMBER
from licences.addresses import Addresses
from licences.errors import (
    LicenceContentErased,
    PresentationAlreadyRedeemed,
    PresentationExpired,
    PresentationForSomeoneElse,
    PresentationUnknown,
    RedemptionAnswerErased,
)
from licences.ids import RedemptionId, UsageEntryId
from licences.model import EveryRow, LicenceVersion
from licences.ports import TrustView
from licences.presentations.model import Presentation, RedeemRequest, Redemption, UsageAct
from licences.presentations.repository import PresentationRows, UsageNote, UsageRows
from licences.protection import ContentCipher
from licences.reading import LicenceReader
from licences.repository import LicenceRows
from licences.status.lists import StatusTokens
from trust.credentials import sd_jwt, vc
from trust.credentials.sd_jwt import SdJwtVerification
from trust.kernel.clock import Clock, parse_rfc3339, rfc3339
from trust.kernel.errors import Conflict, Forbidden, NotFound, YinxinError
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.storage import idempotency
from trust.storage.idempotency import IdempotencyClaim

MAX_OPERATOR: Final = 60
MAX_CODE_TEXT: Final = 100
MAX_ITEM_CODE: Final = 64


class RedeemPresentation:
    """Redeems a presentation for the application it names: scope `presentation:redeem`, by POST only.

    Raises ScopeMissing, PresentationUnknown, PresentationExpired, PresentationForSomeoneElse and
    PresentationAlreadyRedeemed; each refusal stands in the ledger and, where the presentation is known, in
    the holder's usage log. The same idempotency key and body again get the same answer. A licence that does
    not hold is redeemed all the same: its report says so.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        reader: LicenceReader,
        trust: TrustView,
        status_tokens: StatusTokens,
        cipher: ContentCipher,
        addresses: Addresses,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._trust = trust
        self._status_tokens = status_tokens
        self._cipher = cipher
        self._addresses = addresses
        self._clock = clock
        self._ids = ids

    def __call__(self, request: RedeemRequest, caller: Caller, *, idempotency_key: str) -> Redemption:
        found: Presentation | None = None
        try:
            # 1. An application with the scope; a repeat is answered as the first time.
            caller.require_scope(Scope.PRESENTATION_REDEEM)
            request = _checked(request)
            asked = claim(caller, events.PRESENTATION_REDEEMED, idempotency_key, vars(request))
            earlier = self._answered(asked)
            if earlier is not None:
                return earlier

            # 2. The code is only ever looked up by its digest; it must be meant for this caller, and in time.
            found = self._find(request.code)
            self._require_meant(found, caller)

            # 3. Verify the credential as the recipient will hold it: agreed disclosures, status of this moment.
            redemption = self._verified(found)

            # 4. One transaction: the presentation is taken for good, answer, usage entry and event with it.
            with self._ledger.work() as work:
                taken = idempotency.claim_for(
                    work, asked, subject=redemption.redemption_id, at=redemption.redeemed_at
                )
                if taken == redemption.redemption_id:
                    self._take(work, found, redemption, request, caller)

            # 5. Answer; a repeat that ran beside the first gets the first one's answer.
            return redemption if taken == redemption.redemption_id else self._answer(taken)
        except (Forbidden, NotFound, Conflict) as refused:
            self._keep_refusal(refused, found, request, caller)
            raise

    def _answered(self, asked: IdempotencyClaim) -> Redemption | None:
        with self._ledger.read() as work:
            redemption_id = idempotency.find(work, asked)
        return None if redemption_id is None else self._answer(redemption_id)

    def _answer(self, redemption_id: str) -> Redemption:
        with self._ledger.read() as work:
            sealed = PresentationRows(work).sealed_answer(redemption_id)
        if sealed is None:
            raise RedemptionAnswerErased("this redemption was answered; the answer has been purged since")
        return _from_stored(self._cipher.open(sealed, row=f"redemption/{redemption_id}"))

    def _find(self, code: str) -> Presentation:
        digest = code_digest(code)
        with self._ledger.read() as work:
            found = None if digest is None else PresentationRows(work).with_code(digest)
        if found is None:
            raise PresentationUnknown("no presentation has this code")
        return found

    def _require_meant(self, found: Presentation, caller: Caller) -> None:
        """The recipient first: to anybody else the presentation's time is none of their business."""
        if not found.recipient.includes(agency_id=caller.agency_id, application_id=caller.account_id):
            raise PresentationForSomeoneElse("the holder presented this licence to another recipient")
        if self._clock.now() >= found.expires_at:
            raise PresentationExpired("this code has expired; ask the holder for a new one")

    def _verified(self, found: Presentation) -> Redemption:
        with self._ledger.read() as work:
            version = LicenceRows(work).version(found.version_id, scope=EveryRow())
            whole = self._reader.credential(work, version)
        if whole is None:
            raise LicenceContentErased("the credential of this licence was erased")
        presented = sd_jwt.present(whole, [(name,) for name in found.fields])
        opened = self._open(version, presented)
        claims = opened.claims or {}
        return Redemption(
            redemption_id=self._ids.new(RedemptionId),
            presentation_id=found.presentation_id,
            licence_id=found.licence_id,
            type_code=version.type_code,
            purpose=found.purpose,
            fields={name: claims[name] for name in found.fields if name in claims},
            report=opened.report.to_json(),
            credential=presented,
            # To the millisecond, as the kept answer has it: a repetition says the same.
            redeemed_at=parse_rfc3339(rfc3339(self._clock.now())),
        )

    def _open(self, version: LicenceVersion, presented: str) -> SdJwtVerification:
        trust = self._trust.current()
        uri = self._addresses.status_list(version.status_list_id)
        lists = {**trust.status_lists, uri: self._status_tokens.token(version.status_list_id)}
        return vc.open_credential(
            presented,
            trust=replace(trust, status_lists=lists),
            at=self._clock.now(),
            expected_vct=self._addresses.credential_type(version.type_code),
        )

    def _take(
        self,
        work: RecordedWork,
        found: Presentation,
        redemption: Redemption,
        request: RedeemRequest,
        caller: Caller,
    ) -> None:
        """Under the lock, and after the idempotency key: only now is it known whether somebody was first.

        Asked any earlier, a repeat that runs beside its first request would be refused instead of answered.
        """
        rows = PresentationRows(work)
        rows.lock(found.presentation_id)
        present = rows.with_id(found.presentation_id)
        if present is None:
            raise PresentationUnknown("no presentation has this code")
        if present.redeemed:
            raise PresentationAlreadyRedeemed("this code was redeemed before; ask the holder for a new one")
        rows.redeem(
            found.presentation_id,
            redemption_id=redemption.redemption_id,
            agency_id=caller.require_agency(),
            application_id=caller.account_id,
            sealed_answer=self._cipher.seal(
                _to_stored(redemption), row=f"redemption/{redemption.redemption_id}"
            ),
            at=redemption.redeemed_at,
        )
        self._note(
            work, UsageAct.REDEEMED, found, request, caller, shown=tuple(redemption.fields), reason=None
        )
        work.record(
            Event(
                act=events.PRESENTATION_REDEEMED,
                actor=caller.actor(),
                subject=found.presentation_id,
                agency=caller.agency_id,
                content={
                    "licence": found.licence_id,
                    "redemption": redemption.redemption_id,
                    "fields": list(redemption.fields),
                    "indication": redemption.report["indication"],
                    "item_code": request.item_code,
                    "case_number": request.case_number,
                    "operator": request.operator,
                },
            )
        )

    def _keep_refusal(
        self, refused: YinxinError, found: Presentation | None, request: RedeemRequest, caller: Caller
    ) -> None:
        subject = caller.account_id if found is None else found.presentation_id
        with self._ledger.work() as work:
            if found is not None:
                self._note(work, UsageAct.REFUSED, found, request, caller, shown=(), reason=refused.code)
            work.record(
                events.refusal(
                    events.PRESENTATION_REDEEMED,
                    caller,
                    reason=refused.code,
                    subject=subject,
                    agency=caller.agency_id,
                )
            )
        refused.recorded = True

    def _note(
        self,
        work: RecordedWork,
        act: UsageAct,
        found: Presentation,
        request: RedeemRequest,
        caller: Caller,
        *,
        shown: tuple[str, ...],
        reason: str | None,
    ) -> None:
        UsageRows(work).add(
            self._ids.new(UsageEntryId),
            UsageNote(
                act=act,
                presentation_id=found.presentation_id,
                reason_code=reason,
                recipient=found.recipient,
                item_code=request.item_code,
                case_number=request.case_number,
                requested_fields=found.fields,
                shown_fields=shown,
            ),
            licence_id=found.licence_id,
            version_id=found.version_id,
            holder_index=found.holder_index,
            caller=caller,
            at=self._clock.now(),
        )


def _checked(request: RedeemRequest) -> RedeemRequest:
    """The request with every text a line of its length; raises InvalidInput."""

    def text(value: str | None, what: str, limit: int) -> str | None:
        return None if value is None else line(value, what=what, limit=limit)

    return RedeemRequest(
        code=line(request.code, what="the code", limit=MAX_CODE_TEXT),
        item_code=text(request.item_code, "the item code", MAX_ITEM_CODE),
        case_number=text(request.case_number, "the case number", MAX_CASE_NUMBER),
        operator=text(request.operator, "the operator", MAX_OPERATOR),
    )


def _to_stored(redemption: Redemption) -> dict[str, Any]:
    return {**vars(redemption), "redeemed_at": rfc3339(redemption.redeemed_at)}


def _from_stored(stored: Mapping[str, Any]) -> Redemption:
    return Redemption(**{**stored, "redeemed_at": parse_rfc3339(stored["redeemed_at"])})
