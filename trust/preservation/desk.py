"""Preservation's desk: what is to be kept is registered, evidence is gathered, renewed and handed out.

with ledger.work() as work:                       # the transaction of the act itself
    desk.keep(work, group=record.id, objects=[stored], agency_id=record.agency_id)
desk.gather()                                     # a chore: one timestamp for all that waits
desk.record_of(record.id)                         # the evidence record (RFC 4998), DER
desk.renew(to=Digest.SHA512)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.preservation.events import CHECKPOINT_KEPT, PRESERVATION
from trust.preservation.gathering import GatherEvidence
from trust.preservation.model import Due, KeptObject
from trust.preservation.ports import ArchiveTimestamps, CurrentTrust
from trust.preservation.rehashing import Rehashing
from trust.preservation.renewal import RenewEvidence
from trust.preservation.repository import Preserved
from trust.preservation.rules import RenewalRules
from trust.preservation.stages import record_of
from trust.preservation.stamping import Stamping
from trust.preservation.storing import EVIDENCE_LOCK, StageStore
from trust.storage.database import Work
from trust.storage.objects.port import ObjectStore


class Stored(Protocol):
    """What an object store answered to a put."""

    @property
    def key(self) -> str: ...

    @property
    def version_id(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def sha256(self) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class EvidenceStatus:
    """How evidence stands: groups kept and waiting for their batch, batches, what is due and until when it holds."""

    groups: int
    waiting: int
    batches: int
    unstamped: int
    damaged: int
    due_timestamps: int
    due_hash_trees: int
    reasons: tuple[str, ...]
    digests: tuple[tuple[str, int], ...]
    first_end: datetime | None


class EvidenceDesk:
    """Everything that is done with evidence. `gather`, `keep_checkpoint` and `renew` are the worker's chores too."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        objects: ObjectStore,
        timestamps: ArchiveTimestamps,
        trust: CurrentTrust,
        clock: Clock,
        ids: Ids,
        rules: RenewalRules | None = None,
        threads: int | None = None,
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._clock = clock
        self._stages = StageStore(ledger=ledger, objects=objects, clock=clock)
        stamping = Stamping(timestamps=timestamps, trust=trust, clock=clock)
        rehashing = Rehashing(ledger=ledger, objects=objects, clock=clock, threads=threads)
        self.gather = GatherEvidence(
            ledger=ledger,
            stages=self._stages,
            stamping=stamping,
            rehashing=rehashing,
            clock=clock,
            ids=ids,
            rules=rules,
        )
        self.renew = RenewEvidence(
            ledger=ledger,
            stages=self._stages,
            stamping=stamping,
            rehashing=rehashing,
            trust=trust,
            clock=clock,
            rules=rules,
        )

    def keep(self, work: Work, *, group: str, objects: Sequence[Stored], agency_id: str | None) -> None:
        """Registers a group's objects in the transaction of the act that stored them; once, however often asked."""
        kept = [
            KeptObject(
                group=group,
                position=position,
                key=each.key,
                version_id=each.version_id,
                size=each.size,
                sha256=each.sha256,
                agency_id=agency_id,
            )
            for position, each in enumerate(objects)
        ]
        Preserved(work).keep(kept, at=self._clock.now())

    def release(self, work: Work, *, group: str, reason: str) -> None:
        """Says, in the transaction of a disposal, that a group's objects go; its record stays as it is.

        `reason` is a stable code. No renewal reads the objects any more, so their absence is no damage.
        """
        Preserved(work).release(group, reason=reason, at=self._clock.now())

    def record_of(self, name: str) -> bytes | None:
        """The evidence record (DER) of a group, by its id or by the key of one of its objects.

        None where it is not kept or its batch has no timestamp yet. Raises EvidenceBroken, ObjectStoreAway.
        """
        with self._ledger.read() as work:
            place = Preserved(work).place_of(name)
        if place is None:
            return None
        batch, position = place
        stages = self._stages.stages_of(batch)
        if not stages or stages[0].timestamp_of(position) is None:
            return None
        return record_of(stages, position).encode()

    def keep_checkpoint(self) -> bool:
        """Takes the ledger's newest checkpoint among what is kept; False where it is there, or there is none.

        A checkpoint covers every event before it, so one a day carries the whole ledger across digests.
        1. the note is put under a key of its size; 2. a transaction registers it. A crash between them leaves an
        object that the next run finds under the same key.
        """
        with self._ledger.read() as work:
            newest = Checkpoints(work).newest()
            if newest is None or Preserved(work).is_kept(_checkpoint(newest.tree.size)):
                return False
        group = _checkpoint(newest.tree.size)
        stored = self._objects.put(
            f"house/checkpoints/{group}",
            newest.note.encode(),
            retain_until=self._clock.now().replace(microsecond=0) + EVIDENCE_LOCK,
        )
        with self._ledger.work() as work:
            work.advisory_lock(f"evidence/{group}")
            if Preserved(work).is_kept(group):
                return False
            work.record(Event(act=CHECKPOINT_KEPT, actor=PRESERVATION, subject=group, agency=None))
            self.keep(work, group=group, objects=[stored], agency_id=None)
        return True

    def status(self, rules: RenewalRules | None = None) -> EvidenceStatus:
        """How evidence stands now."""
        with self._ledger.read() as work:
            preserved = Preserved(work)
            groups, waiting = preserved.kept()
            batches = preserved.batches()
            damaged = preserved.damaged()
        states = tuple(self.renew.states(rules))
        digests: dict[str, int] = {}
        for batch in batches:
            digests[batch.digest] = digests.get(batch.digest, 0) + batch.groups
        ends = [each.not_after for each in batches if each.not_after is not None]
        return EvidenceStatus(
            groups=groups,
            waiting=waiting,
            batches=len(batches),
            unstamped=sum(each.number == 0 for each in batches),
            damaged=damaged,
            due_timestamps=sum(each.due is Due.TIMESTAMP for each in states),
            due_hash_trees=sum(each.due is Due.HASH_TREE for each in states),
            reasons=tuple(
                dict.fromkeys(each.reason for each in states if each.broken or each.due is not Due.NOTHING)
            ),
            digests=tuple(sorted(digests.items())),
            first_end=min(ends, default=None),
        )


def _checkpoint(size: int) -> str:
    return f"checkpoint-{size}"
