"""Many documents in one request: each a use of its own with an answer of its own, and one fault harms no other."""

import itertools
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from identity.caller import Scope, ScopeMissing
from seals.errors import SealBatchUnknown, SealUseLost
from seals.model import SealUseState, SignatureLevel, WhenTimestampAway
from seals.uses import documents, seal_documents
from seals.uses.batches import MAX_ITEMS, BatchAnswer, BatchRefused
from seals.uses.documents import DocumentRef, DocumentToSeal
from seals.uses.seal_documents import BatchRequest
from tests.support.house import ITEM, House, SealingAgency
from tests.support.pdfs import build_pdf
from trust.authority.errors import TimestampAuthorityAway
from trust.crypto.digests import sha256
from trust.documents import pdf
from trust.documents.pdf import Placement
from trust.kernel.errors import YinxinError
from trust.kernel.report import Indication
from trust.keys.errors import SignerAway, SignerRefused
from trust.storage.idempotency import IdempotencyKeyReused

_numbers = itertools.count(1)


@pytest.fixture
def desk(shared_house: House) -> SealingAgency:
    return shared_house.sealing_agency()


def item(text: str = "A", **changes: Any) -> DocumentToSeal:
    fields = {
        "document": build_pdf(text=text),
        "item_code": ITEM,
        "placement": Placement(page=1, x_mm=120, y_mm=40),
        **changes,
    }
    return DocumentToSeal(**fields)


def batch(*items: DocumentToSeal, key: str = "") -> BatchRequest:
    return BatchRequest(
        items=items, idempotency_key=key or f"batch-{next(_numbers)}", body_digest=sha256(str(items).encode())
    )


def seal(desk: SealingAgency, *items: DocumentToSeal, key: str = "") -> BatchAnswer:
    return desk.house.services.seals.seal_documents(batch(*items, key=key), desk.application)


def states(answer: BatchAnswer) -> list[str]:
    """How each item stands, in its place: a use's state or the code of the refusal."""
    by_place = {use.batch_position: use.state.value for use in answer.uses}
    by_place |= {refused.position: refused.code for refused in answer.batch.refused}
    assert sorted(place for place in by_place if place is not None) == list(range(answer.batch.size))
    return [by_place[place] for place in range(answer.batch.size)]


def document_of(desk: SealingAgency, answer: BatchAnswer, place: int) -> bytes:
    (use,) = [use for use in answer.uses if use.batch_position == place]
    return desk.house.services.seals.reading.document(desk.application, use.id)


def test_each_document_of_a_batch_is_sealed_at_its_own_place_and_level(desk: SealingAgency) -> None:
    services = desk.house.services
    answer = seal(
        desk,
        item("one", placement=Placement(page=1, x_mm=20, y_mm=20)),
        item("two", level=SignatureLevel.B_B),
        item("three", placement=None, case_number="案 3"),
    )
    assert states(answer) == ["completed"] * 3
    assert [use.case_number for use in answer.uses] == [None, None, "案 3"]
    for place, level in enumerate(["B-T", "B-B", "B-T"]):
        report = pdf.validate(
            document_of(desk, answer, place), trust=services.trust.current(), at=services.clock.now()
        )
        assert report.indication is Indication.VALID, report.reasons()
        assert report.parts[0].facts["level"] == level
    assert desk.uses_taken() == 3
    ids = [use.id for use in answer.uses]
    for act in ("seal-use.intended", "seal-use.completed"):
        assert [event["subject"] for event in desk.events(act)] == ids


def test_what_is_wrong_with_one_item_is_its_own_answer_and_counts_nothing(desk: SealingAgency) -> None:
    answer = seal(
        desk,
        item("good"),
        item(document=b"no PDF"),
        item(placement=Placement(page=1, x_mm=400, y_mm=40)),
        item(item_code="OTHER"),
        item(document=DocumentRef(use_id="sealuse_" + "0" * 32)),
        item("also good"),
    )
    assert states(answer) == [
        "completed", "document-not-pdf", "placement-off-page", "seal-authorisation-refused",
        "seal-use-unknown", "completed",
    ]  # fmt: skip
    assert desk.uses_taken() == 2
    kept = [event["reason"] for event in desk.events("seal-use.intended") if event["reason"]]
    assert kept == ["seal-authorisation-refused"]


