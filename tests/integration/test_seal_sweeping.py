"""No document stays in the store without a use that answers for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.worker import chores
from seals.errors import AuthorisationRefused, SealUseLost, SealUsesExhausted
from seals.ids import SealUseId
from seals.model import SealUseState
from seals.uses.documents import DocumentToSeal
from seals.uses.seal_document import SealDocument
from seals.uses.seal_documents import BatchRequest
from seals.uses.sweeping import UNINTENDED_FOR, SweepSealUses
from tests.support.house import House, SealingAgency
from tests.support.identity import SetClock
from tests.support.pdfs import build_pdf
from trust.crypto.digests import sha256
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.storage.errors import DatabaseAway
from trust.storage.idempotency import IdempotencyKeyReused


@pytest.fixture
def desk(shared_house: House) -> SealingAgency:
    return shared_house.sealing_agency(uses=1)


@pytest.fixture
def clock(desk: SealingAgency) -> SetClock:
    return SetClock(desk.house.services.clock.now())


@pytest.fixture
def sweep(desk: SealingAgency, clock: SetClock) -> SweepSealUses:
    return SweepSealUses(
        ledger=desk.house.services.ledger,
        objects=desk.house.services.objects,
        clock=clock,
        lease=timedelta(seconds=2),
    )


def kept(desk: SealingAgency) -> list[str]:
    """The names of what lies in the store for the agency's uses."""
    listed = desk.house.services.objects.list(f"{desk.agency.id}/seal-uses/")
    return [stored.key.rpartition("/")[2] for stored in listed]


