"""Proof bundles: given to whoever may read the thing, proven by nothing but the root and the ledger's key."""

import io
import json
import zipfile
from datetime import timedelta

import pytest

from api.bundles import contents
from api.bundles.desk import BundleBroken
from archive.codes import Retention
from archive.errors import RetrievalRefused
from identity.caller import Role, RoleMissing, Scope
from licences.model import HolderKind, IssueRequest, LicenceHolder
from seals.model import WhenTimestampAway
from tests.support.archive import RESULT, case_files, manifest_of, request_of
from tests.support.house import House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.identity import uscc
from tests.support.licence_faces import FIELDS
from tests.support.licences import PERMIT
from tests.support.pdfs import build_pdf
from trust.authority.errors import TimestampAuthorityAway
from trust.evidence.bundles.manifest import BundleKind
from trust.kernel.errors import YinxinError
from trust.kernel.report import Indication, Report
from trust.ledger.errors import EventNotFound
from trust.ledger.model import EventId
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

PERMIT_ITEM = "000115012000"


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


def test_a_document_stamped_later_is_proven_as_it_is_now(
    edge: HouseEdge, desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = edge.house.services

    def gone(*_args: object, **_more: object) -> bytes:
        raise TimestampAuthorityAway("away")

    with monkeypatch.context() as away:
        away.setattr(services.timestamps, "token", gone)
        use = desk.seal_document(build_pdf(text="decision"), away=WhenTimestampAway.DELIVER_B_B).use
    assert services.seals.stamp() >= 1
    services.sequencer.catch_up()
    with services.bundles.of_seal_use(desk.application, use.id) as file:
        report = verified(edge.house, file.read())
    assert report.indication is Indication.VALID, report.to_json()
    assert report.parts[-1].facts["act"] == "seal-use.stamped"


def test_a_licence_proves_itself_as_document_and_as_credential(edge: HouseEdge) -> None:
    house = edge.house
    desk = house.sealing_agency(item=PERMIT_ITEM)
    issued = house.services.licences.issue(
        IssueRequest(
            type_code=house.services.licences.types.named(PERMIT).code,
            holder=LicenceHolder(
                kind=HolderKind.LEGAL_PERSON, name="江城滨江建设开发有限公司", code=uscc(77)
            ),
            fields=FIELDS[PERMIT],
            case_number="2026-0001",
        ),
        desk.application,
        idempotency_key="bundle-licence",
    )
    house.services.sequencer.catch_up()
    token = edge.system_of(desk)
    answer = edge.get(f"/v1/licences/{issued.version.licence_id}/proof-bundle", token)
    assert answer.status_code == 200, answer.text
    report = verified(house, answer.content)
    assert report.indication is Indication.VALID, report.to_json()
    assert [part.kind for part in report.parts] == ["pdf", "sd-jwt-vc", "ledger-event"]

    house.services.licences.standing.cancel(issued.version.licence_id, desk.application, reason="注销")
    cancelled = edge.get(f"/v1/licences/{issued.version.licence_id}/proof-bundle", token)
    assert verified(house, cancelled.content).indication is Indication.INVALID


def test_an_archive_package_is_given_to_whose_request_covers_all_of_it(edge: HouseEdge) -> None:
    house = edge.house
    desk = house.sealing_agency()
    archivist = house.room.staff(desk.administrator, Role.ARCHIVIST)
    approver = house.room.staff(desk.administrator, Role.ARCHIVE_APPROVER)
    sealed_here = desk.seal_document(build_pdf(text="decision")).document
    archive, files = house.services.archive, case_files() | {RESULT: sealed_here}
    archive.scheme.define(
        archivist, fonds="A101", code="XZ", name_zh="行政许可", name_en="Permits",
        retention=Retention.THIRTY_YEARS, office="规划处", open_to_reuse=True,
    )  # fmt: skip
    record = archive.ingest(request_of(manifest_of(files), files), desk.application).record
    house.services.sequencer.catch_up()

    def request(*materials: str) -> str:
        asked = archive.retrievals.request(
            archivist, record.id, purpose="出证", materials=materials,
            until=house.services.clock.now() + timedelta(days=1),
        )  # fmt: skip
        return archive.retrievals.decide(approver, asked.id, approve=True, note="同意").id

    bundles, names = house.services.bundles, list(files)
    for covering in (None, request(*names[:-1])):
        with pytest.raises(RetrievalRefused):
            bundles.of_record(archivist, record.id, retrieval_request=covering)
    refusals = [event for event in desk.events("package.read") if event["outcome"] == "refused"]
    assert [event["reason"] for event in refusals] == ["retrieval-refused"] * 2

    with bundles.of_record(archivist, record.id, retrieval_request=request(*names)) as file:
        octets = file.read()
    report = verified(house, octets)
    assert report.indication is Indication.VALID, report.to_json()
    assert [part.kind for part in report.parts] == ["bagit", "timestamp", "ledger-event"]
    given = desk.events("proof-bundle.given")
    assert [event["content"] for event in given] == [{"kind": "package", "indication": "valid"}]


def test_an_event_is_given_to_the_agencys_auditors_alone(edge: HouseEdge) -> None:
    house = edge.house
    desk = house.sealing_agency()
    use = desk.seal_document(build_pdf(text="decision")).use
    house.services.sequencer.catch_up()
    assert use.event_id is not None
    auditor = house.room.staff(desk.administrator, Role.AUDITOR)
    with house.services.bundles.of_event(auditor, use.event_id) as file:
        report = verified(house, file.read())
    assert report.indication is Indication.VALID, report.to_json()
    assert report.parts[-1].facts["act"] == "seal-use.completed"

    others = house.room.staff(house.sealing_agency().administrator, Role.AUDITOR)
    for caller, error in (
        (desk.officer, RoleMissing),
        (desk.application, YinxinError),
        (others, EventNotFound),
    ):
        with pytest.raises(error):
            house.services.bundles.of_event(caller, use.event_id)
    refused = [event for event in house.room.events("proof-bundle.given") if event["outcome"] == "refused"]
    assert len([event for event in refused if event["subject"] == use.event_id]) == 3


def test_another_agencys_or_anothers_application_gets_no_bundle(edge: HouseEdge, desk: SealingAgency) -> None:
    use_id = sealed(edge.house, desk)
    path = f"/v1/seal-uses/{use_id}/proof-bundle"
    other = edge.house.sealing_agency()
    assert edge.get(path).status_code == 401
    assert edge.get(path, edge.citizen()).status_code in {403, 404}
    assert edge.get(path, edge.system_of(other)).status_code == 404
    colleague = edge.house.room.program(desk.administrator, *Scope)
    assert edge.get(path, edge.application(colleague)).status_code == 404


def test_before_the_ledger_covers_the_event_the_answer_is_to_ask_again(
    edge: HouseEdge, desk: SealingAgency
) -> None:
    use = desk.seal_document(build_pdf(text="decision")).use
    answer = edge.get(f"/v1/seal-uses/{use.id}/proof-bundle", edge.system_of(desk))
    assert (answer.status_code, answer.json()["code"]) == (409, "event-not-included-yet")


def test_what_the_ledger_does_not_name_is_not_given_out(edge: HouseEdge, desk: SealingAgency) -> None:
    """Whatever came to lie in a document's place, its bundle would prove nothing."""
    first, second = (desk.seal_document(build_pdf(text=text)) for text in ("decision", "another"))
    edge.house.services.sequencer.catch_up()
    bundles, use = edge.house.services.bundles, first.use
    gathered = [
        *contents.document(second.document),
        *contents.material(edge.house.services.trust.current()),
        *bundles._event(EventId(use.event_id or ""), of=[contents.DOCUMENT]),
    ]
    with pytest.raises(BundleBroken):
        bundles._given(desk.application, BundleKind.DOCUMENT, use.id, gathered, agency=desk.agency.id)
