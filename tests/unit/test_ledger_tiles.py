"""Tiles: their names, what grows, and that any growth in steps gives the tiles of one growth."""

import hashlib
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trust.evidence.merkle import (
    CompactRange,
    consistency_proof,
    root_hash,
    subtree_root,
    verify_consistency,
)
from trust.ledger.errors import LedgerBroken
from trust.ledger.tiles import (
    TILE_WIDTH,
    GrowingTree,
    TileReader,
    entries_in,
    entries_key,
    entry_bundle,
    entry_bundles,
    tile_begin,
    tile_key,
    write_tile,
    write_tiles,
)
from trust.storage.objects.errors import ObjectExists, ObjectMissing

LEAVES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(70_000)]


class _Shelf(dict[str, bytes]):
    """As much of an object store as tiles need, in memory."""

    def put(self, key: str, data: bytes) -> None:
        if self.setdefault(key, data) != data:
            raise ObjectExists("other content")

    def get(self, key: str) -> bytes:
        try:
            return self[key]
        except KeyError:
            raise ObjectMissing("no such key") from None


def grow(shelf: Any, before: int, after: int) -> bytes:
    """Grows the tree on the shelf, as the sequencer does; answers the root."""
    begin = tile_begin(before)
    tree = GrowingTree(size=begin, reader=TileReader(shelf, begin))
    for tile in tree.extend(LEAVES[begin:after]):
        write_tile(shelf, tile.key, tile.octets)
    for tile in tree.partial_tiles():
        write_tile(shelf, tile.key, tile.octets)
    assert tree.size == after
    return tree.root()


@cache
def root_of(size: int) -> bytes:
    tree = CompactRange()
    for leaf in LEAVES[:size]:
        tree.append(leaf)
    return tree.root()


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "000"),
        (5, 256, "005"),
        (999, 256, "999"),
        (1000, 256, "x001/000"),
        (1_234_067, 256, "x001/x234/067"),
        (1_234_067, 8, "x001/x234/067.p/8"),
        (0, 1, "000.p/1"),
    ],
)
def test_tiles_are_named_as_c2sp_names_them(number, width, path):
    assert tile_key(2, number, width) == f"ledger/tile/2/{path}"
    assert entries_key(number, width) == f"ledger/tile/entries/{path}"


def test_a_bundle_is_its_entries_each_after_its_length():
    entries = [bytes([number]) * 32 for number in range(3)]
    assert entry_bundle(entries) == b"".join(b"\x00\x20" + entry for entry in entries)
    assert entries_in(entry_bundle(entries)) == tuple(entries)


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\x00\x1f" + bytes(31), b"\x00\x20" + bytes(31)])
def test_what_is_no_bundle_has_no_entries(octets):
    assert entries_in(octets) == ()


def test_bundles_begin_where_tiles_do():
    entries = [bytes([0]) * 32] * 300
    assert [key for key, _ in entry_bundles(512, entries)] == [
        "ledger/tile/entries/002",
        "ledger/tile/entries/003.p/44",
    ]


@settings(deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(1, 1400), min_size=1, max_size=6, unique=True).map(sorted))
def test_growing_in_steps_gives_the_root_and_the_proofs_of_one_growth(sizes):
    shelf = _Shelf()
    before = 0
    for size in sizes:
        assert (
            grow(shelf, before, size) == root_of(size) == root_hash(size, TileReader(shelf, size).read_node)
        )
        if before:
            verify_consistency(
                size1=before,
                size2=size,
                root1=root_of(before),
                root2=root_of(size),
                proof=consistency_proof(before, size, TileReader(shelf, size).read_node),
            )
        before = size


@settings(deadline=None, max_examples=15)
@given(pieces=st.lists(st.integers(0, 700), max_size=5))
def test_whole_tiles_in_one_piece_are_what_leaf_after_leaf_gives(pieces):
    together = GrowingTree(size=0, reader=TileReader(_Shelf(), 0))
    single = GrowingTree(size=0, reader=TileReader(_Shelf(), 0))
    for piece in pieces:
        leaves = LEAVES[single.size : single.size + piece]
        assert list(together.extend(leaves)) == [tile for leaf in leaves for tile in single.append(leaf)]
        assert list(together.partial_tiles()) == list(single.partial_tiles())
        assert together.root() == single.root()


def test_a_subtree_is_appended_only_where_one_can_begin():
    tree = CompactRange()
    tree.append(LEAVES[0])
    with pytest.raises(ValueError, match="begins at leaf 1"):
        tree.append_subtree(LEAVES[1], level=1)
    with pytest.raises(ValueError, match="octets"):
        tree.append_subtree(b"", level=0)
    with pytest.raises(ValueError, match="not a complete"):
        subtree_root(LEAVES[:3])


def test_of_many_tiles_one_in_the_way_is_named():
    shelf = _Shelf({tile_key(0, 7, 256): bytes(32)})
    tiles = [(tile_key(0, number, 256), bytes(64)) for number in range(20)]
    with pytest.raises(LedgerBroken, match=r"tile/0/007"):
        write_tiles(shelf, tiles, at_once=4)


@pytest.mark.parametrize("steps", [[65_535, 65_536, 65_800], [65_800]])
def test_the_second_and_third_level_grow_too(steps):
    shelf = _Shelf()
    before = 0
    for size in steps:
        assert grow(shelf, before, size) == root_of(size)
        assert root_hash(size, TileReader(shelf, size).read_node) == root_of(size)
        before = size
    assert tile_key(1, 0, TILE_WIDTH) in shelf
    assert tile_key(2, 0, 1) in shelf


def test_a_purged_partial_tile_is_read_from_the_full_one():
    shelf = _Shelf()
    grow(shelf, 0, 300)
    grow(shelf, 300, 512)
    del shelf[tile_key(0, 1, 44)]
    assert root_hash(300, TileReader(shelf, 300).read_node) == root_of(300)


@pytest.mark.parametrize("octets", [b"", bytes(31), bytes(32 * 2), bytes(32 * 256)])
def test_a_tile_of_the_wrong_length_is_named(octets):
    shelf = _Shelf({tile_key(0, 0, 3): octets})
    with pytest.raises(LedgerBroken, match=r"000\.p/3"):
        TileReader(shelf, 3).read_node(0, 0)


def test_a_missing_tile_and_a_node_beyond_the_tree_are_named():
    reader = TileReader(_Shelf(), 3)
    with pytest.raises(LedgerBroken, match="not in the object store"):
        reader.read_node(0, 1)
    with pytest.raises(LedgerBroken, match="no tile"):
        reader.read_node(8, 0)


def test_another_tile_under_the_same_name_stops_the_writer():
    shelf = _Shelf({tile_key(0, 0, 3): bytes(96)})
    with pytest.raises(LedgerBroken, match="holds another tile"):
        grow(shelf, 0, 3)


def test_a_tree_grows_from_the_beginning_of_a_tile_only():
    with pytest.raises(ValueError, match="beginning"):
        GrowingTree(size=3, reader=TileReader(_Shelf(), 3))
