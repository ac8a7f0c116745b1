"""The sequencer: from recorded events to a signed tree head that covers them.

Any number of sequencers may run, on any machines, and each may be killed after any step: an index once
given is a fact, tiles are determined by the tree, and which checkpoint counts is decided by one row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text

from trust.evidence.merkle import ProofRefused, consistency_proof, leaf_hash, root_hash, verify_consistency
from trust.evidence.tlog import Checkpoint, VerifierKey, open_checkpoint
from trust.kernel.clock import Clock
from trust.kernel.errors import InvalidInput
from trust.ledger.checkpoints import (
    EMPTY_TREE,
    Checkpoints,
    PublishedCheckpoint,
    StoredCheckpoint,
    TreeHead,
    advance,
    begin_head,
    publish,
    published,
)
from trust.ledger.errors import LedgerBroken
from trust.ledger.headers import HEADER_COLUMNS, entry_of
from trust.ledger.rows import by_index_alone
from trust.ledger.signing import CheckpointSigner
from trust.ledger.tables import events, sequence
from trust.ledger.tiles import GrowingTree, TileReader, entry_bundles, tile_begin, write_tiles
from trust.storage.database import Database, ReadWork
from trust.storage.objects.port import ObjectStore

# One round takes so many events: 64 full tiles, about a second, a few tens of megabytes.
MAX_ROUND_EVENTS: Final = 16_384
# A backlog larger than this is left to the next call, so that a worker can be told to stop.
MAX_ROUNDS: Final = 256
# So many tiles are on their way to the store at once: a store answers each in its own time.
TILES_AT_ONCE: Final = 8
_LOCK: Final = "ledger.sequence"

# By a bound, not by a join of the queue with itself: what the planner believes of a table that is now empty and now
# full decides whether such a join takes a moment or minutes.
_GIVE_INDEXES: Final = text(
    """
    WITH taken AS (
      DELETE FROM ledger.waiting
      WHERE event_id <= (
        SELECT max(event_id) FROM (SELECT event_id FROM ledger.waiting ORDER BY event_id LIMIT :limit) AS first
      )
      RETURNING event_id
    )
    INSERT INTO ledger.sequence (index, event_id)
    SELECT (SELECT coalesce(max(index), -1) FROM ledger.sequence) + row_number() OVER (ORDER BY event_id), event_id
    FROM taken
    """
)


@dataclass(frozen=True, kw_only=True)
class SequencerRound:
    """What one round came to.

    `size` is the tree's size as far as this sequencer knows, `covered` the events that its checkpoint newly
    covers, `overtaken` whether another sequencer stored a checkpoint first (a further round then goes on).
    """

    size: int
    covered: int
    overtaken: bool = False

    @property
    def idle(self) -> bool:
        """Nothing was waiting."""
        return self.covered == 0 and not self.overtaken


class Sequencer:
    """Gives events their place in the log and has the tree head signed.

    `keys` are the verifier keys of the log, its present and its earlier ones; their name is `origin`.
    """

    def __init__(
        self,
        *,
        database: Database,
        store: ObjectStore,
        signer: CheckpointSigner,
        origin: str,
        keys: Sequence[VerifierKey],
        clock: Clock,
        max_round_events: int = MAX_ROUND_EVENTS,
    ) -> None:
        self._database = database
        self._store = store
        self._signer = signer
        self._origin = origin
        self._keys = tuple(key for key in keys if key.name == origin)
        self._clock = clock
        self._max_round_events = max_round_events

    def catch_up(self) -> int:
        """Runs rounds until nothing waits; answers how many events were covered. Raises as `run_round`."""
        covered = 0
        for _ in range(MAX_ROUNDS):
            done = self.run_round()
            covered += done.covered
            if done.idle:
                break
        return covered

    def run_round(self) -> SequencerRound:
        """Takes the waiting events through all seven steps, and finishes what an earlier round left.

        Raises `LedgerBroken` before anything is signed where rows, tiles and checkpoints disagree, and what
        the database, the object store and the signer raise; a further round then takes up where this ended.
        """
        # 1. Give the waiting events their index; whoever comes second waits here for the first.
        with self._database.work() as work:
            begin_head(work)
            work.advisory_lock(_LOCK)
            work.execute(_GIVE_INDEXES, {"limit": self._max_round_events})

        # 2. Read what is published, then the head (which was stored before it), then the leaves between.
        shown = published(self._store, self._keys)
        #    All of it from the database that is written to: a copy may lag behind, and this gets signed.
        with self._database.read_primary() as read:
            known = Checkpoints(read)
            last = known.newest()
            head = last.tree if last else EMPTY_TREE
            _require_ours(known, shown, head)
            size = min(known.sequenced(), head.size + self._max_round_events)
            entries = list(_entries(read, tile_begin(head.size), size))
        if size < head.size:
            raise LedgerBroken(f"{size} events have an index but a checkpoint covers {head.size}")
        if size == head.size:
            if last is not None and (shown is None or shown.checkpoint.size < size):
                publish(self._store, last, self._keys)
            return SequencerRound(size=size, covered=0)

        # 3. Write the tiles, the same whoever writes them.
        root = self._write_tiles(head, entries)

        # 4. Prove from what now lies in the store that this tree begins with the last one.
        after = TreeHead(size=size, root=root)
        _prove(head, after, TileReader(self._store, size))

        # 5. Have exactly that signed, and look at it as a stranger would.
        note = self._signer.sign_checkpoint(self._origin, size, root)
        _require_signed(note, Checkpoint(origin=self._origin, size=size, root=root), self._keys)

        # 6. Store the checkpoint, unless another sequencer has moved the head since step 2.
        checkpoint = StoredCheckpoint(tree=after, note=note, at=self._clock.now())
        with self._database.work() as work:
            stored = advance(work, before=head, after=checkpoint)
        if not stored:
            return SequencerRound(size=size, covered=0, overtaken=True)

        # 7. Publish it, unless a newer one is there.
        publish(self._store, checkpoint, self._keys)
        return SequencerRound(size=size, covered=size - head.size)

    def _write_tiles(self, head: TreeHead, entries: Sequence[bytes]) -> bytes:
        """Writes every tile from the head's to the new size; answers the new root."""
        begin = tile_begin(head.size)
        known = head.size - begin
        leaves = [leaf_hash(entry) for entry in entries]
        tree = GrowingTree(size=begin, reader=TileReader(self._store, begin))
        for leaf in leaves[:known]:
            list(tree.append(leaf))  # fewer than a tile: written with the last checkpoint
        if tree.root() != head.root:
            raise LedgerBroken(
                f"rows and tiles no longer give the root of the checkpoint of size {head.size}"
            )
        tiles = [(tile.key, tile.octets) for tile in tree.extend(leaves[known:])]
        tiles += [(tile.key, tile.octets) for tile in tree.partial_tiles()]
        write_tiles(self._store, [*entry_bundles(begin, entries), *tiles], at_once=TILES_AT_ONCE)
        return tree.root()


