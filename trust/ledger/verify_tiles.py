"""Verifying a log from what it serves alone: checkpoint, tiles and entry bundles, with no database and no house.

report = verify_tiles(source, keys, policy=policy)

What a mirror, an agency with a copy of the folder, or anybody with the log's address can find out by themselves.
"""

from collections.abc import Sequence
from typing import Final

from trust.evidence.cosignatures import cosignatures_on
from trust.evidence.merkle import leaf_hash
from trust.evidence.tlog import (
    NoteKeyUnknown,
    NoteMalformed,
    NoteSignatureInvalid,
    SignedNote,
    VerifierKey,
    open_checkpoint,
)
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.clock import rfc3339
from trust.kernel.report import Report
from trust.ledger.findings import Findings
from trust.ledger.known import Known, KnownLeaf, KnownTree
from trust.ledger.tiles import (
    CHECKPOINT_KEY,
    TILE_WIDTH,
    GrowingTree,
    Tile,
    TileReader,
    TileSource,
    entries_in,
    entries_key,
    entry_bundle,
    read_entries,
    read_tile,
)
from trust.ledger.verify import Progress, unseen
from trust.storage.objects.errors import ObjectMissing

CODES: Final = ("entries", "tile", "checkpoint", "published-checkpoint", "known-checkpoint", "cosignatures")


def verify_tiles(
    source: TileSource,
    keys: Sequence[VerifierKey],
    *,
    policy: WitnessPolicy | None = None,
    known: Sequence[Known] = (),
    progress: Progress = unseen,
) -> Report:
    """Recomputes the tree under the served checkpoint; kind "ledger".

    Findings name the bundle or tile. Without a key of the log, or a checkpoint, the answer is cannot tell. A receipt
    kept outside is found by its leaf. Raises only where the source is away.
    """
    verification = _TilesAlone(source, policy or WitnessPolicy(), known, progress)

    # 1. The checkpoint, and who cosigned it.
    if verification.read_checkpoint(keys):
        # 2. Every bundle against its tile, every tile against the tree, the tree against the checkpoint.
        verification.check_tree()

        # 3. What was kept outside.
        verification.check_known()
    else:
        verification.leave_open()
    return verification.conclude()


class _TilesAlone:
    def __init__(
        self, source: TileSource, policy: WitnessPolicy, known: Sequence[Known], progress: Progress
    ) -> None:
        self._source = source
        self._policy = policy
        self._trees = {each.size: each for each in known if isinstance(each, KnownTree)}
        self._leaves = {each.leaf: each for each in known if isinstance(each, KnownLeaf)}
        self._progress = progress
        self._findings = Findings(CODES)
        self._origin, self._size, self._root = "ledger", 0, b""
        self._cosigned: list[dict[str, str]] = []

    def read_checkpoint(self, keys: Sequence[VerifierKey]) -> bool:
        try:
            octets = self._source.get(CHECKPOINT_KEY)
            checkpoint = open_checkpoint(octets, [*keys, *self._policy.logs])
            found = cosignatures_on(SignedNote.parse(octets), self._policy.keys)
        except ObjectMissing:
            self._findings.leave_open("published-checkpoint", "there is no checkpoint")
            return False
        except NoteKeyUnknown as error:
            self._findings.leave_open("published-checkpoint", error.message)
            return False
        except (NoteMalformed, NoteSignatureInvalid) as error:
            self._findings.add("published-checkpoint", error.message)
            return False
        self._origin, self._size, self._root = checkpoint.origin, checkpoint.size, checkpoint.root
        self._cosigned = [{"witness": each.cosigner, "at": rfc3339(each.at)} for each in found]
        if not self._policy.met_by({each.cosigner for each in found}):
            self._findings.leave_open("cosignatures", "too few witnesses have cosigned this checkpoint")
        return True

    def leave_open(self) -> None:
        """Without a believed checkpoint there is nothing to judge the rest by."""
        for code in CODES:
            self._findings.leave_open(code, "there is no checkpoint of a known log")

    def check_tree(self) -> None:
        tree = GrowingTree(size=0, reader=TileReader(self._source, 0))
        for first in range(0, self._size, TILE_WIDTH):
            self._progress(first, self._size)
            width = min(TILE_WIDTH, self._size - first)
            bundle = read_entries(self._source, first // TILE_WIDTH, width) or b""
            entries = entries_in(bundle)
            if len(entries) != width or entry_bundle(entries) != bundle:
                key = entries_key(first // TILE_WIDTH, width)
                self._findings.add("entries", f"{key} is missing or is not a bundle of {width} entries")
            leaves = [leaf_hash(entry) for entry in entries[:width]]
            if len(leaves) != width:  # go on with what the tile says, so that the rest can be judged
                served = read_tile(self._source, 0, first // TILE_WIDTH, width) or b""
                padded = served.ljust(32 * width, b"\0")
                leaves = [padded[32 * each : 32 * each + 32] for each in range(width)]
            self._grow(tree, first, leaves)
        for tile in tree.partial_tiles():
            self._check_tile(tile)
        if tree.root() != self._root:
            self._findings.add(
                "checkpoint", f"the entries do not give the root of the checkpoint of {self._size}"
            )

    def check_known(self) -> None:
        for each in self._trees.values():
            if each.size > self._size:
                self._findings.add(
                    "known-checkpoint",
                    f"{each.name}: the log had {each.size} leaves and has {self._size} now",
                )
        for leaf in self._leaves.values():  # those that were met are taken out
            self._findings.add("known-checkpoint", f"{leaf.name}: its leaf is not in the log")

    def conclude(self) -> Report:
        facts = {
            "size": self._size,
            "root": self._root.hex(),
            "cosigned_by": self._cosigned,
        }
        return self._findings.conclude(subject=self._origin, facts=facts)

    def _grow(self, tree: GrowingTree, first: int, leaves: Sequence[bytes]) -> None:
        """Whole tiles in one piece, unless a tree that was known before ends inside."""
        inside = any(size in self._trees for size in range(first + 1, first + len(leaves) + 1))
        for piece in ([leaf] for leaf in leaves) if inside else [leaves]:
            for tile in tree.extend(piece):
                self._check_tile(tile)
            known = self._trees.get(tree.size)
            if known is not None and known.root != tree.root():
                self._findings.add(
                    "known-checkpoint",
                    f"{known.name}: at {tree.size} leaves the log had another root than now",
                )
        if self._leaves:
            self._meet(first, leaves)

    def _meet(self, first: int, leaves: Sequence[bytes]) -> None:
        for index, leaf in enumerate(leaves, first):
            met = self._leaves.get(leaf)
            if met is not None and met.index in {None, index}:
                del self._leaves[leaf]

    def _check_tile(self, tile: Tile) -> None:
        found = read_tile(self._source, tile.level, tile.number, tile.width)
        if found is None:
            self._findings.add("tile", f"{tile.key} is missing")
        elif found != tile.octets:
            self._findings.add("tile", f"{tile.key} holds other hashes than the tree")
