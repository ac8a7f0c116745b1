"""Verifying the whole ledger: whatever was changed is named, and nothing else is blamed."""

import os
import threading
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select

from tests.support.ledger import INCLUSION_DELAY, AlteredStore, LedgerRoom, NoteSigner
from tests.support.ledger_tampering import CATALOGUE, WITH_WITNESSES, WITHOUT_CONSEQUENCE, all_columns
from trust.kernel.report import Indication, Outcome
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.findings import CHECKS, MAX_FINDINGS_PER_CHECK
from trust.ledger.headers import header_of_row
from trust.ledger.tables import events
from trust.ledger.tiles import CHECKPOINT_KEY, entries_key, tile_key
from trust.ledger.verify import verify_ledger
from trust.storage.database import Database
from trust.storage.jobs import libpq_url
from trust.storage.objects.port import ListedObject

TABLES = (
    "events",
    "event_contents",
    "waiting",
    "sequence",
    "checkpoints",
    "head",
    "cosignatures",
    "disagreements",
)


@pytest.fixture(scope="module")
def untouched(postgres_server, postgres_template, tmp_path_factory):
    """A ledger of 300 events under three checkpoints and two events that wait; and its superuser's URL."""
    name = f"ledger_verification_{os.getpid()}"
    urls = postgres_server.named(name)
    with psycopg.connect(libpq_url(postgres_server.named("postgres").superuser), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} OWNER yinxin_owner".encode())
        database = Database(urls.service, urls.reader)
        room = LedgerRoom.open(database, tmp_path_factory.mktemp("ledger") / "store")
        for count in (10, 250, 40):
            room.record_many(count)
            room.sequencer().catch_up()
        room.record_many(2)
        with psycopg.connect(libpq_url(urls.superuser), autocommit=True) as connection:
            connection.execute("CREATE SCHEMA kept")
            for table in TABLES:
                connection.execute(f"CREATE TABLE kept.{table} AS TABLE ledger.{table}".encode())
        yield room, libpq_url(urls.superuser)
        database.close()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def room(untouched):
    return untouched[0]


