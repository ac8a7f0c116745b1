"""The licence routes: what goes in, what comes out, and what bad input gets."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import problems
from api.guards import Guards
from api.v1 import licence_types, licences, presentations, status_lists
from identity.caller import Caller
from identity.errors import TokenRefused
from licences.render.typesetter import Typesetter
from tests.support.licence_faces import FIELDS
from tests.support.licences import PERMIT, LicenceRoom
from tests.support.uncounted import UNCOUNTED
from trust.credentials import status_token
from trust.storage.database import Database


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as started:
        yield started


@pytest.fixture
def room(database: Database, tmp_path: Path, typesetter: Typesetter) -> LicenceRoom:
    return LicenceRoom.open(database, tmp_path, typesetter)


class Parties:
    """Bearer tokens by the party's name."""

    def __init__(self, room: LicenceRoom) -> None:
        self._room = room

    def authenticate(self, token: str) -> Caller:
        room = self._room
        parties = {
            "system": room.system,
            "officer": room.officer,
            "agent": room.agent,
            "recipient": room.recipient(),
            "stranger": room.strangers_officer(),
        }
        if token not in parties:
            raise TokenRefused
        return parties[token]


class Browser:
    """Calls as a party."""

    def __init__(self, client: TestClient, room: LicenceRoom) -> None:
        self.client = client
        self.room = room

    def get(self, path: str, party: str | None = None) -> Any:
        return self.client.get(path, headers=_bearer(party))

    def post(self, path: str, body: Any, party: str, *, key: str | None = None) -> Any:
        headers = {**_bearer(party), "Idempotency-Key": key or self.room.new_key()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
        return self.client.post(path, content=content, headers=headers)

    def issue(self) -> dict[str, Any]:
        answer = self.post("/v1/licences", self.body(), "system")
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def body(self, **changes: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "type_code": self.room.desk.types.named(PERMIT).code,
            "holder": {
                "kind": "legal_person",
                "name": "江城滨江建设开发有限公司",
                "code": self.room.company_code,
            },
            "fields": FIELDS[PERMIT],
        }
        return {**given, **changes}


def _bearer(party: str | None) -> dict[str, str]:
    return {} if party is None else {"Authorization": f"Bearer {party}"}


@pytest.fixture
def browser(room: LicenceRoom) -> Browser:
    app = FastAPI()
    app.state.services = SimpleNamespace(
        licences=room.desk, identity=SimpleNamespace(authentication=Parties(room)), supervision=UNCOUNTED
    )
    problems.install(app)
    for module in (licence_types, licences, presentations, status_lists):
        app.include_router(module.router)
    app.add_middleware(Guards, max_body_bytes=1 << 20)
    return Browser(TestClient(app, raise_server_exceptions=False), room)


def test_a_licence_goes_through_its_whole_life_over_http(browser: Browser) -> None:
    # Issued, read and downloaded.
    issued = browser.issue()
    path = f"/v1/licences/{issued['id']}"
    assert (issued["state"], issued["version"]) == ("valid", 1)
    assert browser.get(path, "agent").json() == issued
    document = browser.get(f"{path}/document", "agent")
    assert document.headers["content-type"] == "application/pdf"
    assert document.headers["cache-control"] == "no-store"
    credential = browser.get(f"{path}/credential", "officer")
    assert credential.headers["content-type"] == "application/dc+sd-jwt"
    assert credential.text.endswith("~")

    # Presented and redeemed once.
    made = browser.post(
        "/v1/presentations",
        {
            "licence_id": issued["id"],
            "recipient": {"agency_id": browser.room.other},
            "purpose": "办理施工许可",
            "fields": ["number", "project_name"],
        },
        "agent",
    ).json()
    redeemed = browser.post("/v1/presentation-redemptions", {"code": made["code"]}, "recipient", key="a")
    assert redeemed.status_code == 201
    assert redeemed.json()["fields"] == {
        "number": issued["number"],
        "project_name": issued["fields"]["project_name"],
    }
    assert redeemed.json()["report"]["indication"] == "valid"
    again = browser.post("/v1/presentation-redemptions", {"code": made["code"]}, "recipient", key="a")
    assert again.json() == redeemed.json()
    second = browser.post("/v1/presentation-redemptions", {"code": made["code"]}, "recipient", key="b")
    assert (second.status_code, second.json()["code"]) == (409, "presentation-already-redeemed")
    log = browser.get("/v1/usage-entries", "agent").json()["items"]
    assert [entry["act"] for entry in log] == ["refused", "redeemed", "presented", "downloaded", "downloaded"]
    assert browser.get("/v1/usage-entries/export", "agent").json()["items"] == log

    # Suspended, reinstated, changed, cancelled; the public follows.
    public = f"/v1/public/licences/{issued['public_url'].rsplit('/', 1)[1]}"
    states = [browser.get(public).json()["state"]]
    for act in ("suspensions", "reinstatements", "cancellations"):
        answer = browser.post(f"{path}/{act}", {"reason": "依申请"}, "officer")
        assert answer.status_code == 201, answer.text
        states.append(browser.get(public).json()["state"])
    assert states == ["valid", "suspended", "valid", "cancelled"]
    assert set(browser.get(public).json()) == {
        "state",
        "masked_holder",
        "type_name_zh",
        "type_name_en",
        "as_of",
    }
    token = browser.get(f"/v1/status-lists/{issued['status']['list_id']}")
    assert token.headers["content-type"] == "application/statuslist+jwt"
    opened = status_token.open_status_token(
        token.text, trust=browser.room.current(), at=browser.room.clock.now()
    )
    assert opened.statuses is not None
    assert opened.statuses.get(issued["status"]["index"]) == 1


def test_a_change_answers_with_the_next_version(browser: Browser) -> None:
    issued = browser.issue()
    body = {"reason": "名称变更", "holder_name": "江城滨江建设集团有限公司"}
    changed = browser.post(f"/v1/licences/{issued['id']}/changes", body, "system")
    assert changed.status_code == 201
    assert (changed.json()["id"], changed.json()["version"]) == (issued["id"], 2)
    assert browser.get("/v1/licences", "agent").json()["items"][0]["version"] == 2


def test_the_catalogue_is_open_to_anybody(browser: Browser) -> None:
    listed = browser.get("/v1/licence-types").json()["items"]
    assert [one["key"] for one in listed] == ["business-licence", PERMIT]
    one = browser.get(f"/v1/licence-types/{listed[1]['code']}").json()
    assert one == listed[1]
    assert one["catalogue"]["CertificateTypeCode"] == one["code"]
    missing = browser.get("/v1/licence-types/11100000MB0143028R999")
    assert (missing.status_code, missing.json()["code"]) == (404, "licence-type-unknown")


def test_a_body_that_does_not_fit_is_refused_with_its_place(browser: Browser) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"fields": {}}, "licence-fields-refused"),
        ({"fields": {"project_name": "a\x00b"}}, "licence-fields-refused"),
        ({"fields": {"project_name": "x" * 5000}}, "licence-fields-refused"),
        ({"fields": {"project_name": 1e300}}, "licence-fields-refused"),
        ({"fields": []}, "invalid-input"),
        (
            {"holder": {"kind": "citizen", "name": "陈知远", "code": "11010519491231002Y"}},
            "licence-holder-refused",
        ),
        ({"holder": {"kind": "robot", "name": "x", "code": "1"}}, "invalid-input"),
        ({"case_number": "a\x00b"}, "invalid-input"),
        ({"case_number": "x" * 101}, "invalid-input"),
        ({"valid_from": "tomorrow"}, "invalid-input"),
        ({"colour": "red"}, "invalid-input"),
    ]
    for changes, code in cases:
        answer = browser.post("/v1/licences", browser.body(**changes), "system")
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_no_such_body_is_a_problem_and_never_a_fault(browser: Browser) -> None:
    deep = b'{"fields": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    for body in (b"", b"[]", b"{", b'{"type_code": "\\ud800"}', b"\xff\xfe", deep):
        answer = browser.post("/v1/licences", body, "system")
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"


