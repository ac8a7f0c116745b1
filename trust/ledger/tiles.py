"""The tree as objects (c2sp.org/tlog-tiles): 256 hashes a tile, entries in bundles beside them.

    ledger/tile/<level>/<N>[.p/<W>]     W hashes of 32 octets; no suffix when all 256 are there
    ledger/tile/entries/<N>[.p/<W>]     the entries of those leaves, each after its length in two octets
    ledger/checkpoint                   the newest signed checkpoint
    ledger/witnessed-checkpoint         the newest that a quorum of witnesses has cosigned

`<N>` is the tile's number in groups of three digits, all but the last with an `x`: `x001/x234/067`. Every
tile is determined by its name and the tree, so writing one again is harmless and two writers agree.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from trust.evidence.merkle import HASH_OCTETS, CompactRange, Node, subtree_root
from trust.ledger.errors import LedgerBroken
from trust.storage.objects.errors import ObjectExists, ObjectMissing
from trust.storage.objects.port import ObjectStore

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
CHECKPOINT_KEY: Final = "ledger/checkpoint"
# Beside what C2SP names: the newest checkpoint that a quorum of witnesses has cosigned.
WITNESSED_KEY: Final = "ledger/witnessed-checkpoint"
ENTRY_OCTETS: Final = 32
_KEY: Final = re.compile(
    r"ledger/tile/(?P<level>[0-5]|entries)/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)
_ENTRY_HEAD: Final = ENTRY_OCTETS.to_bytes(2, "big")
_ENTRY_STRIDE: Final = len(_ENTRY_HEAD) + ENTRY_OCTETS


class TileSource(Protocol):
    """Where tiles are read from; an object store is one."""

    def get(self, key: str) -> bytes:
        """The object's octets; raises ObjectMissing."""
        ...


def tile_key(level: int, number: int, width: int) -> str:
    """The object key of a tile of hashes; `width` is how many it holds, 1 to 256."""
    return f"ledger/tile/{level}/{_numbered(number, width)}"


def entries_key(number: int, width: int) -> str:
    """The object key of a bundle of entries."""
    return f"ledger/tile/entries/{_numbered(number, width)}"


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """The octets of a bundle: each entry after its length (16 bits, big-endian)."""
    return b"".join(_ENTRY_HEAD + entry for entry in entries)


def entries_in(bundle: bytes) -> tuple[bytes, ...]:
    """The entries of a bundle, up to where it stops being one."""
    entries: list[bytes] = []
    while bundle[:2] == _ENTRY_HEAD and len(bundle) >= _ENTRY_STRIDE:
        entries.append(bundle[2:_ENTRY_STRIDE])
        bundle = bundle[_ENTRY_STRIDE:]
    return tuple(entries)


def _numbered(number: int, width: int) -> str:
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[begin : begin + 3] for begin in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A tile of hashes, 32 octets each, full or partial."""

    level: int
    number: int
    octets: bytes

    @property
    def width(self) -> int:
        """How many hashes it holds."""
        return len(self.octets) // HASH_OCTETS

    @property
    def key(self) -> str:
        """Its object key."""
        return tile_key(self.level, self.number, self.width)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an object stands in the log: a tile of hashes of a level, or (level None) a bundle of entries."""

    level: int | None
    number: int
    width: int

    @property
    def end(self) -> int:
        """How many leaves a tree has at least that has this object."""
        return self.number * TILE_WIDTH + self.width << TILE_HEIGHT * (self.level or 0)

    def in_tree(self, size: int) -> "Place | None":
        """The object in its place in a tree of `size`, whole or as far as it goes; None where there is none."""
        width = min((size >> TILE_HEIGHT * (self.level or 0)) - self.number * TILE_WIDTH, TILE_WIDTH)
        return None if width <= 0 else Place(level=self.level, number=self.number, width=width)

    @property
    def key(self) -> str:
        """Its object key."""
        if self.level is None:
            return entries_key(self.number, self.width)
        return tile_key(self.level, self.number, self.width)

    def read(self, store: TileSource) -> bytes | None:
        """Its octets; None where it is missing. Judges nothing."""
        if self.level is None:
            return read_entries(store, self.number, self.width)
        return read_tile(store, self.level, self.number, self.width)


def placed(key: str) -> Place | None:
    """Which object of a log a key names; None where it names none."""
    named = _KEY.fullmatch(key)
    if named is None:
        return None
    level = None if named["level"] == "entries" else int(named["level"])
    number = int(named["number"].replace("x", "").replace("/", ""))
    place = Place(level=level, number=number, width=int(named["width"] or TILE_WIDTH))
    # What is not spelled as we would spell it (idle zeroes, a width of 256) is not ours.
    return place if 0 < place.width <= TILE_WIDTH and place.key == key else None


