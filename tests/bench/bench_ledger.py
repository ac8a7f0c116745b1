"""The ledger: recording and sequencing one event, and proving one, against nothing but the hashes that each needs.

The log is a seeded one of 100,000 leaves; LEDGER_SIZE in the environment says otherwise (`tests.bench.ledger_growth`
measures many sizes up to ten million).
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from tests.bench.ledger_growth import proof_times
from tests.bench.timing import case, medians
from tests.support.seeded_log import BATCH, opened_seeded_log
from trust.evidence.merkle import CompactRange, leaf_hash, subtree_root
from trust.ledger.tiles import TILE_HEIGHT, TILE_WIDTH

_ROUNDS = 8
_PROOFS = 300


def cases() -> Iterator[dict[str, object]]:
    """Yields `ledger-append` (per event; recording beside it) and `ledger-proof`, each against its raw hashes."""
    size = int(os.environ.get("LEDGER_SIZE", "100000"))
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="yx-ledger-", dir=root) as folder,
        opened_seeded_log(Path(folder)) as log,
    ):
        log.grow_to(size - size % TILE_WIDTH)
        batches = iter([log.events(BATCH) for _ in range(_ROUNDS + 2)])
        headers = [b"as many octets as a header has".ljust(480) + b"%d" % number for number in range(BATCH)]

        def hashes() -> None:
            """Entry, leaf and the nodes above of each event of a batch."""
            tree = CompactRange()
            for header in headers:
                tree.append(leaf_hash(hashlib.sha256(header).digest()))

        worked = log.processor_seconds()
        recording, sequencing, raw = medians(
            lambda: log.record(next(batches)), log.sequence, hashes, rounds=_ROUNDS, warm_up=2
        )
        events, worked = (_ROUNDS + 2) * BATCH, log.processor_seconds() - worked
        yield case(
            "ledger-append",
            sequencing / BATCH,
            "entry, leaf and nodes hashed",
            raw / BATCH,
            per_second=round(BATCH / sequencing * 1000),
            record_ms=round(recording / BATCH, 3),
            both_on_one_core_per_second=round(events / worked),
        )

        tiles = -(-(log.size - 1).bit_length() // TILE_HEIGHT)
        leaves = [bytes(32)] * TILE_WIDTH

        def path() -> None:
            """Each tile on the way up, hashed to its root: what the siblings of a path are made from."""
            for _ in range(tiles):
                subtree_root(leaves)

        times = proof_times(log, _PROOFS)
        (bare,) = medians(path, rounds=200)
        yield case(
            "ledger-proof",
            median(times) * 1000,
            "the tiles of its path hashed",
            bare,
            size=log.size,
            p99_ms=round(quantiles(times, n=100)[-1] * 1000, 2),
        )
