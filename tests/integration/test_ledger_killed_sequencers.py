"""Sequencers as real processes: killed after every step, several at once, and killed at random among each other."""

import random
import time

import pytest
from sqlalchemy import func, select

from tests.support.kill_launcher import Procedure
from tests.support.killing import SIGKILLED
from tests.support.ledger import LedgerRoom, NoteSigner
from tests.support.sequencer_process import ROUND, start
from trust.evidence.tlog import open_checkpoint
from trust.kernel.clock import SystemClock
from trust.kernel.report import Indication
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.tables import events, sequence, waiting
from trust.ledger.tiles import CHECKPOINT_KEY
from trust.ledger.verify import verify_ledger

SEED = bytes(range(32))
STEPS = sorted(Procedure.named(ROUND).steps())

pytestmark = [pytest.mark.kill, pytest.mark.stranger]


@pytest.fixture
def room(database, tmp_path):
    room = LedgerRoom.open(database, tmp_path / "store")
    room.signer = NoteSigner(seed=SEED)
    room.clock.moment = SystemClock().now()
    return room


def require_one_log(room):
    """Every event recorded has one place, and whatever was ever published is a state of the one tree."""
    with room.database.read() as read:
        recorded = set(read.execute(select(events.c.event_id)).scalars())
        placed = read.execute(select(sequence.c.event_id).order_by(sequence.c.index)).scalars().all()
        indexes = read.execute(select(sequence.c.index).order_by(sequence.c.index)).scalars().all()
        waits = read.execute(select(func.count()).select_from(waiting)).scalar_one()
        assert len(placed) == len(set(placed))
        assert set(placed) == recorded
        assert indexes == list(range(len(placed)))
        assert waits == 0
        sizes = []
        for version in room.store.versions(CHECKPOINT_KEY):
            shown = open_checkpoint(room.store.get(CHECKPOINT_KEY, version.version_id), [room.signer.key])
            stored = Checkpoints(read).of_size(shown.size)
            assert stored is not None
            assert stored.tree.root == shown.root
            sizes.append(shown.size)
        assert sizes == sorted(set(sizes))
        assert sizes[-1] == len(placed)
    report = verify_ledger(room.database, room.store, [room.signer.key], at=SystemClock().now())
    assert report.indication is Indication.VALID, report.to_json()


@pytest.mark.parametrize("step", STEPS)
def test_a_sequencer_killed_after_a_step_is_followed_by_one_that_finishes(room, postgres, tmp_path, step):
    """Twice in a row, from the middle of a tile and over its end."""
    assert len(STEPS) == 7
    room.record_many(200)
    room.sequencer().catch_up()
    for _ in range(2):
        room.record_many(170)
        died = start("sequence", postgres, tmp_path / "store", SEED, step=step)
        assert died.wait(60) == SIGKILLED
    room.sequencer().catch_up()
    require_one_log(room)


def test_sequencers_and_recorders_at_once_some_killed_at_any_moment_make_one_log(room, postgres, tmp_path):
    store = tmp_path / "store"
    dice = random.Random(20261126)
    recorders = [start("record", postgres, store, SEED, seconds=8) for _ in range(2)]
    sequencers = [start("sequence", postgres, store, SEED, seconds=600) for _ in range(3)]
    killed = 0
    while any(recorder.poll() is None for recorder in recorders):
        time.sleep(dice.uniform(0.6, 1.6))
        victim = dice.randrange(len(sequencers))
        sequencers[victim].kill()
        assert sequencers[victim].wait(10) == SIGKILLED
        sequencers[victim] = start("sequence", postgres, store, SEED, seconds=600)
        killed += 1
    for sequencer in sequencers:
        sequencer.kill()
        sequencer.wait(10)
    assert killed >= 4
    assert [recorder.wait(10) for recorder in recorders] == [0, 0]
    room.sequencer().catch_up()
    require_one_log(room)
    with room.database.read() as read:
        assert read.execute(select(func.count()).select_from(events)).scalar_one() > 100
