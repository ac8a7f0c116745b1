"""What bad input and absent parts get over HTTP: a problem document with a stable code, and nothing half-done."""

import itertools
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.support.house import ITEM, House, SealingAgency
from tests.support.identity import PASSWORD, resident_number
from tests.support.pdfs import build_pdf
from trust.kernel.randomness import SystemRandomness
from trust.keys.errors import SignerAway
from trust.keys.stamping_client import StampingClient
from trust.ledger.ledger import Ledger
from trust.storage.database import Database
from trust.storage.objects import ObjectStoreAway

_numbers = itertools.count(50_000)
LIMIT = 1024 * 1024


@pytest.fixture
def house(shared_house: House) -> House:
    """One for the file: every test has an agency of its own."""
    return shared_house


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


@pytest.fixture
def client(house: House) -> TestClient:
    settings = replace(house.services.settings, max_document_bytes=LIMIT, max_package_bytes=LIMIT)
    # Not as a context manager: the application would close the services, which are the house's to close.
    app = create_app(settings, replace(house.services, settings=settings))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def application(desk: SealingAgency) -> dict[str, str]:
    """The headers of the approval system's token."""
    granted = desk.house.services.identity.access_tokens.grant(
        desk.program.request(desk.house.services.clock, aud=desk.house.services.settings.public_url)
    )
    return {"Authorization": f"Bearer {granted.access_token}"}


@pytest.fixture
def citizen(house: House) -> dict[str, str]:
    username = f"citizen.zero{next(_numbers)}"
    house.room.citizen(username=username)
    signed_in = house.room.sign_in(username)
    return {"Authorization": f"Bearer {signed_in.token}"}


def _seal(
    client: TestClient, headers: dict[str, str], document: bytes, *, key: str = "k", **fields: str
) -> httpx.Response:
    return client.post(
        "/v1/seal-uses",
        headers={**headers, "Idempotency-Key": key},
        data={"item_code": ITEM, "page": "1", "x_mm": "100", "y_mm": "40", **fields},
        files={"document": ("a.pdf", document, "application/pdf")},
    )


def _is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["type"] == f"urn:yinxin:problem:{code}"
    assert problem["trace_id"] == answer.headers["x-trace-id"]
    return problem


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"[]", 422, "invalid-input"),
        (b'{"name": 1}', 422, "invalid-input"),
        (json.dumps({"name": "x", "unknown": 1}).encode(), 422, "invalid-input"),
        (json.dumps({"name": "长" * 5000}).encode(), 422, "invalid-input"),
        (b'{"name": "a\\u0000b"}', 422, "invalid-input"),
        (b'{"name": "a\\ud800b"}', 422, "invalid-input"),
        (b"\xff\xfe", 400, "malformed"),
        (b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "malformed"),
    ],
)
def test_json_of_the_wrong_shape_is_a_problem(
    client: TestClient, citizen: dict[str, str], body: bytes, status: int, code: str
) -> None:
    headers = {**citizen, "Content-Type": "application/json"}
    answer = client.post("/v1/seal-requests", content=body, headers=headers)
    assert answer.status_code in (status, 422)
    _is_problem(answer, answer.status_code, code if answer.status_code == status else "invalid-input")


def test_a_number_with_a_wrong_check_character_is_refused(
    client: TestClient, citizen: dict[str, str]
) -> None:
    body = {"uscc": "91420100000004711X", "name": "某公司"}
    _is_problem(client.post("/v1/organisations", json=body, headers=citizen), 422, "uscc-invalid")
    person = {
        "name": "某人",
        "resident_id_number": "420102199001151234",
        "username": "somebody.new",
        "password": PASSWORD,
    }
    problem = _is_problem(client.post("/v1/citizens", json=person), 422, "resident-id-number-invalid")
    assert "420102199001151234" not in json.dumps(problem)


def test_without_a_token_nobody_gets_in(client: TestClient) -> None:
    answer = client.get("/v1/seals")
    _is_problem(answer, 401, answer.json()["code"])
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_what_is_no_pdf_is_refused_with_its_own_code(client: TestClient, application: dict[str, str]) -> None:
    _is_problem(_seal(client, application, b"GIF89a"), 422, "document-not-pdf")
    _is_problem(_seal(client, application, build_pdf()[:-300]), 422, "document-truncated")


def test_a_document_over_the_limit_is_refused_while_it_arrives(
    client: TestClient, application: dict[str, str]
) -> None:
    _is_problem(_seal(client, application, b"%PDF-1.7\n" + b"0" * LIMIT), 413, "too-large")
    _is_problem(_seal(client, application, b"%PDF-1.7\n" + b"0" * (LIMIT * 3)), 413, "too-large")


