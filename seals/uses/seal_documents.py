"""Sealing many documents in one request: the procedure of one, each step done for all before the next begins.

Only judging, keeping and concluding, which take the longest, go slice by slice.

One item's fault is that item's answer. A crash after any step leaves intents without outcomes, each resolved by
`seals.uses.resolution` as if it had come alone.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from identity.caller import Caller, Scope
from seals.errors import SealUseLost
from seals.ids import SealBatchId, SealUseId
from seals.model import (
    DocumentOutput,
    RefusedItem,
    Seal,
    SealAuthorisation,
    SealBatch,
    SealUse,
    SealUseKind,
    SignatureLevel,
    WhenTimestampAway,
)
from seals.ports import TrustView
from seals.uses.batches import (
    MAX_BATCH_BYTES,
    BatchAnswer,
    BatchTooLarge,
    answer_of,
    record_refusals,
    refused_item,
    require_size,
)
from seals.uses.concluding import conclude_abandoned, conclude_completed
from seals.uses.documents import (
    DocumentRef,
    DocumentSealing,
    DocumentToSeal,
    IntendedDocument,
    intended_event,
    preparation_of,
)
from seals.uses.output import files_of, require_intended
from seals.uses.repository import SealBatches
from seals.uses.taking import UseTaking
from trust.crypto.cms import CmsIdentity
from trust.documents import pdf
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable, YinxinError
from trust.kernel.ids import Ids
from trust.keys.client import SignerClient
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.pki.trust_store import TrustStore
from trust.storage.idempotency import IdempotencyClaim, claim_for, find
from trust.storage.objects import ObjectStore, StoredObject

ACT: Final = "seal-batch"
# Outputs are concluded so many at a time: what is done is not lost with what takes long, and a transaction for each
# would take longer than the rest of a small document's sealing.
SLICE: Final = 10
_log = structlog.get_logger("yinxin.seals")


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """Documents to be sealed, with the one key and body SHA-256 by which a retry of them all is known."""

    items: tuple[DocumentToSeal, ...]
    idempotency_key: str
    body_digest: bytes


@dataclass(frozen=True, kw_only=True)
class _Means:
    """What items of one seal are sealed with."""

    seal: Seal
    authorisation: SealAuthorisation
    identity: CmsIdentity


@dataclass(frozen=True, kw_only=True)
class _Item:
    """An item that can be sealed: everything that was found out before anything is counted."""

    position: int
    wanted: DocumentToSeal
    document: bytes
    seal: Seal
    authorisation: SealAuthorisation
    prepared: pdf.PreparedDocument


@dataclass(frozen=True, kw_only=True)
class _Taken:
    """An item whose use is intended; `original` lies in the store."""

    item: _Item
    use: SealUse
    original: StoredObject

    def intended(self) -> IntendedDocument:
        return IntendedDocument(use=self.use, seal=self.item.seal, prepared=self.item.prepared)


@dataclass(frozen=True, kw_only=True)
class _Sealed:
    """A use with its output in the store and the level it reached."""

    use: SealUse
    output: DocumentOutput
    level: SignatureLevel


class SealDocuments:
    """Seals many documents, each as `SealDocument` would, with one call to the signer and one to the authority.

    Raises BatchRefused, ScopeMissing, and what is away before anything is counted. After that every item has its
    own answer: refused with a reason, or a use that is completed, abandoned, or left to the worker. Items of one
    service item and seal share one authorisation: what it does not last for is refused.
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

    def __call__(self, request: BatchRequest, caller: Caller) -> BatchAnswer:
        # 1. Who may: an application; an earlier answer is given again, as it stands now.
        agency_id = self._taking.require_application(caller, Scope.SEAL_USE)
        require_size(request.items)
        claim = IdempotencyClaim(
            caller=caller.account_id, act=ACT, key=request.idempotency_key, body_digest=request.body_digest
        )
        with self._ledger.read() as reading:
            earlier = find(reading, claim)
            if earlier is not None:
                return answer_of(reading, earlier, agency_id=agency_id)

        # 2. Prepare every item without any key; what is refused here is that item's answer.
        items, refusals = self._prepared(request, caller)

        # 3. Keep the originals, each under its own use's key.
        batch_id = self._ids.new(SealBatchId)
        ids = [self._ids.new(SealUseId) for _ in items]
        originals = [
            self._sealing.keep_original(use_id, agency_id, item.document)
            for use_id, item in zip(ids, items, strict=True)
        ]

        # 4. Take the uses and record the intents, all in one transaction; nothing touches a key before it commits.
        lease = self._sealing.lease([item.document for item in items])
        kept = [
            self._intended(item, use_id, original, caller, batch_id, lease=lease)
            for item, use_id, original in zip(items, ids, originals, strict=True)
        ]
        with self._sealing.kept_if_intended(*originals), self._ledger.work() as work:
            now = self._clock.now()
            subject = claim_for(work, claim, subject=batch_id, at=now)
            taken: list[_Taken] = []
            if subject == batch_id:
                uses = [each.use for each in kept]
                untaken = self._taking.take_all(work, uses)
                refusals += record_refusals(work, caller, uses, untaken)
                taken = [each for each in kept if each.use.id not in untaken]
                SealBatches(work).add(
                    SealBatch(
                        id=batch_id,
                        agency_id=agency_id,
                        application_id=caller.account_id,
                        kind=SealUseKind.DOCUMENT,
                        size=len(request.items),
                        refused=tuple(sorted(refusals, key=lambda item: item.position)),
                        at=now,
                    )
                )
                if taken:
                    self._sealing.intend(work, [each.intended() for each in taken])
                work.record_all([_event(each, caller) for each in taken])
        used = {each.use.id for each in taken}
        for each in kept:
            if each.use.id not in used:
                self._sealing.forget_original(each.original)

        # 5. Have exactly those signed, and add the timestamps, each by one call for all.
        messages = self._signed(taken, caller)

        # 6. Look at each result as a stranger would, and keep it: a slice, then the next.
        trust = self._trust.current()
        for begin in range(0, len(taken), SLICE):
            some = taken[begin : begin + SLICE]
            sealed = [done for each in some if (done := self._sealed(each, messages.get(each.use.id), trust))]

            # 7. Say that these exist, each unless the worker spoke first.
            self._conclude(sealed, caller)

        # 8. Answer for each item as it stands.
        with self._ledger.read() as reading:
            return answer_of(reading, subject, agency_id=agency_id)

    def _prepared(self, request: BatchRequest, caller: Caller) -> tuple[list[_Item], list[RefusedItem]]:
        items: list[_Item] = []
        refusals: list[RefusedItem] = []
        means: dict[tuple[str, str | None], _Means] = {}
        rooms: dict[tuple[str, SignatureLevel], int] = {}
        octets = 0
        for position, wanted in enumerate(request.items):
            try:
                # Items of one seal share what was found out about it; a refusal is each item's own.
                named = (wanted.item_code, wanted.seal_id)
                found = means[named] = means.get(named) or self._means(wanted, caller)
                sized = (found.seal.id, wanted.level)
                if sized not in rooms:
                    rooms[sized] = self._sealing.room(found.identity, wanted.level)
                document = self._sealing.document(wanted, caller)
                if octets + len(document) > MAX_BATCH_BYTES:
                    raise BatchTooLarge(
                        f"the documents before this one leave no room for it: {MAX_BATCH_BYTES} octets in all"
                    )
                octets += len(document)
                prepared = self._sealing.prepare(wanted, document, found.seal, found.identity, rooms[sized])
            except YinxinError as error:
                refusals.append(refused_item(position, error))
            else:
                items.append(
                    _Item(
                        position=position,
                        wanted=wanted,
                        document=document,
                        seal=found.seal,
                        authorisation=found.authorisation,
                        prepared=prepared,
                    )
                )
        self._sealing.require_timestamps(*(item.wanted for item in items))
        return items, refusals

    def _means(self, wanted: DocumentToSeal, caller: Caller) -> _Means:
        seal, authorisation = self._taking.authorised(
            caller, item_code=wanted.item_code, seal_id=wanted.seal_id, kind=SealUseKind.DOCUMENT
        )
        identity = self._taking.identity(seal)
        self._taking.require_parts(identity)
        return _Means(seal=seal, authorisation=authorisation, identity=identity)

    def _intended(
        self,
        item: _Item,
        use_id: str,
        original: StoredObject,
        caller: Caller,
        batch_id: str,
        *,
        lease: timedelta,
    ) -> _Taken:
        place = (batch_id, item.position)
        use = self._sealing.use(
            use_id, item.wanted, caller, item.authorisation, original, lease=lease, place=place
        )
        return _Taken(item=item, use=use, original=original)

    def _signed(self, taken: Sequence[_Taken], caller: Caller) -> dict[str, tuple[bytes, SignatureLevel]]:
        """The messages by use with the levels they reached; a use that is left out is resolved by the worker."""
        uses = {each.use.id: each.use for each in taken}
        made: dict[str, bytes] = {}
        for use_id, cms in zip(uses, self._signer.sign_cms_batch(list(uses)), strict=True):
            if isinstance(cms, bytes):
                made[use_id] = cms
            else:
                _log.error("seal-use.not-signed", use=use_id, code=cms.code)
        plain = {
            use_id: (cms, SignatureLevel.B_B)
            for use_id, cms in made.items()
            if uses[use_id].level is SignatureLevel.B_B
        }
        wanting = [use_id for use_id in made if use_id not in plain]
        try:
            stamped = self._sealing.stamped_all([made[use_id] for use_id in wanting])
        except Unavailable:
            return plain | self._unstamped([uses[use_id] for use_id in wanting], made, caller)
        return plain | {
            use_id: (cms, uses[use_id].level) for use_id, cms in zip(wanting, stamped, strict=True)
        }

    def _unstamped(
        self, uses: Sequence[SealUse], made: dict[str, bytes], caller: Caller
    ) -> dict[str, tuple[bytes, SignatureLevel]]:
        """As each caller's item chose beforehand: delivered at B-B, or abandoned at once."""
        delivered: dict[str, tuple[bytes, SignatureLevel]] = {}
        for use in uses:
            if use.when_timestamp_away is WhenTimestampAway.DELIVER_B_B:
                delivered[use.id] = (made[use.id], SignatureLevel.B_B)
            else:
                # Where it is lost, the worker has said so already.
                with suppress(SealUseLost), self._ledger.work() as work:
                    conclude_abandoned(work, use, caller=caller, clock=self._clock)
        return delivered

    def _lasting(self, sealed: bytes, taken: _Taken, reached: SignatureLevel) -> tuple[bytes, SignatureLevel]:
        """The document with what its level appends, and the level; raises Unavailable unless less is taken for now."""
        wanted = taken.use.level
        if reached is not wanted:
            return sealed, reached
        try:
            return self._sealing.lasting(sealed, taken.item.prepared, wanted), wanted
        except Unavailable:
            if taken.use.when_timestamp_away is not WhenTimestampAway.DELIVER_B_B:
                raise
            return sealed, SignatureLevel.B_T

    def _sealed(
        self, taken: _Taken, message: tuple[bytes, SignatureLevel] | None, trust: TrustStore
    ) -> _Sealed | None:
        """The stored output, or None where the item came to no end: it stays intended and the worker resolves it."""
        if message is None:
            return None
        cms, level = message
        prepared = taken.item.prepared
        try:
            sealed, level = self._lasting(pdf.embed(prepared, cms), taken, level)
            require_intended(
                sealed,
                preparation_of(prepared),
                level=level,
                trust=trust,
                at=self._clock.now(),
            )
            stored = self._objects.put(files_of(taken.use).output_key, sealed)
        except YinxinError as error:
            _log.error("seal-use.not-sealed", use=taken.use.id, code=error.code, reason=error.message)
            return None
        output = DocumentOutput(key=stored.key, version=stored.version_id, sha256=stored.sha256)
        return _Sealed(use=taken.use, output=output, level=level)

    def _conclude(self, sealed: Sequence[_Sealed], caller: Caller) -> None:
        try:
            self._conclude_together(sealed, caller)
        except SealUseLost:  # the worker had one of them: the others are concluded one by one
            for each in sealed:
                try:
                    self._conclude_together([each], caller)
                except SealUseLost:
                    _log.warning("seal-use.lost", use=each.use.id)
                    self._sealing.forget_lost(each.use, each.output)

    def _conclude_together(self, sealed: Sequence[_Sealed], caller: Caller) -> None:
        with self._ledger.work() as work:
            for each in sealed:
                conclude_completed(
                    work,
                    each.use,
                    output=each.output,
                    level=each.level,
                    caller=caller,
                    clock=self._clock,
                )


def _event(taken: _Taken, caller: Caller) -> Event:
    document = taken.item.wanted.document
    return intended_event(
        taken.use,
        caller,
        original_sha256=taken.original.sha256,
        prepared_sha256=taken.item.prepared.digest,
        ref=document if isinstance(document, DocumentRef) else None,
    )
