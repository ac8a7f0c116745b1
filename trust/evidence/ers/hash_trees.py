"""Hash trees over document groups (RFC 4998 §4.2, §4.3): built once, reduced for each group, folded back to the root.

    tree = HashTree(groups, Digest.SHA256)          # groups: the documents' hash values, one collection each
    token = authority.token(tree.root)
    tree.reduced(position)                          # the lists for this group
    root_of(lists, Digest.SHA256)                   # what the timestamp has to be over

The tree is binary. Any number of children is allowed; two give the shortest proofs, and every list above the first
holds one value, which all readings of §4.3 fold alike. The first list holds the group's own documents and nothing
else, so that it shows which documents are of the group (§4.3, §5.3). A node left over at the end of a level goes up
as it is: no padding stands in anybody's proof.
"""

from collections.abc import Collection, Sequence

from trust.crypto.digests import Digest, digest_of, digest_size
from trust.evidence.ers.errors import EvidenceRefused
from trust.evidence.ers.structures import MAX_HASHES_PER_PARTIAL_TREE, ReducedHashTree


class HashTree:
    """One tree over document groups; groups with the same documents share a leaf."""

    def __init__(self, groups: Sequence[Collection[bytes]], algorithm: Digest) -> None:
        """`groups` are the hash values of each group's documents, by `algorithm`; equal documents count once.

        Raises EvidenceRefused where there is no group, an empty or too large one, or a value of another length.
        """
        if not groups:
            raise EvidenceRefused("a hash tree is over at least one document group")
        size = digest_size(algorithm)
        self.algorithm = algorithm
        self._groups = [tuple(sorted(frozenset(group))) for group in groups]
        for group in self._groups:
            if not 1 <= len(group) <= MAX_HASHES_PER_PARTIAL_TREE:
                raise EvidenceRefused(
                    f"a document group has 1 to {MAX_HASHES_PER_PARTIAL_TREE} documents, not {len(group)}"
                )
            if any(len(value) != size for value in group):
                raise EvidenceRefused(f"a {algorithm} hash tree is over values of {size} octets")
        leaves: dict[bytes, int] = {}
        self._leaf_of = [leaves.setdefault(_node(group, algorithm), len(leaves)) for group in self._groups]
        self._levels: list[list[bytes]] = [list(leaves)]
        while len(self._levels[-1]) > 1:
            self._levels.append(_level_above(self._levels[-1], algorithm))

    @property
    def root(self) -> bytes:
        """The value that the timestamp is over."""
        return self._levels[-1][0]

    def __len__(self) -> int:
        """How many groups it is over."""
        return len(self._groups)

    def reduced(self, position: int) -> ReducedHashTree:
        """The lists from the group at `position` up to below the root (RFC 4998 §4.2, reducedHashtree)."""
        lists = [self._groups[position]]
        at = self._leaf_of[position]
        for level in self._levels[:-1]:
            beside = at ^ 1
            if beside < len(level):
                lists.append((level[beside],))
            at //= 2
        return tuple(lists)


def root_of(reduced: ReducedHashTree, algorithm: Digest) -> bytes:
    """The root that these lists lead to (RFC 4998 §4.3): each sorted, joined and hashed together with the one below.

    The first list of one value is that value (§4.2 step 3: only several are hashed together).
    """
    value = _node(reduced[0], algorithm)
    for hashes in reduced[1:]:
        value = _node((*hashes, value), algorithm)
    return value


def _node(values: Collection[bytes], algorithm: Digest) -> bytes:
    if len(values) == 1:
        return next(iter(values))
    return digest_of(b"".join(sorted(values)), algorithm)


def _level_above(level: list[bytes], algorithm: Digest) -> list[bytes]:
    return [_node(level[at : at + 2], algorithm) for at in range(0, len(level), 2)]