@pytest.fixture
def tamper(untouched):
    """Does to the database what only its superuser can, with every trigger off; undone after the test."""
    with psycopg.connect(untouched[1], autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")

        def run(statement: str) -> None:
            assert connection.execute(statement.encode()).rowcount > 0

        yield run
        connection.execute(f"TRUNCATE {', '.join(f'ledger.{table}' for table in TABLES)} CASCADE".encode())
        for table in TABLES:
            connection.execute(f"INSERT INTO ledger.{table} SELECT * FROM kept.{table}".encode())


def altered(room, changes):
    """The report where the store holds other octets under these keys, or none."""
    store = AlteredStore(room.store, changes)
    return verify_ledger(room.database, store, [room.signer.key], at=room.clock.now())


def failures(report):
    return [(check.code, check.detail) for check in report.checks if check.outcome is Outcome.FAILED]


def event_at(index: int) -> str:
    return f"(SELECT event_id FROM ledger.sequence WHERE index = {index})"


def test_a_ledger_that_nobody_touched_is_valid(room):
    report = room.verify()
    assert report.indication is Indication.VALID
    assert [check.code for check in report.checks] == list(CHECKS)
    assert report.subject == room.signer.key.name
    assert dict(report.facts) | {"root": "", "verified_at": ""} == {
        "size": 300,
        "root": "",
        "checkpoints": 3,
        "redacted": 0,
        "waiting": 2,
        "verified_at": "",
    }


def test_without_the_logs_key_the_answer_is_cannot_tell(room):
    report = verify_ledger(room.database, room.store, [], at=room.clock.now())
    assert report.indication is Indication.CANNOT_TELL
    assert set(report.reasons()) == {"checkpoint-signature", "published-checkpoint"}


def test_with_another_logs_key_nothing_is_believed(room):
    report = verify_ledger(room.database, room.store, [NoteSigner().key], at=room.clock.now())
    assert report.indication is Indication.INVALID
    assert set(report.reasons()) == {"checkpoint-signature", "published-checkpoint"}


@pytest.mark.parametrize(
    "change",
    [
        "act = 'seal-use.completed'",
        "at = at + interval '1 millisecond'",
        "at = at + interval '1 microsecond'",
        "actor_kind = 'staff'",
        "actor_id = 'app_2'",
        "on_behalf_of = NULL",
        "subject = 'use_x'",
        "agency = 'agency_2'",
        "outcome = 'refused'",
        "reason = 'never'",
        "latest_inclusion = latest_inclusion + interval '1 day'",
        "leaf_hash = sha256('')",
    ],
)
@pytest.mark.parametrize("index", [299])
def test_a_changed_event_is_named_and_nothing_else(room, tamper, change, index):
    tamper(f"UPDATE ledger.events SET {change} WHERE event_id = {event_at(index)}")
    report = room.verify()
    assert report.indication is Indication.INVALID
    ((code, detail),) = failures(report)
    assert code == "event-header"
    assert f"(index {index})" in detail
    assert "event_" in detail


def test_an_event_forged_with_its_leaf_hash_is_named(room, tamper):
    """The forger recomputes the leaf hash; the tile and the bundle still say otherwise."""
    tamper(f"UPDATE ledger.events SET subject = 'use_x' WHERE event_id = {event_at(7)}")
    with room.ledger.read() as work:
        row = work.execute(select(events).where(events.c.subject == "use_x")).one()
    forged = header_of_row(row).leaf_hash().hex()
    tamper(f"UPDATE ledger.events SET leaf_hash = '\\x{forged}' WHERE subject = 'use_x'")
    assert failures(room.verify()) == [
        ("event-header", f"{row.event_id} (index 7): its row gives another leaf than the log holds")
    ]


@pytest.mark.parametrize(
    "change",
    ["content = content || '{\"pages\": 4}'", "salt = sha256(salt)", "content = '1.5'", "content = '[]'"],
)
def test_changed_content_is_named(room, tamper, change):
    tamper(f"UPDATE ledger.event_contents SET {change} WHERE event_id = {event_at(42)}")
    ((code, detail),) = failures(room.verify())
    assert code == "event-content"
    assert "(index 42)" in detail


def test_a_changed_commitment_does_not_pass_as_an_erasure(room, tamper):
    tamper(f"DELETE FROM ledger.event_contents WHERE event_id = {event_at(3)}")
    assert room.verify().facts["redacted"] == 1
    tamper(f"UPDATE ledger.events SET content_commitment = sha256('') WHERE event_id = {event_at(3)}")
    assert [code for code, _ in failures(room.verify())] == ["event-header"]


@pytest.mark.parametrize("tampering", CATALOGUE, ids=str)
def test_whatever_is_done_to_a_row_is_named(room, tamper, tampering):
    for statement in tampering.statements:
        tamper(statement)
    found = failures(room.verify())
    assert [detail for code, detail in found if code == tampering.code and tampering.says in detail], found


def test_no_column_is_left_out_of_the_catalogue():
    changed = {tampering.column for tampering in CATALOGUE} - {""}
    assert changed | WITHOUT_CONSEQUENCE | WITH_WITNESSES == all_columns()


@pytest.mark.parametrize("size", [299, 2**63 - 1])
def test_a_head_that_nobody_signed_is_named(room, tamper, size):
    tamper(f"UPDATE ledger.head SET size = {size}")
    assert ("checkpoint", f"the head of size {size} has no checkpoint") in failures(room.verify())


TILES = [
    (tile_key(0, 0, 256), "tile"),
    (tile_key(0, 1, 44), "tile"),
    (tile_key(1, 0, 1), "tile"),
    (entries_key(0, 256), "entries"),
    (entries_key(1, 44), "entries"),
]


@pytest.mark.parametrize(("key", "code"), TILES)
@pytest.mark.parametrize("position", [0, 5, -1])
def test_one_changed_octet_of_a_tile_names_the_tile_and_nothing_else(room, key, code, position):
    octets = bytearray(room.store.get(key))
    octets[position] ^= 1
    ((found, detail),) = failures(altered(room, {key: bytes(octets)}))
    assert (found, detail.startswith(key)) == (code, True)


@pytest.mark.parametrize(("key", "code"), TILES)
@pytest.mark.parametrize("octets", [None, b"", b"\x00" * 7, b"\xff" * 20_000])
def test_a_tile_that_is_missing_or_of_another_length_is_named(room, key, code, octets):
    ((found, detail),) = failures(altered(room, {key: octets}))
    assert (found, detail.startswith(key)) == (code, True)


OLDER = [
    (tile_key(0, 0, 10), "tile"),
    (tile_key(0, 1, 4), "tile"),
    (entries_key(0, 10), "entries"),
    (entries_key(1, 4), "entries"),
]


@pytest.mark.parametrize(("key", "code"), OLDER)
@pytest.mark.parametrize("octets", [b"", b"\x00" * 7, bytes(320), bytes(340)])
def test_what_an_older_checkpoint_left_in_the_store_is_compared_too(room, key, code, octets):
    ((found, detail),) = failures(altered(room, {key: octets}))
    assert (found, detail.startswith(key)) == (code, True)


class StrangerStore(AlteredStore):
    """The same store with more objects in its listing."""

    def __init__(self, inner, *keys):
        super().__init__(inner, {})
        self._keys = keys

    def list(self, prefix):
        yield from self._inner.list(prefix)
        for key in self._keys:
            yield ListedObject(key=key, version_id="1", size=1)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (tile_key(0, 1, 256), "lies beyond the 300 leaves"),
        (tile_key(0, 7, 3), "lies beyond the 300 leaves"),
        (tile_key(1, 0, 2), "lies beyond the 300 leaves"),
        (entries_key(1, 45), "lies beyond the 300 leaves"),
        ("ledger/tile/0/000.p/256", "no object of the log"),
        ("ledger/tile/0/x000/001", "no object of the log"),
        ("ledger/tile/0/000.p/007", "no object of the log"),
        ("ledger/tile/9/000", "no object of the log"),
        ("ledger/checkpoint.old", "no object of the log"),
    ],
)
def test_an_object_that_is_not_the_logs_is_named(room, key, says):
    store = StrangerStore(room.store, key)
    report = verify_ledger(room.database, store, [room.signer.key], at=room.clock.now())
    assert [(code, key in detail, says in detail) for code, detail in failures(report)] == [
        ("strange-objects", True, True)
    ]


