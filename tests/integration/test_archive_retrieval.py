"""Reading what is archived: by an approved request of one's own, for what it names, while it lasts."""

from datetime import timedelta
from pathlib import Path

import pytest

from archive.errors import (
    MaterialUnknown,
    PackageBroken,
    RecordUnknown,
    RetrievalPeriodRefused,
    RetrievalRefused,
    RetrievalRequestUnknown,
    SamePersonRefused,
)
from archive.model import RetrievalState
from archive.search import RecordQuery
from identity.caller import Role
from tests.support.archive import (
    APPLICATION,
    DRAWING,
    PLANNING,
    ArchiveRoom,
    case_files,
    staff_member,
    system,
)
from trust.kernel.errors import InvalidInput
from trust.kernel.states import StateRefused
from trust.storage.database import Database
from trust.storage.objects import FolderStore


@pytest.fixture
def room(database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path / "store")


def refused_reads(room: ArchiveRoom) -> list[str]:
    return [event["reason"] for event in room.events("material.read") if event["outcome"] == "refused"]


def test_an_approved_request_lets_its_archivist_read_and_every_read_is_an_event(room: ArchiveRoom) -> None:
    record = room.ingest().record
    request = room.approved(record, APPLICATION)
    for _ in range(2):
        material, octets = room.desk.retrievals.read(
            room.planning.archivist, record.id, APPLICATION, request_id=request
        )
        assert octets == case_files()[APPLICATION]
        assert material.media_type == "application/json"
    reads = [event for event in room.events("material.read") if event["outcome"] == "done"]
    assert [event["content"]["retrieval_request"] for event in reads] == [request, request]
    assert {event["subject"] for event in reads} == {record.id}


def test_without_a_request_reading_is_refused_and_the_refusal_kept(room: ArchiveRoom) -> None:
    record = room.ingest().record
    with pytest.raises(RetrievalRefused):
        room.desk.retrievals.read(room.planning.archivist, record.id, APPLICATION, request_id=None)
    assert refused_reads(room) == ["retrieval-refused"]


def test_a_request_reads_nothing_it_does_not_cover(room: ArchiveRoom) -> None:
    record, other = room.ingest().record, room.ingest().record
    request = room.approved(record, APPLICATION)
    colleague = staff_member(PLANNING, Role.ARCHIVIST)
    reading = room.desk.retrievals.read
    for caller, record_id, name in (
        (room.planning.archivist, record.id, DRAWING),
        (room.planning.archivist, other.id, APPLICATION),
        (colleague, record.id, APPLICATION),
    ):
        with pytest.raises(RetrievalRefused):
            reading(caller, record_id, name, request_id=request)
    room.clock.advance(days=8)
    with pytest.raises(RetrievalRefused):
        reading(room.planning.archivist, record.id, APPLICATION, request_id=request)
    assert refused_reads(room) == ["retrieval-refused"] * 4


def test_a_request_that_waits_or_was_declined_reads_nothing(room: ArchiveRoom) -> None:
    record = room.ingest().record
    desk, archivist = room.desk.retrievals, room.planning.archivist
    asked = desk.request(
        archivist,
        record.id,
        purpose="核对",
        materials=[APPLICATION],
        until=room.clock.now() + timedelta(days=1),
    )
    with pytest.raises(RetrievalRefused):
        desk.read(archivist, record.id, APPLICATION, request_id=asked.id)
    declined = desk.decide(room.planning.approver, asked.id, approve=False, note="理由不足")
    assert declined.state is RetrievalState.DECLINED
    with pytest.raises(RetrievalRefused):
        desk.read(archivist, record.id, APPLICATION, request_id=asked.id)
    with pytest.raises(StateRefused):
        desk.decide(room.planning.approver, asked.id, approve=True, note="改主意")


def test_nobody_approves_what_they_asked_for_under_whatever_account(room: ArchiveRoom) -> None:
    record = room.ingest().record
    person = room.planning.archivist.person_id
    same = staff_member(PLANNING, Role.ARCHIVE_APPROVER, person=person)
    request = room.desk.retrievals.request(
        room.planning.archivist,
        record.id,
        purpose="核对",
        materials=[APPLICATION],
        until=room.clock.now() + timedelta(days=1),
    )
    with pytest.raises(SamePersonRefused):
        room.desk.retrievals.decide(same, request.id, approve=True, note="同意")
    (event,) = room.events("retrieval-request.approved")
    assert (event["outcome"], event["reason"]) == ("refused", "same-person-refused")


