"""Merkle proofs computed here are proofs, whatever the sizes; and any change of one is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trust.evidence.merkle import (
    EMPTY_ROOT,
    CompactRange,
    ProofRefused,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)


class Tree:
    """A tree with every complete node kept."""

    def __init__(self, size: int) -> None:
        self.range = CompactRange()
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.roots = [EMPTY_ROOT]
        for index in range(size):
            for node in self.range.append(leaf_hash(str(index).encode())):
                self.nodes[node.level, node.index] = node.hash
            self.roots.append(self.range.root())

    def read(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


TREE = Tree(300)
sizes = st.integers(min_value=1, max_value=300)


@settings(deadline=None)
@given(size=sizes, data=st.data())
def test_every_leaf_is_proved_and_no_other_leaf_by_its_proof(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, TREE.read)
    leaf, root = TREE.read(0, index), TREE.roots[size]
    verify_inclusion(index=index, size=size, leaf=leaf, proof=proof, root=root)
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index)) if size > 1 else 1
    with pytest.raises(ProofRefused):
        verify_inclusion(index=other, size=size, leaf=leaf, proof=proof, root=root)
    with pytest.raises(ProofRefused):
        verify_inclusion(index=index, size=size, leaf=leaf, proof=(*proof, leaf), root=root)


@settings(deadline=None)
@given(size1=sizes, size2=sizes)
def test_every_earlier_tree_is_proved_to_begin_the_later(size1, size2):
    size1, size2 = sorted((size1, size2))
    proof = consistency_proof(size1, size2, TREE.read)
    roots = {"root1": TREE.roots[size1], "root2": TREE.roots[size2]}
    verify_consistency(size1=size1, size2=size2, proof=proof, **roots)
    for position in range(len(proof)):
        bent = [*proof[:position], bytes(32), *proof[position + 1 :]]
        with pytest.raises(ProofRefused):
            verify_consistency(size1=size1, size2=size2, proof=bent, **roots)


@settings(deadline=None)
@given(size=st.integers(0, 300))
def test_a_range_loaded_from_stored_nodes_goes_on_as_if_it_had_never_stopped(size):
    loaded = CompactRange.load(size, TREE.read)
    assert loaded.root() == TREE.roots[size] == root_hash(size, TREE.read)
    if size < 300:
        loaded.append(TREE.read(0, size))
        assert loaded.root() == TREE.roots[size + 1]


def test_a_range_whose_hashes_do_not_fit_its_size_is_refused():
    with pytest.raises(ValueError, match="does not have"):
        CompactRange(size=3, hashes=[bytes(32)])
    with pytest.raises(ValueError, match="32 octets"):
        CompactRange(size=1, hashes=[b"short"])


def test_there_is_no_proof_out_of_range():
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(3, 3, TREE.read)
    with pytest.raises(ValueError, match="no consistency proof"):
        consistency_proof(0, 3, TREE.read)


def test_an_endless_proof_is_not_hashed():
    with pytest.raises(ProofRefused, match="at most"):
        verify_inclusion(index=0, size=2, leaf=bytes(32), proof=[bytes(32)] * 1000, root=bytes(32))
