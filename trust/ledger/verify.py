"""Verifying the whole ledger: rows, tiles and checkpoints against each other, and against the log's keys.

report = verify_ledger(database, store, keys, at=clock.now())
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select, text

from trust.evidence.cosignatures import cosignatures_on
from trust.evidence.merkle import HASH_OCTETS, leaf_hash
from trust.evidence.tlog import NoteMalformed, NoteSignatureInvalid, SignedNote, VerifierKey, open_checkpoint
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.clock import rfc3339
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Report
from trust.ledger.checkpoints import EMPTY_TREE, Checkpoints, PublishedCheckpoint, TreeHead, published
from trust.ledger.cosignatures import Cosignatures
from trust.ledger.errors import LedgerBroken
from trust.ledger.findings import Findings
from trust.ledger.headers import header_of_row
from trust.ledger.known import Known, KnownLeaf, KnownTree
from trust.ledger.ledger import INCLUSION_DELAY
from trust.ledger.rows import (
    PAGE_EVENTS,
    by_index_alone,
    content_fault,
    erased_on_order,
    header_fault,
    redacted,
    rows_of,
    sequenced_rows,
    stray_rows,
    uncovered_events,
)
from trust.ledger.tables import checkpoints, events, sequence
from trust.ledger.tiles import (
    CHECKPOINT_KEY,
    TILE_WIDTH,
    WITNESSED_KEY,
    GrowingTree,
    Tile,
    TileReader,
    entries_in,
    entries_key,
    placed,
    read_entries,
    read_tile,
)
from trust.storage.database import Database, ReadWork
from trust.storage.objects.port import ObjectStore

# How many of how many leaves are done; told once a page.
Progress = Callable[[int, int], None]
# What is damaged beyond this is a ruin, and remembering each stone of it would need memory without end.
_MAX_BLAMED: Final = 10_000


def unseen(_done: int, _all: int) -> None:
    """Nobody looks."""


def verify_ledger(
    database: Database,
    store: ObjectStore,
    keys: Sequence[VerifierKey],
    *,
    at: datetime,
    policy: WitnessPolicy | None = None,
    known: Sequence[Known] = (),
    progress: Progress = unseen,
) -> Report:
    """Recomputes the log from the database and from the tiles, in one snapshot, while it goes on growing.

    The database is the one that is written to, for a copy that lags behind would look like a log rolled back.
    `policy` names the witnesses whose cosignatures are verified, `known` is what was kept outside, `progress` is
    told how many of how many leaves are done. Memory is that of one page of rows, however large the log.

    Kind "ledger". Every finding names the event, tile or checkpoint that disagrees; of the three witnesses
    of a leaf (row, entry bundle, tile) the one that stands alone is blamed. Erased content counts as
    redacted, which is valid. Without `keys` the signatures are open and the answer is cannot tell. Raises
    only where the database or the store is away.
    """
    verification = _Verification(store, keys, at, policy=policy, known=known, progress=progress)

    # 1. What is published, before the snapshot: it was stored before it was published.
    shown = verification.read_published(CHECKPOINT_KEY)
    witnessed = verification.read_published(WITNESSED_KEY)
    with database.read_primary() as read:
        read.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        by_index_alone(read)

        # 2. Every leaf, tile and checkpoint up to the head.
        verification.check_tree(read)

        # 3. What is published is one of these checkpoints, and what witnesses say of them.
        verification.check_published(read, shown, witnessed)
        verification.check_witnesses(read)

        # 4. Every event that no checkpoint covers yet, and rows that belong to none.
        verification.check_uncovered(read)
        verification.check_strays(read)

        # 5. What was known outside.
        verification.check_known(read)

    # 6. Every object under the log's name; the newest of them were written since the snapshot.
    verification.check_objects(database)
    return verification.conclude()


class _Verification:
    def __init__(
        self,
        store: ObjectStore,
        keys: Sequence[VerifierKey],
        at: datetime,
        *,
        policy: WitnessPolicy | None,
        known: Sequence[Known],
        progress: Progress,
    ) -> None:
        self._store = store
        self._keys = tuple(keys)
        self._at = at
        self._policy = policy or WitnessPolicy()
        self._known = tuple(known)
        self._progress = progress
        self._findings = Findings()
        self._head: TreeHead = EMPTY_TREE
        self._counts: Counter[str] = Counter()
        self._origins: set[str] = set()
        self._blamed: set[str] = set()
        self._erased: dict[str, str] = {}

    def read_published(self, key: str) -> PublishedCheckpoint | None:
        if not self._keys:
            for code in ("published-checkpoint", "checkpoint-signature"):
                self._findings.leave_open(code, "no key of the log was given")
            return None
        try:
            return published(self._store, self._keys, key=key)
        except LedgerBroken as error:
            self._findings.add("published-checkpoint", error.message)
            return None

    def check_tree(self, read: ReadWork) -> None:
        known = Checkpoints(read)
        self._head = known.head()
        size = self._head.size
        if size and known.of_size(size) is None:
            self._findings.add("checkpoint", f"the head of size {size} has no checkpoint")
            size = min(size, known.sequenced())  # a head that nobody signed may say any number
        tree = GrowingTree(size=0, reader=TileReader(self._store, 0))
        trees = {each.size: each for each in self._known if isinstance(each, KnownTree)}
        for begin in range(0, size, PAGE_EVENTS):
            self._progress(begin, size)
            end = min(begin + PAGE_EVENTS, size)
            rows = {row.position: row for row in sequenced_rows(read, begin, end)}
            stored = _checkpoints_by_size(read, begin, end)
            for first in range(begin, end, TILE_WIDTH):
                for leaf in self._leaves(rows, first, min(TILE_WIDTH, end - first)):
                    for tile in tree.append(leaf):
                        self._check_tile(tile)
                    if tree.size in stored:
                        self._check_checkpoint(stored[tree.size], tree.root())
                    if tree.size in trees:
                        self._check_known_tree(tree.size, tree.root())
            self._check_erased(read)
        for tile in tree.partial_tiles():
            self._check_tile(tile)
        if tree.root() != self._head.root:
            self._findings.add(
                "checkpoint", f"the head of size {self._head.size} is not the root of the leaves"
            )
        beyond = select(checkpoints.c.size).where(checkpoints.c.size > self._head.size).limit(1)
        for row in read.execute(beyond):
            self._findings.add("checkpoint", f"the checkpoint of size {row.size} lies beyond the head")

    def check_published(
        self, read: ReadWork, shown: PublishedCheckpoint | None, witnessed: PublishedCheckpoint | None
    ) -> None:
        for what, each in (("published", shown), ("witnessed", witnessed)):
            if each is None:
                continue
            size = each.checkpoint.size
            stored = Checkpoints(read).of_size(size)
            if stored is None or stored.tree.root != each.checkpoint.root:
                self._findings.add(
                    "published-checkpoint", f"the {what} checkpoint of size {size} is not in the database"
                )
            self._origins.add(each.checkpoint.origin)
        if shown is None:
            if self._head.size:
                self._findings.leave_open("published-checkpoint", "no checkpoint of the log is published")
            return
        # It is published right after it was stored, unless somebody was killed between; then at the next round.
        late = read.execute(
            select(checkpoints.c.size)
            .where(
                checkpoints.c.size > shown.checkpoint.size,
                checkpoints.c.size <= self._head.size,
                checkpoints.c.at < self._at - INCLUSION_DELAY,
            )
            .order_by(checkpoints.c.size)
            .limit(1)
        ).scalar_one_or_none()
        if late is not None:
            self._findings.add(
                "published-checkpoint",
                f"the published checkpoint of size {shown.checkpoint.size} is older than that of size {late}",
            )
        if len(self._origins) > 1:
            several = ", ".join(sorted(self._origins))
            self._findings.add("checkpoint", f"the checkpoints are of several logs: {several}")

    def check_witnesses(self, read: ReadWork) -> None:
        kept = Cosignatures(read)
        keys = {key.name: key for key in self._policy.keys}
        for row in kept.every():
            key = keys.get(row.cosigner)
            if key is None:
                continue
            self._counts["cosignatures"] += 1
            try:
                if not cosignatures_on(SignedNote.parse(f"{row.note}{row.line}\n"), [key]):
                    raise NoteMalformed("the line is another key's")  # noqa: TRY301
            except (NoteMalformed, NoteSignatureInvalid) as error:
                self._findings.add(
                    "cosignatures", f"{row.cosigner} on the checkpoint of size {row.size}: {error.message}"
                )
        for each in kept.disagreements():
            self._findings.add(
                "witnesses",
                f"{each.cosigner} knew size {each.known_size} and did not take the checkpoint of size {each.size} "
                f"({each.kind})",
            )

    def check_strays(self, read: ReadWork) -> None:
        for event_id, fault in stray_rows(read):
            self._findings.add("event-sequence", f"{event_id}: {fault}")
        beyond = read.execute(
            select(func.count().label("many"), func.max(sequence.c.index).label("last")).where(
                sequence.c.index >= self._head.size
            )
        ).one()
        if beyond.many and beyond.last != self._head.size + beyond.many - 1:
            self._findings.add(
                "event-sequence", f"the indexes from {self._head.size} to {beyond.last} have a gap"
            )

    def check_known(self, read: ReadWork) -> None:
        for each in self._known:
            if isinstance(each, KnownTree):
                if each.size > self._head.size:
                    self._findings.add(
                        "known-checkpoint",
                        f"{each.name}: the log had {each.size} leaves and has {self._head.size} now",
                    )
            else:
                self._check_known_leaf(read, each)

    def check_objects(self, database: Database) -> None:
        """Looks at every name, and compares what an older checkpoint left with the tile it was the beginning of."""
        sequenced = self._head.size
        whole: tuple[str, bytes | None] = ("", None)
        for item in self._store.list("ledger/"):
            if item.key in {CHECKPOINT_KEY, WITNESSED_KEY}:
                continue
            place = placed(item.key)
            if place is None:
                self._findings.add("strange-objects", f"{item.key} is no object of the log")
                continue
            if place.end > sequenced:
                with database.read_primary() as read:  # written since; an event has its index before its tile
                    sequenced = Checkpoints(read).sequenced()
            if place.end > sequenced:
                self._findings.add(
                    "strange-objects", f"{item.key} lies beyond the {sequenced} leaves of the log"
                )
                continue
            now = place.in_tree(self._head.size)
            if now is None or now.width <= place.width or now.key in self._blamed:
                continue
            if whole[0] != now.key:
                whole = (now.key, now.read(self._store))
            found = place.read(self._store) or b""
            if not found or not (whole[1] or b"").startswith(found) or len(found) % place.width:
                code = "entries" if place.level is None else "tile"
                self._findings.add(code, f"{item.key} is not the beginning of {now.key}")

    def check_uncovered(self, read: ReadWork) -> None:
        for page in uncovered_events(read, self._head.size):
            for row in page:
                if row.position is None and row.queued is None:
                    self._findings.add("event-sequence", f"{row.event_id} has no index and waits for none")
            for row in rows_of(read, [row.event_id for row in page]):
                self._counts["waiting"] += 1
                self._check_row(row, header_of_row(row).leaf_hash())
                if row.latest_inclusion < self._at:
                    self._findings.add(
                        "inclusion-delay",
                        f"{row.event_id} was promised by {rfc3339(row.latest_inclusion)} and no checkpoint covers it",
                    )
            self._check_erased(read)

    def conclude(self) -> Report:
        facts = {
            "size": self._head.size,
            "root": self._head.root.hex(),
            "checkpoints": self._counts["checkpoints"],
            "redacted": self._counts["redacted"],
            "waiting": self._counts["waiting"],
            "verified_at": rfc3339(self._at),
        }
        return self._findings.conclude(subject=", ".join(sorted(self._origins)) or "ledger", facts=facts)

    def _leaves(self, rows: Mapping[int, Row[Any]], first: int, width: int) -> list[bytes]:
        """The leaf hashes of one tile, each as two of its three witnesses have it; blames the third."""
        number = first // TILE_WIDTH
        tile = read_tile(self._store, 0, number, width) or b""
        entries = entries_in(read_entries(self._store, number, width) or b"")
        bundle_fault = "is missing or is not a bundle of as many entries" if len(entries) != width else None
        leaves: list[bytes] = []
        for offset in range(width):
            by_tile = tile[HASH_OCTETS * offset : HASH_OCTETS * (offset + 1)]
            by_entry = leaf_hash(entries[offset]) if offset < len(entries) else by_tile
            row = rows.get(first + offset)
            if row is None:
                self._findings.add("event-sequence", f"no event has the index {first + offset}")
                leaf = by_entry if len(by_entry) == HASH_OCTETS else bytes(HASH_OCTETS)
            else:
                by_row = header_of_row(row).leaf_hash()
                leaf = by_entry if by_entry == by_tile and len(by_tile) == HASH_OCTETS else by_row
                self._check_row(row, by_row, leaf)
            if by_entry != leaf and offset < len(entries):
                bundle_fault = f"holds another entry for the index {first + offset}"
            leaves.append(leaf)
        if bundle_fault:
            self._blame("entries", entries_key(number, width), bundle_fault)
        return leaves

    def _check_row(self, row: Row[Any], computed: bytes, leaf: bytes | None = None) -> None:
        where = row.event_id if row.position is None else f"{row.event_id} (index {row.position})"
        fault = header_fault(row, computed)
        if fault is None and leaf is not None and computed != leaf:
            fault = "its row gives another leaf than the log holds"
        if fault:
            self._findings.add("event-header", f"{where}: {fault}")
        if fault := content_fault(row):
            self._findings.add("event-content", f"{where}: {fault}")
        if redacted(row):
            self._counts["redacted"] += 1
            self._erased[row.event_id] = where

    def _check_erased(self, read: ReadWork) -> None:
        """That the content which is missing of the rows just read went by an order that is an event."""
        ordered = erased_on_order(read, self._erased)
        for event_id, where in self._erased.items():
            if event_id not in ordered:
                self._findings.add(
                    "event-content", f"{where}: its content is gone and no event says that it was erased"
                )
        self._erased.clear()

    def _check_tile(self, tile: Tile) -> None:
        found = read_tile(self._store, tile.level, tile.number, tile.width)
        if found is None:
            self._blame("tile", tile.key, "is missing")
        elif found != tile.octets:
            self._blame("tile", tile.key, "holds other hashes than the tree")

    def _blame(self, code: str, key: str, fault: str) -> None:
        self._findings.add(code, f"{key} {fault}")
        if len(self._blamed) < _MAX_BLAMED:
            self._blamed.add(key)

    def _check_known_tree(self, size: int, root: bytes) -> None:
        for each in self._known:
            if isinstance(each, KnownTree) and each.size == size and each.root != root:
                self._findings.add(
                    "known-checkpoint", f"{each.name}: at {size} leaves the log had another root than now"
                )

    def _check_known_leaf(self, read: ReadWork, known: KnownLeaf) -> None:
        statement = select(
            events.c.event_id, events.c.leaf_hash, sequence.c.index.label("position")
        ).outerjoin(sequence, sequence.c.event_id == events.c.event_id)
        wanted = (
            events.c.event_id == known.event_id if known.index is None else sequence.c.index == known.index
        )
        row = read.execute(statement.where(wanted)).one_or_none()
        what = known.event_id if known.index is None else f"index {known.index}"
        if row is None:
            self._findings.add("known-checkpoint", f"{known.name}: the log has no event {what} any more")
        elif bytes(row.leaf_hash) != known.leaf:
            self._findings.add("known-checkpoint", f"{known.name}: {row.event_id} had another leaf ({what})")

    def _check_checkpoint(self, row: Row[Any], root: bytes) -> None:
        self._counts["checkpoints"] += 1
        if bytes(row.root) != root:
            self._findings.add("checkpoint", f"the checkpoint of size {row.size} has another root")
        if not self._keys:
            return
        try:
            signed = open_checkpoint(row.note, self._keys)
        except InvalidInput as error:
            self._findings.add("checkpoint-signature", f"the checkpoint of size {row.size}: {error.message}")
            return
        self._origins.add(signed.origin)
        if (signed.size, signed.root) != (row.size, bytes(row.root)):
            self._findings.add("checkpoint-signature", f"the note of size {row.size} says another tree head")


def _checkpoints_by_size(read: ReadWork, begin: int, end: int) -> Mapping[int, Row[Any]]:
    found = read.execute(select(checkpoints).where(checkpoints.c.size > begin, checkpoints.c.size <= end))
    return {row.size: row for row in found}
