"""The tiled log of transparency-dev/tessera verifies and is rebuilt (`vectors/tlog`)."""

import os
from pathlib import Path

import pytest

from trust.evidence.merkle import (
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from trust.evidence.tlog import NoteSignatureInvalid, TlogProof, VerifierKey, open_checkpoint

LOG = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "tlog" / "log"
KEY = VerifierKey.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
SIZE = 15

pytestmark = pytest.mark.skipif(not LOG.is_dir(), reason=f"no vectors under {LOG}")


def entries(size: int) -> list[bytes]:
    bundle = (LOG / f"tile/entries/000.p/{size}").read_bytes()
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def read_node(level: int, index: int) -> bytes:
    if level == 0:
        tile = (LOG / f"tile/0/000.p/{SIZE}").read_bytes()
        return tile[32 * index : 32 * index + 32]
    return node_hash(read_node(level - 1, 2 * index), read_node(level - 1, 2 * index + 1))


@pytest.mark.parametrize("size", range(1, SIZE + 1))
def test_every_checkpoint_is_signed_and_is_the_root_of_its_entries(size):
    checkpoint = open_checkpoint((LOG / f"checkpoint.{size}").read_bytes(), [KEY])
    tree = CompactRange()
    for entry in entries(size):
        tree.append(leaf_hash(entry))
    assert (checkpoint.size, checkpoint.root) == (size, tree.root())
    assert root_hash(size, read_node) == checkpoint.root


@pytest.mark.parametrize("size", range(1, SIZE + 1))
def test_every_checkpoint_continues_every_earlier_one(size):
    later = open_checkpoint((LOG / f"checkpoint.{size}").read_bytes(), [KEY])
    for earlier_size in range(1, size + 1):
        earlier = open_checkpoint((LOG / f"checkpoint.{earlier_size}").read_bytes(), [KEY])
        proof = consistency_proof(earlier_size, size, read_node)
        verify_consistency(size1=earlier_size, size2=size, root1=earlier.root, root2=later.root, proof=proof)


def test_every_entry_is_proved_in_a_file_of_its_own():
    text = (LOG / "checkpoint").read_text()
    for index, entry in enumerate(entries(SIZE)):
        proof = TlogProof(
            index=index, hashes=inclusion_proof(index, SIZE, read_node), checkpoint=text, extra=entry
        )
        read_back = TlogProof.parse(proof.encode())
        assert read_back == proof
        assert read_back.verify_extra([KEY]).size == SIZE
        verify_inclusion(
            index=index,
            size=SIZE,
            leaf=read_node(0, index),
            proof=proof.hashes,
            root=root_hash(SIZE, read_node),
        )


def test_a_checkpoint_with_another_size_is_not_believed():
    with pytest.raises(NoteSignatureInvalid):
        open_checkpoint((LOG / "checkpoint").read_text().replace("\n15\n", "\n16\n"), [KEY])