def test_lone_surrogates_inside_fields_are_refused(browser: Browser) -> None:
    body = json.dumps(browser.body(fields={"project_name": "\ud800"})).encode()
    assert browser.post("/v1/licences", body, "system").status_code == 422


def test_another_agencys_and_nobodys_licence_are_not_there(browser: Browser) -> None:
    issued = browser.issue()
    for licence_id in (issued["id"], "lic_" + "0" * 32, "seal_" + "0" * 32, "x"):
        path = f"/v1/licences/{licence_id}"
        answers = [
            browser.get(path, "stranger"),
            browser.get(f"{path}/document", "stranger"),
            browser.get(f"{path}/credential", "stranger"),
            *(
                browser.post(f"{path}/{act}", {"reason": "x"}, "stranger")
                for act in ("suspensions", "reinstatements", "cancellations")
            ),
        ]
        assert [answer.status_code for answer in answers] == [404] * 6
    assert browser.get("/v1/licences", "stranger").json() == {"items": [], "next": None}
    for path in ("/v1/public/licences/x", "/v1/status-lists/x"):
        assert browser.get(path).status_code == 404


def test_who_does_not_say_who_they_are_is_refused(browser: Browser) -> None:
    assert browser.get("/v1/licences").status_code == 401
    assert browser.post("/v1/licences", browser.body(), "nobody").status_code == 401


def test_issuing_and_redeeming_need_an_idempotency_key(browser: Browser) -> None:
    for path, body in (("/v1/licences", browser.body()), ("/v1/presentation-redemptions", {"code": "x"})):
        answer = browser.client.post(path, json=body, headers=_bearer("system"))
        assert answer.status_code == 422


def test_a_code_is_never_redeemed_by_get(browser: Browser) -> None:
    assert browser.get("/v1/presentation-redemptions?code=x", "recipient").status_code == 405


def test_a_foreign_cursor_is_refused(browser: Browser) -> None:
    for path in ("/v1/licences", "/v1/usage-entries"):
        assert browser.get(f"{path}?after=seal_0", "agent").status_code == 422
