"""A case is archived: the package, its place, its lock, its number, its events."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.codes import Retention
from archive.errors import IngestInProgress, RetentionOver
from archive.ids import object_urn
from archive.model import RecordState
from archive.repository import Records
from tests.support.archive import (
    APPLICATION,
    PLANNING,
    RESULT,
    ArchiveRoom,
    Crash,
    at,
    case_files,
    manifest_of,
    pki,
    request_of,
    zip_of,
)
from trust.kernel.report import Indication
from trust.packages import bagit, ocfl
from trust.packages.ocfl import validate_storage_root
from trust.storage.database import Database
from trust.storage.idempotency import IdempotencyKeyReused
from trust.timestamp import verify_token


@pytest.fixture
def room(database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path / "store")


def bag_of(room: ArchiveRoom, record) -> io.BytesIO:
    return io.BytesIO(room.store.get(record.package_key, record.package_version))


def content_of(bag: io.BytesIO, path: str) -> bytes:
    offset, length = bagit.entry_range(bag, path)
    bag.seek(offset)
    return bag.read(length)


def test_a_case_becomes_one_bag_in_one_ocfl_object_under_its_lock(room: ArchiveRoom) -> None:
    ingested = room.ingest()
    record = ingested.record

    assert record.state is RecordState.REGISTERED
    assert str(record.code) == "Z109-XZ·2026·D30·规划处-0001"
    assert record.retain_until == at(2056, 11, 21)
    assert ingested.receipt is not None

    report = validate_storage_root(room.storage_root())
    assert report.indication is Indication.VALID, report
    assert report.parts[0].facts["id"] == object_urn(record.id)
    assert not report.parts[0].facts["warnings"]

    files = room.desk.reading.record(room.planning.archivist, record.id)
    assert [material.name for material in files.materials] == list(case_files())
    with room.ledger.read() as work:
        stored = Records(work).files(record.id)
    assert len(stored) == 6
    for file in stored:
        assert room.store.stat(file.key, file.version_id).retain_until >= record.retain_until


def test_the_package_holds_the_materials_and_tells_what_they_are(room: ArchiveRoom) -> None:
    record = room.ingest().record
    bag = bag_of(room, record)
    assert bagit.validate(bag).indication is Indication.VALID
    for name, data in case_files().items():
        assert content_of(bag, f"data/{name}") == data
    facts = json.loads(content_of(bag, "metadata/record.json"))
    assert facts["archival_code"] == str(record.code)
    assert facts["agency"]["name"] == "江城市规划局"
    process = json.loads(content_of(bag, "metadata/process-record.json"))
    assert [step["step"] for step in process["process"]] == ["受理", "办结"]
    report = json.loads(content_of(bag, "metadata/check-report.json"))
    assert report["indication"] == "valid"
    assert [part["kind"] for part in report["parts"]] == ["authenticity", "integrity", "usability", "safety"]
    assert json.loads(content_of(bag, "metadata/manifest.json")) == manifest_of(case_files())


def test_a_zip_of_the_files_makes_the_same_record_as_the_files(room: ArchiveRoom) -> None:
    files = case_files()
    request = request_of(manifest_of(files), package=zip_of(files, compressed=True))
    record = room.desk.ingest(request, room.planning.system).record
    assert content_of(bag_of(room, record), f"data/{RESULT}") == files[RESULT]


def test_the_timestamp_is_over_the_package_and_lies_beside_the_object(room: ArchiveRoom) -> None:
    record = room.ingest().record
    assert record.timestamp is not None
    report = verify_token(
        record.timestamp.token, imprint=record.package_sha256, trust=pki().trust_store(), at=pki().now
    )
    assert report.indication is Indication.VALID
    assert record.timestamp.key.startswith(f"{PLANNING}/archive-evidence/{record.id}/")
    assert room.store.get(record.timestamp.key) == record.timestamp.token


def test_with_the_timestamp_authority_away_the_case_is_archived_and_stamped_later(room: ArchiveRoom) -> None:
    room.timestamps.away = True
    record = room.ingest().record
    assert record.timestamp is None
    assert record.state is RecordState.REGISTERED
    assert room.desk.stamp_pending() == 0

    room.timestamps.away = False
    assert room.desk.stamp_pending() == 1
    assert room.desk.stamp_pending() == 0
    stamped = room.desk.reading.record(room.planning.archivist, record.id).record
    assert stamped.timestamp is not None
    assert room.acts(record.id) == ["record.intended", "record.registered", "record.stamped"]


def test_numbers_follow_each_other_within_their_series_and_agency(room: ArchiveRoom) -> None:
    codes = [str(room.ingest().record.code) for _ in range(3)]
    assert [code[-4:] for code in codes] == ["0001", "0002", "0003"]
    assert str(room.ingest(retention="Y").record.code) == "Z109-XZ·2026·Y·规划处-0001"
    assert str(room.ingest(office="执法队").record.code) == "Z109-XZ·2026·D30·执法队-0001"
    assert str(room.ingest(staff=room.archives).record.code) == "A001-XZ·2026·D30·规划处-0001"


def test_cases_that_race_get_numbers_without_gap_and_a_shared_key_gets_one_record(room: ArchiveRoom) -> None:
    case_files()  # made once, before the threads
    with ThreadPoolExecutor(6) as pool:
        racing = [pool.submit(room.ingest) for _ in range(4)]
        sharing = [pool.submit(room.ingest, key="key-shared") for _ in range(2)]
        items = sorted(each.result().record.code.item for each in racing)
        errors = [type(error) for each in sharing if (error := each.exception()) is not None]
    assert set(errors) <= {IngestInProgress}
    shared = room.ingest(key="key-shared").record.code.item
    assert sorted([*items, shared]) == [1, 2, 3, 4, 5]
    assert room.count("records") == 5


def test_a_refused_submission_takes_no_number(room: ArchiveRoom) -> None:
    first = room.ingest().record
    files = case_files()
    broken = manifest_of(files)
    broken["materials"][0]["size"] += 1
    with pytest.raises(Exception, match="material-size"):
        room.desk.ingest(request_of(broken, files), room.planning.system)
    assert room.count("records") == 1
    assert room.ingest().record.code.item == first.code.item + 1


def test_the_same_key_gets_the_same_record_and_another_body_is_refused(room: ArchiveRoom) -> None:
    first = room.ingest(key="key-a").record
    again = room.ingest(key="key-a")
    assert again.record.id == first.id
    assert again.receipt is None
    assert room.count("records") == 1
    with pytest.raises(IdempotencyKeyReused):
        room.ingest(key="key-a", title="另一个题名")


def test_a_retry_while_the_first_is_at_work_is_told_so(room: ArchiveRoom) -> None:
    room.store.fail_at, room.store.fail_with = "package.zip", Crash
    with pytest.raises(Crash):
        room.ingest(key="key-a")
    room.store.fail_at = None
    with pytest.raises(IngestInProgress):
        room.ingest(key="key-a")


def test_retention_is_counted_from_the_event_and_permanent_is_rolling(room: ArchiveRoom) -> None:
    assert room.ingest(retention="D10").record.retain_until == at(2036, 11, 21)
    permanent = room.ingest(retention="Y").record
    assert permanent.retain_until == at(2031, 11, 23)
    assert room.desk.retain_permanent() == 0

    room.clock.advance(days=366 * 2)
    assert room.desk.retain_permanent() == 1
    assert room.desk.retain_permanent() == 0
    shown = room.store.stat(permanent.package_key, permanent.package_version).retain_until
    assert shown > at(2033, 11, 1)
    assert "record.retained" in room.acts(permanent.id)


def test_a_class_with_a_part_y_is_not_taken_for_permanent(room: ArchiveRoom) -> None:
    room.define(room.planning, "Z109", code="XZ·2026·Y")
    record = room.ingest(class_code="XZ·2026·Y", retention="D10").record
    assert str(record.code) == "Z109-XZ·2026·Y·2026·D10·规划处-0001"
    room.clock.advance(days=366 * 7)
    assert room.desk.retain_permanent() == 0


def test_a_period_that_has_run_out_is_for_appraisal(room: ArchiveRoom) -> None:
    with pytest.raises(RetentionOver):
        room.ingest(retention="D10", event_date="2010-01-01")
    assert room.keys(f"{PLANNING}/submissions/") == []


def test_what_was_kept_for_resuming_is_gone_afterwards(room: ArchiveRoom) -> None:
    room.ingest()
    assert room.keys(f"{PLANNING}/submissions/") == []


def test_an_agency_keeps_one_storage_root(room: ArchiveRoom) -> None:
    room.ingest()
    room.ingest()
    report = validate_storage_root(room.storage_root())
    assert report.indication is Indication.VALID
    assert len(report.parts) == 2
    assert ocfl.object_path(object_urn(room.ingest().record.id))


def test_one_material_is_one_stretch_of_the_package(room: ArchiveRoom) -> None:
    record = room.ingest().record
    held = room.desk.reading.record(room.planning.archivist, record.id).materials
    found = next(material for material in held if material.name == APPLICATION)
    stretch = room.store.open_range(record.package_key, found.offset, found.size, record.package_version)
    assert stretch == case_files()[APPLICATION]
    assert record.code.retention is Retention.THIRTY_YEARS
