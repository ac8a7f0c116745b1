"""Sealing a document with the real parts: the procedure, its races, its refusals, its resolution."""

import threading
from collections import Counter
from datetime import timedelta

import pytest

from seals.errors import (
    AuthorisationRefused,
    SealBroken,
    SealNotUsable,
    SealUseAbandoned,
    SealUseInProgress,
    SealUsesExhausted,
)
from seals.model import SealUseState
from tests.support.house import ITEM, House, SealingAgency
from tests.support.pdfs import build_pdf
from trust.documents import pdf
from trust.documents.pdf import DocumentNotPdf, Placement, PlacementOffPage
from trust.kernel.report import Indication
from trust.keys.errors import SignerAway
from trust.storage.idempotency import IdempotencyKeyReused


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


def test_a_sealed_document_is_valid_to_a_stranger_with_our_anchors(desk: SealingAgency) -> None:
    sealed = desk.seal_document(build_pdf())
    services = desk.house.services
    report = pdf.validate(sealed.document, trust=services.trust.current(), at=services.clock.now())
    assert report.indication is Indication.VALID, report.reasons()
    assert report.parts[0].facts["level"] == "B-T"
    assert sealed.use.state is SealUseState.COMPLETED
    output = sealed.use.output
    assert output is not None
    assert services.objects.get(output.key, output.version) == sealed.document


def test_without_revocation_lists_the_answer_is_cannot_tell(desk: SealingAgency) -> None:
    sealed = desk.seal_document(build_pdf())
    services = desk.house.services
    trust = services.trust.current().without_revocation()
    report = pdf.validate(sealed.document, trust=trust, at=services.clock.now())
    assert report.indication is Indication.CANNOT_TELL


def test_a_document_sealed_twice_keeps_both_signatures_valid(desk: SealingAgency) -> None:
    once = desk.seal_document(build_pdf()).document
    twice = desk.seal_document(once, placement=Placement(page=1, x_mm=20, y_mm=40)).document
    services = desk.house.services
    report = pdf.validate(twice, trust=services.trust.current(), at=services.clock.now())
    assert [part.indication for part in report.parts] == [Indication.VALID, Indication.VALID]
    assert twice.startswith(once)


def test_the_same_key_and_body_get_the_same_use(desk: SealingAgency) -> None:
    document = build_pdf()
    first = desk.seal_document(document, key="once")
    second = desk.seal_document(document, key="once")
    assert (first.use.id, first.document) == (second.use.id, second.document)


def test_the_same_key_with_another_body_is_refused(desk: SealingAgency) -> None:
    desk.seal_document(build_pdf(), key="once")
    with pytest.raises(IdempotencyKeyReused):
        desk.seal_document(build_pdf(text="Another"), key="once")


def test_the_last_use_is_taken_once_when_two_requests_race(house: House) -> None:
    desk = house.sealing_agency(uses=1)
    document = build_pdf()
    outcomes: list[str] = []

    def seal() -> None:
        try:
            outcomes.append(desk.seal_document(document).use.state.value)
        except SealUsesExhausted as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=seal) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(outcomes) == Counter(["completed", "seal-uses-exhausted"])
    assert len(house.room.events("seal-use.completed")) == 1
    refused = [e for e in house.room.events("seal-use.intended") if e["outcome"] == "refused"]
    assert len(refused) == 1


def test_a_seal_for_another_item_is_refused_and_the_refusal_kept(desk: SealingAgency) -> None:
    with pytest.raises(AuthorisationRefused):
        desk.seal_document(build_pdf(), item="OTHER")
    kept = [e for e in desk.house.room.events("seal-use.intended") if e["outcome"] == "refused"]
    assert [event["reason"] for event in kept] == ["seal-authorisation-refused"]


