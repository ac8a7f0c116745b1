"""Stages of evidence in the object store and in the database: put first, then said to be there."""

from datetime import datetime, timedelta
from typing import Final

from trust.crypto.digests import sha256
from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.preservation.errors import EvidenceBroken
from trust.preservation.events import GATHERED, HASH_TREE_RENEWED, PRESERVATION, TIMESTAMP_RENEWED
from trust.preservation.model import StageKind, StoredStage
from trust.preservation.repository import Preserved
from trust.preservation.stages import Stage
from trust.preservation.stamping import ArchiveToken
from trust.storage.objects.port import ObjectStore

# Each renewal extends the lock of all that came before it; authorities' certificates live no longer than this.
EVIDENCE_LOCK: Final = timedelta(days=5 * 366)
_ACTS: Final = {
    StageKind.INITIAL: GATHERED,
    StageKind.TIMESTAMP: TIMESTAMP_RENEWED,
    StageKind.HASH_TREE: HASH_TREE_RENEWED,
}


class StageStore:
    """Writes stages and reads them back."""

    def __init__(self, *, ledger: Ledger, objects: ObjectStore, clock: Clock) -> None:
        self._ledger = ledger
        self._objects = objects
        self._clock = clock

    def stages_of(self, batch_id: str) -> tuple[Stage, ...]:
        """The stages of a batch in order; raises EvidenceBroken where one is not what was stored."""
        with self._ledger.read() as work:
            stored = Preserved(work).stages_of(batch_id)
        return tuple(self._read(each) for each in stored)

    def newest_of(self, batch_id: str) -> Stage:
        """The newest stage of a batch that has one; raises EvidenceBroken."""
        with self._ledger.read() as work:
            stored = Preserved(work).stages_of(batch_id)
        return self._read(stored[-1])

    def _read(self, stored: StoredStage) -> Stage:
        octets = self._objects.get(stored.key, stored.version_id)
        if sha256(octets) != stored.sha256:
            raise EvidenceBroken(f"{stored.key} is not the stage of evidence that was stored")
        return Stage.parse(octets)

    def write(self, stage: Stage, token: ArchiveToken, *, earlier: tuple[StoredStage, ...] = ()) -> bool:
        """Puts the file, then writes its row and event; False where another run was first.

        The key has the file's own digest in it: of two runs at once each writes its own, and the row decides.
        """
        now = self._clock.now()
        until = now.replace(microsecond=0) + EVIDENCE_LOCK
        octets = stage.encode()
        name = f"{stage.number:04d}-{stage.kind}-{sha256(octets).hex()[:16]}.json"
        stored = self._objects.put(f"house/evidence/{stage.batch}/{name}", octets, retain_until=until)
        for each in earlier:
            self._objects.retain(each.key, each.version_id, until=until)
        return self._say(
            stage,
            StoredStage(
                number=stage.number, key=stored.key, version_id=stored.version_id, sha256=stored.sha256
            ),
            token,
            now,
        )

    def _say(self, stage: Stage, stored: StoredStage, token: ArchiveToken, now: datetime) -> bool:
        with self._ledger.work() as work:
            preserved = Preserved(work)
            work.advisory_lock(f"evidence/{stage.batch}")
            if preserved.has_stage(stage.batch, stage.number):
                return False
            receipt = work.record(
                Event(
                    act=_ACTS[stage.kind],
                    actor=PRESERVATION,
                    subject=stage.batch,
                    agency=None,
                    content={
                        "stage": stage.number,
                        "digest": stage.digest.value,
                        "groups": sum(each is not None for each in stage.leaves),
                        "left_out": sum(each is None for each in stage.leaves),
                        "token_sha256": sha256(token.token).hex(),
                    },
                )
            )
            return preserved.add_stage(
                stage.batch,
                stored,
                kind=stage.kind,
                digest=stage.digest,
                gen_time=token.gen_time,
                not_after=token.not_after,
                event_id=receipt.event_id,
                at=now,
            )
