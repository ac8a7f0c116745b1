"""Verifying from outside: by what was kept elsewhere, and from the tiles alone."""

import json
import shutil

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from api.cli.log_sources import log_source
from api.cli.main import app
from tests.support.ledger import LedgerRoom, NoteSigner
from tests.support.served_log import served_log
from trust.evidence.merkle import ProofRefused
from trust.evidence.tlog import NoteKeyUnknown, NoteMalformed
from trust.kernel.report import Indication, Outcome
from trust.ledger.known import KnownLeaf, KnownTree, read_known
from trust.ledger.receipts import ReceiptDesk
from trust.ledger.search import EventScope
from trust.ledger.tiles import CHECKPOINT_KEY, entries_key, tile_key
from trust.ledger.verify_tiles import verify_tiles
from trust.storage.database import Database
from trust.storage.jobs import libpq_url
from trust.storage.objects.folder import FolderStore


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


def grow(room, count):
    receipts = room.record_many(count)
    room.sequencer().catch_up()
    return receipts


def failures(report):
    return [(check.code, check.detail) for check in report.checks if check.outcome is Outcome.FAILED]


def kept(room, receipts):
    """A checkpoint, a proof and a receipt, as somebody outside keeps them."""
    desk = ReceiptDesk(signer=room.signer, origin=room.signer.key.name, keys=[room.signer.key])
    with room.ledger.read() as work:
        proof = room.proofs().inclusion(work, receipts[-1].event_id, scope=EventScope.everything())
    return {
        "yesterday.checkpoint": room.store.get(CHECKPOINT_KEY),
        "mine.tlog-proof": proof.encode(),
        "mine.receipt": desk.sign(receipts[-2]).encode(),
    }


def known(room, files):
    return tuple(
        each for name, data in files.items() for each in read_known(data, name=name, keys=[room.signer.key])
    )


def copy_of(postgres_server, name, copy):
    with psycopg.connect(libpq_url(postgres_server.named("postgres").superuser), autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER yinxin_owner").format(
                sql.Identifier(copy), sql.Identifier(name)
            )
        )


@pytest.fixture
def rolled_back(postgres_server, postgres, tmp_path):
    """What the house is after both its database and its store were put back to when the log had 10 leaves."""
    name = postgres.service.rsplit("/", 1)[1].split("?")[0]
    database = Database(postgres.service, postgres.reader)
    room = LedgerRoom.open(database, tmp_path / "store")
    grow(room, 10)
    database.close()
    copy_of(postgres_server, name, f"{name}_earlier")
    shutil.copytree(tmp_path / "store", tmp_path / "earlier", symlinks=True)
    database = Database(postgres.service, postgres.reader)
    room.database = database
    room.ledger._database = database
    files = kept(room, grow(room, 290))
    room.verify(known=known(room, files)).require_valid()
    urls = postgres_server.named(f"{name}_earlier")
    earlier = Database(urls.service, urls.reader)
    yield room, earlier, FolderStore(tmp_path / "earlier"), files
    database.close()
    earlier.close()
    with psycopg.connect(libpq_url(postgres_server.named("postgres").superuser), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(f"{name}_earlier")))


def test_a_whole_database_a_whole_store_and_both_put_back_are_each_found(rolled_back):
    room, earlier, earlier_store, files = rolled_back
    database = room.database

    # The database alone: the store shows a checkpoint that the database has never heard of.
    room.database = earlier
    found = failures(room.verify())
    assert ("published-checkpoint", "the published checkpoint of size 300 is not in the database") in found
    assert "strange-objects" in dict(found)

    # The store alone: tiles are missing.
    room.database, room.store = database, earlier_store
    found = dict(failures(room.verify()))
    assert {"tile", "entries"} <= found.keys()
    assert "is missing" in found["tile"]

    # Both together agree with each other. Only what was kept elsewhere tells.
    room.database = earlier
    room.verify().require_valid()
    found = failures(room.verify(known=known(room, files)))
    assert [code for code, _ in found] == ["known-checkpoint"] * 4
    assert found[0][1] == "yesterday.checkpoint: the log had 300 leaves and has 10 now"
    assert [detail.partition(":")[0] for _, detail in found] == [
        "yesterday.checkpoint", "mine.tlog-proof", "mine.tlog-proof", "mine.receipt",
    ]  # fmt: skip


