"""RFC 6962 Merkle trees: hashes, verifying and computing proofs, and a compact range to append with.

    tree = CompactRange()
    tree.append(leaf_hash(b"entry"))
    verify_inclusion(index=0, size=1, leaf=leaf_hash(b"entry"), proof=[], root=tree.root())

Hashes are the 32 octets of SHA-256. Verifiers raise `ProofRefused`; they never answer with a bool.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trust.kernel.errors import InvalidInput

HASH_OCTETS = 32

# A tree size is written as a decimal of 63 bits; every proof of such a tree is at most this long
# (RFC 9162 §2.1.4: one node a level for each of the two trees).
MAX_TREE_SIZE = 2**63 - 1
MAX_PROOF_HASHES = 126

EMPTY_ROOT = hashlib.sha256(b"").digest()

# The hash of the complete subtree of 2**level leaves that is the index-th of its level.
ReadNode = Callable[[int, int], bytes]


class ProofRefused(InvalidInput):
    """A Merkle proof does not prove what it is shown for."""

    code = "proof-refused"


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes whose number is a power of two; raises ValueError on another number."""
    count, hashes = len(leaves), list(leaves)
    if not count or count & (count - 1):
        raise ValueError(f"{count} leaves are not a complete subtree")
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        hashes = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Proves that `leaf` (a leaf hash) is number `index` of the tree (RFC 9162 §2.1.3.2).

    Raises `ProofRefused`.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise ProofRefused(f"leaf {index} cannot be in a tree of {size}")
    _require_hashes([leaf, *proof])
    calculated = leaf
    for sibling, stands_left in zip(proof, _sides(index, size - 1, len(proof)), strict=True):
        calculated = node_hash(sibling, calculated) if stands_left else node_hash(calculated, sibling)
    if calculated != root:
        raise ProofRefused("the inclusion proof leads to another root")


