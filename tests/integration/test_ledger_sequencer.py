"""The sequencer: every event gets its place, whoever runs it, wherever it is killed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from tests.support.ledger import (
    ORIGIN,
    Fuse,
    FusedDatabase,
    FusedSigner,
    FusedStore,
    LedgerRoom,
    NoteSigner,
    Struck,
)
from trust.evidence.tlog import Checkpoint, open_checkpoint
from trust.kernel.report import Indication
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.errors import LedgerBroken
from trust.ledger.sequencer import _GIVE_INDEXES as GIVE_INDEXES
from trust.ledger.tables import checkpoints, events, sequence
from trust.ledger.tiles import CHECKPOINT_KEY, tile_key
from trust.storage.jobs import libpq_url


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


def published_size(room):
    return open_checkpoint(room.store.get(CHECKPOINT_KEY), [room.signer.key]).size


def require_whole(room, size):
    """Everything recorded is under the published checkpoint, and nothing was done twice."""
    report = room.overdue()
    assert report.indication is Indication.VALID, report.to_json()
    assert report.facts["size"] == size
    assert published_size(room) == size


def test_an_empty_ledger_signs_nothing(room):
    assert room.sequencer().run_round().idle
    assert room.verify().indication is Indication.VALID
    assert list(room.store.list("ledger/")) == []


def test_what_was_recorded_comes_under_a_published_checkpoint(room):
    room.record_many(3)
    done = room.sequencer().run_round()
    assert (done.size, done.covered) == (3, 3)
    require_whole(room, 3)
    assert {item.key for item in room.store.list("ledger/")} == {
        "ledger/checkpoint",
        "ledger/tile/0/000.p/3",
        "ledger/tile/entries/000.p/3",
    }


def test_events_are_placed_in_the_order_of_their_ids(room):
    receipts = room.record_many(20)
    room.sequencer().catch_up()
    with room.ledger.read() as work:
        placed = work.execute(select(sequence.c.event_id).order_by(sequence.c.index)).scalars().all()
    assert placed == [receipt.event_id for receipt in receipts]


def test_the_log_grows_over_tiles_in_many_rounds(room):
    size = 0
    for count in (1, 254, 1, 1, 255, 600, 3):
        room.record_many(count)
        size += count
        assert room.sequencer().catch_up() == count
    require_whole(room, size)


def test_a_backlog_is_taken_in_rounds(room):
    room.record_many(700)
    sequencer = room.sequencer(max_round_events=300)
    assert [sequencer.run_round().covered for _ in range(4)] == [300, 300, 100, 0]
    require_whole(room, 700)


def test_events_get_their_places_at_the_same_cost_whatever_the_statistics_say(room, postgres):
    """A queue that was seen empty and is full now must not be joined with itself row by row."""
    with psycopg.connect(libpq_url(postgres.superuser), autocommit=True) as connection:
        connection.execute("ANALYZE ledger.waiting")
        room.record_many(1000)
        statement = str(GIVE_INDEXES.text).replace(":limit", "1000")
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {statement}".encode()))
        assert "Join" not in plan
        assert "Nested Loop" not in plan


def round_struck(room, at):
    """Runs one round that is struck at touch number `at`; answers whether it was struck."""
    fuse = Fuse(at)
    sequencer = room.sequencer(
        database=FusedDatabase(room.database, fuse),
        store=FusedStore(room.store, fuse),
        signer=FusedSigner(room.signer, fuse),
    )
    try:
        sequencer.run_round()
    except Struck:
        return True
    return False


def test_a_kill_at_any_step_loses_nothing_and_does_nothing_twice(room):
    """Before and after every transaction, tile, signature and publication, one after the other.

    Each round begins in the middle of a tile and fills it, so that all kinds of tiles are written.
    """
    room.record_many(200)
    room.sequencer().catch_up()
    recorded, struck = 200, 0
    while True:
        room.record_many(256)
        recorded += 256
        if not round_struck(room, struck):
            break
        struck += 1
        room.sequencer().catch_up()
        assert published_size(room) == recorded, f"struck at {struck}"
    assert struck == 21  # two transactions thrice, a reading, five tiles, signing, publishing: the rest twice
    require_whole(room, recorded)


def test_kills_one_after_another_without_a_whole_round_between_are_made_good(room):
    for at in range(25):
        room.record_many(37)
        round_struck(room, at)
    room.sequencer().catch_up()
    require_whole(room, 25 * 37)


class _Rendezvous:
    """A signer at which two sequencers meet, so that both have written before either stores."""

    def __init__(self, inner: NoteSigner) -> None:
        self._inner = inner
        self._barrier = threading.Barrier(2)

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        self._barrier.wait(10)
        return self._inner.sign_checkpoint(origin, size, root)


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_of_two_sequencers_at_the_same_step_one_is_overtaken(database, tmp_path, kind):
    room = LedgerRoom.open(database, tmp_path / "store", kind=kind)
    room.record_many(300)
    signer = _Rendezvous(room.signer)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: room.sequencer(signer=signer).run_round(), range(2)))
    assert sorted(item.covered for item in done) == [0, 300]
    assert sorted(item.overtaken for item in done) == [False, True]
    require_whole(room, 300)


def test_sequencers_and_writers_at_once_agree_on_one_log(room):
    writing = threading.Event()
    writing.set()

    def write(_: int) -> None:
        for _ in range(25):
            room.record_many(7)

    def place(_: int) -> None:
        while writing.is_set():
            room.sequencer(max_round_events=50).run_round()

    with ThreadPoolExecutor(6) as pool:
        placing = [pool.submit(place, number) for number in range(3)]
        for done in [pool.submit(write, number) for number in range(3)]:
            done.result()
        writing.clear()
        for done in placing:
            done.result()
    room.sequencer().catch_up()
    require_whole(room, 3 * 25 * 7)


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_an_older_checkpoint_is_never_published_over_a_newer_one(database, tmp_path, kind):
    """The first sequencer stores its checkpoint and stops; another overtakes it; then the first goes on."""
    room = LedgerRoom.open(database, tmp_path / "store", kind=kind)
    room.record_many(5)
    stopped, go_on = threading.Event(), threading.Event()

    class Slow(FusedStore):
        def publish(self, *given: Any, **named: Any) -> Any:
            stopped.set()
            assert go_on.wait(10)
            return self._inner.publish(*given, **named)

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(room.sequencer(store=Slow(room.store, Fuse())).run_round)
        assert stopped.wait(10)
        room.record_many(5)
        room.sequencer().catch_up()
        go_on.set()
        assert slow.result().covered == 5
    require_whole(room, 10)


def test_a_database_restored_from_a_backup_is_not_signed_on(room, postgres):
    room.record_many(3)
    room.sequencer().catch_up()
    room.record_many(2)
    room.sequencer().catch_up()
    with psycopg.connect(libpq_url(postgres.superuser)) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in (
            "DELETE FROM ledger.sequence WHERE index >= 3",
            "DELETE FROM ledger.checkpoints WHERE size > 3",
            "UPDATE ledger.head SET size = 3, root = (SELECT root FROM ledger.checkpoints)",
        ):
            connection.execute(statement)
    room.record_many(4)
    with pytest.raises(LedgerBroken, match="backup"):
        room.sequencer().run_round()
    with room.ledger.read() as work:
        assert Checkpoints(work).head().size == 3
    assert "published-checkpoint" in room.verify().reasons()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE ledger.events SET subject = 'use_9' WHERE subject = 'use_3'", "index 3"),
        ("DELETE FROM ledger.sequence WHERE index = 3", "index 3"),
        ("UPDATE ledger.head SET size = 4", "the head"),
        ("UPDATE ledger.head SET size = 9", "the head"),
        ("UPDATE ledger.head SET size = 0, root = sha256('')", "published"),
    ],
)
def test_nothing_is_signed_over_rows_that_were_tampered_with(room, postgres, statement, named):
    room.record_many(5)
    room.sequencer().catch_up()
    with psycopg.connect(libpq_url(postgres.superuser)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())
    room.record_many(2)
    with pytest.raises(LedgerBroken, match=named):
        room.sequencer().run_round()
    assert published_size(room) == 5


def test_nothing_is_signed_over_a_tile_that_was_tampered_with(room):
    room.record_many(300)
    room.sequencer().catch_up()
    key = tile_key(1, 0, 1)
    room.store.put(key, bytes(32), immutable=False)
    room.record_many(1)
    with pytest.raises(LedgerBroken, match="no longer give the root"):
        room.sequencer().run_round()


def test_a_tile_that_stands_in_the_way_is_named_and_nothing_signed(room):
    room.store.put(tile_key(0, 0, 2), bytes(64))
    room.record_many(2)
    with pytest.raises(LedgerBroken, match=r"tile/0/000\.p/2"):
        room.sequencer().run_round()
    with room.ledger.read() as work:
        assert work.execute(select(checkpoints)).all() == []


class _WrongSigner:
    def __init__(self, note: str) -> None:
        self._note = note

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        return self._note


def test_a_note_that_is_not_what_was_asked_for_is_not_stored(room):
    room.record_many(2)
    stranger = NoteSigner()
    for note in (
        "no note",
        stranger.sign_checkpoint(ORIGIN, 2, bytes(32)),
        room.signer.sign_checkpoint(ORIGIN, 1, bytes(32)),
    ):
        with pytest.raises(LedgerBroken):
            room.sequencer(signer=_WrongSigner(note)).run_round()
    room.sequencer().catch_up()
    require_whole(room, 2)


def test_a_published_checkpoint_of_a_stranger_stops_the_sequencer(room):
    stranger = NoteSigner()
    room.store.put(CHECKPOINT_KEY, stranger.sign_checkpoint(ORIGIN, 99, bytes(32)).encode(), immutable=False)
    room.record_many(1)
    with pytest.raises(LedgerBroken, match="not this log"):
        room.sequencer().run_round()


def test_after_a_change_of_key_the_log_goes_on(room):
    room.record_many(2)
    room.sequencer().catch_up()
    later = NoteSigner()
    room.record_many(2)
    room.sequencer(signer=later, keys=[later.key, room.signer.key]).catch_up()
    assert open_checkpoint(room.store.get(CHECKPOINT_KEY), [later.key]).size == 4


def test_a_checkpoint_reads_as_c2sp_writes_it(room):
    room.record_many(1)
    room.sequencer().catch_up()
    text = room.store.get(CHECKPOINT_KEY).decode()
    with room.ledger.read() as work:
        leaf = bytes(work.execute(select(events.c.leaf_hash)).scalar_one())
    assert text.startswith(Checkpoint(origin=ORIGIN, size=1, root=leaf).text() + f"\n— {ORIGIN} ")
