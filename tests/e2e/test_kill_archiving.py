"""The server is killed at every step of archiving a case, also between the files of a package's object."""

from collections import Counter

import pytest

from tests.support.kill_house import KillHouse, require_settled
from tests.support.kill_launcher import Procedure
from tests.support.kill_requests import CLASS, ingest
from tests.support.killing import KillPoint
from trust.kernel.report import Indication
from trust.verify.verifier import verify_directory

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
PROCEDURE = "archive.ingest.ingest_case:IngestCase.__call__"
STORING = "archive.ingest.storing:PackageStore._put"
# Where the server dies, and whether the archival code was taken by then.
DEATHS = {
    KillPoint(procedure=PROCEDURE, step=1): False,
    KillPoint(procedure=PROCEDURE, step=2): False,
    # Everything of the first transaction is there but its commit.
    KillPoint(procedure=PROCEDURE, step=3, before="work.record(_intended"): False,
    KillPoint(procedure=PROCEDURE, step=3): True,
    KillPoint(procedure=PROCEDURE, step=4): True,
    # The object is half written.
    KillPoint(procedure=STORING, before="key =", arrival=3): True,
    KillPoint(procedure=PROCEDURE, step=5): True,
    # The package and its timestamp are stored, and nobody has said so.
    KillPoint(procedure=PROCEDURE, step=6, before="with self._ledger.work()"): True,
    KillPoint(procedure=PROCEDURE, step=6): True,
}


def test_a_server_killed_at_any_step_of_archiving_leaves_one_record_with_one_code_and_one_package(
    kill_house: KillHouse,
) -> None:
    assert {death.step for death in DEATHS if death.procedure == PROCEDURE} == set(
        Procedure.named(PROCEDURE).steps()
    )
    kill_house.agency.staff["officer"].post("/v1/archive-classes", CLASS)
    acknowledged = ingest(kill_house, "archive-acknowledged")
    keys = {death: f"archive-{number}" for number, death in enumerate(DEATHS, 1)}

    for death, key in keys.items():
        kill_house.die_at(death, ingest, key)
    kill_house.come_back()

    codes = {acknowledged["archival_code"]} | {
        _require_one_record(kill_house, death, key) for death, key in keys.items()
    }
    assert len(codes) == len(DEATHS) + 1
    assert ingest(kill_house, "archive-acknowledged") == acknowledged
    given_out = kill_house.row("SELECT sum(last) AS numbers FROM archive.item_numbers")
    assert given_out == kill_house.row("SELECT count(*) AS numbers FROM archive.records")
    _require_whole_archive(kill_house, records=len(codes))
    require_settled(kill_house)


def _require_one_record(house: KillHouse, death: KillPoint, key: str) -> str:
    """A retry gets the one record; code, package and events are there once. Its archival code."""
    before = house.rows("SELECT archival_code FROM archive.records WHERE case_number = %(key)s", key=key)
    assert len(before) == DEATHS[death], death

    answer = ingest(house, key)
    assert answer["state"] == "registered", death
    record = house.row("SELECT id, archival_code FROM archive.records WHERE case_number = %(key)s", key=key)
    assert record["id"] == answer["id"], death
    assert record["archival_code"] == answer["archival_code"], death
    assert before in ([], [{"archival_code": answer["archival_code"]}]), death
    outcome = house.row("SELECT * FROM archive.record_outcomes WHERE record_id = %(id)s", id=answer["id"])
    assert outcome["outcome"] == "registered", death
    assert outcome["package_sha256"].hex() == answer["package_sha256"], death
    assert house.acts(answer["id"]) == Counter(["record.intended", "record.registered"]), death
    return str(answer["archival_code"])


def _require_whole_archive(house: KillHouse, *, records: int) -> None:
    """The agency's storage root is valid as it lies there, with one object for each record."""
    root = house.supervisor.settings.objects_folder / "objects" / house.agency.id / "archive"
    report = verify_directory(root)
    assert report.indication is Indication.VALID, report.to_json()
    assert len(report.parts) == records
