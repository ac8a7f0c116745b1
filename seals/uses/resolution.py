"""What a crash left: uses without an outcome, resolved by the worker when their lease has run out."""

import structlog

from identity.caller import WORKER
from seals.errors import SealBroken, SealUseLost
from seals.model import DocumentOutput, SealUse, SignatureLevel, WhenTimestampAway
from seals.ports import TrustView
from seals.uses.concluding import conclude_abandoned, conclude_completed
from seals.uses.output import level_of, require_intended
from seals.uses.repository import SealUses
from trust.crypto.digests import sha256
from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger
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
                    conclude_abandoned(work, use, caller=WORKER, clock=self._clock)
                else:
                    output, level = found
                    conclude_completed(
                        work, use, output=output, level=level, caller=WORKER, clock=self._clock
                    )
        except SealUseLost:
            return  # the request or another worker has written the outcome: rolled back, nothing to add

    def _output(self, use: SealUse) -> tuple[DocumentOutput, SignatureLevel] | None:
        """The stored output and its level, where it is the prepared one and valid; a digest use keeps none."""
        if use.files is None:
            return None
        try:
            stored = self._objects.stat(use.files.output_key)
            sealed = self._objects.get(use.files.output_key, stored.version_id)
        except ObjectMissing:
            return None
        with self._ledger.read() as work:
            preparation = SealUses(work).preparation(use.id)
        try:
            report = require_intended(sealed, preparation, trust=self._trust.current(), at=self._clock.now())
        except SealBroken:
            return None
        found = level_of(report)
        reached = use.level if found.reaches(use.level) else found
        if reached is not use.level and use.when_timestamp_away is not WhenTimestampAway.DELIVER_B_B:
            return None
        output = DocumentOutput(key=stored.key, version=stored.version_id, sha256=sha256(sealed))
        return output, reached