def test_a_log_that_went_on_another_way_after_it_was_put_back_is_found_by_each_kept_file(rolled_back):
    room, earlier, earlier_store, files = rolled_back
    there = known(room, files)
    room.database, room.store = earlier, earlier_store
    room.ledger._database = earlier
    grow(room, 400)
    found = [detail for code, detail in failures(room.verify(known=there)) if code == "known-checkpoint"]
    assert "yesterday.checkpoint: at 300 leaves the log had another root than now" in found
    assert any("mine.tlog-proof" in detail and "had another leaf (index 299)" in detail for detail in found)
    assert any("mine.receipt: the log has no event event_" in detail for detail in found)
    alone = verify_tiles(earlier_store, [room.signer.key], known=there)
    found = [detail for code, detail in failures(alone) if code == "known-checkpoint"]
    assert len(found) == 3  # the tree once, and two leaves
    assert "yesterday.checkpoint" in found[0] or "mine.tlog-proof" in found[0]


def test_what_is_not_signed_by_the_log_is_not_compared(room):
    files = kept(room, grow(room, 5))
    for name, data in files.items():
        with pytest.raises(NoteKeyUnknown):
            read_known(data, name=name, keys=[NoteSigner("strange.example/log").key])
    with pytest.raises(NoteMalformed):
        read_known(b"no note", name="x", keys=[room.signer.key])
    broken = files["mine.tlog-proof"].replace(b"index 4", b"index 3")
    with pytest.raises(ProofRefused):
        read_known(broken, name="x", keys=[room.signer.key])
    assert [type(each) for each in known(room, files)] == [KnownTree, KnownTree, KnownLeaf, KnownLeaf]


def test_a_log_is_verified_from_its_tiles_alone_in_a_folder_and_at_an_address(room, tmp_path):
    files = kept(room, grow(room, 300))
    grow(room, 400)
    with served_log(room.store) as url:
        for place in (url, str(tmp_path / "store")):
            told = []
            report = verify_tiles(
                log_source(place),
                [room.signer.key],
                known=known(room, files),
                progress=lambda done, whole: told.append((done, whole)),  # noqa: B023 - told is this turn's
            )
            report.require_valid()
            assert report.facts["size"] == 700
            assert told[-1] == (512, 700)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (tile_key(0, 0, 256), "tile"),
        (tile_key(0, 1, 44), "tile"),
        (tile_key(1, 0, 1), "tile"),
        (entries_key(1, 44), "entries"),
    ],
)
@pytest.mark.stranger
@pytest.mark.parametrize("change", ["altered", "cut", "gone"])
def test_a_damaged_tile_is_named_from_the_tiles_alone(room, tmp_path, key, code, change):
    grow(room, 300)
    path = tmp_path / "store" / "objects" / key
    octets = bytearray(path.read_bytes())
    path.unlink()
    if change != "gone":
        octets[-1] ^= 1
        path.write_bytes(octets if change == "altered" else octets[:-7])
    report = verify_tiles(log_source(str(tmp_path / "store")), [room.signer.key])
    found = failures(report)
    assert any(each == code and key in detail for each, detail in found) or (
        # An entry of 32 octets is as good as another: that it is not the tree's is seen at tile and root.
        (code, change) == ("entries", "altered") and {each for each, _ in found} == {"tile", "checkpoint"}
    )


def test_without_a_key_or_a_checkpoint_the_answer_is_cannot_tell(room, tmp_path):
    grow(room, 3)
    assert verify_tiles(room.store, []).indication is Indication.CANNOT_TELL
    empty = FolderStore(tmp_path / "empty")
    assert verify_tiles(empty, [room.signer.key]).indication is Indication.CANNOT_TELL
    report = verify_tiles(room.store, [NoteSigner().key])
    assert report.indication is Indication.CANNOT_TELL
    assert {check.outcome for check in report.checks} == {Outcome.UNKNOWN}


def test_the_command_verifies_anybodys_log_without_database_or_settings(room, tmp_path):
    files = kept(room, grow(room, 300))
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "log.vkey").write_text(room.signer.key.encode() + "\n")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    command = ["ledger", "verify", "--tiles", str(tmp_path / "store"), "--trust", str(trust), "--json"]
    for name in files:
        command += ["--checkpoint", str(tmp_path / name)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["facts"]["size"] == 300
    (trust / "log.vkey").write_text(NoteSigner().key.encode() + "\n")
    assert CliRunner().invoke(app, command[:-6]).exit_code == 2
