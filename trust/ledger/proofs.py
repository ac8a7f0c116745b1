"""Proofs for strangers, computed from the tiles: an event is in the log; the log was only appended to."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from trust.evidence.merkle import (
    MAX_TREE_SIZE,
    ProofRefused,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from trust.evidence.tlog import TlogProof
from trust.evidence.witness_policy import WitnessPolicy
from trust.ledger.checkpoints import Checkpoints, StoredCheckpoint
from trust.ledger.cosignatures import Cosignatures
from trust.ledger.errors import EventNotFound, EventNotIncludedYet, LedgerBroken, TreeSizeRefused
from trust.ledger.headers import header_of_row
from trust.ledger.ledger import Ledger
from trust.ledger.model import EventId
from trust.ledger.search import EventScope
from trust.ledger.tables import events, sequence
from trust.ledger.tiles import TileReader
from trust.storage.database import ReadWork
from trust.storage.objects.port import ObjectStore


@dataclass(frozen=True, kw_only=True)
class ConsistencyProof:
    """RFC 6962 §2.1.2: that the tree of `size2` begins with the tree of `size1`."""

    size1: int
    size2: int
    hashes: tuple[bytes, ...]


class LedgerProofs:
    """Makes proofs against the newest stored checkpoint, and verifies each before it is given out.

    Raises `LedgerBroken` where rows, tiles and checkpoints disagree, and what the object store raises.
    """

    def __init__(self, store: ObjectStore, *, policy: WitnessPolicy | None = None) -> None:
        """With a policy, proofs are against the newest checkpoint that its quorum has cosigned, where there is one."""
        self._store = store
        self._policy = policy

    def inclusion(self, work: ReadWork, event_id: EventId, *, scope: EventScope) -> str:
        """The proof file (c2sp.org/tlog-proof@v1) of one event, the entry in its `extra` line.

        Raises `EventNotFound` outside the scope and `EventNotIncludedYet` before a checkpoint covers it.
        """
        row = self._row(work, event_id, scope)
        checkpoint = None if row.position is None else self._covering(work, row.position)
        if checkpoint is None:
            raise EventNotIncludedYet("the event is recorded and will be under a checkpoint soon; ask again")
        size, root = checkpoint.tree.size, checkpoint.tree.root
        index, entry = row.position, header_of_row(row).entry()
        hashes = inclusion_proof(index, size, TileReader(self._store, size).read_node)
        try:
            verify_inclusion(index=index, size=size, leaf=leaf_hash(entry), proof=hashes, root=root)
        except ProofRefused as error:
            raise LedgerBroken(f"the row of {event_id} and the tiles disagree: {error.message}") from error
        note = checkpoint.note + "".join(f"{each.line}\n" for each in Cosignatures(work).of_size(size))
        return TlogProof(index=index, hashes=hashes, checkpoint=note, extra=entry).encode()

    def inclusion_now(self, ledger: Ledger, event_id: EventId, *, scope: EventScope) -> str:
        """The same from a copy that may lag behind where it knows the event covered, else from the database itself.

        Raises as `inclusion`, of what is true now.
        """
        try:
            with ledger.read() as work:
                return self.inclusion(work, event_id, scope=scope)
        except (EventNotFound, EventNotIncludedYet):
            with ledger.read_primary() as work:
                return self.inclusion(work, event_id, scope=scope)

    def header(self, work: ReadWork, event_id: EventId, *, scope: EventScope) -> bytes:
        """The event's public header, whose SHA-256 is the entry in its proof; raises `EventNotFound`."""
        return header_of_row(self._row(work, event_id, scope)).encode()

    def consistency(self, work: ReadWork, size1: int, size2: int) -> ConsistencyProof:
        """The proof between two stored checkpoints, `0 < size1 <= size2`; raises `TreeSizeRefused`."""
        if not 0 < size1 <= size2 <= MAX_TREE_SIZE:
            raise TreeSizeRefused("a consistency proof goes from a size of at least 1 to one not smaller")
        known = Checkpoints(work)
        first, second = known.of_size(size1), known.of_size(size2)
        if first is None or second is None:
            raise TreeSizeRefused(f"there are no checkpoints of sizes {size1} and {size2}")
        hashes = consistency_proof(size1, size2, TileReader(self._store, size2).read_node)
        try:
            verify_consistency(
                size1=size1, size2=size2, root1=first.tree.root, root2=second.tree.root, proof=hashes
            )
        except ProofRefused as error:
            raise LedgerBroken(f"the tiles do not join the checkpoints {size1} and {size2}") from error
        return ConsistencyProof(size1=size1, size2=size2, hashes=hashes)

    def _row(self, work: ReadWork, event_id: EventId, scope: EventScope) -> Row[Any]:
        """The event's row with its index as `position`; raises `EventNotFound`."""
        row = work.execute(
            select(events, sequence.c.index.label("position"))
            .outerjoin(sequence, sequence.c.event_id == events.c.event_id)
            .where(events.c.event_id == event_id)
        ).one_or_none()
        if row is None or scope.agency not in {None, row.agency}:
            raise EventNotFound("there is no such event")
        return row

    def _covering(self, work: ReadWork, index: int) -> StoredCheckpoint | None:
        """The checkpoint to prove this leaf against; None where none covers it yet."""
        known = Checkpoints(work)
        if self._policy is not None and self._policy.witnesses:
            size = Cosignatures(work).witnessed_beyond(index, self._policy)
            if size is not None:
                return known.of_size(size)
        newest = known.newest()
        return newest if newest is not None and index < newest.tree.size else None