@pytest.mark.parametrize("act", ["suspend", "revoke"])
def test_a_seal_that_is_not_active_is_not_used(desk: SealingAgency, act: str) -> None:
    life = desk.house.services.seals.life
    getattr(life, act)(desk.approver, desk.seal.id, reason="遗失")
    with pytest.raises(SealNotUsable):
        desk.seal_document(build_pdf())


def test_what_is_not_a_pdf_is_refused_before_a_use_is_counted(desk: SealingAgency) -> None:
    with pytest.raises(DocumentNotPdf):
        desk.seal_document(b"not a PDF at all")
    assert _uses_taken(desk) == 0


def test_an_impression_off_the_page_is_refused_before_a_use_is_counted(desk: SealingAgency) -> None:
    with pytest.raises(PlacementOffPage):
        desk.seal_document(build_pdf(), placement=Placement(page=1, x_mm=200, y_mm=40))
    assert _uses_taken(desk) == 0


def test_with_the_signer_away_nothing_is_counted(desk: SealingAgency) -> None:
    document = build_pdf()
    desk.seal_document(document)
    desk.house.signer.stop()
    with pytest.raises(SignerAway):
        desk.seal_document(document, key="away")
    assert _uses_taken(desk) == 1
    desk.house.signer.start()
    assert desk.seal_document(document, key="away").use.state is SealUseState.COMPLETED


def test_with_the_signer_gone_in_the_middle_the_use_is_abandoned_but_counted(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    document = build_pdf()

    def gone(_subject: str) -> bytes:
        raise SignerAway("the signer went away after the intent")

    with monkeypatch.context() as patched:
        patched.setattr(services.signer, "sign_cms", gone)
        with pytest.raises(SignerAway):
            desk.seal_document(document, key="away")
        with pytest.raises(SealUseInProgress):
            desk.seal_document(document, key="away")
    _pass_the_lease(desk)
    assert services.seals.resolve() == 1
    with pytest.raises(SealUseAbandoned):
        desk.seal_document(document, key="away")
    assert _uses_taken(desk) == 1


def test_a_replaced_output_is_not_handed_out(desk: SealingAgency, monkeypatch: pytest.MonkeyPatch) -> None:
    document = build_pdf()
    desk.seal_document(document, key="once")
    monkeypatch.setattr(desk.house.services.objects, "get", lambda *_args: build_pdf(text="Another"))
    with pytest.raises(SealBroken):
        desk.seal_document(document, key="once")


def test_a_later_authorisation_does_not_stand_in_the_way_of_the_present_one(desk: SealingAgency) -> None:
    services = desk.house.services
    now = services.clock.now()
    services.seals.authorisations.grant(
        desk.approver,
        desk.seal.id,
        application_id=desk.program.application.id,
        item_code=ITEM,
        valid_from=now + timedelta(days=20),
        valid_until=now + timedelta(days=50),
        uses_allowed=1,
    )
    assert desk.seal_document(build_pdf()).use.state is SealUseState.COMPLETED


def test_an_output_that_is_there_and_intended_is_completed_by_the_worker(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    document = build_pdf()

    def die(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the process ended here")

    with monkeypatch.context() as patched:
        patched.setattr("seals.uses.seal_document.conclude_completed", die)
        with pytest.raises(RuntimeError):
            desk.seal_document(document, key="late")
    _pass_the_lease(desk)
    assert services.seals.resolve() == 1
    again = desk.seal_document(document, key="late")
    assert again.use.state is SealUseState.COMPLETED
    assert services.seals.resolve() == 0


def _uses_taken(desk: SealingAgency) -> int:
    rows = desk.house.services.seals.reading.authorisations(desk.approver, desk.seal.id, after=None, limit=10)
    return sum(row.uses_taken for row in rows)


def _pass_the_lease(desk: SealingAgency) -> None:
    """Waits until the two seconds of the lease are over."""
    services = desk.house.services
    until = services.clock.now() + timedelta(seconds=2.1)
    while services.clock.now() < until:
        threading.Event().wait(0.1)
