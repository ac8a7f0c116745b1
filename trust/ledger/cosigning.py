"""Having witnesses cosign: each new checkpoint goes to those who have not seen it, and is published with their lines.

A witness signs only a tree that continues the one it knows (c2sp.org/tlog-witness). That it refuses ours, or knows
more than we ever signed, is what a forked log and a log restored from a backup look like from outside: it is kept as
a disagreement, recorded as an event, and `ledger verify` names it from then on.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from trust.evidence.cosignatures import Cosignature, cosignatures_on
from trust.evidence.merkle import ProofRefused, consistency_proof, verify_consistency
from trust.evidence.tlog import NoteMalformed, NoteSignatureInvalid, SignedNote, VerifierKey
from trust.evidence.witness_policy import Witness, WitnessPolicy
from trust.kernel.clock import Clock
from trust.kernel.errors import YinxinError
from trust.ledger.checkpoints import Checkpoints, StoredCheckpoint, publish_cosigned
from trust.ledger.cosignatures import Cosignatures, Disagreement, DisagreementKind
from trust.ledger.errors import LedgerBroken
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.ledger.tiles import CHECKPOINT_KEY, WITNESSED_KEY, TileReader
from trust.ledger.witness_lines import (
    SIZE_TYPE,
    WitnessLine,
    add_checkpoint_body,
)
from trust.storage.objects.port import ObjectStore

WITNESS_DISAGREED: Final = "ledger-witness.disagreed"
ACTS: Final[Mapping[str, str]] = {
    WITNESS_DISAGREED: "A witness of the ledger knows a larger or another tree than ours: fork or restored backup.",
}
_ACTOR: Final = Actor(kind="worker", id="worker")
# So many witnesses are asked at once; the slowest decides how long a turn takes.
ASKED_AT_ONCE: Final = 8
# A witness whose clock is ahead by more than this is not believed about its time.
CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
# The second try is from the size the witness named; a third would follow a race that the next turn wins.
_TRIES: Final = 2


class WitnessState(StrEnum):
    """What became of asking one witness."""

    COSIGNED = "cosigned"
    DISAGREED = "disagreed"  # it knows another tree: an alarm
    REFUSED = "refused"  # it does not know this log or its key, or answered what no witness answers
    AWAY = "away"  # asked again at the next turn


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One witness's turn: the cosignature, or why there is none."""

    witness: Witness
    state: WitnessState
    cosignature: Cosignature | None = None
    disagreement: Disagreement | None = None
    detail: str = ""


