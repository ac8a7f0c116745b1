"""Batches: what waits gets its first archive timestamp, a thousand groups under one token."""

from typing import Final

from trust.crypto.digests import Digest
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger
from trust.preservation.model import Batch, BatchId, StageKind
from trust.preservation.rehashing import Rehashing
from trust.preservation.repository import Preserved
from trust.preservation.rules import RenewalRules
from trust.preservation.stages import Stage
from trust.preservation.stamping import Stamping
from trust.preservation.storing import StageStore

# A stage's file of so many groups has about 100 KiB, and a proof ten lists.
MAX_GROUPS_PER_BATCH: Final = 1000


class GatherEvidence:
    """The worker's chore. What a crash left, at whichever step, the next run completes.

    1. a transaction takes waiting groups into a batch;
    2. their tree is built and its root stamped;
    3. tree and token are put into the object store, under a key of their own;
    4. a transaction says that they are there, with the event.

    After 1 the batch stands there without a stage, and 2 to 4 are done again by whoever runs next: a token or file
    too many harms nobody, and the row of step 4 is written once.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        stages: StageStore,
        stamping: Stamping,
        rehashing: Rehashing,
        clock: Clock,
        ids: Ids,
        rules: RenewalRules | None = None,
    ) -> None:
        self._ledger = ledger
        self._stages = stages
        self._stamping = stamping
        self._rehashing = rehashing
        self._clock = clock
        self._ids = ids
        self._rules = rules or RenewalRules()

    def __call__(self, *, limit: int = MAX_GROUPS_PER_BATCH) -> int:
        """Answers how many batches got their first timestamp. Raises Unavailable, EvidenceBroken."""
        # 1. Take what waits; two runs at once do not take the same.
        with self._ledger.work() as work:
            preserved = Preserved(work)
            work.advisory_lock("evidence/gather")
            waiting = preserved.waiting(limit=limit)
            if waiting:
                now = self._clock.now()
                preserved.intend(
                    self._ids.new(BatchId), waiting, digest=self._rules.first_digest(now), at=now
                )
        with self._ledger.read() as work:
            unstamped = Preserved(work).unstamped()
        return sum(self._stamp(batch) for batch in unstamped)

    def _stamp(self, batch: Batch) -> bool:
        digest = Digest(batch.digest)
        with self._ledger.read() as work:
            groups = Preserved(work).groups_of(batch.id)

        # 2. By SHA-256 what was computed when they were put; by another digest they are read.
        known, _ = self._rehashing.complete(groups, digest)
        leaves = tuple(
            tuple(known[(each.group, each.position)] for each in group)
            if all((each.group, each.position) in known for each in group)
            else None
            for group in groups
        )
        if not any(leaves):
            return False
        stage = Stage(
            batch=batch.id,
            number=1,
            kind=StageKind.INITIAL,
            digest=digest,
            leaves=leaves,
            above=(),
            token=b"",
            closed=None,
        )
        token = self._stamping.stamp(stage.tree.root, digest, self._rules.policy)

        # 3 and 4.
        return self._stages.write(stage.with_token(token.token), token)