def test_an_impression_off_the_page_is_refused(client: TestClient, application: dict[str, str]) -> None:
    _is_problem(_seal(client, application, build_pdf(), x_mm="209"), 422, "placement-off-page")
    _is_problem(_seal(client, application, build_pdf(), page="7"), 422, "placement-off-page")


def test_an_idempotency_key_is_needed_and_bound_to_its_body(
    client: TestClient, application: dict[str, str]
) -> None:
    document = build_pdf()
    missing = client.post(
        "/v1/seal-uses", headers=application, data={"item_code": ITEM}, files={"document": document}
    )
    _is_problem(missing, 422, "invalid-input")
    first = _seal(client, application, document)
    assert first.status_code == 201
    assert _seal(client, application, document).json()["id"] == first.json()["id"]
    _is_problem(_seal(client, application, document, x_mm="50"), 409, "idempotency-key-reused")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/seals/{seal}",
        "/v1/seals/{seal}/impression",
        "/v1/seals/{seal}/authorisations",
        "/v1/seal-requests/{request}",
        "/v1/seal-requests/{request}/impression",
        "/v1/seal-uses/{use}",
        "/v1/seal-uses/{use}/document",
    ],
)
def test_another_agencys_id_is_not_found(
    client: TestClient, house: House, desk: SealingAgency, path: str
) -> None:
    use = desk.seal_document(build_pdf()).use
    other = house.sealing_agency()
    names = house.room
    username = f"spy{other.agency.code.lower()}"
    invited = names.desk.staff.invite(
        other.administrator,
        name="间",
        resident_id_number=_number(),
        roles=other.officer.roles,
    )
    names.desk.enrolments.redeem(token=invited.link.token, username=username, password=PASSWORD)
    headers = {"Authorization": f"Bearer {names.sign_in(username).token}"}
    filled = path.format(seal=desk.seal.id, request=desk.seal.request_id, use=use.id)
    answer = client.get(filled, headers=headers)
    assert answer.status_code == 404
    assert answer.json()["code"].endswith("-unknown")


def test_a_nul_in_the_address_is_refused(client: TestClient) -> None:
    _is_problem(client.get("/v1/agencies/a%00b"), 400, "malformed")


def test_with_the_signer_away_the_answer_says_so_and_may_be_tried_again(
    client: TestClient, application: dict[str, str], desk: SealingAgency
) -> None:
    desk.seal_document(build_pdf())
    desk.house.signer.stop()
    problem = _is_problem(_seal(client, application, build_pdf()), 503, "signer-away")
    assert problem["retryable"] is True
    desk.house.signer.start()


def test_with_the_timestamp_authority_away_nothing_is_handed_out(
    client: TestClient, application: dict[str, str], desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.seal_document(build_pdf())

    def away(*_args: object, **_kwargs: object) -> bytes:
        raise SignerAway("gone")

    monkeypatch.setattr(StampingClient, "token", away)
    _is_problem(_seal(client, application, build_pdf()), 503, "seal-use-not-stamped")
    monkeypatch.undo()
    assert [e["outcome"] for e in desk.events("seal-use.completed")] == ["done"]


def test_with_the_object_store_away_no_use_is_counted(
    client: TestClient, application: dict[str, str], desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise ObjectStoreAway("the object store cannot be reached; try again later")

    monkeypatch.setattr(desk.house.services.objects, "put", away)
    _is_problem(_seal(client, application, build_pdf()), 503, "object-store-away")
    rows = desk.house.services.seals.reading.authorisations(desk.approver, desk.seal.id, after=None, limit=1)
    assert rows[0].uses_taken == 0


def test_with_the_database_away_the_answer_is_a_problem(house: House) -> None:
    app = create_app(house.services.settings, house.services)
    with TestClient(app, raise_server_exceptions=False) as client:
        house.services.database.close()
        broken = house.services.settings.database_url.replace("/house_", "/nowhere_")
        replaced = Database(broken)
        object.__setattr__(house.services.identity.authentication, "_ledger", _ledger_over(replaced, house))
        answer = client.get("/v1/seals", headers={"Authorization": "Bearer " + "a" * 43})
        _is_problem(answer, 503, "database-away")


def _ledger_over(database: Any, house: House) -> Any:
    services = house.services
    return Ledger(database, clock=services.clock, randomness=SystemRandomness(), ids=services.ids)


def _number() -> str:
    return resident_number(next(_numbers))
