"""The archive's routes over HTTP: what goes in, what comes out, and what bad input gets."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from api import problems
from api.receipts import EventReceipts
from api.v1 import archive_classes, material_reuses, records, retrievals
from identity.caller import Caller
from identity.errors import TokenRefused
from tests.support.archive import (
    APPLICATION,
    DRAWING,
    PLANNING,
    ArchiveRoom,
    case_files,
    manifest_of,
    zip_of,
)
from tests.support.ledger import ORIGIN, NoteSigner
from tests.support.uncounted import UNCOUNTED
from trust.ledger.receipts import ReceiptDesk
from trust.storage.database import Database

LIMIT = 2 * 1024 * 1024


class Office:
    """The archive's routes, and nothing else, as a server; tokens are the parties' names."""

    def __init__(self, room: ArchiveRoom) -> None:
        self.room = room
        signer = NoteSigner()
        app = FastAPI()
        app.state.services = SimpleNamespace(
            archive=room.desk,
            identity=SimpleNamespace(authentication=self),
            supervision=UNCOUNTED,
            receipts=EventReceipts(
                ledger=room.ledger, desk=ReceiptDesk(signer=signer, origin=ORIGIN, keys=(signer.key,))
            ),
            settings=SimpleNamespace(max_package_bytes=LIMIT),
        )
        problems.install(app)
        for module in (archive_classes, records, retrievals, material_reuses):
            app.include_router(module.router)
        self.client = TestClient(app, raise_server_exceptions=False)

    def authenticate(self, token: str) -> Caller:
        agency, _, who = token.partition(".")
        staff = {"planning": self.room.planning, "archives": self.room.archives}.get(agency)
        caller = getattr(staff, who, None)
        if not isinstance(caller, Caller):
            raise TokenRefused
        return caller

    def get(self, path: str, token: str, *, expect: int = 200) -> Response:
        return checked(self.client.get(path, headers=bearer(token)), expect)

    def post(self, path: str, token: str, body: Mapping[str, Any], *, expect: int = 201) -> dict[str, Any]:
        return dict(checked(self.client.post(path, json=body, headers=bearer(token)), expect).json())

    def ingest(
        self,
        token: str = "planning.system",
        *,
        files: Mapping[str, bytes] | None = None,
        manifest: str | None = None,
        package: bytes | None = None,
        key: str | None = "key-1",
        expect: int = 201,
    ) -> dict[str, Any]:
        files = case_files() if files is None else files
        text = manifest if manifest is not None else json.dumps(manifest_of(files), ensure_ascii=False)
        parts: list[tuple[str, Any]] = [("files", (name, data)) for name, data in files.items()]
        if package is not None:
            parts = [("package", ("case.zip", package))]
        headers = bearer(token) | ({} if key is None else {"Idempotency-Key": key})
        answer = self.client.post("/v1/records", data={"manifest": text}, files=parts, headers=headers)
        return dict(checked(answer, expect).json())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def checked(answer: Response, expect: int) -> Response:
    assert answer.status_code == expect, answer.text
    if expect >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    return answer


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(ArchiveRoom.open(database, tmp_path / "store"))


def test_a_case_is_archived_looked_up_and_read_under_an_approved_request(office: Office) -> None:
    made = office.ingest()
    assert made["archival_code"] == "Z109-XZ·2026·D30·规划处-0001"
    assert made["state"] == "registered"
    assert made["receipt"]["event_id"] == made["event_id"]
    assert made["timestamp"]["pending"] is False
    assert [material["name"] for material in made["materials"]] == list(case_files())

    page = office.get("/v1/records?title=某某项目&year=2026", "planning.archivist").json()
    assert [row["id"] for row in page["items"]] == [made["id"]]
    assert office.get(f"/v1/records/{made['id']}", "planning.auditor").json()["reused"] == []
    token = office.get(f"/v1/records/{made['id']}/timestamp", "planning.archivist")
    assert token.headers["content-type"] == "application/vnd.etsi.timestamp-token"

    until = office.room.clock.now().replace(year=2027, month=1).isoformat()
    asked = office.post(
        "/v1/retrieval-requests",
        "planning.archivist",
        {"record_id": made["id"], "purpose": "核对", "materials": [APPLICATION], "until": until},
    )
    content = f"/v1/records/{made['id']}/materials/{quote(APPLICATION)}"
    refused = office.get(f"{content}?retrieval_request={asked['id']}", "planning.archivist", expect=403)
    assert refused.json()["code"] == "retrieval-refused"
    approvals = f"/v1/retrieval-requests/{asked['id']}/approvals"
    assert office.post(approvals, "planning.approver", {"note": "同意"})["state"] == "approved"
    assert office.get(f"/v1/retrieval-requests/{asked['id']}", "planning.auditor").json()["note"] == "同意"

    read = office.get(f"{content}?retrieval_request={asked['id']}", "planning.archivist")
    assert read.content == case_files()[APPLICATION]
    assert read.headers["content-type"] == "application/json"
    assert read.headers["cache-control"] == "no-store"
    assert read.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E7%94%B3")
    assert office.get(content, "planning.archivist", expect=403).json()["code"] == "retrieval-refused"


def test_a_request_is_declined(office: Office) -> None:
    made = office.ingest()
    body = {
        "record_id": made["id"],
        "purpose": "核对",
        "materials": [APPLICATION],
        "until": office.room.clock.now().replace(month=12).isoformat(),
    }
    asked = office.post("/v1/retrieval-requests", "planning.archivist", body)
    refusals = f"/v1/retrieval-requests/{asked['id']}/refusals"
    assert office.post(refusals, "planning.approver", {"note": "不妥"})["state"] == "declined"
    again = office.post(refusals, "planning.approver", {"note": "不妥"}, expect=409)
    assert again["code"] == "state-refused"
    page = office.get("/v1/retrieval-requests", "planning.archivist").json()
    assert [row["state"] for row in page["items"]] == ["declined"]


def test_another_agencys_case_reuses_a_material(office: Office) -> None:
    made = office.ingest()
    body = {
        "archival_code": made["archival_code"],
        "material": DRAWING,
        "case_number": "4201-2026-000456",
        "purpose": "办理档案利用",
        "basis": "consent",
        "basis_reference": "同意书",
    }
    reuse = office.post("/v1/material-reuses", "archives.system", body)
    content = office.get(f"/v1/material-reuses/{reuse['id']}/content", "archives.system")
    digest = hashlib.sha256(content.content)
    assert reuse["sha256"] == reuse["proof"]["material"]["sha256"] == digest.hexdigest()
    assert content.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert reuse["proof"]["package_sha256"] == made["package_sha256"]
    assert reuse["proof"]["event_id"] == made["event_id"]
    assert base64.b64decode(reuse["proof"]["timestamp"])
    assert office.get(f"/v1/material-reuses/{reuse['id']}", "planning.archivist").json() == reuse
    assert len(office.get("/v1/material-reuses", "archives.auditor").json()["items"]) == 1
    missing = office.post("/v1/material-reuses", "archives.system", {**body, "material": "x"}, expect=404)
    assert missing["code"] == "material-unknown"
    office.post("/v1/material-reuses", "archives.system", {**body, "basis": "because"}, expect=422)


def test_classes_are_defined_and_listed(office: Office) -> None:
    body = {
        "fonds": "Z109",
        "code": "ZF",
        "name_zh": "执法",
        "name_en": "Enforcement",
        "retention": "D10",
        "office": "执法队",
    }
    made = office.post("/v1/archive-classes", "planning.archivist", body)
    assert made["open_to_reuse"] is False
    listed = office.get("/v1/archive-classes", "planning.system").json()["items"]
    assert [row["code"] for row in listed] == ["XZ", "ZF"]
    assert office.post("/v1/archive-classes", "planning.archivist", body, expect=409)["code"] == (
        "archive-class-exists"
    )
    assert office.post("/v1/archive-classes", "planning.archivist", {**body, "fonds": "z"}, expect=422)
    assert office.post("/v1/archive-classes", "planning.approver", body, expect=403)["code"] == "role-missing"


def test_the_same_key_is_answered_alike_and_another_body_refused(office: Office) -> None:
    first = office.ingest()
    assert office.ingest() == first
    zipped = office.ingest(package=zip_of(case_files()), expect=409)
    assert zipped["code"] == "idempotency-key-reused"
    assert office.ingest(key=None, expect=422)["code"] == "invalid-input"


def test_bad_submissions_get_problems_with_stable_codes(office: Office) -> None:
    manifest = manifest_of(case_files())
    manifest["materials"][0]["sha256"] = "0" * 64
    refused = office.ingest(manifest=json.dumps(manifest), expect=422)
    assert refused["code"] == "submission-refused"
    assert refused["errors"][0]["pointer"] == "/materials/0/sha256"
    assert office.ingest(manifest="{", expect=422)["code"] == "manifest-refused"
    assert office.ingest(package=b"no zip", expect=422)["code"] == "zip-malformed"
    bomb = zip_of({"a.json": bytes(64 * 1024 * 1024)}, compressed=True)
    assert office.ingest(package=bomb, expect=413)["code"] == "zip-bomb"
    large = {"a.txt": b"a" * (LIMIT + 1)}
    assert office.ingest(files=large, expect=413)["code"] == "submission-too-large"
    assert office.ingest(token="planning.archivist", expect=403)["code"] == "scope-missing"
    assert office.ingest(token="nobody", expect=401)["code"]
    assert office.room.count("records") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/v1/records/{id}",
        "/v1/records/{id}/timestamp",
        "/v1/records/{id}/materials/x",
        "/v1/retrieval-requests/retrieval_1",
        "/v1/material-reuses/reuse_1",
    ],
)
def test_another_agencys_id_is_unknown(office: Office, path: str) -> None:
    made = office.ingest()
    office.get(path.format(id=made["id"]), "archives.archivist", expect=404)
    office.get("/v1/records/rec_1", "planning.archivist", expect=404)


def test_a_pending_timestamp_is_said_to_be_pending(office: Office) -> None:
    office.room.timestamps.away = True
    made = office.ingest()
    assert made["timestamp"] == {"pending": True, "gen_time": None}
    office.get(f"/v1/records/{made['id']}/timestamp", "planning.archivist", expect=404)
    assert office.room.planning.agency_id == PLANNING


def test_looking_for_what_cannot_be_is_refused(office: Office) -> None:
    assert office.get("/v1/records?title=%00", "planning.archivist", expect=422).json()["code"]
    assert office.get("/v1/records?year=1", "planning.archivist", expect=422)
    assert office.get("/v1/records?after=%2e%2e", "planning.archivist", expect=422)
