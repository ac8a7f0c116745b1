"""Renewal: batches whose evidence comes to an end get a new timestamp, or a new hash tree by a stronger digest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trust.crypto.digests import Digest
from trust.evidence.ers import HashTree, KnownObject, covered_documents, covered_timestamp, verify_record
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable, YinxinError
from trust.kernel.report import Indication, Outcome
from trust.ledger.ledger import Ledger
from trust.preservation.errors import DigestRefused, EvidenceBroken, EvidenceTrustAway
from trust.preservation.model import Batch, Damage, Due, KeptObject, StageKind
from trust.preservation.ports import CurrentTrust, Progress
from trust.preservation.rehashing import Groups, Known, Rehashing
from trust.preservation.repository import Preserved
from trust.preservation.rules import RenewalRules
from trust.preservation.stages import Stage, record_of
from trust.preservation.stamping import ArchiveToken, Stamping
from trust.preservation.storing import StageStore

# Under one token; what is held in memory at once is these batches' trees, some tens of megabytes.
MAX_BATCHES_PER_TOKEN: Final = 64


@dataclass(frozen=True, kw_only=True)
class BatchState:
    """A batch, what it needs and why. Of one whose newest stage cannot be read (`broken`) nobody can say."""

    batch: Batch
    due: Due
    reason: str
    broken: bool = False


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """What a renewal came to. `failed` are batches that could not be renewed, each with the reason."""

    examined: int
    timestamps: tuple[str, ...] = ()
    hash_trees: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    damages: tuple[Damage, ...] = ()
    planned: tuple[BatchState, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A batch with its next stage but for the token; `stages` are those before it, the last token closed."""

    batch: Batch
    groups: Groups
    stages: tuple[Stage, ...]
    stage: Stage