class TileReader:
    """The nodes of a stored tree of `size` leaves; each tile is fetched once."""

    def __init__(self, store: TileSource, size: int) -> None:
        self._store = store
        self._size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def read_node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree; what `trust.evidence.merkle` asks for.

        Raises `LedgerBroken`, naming the tile, where it is missing or too short.
        """
        tile_level = level // TILE_HEIGHT
        below = level % TILE_HEIGHT
        first = index << below
        tile = self.tile(tile_level, first // TILE_WIDTH)
        position = first % TILE_WIDTH
        hashes = [
            tile[HASH_OCTETS * n : HASH_OCTETS * (n + 1)] for n in range(position, position + (1 << below))
        ]
        if not hashes[-1]:
            raise LedgerBroken(f"node {index} of level {level} is beyond the tree of {self._size} leaves")
        return subtree_root(hashes)

    def tile(self, level: int, number: int) -> bytes:
        """The hashes that this tree has in the tile."""
        known = self._tiles.get((level, number))
        if known is None:
            known = self._tiles[level, number] = self._fetch(level, number)
        return known

    def _fetch(self, level: int, number: int) -> bytes:
        width = min((self._size >> TILE_HEIGHT * level) - number * TILE_WIDTH, TILE_WIDTH)
        if width <= 0:
            raise LedgerBroken(f"a tree of {self._size} leaves has no tile {number} on level {level}")
        key = tile_key(level, number, width)
        octets = read_tile(self._store, level, number, width)
        if octets is None:
            raise LedgerBroken(f"the tile {key} is not in the object store")
        if len(octets) != width * HASH_OCTETS:
            raise LedgerBroken(f"the tile {key} does not hold {width} hashes")
        return octets


def read_tile(store: TileSource, level: int, number: int, width: int) -> bytes | None:
    """The first `width` hashes of a tile; None where it is missing. Judges nothing."""
    key, full = tile_key(level, number, width), tile_key(level, number, TILE_WIDTH)
    return _read_either(store, key, full, width * HASH_OCTETS)


def read_entries(store: TileSource, number: int, width: int) -> bytes | None:
    """The first `width` entries of a bundle, as stored; None where it is missing. Judges nothing."""
    key, full = entries_key(number, width), entries_key(number, TILE_WIDTH)
    return _read_either(store, key, full, width * _ENTRY_STRIDE)


def _read_either(store: TileSource, key: str, full: str, octets: int) -> bytes | None:
    """The partial object, or the beginning of the full one, for which it may have been purged."""
    for candidate in dict.fromkeys((key, full)):
        try:
            found = store.get(candidate)
        except ObjectMissing:
            continue
        return found if candidate == key else found[:octets]
    return None


class GrowingTree:
    """Appends leaves to a stored tree and yields the tiles of hashes that came to be; writes nothing itself.

    It takes up at the last full tile of leaves, so that whoever appends gives the leaves of the partial
    tile again, from the database, and only hashes above them come from the store.
    """

    def __init__(self, *, size: int, reader: TileReader) -> None:
        """`size` is a multiple of 256 (`tile_begin`); raises what the reader raises."""
        if size % TILE_WIDTH:
            raise ValueError("a tree grows from the beginning of a tile")
        self._range = CompactRange.load(size, reader.read_node)
        self._rows: dict[int, bytearray] = {0: bytearray()}
        self._changed: set[int] = set()
        level = 1
        while size >> TILE_HEIGHT * level:
            number, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
            self._rows[level] = bytearray(reader.tile(level, number)) if width else bytearray()
            level += 1

    @property
    def size(self) -> int:
        return self._range.size

    def root(self) -> bytes:
        """The root so far."""
        return self._range.root()

    def extend(self, leaves: Sequence[bytes]) -> Iterator[Tile]:
        """Appends leaf hashes; yields every tile they filled, the lowest first. Whole tiles go in one piece."""
        begin = 0
        while begin < len(leaves):
            if self.size % TILE_WIDTH or len(leaves) - begin < TILE_WIDTH:
                yield from self.append(leaves[begin])
                begin += 1
            else:
                block = leaves[begin : begin + TILE_WIDTH]
                yield Tile(level=0, number=self.size // TILE_WIDTH, octets=b"".join(block))
                yield from self._fill(self._range.append_subtree(subtree_root(block), level=TILE_HEIGHT))
                begin += TILE_WIDTH

    def append(self, leaf: bytes) -> Iterator[Tile]:
        """Appends a leaf hash; yields every tile this filled, the lowest first."""
        return self._fill(self._range.append(leaf))

    def _fill(self, nodes: Sequence[Node]) -> Iterator[Tile]:
        for node in nodes:
            level, above = divmod(node.level, TILE_HEIGHT)
            if above:
                continue
            row = self._rows.setdefault(level, bytearray())
            row += node.hash
            self._changed.add(level)
            if len(row) == TILE_WIDTH * HASH_OCTETS:
                yield Tile(level=level, number=node.index // TILE_WIDTH, octets=bytes(row))
                row.clear()
                self._changed.discard(level)

    def partial_tiles(self) -> Iterator[Tile]:
        """Every tile that has changed and is not full."""
        for level in sorted(self._changed):
            number = (self.size >> TILE_HEIGHT * level) // TILE_WIDTH
            yield Tile(level=level, number=number, octets=bytes(self._rows[level]))


def tile_begin(size: int) -> int:
    """The first leaf of the tile in which leaf number `size` comes to stand."""
    return size - size % TILE_WIDTH


def entry_bundles(begin: int, entries: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Key and octets of the bundles that hold these entries, the first of which is leaf `begin` (`tile_begin`)."""
    for offset in range(0, len(entries), TILE_WIDTH):
        bundle = entries[offset : offset + TILE_WIDTH]
        yield entries_key((begin + offset) // TILE_WIDTH, len(bundle)), entry_bundle(bundle)


def write_tile(store: ObjectStore, key: str, octets: bytes) -> None:
    """Puts a tile once; raises `LedgerBroken` where the store holds another under its name."""
    try:
        store.put(key, octets)
    except ObjectExists as error:
        raise LedgerBroken(f"the object store holds another tile as {key}") from error


def write_tiles(store: ObjectStore, tiles: Sequence[tuple[str, bytes]], *, at_once: int) -> None:
    """Puts many tiles; raises as `write_tile`, after which any of the others may have been written or not."""
    if len(tiles) <= at_once:
        for key, octets in tiles:
            write_tile(store, key, octets)
        return
    with ThreadPoolExecutor(at_once, thread_name_prefix="ledger-tiles") as pool:
        writing = [pool.submit(write_tile, store, key, octets) for key, octets in tiles]
        try:
            for written in writing:
                written.result()
        finally:
            pool.shutdown(cancel_futures=True)
