"""kill -9 while evidence is gathered and renewed: whatever was kept has its evidence afterwards, once."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from tests.support.preservation import PreservationRoom
from trust.crypto.digests import Digest
from trust.evidence.ers import EvidenceRecord
from trust.kernel.report import Indication
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls

pytestmark = [pytest.mark.kill, pytest.mark.stranger]
_FORK = multiprocessing.get_context("fork")
_KILLS = 12


def _in_a_process(
    urls: DatabaseUrls, room: PreservationRoom, act: Callable[[PreservationRoom], object]
) -> None:
    """What the child does: the same authorities and clock, connections of its own."""
    database = Database(urls.service, urls.reader)
    act(PreservationRoom.open(database, room.folder, beside=room))
    os._exit(0)


def _killed_after(
    seconds: float, urls: DatabaseUrls, room: PreservationRoom, act: Callable[[PreservationRoom], object]
) -> bool:
    """Whether the process was killed before it was done."""
    process = _FORK.Process(target=_in_a_process, args=(urls, room, act))
    process.start()
    process.join(seconds)
    if process.is_alive() and process.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def _stages(room: PreservationRoom) -> list[tuple[str, int]]:
    with room.ledger.read() as work:
        rows = work.execute(text("SELECT batch_id, number FROM trust.evidence_stages ORDER BY 1, 2"))
        return [(row.batch_id, row.number) for row in rows]


def test_gathering_killed_anywhere_leaves_nothing_without_evidence(
    postgres: DatabaseUrls, database: Database, tmp_path: Path
) -> None:
    room, random = PreservationRoom.open(database, tmp_path / "store"), Random(20261122)
    names: list[str] = []
    killed = 0
    for _ in range(_KILLS):
        names += room.keep([(b"object %d" % len(names),), (b"%d, of two" % len(names), b"the other")])
        killed += _killed_after(random.uniform(0.0, 0.25), postgres, room, lambda each: each.desk.gather())
    assert killed, "no kill came before the end: shorten the times"
    room.desk.gather()
    status = room.desk.status()
    assert (status.waiting, status.unstamped) == (0, 0)
    assert all(room.verify(name).indication is Indication.VALID for name in names)
    stages = _stages(room)
    assert len(stages) == len(set(stages)) == status.batches


def test_a_renewal_killed_anywhere_is_run_again_and_loses_nothing(
    postgres: DatabaseUrls, database: Database, tmp_path: Path
) -> None:
    room, random = PreservationRoom.open(database, tmp_path / "store"), Random(20261122)
    names = room.keep((b"%d " % number * 4000,) for number in range(150))
    while room.desk.gather(limit=30):
        pass
    room.clock.moment += timedelta(days=700)
    killed = 0
    for _ in range(_KILLS):
        killed += _killed_after(
            random.uniform(0.02, 0.15), postgres, room, lambda each: each.desk.renew(to=Digest.SHA512)
        )
    assert killed, "no kill came before the end: shorten the times"
    room.desk.renew(to=Digest.SHA512)
    room.clock.moment += timedelta(days=100)
    for name in names:
        assert room.verify(name).indication is Indication.VALID
        assert len(EvidenceRecord.parse(room.desk.record_of(name) or b"").chains) == 2