def test_a_request_names_materials_that_are_there_for_a_time_that_is_to_come(room: ArchiveRoom) -> None:
    record = room.ingest().record

    def ask(**changes: object) -> None:
        given = {
            "purpose": "核对",
            "materials": [APPLICATION],
            "until": room.clock.now() + timedelta(days=1),
        }
        room.desk.retrievals.request(room.planning.archivist, record.id, **{**given, **changes})

    with pytest.raises(MaterialUnknown):
        ask(materials=["other.pdf"])
    with pytest.raises(MaterialUnknown):
        ask(materials=[])
    with pytest.raises(RetrievalPeriodRefused):
        ask(until=room.clock.now())
    with pytest.raises(RetrievalPeriodRefused):
        ask(until=room.clock.now() + timedelta(days=91))
    with pytest.raises(InvalidInput):
        ask(purpose=" ")
    assert room.count("retrieval_requests") == 0


def test_a_request_is_not_approved_after_its_time(room: ArchiveRoom) -> None:
    record = room.ingest().record
    request = room.desk.retrievals.request(
        room.planning.archivist,
        record.id,
        purpose="核对",
        materials=[APPLICATION],
        until=room.clock.now() + timedelta(days=1),
    )
    room.clock.advance(days=2)
    with pytest.raises(RetrievalPeriodRefused):
        room.desk.retrievals.decide(room.planning.approver, request.id, approve=True, note="同意")


def test_a_changed_package_is_not_handed_out(database: Database, tmp_path: Path) -> None:
    # A folder, whatever the other tests run on: only there can whoever runs the machine change what is stored.
    room = ArchiveRoom.open(database, tmp_path / "store", store=FolderStore(tmp_path / "store"))
    record = room.ingest().record
    request = room.approved(record, APPLICATION)
    path = next(
        path
        for path in (room.folder / "versions").rglob("*")
        if path.is_file()
        and record.package_version in path.name
        and path.stat().st_size == record.package_size
    )
    octets = bytearray(path.read_bytes())
    position = octets.index(case_files()[APPLICATION])
    octets[position] ^= 1
    path.chmod(0o600)
    path.write_bytes(octets)
    with pytest.raises(PackageBroken):
        room.desk.retrievals.read(room.planning.archivist, record.id, APPLICATION, request_id=request)


def test_another_agency_sees_neither_record_nor_request(room: ArchiveRoom) -> None:
    record = room.ingest().record
    request = room.approved(record, APPLICATION)
    desk, theirs = room.desk.retrievals, room.archives
    with pytest.raises(RecordUnknown):
        room.desk.reading.record(theirs.archivist, record.id)
    with pytest.raises(RecordUnknown):
        desk.read(theirs.archivist, record.id, APPLICATION, request_id=request)
    with pytest.raises(RetrievalRequestUnknown):
        desk.get(theirs.archivist, request)
    with pytest.raises(RetrievalRequestUnknown):
        desk.decide(theirs.approver, request, approve=True, note="同意")
    with pytest.raises(RecordUnknown):
        desk.request(
            theirs.archivist,
            record.id,
            purpose="核对",
            materials=[APPLICATION],
            until=room.clock.now() + timedelta(days=1),
        )
    assert room.desk.reading.search(theirs.archivist, RecordQuery()) == ()
    assert desk.page(theirs.archivist, after=None, limit=10) == ()


def test_records_are_found_by_number_title_class_and_year(room: ArchiveRoom) -> None:
    first = room.ingest(title="江城一号_50%地块").record
    second = room.ingest(title="其他", case_number="case-2", event_date="2025-06-01").record

    def found(**query: object) -> list[str]:
        rows = room.desk.reading.search(room.planning.archivist, RecordQuery(**query))
        return [row.id for row in rows]

    assert found() == [first.id, second.id]
    assert found(limit=1) == [first.id]
    assert found(after=first.id) == [second.id]
    assert found(archival_code=str(second.code)) == [second.id]
    assert found(case_number="case-2") == [second.id]
    assert found(title="一号") == [first.id]
    assert found(title="_50%") == [first.id]
    assert found(title="%") == [first.id]
    assert found(class_code="XZ", year=2025) == [second.id]
    assert found(class_code="ZY") == []
    with pytest.raises(InvalidInput):
        found(title="a\x00b")


def test_an_application_sees_only_what_it_submitted(room: ArchiveRoom) -> None:
    record = room.ingest().record
    assert room.desk.reading.record(room.planning.system, record.id).record.id == record.id
    stranger = system(PLANNING)
    assert room.desk.reading.search(stranger, RecordQuery()) == ()
    with pytest.raises(RecordUnknown):
        room.desk.reading.record(stranger, record.id)
