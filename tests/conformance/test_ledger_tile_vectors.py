"""Our tile reader on a log that another implementation wrote (transparency-dev/tessera)."""

import os
from pathlib import Path

import pytest

from trust.evidence.merkle import consistency_proof, root_hash, verify_consistency
from trust.evidence.tlog import VerifierKey, open_checkpoint
from trust.ledger.tiles import TileReader
from trust.storage.objects.errors import ObjectMissing

LOG = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "tlog" / "log"
KEY = VerifierKey.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
SIZES = range(1, 16)

pytestmark = pytest.mark.skipif(
    not LOG.is_dir(), reason="no vectors: YINXIN_VECTORS names no folder with them"
)


class _Log:
    """The folder of the vectors under the keys of our object stores."""

    def get(self, key: str) -> bytes:
        path = LOG / key.removeprefix("ledger/")
        if not path.is_file():
            raise ObjectMissing(key)
        return path.read_bytes()


def checkpoint(size: int):
    return open_checkpoint((LOG / f"checkpoint.{size}").read_bytes(), [KEY])


@pytest.mark.parametrize("size", SIZES)
def test_the_tiles_give_the_root_of_every_checkpoint(size):
    assert root_hash(size, TileReader(_Log(), size).read_node) == checkpoint(size).root


def test_the_tiles_prove_that_each_checkpoint_follows_the_earlier_ones():
    for size2 in SIZES:
        for size1 in range(1, size2 + 1):
            verify_consistency(
                size1=size1,
                size2=size2,
                root1=checkpoint(size1).root,
                root2=checkpoint(size2).root,
                proof=consistency_proof(size1, size2, TileReader(_Log(), size2).read_node),
            )
