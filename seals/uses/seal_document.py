"""Sealing one document: from the right to do it to the receipt for it (用印).

The numbered steps of `SealDocument.__call__` are the procedure of the architecture page. A crash after any of
them leaves at most an intent without an outcome, which `seals.uses.resolution` resolves when its lease is over.
"""

from dataclasses import dataclass
from typing import Final

from identity.caller import Caller, Scope
from seals.errors import DocumentNotStamped, SealUseAbandoned, SealUseInProgress, SealUseLost
from seals.events import USE_PREPARED_AGAIN
from seals.ids import SealUseId
from seals.model import (
    DocumentOutput,
    Seal,
    SealUse,
    SealUseKind,
    SealUseState,
    SignatureLevel,
    WhenTimestampAway,
)
from seals.ports import TrustView
from seals.uses.concluding import conclude_abandoned, conclude_completed
from seals.uses.documents import (
    DocumentRef,
    DocumentSealing,
    DocumentToSeal,
    IntendedDocument,
    intended_event,
    preparation_of,
)
from seals.uses.output import files_of, read_output, require_intended
from seals.uses.repository import SealUses
from seals.uses.taking import UseTaking
from trust.documents import pdf
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable
from trust.kernel.ids import Ids
from trust.keys.client import SignerClient
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event, EventReceipt
from trust.storage.idempotency import IdempotencyClaim, claim_for, find
from trust.storage.objects import ObjectStore

ACT: Final = "seal-use"


@dataclass(frozen=True, kw_only=True)
class SealingRequest(DocumentToSeal):
    """A document to be sealed, with the key and the body's SHA-256 by which a retry is known."""

    idempotency_key: str
    body_digest: bytes


@dataclass(frozen=True, kw_only=True)
class SealedDocument:
    """The sealed document and its use; `receipt` is the ledger's promise for the event that completed it."""

    use: SealUse
    document: bytes
    receipt: EventReceipt | None


