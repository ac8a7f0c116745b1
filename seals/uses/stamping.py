"""Completing what was delivered below its level: what is missing is appended when the timestamp authority is back.

The caller chose so beforehand. The document delivered stays where it is; the completed one is a new output, and a
fact of its own beside the outcome.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog

from identity.caller import WORKER
from seals.errors import SealBroken
from seals.events import USE_STAMPED
from seals.model import DocumentOutput, SealUse
from seals.ports import TimestampSource, TrustView
from seals.uses.keys import STAMPED, key_of
from seals.uses.output import level_of, read_output
from seals.uses.repository import SealUses
from trust.crypto.digests import sha256
from trust.documents import pdf
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable, YinxinError
from trust.kernel.report import Indication
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.storage.objects import ObjectMissing, ObjectStore

# Each try takes a token of the timestamp authority, and what was wrong (validation data that is missing, say) is
# seldom mended within the seconds between two passes.
TRIED_AGAIN_AFTER: Final = timedelta(hours=1)
_log = structlog.get_logger("yinxin.seals")


class StampSealUses:
    """Appends the timestamps that are still owed; a chore of the worker."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        timestamps: TimestampSource,
        trust: TrustView,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._timestamps = timestamps
        self._trust = trust
        self._clock = clock
        # Uses that could not be completed, and until when they are let be.
        self._put_aside: dict[str, datetime] = {}

    def __call__(self, *, limit: int = 50) -> int:
        """Completes what can be; how many there were. Two workers at once are harmless: one stamping is written.

        Raises Unavailable where the authority is still away.
        """
        with self._ledger.read() as work:
            owed = SealUses(work).unstamped(limit=limit)
        if owed:
            self._timestamps.require_there()
        stamped, now = 0, self._clock.now()
        self._put_aside = {use_id: until for use_id, until in self._put_aside.items() if until > now}
        for use in owed:
            if self._put_aside.get(use.id, now) > now:
                continue
            try:
                stamped += self._stamp(use)
            except Unavailable:
                raise
            except YinxinError as error:  # one that cannot be completed must not keep the others waiting
                self._put_aside[use.id] = now + TRIED_AGAIN_AFTER
                _log.error("seal-use.not-stamped", use=use.id, code=error.code, reason=error.message)
        return stamped

    def _stamp(self, use: SealUse) -> bool:
        # 1. The document as it was delivered, and the completed one where a crash left it in the store.
        delivered = read_output(self._objects, use)
        with self._ledger.read() as work:
            field_name = SealUses(work).preparation(use.id).field_name
        key = key_of(use.agency_id, use.id, STAMPED)
        stamped = self._left(key, use, field_name, delivered)

        # 2. Otherwise append what is missing: a document timestamp, and what the level wants beyond it.
        if stamped is None:
            stamped = pdf.extend(
                delivered,
                to=pdf.Level(use.level.value),
                trust=self._trust.current(),
                timestamps=self._timestamps,
                at=self._clock.now(),
                fields=(field_name,),
            )

        # 3. Look at it as a stranger would, and keep it.
        self._require_completed(use, field_name, delivered, stamped)
        stored = self._objects.put(key, stamped)

        # 4. Say that it exists.
        output = DocumentOutput(key=stored.key, version=stored.version_id, sha256=stored.sha256)
        with self._ledger.work() as work:
            if not SealUses(work).lock_stamping(use.id):
                return False  # another worker was first
            receipt = work.record(
                Event(
                    act=USE_STAMPED,
                    actor=WORKER.actor(),
                    subject=use.id,
                    agency=use.agency_id,
                    content={
                        "output_sha256": output.sha256.hex(),
                        "delivered_sha256": sha256(delivered).hex(),
                        "level_reached": use.level.value,
                    },
                )
            )
            SealUses(work).stamp(use.id, output, event_id=receipt.event_id, at=self._clock.now())
        return True

    def _left(self, key: str, use: SealUse, field_name: str, delivered: bytes) -> bytes | None:
        """The completed document in the store; one that does not hold is dropped, for it to be made again."""
        try:
            version = self._objects.stat(key).version_id
            left = self._objects.get(key, version)
        except ObjectMissing:
            return None
        try:
            self._require_completed(use, field_name, delivered, left)
        except SealBroken as broken:
            _log.warning("seal-use.stamped-dropped", use=use.id, reason=broken.message)
            self._objects.delete(key, version)
            return None
        return left

    def _require_completed(self, use: SealUse, field_name: str, delivered: bytes, stamped: bytes) -> None:
        """Raises SealBroken unless our signature still stands, now at the level wanted."""
        if not stamped.startswith(delivered):
            raise SealBroken(f"the completed document of {use.id} does not begin with the delivered one")
        report = pdf.validate(stamped, trust=self._trust.current(), at=self._clock.now())
        own = [part for part in report.parts if part.subject == field_name]
        if len(own) != 1 or own[0].indication is not Indication.VALID:
            raise SealBroken(f"the signature of {use.id} does not stand any more: {report.reasons()}")
        if not level_of(own[0]).reaches(use.level):
            raise SealBroken(f"the completed document of {use.id} is not at {use.level}")
