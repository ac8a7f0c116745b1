"""The server is killed at every step of issuing a licence, also in the middle of sealing one."""

from collections import Counter

import pytest

from tests.support.kill_house import KillHouse, require_settled
from tests.support.kill_launcher import Procedure
from tests.support.kill_requests import issue
from tests.support.killing import KillPoint
from trust.documents import pdf
from trust.kernel.clock import SystemClock
from trust.kernel.report import Indication

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
PROCEDURE = "licences.acts.procedure:IssuingProcedure.run"
SEALING = "seals.uses.seal_document:SealDocument.__call__"
DEATHS = (
    KillPoint(procedure=PROCEDURE, step=1),
    KillPoint(procedure=PROCEDURE, step=2),
    # The seal's use is intended and will be abandoned: the licence is sealed by another use.
    KillPoint(procedure=SEALING, step=5),
    KillPoint(procedure=PROCEDURE, step=3),
    KillPoint(procedure=PROCEDURE, step=4),
    KillPoint(procedure=PROCEDURE, step=5),
    # The document is stored, and nobody has said so.
    KillPoint(procedure=PROCEDURE, step=6, before="output = LicenceOutput("),
    KillPoint(procedure=PROCEDURE, step=6),
)


def test_a_server_killed_at_any_step_of_issuing_leaves_one_licence_with_one_number_and_one_credential(
    kill_house: KillHouse,
) -> None:
    assert {death.step for death in DEATHS if death.procedure == PROCEDURE} == set(
        Procedure.named(PROCEDURE).steps()
    )
    acknowledged = issue(kill_house, "issue-acknowledged")
    before = _credential(kill_house, acknowledged["id"])
    keys = {death: f"issue-{number}" for number, death in enumerate(DEATHS, 1)}

    for death, key in keys.items():
        kill_house.die_at(death, issue, key)
    kill_house.come_back()

    identifiers = {acknowledged["identifier"]} | {
        _require_one_licence(kill_house, death, key) for death, key in keys.items()
    }
    assert len(identifiers) == len(DEATHS) + 1
    assert _credential(kill_house, acknowledged["id"]) == before
    given_out = kill_house.row("SELECT sum(last) AS numbers FROM licences.number_counters")
    assert given_out == kill_house.row("SELECT count(*) AS numbers FROM licences.licences")
    require_settled(kill_house)


def _require_one_licence(house: KillHouse, death: KillPoint, key: str) -> str:
    """A retry gets the one licence; number, document, credential and events are there once. Its identifier."""
    licence = issue(house, key)
    assert licence["state"] == "valid", death
    version = house.row("SELECT * FROM licences.versions WHERE case_number = %(key)s", key=key)
    version_id = version["version_id"]
    assert version["licence_id"] == licence["id"], death
    assert version["identifier"] == licence["identifier"], death
    house.row("SELECT 1 FROM licences.credentials WHERE version_id = %(id)s", id=version_id)
    output = house.row("SELECT * FROM licences.outputs WHERE version_id = %(id)s", id=version_id)
    moved = house.row("SELECT state FROM licences.transitions WHERE version_id = %(id)s", id=version_id)
    assert moved["state"] == "valid", death

    told = house.acts(licence["id"])
    resumed = told.pop("licence.resumed", 0)
    attempts = house.row(
        "SELECT count(*) AS n FROM licences.attempts WHERE version_id = %(id)s", id=version_id
    )
    assert attempts["n"] == resumed + 1, death
    assert told == Counter(["licence.intended", "licence.issued"]), death

    uses = house.rows(
        "SELECT id, outcome FROM seals.seal_uses JOIN seals.seal_use_outcomes ON use_id = id"
        " WHERE case_number = %(key)s",
        key=key,
    )
    completed = [row["id"] for row in uses if row["outcome"] == "completed"]
    assert completed == [output["seal_use_id"]], death
    _require_valid(house, licence["id"])
    return str(licence["identifier"])


def _require_valid(house: KillHouse, licence_id: str) -> None:
    document = house.story.require_agent().get(f"/v1/licences/{licence_id}/document").content
    report = pdf.validate(document, trust=house.trust(), at=SystemClock().now())
    assert report.indication is Indication.VALID, report.to_json()


def _credential(house: KillHouse, licence_id: str) -> str:
    return house.story.require_agent().get(f"/v1/licences/{licence_id}/credential").text
