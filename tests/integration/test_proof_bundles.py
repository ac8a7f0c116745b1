"""Proof bundles: given to whoever may read the thing, proven by nothing but the root and the ledger's key."""

import io
import json
import zipfile

import pytest

from tests.support.house import House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.pdfs import build_pdf
from trust.kernel.report import Indication, Report
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes


@pytest.fixture
def desk(shared_house: House) -> SealingAgency:
    return shared_house.sealing_agency()


@pytest.fixture
def edge(shared_house: House) -> HouseEdge:
    return HouseEdge(shared_house)


def stranger(house: House) -> TrustStore:
    """What somebody has who knows the root and the ledger's key, and nothing else of the house."""
    current = house.services.trust.current()
    return TrustStore(anchors=current.anchors, ledger_keys=current.ledger_keys)


def verified(house: House, bundle: bytes, **changes: object) -> Report:
    at = changes.pop("at", house.services.clock.now())
    trust = changes.pop("trust", stranger(house))
    return verify_bytes(bundle, name="bundle.zip", trust=trust, at=at)  # type: ignore[arg-type]


def sealed(house: House, desk: SealingAgency) -> str:
    use = desk.seal_document(build_pdf(text="decision")).use
    house.services.sequencer.catch_up()
    return use.id


def test_a_sealed_document_proves_itself_to_a_stranger(edge: HouseEdge, desk: SealingAgency) -> None:
    use_id = sealed(edge.house, desk)
    answer = edge.get(f"/v1/seal-uses/{use_id}/proof-bundle", edge.system_of(desk))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    report = verified(edge.house, answer.content)
    assert report.indication is Indication.VALID, report.to_json()
    assert [part.kind for part in report.parts] == ["pdf", "ledger-event"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        manifest = json.loads(archive.read("yinxin-bundle.json"))
        assert "yinxin verify" in archive.read("README.html").decode()
    assert manifest["kind"] == "document"
    assert {
        "object",
        "signature",
        "timestamp",
        "certificate",
        "crl",
        "event",
        "event-content",
        "ledger-proof",
    } <= {member["role"] for member in manifest["members"]}
