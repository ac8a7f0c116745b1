"""Digests signed: only by an authorisation that allows them, each a seal use, refusals kept, crashes resolved."""

import itertools
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from identity.caller import Scope, ScopeMissing
from seals.errors import (
    AuthorisationRefused,
    DigestsRefused,
    DocumentNotStamped,
    SealNotUsable,
    SealUsesExhausted,
)
from seals.model import SealUse, SealUseKind, SealUseState, SignatureLevel
from seals.uses.batches import MAX_ITEMS, BatchAnswer, BatchRefused
from seals.uses.sign_digests import DigestRefused, DigestsRequest
from tests.support.house import ITEM, House, SealingAgency
from tests.support.pdfs import build_pdf
from trust.authority.errors import TimestampAuthorityAway
from trust.crypto.cms import ParsedCms
from trust.crypto.digests import sha256
from trust.documents import pdf
from trust.kernel.errors import YinxinError
from trust.kernel.report import Indication
from trust.keys.errors import SignerAway
from trust.storage.idempotency import IdempotencyKeyReused

_numbers = itertools.count(1)
DIGEST = sha256(b"a document nobody here has seen")


@pytest.fixture
def desk(shared_house: House) -> SealingAgency:
    return shared_house.sealing_agency(digests=True)


def asked(
    *digests: bytes, key: str = "", item: str = ITEM, level: SignatureLevel = SignatureLevel.B_B
) -> DigestsRequest:
    digests = digests or (DIGEST,)
    return DigestsRequest(
        digests=digests,
        item_code=item,
        idempotency_key=key or f"digests-{next(_numbers)}",
        body_digest=sha256(b"".join(digests)),
        level=level,
    )


def sign(desk: SealingAgency, request: DigestsRequest) -> BatchAnswer:
    return desk.house.services.seals.sign_digests(request, desk.application)


def uses_of(desk: SealingAgency) -> tuple[SealUse, ...]:
    reading = desk.house.services.seals.reading
    return reading.uses(desk.approver, seal_id=desk.seal.id, after=None, limit=100)


@pytest.mark.parametrize("level", [SignatureLevel.B_B, SignatureLevel.B_T])
def test_a_document_prepared_elsewhere_is_valid_with_the_message_made_of_its_digest(
    desk: SealingAgency, level: SignatureLevel
) -> None:
    services = desk.house.services
    prepared = pdf.prepare(
        build_pdf(), placement=None, impression=None, field_name=None, signer_name="规划局",
        reserved=8000, at=services.clock.now(),
    )  # fmt: skip
    answer = sign(desk, asked(prepared.digest, level=level))
    (use,) = answer.uses
    sealed = pdf.embed(prepared, answer.signatures[use.id])
    report = pdf.validate(sealed, trust=services.trust.current(), at=services.clock.now())
    assert report.indication is Indication.VALID, report.reasons()
    assert report.parts[0].facts["level"] == level
    assert (use.state, use.kind, use.digest) == (
        SealUseState.COMPLETED, SealUseKind.DIGEST, prepared.digest,
    )  # fmt: skip
    assert use.level_reached is level


def test_many_digests_are_many_uses_each_with_its_events(desk: SealingAgency) -> None:
    digests = [sha256(bytes([number])) for number in range(5)]
    answer = sign(desk, asked(*digests))
    assert [use.digest for use in answer.uses] == digests
    for use in answer.uses:
        assert ParsedCms.parse(answer.signatures[use.id]).message_digest == use.digest
    assert desk.uses_taken() == 5
    ids = [use.id for use in answer.uses]
    for act in ("seal-use.intended", "seal-use.completed"):
        assert [event["subject"] for event in desk.events(act)] == ids


def test_the_event_of_the_intent_says_the_digest_and_that_it_is_one(desk: SealingAgency) -> None:
    sign(desk, asked())
    (intended,) = desk.events("seal-use.intended")
    assert intended["content"]["digest"] == DIGEST.hex()
    assert intended["content"]["kind"] == "digest"


def test_an_authorisation_for_documents_signs_no_digest_and_the_refusal_is_kept(shared_house: House) -> None:
    desk = shared_house.sealing_agency()
    with pytest.raises(DigestsRefused):
        sign(desk, asked())
    assert desk.uses_taken() == 0
    refused = [event for event in desk.events("seal-use.intended") if event["outcome"] == "refused"]
    assert [event["reason"] for event in refused] == ["seal-digests-refused"]
    assert desk.seal_document(build_pdf()).use.state is SealUseState.COMPLETED


def test_a_digest_authorisation_beside_one_for_documents_is_found(shared_house: House) -> None:
    desk = shared_house.sealing_agency()
    digests = desk.authorise(digests=True)
    documents = desk.authorise()
    (use,) = sign(desk, asked()).uses
    assert use.authorisation_id == digests.id
    assert desk.seal_document(build_pdf()).use.authorisation_id == documents.id


