"""The house's edge for tests: its real application in this process, called as parties call it.

edge = HouseEdge(house)
edge.get("/v1/me", edge.citizen())
edge.post("/v1/certificates", edge.citizen(), json={"csr": …})
"""

import itertools
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from api.app import create_app
from identity.caller import Role, Scope
from identity.model import Agency
from tests.support.house import House, SealingAgency
from tests.support.identity import PASSWORD, Program, SetClock, resident_number

_numbers = itertools.count(1)


class HouseEdge:
    """The application over a house, and bearer tokens for each kind of party."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.app: FastAPI = create_app(house.services.settings, house.services)
        # Not as a context manager: the application would close the services, which are the house's to close.
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def get(self, path: str, token: str = "", **more: Any) -> Response:
        return self.client.get(path, headers=_headers(token), **more)

    def post(self, path: str, token: str = "", **more: Any) -> Response:
        return self.client.post(path, headers=_headers(token) | more.pop("headers", {}), **more)

    def citizen(self) -> str:
        """A new citizen's token."""
        username = f"edge-citizen{next(_numbers)}"
        self.house.room.citizen(username=username)
        return self.house.room.sign_in(username).token

    def agent(self) -> str:
        """The token of a new citizen who acts for a new company."""
        username = f"edge-agent{next(_numbers)}"
        company = self.house.room.company(self.house.room.citizen(username=username))
        return self.house.room.sign_in(username, organisation_id=company.id).token

    def staff(self, agency: Agency, *roles: Role, by: Any) -> str:
        """The token of a new member of staff, enrolled over HTTP by the link the invitation carries."""
        number, username = next(_numbers), f"edge-staff{next(_numbers)}"
        invited = self.house.services.identity.staff.invite(
            by,
            name="赵办",
            resident_id_number=_resident(number),
            roles=frozenset(roles),
            agency_id=agency.id,
        )
        body = {"token": invited.link.token, "username": username, "password": PASSWORD}
        redeemed = self.post("/v1/enrolments/redemptions", json=body)
        assert redeemed.status_code == 201, redeemed.text
        return self.house.room.sign_in(username).token

    def application(self, program: Program, *scopes: Scope) -> str:
        """An access token for an application's client assertion, over HTTP."""
        clock = SetClock(self.house.services.clock.now())
        issuer = self.house.services.settings.public_url
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": program.assertion(clock, aud=issuer, jti=f"edge-{next(_numbers)}"),
            "scope": " ".join(scopes or tuple(Scope)),
        }
        answer = self.post("/v1/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def system_of(self, desk: SealingAgency) -> str:
        """An access token of a sealing agency's approval system."""
        return self.application(desk.program)


def _headers(token: str) -> dict[str, str]:
    given = {"Idempotency-Key": f"edge-{next(_numbers)}"}
    return given | ({"Authorization": f"Bearer {token}"} if token else {})


def _resident(number: int) -> str:
    # Far from the numbers that IdentityRoom gives out, so that no two parties are the same person.
    return resident_number(40_000 + number)
