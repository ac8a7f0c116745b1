"""Sealing one document: from the right to do it to the receipt for it (用印).

The numbered steps of `SealDocument.__call__` are the procedure of the architecture page. A crash after any of
them leaves at most an intent without an outcome, which `seals.uses.resolution` resolves when its lease is over.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from identity.caller import Caller, Scope
from seals.acts.making import binding_of
from seals.acts.rights import refused
from seals.errors import (
    AuthorisationRefused,
    RevocationDataStale,
    SealBroken,
    SealNotUsable,
    SealUseAbandoned,
    SealUseInProgress,
    SealUseLost,
    SealUsesExhausted,
)
from seals.events import USE_COMPLETED, USE_INTENDED, USE_PREPARED_AGAIN
from seals.ids import SealUseId
from seals.model import (
    Centred,
    ImpressionRow,
    Seal,
    SealAuthorisation,
    SealPreparation,
    SealState,
    SealUse,
    SealUseState,
    SignatureLevel,
)
from seals.ports import TimestampSource, TrustView
from seals.repository import SealAuthorisations, Seals
from seals.uses.output import read_output, require_intended
from seals.uses.repository import SealUses
from trust.crypto.cms import CmsIdentity, add_timestamp, max_signed_data_size
from trust.crypto.digests import sha256
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.suites import Suite
from trust.documents import pdf
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.kernel.ids import Ids
from trust.kernel.report import Outcome
from trust.keys.client import SignerClient
from trust.keys.model import Intent, IntentKind, KeyId
from trust.keys.repository import Intents, KeyBindings
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event, EventReceipt
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.storage.idempotency import IdempotencyClaim, claim_for, find
from trust.storage.objects import ObjectStore

# Preparing, signing and verifying take well under a second; a minute is for a slow store and large documents.
SEALING_LEASE: Final = timedelta(seconds=60)
ACT: Final = "seal-use"


@dataclass(frozen=True, kw_only=True)
class SealingRequest:
    """What is asked for.

    `document` is the PDF. `placement` is None for an invisible signature, `Centred` where only its middle is
    known. `seal_id` None takes the newest seal this application is authorised to use for `item_code`.
    """

    document: bytes
    item_code: str
    placement: pdf.Placement | Centred | None
    idempotency_key: str
    body_digest: bytes
    seal_id: str | None = None
    case_number: str | None = None
    level: SignatureLevel = SignatureLevel.B_T


@dataclass(frozen=True, kw_only=True)
class SealedDocument:
    """The sealed document and its use; `receipt` is the ledger's promise for the event that completed it."""

    use: SealUse
    document: bytes
    receipt: EventReceipt | None