def _entries(read: ReadWork, begin: int, end: int) -> Iterator[bytes]:
    """The entries of the leaves from begin to end, each recomputed from its row and compared with its leaf.

    A row that was tampered with before it was signed for is found here, while that still costs nothing but
    this round; that costs a third of a round, and what it would save `ledger verify` would have to find.
    """
    by_index_alone(read)
    rows = read.execute(
        select(
            sequence.c.index.label("position"),
            events.c.leaf_hash,
            *(events.c[name] for name in HEADER_COLUMNS),
        )
        .join(events, events.c.event_id == sequence.c.event_id)
        .where(sequence.c.index >= begin, sequence.c.index < end)
        .order_by(sequence.c.index)
    )
    expected = begin
    for row in rows:
        columns: Sequence[Any] = row[2:]
        if row.position != expected:
            raise LedgerBroken(f"no event has the index {expected}")
        entry = entry_of(columns)
        if leaf_hash(entry) != row.leaf_hash:
            raise LedgerBroken(f"the row of {columns[0]} (index {expected}) does not give its leaf hash")
        expected += 1
        yield entry
    if expected != max(begin, end):
        raise LedgerBroken(f"no event has the index {expected}")


def _require_ours(known: Checkpoints, shown: PublishedCheckpoint | None, head: TreeHead) -> None:
    """Refuses to go on from a database older than what was published, such as a restored backup."""
    if shown is None:
        return
    if shown.checkpoint.size > head.size:
        raise LedgerBroken(
            f"a checkpoint of size {shown.checkpoint.size} is published but the database knows {head.size} only: "
            "was it restored from a backup? Signing another history would break the log"
        )
    stored = known.of_size(shown.checkpoint.size)
    if stored is None or stored.tree.root != shown.checkpoint.root:
        raise LedgerBroken(f"the published checkpoint of size {shown.checkpoint.size} is not in the database")


def _prove(before: TreeHead, after: TreeHead, reader: TileReader) -> None:
    if root_hash(after.size, reader.read_node) != after.root:
        raise LedgerBroken(f"the tiles in the store do not give the root of the {after.size} leaves written")
    if before.size == 0:
        return
    proof = consistency_proof(before.size, after.size, reader.read_node)
    try:
        verify_consistency(
            size1=before.size, size2=after.size, root1=before.root, root2=after.root, proof=proof
        )
    except ProofRefused as error:
        raise LedgerBroken(f"the tree of {after.size} does not begin with that of {before.size}") from error


def _require_signed(note: str, expected: Checkpoint, keys: Sequence[VerifierKey]) -> None:
    try:
        signed = open_checkpoint(note, keys)
    except InvalidInput as error:
        raise LedgerBroken(f"the signer's note is not this log's checkpoint: {error.message}") from error
    if signed != expected:
        raise LedgerBroken("the signer signed another checkpoint than was asked for")
