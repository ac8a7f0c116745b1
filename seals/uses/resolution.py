"""What a crash left: uses without an outcome, resolved by the worker when their lease has run out."""

import structlog

from identity.caller import WORKER
from seals.errors import SealBroken, SealUseLost
from seals.events import USE_ABANDONED
from seals.model import SealUse, SealUseState
from seals.ports import TrustView
from seals.uses.output import require_intended
from seals.uses.repository import SealUses
from seals.uses.seal_document import conclude_completed
from trust.crypto.digests import sha256
from trust.kernel.clock import Clock
from trust.keys.repository import Intents
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.storage.objects import ObjectMissing, ObjectStore

_log = structlog.get_logger("yinxin.seals")


class ResolveSealUses:
    """Completes a use whose output is there, valid and the prepared one; abandons any other."""

    def __init__(self, *, ledger: Ledger, objects: ObjectStore, trust: TrustView, clock: Clock) -> None:
        self._ledger = ledger
        self._objects = objects
        self._trust = trust
        self._clock = clock

    def __call__(self, *, limit: int = 50) -> int:
        """Resolves overdue uses; returns how many were. Two workers at once are harmless: one outcome is written."""
        with self._ledger.read() as work:
            overdue = SealUses(work).overdue(self._clock.now(), limit=limit)
        resolved = 0
        for use in overdue:
            try:
                self._resolve(use)
            except Exception as fault:  # one that cannot be resolved must not keep the others waiting
                _log.error("seal-use.not-resolved", use=use.id, fault=type(fault).__name__)
            else:
                resolved += 1
        return resolved

    def _resolve(self, use: SealUse) -> None:
        found = self._output(use)
        try:
            with self._ledger.work() as work:
                if found is None:
                    self._abandon(work, use)
                else:
                    version, digest = found
                    conclude_completed(
                        work,
                        use,
                        output_version=version,
                        output_sha256=digest,
                        caller=WORKER,
                        clock=self._clock,
                    )
        except SealUseLost:
            return  # the request or another worker has written the outcome: rolled back, nothing to add

    def _output(self, use: SealUse) -> tuple[str, bytes] | None:
        """Version and digest of the stored output, where it is the prepared one and valid."""
        try:
            stored = self._objects.stat(use.output_key)
            sealed = self._objects.get(use.output_key, stored.version_id)
        except ObjectMissing:
            return None
        with self._ledger.read() as work:
            preparation = SealUses(work).preparation(use.id)
        try:
            require_intended(sealed, preparation, trust=self._trust.current(), at=self._clock.now())
        except SealBroken:
            return None
        return stored.version_id, sha256(sealed)

    def _abandon(self, work: RecordedWork, use: SealUse) -> None:
        now = self._clock.now()
        receipt = work.record(
            Event(act=USE_ABANDONED, actor=WORKER.actor(), subject=use.id, agency=use.agency_id)
        )
        first = Intents(work).conclude(use.id, SealUseState.ABANDONED, at=now) and SealUses(work).conclude(
            use.id,
            SealUseState.ABANDONED,
            output_version=None,
            output_sha256=None,
            event_id=receipt.event_id,
            at=now,
        )
        if not first:
            raise SealUseLost(f"{use.id} was resolved by somebody else")
