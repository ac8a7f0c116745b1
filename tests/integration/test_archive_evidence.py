"""An archived package gets its evidence record, and whoever may look the record up gets it."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import problems
from api.v1 import record_evidence
from identity.caller import Caller, Role, Scope
from identity.errors import TokenRefused
from tests.support.archive import PLANNING, ArchiveRoom, Crash, pki, staff_member, system
from tests.support.uncounted import UNCOUNTED
from trust.evidence.ers import MEDIA_TYPE
from trust.kernel.report import Indication
from trust.storage.database import Database
from trust.verify.content import SignedContent
from trust.verify.verifier import verify_bytes


class Office:
    """The one route, with the room's parties and some who may not."""

    def __init__(self, room: ArchiveRoom) -> None:
        self.room = room
        self.others = {
            "another-system": system(PLANNING),
            "a-system-without-scope": system(PLANNING, Scope.ARCHIVE_REUSE),
            "an-administrator": staff_member(PLANNING, Role.AGENCY_ADMINISTRATOR),
            "a-seal-approver": staff_member(PLANNING, Role.SEAL_APPROVER),
        }
        app = FastAPI()
        app.state.services = SimpleNamespace(
            archive=room.desk,
            evidence=room.evidence,
            supervision=UNCOUNTED,
            identity=SimpleNamespace(authentication=self),
        )
        problems.install(app)
        app.include_router(record_evidence.router)
        self.client = TestClient(app, raise_server_exceptions=False)

    def authenticate(self, token: str) -> Caller:
        agency, _, who = token.partition(".")
        staff = {"planning": self.room.planning, "archives": self.room.archives}.get(agency)
        caller = getattr(staff, who, None) or self.others.get(token)
        if not isinstance(caller, Caller):
            raise TokenRefused
        return caller

    def get(self, record_id: str, token: str):
        return self.client.get(
            f"/v1/records/{record_id}/evidence", headers={"Authorization": f"Bearer {token}"}
        )


@pytest.fixture
def room(database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path / "store")


def test_a_package_is_registered_with_the_record_and_proven_by_the_next_batch(room: ArchiveRoom) -> None:
    record = room.ingest().record
    office = Office(room)
    answer = office.get(record.id, "planning.archivist")
    assert (answer.status_code, answer.json()["code"]) == (404, "evidence-not-ready")
    assert room.evidence.gather() == 1

    answer = office.get(record.id, "planning.archivist")
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    package = room.store.get(record.package_key, record.package_version)
    for octets, expected in ((package, Indication.VALID), (package + b"x", Indication.INVALID)):
        report = verify_bytes(
            answer.content,
            name="record.ers",
            trust=pki().trust_store(),
            at=room.clock.now(),
            content=SignedContent.of(octets),
        )
        assert report.indication is expected, report.reasons()


def test_an_ingest_that_a_crash_cut_off_is_registered_when_it_is_resumed(room: ArchiveRoom) -> None:
    room.store.fail_at, room.store.fail_with = ".tst", Crash
    with pytest.raises(Crash):
        room.ingest()
    room.store.fail_at = None
    assert room.evidence.gather() == 0
    room.clock.advance(seconds=timedelta(minutes=5).total_seconds())
    assert room.desk.resume() == 1
    assert room.evidence.gather() == 1


def test_the_evidence_is_given_to_whoever_may_look_the_record_up(room: ArchiveRoom) -> None:
    record = room.ingest().record
    room.evidence.gather()
    office = Office(room)
    expected = {
        "planning.archivist": 200,
        "planning.approver": 200,
        "planning.auditor": 200,
        "planning.system": 200,
        "another-system": 404,
        "a-system-without-scope": 403,
        "an-administrator": 403,
        "a-seal-approver": 403,
        "archives.archivist": 404,
        "nobody": 401,
    }
    assert {token: office.get(record.id, token).status_code for token in expected} == expected