class SealDocument:
    """Seals a document with an authorised seal (用印); the only way a seal's key is reached.

    Raises DocumentRefused before anything is counted, AuthorisationRefused, SealNotUsable or SealUsesExhausted with
    the event kept, and SealUseLost when the worker has resolved this use first. Whatever it raises, the use was
    either never intended or its intent is recorded and will be resolved.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        signer: SignerClient,
        timestamps: TimestampSource,
        trust: TrustView,
        clock: Clock,
        ids: Ids,
        lease: timedelta = SEALING_LEASE,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._signer = signer
        self._timestamps = timestamps
        self._trust = trust
        self._clock = clock
        self._ids = ids
        self._lease = lease

    def __call__(self, request: SealingRequest, caller: Caller) -> SealedDocument:
        # 1. Who may: the application, by an authorisation for this item; an earlier answer is given again.
        agency_id = self._require_application(caller)
        claim = IdempotencyClaim(
            caller=caller.account_id, act=ACT, key=request.idempotency_key, body_digest=request.body_digest
        )
        earlier = self._earlier(claim, agency_id)
        if earlier is not None:
            return earlier
        seal, authorisation = self._authorised(request, caller, agency_id)

        # 2. Prepare without any key; whatever is wrong with the document or the placement is refused here.
        identity = self._identity(seal)
        reserved = max_signed_data_size(identity, self._token_room(request.level))
        prepared = self._prepare(request, seal, reserved)
        self._require_parts(identity)

        # 3. Keep the original under the seal use's own key.
        use_id = self._ids.new(SealUseId)
        original = self._objects.put(f"{agency_id}/seal-uses/{use_id}/original.pdf", request.document)

        # 4. Take one use and record the intent; nothing touches a key before this commits.
        now = self._clock.now()
        use = SealUse(
            id=use_id,
            agency_id=agency_id,
            seal_id=seal.id,
            authorisation_id=authorisation.id,
            application_id=caller.account_id,
            item_code=request.item_code,
            case_number=request.case_number,
            level=request.level,
            original_key=original.key,
            original_version=original.version_id,
            original_sha256=original.sha256,
            output_key=f"{agency_id}/seal-uses/{use_id}/sealed.pdf",
            lease_until=now + self._lease,
            intended_at=now,
            state=SealUseState.INTENDED,
            output_version=None,
            output_sha256=None,
            concluded_at=None,
            event_id=None,
        )
        with self._ledger.work() as work:
            subject = claim_for(work, claim, subject=use_id, at=now)
            if subject == use_id:
                self._take_one(work, use, seal, caller)
                self._intend(work, use, seal, prepared)
                work.record(_intended(use, caller, prepared))
        if subject != use_id:
            self._objects.delete(original.key, original.version_id)
            return self._answer(subject, agency_id)

        # 5. Have exactly that signed, and add the timestamp; what does not fit is prepared again, counted once.
        cms = self._signed(use)
        if len(cms) > prepared.contents_capacity:
            prepared = self._prepare_again(request, use, seal, caller, needed=len(cms))
            cms = self._signed(use)
        sealed = pdf.embed(prepared, cms)

        # 6. Look at the result as a stranger would, against what was intended.
        require_intended(sealed, _preparation(prepared), trust=self._trust.current(), at=self._clock.now())

        # 7. Keep the result, then say that it exists, unless the worker spoke first.
        stored = self._objects.put(use.output_key, sealed)
        with self._ledger.work() as work:
            receipt = conclude_completed(
                work, use, output_version=stored.version_id, output_sha256=stored.sha256, caller=caller,
                clock=self._clock,
            )  # fmt: skip

        # 8. Answer with the document and its receipt.
        with self._ledger.read() as reading:
            return SealedDocument(
                use=SealUses(reading).get(use.id, agency_id=agency_id), document=sealed, receipt=receipt
            )

    def _require_application(self, caller: Caller) -> str:
        try:
            caller.require_scope(Scope.SEAL_USE)
            return caller.require_agency()
        except YinxinError as error:
            with self._ledger.work():
                raise refused(error, caller, act=USE_INTENDED, subject=ACT) from None

    def _earlier(self, claim: IdempotencyClaim, agency_id: str) -> SealedDocument | None:
        with self._ledger.read() as work:
            subject = find(work, claim)
        return None if subject is None else self._answer(subject, agency_id)

    def _answer(self, use_id: str, agency_id: str) -> SealedDocument:
        """What a retry gets: the use's own answer, whatever its state."""
        with self._ledger.read() as work:
            use = SealUses(work).get(use_id, agency_id=agency_id)
        if use.state is SealUseState.INTENDED:
            raise SealUseInProgress(f"{use.id} is still at work; ask again after a moment")
        if use.state is SealUseState.ABANDONED:
            raise SealUseAbandoned(f"{use.id} did not come to its end and was counted; use a new key")
        return SealedDocument(use=use, document=read_output(self._objects, use), receipt=None)

    def _authorised(
        self, request: SealingRequest, caller: Caller, agency_id: str
    ) -> tuple[Seal, SealAuthorisation]:
        """The seal and the authorisation as they stand now; step 4 looks again under the lock."""
        with self._ledger.work() as work:
            authorisation = SealAuthorisations(work).for_use(
                agency_id=agency_id,
                application_id=caller.account_id,
                item_code=request.item_code,
                seal_id=request.seal_id,
                at=self._clock.now(),
            )
            if authorisation is None:
                raise refused(
                    AuthorisationRefused("no authorisation lets this application use a seal for this item"),
                    caller,
                    act=USE_INTENDED,
                    subject=request.seal_id or ACT,
                )
            seal = Seals(work).get(authorisation.seal_id, agency_id=agency_id)
            self._require_usable(seal, authorisation, caller)
        binding = binding_of(
            seal.id,
            name=seal.name,
            key_id=seal.key_id,
            certificate=seal.certificate,
            impression=seal.impression,
            period=(seal.valid_from, seal.valid_until),
        )
        if binding != seal.binding:
            raise SealBroken(f"{seal.id} is not what it was made with; an operator has to look")
        return seal, authorisation

    def _require_usable(self, seal: Seal, authorisation: SealAuthorisation, caller: Caller) -> None:
        now = self._clock.now()
        error: YinxinError | None = None
        if seal.state is not SealState.ACTIVE:
            error = SealNotUsable(f"the seal is {seal.state}")
        elif not seal.valid_from <= now < seal.valid_until:
            error = SealNotUsable("the seal is outside its period of validity")
        elif not authorisation.valid_from <= now < authorisation.valid_until:
            error = AuthorisationRefused("the authorisation is outside its period")
        elif authorisation.uses_taken >= authorisation.uses_allowed:
            error = SealUsesExhausted(f"all {authorisation.uses_allowed} uses of the authorisation are taken")
        if error is not None:
            raise refused(error, caller, act=USE_INTENDED, subject=authorisation.id)

    def _identity(self, seal: Seal) -> CmsIdentity:
        with self._ledger.read() as work:
            binding = KeyBindings(work).of_key(seal.key_id)
        if binding is None or binding.certificate != seal.certificate:
            raise SealBroken(f"the key of {seal.id} is bound to another certificate")
        return CmsIdentity(certificate=seal.certificate, chain=binding.chain, suite=Suite(binding.suite))

    def _require_parts(self, identity: CmsIdentity) -> None:
        """What signing and judging will need is there; what is away is said before anything is counted.

        Raises SignerAway, RevocationDataStale, and SealNotUsable where a stranger would not believe the seal.
        """
        self._signer.ping()
        path = validate_path(
            identity.certificate,
            intermediates=identity.chain,
            trust=self._trust.current(),
            at=self._clock.now(),
            purpose=Purpose.DOCUMENT_SIGNING,
        )
        outcomes = {check.outcome: check for check in path.checks}
        if Outcome.FAILED in outcomes:
            raise SealNotUsable(f"the seal's certificate does not hold: {outcomes[Outcome.FAILED].detail}")
        if Outcome.UNKNOWN in outcomes:
            raise RevocationDataStale(f"the seal cannot be judged now: {outcomes[Outcome.UNKNOWN].detail}")

    def _token_room(self, level: SignatureLevel) -> int:
        return self._timestamps.largest_token() if level is SignatureLevel.B_T else 0

    def _prepare(self, request: SealingRequest, seal: Seal, reserved: int) -> pdf.PreparedDocument:
        impression = seal.impression
        return pdf.prepare(
            request.document,
            placement=_placed(request.placement, impression),
            impression=pdf.Impression(
                png=impression.png, width_mm=impression.width_mm, height_mm=impression.height_mm
            ),
            field_name=None,
            signer_name=seal.name,
            reserved=reserved,
            at=self._clock.now(),
        )

    def _take_one(self, work: RecordedWork, use: SealUse, seal: Seal, caller: Caller) -> None:
        """Locks the seal and the authorisation, looks again, counts one."""
        current = Seals(work).get(seal.id, agency_id=use.agency_id, lock=True)
        authorisation = SealAuthorisations(work).get(use.authorisation_id, agency_id=use.agency_id, lock=True)
        if authorisation.state is not authorisation.state.GRANTED:
            raise refused(
                AuthorisationRefused("the authorisation was withdrawn"),
                caller,
                act=USE_INTENDED,
                subject=authorisation.id,
            )
        self._require_usable(current, authorisation, caller)
        SealAuthorisations(work).take_one(authorisation.id)

    def _intend(
        self,
        work: RecordedWork,
        use: SealUse,
        seal: Seal,
        prepared: pdf.PreparedDocument,
        *,
        again: bool = False,
    ) -> None:
        if not again:
            SealUses(work).intend(use)
        SealUses(work).prepare(use.id, _preparation(prepared), at=self._clock.now())
        Intents(work).record(
            Intent(
                subject=use.id,
                key_id=KeyId(seal.key_id),
                kind=IntentKind.SEAL_USE,
                digest=prepared.digest,
                lease_until=use.lease_until,
            ),
            at=self._clock.now(),
        )

    def _prepare_again(
        self, request: SealingRequest, use: SealUse, seal: Seal, caller: Caller, *, needed: int
    ) -> pdf.PreparedDocument:
        prepared = self._prepare(request, seal, needed + needed // 4)
        with self._ledger.work() as work:
            self._intend(work, use, seal, prepared, again=True)
            work.record(
                Event(
                    act=USE_PREPARED_AGAIN,
                    actor=caller.actor(),
                    subject=use.id,
                    agency=use.agency_id,
                    content={"digest": prepared.digest.hex(), "needed_octets": needed},
                )
            )
        return prepared

    def _signed(self, use: SealUse) -> bytes:
        cms = self._signer.sign_cms(use.id)
        if use.level is SignatureLevel.B_B:
            return cms
        token = self._timestamps.token(sha256(ParsedCms.parse(cms).signature))
        return add_timestamp(cms, token)


def conclude_completed(
    work: RecordedWork,
    use: SealUse,
    *,
    output_version: str,
    output_sha256: bytes,
    caller: Caller,
    clock: Clock,
) -> EventReceipt:
    """Writes the outcome and its event; raises SealUseLost where the use has an outcome already."""
    now = clock.now()
    receipt = work.record(
        Event(
            act=USE_COMPLETED,
            actor=caller.actor(),
            subject=use.id,
            agency=use.agency_id,
            content={"output_sha256": output_sha256.hex(), "case_number": use.case_number},
        )
    )
    first = Intents(work).conclude(use.id, SealUseState.COMPLETED, at=now) and SealUses(work).conclude(
        use.id,
        SealUseState.COMPLETED,
        output_version=output_version,
        output_sha256=output_sha256,
        event_id=receipt.event_id,
        at=now,
    )
    if not first:
        raise SealUseLost(f"{use.id} was resolved before this request; its record says how")
    return receipt


def _placed(placement: pdf.Placement | Centred | None, impression: ImpressionRow) -> pdf.Placement | None:
    if not isinstance(placement, Centred):
        return placement
    return pdf.Placement(
        page=placement.page,
        x_mm=placement.x_mm - impression.width_mm / 2,
        y_mm=placement.y_mm - impression.height_mm / 2,
    )


def _preparation(prepared: pdf.PreparedDocument) -> SealPreparation:
    return SealPreparation(
        digest=prepared.digest, byte_range=prepared.byte_range, field_name=prepared.field_name
    )


def _intended(use: SealUse, caller: Caller, prepared: pdf.PreparedDocument) -> Event:
    return Event(
        act=USE_INTENDED,
        actor=caller.actor(),
        subject=use.id,
        agency=use.agency_id,
        content={
            "seal": use.seal_id,
            "authorisation": use.authorisation_id,
            "item_code": use.item_code,
            "case_number": use.case_number,
            "original_sha256": use.original_sha256.hex(),
            "prepared_sha256": prepared.digest.hex(),
            "level": use.level.value,
        },
    )