def test_documents_use_up_what_is_for_digests_only_where_nothing_else_is_left(shared_house: House) -> None:
    desk = shared_house.sealing_agency(uses=1)
    digests = desk.authorise(digests=True)
    assert desk.seal_document(build_pdf()).use.authorisation_id != digests.id
    assert desk.seal_document(build_pdf()).use.authorisation_id == digests.id


def test_another_item_and_another_agency_have_no_authorisation(desk: SealingAgency) -> None:
    with pytest.raises(AuthorisationRefused):
        sign(desk, asked(item="OTHER"))
    other = desk.house.sealing_agency()
    with pytest.raises(AuthorisationRefused):
        desk.house.services.seals.sign_digests(replace(asked(), seal_id=desk.seal.id), other.application)
    assert desk.uses_taken() == 0


def test_an_application_without_the_scope_is_refused_and_the_refusal_kept(desk: SealingAgency) -> None:
    for scopes in (frozenset[Scope](), frozenset(Scope) - {Scope.SEAL_USE}):
        with pytest.raises(ScopeMissing):
            desk.house.services.seals.sign_digests(asked(), replace(desk.application, scopes=scopes))
    refused = [event["reason"] for event in desk.events("seal-use.intended")]
    assert refused == ["scope-missing"] * 2


def test_people_have_no_digests_signed_whatever_their_role(desk: SealingAgency) -> None:
    for person in (desk.administrator, desk.officer, desk.approver, desk.house.room.citizen()):
        with pytest.raises(ScopeMissing):
            desk.house.services.seals.sign_digests(asked(), person)


@pytest.mark.parametrize("act", ["suspend", "revoke"])
def test_a_seal_that_is_not_active_signs_no_digest(desk: SealingAgency, act: str) -> None:
    getattr(desk.house.services.seals.life, act)(desk.approver, desk.seal.id, reason="遗失")
    with pytest.raises(SealNotUsable):
        sign(desk, asked())


@pytest.mark.parametrize("length", [0, 20, 31, 33, 48, 64])
def test_a_digest_of_another_length_is_refused_before_anything_is_counted(
    desk: SealingAgency, length: int
) -> None:
    with pytest.raises(DigestRefused):
        sign(desk, asked(DIGEST, bytes(length)))
    assert desk.uses_taken() == 0


def test_no_digests_and_too_many_are_refused(desk: SealingAgency) -> None:
    with pytest.raises(BatchRefused):
        sign(desk, replace(asked(), digests=()))
    with pytest.raises(BatchRefused):
        sign(desk, asked(*[DIGEST] * (MAX_ITEMS + 1)))


def test_all_or_none_are_taken_where_the_uses_do_not_last(shared_house: House) -> None:
    desk = shared_house.sealing_agency(uses=3, digests=True)
    with pytest.raises(SealUsesExhausted):
        sign(desk, asked(*[DIGEST] * 4))
    assert desk.uses_taken() == 0
    sign(desk, asked(*[DIGEST] * 3))
    assert desk.uses_taken() == 3


def test_two_requests_that_race_for_the_last_uses_do_not_both_get_them(shared_house: House) -> None:
    desk = shared_house.sealing_agency(uses=3, digests=True)
    outcomes: list[str] = []

    def ask() -> None:
        try:
            sign(desk, asked(DIGEST, DIGEST))
            outcomes.append("signed")
        except SealUsesExhausted as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(outcomes) == Counter(["signed", "seal-uses-exhausted"])
    assert desk.uses_taken() == 2


def test_a_retry_gets_the_same_signatures_and_another_body_is_refused(desk: SealingAgency) -> None:
    first = sign(desk, asked(key="once", level=SignatureLevel.B_T))
    again = sign(desk, asked(key="once", level=SignatureLevel.B_T))
    assert (again.batch.id, dict(again.signatures)) == (first.batch.id, dict(first.signatures))
    assert desk.uses_taken() == 1
    with pytest.raises(IdempotencyKeyReused):
        sign(desk, asked(sha256(b"another"), key="once"))


def test_with_the_signer_away_nothing_is_counted(desk: SealingAgency) -> None:
    desk.house.signer.stop()
    with pytest.raises(SignerAway):
        sign(desk, asked())
    assert desk.uses_taken() == 0
    desk.house.signer.start()


