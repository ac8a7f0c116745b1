"""The log as it is served: a client that knows only the C2SP texts reads it, and proves what it reads."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.support.ledger import LedgerRoom
from tests.support.served_log import log_application, served_log
from tests.support.tlog_client import LogDisagrees, TlogClient, verify_proof_file
from trust.ledger.headers import header_of_row
from trust.ledger.search import EventScope
from trust.ledger.tables import events
from trust.ledger.tiles import CHECKPOINT_KEY, tile_key


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


@pytest.fixture
def client(room):
    return TestClient(log_application(room.store))


def test_a_client_from_the_specification_reads_the_log_and_sees_it_grow(room):
    with served_log(room.store) as url:
        log = TlogClient(url, room.signer.key.encode())
        heads = []
        for count in (3, 253, 1, 300):
            receipts = room.record_many(count)
            room.sequencer().catch_up()
            heads.append(log.checkpoint())
            assert log.audit(heads[-1])[-1] == receipts[-1].leaf_hash
        assert [head.size for head in heads] == [3, 256, 257, 557]
        for older in heads:
            log.require_extension(older, heads[-1])
        room.store.put(tile_key(0, 1, 256), bytes(8192), immutable=False)
        with pytest.raises(LogDisagrees, match="level 0"):
            log.audit(heads[-1])


def test_our_proof_files_are_believed_by_that_client(room):
    receipts = room.record_many(300)
    room.sequencer().catch_up()
    with room.ledger.read() as work:
        for index in (0, 255, 256, 299):
            event_id = receipts[index].event_id
            proof = room.proofs().inclusion(work, event_id, scope=EventScope.everything())
            entry = header_of_row(
                work.execute(select(events).where(events.c.event_id == event_id)).one()
            ).entry()
            assert verify_proof_file(proof, room.signer.key.encode(), entry) == index
            with pytest.raises(LogDisagrees):
                verify_proof_file(proof, room.signer.key.encode(), bytes(32))


def test_what_never_changes_may_be_kept_and_the_checkpoint_is_asked_for_again(room, client):
    room.record_many(300)
    room.sequencer().catch_up()
    for path in ("0/000", "0/001.p/44", "1/000.p/1", "entries/000", "entries/001.p/44"):
        answer = client.get(f"/log/tile/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    first = client.get("/log/checkpoint")
    assert first.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert first.headers["Cache-Control"] == "no-cache"
    unchanged = {"If-None-Match": first.headers["ETag"]}
    assert client.get("/log/checkpoint", headers=unchanged).status_code == 304
    room.record_many(1)
    room.sequencer().catch_up()
    assert client.get("/log/checkpoint", headers=unchanged).content == room.store.get(CHECKPOINT_KEY)


def test_a_partial_tile_that_was_purged_is_served_from_the_full_one(room, client):
    room.record_many(44)
    room.sequencer().catch_up()
    before = client.get("/log/tile/0/000.p/44").content
    room.record_many(300)
    room.sequencer().catch_up()
    key = tile_key(0, 0, 44)
    for version in room.store.versions(key):
        room.store.delete(key, version.version_id)
    assert client.get("/log/tile/0/000.p/44").content == before


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint",  # nothing is signed yet
        "tile/0/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/0",
        "tile/0/x000/000",
        "tile/0/1000",
        "tile/6/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/entries/../0/000",
        "tile/0/%2e%2e/%2e%2e/checkpoint",
        "tile/0/000%00",
        "tile/0/000/",
        "tile/0/٠٠٠",
        "tile/0/x001/x234/x567/x890/x123/x456/789",
        "tile/entries/000?x=1",
    ],
)
def test_a_path_that_names_nothing_is_not_found(client, path):
    assert client.get(f"/log/{path}").status_code == 404


def test_the_log_is_read_only(room, client):
    room.record_many(1)
    room.sequencer().catch_up()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.request(method, "/log/checkpoint").status_code == 405
        assert client.request(method, "/log/tile/0/000.p/1").status_code == 405
