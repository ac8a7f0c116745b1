"""Proofs for strangers, computed from the tiles: an event is in the log; the log was only appended to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

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
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.errors import EventNotIncludedYet, LedgerBroken, TreeSizeRefused
from trust.ledger.headers import header_of_row
from trust.ledger.model import EventId
from trust.ledger.search import EventScope, find_event
from trust.ledger.tables import event_contents, events
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

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def inclusion(self, work: ReadWork, event_id: EventId, *, scope: EventScope) -> str:
        """The proof file (c2sp.org/tlog-proof@v1) of one event, the entry in its `extra` line.

        Raises `EventNotFound` outside the scope and `EventNotIncludedYet` before a checkpoint covers it.
        """
        event = find_event(work, event_id, scope=scope)
        checkpoint = Checkpoints(work).newest()
        if event.index is None or checkpoint is None or event.index >= checkpoint.tree.size:
            raise EventNotIncludedYet("the event is recorded and will be under a checkpoint soon; ask again")
        size, root = checkpoint.tree.size, checkpoint.tree.root
        entry = header_of_row(work.execute(select(events).where(events.c.event_id == event_id)).one()).entry()
        hashes = inclusion_proof(event.index, size, TileReader(self._store, size).read_node)
        try:
            verify_inclusion(index=event.index, size=size, leaf=leaf_hash(entry), proof=hashes, root=root)
        except ProofRefused as error:
            raise LedgerBroken(f"the row of {event_id} and the tiles disagree: {error.message}") from error
        return TlogProof(index=event.index, hashes=hashes, checkpoint=checkpoint.note, extra=entry).encode()

    def header(self, work: ReadWork, event_id: EventId, *, scope: EventScope) -> bytes:
        """The event's public header, whose SHA-256 is the entry in its proof; raises `EventNotFound`."""
        find_event(work, event_id, scope=scope)
        return header_of_row(work.execute(select(events).where(events.c.event_id == event_id)).one()).encode()

    def disclosed(
        self, work: ReadWork, event_id: EventId, *, scope: EventScope
    ) -> tuple[bytes, Mapping[str, Any]] | None:
        """Salt and content, by which anybody can open the header's commitment; None where they were erased."""
        find_event(work, event_id, scope=scope)
        row = work.execute(
            select(event_contents.c.salt, event_contents.c.content).where(
                event_contents.c.event_id == event_id
            )
        ).one_or_none()
        return None if row is None else (bytes(row.salt), row.content)

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
