"""The server is killed at every step of redeeming a presentation."""

from collections import Counter

import pytest

from tests.support.kill_house import KillHouse, require_settled
from tests.support.kill_launcher import Procedure
from tests.support.kill_requests import SHOWN, issue, present, redeem
from tests.support.killing import KillPoint

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
PROCEDURE = "licences.acts.redeem:RedeemPresentation.__call__"
# Where the server dies, and whether the presentation was redeemed by then.
DEATHS = {
    KillPoint(procedure=PROCEDURE, step=1): False,
    KillPoint(procedure=PROCEDURE, step=2): False,
    KillPoint(procedure=PROCEDURE, step=3): False,
    # In the transaction: the idempotency key is taken, and nothing is committed.
    KillPoint(procedure=PROCEDURE, step=4, before="self._take("): False,
    KillPoint(procedure=PROCEDURE, step=4): True,
    KillPoint(procedure=PROCEDURE, step=5): True,
}


def test_a_server_killed_at_any_step_of_redeeming_leaves_the_presentation_redeemed_exactly_once(
    kill_house: KillHouse,
) -> None:
    assert {death.step for death in DEATHS} == set(Procedure.named(PROCEDURE).steps())
    licence = issue(kill_house, "redeem-licence")
    acknowledged = present(kill_house, licence["id"])
    answer = redeem(kill_house, acknowledged["code"], "redeem-acknowledged")
    made = {death: present(kill_house, licence["id"]) for death in DEATHS}
    keys = {death: f"redeem-{number}" for number, death in enumerate(DEATHS, 1)}

    for death, key in keys.items():
        kill_house.die_at(death, redeem, made[death]["code"], key)
    kill_house.come_back()

    for death, key in keys.items():
        _require_one_redemption(kill_house, death, made[death], key)
    assert redeem(kill_house, acknowledged["code"], "redeem-acknowledged") == answer
    require_settled(kill_house)


def _require_one_redemption(house: KillHouse, death: KillPoint, made: dict[str, str], key: str) -> None:
    """A retry gets the one answer, another key is refused, and the holder sees both."""
    query = "SELECT redemption_id FROM licences.redemptions WHERE presentation_id = %(id)s"
    before = house.rows(query, id=made["id"])
    assert len(before) == DEATHS[death], death

    answer = redeem(house, made["code"], key)
    assert answer["presentation_id"] == made["id"], death
    assert set(answer["fields"]) == set(SHOWN), death
    assert answer["report"]["indication"] == "valid", death
    assert redeem(house, made["code"], key) == answer, death
    refused = redeem(house, made["code"], f"{key}-again", status=409)
    assert refused["code"] == "presentation-already-redeemed", death

    redemption = house.row(query, id=made["id"])
    assert redemption["redemption_id"] == answer["id"], death
    assert before in ([], [redemption]), death
    entries = house.rows(
        "SELECT act, reason_code FROM licences.usage_entries WHERE presentation_id = %(id)s ORDER BY position",
        id=made["id"],
    )
    assert [tuple(entry.values()) for entry in entries if entry["act"] != "presented"] == [
        ("redeemed", None),
        ("refused", "presentation-already-redeemed"),
    ], death
    assert house.acts(made["id"]) == Counter(
        ["presentation.redeemed", "presentation.redeemed!presentation-already-redeemed"]
    ), death