class Cosigning:
    """Collects cosignatures on the newest checkpoint; any number of workers may do so at once.

    `keys` are the log's own verifier keys; the witnesses are those of the policy that have an address.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        store: ObjectStore,
        policy: WitnessPolicy,
        line: WitnessLine,
        keys: Sequence[VerifierKey],
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._policy = policy
        self._line = line
        self._keys = tuple(keys)
        self._clock = clock

    def collect(self) -> tuple[Asked, ...]:
        """Asks the witnesses that have not cosigned the newest checkpoint yet; answers what each said.

        Raises what the database and the store raise, and LedgerBroken where tiles and checkpoint disagree; what
        a witness does wrong is in the answer.
        """
        # 1. The newest checkpoint, who has cosigned it, and the last size that each witness cosigned.
        with self._ledger.read_primary() as read:
            checkpoint = Checkpoints(read).newest()
            if checkpoint is None:
                return ()
            known = Cosignatures(read)
            done = {each.cosigner for each in known.of_size(checkpoint.tree.size)}
            sizes = known.last_sizes()
        missing = [
            witness
            for witness in self._policy.witnesses
            if witness.url is not None and witness.key.name not in done
        ]

        # 2. Ask each of the others from there; no transaction is open while strangers take their time.
        asked: tuple[Asked, ...] = ()
        if missing:
            with ThreadPoolExecutor(min(ASKED_AT_ONCE, len(missing)), "ledger-witness") as pool:
                asked = tuple(
                    pool.map(lambda each: self._ask(each, checkpoint, sizes.get(each.key.name, 0)), missing)
                )

        # 3. Keep what they signed, and what they disagree with, each disagreement once with its event.
        with self._ledger.work() as work:
            keeping = Cosignatures(work)
            for each in asked:
                if each.cosignature is not None:
                    keeping.keep(checkpoint.tree.size, each.cosignature, at=self._clock.now())
                if each.disagreement is not None and keeping.keep_disagreement(
                    each.disagreement, at=self._clock.now()
                ):
                    work.record(_alarm(each.disagreement))
            lines = keeping.of_size(checkpoint.tree.size)

        # 4. Publish the checkpoint with its lines; as the witnessed one where they are a quorum.
        note = checkpoint.note + "".join(f"{each.line}\n" for each in lines)
        if lines:
            publish_cosigned(self._store, CHECKPOINT_KEY, note, self._keys)
            if self._policy.met_by({each.cosigner for each in lines}):
                publish_cosigned(self._store, WITNESSED_KEY, note, self._keys)
        return asked

    def _ask(self, witness: Witness, checkpoint: StoredCheckpoint, old_size: int) -> Asked:
        try:
            return self._asked(witness, checkpoint, old_size)
        except LedgerBroken:
            raise
        except YinxinError as error:
            return Asked(witness=witness, state=WitnessState.AWAY, detail=f"{error.code}: {error.message}")

    def _asked(self, witness: Witness, checkpoint: StoredCheckpoint, old_size: int) -> Asked:
        size = checkpoint.tree.size
        detail = ""
        for _ in range(_TRIES):
            proof = self._proof(old_size, checkpoint)
            body = add_checkpoint_body(old_size, proof, checkpoint.note)
            answer = self._line.add_checkpoint(witness.url or "", body)
            if answer.status == 200:
                return self._cosigned(witness, checkpoint, answer.body)
            if answer.status == 422 or (
                answer.status == 409 and answer.media_type != SIZE_TYPE and old_size == size
            ):
                return self._disagreed(witness, DisagreementKind.OTHER_TREE, size, old_size)
            if answer.status != 409:
                detail = f"the witness answered {answer.status}"
                break
            named = _size_in(answer.body)
            if named is None:
                detail = "the witness's conflict names no size"
                break
            if named == old_size:
                # It names the size we began from: at one size there are two roots.
                return self._disagreed(witness, DisagreementKind.OTHER_TREE, size, named)
            if named > size:
                return self._knows_more(witness, checkpoint, named)
            old_size = named
            detail = f"the witness knows size {named} by now"
        state = WitnessState.AWAY if detail.endswith("by now") else WitnessState.REFUSED
        return Asked(witness=witness, state=state, detail=detail)

    def _proof(self, old_size: int, checkpoint: StoredCheckpoint) -> tuple[bytes, ...]:
        """From the tiles; looked at where we know both roots, so that a damaged tile is not taken for a fork."""
        if old_size in {0, checkpoint.tree.size}:
            return ()
        size, root = checkpoint.tree.size, checkpoint.tree.root
        proof = consistency_proof(old_size, size, TileReader(self._store, size).read_node)
        with self._ledger.read_primary() as read:
            older = Checkpoints(read).of_size(old_size)
        if older is not None:
            try:
                verify_consistency(size1=old_size, size2=size, root1=older.tree.root, root2=root, proof=proof)
            except ProofRefused as error:
                raise LedgerBroken(f"the tiles do not join the checkpoints {old_size} and {size}") from error
        return proof

    def _cosigned(self, witness: Witness, checkpoint: StoredCheckpoint, body: bytes) -> Asked:
        """Believes of the answer only what this witness's key has signed of this very checkpoint."""
        try:
            answered = SignedNote.parse(checkpoint.note + body.decode())
            found = cosignatures_on(answered, [witness.key])
        except (NoteMalformed, NoteSignatureInvalid, UnicodeDecodeError) as error:
            return Asked(witness=witness, state=WitnessState.REFUSED, detail=f"its answer: {error}")
        if not found:
            return Asked(witness=witness, state=WitnessState.REFUSED, detail="it did not sign with its key")
        if found[0].at > self._clock.now() + CLOCK_DIFFERENCE:
            return Asked(witness=witness, state=WitnessState.REFUSED, detail="its clock is ahead of ours")
        return Asked(witness=witness, state=WitnessState.COSIGNED, cosignature=found[0])

    def _knows_more(self, witness: Witness, checkpoint: StoredCheckpoint, named: int) -> Asked:
        """Another worker of ours may have shown it a newer checkpoint meanwhile; else nobody of ours can have."""
        with self._ledger.read_primary() as read:
            ours = Checkpoints(read).head().size
        if named <= ours:
            detail = f"the witness knows size {named} by now"
            return Asked(witness=witness, state=WitnessState.AWAY, detail=detail)
        return self._disagreed(witness, DisagreementKind.LARGER_TREE, checkpoint.tree.size, named)

    def _disagreed(self, witness: Witness, kind: DisagreementKind, size: int, named: int) -> Asked:
        disagreement = Disagreement(cosigner=witness.key.name, kind=kind, size=size, known_size=named)
        return Asked(
            witness=witness,
            state=WitnessState.DISAGREED,
            disagreement=disagreement,
            detail=f"{kind} at size {named}",
        )


def _alarm(disagreement: Disagreement) -> Event:
    return Event(
        act=WITNESS_DISAGREED,
        actor=_ACTOR,
        subject=disagreement.cosigner,
        agency=None,
        reason=disagreement.kind.value,
        content={"size": disagreement.size, "known_size": disagreement.known_size},
    )


def _size_in(body: bytes) -> int | None:
    """The decimal of a conflict's body; None where it is none."""
    text = body[:32].decode("ascii", errors="replace").removesuffix("\n")
    if not text.isdecimal() or not text.isascii() or len(text) > 19 or (text[0] == "0" and text != "0"):
        return None
    return int(text)