def verify_consistency(*, size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Proves that the tree of `size2` begins with the tree of `size1` (RFC 9162 §2.1.4.2).

    An empty first tree proves nothing and is refused. Raises `ProofRefused`.
    """
    if not 0 < size1 <= size2 <= MAX_TREE_SIZE:
        raise ProofRefused(f"no consistency proof exists from size {size1} to size {size2}")
    if size1 == size2:
        if proof or root1 != root2:
            raise ProofRefused("trees of one size have one root and need no consistency proof")
        return
    # A first tree that is a complete subtree is its own first node and is not repeated in the proof.
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    if not proof:
        raise ProofRefused("the consistency proof is empty")
    _require_hashes(path)
    # Both trees share what lies under the last complete subtree of the first one.
    shared = ((size1 - 1) ^ size1).bit_length() - 1
    position, last = (size1 - 1) >> shared, (size2 - 1) >> shared
    first = second = path[0]
    for sibling, stands_left in zip(path[1:], _sides(position, last, len(path) - 1), strict=True):
        if stands_left:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
        else:
            second = node_hash(second, sibling)
    if first != root1:
        raise ProofRefused("the consistency proof leads to another first root")
    if second != root2:
        raise ProofRefused("the consistency proof leads to another second root")


def root_hash(size: int, read_node: ReadNode) -> bytes:
    """The root of the first `size` leaves, from stored complete nodes."""
    return EMPTY_ROOT if size == 0 else _range_hash(0, size, read_node)


def inclusion_proof(index: int, size: int, read_node: ReadNode) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, the leaf's sibling first; raises ValueError out of range."""
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    begin, end = 0, size
    siblings: list[tuple[int, int]] = []
    while end - begin > 1:
        middle = begin + _largest_power_below(end - begin)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((begin, middle))
            begin = middle
    return tuple(_range_hash(first, last, read_node) for first, last in reversed(siblings))


def consistency_proof(size1: int, size2: int, read_node: ReadNode) -> tuple[bytes, ...]:
    """PROOF(size1, D[size2]) of RFC 6962 §2.1.2; raises ValueError out of range."""
    if not 0 < size1 <= size2 <= MAX_TREE_SIZE:
        raise ValueError(f"no consistency proof exists from size {size1} to size {size2}")
    begin, end = 0, size2
    ranges: list[tuple[int, int]] = []
    while end != size1:
        middle = begin + _largest_power_below(end - begin)
        if size1 <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    # The verifier knows the first tree's root: it is given only where it is not a complete subtree from 0.
    if begin:
        ranges.append((begin, end))
    return tuple(_range_hash(first, last, read_node) for first, last in reversed(ranges))


@dataclass(frozen=True, kw_only=True)
class Node:
    """A completed node: the root of 2**level leaves, the index-th of its level."""

    level: int
    index: int
    hash: bytes


class CompactRange:
    """The right edge of a tree: all that appending needs, at most 63 hashes.

    `hashes` are the roots of the complete subtrees that make up the tree, the largest first.
    """

    def __init__(self, *, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Takes up where an earlier range stopped; raises ValueError where size and hashes disagree."""
        if not 0 <= size <= MAX_TREE_SIZE or len(hashes) != size.bit_count():
            raise ValueError(f"a compact range of size {size} does not have {len(hashes)} hashes")
        if any(len(item) != HASH_OCTETS for item in hashes):
            raise ValueError(f"a hash has {HASH_OCTETS} octets")
        self._size = size
        self._hashes = list(hashes)

    @classmethod
    def load(cls, size: int, read_node: ReadNode) -> "CompactRange":
        """Reads the range of a stored tree of `size` leaves."""
        hashes: list[bytes] = []
        begin = 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                hashes.append(read_node(level, begin >> level))
                begin += 1 << level
        return cls(size=size, hashes=hashes)

    @property
    def size(self) -> int:
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> list[Node]:
        """Appends a leaf hash; returns the leaf and every node that it completed, the lowest first."""
        return self.append_subtree(leaf, level=0)

    def append_subtree(self, root: bytes, *, level: int) -> list[Node]:
        """Appends the complete subtree of 2**level leaves with this root; returns it and what it completed.

        Raises ValueError where such a subtree cannot begin at the present size.
        """
        if len(root) != HASH_OCTETS:
            raise ValueError(f"a hash has {HASH_OCTETS} octets")
        if self._size % (1 << level):
            raise ValueError(f"no subtree of {1 << level} leaves begins at leaf {self._size}")
        index, current = self._size >> level, root
        self._size += 1 << level
        completed = [Node(level=level, index=index, hash=current)]
        while index & 1:
            current = node_hash(self._hashes.pop(), current)
            index >>= 1
            level += 1
            completed.append(Node(level=level, index=index, hash=current))
        self._hashes.append(current)
        return completed

    def root(self) -> bytes:
        """The root of the tree so far (RFC 6962 §2.1)."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > MAX_PROOF_HASHES:
        raise ProofRefused(f"a proof has at most {MAX_PROOF_HASHES} hashes, this one {len(hashes)}")
    if any(len(item) != HASH_OCTETS for item in hashes):
        raise ProofRefused(f"every hash of a proof has {HASH_OCTETS} octets")


def _sides(position: int, last: int, count: int) -> list[bool]:
    """For each of `count` proof hashes, the lowest first, whether it stands left of the way up.

    `position` is the node the way starts from and `last` the last node of that level. Raises
    `ProofRefused` unless the way up has exactly `count` hashes.
    """
    sides: list[bool] = []
    while last:
        if position & 1 or position == last:
            sides.append(True)
            # A node without a right sibling is carried up unhashed until it has a left one.
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            sides.append(False)
        position >>= 1
        last >>= 1
    if len(sides) != count:
        raise ProofRefused(f"the proof has {count} hashes; the tree's shape asks for {len(sides)}")
    return sides


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count` (which is at least 2): RFC 6962's split."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(begin: int, end: int, read_node: ReadNode) -> bytes:
    """MTH of leaves begin to end; begin is where a split of RFC 6962 can fall, so whole nodes align."""
    count = end - begin
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return read_node(level, begin >> level)
    middle = begin + _largest_power_below(count)
    return node_hash(_range_hash(begin, middle, read_node), _range_hash(middle, end, read_node))
