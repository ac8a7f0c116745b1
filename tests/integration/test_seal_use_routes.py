"""Seal uses over HTTP: many in a request, digests, references, what is answered and to whom."""

import base64
import hashlib
import json
from typing import Any

import pytest
from httpx import Response

from identity.caller import Role, Scope
from seals.uses.batches import MAX_ITEMS
from tests.support.house import ITEM, House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.pdfs import build_pdf
from trust.crypto.cms import ParsedCms

DIGEST = hashlib.sha256(b"a document nobody here has seen").hexdigest()


@pytest.fixture
def desk(shared_house: House) -> SealingAgency:
    return shared_house.sealing_agency(digests=True)


@pytest.fixture
def edge(shared_house: House) -> HouseEdge:
    return HouseEdge(shared_house)


@pytest.fixture(scope="module")
def refused_desk(shared_house: House) -> SealingAgency:
    """One for all requests that come to nothing."""
    return shared_house.sealing_agency(digests=True)


@pytest.fixture(scope="module")
def refused_token(refused_desk: SealingAgency) -> str:
    return HouseEdge(refused_desk.house).system_of(refused_desk)


def send(edge: HouseEdge, token: str, items: object, *documents: bytes, key: str | None = None) -> Response:
    text = items if isinstance(items, str) else json.dumps(items)
    files = [
        ("documents", (f"{number}.pdf", each, "application/pdf")) for number, each in enumerate(documents)
    ]
    # httpx sends a form as multipart only where a file is in it.
    files = files or [("nothing", ("", b"", "application/octet-stream"))]
    headers = {} if key is None else {"Idempotency-Key": key}
    return edge.post("/v1/seal-uses/batches", token, data={"items": text}, files=files, headers=headers)


def item(**changes: Any) -> dict[str, Any]:
    return {"item_code": ITEM, "document": 0, "page": 1, "x_mm": 120, "y_mm": 40, **changes}


def refused(answer: Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text


def test_a_batch_is_answered_item_by_item_and_found_again(edge: HouseEdge, desk: SealingAgency) -> None:
    token = edge.system_of(desk)
    items = [item(), item(document=1, level="B-B", case_number="案 2"), item(document=2), item(x_mm=500)]
    answer = send(edge, token, items, build_pdf(text="one"), build_pdf(text="two"), b"no PDF", key="k")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert [each["state"] for each in made["items"]] == ["completed", "completed", "refused", "refused"]
    assert [each["refusal"] and each["refusal"]["code"] for each in made["items"]] == [
        None, None, "document-not-pdf", "placement-off-page",
    ]  # fmt: skip
    assert made["items"][1]["use"]["case_number"] == "案 2"
    assert made["items"][1]["use"]["level_reached"] == "B-B"
    for each in made["items"][:2]:
        document = edge.get(f"/v1/seal-uses/{each['use']['id']}/document", token)
        assert document.content.startswith(b"%PDF")
    again = send(edge, token, items, build_pdf(text="one"), build_pdf(text="two"), b"no PDF", key="k")
    assert again.json() == made
    assert edge.get(f"/v1/seal-batches/{made['id']}", token).json() == made
    operation = edge.get(f"/v1/operations/{made['id']}", token).json()
    assert operation == {"id": made["id"], "state": "done", "result": f"/v1/seal-batches/{made['id']}"}
    refused(
        send(edge, token, items, build_pdf(text="one"), build_pdf(text="2"), b"no PDF", key="k"),
        409, "idempotency-key-reused",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("items", "status", "code"),
    [
        ("", 422, "invalid-input"),
        ("{", 422, "invalid-input"),
        ("[" * 3000, 422, "invalid-input"),
        ({"item_code": ITEM}, 422, "invalid-input"),
        ([], 422, "seal-batch-refused"),
        ([item()] * (MAX_ITEMS + 1), 422, "seal-batch-refused"),
        ([item(document=1)], 422, "invalid-input"),
        ([item(document=-1)], 422, "invalid-input"),
        ([item(document=None)], 422, "invalid-input"),
        ([item(document_ref="sealuse_1")], 422, "invalid-input"),
        ([item(page=None)], 422, "invalid-input"),
        ([item(page=0.5)], 422, "invalid-input"),
        ([item(level="B-LTX")], 422, "invalid-input"),
        ([item(placement={"kind": "all-pages", "x_mm": 1, "y_mm": 1})], 422, "invalid-input"),
        ([item(page=None, x_mm=None, y_mm=None, placement={"kind": "nowhere"})], 422, "invalid-input"),
        ([item(when_timestamp_away="perhaps")], 422, "invalid-input"),
        ([item(case_number="a\x00b")], 422, "invalid-input"),
        ([item(unknown=1)], 422, "invalid-input"),
        ([item(case_number="\ud800")], 422, "invalid-input"),
        ([{"document": 0}], 422, "invalid-input"),
        ([[]], 422, "invalid-input"),
    ],
    ids=lambda value: str(value)[:40] if not isinstance(value, int) else "",
)
def test_what_is_no_list_of_items_is_refused_as_a_whole(
    edge: HouseEdge,
    refused_desk: SealingAgency,
    refused_token: str,
    items: object,
    status: int,
    code: str,
) -> None:
    refused(send(edge, refused_token, items, build_pdf()), status, code)
    assert refused_desk.uses_taken() == 0


def test_digests_are_answered_with_their_messages(edge: HouseEdge, desk: SealingAgency) -> None:
    token = edge.system_of(desk)
    body = {"item_code": ITEM, "digests": [DIGEST, DIGEST], "level": "B-B"}
    answer = edge.post("/v1/seal-uses/digests", token, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["kind"] == "digest"
    for each in answer.json()["items"]:
        cms = ParsedCms.parse(base64.b64decode(each["cms"]))
        assert cms.message_digest is not None
        assert cms.message_digest.hex() == each["use"]["digest"] == DIGEST
        assert each["use"]["original_sha256"] is None
        found = edge.get(f"/v1/seal-uses/{each['use']['id']}", token).json()
        assert (found["kind"], found["state"]) == ("digest", "completed")
        assert found["receipt"]["note"]
        refused(edge.get(f"/v1/seal-uses/{each['use']['id']}/document", token), 404, "seal-use-unknown")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"item_code": ITEM, "digests": []},
        {"item_code": ITEM, "digests": ["xyz"]},
        {"item_code": ITEM, "digests": [DIGEST.upper()]},
        {"item_code": ITEM, "digests": [DIGEST[:-1]]},
        {"item_code": ITEM, "digests": ["00" * 48]},
        {"item_code": ITEM, "digests": [DIGEST] * (MAX_ITEMS + 1)},
        {"item_code": ITEM, "digests": [DIGEST], "level": "B-LT"},
    ],
    ids=lambda body: str(body)[:50],
)
def test_what_is_no_list_of_digests_is_refused(
    edge: HouseEdge, refused_desk: SealingAgency, refused_token: str, body: dict[str, Any]
) -> None:
    answer = edge.post("/v1/seal-uses/digests", refused_token, json=body)
    assert answer.status_code == 422, answer.text
    assert refused_desk.uses_taken() == 0


