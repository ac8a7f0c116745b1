"""Schemathesis tries every operation of the real application, once as each kind of party, and finds nothing."""

from collections.abc import Callable

import pytest

from identity.caller import Role
from tests.support.contract import Bounds, Exploration
from tests.support.house import ITEM, House
from tests.support.house_edge import HouseEdge

pytestmark = [pytest.mark.stranger, pytest.mark.timeout(175)]

BOUNDS = Bounds(documented=5, others=2, seconds=25)
WORKING_ROLES = (
    Role.SEAL_OFFICER,
    Role.SEAL_APPROVER,
    Role.LICENCE_OFFICER,
    Role.ARCHIVIST,
    Role.ARCHIVE_APPROVER,
    Role.AUDITOR,
)
PARTIES = ("anonymous", "citizen", "staff", "administrator", "application")


class Parties:
    """A token that holds for each kind of party of one agency, made anew each time it is asked for."""

    def __init__(self, edge: HouseEdge) -> None:
        self._edge = edge
        self._desk = edge.house.sealing_agency()

    def token(self, party: str) -> Callable[[], str]:
        edge, desk = self._edge, self._desk
        platform = edge.house.room.administrator
        made: dict[str, Callable[[], str]] = {
            "anonymous": lambda: "",
            "citizen": edge.citizen,
            "staff": lambda: edge.staff(desk.agency, *WORKING_ROLES, by=desk.administrator),
            "administrator": lambda: edge.staff(desk.agency, Role.AGENCY_ADMINISTRATOR, by=platform),
            "application": lambda: edge.application(
                edge.house.room.program(desk.administrator, *tuple(desk.application.scopes))
            ),
        }
        return made[party]


@pytest.mark.parametrize("party", PARTIES)
def test_schemathesis_finds_nothing_as(party: str, house: House) -> None:
    edge = HouseEdge(house)
    exploration = Exploration(
        app=edge.app,
        token=Parties(edge).token(party),
        bounds=BOUNDS,
        known={"authority": ["root", "seals", "service"], "path": ["checkpoint"], "item_code": [ITEM]},
    )
    findings = exploration.run()
    assert not findings, f"{len(findings)} findings\n\n" + "\n\n".join(findings)

    # That nothing was found says something only where the party was let in at all.
    answered = set().union(*exploration.statuses.values())
    assert 200 in answered
    assert {404, 422} <= answered
    if party != "anonymous":
        assert exploration.statuses["GET /v1/me"] >= {200}
