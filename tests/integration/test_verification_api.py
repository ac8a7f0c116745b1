"""POST /v1/verifications: anybody's file gets a report, in words, without signing in."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from api.settings import Settings
from api.verification.pool import VerificationPool
from tests.support.house import House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.pages import issue_permit, pages_alone
from tests.support.pdfs import build_pdf

PATH = "/v1/verifications"


@pytest.fixture
def edge(house: House) -> HouseEdge:
    return HouseEdge(house)


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The route alone, with nothing to be trusted."""
    pool = VerificationPool(size=1)
    app = pages_alone(tmp_path_factory.mktemp("alone"), pool)
    yield TestClient(app, raise_server_exceptions=False)
    pool.close()


def verify(edge: HouseEdge, octets: bytes, name: str = "decision.pdf", **more: Any) -> dict[str, Any]:
    return verified(edge.client, octets, name, **more)


def verified(client: TestClient, octets: bytes, name: str, **more: Any) -> dict[str, Any]:
    answer: Response = client.post(PATH, files={"file": (name, octets)}, **more)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def test_a_sealed_document_is_verified_and_words_come_with_the_codes(
    edge: HouseEdge, desk: SealingAgency
) -> None:
    sealed = desk.seal_document(build_pdf()).document
    report = verify(edge, sealed)
    assert (report["indication"], report["indication_text"]) == ("valid", "有效")
    assert (report["language"], report["subject"]) == ("zh-Hans", "decision.pdf")
    (signature,) = report["parts"]
    assert signature["facts"]["level"] == "B-T"
    assert signature["fact_titles"]["signer"] == "签名者"
    english = verify(edge, sealed, headers={"Accept-Language": "fr, en;q=0.8, zh;q=0.2"})
    assert english["indication_text"] == "Valid"
    assert verify(edge, sealed, params={"language": "en"})["language"] == "en"


def test_a_changed_document_is_invalid_and_one_from_the_future_is_not_valid(
    edge: HouseEdge, desk: SealingAgency
) -> None:
    sealed = desk.seal_document(build_pdf()).document
    changed = sealed.replace(b"Td", b"td", 1)
    report = verify(edge, changed, params={"language": "en"})
    assert report["indication"] == "invalid"
    failed = [check for check in report["parts"][0]["checks"] if check["outcome"] == "failed"]
    assert ("digest", "HASH_FAILURE") in [(check["code"], check["sub_indication"]) for check in failed]
    assert all(check["reason"] for check in failed)

    report = verify(edge, sealed, data={"at": "2020-01-01T00:00:00Z"})
    assert report["indication"] != "valid"
    assert report["verified_at"] == "2020-01-01T00:00:00Z"


def test_a_licence_and_its_credential_are_verified_with_their_status(
    edge: HouseEdge, desk: SealingAgency
) -> None:
    licence = issue_permit(desk)
    services = desk.house.services
    with services.ledger.read() as work:
        token = services.licences.issue._reader.credential(work, licence.version)
    assert token is not None
    report = verify(edge, token.encode(), "licence.sd-jwt")
    assert (report["kind"], report["indication"]) == ("sd-jwt-vc", "valid")
    services.licences.standing.suspend(licence.version.licence_id, desk.application, reason="信息有误")
    report = verify(edge, token.encode(), "licence.sd-jwt", params={"language": "en"})
    assert report["indication"] == "invalid"
    assert "SUSPENDED" in {check["sub_indication"] for check in report["checks"]}


def test_with_the_signer_away_documents_are_verified_as_ever(edge: HouseEdge, desk: SealingAgency) -> None:
    sealed = desk.seal_document(build_pdf()).document
    issue_permit(desk)
    desk.house.signer.stop()
    assert verify(edge, sealed)["indication"] == "valid"


@pytest.mark.parametrize(
    ("octets", "name"),
    [(b"", ""), (b"hello", "letter.docx"), (b"\x00" * 5000, "a.pdf"), (b"%PDF-1.7 but not", "\ud800.pdf")],
)
def test_whatever_is_sent_gets_a_report(client: TestClient, octets: bytes, name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    report = verified(client, octets, name or "file")
    assert report["indication"] in {"cannot_tell", "invalid"}


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({}, 422, "invalid-input"),
        ({"data": {"file": "no file"}}, 422, "invalid-input"),
        ({"files": {"file": ("a", b"x")}, "data": {"at": "yesterday"}}, 422, "invalid-input"),
        ({"files": {"file": ("a", b"x")}, "data": {"at": "2026-11-22T08:00:00"}}, 422, "invalid-input"),
        ({"files": {"file": ("a", b"x")}, "params": {"language": "fr"}}, 422, "invalid-input"),
    ],
)
def test_what_is_not_as_documented_is_refused(
    client: TestClient, sent: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(PATH, **sent)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_file_over_the_limit_is_refused(client: TestClient) -> None:
    limit = Settings().max_document_bytes
    answer = client.post(PATH, files={"file": ("large.pdf", bytes(limit + 1))})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_the_route_is_documented_as_open_to_anybody(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    operation = schema["paths"][PATH]["post"]
    assert "security" not in operation
    assert set(operation["requestBody"]["content"]) == {"multipart/form-data"}
    assert json.dumps(operation["responses"]["200"]).count("VerificationAnswer") == 1