class RenewEvidence:
    """The worker's chore and `yinxin evidence renew`.

    1. every batch's newest stage is held against the rules;
    2. for a new hash tree every object is read again, the old digest compared; a damaged one is named and left out;
    3. the newest token is closed: what shows now that it is good is laid into it, and refused where it is not;
    4. one token over all batches' trees;
    5. a record of each batch is verified as a stranger would;
    6. file, row and event, as for a first stage.

    Nothing before 6 changes what is there: a run that was killed is simply run again, and digests computed in 2 are
    not computed twice.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        stages: StageStore,
        stamping: Stamping,
        rehashing: Rehashing,
        trust: CurrentTrust,
        clock: Clock,
        rules: RenewalRules | None = None,
    ) -> None:
        self._ledger = ledger
        self._stages = stages
        self._stamping = stamping
        self._rehashing = rehashing
        self._trust = trust
        self._clock = clock
        self._rules = rules or RenewalRules()

    def states(self, rules: RenewalRules | None = None) -> Iterator[BatchState]:
        """Every stamped batch of which something is kept, and what it needs; raises Unavailable."""
        used = rules or self._rules
        with self._ledger.read() as work:
            batches = Preserved(work).batches()
        for batch in batches:
            if batch.number and batch.released < batch.groups:
                yield self._state(batch, used)

    def __call__(
        self,
        *,
        to: Digest | None = None,
        rules: RenewalRules | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Renewed:
        """Renews what is due; `to` gives every batch a hash tree by that digest that has another.

        Raises Unavailable where the authority or the store is away: what was renewed so far stays renewed.
        """
        used = replace(rules or self._rules, digest=to) if to else rules or self._rules

        trusted = used.policy.check_digest(used.digest, self._clock.now() + used.margin)
        if trusted.outcome is not Outcome.PASSED:
            raise DigestRefused(f"evidence is not renewed to {used.digest}: {trusted.detail}")

        # 1. What is due.
        states = list(self.states(used))
        if to is not None:
            states = [_asked(each, to) for each in states]
        due = tuple(each for each in states if each.due is not Due.NOTHING)
        broken = tuple((each.batch.id, each.reason) for each in states if each.broken)
        result = Renewed(examined=len(states), failed=broken, planned=due)
        if dry_run:
            return result
        for kind in (Due.TIMESTAMP, Due.HASH_TREE):
            batches = [each.batch for each in due if each.due is kind]
            for at in range(0, len(batches), MAX_BATCHES_PER_TOKEN):
                result = self._renew(batches[at : at + MAX_BATCHES_PER_TOKEN], kind, used, result, progress)
        return result

    def _state(self, batch: Batch, rules: RenewalRules) -> BatchState:
        """One batch's; what is wrong with its file keeps no other from being renewed."""
        try:
            token = self._stages.newest_of(batch.id).token
        except Unavailable:
            raise
        except YinxinError as fault:
            return BatchState(batch=batch, due=Due.NOTHING, reason=fault.message, broken=True)
        due, reason = rules.due(batch, token, self._clock.now())
        return BatchState(batch=batch, due=due, reason=reason)

    def _renew(
        self,
        batches: Sequence[Batch],
        kind: Due,
        rules: RenewalRules,
        result: Renewed,
        progress: Progress | None,
    ) -> Renewed:
        ready: list[_Ready] = []
        damages, failed = list(result.damages), list(result.failed)
        for batch in batches:
            try:
                # 2 and 3.
                if kind is Due.HASH_TREE:
                    prepared, damaged = self._hash_tree(batch, rules, progress)
                    damages += damaged
                else:
                    prepared = self._timestamp(batch, rules)
                ready.append(prepared)
            except EvidenceTrustAway as fault:
                failed.append((batch.id, fault.message))
            except Unavailable:
                raise
            except YinxinError as fault:
                failed.append((batch.id, fault.message))
        written: list[str] = []
        # Trees of one digest go under one token.
        for digest in dict.fromkeys(each.stage.digest for each in ready):
            done, undone = self._stamp([each for each in ready if each.stage.digest is digest], rules)
            written += done
            failed += undone
        renewed = replace(result, damages=tuple(damages), failed=tuple(failed))
        if kind is Due.HASH_TREE:
            return replace(renewed, hash_trees=(*renewed.hash_trees, *written))
        return replace(renewed, timestamps=(*renewed.timestamps, *written))

    def _timestamp(self, batch: Batch, rules: RenewalRules) -> _Ready:
        stages = self._closed(batch, rules)
        newest = stages[-1]
        stage = Stage(
            batch=batch.id,
            number=newest.number + 1,
            kind=StageKind.TIMESTAMP,
            digest=newest.digest,
            leaves=((covered_timestamp(newest.token, newest.digest),),),
            above=(),
            token=b"",
            closed=newest.token,
        )
        return _Ready(batch=batch, groups=self._groups(batch), stages=stages, stage=stage)

    def _hash_tree(
        self, batch: Batch, rules: RenewalRules, progress: Progress | None
    ) -> tuple[_Ready, tuple[Damage, ...]]:
        if batch.digest == rules.digest:
            raise DigestRefused(f"the hash tree is by {batch.digest} already; name a stronger digest")
        # Whether it can be renewed at all is known before objects are read for hours; what counts is closed after.
        self._closed(batch, rules)
        groups = self._groups(batch)
        with self._ledger.read() as work:
            released = Preserved(work).released(batch.id)
        kept = [group for group in groups if group[0].group not in released]
        known, damages = self._rehashing.complete(kept, rules.digest, progress=progress)
        stages = self._closed(batch, rules)
        leaves = tuple(
            _leaf(stages, position, group, known, rules.digest) for position, group in enumerate(groups)
        )
        if not any(leaves):
            raise EvidenceBroken(f"no object of {batch.id} is whole")
        stage = Stage(
            batch=batch.id,
            number=stages[-1].number + 1,
            kind=StageKind.HASH_TREE,
            digest=rules.digest,
            leaves=leaves,
            above=(),
            token=b"",
            closed=stages[-1].token,
        )
        return _Ready(batch=batch, groups=groups, stages=stages, stage=stage), damages

    def _groups(self, batch: Batch) -> Groups:
        with self._ledger.read() as work:
            return Preserved(work).groups_of(batch.id)

    def _closed(self, batch: Batch, rules: RenewalRules) -> tuple[Stage, ...]:
        """The batch's stages, the newest token with what shows now that it is good."""
        stages = self._stages.stages_of(batch.id)
        newest = stages[-1]
        closed = self._stamping.close(newest.token, newest.root, newest.digest, rules.policy)
        return (*stages[:-1], newest.with_token(closed.token))

    def _stamp(self, ready: Sequence[_Ready], rules: RenewalRules) -> tuple[list[str], list[tuple[str, str]]]:
        # 4. Batches' roots under one root.
        digest = ready[0].stage.digest
        top = HashTree([[each.stage.tree.root] for each in ready], digest)
        token = self._stamping.stamp(top.root, digest, rules.policy)
        written: list[str] = []
        failed: list[tuple[str, str]] = []
        for position, each in enumerate(ready):
            stage = replace(each.stage, above=top.reduced(position)[1:], token=token.token)
            problem = self._problem(each, stage, token, rules)
            if problem is not None:
                failed.append((stage.batch, problem))
                continue
            # 6.
            with self._ledger.read() as work:
                earlier = Preserved(work).stages_of(stage.batch)
            if self._stages.write(stage, token, earlier=earlier):
                written.append(stage.batch)
        return written, failed

    def _problem(self, ready: _Ready, stage: Stage, token: ArchiveToken, rules: RenewalRules) -> str | None:
        """Why a stage is not to be kept: it proves nothing, or nothing longer than the one before."""
        ends = ready.batch.not_after
        after = replace(ready.batch, not_after=token.not_after)
        still, _ = rules.due(after, token.token, self._clock.now())
        gains_nothing = still is Due.TIMESTAMP and ends is not None and token.not_after <= ends
        if stage.kind is StageKind.TIMESTAMP and gains_nothing:
            return "the timestamp authority still has the same certificate: give it a new one first"
        # 5. The first group that is in it, as a stranger would look at it.
        stages = (*ready.stages, stage)
        position = next(
            at for at in range(len(ready.groups)) if all(each.timestamp_of(at) is not None for each in stages)
        )
        group = ready.groups[position]
        known = {
            digest: self._rehashing.known([group], digest)
            for digest in dict.fromkeys(each.digest for each in stages)
        }
        objects = [
            KnownObject(
                known={
                    digest: values[(each.group, each.position)]
                    for digest, values in known.items()
                    if (each.group, each.position) in values
                }
            )
            for each in group
        ]
        report = verify_record(
            record_of(stages, position),
            objects=objects,
            trust=self._trust.current(),
            at=self._clock.now(),
            policy=rules.policy,
            whole_group=True,
        )
        if report.indication is Indication.VALID:
            return None
        return f"the renewed record is not valid: {', '.join(report.reasons())}"


def _asked(state: BatchState, to: Digest) -> BatchState:
    if state.broken or state.batch.digest == to.value:
        return state
    return replace(state, due=Due.HASH_TREE, reason=f"a hash tree by {to} was asked for")


def _leaf(
    stages: Sequence[Stage], position: int, group: Sequence[KeptObject], known: Known, digest: Digest
) -> tuple[bytes, ...] | None:
    """What a group stands for in the new tree; None where one of its objects is damaged, or its record had ended."""
    keys = [(each.group, each.position) for each in group]
    if any(key not in known for key in keys):
        return None
    if any(stage.timestamp_of(position) is None for stage in stages):
        return None
    record = record_of(stages, position)
    return covered_documents([known[key] for key in keys], record, digest)
