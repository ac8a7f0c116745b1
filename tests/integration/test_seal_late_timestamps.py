"""The timestamp authority away: refused before anything is counted, resolved, or delivered and completed later."""

from collections.abc import Callable

import pytest

from api.worker import chores
from seals.errors import DocumentNotStamped, SealBroken, SealUseAbandoned
from seals.model import SealUse, SealUseState, SignatureLevel, WhenTimestampAway
from seals.uses import stamping
from tests.support.house import House, SealingAgency
from tests.support.identity import SetClock
from tests.support.pdfs import build_pdf
from trust.authority.errors import TimestampAuthorityAway
from trust.crypto.digests import sha256
from trust.documents import pdf
from trust.kernel.report import Indication, Report

LATER = WhenTimestampAway.DELIVER_B_B


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


@pytest.fixture
def away(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the authority away until the function given is called."""
    authority = house.services.timestamps

    def gone(*_args: object, **_more: object) -> bytes:
        raise TimestampAuthorityAway("the timestamp authority is away; try again later")

    for name in ("token", "tokens"):
        monkeypatch.setattr(authority, name, gone)
    return monkeypatch.undo


def judged(desk: SealingAgency, document: bytes) -> Report:
    services = desk.house.services
    return pdf.validate(document, trust=services.trust.current(), at=services.clock.now())


def now_of(desk: SealingAgency, use: SealUse) -> SealUse:
    return desk.house.services.seals.reading.use(desk.application, use.id)


def test_where_the_authority_is_known_to_be_away_nothing_is_counted(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise TimestampAuthorityAway("away")

    with monkeypatch.context() as patched:
        patched.setattr(desk.house.services.timestamps, "require_there", gone)
        with pytest.raises(TimestampAuthorityAway) as refused:
            desk.seal_document(build_pdf(), key="k")
        assert refused.value.retryable
        assert desk.uses_taken() == 0
        assert desk.seal_document(build_pdf(), level=SignatureLevel.B_B).use.state is SealUseState.COMPLETED
    assert desk.seal_document(build_pdf(), key="k").use.state is SealUseState.COMPLETED


def test_where_it_goes_away_in_the_middle_the_use_is_abandoned_at_once(
    desk: SealingAgency, away: Callable[[], None]
) -> None:
    with pytest.raises(DocumentNotStamped) as refused:
        desk.seal_document(build_pdf(), key="k")
    assert not refused.value.retryable, "the same key is answered by the abandoned use"
    assert desk.uses_taken() == 1
    (abandoned,) = desk.events("seal-use.abandoned")
    assert abandoned["actor_kind"] == "application"
    away()
    with pytest.raises(SealUseAbandoned):
        desk.seal_document(build_pdf(), key="k")
    assert desk.seal_document(build_pdf(), key="another").use.level_reached is SignatureLevel.B_T


def test_a_caller_who_chose_so_is_given_the_document_at_b_b_marked_as_such(
    desk: SealingAgency, away: Callable[[], None]
) -> None:
    sealed = desk.seal_document(build_pdf(), key="k", away=LATER)
    assert (sealed.use.level, sealed.use.level_reached) == (SignatureLevel.B_T, SignatureLevel.B_B)
    report = judged(desk, sealed.document)
    assert report.indication is Indication.VALID, report.reasons()
    assert report.parts[0].facts["level"] == "B-B"
    (completed,) = desk.events("seal-use.completed")
    assert completed["content"]["level_wanted"] == "B-T"
    assert completed["content"]["level_reached"] == "B-B"
    assert desk.seal_document(build_pdf(), key="k", away=LATER).document == sealed.document


def test_the_worker_completes_it_when_the_authority_is_back(
    desk: SealingAgency, away: Callable[[], None]
) -> None:
    services = desk.house.services
    delivered = desk.seal_document(build_pdf(), key="k", away=LATER)
    with pytest.raises(TimestampAuthorityAway):
        services.seals.stamp()
    assert now_of(desk, delivered.use).level_reached is SignatureLevel.B_B
    away()
    assert services.seals.stamp() == 1
    assert services.seals.stamp() == 0, "once and for good"

    use = now_of(desk, delivered.use)
    assert (use.level_reached, use.state) == (SignatureLevel.B_T, SealUseState.COMPLETED)
    assert use.stamped_at is not None
    document = services.seals.reading.document(desk.application, use.id)
    assert document.startswith(delivered.document)
    report = judged(desk, document)
    assert [(part.kind, part.indication) for part in report.parts] == [
        ("pdf-signature", Indication.VALID),
        ("pdf-document-timestamp", Indication.VALID),
    ]
    (stamped,) = desk.events("seal-use.stamped")
    assert stamped["subject"] == use.id
    assert stamped["content"]["output_sha256"] == sha256(document).hex()
    assert stamped["content"]["delivered_sha256"] == sha256(delivered.document).hex()
    assert desk.seal_document(build_pdf(), key="k", away=LATER).document == document, (
        "a retry gets the newest"
    )


def test_one_that_got_its_timestamp_owes_none(desk: SealingAgency) -> None:
    sealed = desk.seal_document(build_pdf(), away=LATER)
    assert sealed.use.level_reached is SignatureLevel.B_T
    assert desk.house.services.seals.stamp() == 0


def test_a_crash_after_the_completed_document_is_stored_leaves_it_to_be_taken_up(
    desk: SealingAgency, away: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    use = desk.seal_document(build_pdf(), away=LATER).use
    away()

    def die(*_args: object, **_more: object) -> None:
        raise RuntimeError("the process ended here")

    with monkeypatch.context() as patched:
        patched.setattr("seals.uses.repository.SealUses.stamp", die)
        with pytest.raises(RuntimeError):
            services.seals.stamp()
    assert now_of(desk, use).level_reached is SignatureLevel.B_B
    assert services.seals.stamp() == 1
    document = services.seals.reading.document(desk.application, use.id)
    assert judged(desk, document).indication is Indication.VALID


def test_a_completed_document_that_does_not_hold_is_dropped_and_made_again(
    desk: SealingAgency, away: Callable[[], None]
) -> None:
    services = desk.house.services
    delivered = desk.seal_document(build_pdf(), away=LATER)
    away()
    key = f"{desk.agency.id}/seal-uses/{delivered.use.id}/stamped.pdf"
    broken = services.objects.put(key, build_pdf(text="Another"))
    assert services.seals.stamp() == 1
    assert now_of(desk, delivered.use).level_reached is SignatureLevel.B_T
    document = services.seals.reading.document(desk.application, delivered.use.id)
    assert document.startswith(delivered.document)
    assert judged(desk, document).indication is Indication.VALID
    (kept,) = services.objects.versions(key)
    assert kept.version_id != broken.version_id


def test_one_that_cannot_be_completed_takes_no_token_in_every_pass(
    desk: SealingAgency, away: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    use = desk.seal_document(build_pdf(), away=LATER).use
    away()
    tries: list[object] = []

    def missing(*_args: object, **_more: object) -> bytes:
        tries.append(services.timestamps.token(sha256(b"drawn before the data is found missing")))
        raise pdf.ValidationDataMissing("the revocation data is not at hand")

    with monkeypatch.context() as patched:
        patched.setattr(pdf, "extend", missing)
        assert [services.seals.stamp() for _pass in range(3)] == [0, 0, 0]
    assert len(tries) == 1
    later = SetClock(services.clock.now() + stamping.TRIED_AGAIN_AFTER)
    monkeypatch.setattr(services.seals.stamp, "_clock", later)
    assert services.seals.stamp() == 1
    assert now_of(desk, use).level_reached is SignatureLevel.B_T


def test_an_output_without_its_timestamp_is_completed_after_a_crash_only_where_the_caller_chose_so(
    desk: SealingAgency, away: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services

    def die(*_args: object, **_more: object) -> None:
        raise RuntimeError("the process ended here")

    with monkeypatch.context() as patched:
        patched.setattr("seals.uses.seal_document.conclude_completed", die)
        with pytest.raises(RuntimeError):
            desk.seal_document(build_pdf(), away=LATER)
    (use,) = services.seals.reading.uses(desk.approver, seal_id=None, after=None, limit=10)
    services.seals.resolve._resolve(use)
    resolved = now_of(desk, use)
    assert (resolved.state, resolved.level_reached) == (SealUseState.COMPLETED, SignatureLevel.B_B)
    away()
    assert services.seals.stamp() == 1


def test_what_our_own_check_finds_below_its_level_is_not_handed_out(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealing = desk.house.services.seals.seal_document._sealing
    monkeypatch.setattr(sealing, "stamped", lambda cms: cms)
    with pytest.raises(SealBroken, match="at B-B, not at B-T"):
        desk.seal_document(build_pdf())


def test_the_worker_has_a_chore_for_it(house: House) -> None:
    assert "seal-uses.stamp" in {chore.name for chore in chores(house.services)}