def test_an_older_checkpoint_put_in_place_of_the_published_one_is_named(room):
    """For a moment it may be what was published last; a minute later it is not."""
    with room.ledger.read() as work:
        older = Checkpoints(work).of_size(260).note.encode()
    assert failures(altered(room, {CHECKPOINT_KEY: older})) == []
    store = AlteredStore(room.store, {CHECKPOINT_KEY: older})
    late = room.clock.now() + INCLUSION_DELAY + timedelta(milliseconds=1)
    report = verify_ledger(room.database, store, [room.signer.key], at=late)
    assert (
        "published-checkpoint",
        "the published checkpoint of size 260 is older than that of size 300",
    ) in (failures(report))


def test_progress_is_told_a_page_at_a_time(room):
    told = []
    room.verify(progress=lambda done, whole: told.append((done, whole)))
    assert told == [(0, 300)]


def test_an_event_that_was_promised_and_is_not_covered_is_named(room):
    due = room.clock.now() + INCLUSION_DELAY
    assert verify_ledger(room.database, room.store, [room.signer.key], at=due).indication is Indication.VALID
    found = failures(room.overdue())
    assert [code for code, _ in found] == ["inclusion-delay", "inclusion-delay"]
    assert "2026-11-23T08:01:00.000Z" in found[0][1]


def test_a_waiting_event_is_verified_too(room, tamper):
    tamper(
        "UPDATE ledger.events SET subject = 'use_x' WHERE event_id IN (SELECT event_id FROM ledger.waiting)"
    )
    found = failures(room.verify())
    assert [code for code, _ in found] == ["event-header", "event-header"]


def test_what_is_published_must_be_a_stored_checkpoint(room):
    found = failures(altered(room, {CHECKPOINT_KEY: b"no note"}))
    assert [code for code, _ in found] == ["published-checkpoint"]
    forked = room.signer.sign_checkpoint(room.signer.key.name, 300, bytes(32)).encode()
    assert failures(altered(room, {CHECKPOINT_KEY: forked})) == [
        ("published-checkpoint", "the published checkpoint of size 300 is not in the database")
    ]


def test_a_checkpoint_that_is_not_published_leaves_it_open(room):
    report = altered(room, {CHECKPOINT_KEY: None})
    assert report.indication is Indication.CANNOT_TELL
    assert report.reasons() == ("published-checkpoint",)


def test_a_ruined_ledger_names_the_first_and_counts_the_rest(room, tamper):
    tamper("UPDATE ledger.events SET subject = 'use_x'")
    found = failures(room.verify())
    assert len(found) == MAX_FINDINGS_PER_CHECK + 1
    assert found[-1] == ("event-header", f"and {302 - MAX_FINDINGS_PER_CHECK} more")


def test_the_log_may_grow_while_it_is_verified(database, tmp_path):
    room = LedgerRoom.open(database, tmp_path / "store")
    growing = threading.Event()
    growing.set()

    def grow() -> None:
        while growing.is_set():
            room.record_many(3)
            room.sequencer().catch_up()

    grower = threading.Thread(target=grow)
    grower.start()
    try:
        reports = [room.verify() for _ in range(10)]
    finally:
        growing.clear()
        grower.join()
    # Before the first checkpoint is published, whether it is right is open.
    assert Indication.INVALID not in {report.indication for report in reports}
    room.sequencer().catch_up()
    assert room.verify().indication is Indication.VALID
