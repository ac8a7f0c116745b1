"""The server is killed at every step by which many seal uses come of one request: documents, digests, hashes."""

import base64
import hashlib
import json
from collections import Counter
from typing import Any

import pytest

from api.demo.story import PERMIT_ITEM, in_days
from tests.support.kill_house import KillHouse, require_settled
from tests.support.kill_launcher import Procedure
from tests.support.killing import KillPoint
from tests.support.pdfs import build_pdf
from trust.documents import pdf
from trust.kernel.clock import SystemClock
from trust.kernel.report import Indication

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
BATCH = "seals.uses.seal_documents:SealDocuments.__call__"
DIGESTS = "seals.uses.sign_digests:SignDigests.__call__"
FINISH = "seals.uses.sign_digests:SignDigests._finish"
REMOTE = "seals.uses.activations:RemoteSigning.sign"
# Where the server dies, and what then has become of both uses: None where they were never intended. The steps before
# the first that writes and after the last that does are left to the tests of one use.
BATCH_DEATHS = {
    KillPoint(procedure=BATCH, step=3): None,
    # Everything of the transaction is there but its commit.
    KillPoint(procedure=BATCH, step=4, before="work.record_all"): None,
    KillPoint(procedure=BATCH, step=4): "abandoned",
    KillPoint(procedure=BATCH, step=5): "abandoned",
    # The outputs are stored, and nobody has said so.
    KillPoint(procedure=BATCH, step=6): "completed",
    KillPoint(procedure=BATCH, step=7): "completed",
}
DIGEST_DEATHS = {
    KillPoint(procedure=DIGESTS, step=2): None,
    KillPoint(procedure=DIGESTS, step=3): "abandoned",
    # Signed, and nobody has said so: nothing is stored for a digest.
    KillPoint(procedure=FINISH, before="self._conclude(signed"): "abandoned",
    KillPoint(procedure=DIGESTS, step=4): "completed",
}
REMOTE_DEATHS = {
    KillPoint(procedure=REMOTE, step=2, before="uses = self._digests.take_hashes"): None,
    KillPoint(procedure=REMOTE, step=2): "abandoned",
    KillPoint(procedure=REMOTE, step=3): "completed",
}
_ENDED = {"abandoned": "seal-use.abandoned", "completed": "seal-use.completed"}


def seal_both(house: KillHouse, key: str) -> dict[str, Any]:
    """Two one-page documents are sealed in one request."""
    items = [
        {"item_code": PERMIT_ITEM, "case_number": key, "document": number, "page": 1, "x_mm": 20, "y_mm": 20}
        for number in range(2)
    ]
    files = [
        ("documents", ("a.pdf", build_pdf(text=f"{key} {number}"), "application/pdf")) for number in range(2)
    ]
    return house.program.post(
        "/v1/seal-uses/batches", key=key, data={"items": json.dumps(items)}, files=files
    )


def sign_both(house: KillHouse, key: str) -> dict[str, Any]:
    """Two digests are signed in one request."""
    digests = [hashlib.sha256(f"{key} {number}".encode()).hexdigest() for number in range(2)]
    body = {"item_code": PERMIT_ITEM, "digests": digests, "case_number": key}
    return house.program.post("/v1/seal-uses/digests", body, key=key)


def hashes_of(key: str) -> list[str]:
    return [
        base64.b64encode(hashlib.sha256(f"{key} {number}".encode()).digest()).decode() for number in range(2)
    ]


def sign_hashes(
    house: KillHouse, key: str, credential: str, sad: str, *, status: int = 200
) -> dict[str, Any]:
    """Two activated hashes are signed as a CSC client asks."""
    body = {
        "credentialID": credential, "SAD": sad, "hash": hashes_of(key), "signAlgo": "1.2.840.10045.4.3.2",
        "clientData": key,
    }  # fmt: skip
    return house.program.post("/csc/v1/signatures/signHash", body, status=status)


def allow_digests(house: KillHouse) -> str:
    """An authorisation for digests beside the one for documents."""
    made = house.agency.staff["approver"].post(
        f"/v1/seals/{house.agency.seal_id}/authorisations",
        {
            "application_id": house.program.id, "item_code": PERMIT_ITEM, "valid_from": in_days(-1),
            "valid_until": in_days(90), "uses_allowed": 1000, "allows_digests": True,
        },
    )  # fmt: skip
    return str(made["id"])


def test_a_server_killed_at_any_step_of_many_uses_leaves_nothing_open_nothing_lost_and_nothing_twice(
    kill_house: KillHouse,
) -> None:
    for procedure, steps in ((BATCH, 8), (DIGESTS, 5), (REMOTE, 3)):
        assert len(Procedure.named(procedure).steps()) == steps, "a step was added: see where it has to die"
    credential = allow_digests(kill_house)
    batches = {death: f"batch-{number}" for number, death in enumerate(BATCH_DEATHS)}
    digests = {death: f"digests-{number}" for number, death in enumerate(DIGEST_DEATHS)}
    hashes = {death: f"hashes-{number}" for number, death in enumerate(REMOTE_DEATHS)}
    sads = {
        key: kill_house.program.post(
            "/csc/v1/credentials/authorize",
            {"credentialID": credential, "numSignatures": 2, "hash": hashes_of(key)},
            status=200,
        )["SAD"]
        for key in hashes.values()
    }

    for death, key in batches.items():
        kill_house.die_at(death, seal_both, key)
    for death, key in digests.items():
        kill_house.die_at(death, sign_both, key)
    for death, key in hashes.items():
        kill_house.die_at(death, sign_hashes, key, credential, sads[key])
    kill_house.come_back()

    for death, key in batches.items():
        _require_both(kill_house, death, key, BATCH_DEATHS[death], seal_both(kill_house, key))
    for death, key in digests.items():
        answer = sign_both(kill_house, key)
        _require_both(kill_house, death, key, DIGEST_DEATHS[death], answer)
        signed = DIGEST_DEATHS[death] != "abandoned"
        assert [bool(item["cms"]) for item in answer["items"]] == [signed] * 2, death
    for death, key in hashes.items():
        unspent = REMOTE_DEATHS[death] is None
        sign_hashes(kill_house, key, credential, sads[key], status=200 if unspent else 400)
        _require_told(kill_house, death, key, REMOTE_DEATHS[death] or "completed")
    counted = kill_house.row("SELECT sum(uses_taken) AS uses FROM seals.seal_authorisations")
    assert counted == kill_house.row("SELECT count(*) AS uses FROM seals.seal_uses")
    require_settled(kill_house)


def _require_both(
    house: KillHouse, death: KillPoint, key: str, outcome: str | None, answer: dict[str, Any]
) -> None:
    """A retry finds one batch whose two uses ended alike, and what they made is valid."""
    state = outcome or "completed"
    assert [item["state"] for item in answer["items"]] == [state] * 2, death
    _require_told(house, death, key, state)
    if answer["kind"] == "document" and state == "completed":
        for item in answer["items"]:
            sealed = house.program.get(f"/v1/seal-uses/{item['use']['id']}/document").content
            report = pdf.validate(sealed, trust=house.trust(), at=SystemClock().now())
            assert report.indication is Indication.VALID, report.to_json()


def _require_told(house: KillHouse, death: KillPoint, key: str, state: str) -> None:
    """Two uses, each intended once and ended once."""
    uses = house.rows("SELECT id FROM seals.seal_uses WHERE case_number = %(key)s", key=key)
    assert len(uses) == 2, death
    for use in uses:
        told = house.acts(use["id"])
        told.pop("seal-use.read", None)
        assert told == Counter(["seal-use.intended", _ENDED[state]]), death