def test_digests_need_an_authorisation_that_says_so_and_it_is_shown(
    edge: HouseEdge, shared_house: House
) -> None:
    desk = shared_house.sealing_agency()
    body = {"item_code": ITEM, "digests": [DIGEST]}
    refused(edge.post("/v1/seal-uses/digests", edge.system_of(desk), json=body), 403, "seal-digests-refused")
    approver = edge.staff(desk.agency, Role.SEAL_APPROVER, by=desk.administrator)
    path = f"/v1/seals/{desk.seal.id}/authorisations"
    assert [row["allows_digests"] for row in edge.get(path, approver).json()["items"]] == [False]
    granted = edge.post(
        path,
        approver,
        json={
            "application_id": desk.program.application.id, "item_code": ITEM,
            "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2099-01-01T00:00:00Z", "uses_allowed": 1,
            "allows_digests": True,
        },
    )  # fmt: skip
    assert granted.status_code == 201, granted.text
    assert granted.json()["allows_digests"] is True
    assert [event["content"]["allows_digests"] for event in desk.events("seal-authorisation.granted")] == [
        False, True,
    ]  # fmt: skip
    assert edge.post("/v1/seal-uses/digests", edge.system_of(desk), json=body).status_code == 201


def test_a_document_is_sealed_again_by_reference(edge: HouseEdge, desk: SealingAgency) -> None:
    token = edge.system_of(desk)
    first = desk.seal_document(build_pdf()).use
    form = {"item_code": ITEM, "document_ref": first.id, "page": "1", "x_mm": "20", "y_mm": "40"}
    again = edge.post("/v1/seal-uses", token, data=form)
    assert again.status_code == 201, again.text
    assert first.output is not None
    assert again.json()["original_sha256"] == first.output.sha256.hex()
    both = edge.post("/v1/seal-uses", token, data=form, files={"document": ("a.pdf", build_pdf())})
    refused(both, 422, "invalid-input")
    refused(edge.post("/v1/seal-uses", token, data={"item_code": ITEM}), 422, "invalid-input")


def test_another_agencys_document_and_batch_are_not_found(edge: HouseEdge, desk: SealingAgency) -> None:
    other = desk.house.sealing_agency()
    theirs, token = other.seal_document(build_pdf()).use.id, edge.system_of(desk)
    refused(
        edge.post("/v1/seal-uses", token, data={"item_code": ITEM, "document_ref": theirs}),
        404, "seal-use-unknown",
    )  # fmt: skip
    made = send(edge, edge.system_of(other), [item()], build_pdf()).json()
    for path in (f"/v1/seal-batches/{made['id']}", f"/v1/operations/{made['id']}"):
        refused(edge.get(path, token), 404, "seal-batch-unknown")
    answer = send(edge, token, [item(document=None, document_ref=theirs)]).json()
    assert answer["items"][0]["refusal"]["code"] == "seal-use-unknown"
    assert desk.uses_taken() == 0


@pytest.mark.parametrize("party", ["nobody", "citizen", "agent", "administrator", "staff", "no scope"])
def test_nobody_but_an_application_with_the_scope_uses_a_seal(
    edge: HouseEdge, desk: SealingAgency, party: str
) -> None:
    others = tuple(scope for scope in Scope if scope is not Scope.SEAL_USE)
    roles = (Role.SEAL_OFFICER, Role.SEAL_APPROVER, Role.LICENCE_OFFICER, Role.ARCHIVIST, Role.AUDITOR)
    token = {
        "nobody": lambda: "",
        "citizen": edge.citizen,
        "agent": edge.agent,
        "administrator": lambda: edge.staff(
            desk.agency, Role.AGENCY_ADMINISTRATOR, by=desk.house.room.administrator
        ),
        "staff": lambda: edge.staff(desk.agency, *roles, by=desk.administrator),
        "no scope": lambda: edge.application(desk.program, *others),
    }[party]()
    expected = 401 if party == "nobody" else 403
    answers = (
        send(edge, token, [item()], build_pdf()),
        edge.post("/v1/seal-uses/digests", token, json={"item_code": ITEM, "digests": [DIGEST]}),
        edge.post("/v1/seal-uses", token, data={"item_code": ITEM, "document_ref": "sealuse_1"}),
    )
    assert [answer.status_code for answer in answers] == [expected] * 3
    assert desk.uses_taken() == 0