def test_with_the_signer_gone_in_the_middle_the_uses_are_abandoned_and_stay_counted(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services

    def gone(_subjects: object) -> list[bytes]:
        raise SignerAway("the signer went away after the intent")

    with monkeypatch.context() as patched:
        patched.setattr(services.signer, "sign_cms_batch", gone)
        with pytest.raises(SignerAway):
            sign(desk, asked(DIGEST, DIGEST, key="gone"))
    waiting = sign(desk, asked(DIGEST, DIGEST, key="gone"))
    assert [use.state for use in waiting.uses] == [SealUseState.INTENDED] * 2
    until = services.clock.now() + timedelta(seconds=2.1)
    while services.clock.now() < until:
        threading.Event().wait(0.1)
    services.seals.resolve()
    resolved = sign(desk, asked(DIGEST, DIGEST, key="gone"))
    assert [use.state for use in resolved.uses] == [SealUseState.ABANDONED] * 2
    assert not resolved.signatures
    assert desk.uses_taken() == 2


def test_with_the_timestamp_authority_gone_in_the_middle_the_uses_are_resolved_at_once(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services

    def gone(*_args: object, **_more: object) -> list[bytes]:
        raise TimestampAuthorityAway("gone")

    monkeypatch.setattr(services.timestamps, "tokens", gone)
    with pytest.raises(DocumentNotStamped):
        sign(desk, asked(DIGEST, level=SignatureLevel.B_T))
    assert [use.state for use in uses_of(desk)] == [SealUseState.ABANDONED]


def test_a_digest_that_the_worker_resolved_first_does_not_take_the_others_with_it(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    real = services.signer.sign_cms_batch

    def late(subjects: list[str]) -> list[bytes | YinxinError]:
        made = real(subjects)
        services.seals.resolve._resolve(services.seals.reading.use(desk.application, subjects[1]))
        return made

    monkeypatch.setattr(services.signer, "sign_cms_batch", late)
    answer = sign(desk, asked(*(sha256(bytes([number])) for number in range(3))))
    assert [use.state.value for use in answer.uses] == ["completed", "abandoned", "completed"]
    assert set(answer.signatures) == {answer.uses[0].id, answer.uses[2].id}


def test_with_the_authority_gone_and_the_worker_first_the_others_are_abandoned_all_the_same(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services

    def gone(*_args: object, **_more: object) -> list[bytes]:
        services.seals.resolve._resolve(uses_of(desk)[0])
        raise TimestampAuthorityAway("gone")

    monkeypatch.setattr(services.timestamps, "tokens", gone)
    with pytest.raises(DocumentNotStamped):
        sign(desk, asked(DIGEST, DIGEST, level=SignatureLevel.B_T))
    assert [use.state for use in uses_of(desk)] == [SealUseState.ABANDONED] * 2


def test_signatures_are_read_with_the_scope_they_were_asked_for_with_and_that_is_an_event(
    desk: SealingAgency,
) -> None:
    batches = desk.house.services.seals.batches
    answer = sign(desk, asked())
    for scopes in (frozenset[Scope](), frozenset({Scope.CSC_SIGN}), frozenset(Scope) - {Scope.SEAL_USE}):
        with pytest.raises(ScopeMissing):
            batches(replace(desk.application, scopes=scopes), answer.batch.id)
    sealing = replace(desk.application, scopes=frozenset({Scope.SEAL_USE}))
    assert not batches.standing(sealing, answer.batch.id).signatures
    assert dict(batches(sealing, answer.batch.id).signatures) == dict(answer.signatures)
    events = desk.events("seal-batch.read")
    assert [event["outcome"] for event in events] == ["refused"] * 3 + ["done"]
    assert events[-1]["subject"] == answer.batch.id


def test_hashes_signed_for_a_csc_client_are_read_with_its_scope(desk: SealingAgency) -> None:
    services = desk.house.services
    credential = desk.authorise(digests=True).id
    token = services.seals.remote.activate(desk.application, credential, [DIGEST])
    services.seals.remote.sign(desk.application, credential, token, [DIGEST], case_number=None)
    (batch_id,) = [use.batch_id for use in uses_of(desk)]
    assert batch_id is not None
    with pytest.raises(ScopeMissing):
        services.seals.batches(replace(desk.application, scopes=frozenset({Scope.SEAL_USE})), batch_id)
    signing = replace(desk.application, scopes=frozenset({Scope.CSC_SIGN}))
    assert services.seals.batches(signing, batch_id).signatures


def test_what_is_not_a_signature_over_the_digest_is_not_handed_out(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = desk.house.services.signer
    good = sign(desk, asked(sha256(b"another")))
    (other,) = good.signatures.values()
    monkeypatch.setattr(signer, "sign_cms_batch", lambda _subjects: [other])
    answer = sign(desk, asked())
    assert not answer.signatures
    assert [use.state for use in answer.uses] == [SealUseState.INTENDED]


@pytest.mark.parametrize("level", [SignatureLevel.B_LT, SignatureLevel.B_LTA])
def test_a_level_of_documents_is_refused_for_a_digest_before_anything_is_counted(
    desk: SealingAgency, level: SignatureLevel
) -> None:
    with pytest.raises(DigestRefused):
        sign(desk, asked(DIGEST, level=level))
    assert desk.uses_taken() == 0
