"""The server is killed at every step of the sealing procedure."""

from collections import Counter

import pytest

from tests.support.kill_house import KillHouse, require_settled
from tests.support.kill_launcher import Procedure
from tests.support.kill_requests import seal
from tests.support.killing import KillPoint
from trust.documents import pdf
from trust.kernel.clock import SystemClock
from trust.kernel.report import Indication

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
PROCEDURE = "seals.uses.seal_document:SealDocument.__call__"
# Where the server dies, and what then has become of the use: None where it was never intended.
DEATHS = {
    KillPoint(procedure=PROCEDURE, step=1): None,
    KillPoint(procedure=PROCEDURE, step=2): None,
    KillPoint(procedure=PROCEDURE, step=3): None,
    # Everything of the first transaction is there but its commit.
    KillPoint(procedure=PROCEDURE, step=4, before="work.record(_intended"): None,
    KillPoint(procedure=PROCEDURE, step=4): "abandoned",
    KillPoint(procedure=PROCEDURE, step=5): "abandoned",
    KillPoint(procedure=PROCEDURE, step=6): "abandoned",
    # The output is stored, and nobody has said so.
    KillPoint(procedure=PROCEDURE, step=7, before="with self._ledger.work()"): "completed",
    KillPoint(procedure=PROCEDURE, step=7): "completed",
    KillPoint(procedure=PROCEDURE, step=8): "completed",
}


def test_a_server_killed_at_any_step_of_sealing_leaves_nothing_open_nothing_lost_and_nothing_twice(
    kill_house: KillHouse,
) -> None:
    assert {death.step for death in DEATHS} == set(Procedure.named(PROCEDURE).steps())
    acknowledged = seal(kill_house, "seal-acknowledged")
    document = f"/v1/seal-uses/{acknowledged['id']}/document"
    before = kill_house.program.get(document).content
    keys = {death: f"seal-{number}" for number, death in enumerate(DEATHS, 1)}

    for death, key in keys.items():
        kill_house.die_at(death, seal, key)
    kill_house.come_back()

    for death, key in keys.items():
        _require_one_use(kill_house, death, key, outcome=DEATHS[death])
    assert kill_house.program.get(document).content == before
    _require_valid(kill_house, before)
    counted = kill_house.row("SELECT sum(uses_taken) AS uses FROM seals.seal_authorisations")
    assert counted == kill_house.row("SELECT count(*) AS uses FROM seals.seal_uses")
    require_settled(kill_house)


def _require_one_use(house: KillHouse, death: KillPoint, key: str, *, outcome: str | None) -> None:
    """Whatever the crash left, a retry with the same key finds one use, concluded once, told once."""
    there = house.rows("SELECT id FROM seals.seal_uses WHERE case_number = %(key)s", key=key)
    assert len(there) == (0 if outcome is None else 1), death

    if outcome == "abandoned":
        problem = seal(house, key, status=409)
        assert problem["code"] == "seal-use-abandoned", death
    else:
        use = seal(house, key)
        assert use["state"] == "completed", death
        _require_valid(house, house.program.get(f"/v1/seal-uses/{use['id']}/document").content)

    use_id = house.subject_of("seal-use", key)
    use = house.row("SELECT id FROM seals.seal_uses WHERE case_number = %(key)s", key=key)
    assert use["id"] == use_id, death
    concluded = house.row("SELECT outcome FROM seals.seal_use_outcomes WHERE use_id = %(id)s", id=use_id)
    assert concluded["outcome"] == (outcome or "completed"), death
    told = house.acts(use_id)
    told.pop("seal-use.read", None)
    assert told == Counter(["seal-use.intended", f"seal-use.{outcome or 'completed'}"]), death


def _require_valid(house: KillHouse, sealed: bytes) -> None:
    report = pdf.validate(sealed, trust=house.trust(), at=SystemClock().now())
    assert report.indication is Indication.VALID, report.to_json()