def test_where_uses_run_out_the_first_items_get_them_and_the_rest_are_told(shared_house: House) -> None:
    desk = shared_house.sealing_agency(uses=2)
    answer = seal(desk, *(item(str(number)) for number in range(4)))
    assert states(answer) == ["completed", "completed", "seal-uses-exhausted", "seal-uses-exhausted"]
    refused = [event for event in desk.events("seal-use.intended") if event["outcome"] == "refused"]
    assert [event["reason"] for event in refused] == ["seal-uses-exhausted"] * 2
    keys = [stored.key for stored in shared_house.services.objects.list(f"{desk.agency.id}/seal-uses/")]
    assert len(keys) == 4, "the originals of what was refused are gone again"


def test_two_batches_that_race_take_no_more_than_there_are(shared_house: House) -> None:
    desk = shared_house.sealing_agency(uses=5)
    answers: list[BatchAnswer] = []

    def ask() -> None:
        answers.append(seal(desk, *(item(str(number)) for number in range(4))))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = Counter(state for answer in answers for state in states(answer))
    assert told == Counter({"completed": 5, "seal-uses-exhausted": 3})
    assert desk.uses_taken() == 5


def test_the_same_key_and_body_get_the_same_batch_with_its_refusals(desk: SealingAgency) -> None:
    items = (item("one"), item(document=b"no PDF"))
    first, again = seal(desk, *items, key="once"), seal(desk, *items, key="once")
    assert again.batch == first.batch
    assert [use.id for use in again.uses] == [use.id for use in first.uses]
    assert desk.uses_taken() == 1
    with pytest.raises(IdempotencyKeyReused):
        seal(desk, item("two"), key="once")


def test_two_requests_with_one_key_make_one_batch(desk: SealingAgency) -> None:
    items = (item("one"), item("two"))
    answers: list[BatchAnswer] = []
    threads = [
        threading.Thread(target=lambda: answers.append(seal(desk, *items, key="twins"))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.batch.id for answer in answers}) == 1
    assert desk.uses_taken() == 2


def test_a_batch_of_nothing_but_refusals_is_a_batch(desk: SealingAgency) -> None:
    answer = seal(desk, item(document=b"x"), item(document=b"y"), key="bad")
    assert states(answer) == ["document-not-pdf"] * 2
    assert states(seal(desk, item(document=b"x"), item(document=b"y"), key="bad")) == states(answer)


def test_a_batch_has_from_one_to_a_hundred_items(desk: SealingAgency) -> None:
    for items in ((), tuple(item() for _ in range(MAX_ITEMS + 1))):
        with pytest.raises(BatchRefused):
            seal(desk, *items)


