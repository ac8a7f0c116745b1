"""A later case, also of another agency, reuses an archived material: on a ground, with a proof, seen by both."""

import io
import json
from pathlib import Path

import pytest

from archive.errors import MaterialReuseOver, MaterialReuseUnknown, MaterialUnknown
from archive.model import ReuseBasis
from archive.search import RecordQuery
from tests.support.archive import (
    APPLICATION,
    ARCHIVES,
    DRAWING,
    PLANNING,
    RESULT,
    SCAN,
    ArchiveRoom,
    Crash,
    case_files,
    pki,
    system,
)
from trust.crypto.digests import sha256
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Indication
from trust.packages import bagit
from trust.storage.database import Database
from trust.timestamp import verify_token


@pytest.fixture
def room(database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path / "store")


def test_another_agency_reuses_a_material_with_its_proof_and_both_see_it(room: ArchiveRoom) -> None:
    record = room.ingest().record
    granted = room.reuse(record, DRAWING)
    again, octets = room.desk.reuses.content(room.archives.system, granted.reuse.id)

    assert octets == case_files()[DRAWING]
    assert again.reuse == granted.reuse
    proof = granted.proof
    assert proof.archival_code == str(record.code)
    assert proof.material.sha256 == sha256(octets)
    package = room.store.get(record.package_key, record.package_version)
    assert sha256(package) == proof.package_sha256
    stamped = verify_token(
        proof.timestamp or b"", imprint=proof.package_sha256, trust=pki().trust_store(), at=pki().now
    )
    assert stamped.indication is Indication.VALID
    for agency in (PLANNING, ARCHIVES):
        acts = [event["act"] for event in room.events(agency=agency) if event["subject"] == granted.reuse.id]
        assert acts == ["material-reuse.granted", "material-reuse.delivered"]
    (event, _) = room.events("material-reuse.granted")
    assert event["content"]["basis_reference"] == granted.reuse.basis_reference


def test_the_new_package_cites_the_old_record(room: ArchiveRoom) -> None:
    record = room.ingest().record
    reuse = room.reuse(record, DRAWING).reuse
    _, octets = room.desk.reuses.content(room.archives.system, reuse.id)
    cited = {
        "archival_code": str(record.code),
        "material": DRAWING,
        "sha256": reuse.sha256.hex(),
        "reuse_id": reuse.id,
    }
    later = room.ingest(
        {DRAWING: octets}, staff=room.archives, reused=[cited], case_number=reuse.case_number
    ).record
    details = room.desk.reading.record(room.archives.archivist, later.id)
    assert details.citations == (reuse.id,)
    package = io.BytesIO(room.store.get(later.package_key, later.package_version))
    offset, length = bagit.entry_range(package, "metadata/reused.json")
    told = json.loads(room.store.open_range(later.package_key, offset, length, later.package_version))
    assert told["reused"][0]["archival_code"] == str(record.code)
    assert told["reused"][0]["record_id"] == record.id
    assert told["reused"][0]["basis_reference"] == reuse.basis_reference


def test_a_case_reuses_its_own_agencys_material_once_in_the_ledger(room: ArchiveRoom) -> None:
    record = room.ingest().record
    granted = room.reuse(
        record,
        RESULT,
        caller=room.planning.system,
        basis=ReuseBasis.LEGAL_BASIS,
        basis_reference="国务院令第716号",
    )
    assert granted.reuse.recipient_agency_id == granted.reuse.holder_agency_id == PLANNING
    assert len(room.events("material-reuse.granted")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"archival_code": "Z109-XZ·2026·D30·规划处-0009"},
        {"archival_code": "nonsense"},
        {"archival_code": "\ud800"},
        {"material": "other.pdf"},
        {"material": SCAN},
    ],
)
def test_what_is_not_open_is_unknown_and_the_attempt_kept(room: ArchiveRoom, changes: dict[str, str]) -> None:
    record = room.ingest().record
    with pytest.raises(MaterialUnknown):
        room.reuse(record, DRAWING, **changes)
    (event,) = room.events("material-reuse.granted")
    assert (event["outcome"], event["reason"]) == ("refused", "material-unknown")
    assert room.count("material_reuses") == 0


def test_a_class_that_is_not_opened_is_closed_to_other_agencies_alone(room: ArchiveRoom) -> None:
    room.define(room.planning, "Z109", code="ZF", open_to_reuse=False)
    record = room.ingest(class_code="ZF").record
    with pytest.raises(MaterialUnknown):
        room.reuse(record, DRAWING)
    (event,) = room.events("material-reuse.granted", agency=PLANNING)
    assert event["outcome"] == "refused"
    assert room.reuse(record, DRAWING, caller=room.planning.system).reuse.holder_agency_id == PLANNING


@pytest.mark.parametrize("field", ["case_number", "purpose", "basis_reference"])
def test_a_reuse_without_its_reasons_is_refused(room: ArchiveRoom, field: str) -> None:
    record = room.ingest().record
    with pytest.raises(InvalidInput):
        room.reuse(record, DRAWING, **{field: "  "})
    assert room.count("material_reuses") == 0


def test_delivery_ends_and_is_for_the_application_that_asked(room: ArchiveRoom) -> None:
    record = room.ingest().record
    reuse = room.reuse(record, APPLICATION).reuse
    for stranger in (system(ARCHIVES), room.planning.system):
        with pytest.raises(MaterialReuseUnknown):
            room.desk.reuses.content(stranger, reuse.id)
    room.clock.advance(days=8)
    with pytest.raises(MaterialReuseOver):
        room.desk.reuses.content(room.archives.system, reuse.id)
    assert [event["outcome"] for event in room.events("material-reuse.delivered")] == ["refused"]


def test_archive_staff_of_both_agencies_see_the_reuse_and_a_third_does_not(room: ArchiveRoom) -> None:
    record = room.ingest().record
    reuse = room.reuse(record, APPLICATION).reuse
    for staff in (room.planning, room.archives):
        assert room.desk.reuses.get(staff.archivist, reuse.id).reuse == reuse
        assert room.desk.reuses.page(staff.auditor, after=None, limit=5) == (reuse,)
    with pytest.raises(MaterialReuseUnknown):
        room.desk.reuses.get(system("agency_" + "c" * 32), reuse.id)


def test_an_unfinished_record_is_not_reused(room: ArchiveRoom) -> None:
    room.store.fail_at, room.store.fail_with = "package.zip", Crash
    with pytest.raises(Crash):
        room.ingest()
    (record,) = room.desk.reading.search(room.planning.archivist, RecordQuery())
    with pytest.raises(MaterialUnknown):
        room.reuse(record, DRAWING)
