"""Whatever an ingest is cut off by, it is brought to its end once, or was never begun."""

from pathlib import Path

import pytest

from archive.errors import IngestAbandoned, IngestLost
from archive.ids import RecordId
from archive.ingest.sweeping import UNINTENDED_FOR
from archive.model import RecordState
from archive.search import RecordQuery
from tests.support.archive import LEASE, PLANNING, ArchiveRoom, Away, Crash
from trust.kernel.report import Indication
from trust.packages.ocfl import validate_storage_root
from trust.storage.database import Database

# Every write after the intent, in its order; the storage root's own files come with the first case.
WRITES = (
    "ocfl_layout.json",
    "0=ocfl_1.1",
    "0=ocfl_object_1.1",
    "v1/content/package.zip",
    "v1/inventory.json",
    "v1/inventory.json.sha512",
    "/inventory.json",
    "/inventory.json.sha512",
    ".tst",
)


@pytest.fixture
def room(database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path / "store")


def cut_off(room: ArchiveRoom, at: str, *, after: bool = False, key: str = "key-a") -> None:
    room.store.fail_at, room.store.fail_with, room.store.after = at, Crash, after
    with pytest.raises(Crash):
        room.ingest(key=key)
    room.store.fail_at = None


def only_record(room: ArchiveRoom):
    return room.desk.reading.search(room.planning.archivist, _everything())[0]


def _everything() -> RecordQuery:
    return RecordQuery()


@pytest.mark.parametrize(
    ("write", "after"),
    [(write, False) for write in WRITES]
    + [(write, True) for write in ("package.zip", "/inventory.json.sha512", ".tst")],
)
def test_a_kill_around_any_write_is_resumed_when_the_lease_is_over(
    room: ArchiveRoom, write: str, after: bool
) -> None:
    cut_off(room, write, after=after)
    assert room.desk.resume() == 0
    assert only_record(room).state is RecordState.INTENDED

    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert room.desk.resume() == 1
    assert room.desk.resume() == 0
    record = only_record(room)
    assert record.state is RecordState.REGISTERED
    assert validate_storage_root(room.storage_root()).indication is Indication.VALID
    assert room.acts(record.id) == ["record.intended", "record.registered"]
    assert room.ingest(key="key-a").record.id == record.id
    assert room.keys(f"{PLANNING}/submissions/") == []


def test_a_resumed_package_is_octet_for_octet_what_the_request_put(room: ArchiveRoom) -> None:
    cut_off(room, "package.zip", after=True)
    (key,) = (key for key in room.keys(f"{PLANNING}/archive/") if key.endswith("package.zip"))
    before = room.store.get(key)
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    room.desk.resume()
    assert room.store.get(key) == before
    assert len(room.store.versions(key)) == 1


def test_a_kill_before_the_intent_leaves_only_what_is_swept_a_day_later(room: ArchiveRoom) -> None:
    cut_off(room, "submission.zip", after=True)
    assert room.count("records") == 0
    assert room.desk.sweep() == 0
    room.clock.advance(seconds=UNINTENDED_FOR.total_seconds() + 1)
    assert room.desk.sweep() == 1
    assert room.keys(f"{PLANNING}/submissions/") == []
    assert room.ingest(key="key-a").record.code.item == 1


def test_what_is_left_of_an_ended_ingest_is_swept_and_what_is_at_work_is_not(room: ArchiveRoom) -> None:
    cut_off(room, "package.zip")
    room.clock.advance(days=2)
    assert room.desk.sweep() == 0
    room.desk.resume()
    record = only_record(room)
    room.store.put(f"{PLANNING}/submissions/{record.id}/submission.zip", b"left behind")
    assert RecordId.parse(record.id)
    assert room.desk.sweep() == 1


def test_an_ingest_whose_submission_is_gone_is_abandoned_and_keeps_its_number(room: ArchiveRoom) -> None:
    cut_off(room, "package.zip")
    record = only_record(room)
    room.store.delete(record.submission_key, record.submission_version)
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert room.desk.resume() == 1
    stub = only_record(room)
    assert stub.state is RecordState.ABANDONED
    assert room.acts(record.id) == ["record.intended", "record.abandoned"]
    with pytest.raises(IngestAbandoned):
        room.ingest(key="key-a")
    assert room.ingest(key="key-b").record.code.item == record.code.item + 1


def test_a_late_request_loses_to_the_worker_and_nothing_is_registered_twice(
    room: ArchiveRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = room.timestamps.token

    def slow(imprint: bytes) -> bytes:
        monkeypatch.setattr(room.timestamps, "token", honest)
        room.clock.advance(seconds=LEASE.total_seconds() + 1)
        assert room.desk.resume() == 1
        return honest(imprint)

    monkeypatch.setattr(room.timestamps, "token", slow)
    with pytest.raises(IngestLost):
        room.ingest(key="key-a")
    record = only_record(room)
    assert record.state is RecordState.REGISTERED
    assert room.acts(record.id) == ["record.intended", "record.registered"]
    assert room.ingest(key="key-a").record.id == record.id


def test_with_the_store_away_before_the_intent_nothing_is_half_done(room: ArchiveRoom) -> None:
    room.store.fail_at, room.store.fail_with = "submission.zip", Away
    with pytest.raises(Away):
        room.ingest(key="key-a")
    assert room.count("records") == 0
    room.store.fail_at = None
    assert room.ingest(key="key-a").record.code.item == 1


def test_with_the_store_away_after_the_intent_the_worker_finishes_when_it_is_back(room: ArchiveRoom) -> None:
    room.store.fail_at, room.store.fail_with = "v1/inventory.json", Away
    with pytest.raises(Away):
        room.ingest(key="key-a")
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    with pytest.raises(Away):
        room.desk.resume()
    assert only_record(room).state is RecordState.INTENDED
    room.store.fail_at = None
    assert room.desk.resume() == 1
    assert room.ingest(key="key-a").record.state is RecordState.REGISTERED


def test_the_resumed_record_is_stamped_later_where_the_authority_is_away(room: ArchiveRoom) -> None:
    cut_off(room, "package.zip")
    room.timestamps.away = True
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    room.desk.resume()
    assert only_record(room).timestamp is None
    room.timestamps.away = False
    assert room.desk.stamp_pending() == 1