def before_the_intent(desk: SealingAgency, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Has something happen between keeping the original and recording the intent."""
    sealing = desk.house.services.seals.seal_document._sealing
    real = sealing.keep_original

    def keep(*arguments: Any) -> Any:
        stored = real(*arguments)
        act()
        return stored

    monkeypatch.setattr(sealing, "keep_original", keep)


def test_an_original_whose_use_is_refused_at_the_last_moment_is_forgotten(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    (authorisation,) = services.seals.reading.authorisations(desk.approver, desk.seal.id, after=None, limit=2)
    before_the_intent(
        desk,
        monkeypatch,
        lambda: services.seals.authorisations.withdraw(desk.approver, authorisation.id, reason="不再需要"),
    )
    with pytest.raises(AuthorisationRefused):
        desk.seal_document(build_pdf())
    assert kept(desk) == []


def test_an_original_of_a_key_that_was_used_meanwhile_is_forgotten(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.authorise(uses=5)
    with monkeypatch.context() as patched:

        def once() -> None:
            patched.undo()
            desk.seal_document(build_pdf(text="first"), key="k")

        before_the_intent(desk, patched, once)
        with pytest.raises(IdempotencyKeyReused):
            desk.seal_document(build_pdf(), key="k")
    assert kept(desk) == ["original.pdf", "sealed.pdf"]


def test_originals_of_a_batch_that_comes_to_no_intent_are_forgotten(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services

    def away(*_arguments: object) -> None:
        raise DatabaseAway("the database is away")

    monkeypatch.setattr(services.seals.seal_documents._taking, "take_all", away)
    request = desk.request(build_pdf())
    wanted = {
        name: getattr(request, name)
        for name in ("document", "item_code", "placement", "level", "when_timestamp_away")
    }
    batch = BatchRequest(
        items=(DocumentToSeal(**wanted),) * 2, idempotency_key="away", body_digest=sha256(b"body")
    )
    with pytest.raises(DatabaseAway):
        services.seals.seal_documents(batch, desk.application)
    assert kept(desk) == []


def test_that_the_store_is_away_too_does_not_hide_what_went_wrong_first(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    other = desk.request(build_pdf(text="other"))
    before_the_intent(desk, monkeypatch, lambda: None)

    def refuse(*_arguments: object) -> None:
        raise SealUsesExhausted("all are taken")

    def gone(*_arguments: object) -> None:
        raise RuntimeError("the store went away")

    monkeypatch.setattr(services.seals.seal_document._taking, "take_one", refuse)
    with monkeypatch.context() as patched:
        patched.setattr(services.seals.seal_document._sealing, "forget_original", gone)
        with pytest.raises(SealUsesExhausted):
            services.seals.seal_document(replace(other, idempotency_key="hidden"), desk.application)
    assert kept(desk) == ["original.pdf"], "left to the worker"


def test_an_original_without_a_use_is_swept_after_an_hour_and_no_sooner(
    desk: SealingAgency, clock: SetClock, sweep: SweepSealUses
) -> None:
    """A kill -9 between keeping the original and recording the intent leaves it."""
    services = desk.house.services
    desk.seal_document(build_pdf())
    use_id = Ids(clock, SystemRandomness()).new(SealUseId)
    services.seals.seal_document._sealing.keep_original(use_id, desk.agency.id, build_pdf())
    sweep()
    assert sorted(kept(desk)) == ["original.pdf", "original.pdf", "sealed.pdf"]
    clock.advance(seconds=UNINTENDED_FOR.total_seconds() + 1)
    assert sweep() >= 1
    assert kept(desk) == ["original.pdf", "sealed.pdf"]


def test_later_passes_find_what_came_since_also_over_the_ids_next_digit(
    desk: SealingAgency, clock: SetClock, sweep: SweepSealUses
) -> None:
    sweep()
    sealing = desk.house.services.seals.seal_document._sealing
    for _day in range(8):
        clock.advance(days=1)
        use_id = Ids(clock, SystemRandomness()).new(SealUseId)
        sealing.keep_original(use_id, desk.agency.id, build_pdf())
        sweep()
    assert kept(desk) == ["original.pdf"], "of which the hour is not over"


def test_a_request_that_comes_after_its_use_was_abandoned_takes_its_output_away(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch, sweep: SweepSealUses
) -> None:
    services = desk.house.services
    procedure: SealDocument = services.seals.seal_document
    real = procedure._lasting

    def slow(sealed: bytes, prepared: Any, use: Any, *arguments: Any) -> Any:
        services.seals.resolve._resolve(use)
        return real(sealed, prepared, use, *arguments)

    monkeypatch.setattr(procedure, "_lasting", slow)
    with monkeypatch.context() as patched:
        patched.setattr(procedure._sealing, "forget_lost", lambda *_arguments: None)
        with pytest.raises(SealUseLost):
            desk.seal_document(build_pdf(), key="killed")
    assert kept(desk) == ["original.pdf", "sealed.pdf"], "as a kill -9 would leave it"
    sweep()
    assert kept(desk) == ["original.pdf"]
    desk.authorise()
    with pytest.raises(SealUseLost):
        desk.seal_document(build_pdf())
    assert kept(desk) == ["original.pdf"] * 2


def test_an_output_that_the_worker_completed_first_stays(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch, sweep: SweepSealUses
) -> None:
    services = desk.house.services
    procedure: SealDocument = services.seals.seal_document

    def worker_was_first(_work: object, use: Any, **_more: object) -> None:
        services.seals.resolve._resolve(use)
        raise SealUseLost("the worker was first")

    monkeypatch.setattr("seals.uses.seal_document.conclude_completed", worker_was_first)
    with pytest.raises(SealUseLost):
        desk.seal_document(build_pdf(), key="k")
    monkeypatch.undo()
    sweep()
    assert procedure(desk.request(build_pdf(), key="k"), desk.application).use.state is SealUseState.COMPLETED


def test_the_worker_has_a_chore_for_it_and_an_hour_is_enough_for_any_request(shared_house: House) -> None:
    assert "seal-uses.sweep" in {chore.name for chore in chores(shared_house.services)}
    assert timedelta(minutes=10) < UNINTENDED_FOR
