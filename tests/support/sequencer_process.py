"""A sequencer, or somebody who records, as a process of its own; a sequencer may kill itself after a step.

    with running(sequencer_order(room, postgres, seed=seed, step=3)) as process:
        process.wait()

`python -m tests.support.sequencer_process ORDER` with the order as JSON. Kill points are those of
`tests.support.kill_launcher`: the numbered comments of `Sequencer.run_round`, found in its source.
"""

import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.kill_launcher import arm
from tests.support.ledger import NoteSigner, event
from trust.kernel.clock import SystemClock
from trust.kernel.errors import Unavailable
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.ledger.ledger import Ledger
from trust.ledger.sequencer import Sequencer
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls
from trust.storage.objects.folder import FolderStore

ROUND = "trust.ledger.sequencer:Sequencer.run_round"


def start(
    act: str, urls: DatabaseUrls, store: Path, seed: bytes, *, step: int | None = None, seconds: float = 0.0
) -> subprocess.Popen[bytes]:
    """`act` is `sequence` or `record`; for `seconds`, or (0) once. With `step` it dies after that step."""
    order = {
        "act": act, "service": urls.service, "reader": urls.reader, "store": str(store), "seed": seed.hex(),
        "step": step, "seconds": seconds,
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.sequencer_process", json.dumps(order)],
        cwd=Path(__file__).resolve().parents[2],
    )


def _sequence(order: dict[str, Any], database: Database) -> None:
    signer = NoteSigner(seed=bytes.fromhex(order["seed"]))
    sequencer = Sequencer(
        database=database,
        store=FolderStore(Path(order["store"])),
        signer=signer,
        origin=signer.key.name,
        keys=[signer.key],
        clock=SystemClock(),
        max_round_events=300,
    )
    until = time.monotonic() + order["seconds"]
    while True:
        with suppress(Unavailable):  # the lock was not free in time: the next turn
            sequencer.run_round()
        if time.monotonic() >= until:
            return


def _record(order: dict[str, Any], database: Database) -> None:
    clock, randomness = SystemClock(), SystemRandomness()
    ledger = Ledger(database, clock=clock, randomness=randomness, ids=Ids(clock, randomness))
    until = time.monotonic() + order["seconds"]
    number = 0
    while time.monotonic() < until:
        with ledger.work() as work:
            work.record_all([event(f"use_{number + each}") for each in range(1 + number % 40)])
        number += 40
        time.sleep(0.002)


def main() -> None:
    """Does what the order says, in a thread: only threads are watched for a kill point."""
    order = json.loads(sys.argv[1])
    database = Database(order["service"], order["reader"])
    if order["step"] is not None:
        arm(ROUND, step=order["step"], before=None, arrival=1)
    act = {"sequence": _sequence, "record": _record}[order["act"]]
    working = threading.Thread(target=act, args=(order, database))
    working.start()
    working.join()


if __name__ == "__main__":
    main()