def test_documents_that_are_too_much_together_are_refused_from_there_on(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by reference a hundred documents take a few hundred octets to ask for."""
    large = desk.seal_document(build_pdf()).use
    assert large.output is not None
    size = len(desk.house.services.objects.get(large.output.key))
    monkeypatch.setattr(seal_documents, "MAX_BATCH_BYTES", 2 * size)
    again = item(document=DocumentRef(use_id=large.id), placement=Placement(page=1, x_mm=20, y_mm=40))
    assert states(seal(desk, again, again, again)) == ["completed", "completed", "seal-batch-too-large"]
    assert desk.uses_taken() == 3


def test_a_document_that_another_item_made_can_be_sealed_again(desk: SealingAgency) -> None:
    first = seal(desk, item("one"), item("two"))
    again = seal(
        desk,
        *(
            item(document=DocumentRef(use_id=use.id), placement=Placement(page=1, x_mm=20, y_mm=40))
            for use in first.uses
        ),
    )
    assert states(again) == ["completed"] * 2
    for place in range(2):
        assert document_of(desk, again, place).startswith(document_of(desk, first, place))


def test_with_the_signer_away_the_batch_is_refused_as_a_whole_and_nothing_is_counted(
    desk: SealingAgency,
) -> None:
    desk.house.signer.stop()
    with pytest.raises(SignerAway):
        seal(desk, item("one"), key="away")
    assert desk.uses_taken() == 0
    desk.house.signer.start()
    assert states(seal(desk, item("one"), key="away")) == ["completed"]


def test_an_item_that_the_signer_refuses_is_left_to_the_worker_and_the_others_are_done(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    real = services.signer.sign_cms_batch

    def one_refused(subjects: list[str]) -> list[bytes | YinxinError]:
        made = real(subjects)
        return [SignerRefused("not this one") if number == 1 else cms for number, cms in enumerate(made)]

    monkeypatch.setattr(services.signer, "sign_cms_batch", one_refused)
    items = (item("one"), item("two"), item("three"))
    assert states(seal(desk, *items, key="k")) == ["completed", "intended", "completed"]
    pass_the_lease(desk)
    services.seals.resolve()
    assert states(seal(desk, *items, key="k")) == ["completed", "abandoned", "completed"]
    assert desk.uses_taken() == 3


def test_an_item_that_the_worker_resolved_first_does_not_take_the_others_with_it(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = seal_documents.conclude_completed
    lost: list[str] = []

    def worker_was_first(work: Any, use: Any, **more: Any) -> Any:
        if not lost or use.id in lost:
            lost.append(use.id)
            raise SealUseLost("the worker was first")
        return real(work, use, **more)

    monkeypatch.setattr(seal_documents, "conclude_completed", worker_was_first)
    assert states(seal(desk, item("one"), item("two"))) == ["intended", "completed"]


def test_what_took_long_after_others_does_not_lose_what_was_done_before(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends in the second slice: the first is concluded, for all to see."""
    monkeypatch.setattr(seal_documents, "SLICE", 2)
    procedure = desk.house.services.seals.seal_documents
    real, seen = procedure._sealed, itertools.count()

    def die_at_the_third(*arguments: Any) -> Any:
        if next(seen) == 2:
            raise RuntimeError("the process ended here")
        return real(*arguments)

    items = tuple(item(str(number)) for number in range(3))
    with monkeypatch.context() as patched:
        patched.setattr(procedure, "_sealed", die_at_the_third)
        with pytest.raises(RuntimeError):
            seal(desk, *items, key="slices")
    assert states(seal(desk, *items, key="slices")) == ["completed", "completed", "intended"]


def test_the_lease_grows_with_the_number_of_documents_and_their_octets(desk: SealingAgency) -> None:
    def lease(answer: BatchAnswer) -> float:
        return (answer.uses[0].lease_until - answer.uses[0].intended_at).total_seconds()

    one = lease(seal(desk, item()))
    many = lease(seal(desk, *(item(level=SignatureLevel.B_B) for _ in range(31))))
    assert many / one == pytest.approx(2, rel=0.01)
    sealing = desk.house.services.seals.seal_document._sealing
    assert (
        sealing.lease([bytes(documents.OCTETS_PER_LEASE)]).total_seconds()
        == 2 * sealing.lease([b""]).total_seconds()
    )


def test_an_item_whose_use_was_abandoned_meanwhile_leaves_no_sealed_document(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    procedure = services.seals.seal_documents
    real = procedure._sealed

    def slow(taken: Any, *arguments: Any) -> Any:
        if taken.item.position == 0:
            services.seals.resolve._resolve(taken.use)
        return real(taken, *arguments)

    monkeypatch.setattr(procedure, "_sealed", slow)
    answer = seal(desk, item("one"), item("two"))
    assert states(answer) == ["abandoned", "completed"]
    keys = [stored.key for stored in services.objects.list(f"{desk.agency.id}/seal-uses/")]
    assert [key for key in keys if key.endswith("/sealed.pdf")] == [
        f"{desk.agency.id}/seal-uses/{answer.uses[1].id}/sealed.pdf"
    ]


def test_with_the_authority_gone_and_the_worker_first_the_other_items_still_end(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services

    def gone(*_args: object, **_more: object) -> list[bytes]:
        uses = services.seals.reading.uses(desk.approver, seal_id=desk.seal.id, after=None, limit=9)
        (first,) = [use for use in uses if use.when_timestamp_away is WhenTimestampAway.FAIL]
        services.seals.resolve._resolve(first)
        raise TimestampAuthorityAway("gone")

    monkeypatch.setattr(services.timestamps, "tokens", gone)
    later = item("two", when_timestamp_away=WhenTimestampAway.DELIVER_B_B)
    assert states(seal(desk, item("one"), later)) == ["abandoned", "completed"]


def test_with_the_authority_gone_in_the_middle_each_item_ends_as_its_caller_chose(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_args: object, **_more: object) -> list[bytes]:
        raise TimestampAuthorityAway("gone")

    monkeypatch.setattr(desk.house.services.timestamps, "tokens", gone)
    answer = seal(
        desk,
        item("one"),
        item("two", when_timestamp_away=WhenTimestampAway.DELIVER_B_B),
        item("three", level=SignatureLevel.B_B),
    )
    assert states(answer) == ["abandoned", "completed", "completed"]
    assert [use.level_reached for use in answer.uses] == [None, SignatureLevel.B_B, SignatureLevel.B_B]


def test_a_batch_is_seen_by_the_application_that_sent_it_alone(desk: SealingAgency) -> None:
    batches = desk.house.services.seals.batches
    answer = seal(desk, item("one"))
    assert batches(desk.application, answer.batch.id).batch == answer.batch
    for other in (desk.house.sealing_agency().application, desk.approver):
        for look in (batches, batches.standing):
            with pytest.raises(SealBatchUnknown):
                look(other, answer.batch.id)


def test_a_batch_is_not_seen_without_the_scope_it_was_asked_for_with(desk: SealingAgency) -> None:
    """Another token of the same application, for licences say, reads no seal uses."""
    batches = desk.house.services.seals.batches
    answer = seal(desk, item("one"))
    licences = replace(desk.application, scopes=frozenset(Scope) - {Scope.SEAL_USE})
    for look in (batches, batches.standing):
        with pytest.raises(ScopeMissing):
            look(licences, answer.batch.id)
    kept = [(event["outcome"], event["reason"]) for event in desk.events("seal-batch.read")]
    assert kept == [("refused", "scope-missing")] * 2
    sealing = replace(desk.application, scopes=frozenset({Scope.SEAL_USE}))
    assert batches(sealing, answer.batch.id).batch == answer.batch


def test_a_use_that_cannot_be_resolved_does_not_keep_the_others_waiting_for_ever(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that fail in every pass are the oldest, and as many as a pass takes."""
    services = desk.house.services
    monkeypatch.setattr(services.seals.seal_documents, "_signed", lambda *_arguments: {})
    monkeypatch.setattr(services.seals.seal_document._sealing, "_lease", timedelta(seconds=-1))
    broken = seal(desk, item(), item()).uses
    (healthy,) = seal(desk, item()).uses
    real = services.seals.resolve._resolve

    def resolve(use: Any) -> None:
        if use.id in {each.id for each in broken}:
            raise RuntimeError("this one cannot be resolved")
        real(use)

    monkeypatch.setattr(services.seals.resolve, "_resolve", resolve)
    for _pass in range(200):
        services.seals.resolve(limit=2)
        if services.seals.reading.use(desk.application, healthy.id).state is SealUseState.ABANDONED:
            break
    else:
        pytest.fail("starved")


def test_every_use_of_a_batch_is_resolved_as_if_it_had_come_alone(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after the outputs are stored: the worker finds them valid and completes them."""
    services = desk.house.services

    def die(*_args: object) -> None:
        raise RuntimeError("the process ended here")

    items = (item("one"), item("two"))
    with monkeypatch.context() as patched:
        patched.setattr(services.seals.seal_documents, "_conclude", die)
        with pytest.raises(RuntimeError):
            seal(desk, *items, key="late")
    assert states(seal(desk, *items, key="late")) == ["intended"] * 2
    pass_the_lease(desk)
    services.seals.resolve()
    answer = seal(desk, *items, key="late")
    assert [use.state for use in answer.uses] == [SealUseState.COMPLETED] * 2
    assert answer.uses[0].level_reached is SignatureLevel.B_T


def pass_the_lease(desk: SealingAgency) -> None:
    """Waits until the two seconds of the lease are over, and what is added for the few items of a batch."""
    services = desk.house.services
    until = services.clock.now() + timedelta(seconds=2.5)
    while services.clock.now() < until:
        threading.Event().wait(0.1)