class SealDocument:
    """Seals a document with an authorised seal (用印).

    A document with several seals is sealed again by reference to the earlier use: each seal is a use of its own.
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
        taking: UseTaking,
        sealing: DocumentSealing,
        trust: TrustView,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._signer = signer
        self._taking = taking
        self._sealing = sealing
        self._trust = trust
        self._clock = clock
        self._ids = ids

    def __call__(self, request: SealingRequest, caller: Caller) -> SealedDocument:
        # 1. Who may: the application, by an authorisation for this item; an earlier answer is given again.
        agency_id = self._taking.require_application(caller, Scope.SEAL_USE)
        claim = IdempotencyClaim(
            caller=caller.account_id, act=ACT, key=request.idempotency_key, body_digest=request.body_digest
        )
        earlier = self._earlier(claim, agency_id)
        if earlier is not None:
            return earlier
        seal, authorisation = self._taking.authorised(
            caller, item_code=request.item_code, seal_id=request.seal_id, kind=SealUseKind.DOCUMENT
        )
        document = self._sealing.document(request, caller)

        # 2. Prepare without any key; whatever is wrong with the document or the placement is refused here.
        identity = self._taking.identity(seal)
        reserved = self._sealing.room(identity, request.level)
        prepared = self._sealing.prepare(request, document, seal, identity, reserved)
        self._taking.require_parts(identity)
        self._sealing.require_timestamps(request)

        # 3. Keep the original under the seal use's own key.
        use_id = self._ids.new(SealUseId)
        original = self._sealing.keep_original(use_id, agency_id, document)

        # 4. Take one use and record the intent; nothing touches a key before this commits.
        lease = self._sealing.lease([document])
        use = self._sealing.use(use_id, request, caller, authorisation, original, lease=lease)
        with self._sealing.kept_if_intended(original), self._ledger.work() as work:
            subject = claim_for(work, claim, subject=use_id, at=use.intended_at)
            if subject == use_id:
                self._taking.take_one(work, use, caller)
                self._sealing.intend(work, [IntendedDocument(use=use, seal=seal, prepared=prepared)])
                work.record(_intended(use, caller, request, original.sha256, prepared))
        if subject != use_id:
            self._sealing.forget_original(original)
            return self._answer(subject, agency_id)

        # 5. Have exactly that signed, and add the timestamp; what does not fit is prepared again, counted once.
        cms, level = self._signed(use, caller)
        if len(cms) > prepared.contents_capacity:
            prepared = self._prepare_again(request, document, use, seal, caller, needed=len(cms))
            cms, level = self._signed(use, caller)
        sealed, level = self._lasting(pdf.embed(prepared, cms), prepared, use, level, caller)

        # 6. Look at the result as a stranger would, against what was intended.
        preparation, trust = preparation_of(prepared), self._trust.current()
        require_intended(sealed, preparation, level=level, trust=trust, at=self._clock.now())

        # 7. Keep the result, then say that it exists, unless the worker spoke first.
        stored = self._objects.put(files_of(use).output_key, sealed)
        output = DocumentOutput(key=stored.key, version=stored.version_id, sha256=stored.sha256)
        try:
            with self._ledger.work() as work:
                receipt = conclude_completed(
                    work, use, output=output, level=level, caller=caller, clock=self._clock
                )
        except SealUseLost:
            self._sealing.forget_lost(use, output)
            raise

        # 8. Answer with the document and its receipt.
        with self._ledger.read() as reading:
            return SealedDocument(
                use=SealUses(reading).get(use.id, agency_id=agency_id), document=sealed, receipt=receipt
            )

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

    def _prepare_again(
        self,
        request: SealingRequest,
        document: bytes,
        use: SealUse,
        seal: Seal,
        caller: Caller,
        *,
        needed: int,
    ) -> pdf.PreparedDocument:
        identity = self._taking.identity(seal)
        prepared = self._sealing.prepare(request, document, seal, identity, needed + needed // 4)
        with self._ledger.work() as work:
            self._sealing.intend_preparations(work, [IntendedDocument(use=use, seal=seal, prepared=prepared)])
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

    def _signed(self, use: SealUse, caller: Caller) -> tuple[bytes, SignatureLevel]:
        """The message and the level it reached; raises DocumentNotStamped, the use then being abandoned."""
        cms = self._signer.sign_cms(use.id)
        if use.level is SignatureLevel.B_B:
            return cms, use.level
        try:
            return self._sealing.stamped(cms), use.level
        except Unavailable as away:
            self._require_deliverable(use, caller, away)
            return cms, SignatureLevel.B_B

    def _lasting(
        self,
        sealed: bytes,
        prepared: pdf.PreparedDocument,
        use: SealUse,
        reached: SignatureLevel,
        caller: Caller,
    ) -> tuple[bytes, SignatureLevel]:
        """The document with what its level appends, and the level reached; raises as `_signed`."""
        if reached is not use.level:
            return sealed, reached
        try:
            return self._sealing.lasting(sealed, prepared, use.level), use.level
        except Unavailable as away:
            self._require_deliverable(use, caller, away)
            return sealed, SignatureLevel.B_T

    def _require_deliverable(self, use: SealUse, caller: Caller, away: Unavailable) -> None:
        """Goes on where the caller takes less for now; otherwise abandons the use and raises DocumentNotStamped."""
        if use.when_timestamp_away is WhenTimestampAway.DELIVER_B_B:
            return
        with self._ledger.work() as work:
            conclude_abandoned(work, use, caller=caller, clock=self._clock)
        raise DocumentNotStamped(
            f"the timestamp authority is away; {use.id} is abandoned and counted, try a new key later"
        ) from away


def _intended(
    use: SealUse,
    caller: Caller,
    request: SealingRequest,
    original_sha256: bytes,
    prepared: pdf.PreparedDocument,
) -> Event:
    ref = request.document if isinstance(request.document, DocumentRef) else None
    return intended_event(
        use, caller, original_sha256=original_sha256, prepared_sha256=prepared.digest, ref=ref
    )
