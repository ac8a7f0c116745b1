"""The routes of identity over HTTP, as the parties call them, on the real database."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from joserfc.jwk import ECKey

from api import problems
from api.v1 import (
    agencies,
    applications,
    certificates,
    citizens,
    enrolments,
    oauth,
    organisations,
    sessions,
    staff,
)
from identity.signin.access_tokens import ASSERTION_TYPE, GRANT_TYPE
from tests.support.identity import PASSWORD, IdentityRoom, Program, csr_pem, resident_number, uscc
from tests.support.uncounted import UNCOUNTED
from trust.storage.database import Database

ROUTES = (agencies, applications, certificates, citizens, enrolments, oauth, organisations, sessions, staff)


class Office:
    """The routes of identity, and nothing else, as a server."""

    def __init__(self, room: IdentityRoom) -> None:
        self.room = room
        app = FastAPI()
        app.state.services = SimpleNamespace(identity=room.desk, supervision=UNCOUNTED)
        problems.install(app)
        for module in ROUTES:
            app.include_router(module.router)
        self.client = TestClient(app)

    def post(self, path: str, token: str = "", /, *, expect: int = 201, **body: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": "key-1"} | ({"Authorization": f"Bearer {token}"} if token else {})
        return checked(self.client.post(path, json=body, headers=headers), expect)

    def get(self, path: str, token: str, *, expect: int = 200) -> dict[str, Any]:
        return checked(self.client.get(path, headers={"Authorization": f"Bearer {token}"}), expect)

    def sign_in(self, username: str, **more: str) -> str:
        answer = self.post("/v1/sessions", username=username, password=PASSWORD, **more)
        return str(answer["token"])

    def platform_administrator(self) -> str:
        link = self.room.desk.enrolments.bootstrap()
        assert link is not None
        person = {"name": "张首", "resident_id_number": resident_number(1)}
        self.post(
            "/v1/enrolments/redemptions", token=link.token, username="platform", password=PASSWORD, **person
        )
        return self.sign_in("platform")

    def agency(self, platform: str, number: int) -> tuple[dict[str, Any], str]:
        """An agency and the token of its administrator."""
        names = {"name_zh": "规划局", "name_en": "Planning Bureau"}
        agency = self.post("/v1/agencies", platform, uscc=uscc(number, "11"), code=f"AG{number}", **names)
        return agency, self.staff(platform, number, "agency-administrator", agency_id=agency["id"])

    def staff(self, by: str, number: int, role: str, **more: str) -> str:
        invited = self.post(
            "/v1/staff", by, name="李", resident_id_number=resident_number(number), roles=[role], **more
        )
        username = f"staff{number}"
        self.post(
            "/v1/enrolments/redemptions",
            token=invited["enrolment_token"],
            username=username,
            password=PASSWORD,
        )
        return self.sign_in(username)

    def citizen(self, number: int) -> tuple[dict[str, Any], str]:
        username = f"citizen{number}"
        citizen = self.post(
            "/v1/citizens",
            name="王民",
            resident_id_number=resident_number(number),
            username=username,
            password=PASSWORD,
        )
        return citizen, self.sign_in(username)


def checked(response: Response, expect: int) -> dict[str, Any]:
    assert response.status_code == expect, response.text
    answer: dict[str, Any] = response.json() if response.content else {}
    return answer


@pytest.fixture
def office(database: Database) -> Office:
    return Office(IdentityRoom.open(database))


def test_an_office_is_set_up_over_http(office: Office) -> None:
    platform = office.platform_administrator()
    agency, chief = office.agency(platform, 10)
    items = f"/v1/agencies/{agency['id']}/service-items"
    office.post(items, chief, code="GH-01", name_zh="建设工程规划许可", name_en="Planning permit")
    officer = office.staff(chief, 11, "seal-officer")
    me = office.get("/v1/me", officer)
    assert me["roles"] == ["seal-officer"]
    assert me["agency"]["id"] == agency["id"]
    assert me["resident_id_number"].count("*") == 13
    assert [item["code"] for item in office.get(items, officer)["items"]] == ["GH-01"]
    assert len(office.get("/v1/staff", chief)["items"]) == 2
    assert office.get("/v1/staff", officer, expect=403)["code"] == "role-missing"


def test_a_company_and_its_agents_over_http(office: Office) -> None:
    citizen, token = office.citizen(20)
    other, other_token = office.citizen(21)
    company = office.post("/v1/organisations", token, uscc=uscc(20), name="武汉某某有限公司")
    acting = office.sign_in("citizen20", organisation_id=company["id"])
    assert office.get("/v1/me", acting)["organisation"]["uscc"] == uscc(20)
    agents = f"/v1/organisations/{company['id']}/agents"
    until = {"valid_until": "2026-12-24T00:00:00+08:00"}
    agent = office.post(agents, acting, citizen_id=other["id"], **until)
    assert agent["valid_until"] == "2026-12-23T16:00:00Z"
    assert office.get("/v1/organisations", other_token)["items"][0]["id"] == company["id"]
    assert office.post(agents, other_token, expect=403, citizen_id=citizen["id"], **until)["code"] == (
        "agent-may-not-authorise"
    )
    office.post(f"{agents}/{agent['id']}/withdrawals", token)
    assert office.get("/v1/organisations", other_token)["items"] == []


def test_an_application_gets_its_token_over_http_and_loses_it(office: Office) -> None:
    _, chief = office.agency(office.platform_administrator(), 30)
    key = ECKey.generate_key("P-256")
    registered = office.post(
        "/v1/applications", chief, name="审批系统", public_jwk=key.as_dict(private=False), scopes=["seal:use"]
    )
    application = SimpleNamespace(id=registered["id"])
    program = Program(application=application, key=key)  # type: ignore[arg-type]  # only its id is used
    form = {
        "grant_type": GRANT_TYPE,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": program.assertion(office.room.clock),
    }
    response = office.client.post("/v1/oauth/token", data=form)
    granted = checked(response, 200)
    assert response.headers["cache-control"] == "no-store"
    assert (granted["token_type"], granted["expires_in"], granted["scope"]) == ("Bearer", 600, "seal:use")
    assert office.get("/v1/me", granted["access_token"])["scopes"] == ["seal:use"]
    replayed = office.client.post("/v1/oauth/token", data=form)
    assert checked(replayed, 401)["error"] == "invalid_client"
    office.post(f"/v1/applications/{registered['id']}/revocations", chief)
    assert office.get("/v1/me", granted["access_token"], expect=401)["code"] == "token-refused"
    again = form | {"client_assertion": program.assertion(office.room.clock)}
    assert checked(office.client.post("/v1/oauth/token", data=again), 401)["error"] == "invalid_client"


TOKEN_REQUESTS: list[tuple[dict[str, Any], int, str]] = [
    ({"data": {}}, 400, "invalid_request"),
    ({"json": {"grant_type": GRANT_TYPE}}, 400, "invalid_request"),
    ({"data": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
    ({"data": {"grant_type": GRANT_TYPE}}, 401, "invalid_client"),
    (
        {
            "data": {
                "grant_type": GRANT_TYPE,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": "\x00",
            }
        },
        401,
        "invalid_client",
    ),
]


def test_the_token_endpoint_errs_as_oauth_does(office: Office) -> None:
    for request, status, error in TOKEN_REQUESTS:
        answer = checked(office.client.post("/v1/oauth/token", **request), status)
        assert set(answer) == {"error", "error_description"}
        assert answer["error"] == error


def test_a_certificate_is_issued_listed_and_revoked_over_http(office: Office) -> None:
    citizen, token = office.citizen(40)
    csr = csr_pem().decode()
    issued = office.post("/v1/certificates", token, csr=csr)
    assert issued["owner"] == citizen["id"]
    assert issued["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert office.post("/v1/certificates", token, csr=csr)["serial"] == issued["serial"]
    assert office.post("/v1/certificates", token, expect=409, csr=csr_pem().decode())["code"] == (
        "idempotency-key-reused"
    )
    revocations = f"/v1/certificates/{issued['serial']}/revocations"
    assert office.post(revocations, token, reason="superseded")["revocation_reason"] == "superseded"
    assert office.get("/v1/certificates", token)["items"][0]["revoked_at"] is not None
    _, stranger = office.citizen(41)
    office.post(revocations, stranger, expect=404, reason="superseded")


def test_signing_out_ends_the_session(office: Office) -> None:
    _, token = office.citizen(50)
    headers = {"Authorization": f"Bearer {token}"}
    checked(office.client.delete("/v1/sessions/current", headers=headers), 204)
    response = office.client.delete("/v1/sessions/current", headers=headers)
    assert checked(response, 401)["code"] == "token-refused"
    assert response.headers["www-authenticate"] == "Bearer"


def test_every_route_but_the_entrances_needs_a_caller(office: Office) -> None:
    entrances = {"/v1/citizens", "/v1/sessions", "/v1/enrolments/redemptions", "/v1/oauth/token"}
    open_routes = set()
    for path, operations in office.client.app.openapi()["paths"].items():  # type: ignore[attr-defined]  # FastAPI
        for method in operations:
            url = path.format_map(dict.fromkeys(("agency_id", "staff_id", "application_id"), "1")
                                  | {"organisation_id": "1", "agent_id": "1", "serial": "1"})  # fmt: skip
            response = office.client.request(method, url, headers={"Idempotency-Key": "k"}, json={})
            if response.status_code != 401 or response.headers.get("www-authenticate") is None:
                open_routes.add(path)
    assert open_routes == entrances


def test_another_agencys_ids_are_not_found_on_any_route(office: Office) -> None:
    platform = office.platform_administrator()
    agency, chief = office.agency(platform, 60)
    _, stranger = office.agency(platform, 61)
    key = ECKey.generate_key("P-256").as_dict(private=False)
    application = office.post("/v1/applications", chief, name="系统", public_jwk=key, scopes=["seal:use"])
    auditor = office.get("/v1/me", office.staff(chief, 62, "auditor"))
    item = {"code": "X", "name_zh": "x", "name_en": "x"}
    office.get(f"/v1/agencies/{agency['id']}", stranger, expect=404)
    office.get(f"/v1/agencies/{agency['id']}/service-items", stranger, expect=404)
    office.post(f"/v1/agencies/{agency['id']}/service-items", stranger, expect=404, **item)
    office.post(f"/v1/applications/{application['id']}/revocations", stranger, expect=404)
    office.post(f"/v1/staff/{auditor['account_id']}/deactivations", stranger, expect=404)


BODIES = [
    b"",
    b"{",
    b"[]",
    b'"x"',
    b'{"username": 1, "password": "x"}',
    b'{"username": "x"}',
    b'{"username": "x", "password": "x", "admin": true}',
    b'{"username": "\\u0000", "password": "x"}',
    b'{"username": "\\ud800", "password": "x"}',
    b'{"username": "' + b"x" * 201 + b'", "password": "x"}',
    b'{"username": "x", "password": "x", "organisation_id": "../x"}',
    b"\xff\xfe",
    b"[" * 100_000,
]


def test_a_body_of_another_shape_is_a_problem_document(office: Office) -> None:
    for raw in BODIES:
        response = office.client.post(
            "/v1/sessions", content=raw, headers={"Content-Type": "application/json"}
        )
        assert response.status_code in {400, 401, 422}, raw[:40]
        assert response.headers["content-type"] == problems.MEDIA_TYPE


def test_names_with_control_characters_and_wrong_numbers_are_refused_without_repeating_them(
    office: Office,
) -> None:
    number = resident_number(70)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    account = {"username": "someone", "password": PASSWORD}
    answer = office.post("/v1/citizens", expect=422, name="王", resident_id_number=wrong, **account)
    assert answer["code"] == "resident-id-number-invalid"
    assert wrong not in str(answer)
    office.post("/v1/citizens", expect=422, name="王\n民", resident_id_number=number, **account)
    office.post("/v1/citizens", expect=422, name="王", resident_id_number=number + "\x00", **account)


def test_too_many_attempts_are_answered_with_when_to_try_again(office: Office) -> None:
    for _ in range(11):
        office.post("/v1/sessions", expect=401, username="nobody", password="wrong wrong wrong")
    response = office.client.post("/v1/sessions", json={"username": "nobody", "password": "wrong"})
    assert checked(response, 429)["code"] == "throttled"
    assert 1 <= int(response.headers["retry-after"]) <= 60


def test_cursors_lead_through_a_list_over_http(office: Office) -> None:
    agency, chief = office.agency(office.platform_administrator(), 80)
    items = f"/v1/agencies/{agency['id']}/service-items"
    for number in range(3):
        office.post(items, chief, code=f"I{number}", name_zh="事项", name_en="Item")
        office.room.clock.advance(seconds=1)
    first = office.get(f"{items}?limit=2", chief)
    second = office.get(f"{items}?limit=2&after={first['next']}", chief)
    assert [item["code"] for item in first["items"] + second["items"]] == ["I0", "I1", "I2"]
    assert second["next"] is None
    office.get(f"{items}?after=nonsense", chief, expect=422)
