"""Proofs for strangers, computed from the tiles: an event is in the log; the log was only appended to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, true

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
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.cosignatures import Cosignatures
from trust.ledger.errors import EventNotFound, EventNotIncludedYet, LedgerBroken, TreeSizeRefused
from trust.ledger.headers import header_of_row
from trust.ledger.ledger import Ledger
from trust.ledger.model import EventId
from trust.ledger.search import EventScope, find_event
from trust.ledger.tables import checkpoints, event_contents, events, head, sequence
from trust.ledger.tiles import TileReader
from trust.storage.database import ReadWork
from trust.storage.objects.port import ObjectStore


@dataclass(frozen=True, kw_only=True)
class ConsistencyProof:
    """RFC 6962 §2.1.2: that the tree of `size2` begins with the tree of `size1`."""

    size1: int
    size2: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class _Signed:
    """What a proof leads to: a tree and its signed checkpoint."""

    size: int
    root: bytes
    note: str


# An event, its place, and the newest checkpoint, in one round trip.
_COVERED: Final = (
    select(
        events,
        sequence.c.index.label("position"),
        head.c.size.label("head_size"),
        head.c.root.label("head_root"),
        checkpoints.c.size,
        checkpoints.c.root,
        checkpoints.c.note,
    )
    .outerjoin(sequence, sequence.c.event_id == events.c.event_id)
    .outerjoin(head, true())
    .outerjoin(checkpoints, checkpoints.c.size == head.c.size)
    .where(events.c.event_id == bindparam("event_id"))
)


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
        row = self._found(work.execute(_COVERED, {"event_id": event_id}).all(), scope)
        witnessed = self._witnessed(work, row.position)
        return self._proved(row, witnessed or _newest(row))

    def _proved(self, row: Row[Any], against: _Signed) -> str:
        """The proof file of a row of `_COVERED`; raises as `inclusion`."""
        size, root, index = against.size, against.root, row.position
        if index is None or index >= size:
            raise EventNotIncludedYet("the event is recorded and will be under a checkpoint soon; ask again")
        entry = header_of_row(row).entry()
        hashes = inclusion_proof(index, size, TileReader(self._store, size).read_node)
        try:
            verify_inclusion(index=index, size=size, leaf=leaf_hash(entry), proof=hashes, root=root)
        except ProofRefused as error:
            raise LedgerBroken(
                f"the row of {row.event_id} and the tiles disagree: {error.message}"
            ) from error
        return TlogProof(index=index, hashes=hashes, checkpoint=against.note, extra=entry).encode()

    def inclusion_now(self, ledger: Ledger, event_id: EventId, *, scope: EventScope) -> str:
        """The same from a copy that may lag behind where it knows the event covered, else from the database itself.

        Raises as `inclusion`, of what is true now.
        """
        try:
            if self._policy is not None and self._policy.witnesses:
                with ledger.read() as work:
                    return self.inclusion(work, event_id, scope=scope)
            row = self._found(ledger.read_once(_COVERED, {"event_id": event_id}), scope)
            return self._proved(row, _newest(row))
        except (EventNotFound, EventNotIncludedYet):
            with ledger.read_primary() as work:
                return self.inclusion(work, event_id, scope=scope)

    def header(self, work: ReadWork, event_id: EventId, *, scope: EventScope) -> bytes:
        """The event's public header, whose SHA-256 is the entry in its proof; raises `EventNotFound`."""
        return header_of_row(
            self._found(work.execute(_COVERED, {"event_id": event_id}).all(), scope)
        ).encode()

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

    def _found(self, rows: Sequence[Row[Any]], scope: EventScope) -> Row[Any]:
        """The one row, if it is the caller's to see; raises `EventNotFound`."""
        if not rows or scope.agency not in {None, rows[0].agency}:
            raise EventNotFound("there is no such event")
        return rows[0]

    def _witnessed(self, work: ReadWork, index: int | None) -> _Signed | None:
        """The newest checkpoint over this leaf that a quorum has cosigned, with its cosignatures."""
        if index is None or self._policy is None or not self._policy.witnesses:
            return None
        kept = Cosignatures(work)
        size = kept.witnessed_beyond(index, self._policy)
        stored = None if size is None else Checkpoints(work).of_size(size)
        if stored is None:
            return None
        lines = "".join(f"{each.line}\n" for each in kept.of_size(stored.tree.size))
        return _Signed(size=stored.tree.size, root=stored.tree.root, note=stored.note + lines)


def _newest(row: Row[Any]) -> _Signed:
    """The checkpoint of the head, as `_COVERED` found it beside the event."""
    if not row.head_size:
        return _Signed(size=0, root=b"", note="")
    if row.size is None or row.root != row.head_root:
        raise LedgerBroken(f"the head of size {row.head_size} is not the checkpoint of that size")
    return _Signed(size=row.size, root=bytes(row.root), note=row.note)
