"""Seals at every level: what is appended, what is counted, and what happens when the authority goes away in between."""

from dataclasses import replace

import pytest

from seals.errors import DocumentNotStamped
from seals.model import SealUse, SealUseState, SignatureLevel, WhenTimestampAway
from seals.uses.documents import DocumentRef
from tests.support.house import House, SealingAgency
from tests.support.pdfs import Kind, build_pdf, seal
from tests.support.pki import TestPki
from trust.authority.errors import TimestampAuthorityAway
from trust.documents import pdf
from trust.kernel.report import Indication, Report
from trust.pki.trust_store import TrustStore

LASTING = [SignatureLevel.B_LT, SignatureLevel.B_LTA]


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


def judged(desk: SealingAgency, document: bytes, *, anchors_only: bool = False) -> Report:
    services = desk.house.services
    trust = services.trust.current()
    if anchors_only:
        trust = TrustStore(anchors=trust.anchors)
    return pdf.validate(document, trust=trust, at=services.clock.now())


def now_of(desk: SealingAgency, use: SealUse) -> SealUse:
    return desk.house.services.seals.reading.use(desk.application, use.id)


@pytest.mark.parametrize("level", LASTING)
def test_a_lasting_document_is_valid_for_whoever_has_nothing_but_the_root(
    desk: SealingAgency, level: SignatureLevel
) -> None:
    sealed = desk.seal_document(build_pdf(kind=Kind.STREAM), level=level)
    assert (sealed.use.level, sealed.use.level_reached) == (level, level)
    report = judged(desk, sealed.document, anchors_only=True)
    assert report.indication is Indication.VALID, report.reasons()
    assert report.parts[0].facts["level"] == level.value
    assert desk.uses_taken() == 1


def test_a_document_with_a_strangers_signature_is_sealed_to_the_highest_level(desk: SealingAgency) -> None:
    strangers = TestPki(now=desk.house.services.clock.now())
    document = seal(build_pdf(pages=2), strangers.leaf(), pki=strangers)
    sealed = desk.seal_document(document, level=SignatureLevel.B_LTA)
    assert sealed.document.startswith(document)
    own = [part for part in judged(desk, sealed.document).parts if part.subject == "Seal2"]
    assert [part.facts["level"] for part in own] == ["B-LTA"]


def test_a_lasting_document_is_sealed_again_and_both_seals_last(desk: SealingAgency) -> None:
    first = desk.seal_document(build_pdf(), level=SignatureLevel.B_LT, key="first")
    request = replace(
        desk.request(b"", key="second", level=SignatureLevel.B_LTA), document=DocumentRef(use_id=first.use.id)
    )
    second = desk.house.services.seals.seal_document(request, desk.application)
    report = judged(desk, second.document, anchors_only=True)
    assert report.indication is Indication.VALID, report.reasons()
    assert [part.facts["level"] for part in report.parts if part.kind == "pdf-signature"] == ["B-LTA"] * 2


def _goes_away_after(desk: SealingAgency, monkeypatch: pytest.MonkeyPatch, tokens: int) -> None:
    """The authority gives this many tokens more, then none."""
    authority, given = desk.house.services.timestamps, [0]
    real = authority.token

    def token(imprint: bytes) -> bytes:
        given[0] += 1
        if given[0] > tokens:
            raise TimestampAuthorityAway("the timestamp authority is away; try again later")
        return real(imprint)

    monkeypatch.setattr(authority, "token", token)


def test_an_authority_away_before_the_last_timestamp_abandons_or_delivers_less(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    _goes_away_after(desk, monkeypatch, 1)
    with pytest.raises(DocumentNotStamped):
        desk.seal_document(build_pdf(), key="strict", level=SignatureLevel.B_LTA)
    monkeypatch.undo()
    _goes_away_after(desk, monkeypatch, 1)
    delivered = desk.seal_document(
        build_pdf(), key="later", level=SignatureLevel.B_LTA, away=WhenTimestampAway.DELIVER_B_B
    )
    assert delivered.use.level_reached is SignatureLevel.B_T
    monkeypatch.undo()

    assert services.seals.stamp() == 1
    use = now_of(desk, delivered.use)
    assert (use.level_reached, use.state) == (SignatureLevel.B_LTA, SealUseState.COMPLETED)
    document = services.seals.reading.document(desk.application, use.id)
    assert document.startswith(delivered.document)
    report = judged(desk, document, anchors_only=True)
    assert report.indication is Indication.VALID, report.reasons()
    assert report.parts[0].facts["level"] == "B-LTA"


def test_what_was_delivered_bare_is_completed_to_the_level_that_was_wanted(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    _goes_away_after(desk, monkeypatch, 0)
    delivered = desk.seal_document(build_pdf(), level=SignatureLevel.B_LT, away=WhenTimestampAway.DELIVER_B_B)
    assert delivered.use.level_reached is SignatureLevel.B_B
    monkeypatch.undo()
    assert desk.house.services.seals.stamp() == 1
    assert now_of(desk, delivered.use).level_reached is SignatureLevel.B_LT
