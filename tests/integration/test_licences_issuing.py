"""Issuing: the whole procedure, repeats, refusals, and what a crash at each point leaves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from identity.model import PageRequest
from licences.errors import (
    LicenceAbandoned,
    LicenceHolderRefused,
    LicenceLost,
    LicenceNotReady,
    LicenceNotSound,
    LicencePeriodRefused,
    LicenceTypeNotIssuedHere,
    LicenceUnproven,
)
from licences.model import HolderKind, Licence, LicenceHolder, LicenceState
from licences.numbering import LicenceIdentifier
from licences.render.typesetter import Typesetter
from licences.types.errors import LicenceFieldsRefused
from tests.support.licences import BASE, BUSINESS_LICENCE, LEASE, Crash, Fault, LicenceRoom, in_parallel
from trust.credentials import vc
from trust.credentials.sd_jwt import SdJwt
from trust.kernel.errors import Conflict, Unavailable, YinxinError
from trust.kernel.report import Outcome
from trust.storage.database import Database
from trust.storage.idempotency import IdempotencyKeyReused


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as started:
        yield started


@pytest.fixture
def room(database: Database, tmp_path: Path, typesetter: Typesetter) -> LicenceRoom:
    return LicenceRoom.open(database, tmp_path, typesetter)


def credential_of(room: LicenceRoom, licence: Licence) -> str:
    return room.desk.holdings.credential(licence.version.licence_id, room.agent).content.decode()


def only_licence(room: LicenceRoom) -> Licence:
    (listed,) = room.desk.holdings.page(room.officer, PageRequest()).items
    return room.desk.holdings.get(listed.version.licence_id, room.officer)


def resume_after_lease(room: LicenceRoom) -> None:
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    room.desk.resume_issuing()


def test_a_licence_is_issued_with_document_credential_and_status(room: LicenceRoom) -> None:
    licence = room.issue()
    assert licence.state is LicenceState.VALID
    identifier = LicenceIdentifier.parse(licence.version.identifier)
    assert identifier.issuer_code == room.directory.facts[room.bureau].uscc
    assert licence.content.number == "建字第4201002026GG0000001号"
    document = room.desk.holdings.document(licence.version.licence_id, room.agent)
    assert document.content.startswith(b"%PDF-1.7")
    assert document.content == room.sealer.sealed[licence.version.version_id]
    assert room.status_of(licence) == "valid"


def test_the_credential_says_what_the_licence_says_and_hides_every_field(room: LicenceRoom) -> None:
    licence = room.issue()
    whole = SdJwt.parse(credential_of(room, licence))
    token = room.desk.status_tokens.token(licence.version.status_list_id)
    trust = replace(
        room.current(), status_lists={f"{BASE}/v1/status-lists/{licence.version.status_list_id}": token}
    )
    report = vc.verify(whole.presentation(), trust=trust, at=room.clock.now()).require_valid()
    claims = report.facts["claims"]
    assert claims["vct"] == f"{BASE}/v1/licence-types/{licence.version.type_code}"
    assert claims["project_name"] == licence.content.fields["project_name"]
    assert claims["holder_code"] == room.company_code
    assert claims["valid_until"] == "2027-11-22"
    assert set(whole.token.payload) == {"iss", "vct", "iat", "nbf", "exp", "status", "_sd", "_sd_alg"}


def test_numbers_count_up_by_issuer_and_year(room: LicenceRoom) -> None:
    numbers = [room.issue().content.number for _ in range(2)]
    assert [number[-8:] for number in numbers] == ["0000001号", "0000002号"]


def test_a_repeat_with_the_same_key_answers_with_the_same_licence(room: LicenceRoom) -> None:
    first, again = room.issue(key="once"), room.issue(key="once")
    assert first.version.version_id == again.version.version_id
    with pytest.raises(IdempotencyKeyReused):
        room.issue(room.request(case_number="2026-0002"), key="once")


def test_requests_with_one_key_at_once_make_one_licence(room: LicenceRoom) -> None:
    outcomes = in_parallel(4, lambda _: room.issue(key="once"))
    issued = {outcome.version.version_id for outcome in outcomes if isinstance(outcome, Licence)}
    assert len(outcomes) == 4
    assert len(issued) == 1
    assert len(room.events("licence.issued")) == 1


def test_what_is_personal_lies_nowhere_in_the_clear(room: LicenceRoom) -> None:
    room.issue(room.citizens_request())
    code = room.present(
        room.issue(room.citizens_request()), caller=room.citizen, fields=("holder_code", "project_name")
    )
    room.redeem(code)
    stored = room.rows_as_text()
    assert room.citizen_code not in stored
    assert "陈知远" not in stored
    assert "滨江创新园" not in stored
    assert code.code not in stored


def test_bad_data_is_refused_before_anything_is_taken(room: LicenceRoom) -> None:
    cases: list[tuple[dict[str, Any], type[YinxinError]]] = [
        ({"fields": {"project_name": "x"}}, LicenceFieldsRefused),
        ({"fields": {"project_name": 1.5, "bad": "\ud800"}}, LicenceFieldsRefused),
        ({"valid_from": date(2027, 1, 1)}, LicencePeriodRefused),
        ({"valid_from": date(2020, 1, 1)}, LicencePeriodRefused),
        ({"valid_until": date(2030, 1, 1)}, LicencePeriodRefused),
        ({"holder": citizen("11010519491231002Y")}, LicenceHolderRefused),
        ({"holder": company("914201000000000070")}, LicenceHolderRefused),
        ({"holder": company("91420100M000000007", name="公\x00司")}, LicenceHolderRefused),
    ]
    for changes, error in cases:
        with pytest.raises(error):
            room.issue(room.request(**changes))
    assert room.events("licence.intended") == []


def citizen(code: str) -> LicenceHolder:
    return LicenceHolder(kind=HolderKind.CITIZEN, name="陈知远", code=code)


def company(code: str, *, name: str = "公司") -> LicenceHolder:
    return LicenceHolder(kind=HolderKind.LEGAL_PERSON, name=name, code=code)


def test_a_type_is_not_issued_to_a_kind_of_holder_it_does_not_take(room: LicenceRoom) -> None:
    with pytest.raises(LicenceHolderRefused):
        room.issue(room.citizens_request(type_key=BUSINESS_LICENCE))


def test_an_agency_issues_only_for_its_own_items_and_the_refusal_is_kept(room: LicenceRoom) -> None:
    with pytest.raises(LicenceTypeNotIssuedHere):
        room.issue(caller=replace(room.system, agency_id=room.other))
    assert room.events() == [("licence.intended", "refused", "licence-type-not-issued-here")]


POINTS = [
    "rendering",
    "before sealing",
    "after sealing",
    "before signing",
    "after signing",
    "inspection",
    "status list",
    "before storing",
    "after storing",
]


def test_the_worker_finishes_by_the_same_steps_whatever_stopped(room: LicenceRoom) -> None:
    for number, point in enumerate(POINTS, 1):
        if point == "status list":
            room.clock.advance(hours=2)  # the kept token is too old then: another has to be signed
        with room.switches.broken(point, Crash()), pytest.raises(Crash):
            room.issue(key=point)
        assert room.issue(key=point).state is LicenceState.ISSUING
        room.desk.resume_issuing()
        assert room.issue(key=point).state is LicenceState.ISSUING, "the lease has not run out yet"
        resume_after_lease(room)
        licence = room.issue(key=point)
        assert licence.state is LicenceState.VALID, point
        assert room.status_of(licence) == "valid"
        assert len(room.sealer.sealed) == number
        assert len(room.events("licence.issued")) == number
    assert room.desk.resume_issuing().issued == 0


def test_a_licence_in_issue_has_no_document_and_is_not_the_holders_yet(room: LicenceRoom) -> None:
    with room.switches.broken("before sealing", Crash()), pytest.raises(Crash):
        room.issue(key="once")
    licence = room.issue(key="once")
    with pytest.raises(LicenceNotReady):
        room.desk.holdings.document(licence.version.licence_id, room.officer)
    with pytest.raises(YinxinError, match="no such licence"):
        room.desk.holdings.get(licence.version.licence_id, room.agent)


def test_a_refusal_that_is_final_abandons_the_version_and_marks_its_index(room: LicenceRoom) -> None:
    class Never(Conflict):
        code = "seal-refused"

    with room.switches.broken("before sealing", Never("no authorisation")), pytest.raises(Never):
        room.issue(key="once")
    with pytest.raises(LicenceAbandoned):
        room.issue(key="once")
    licence = only_licence(room)
    assert licence.state is LicenceState.ABANDONED
    assert room.status_of(licence) == "invalid"
    assert ("licence.abandoned", "done", "seal-refused") in room.events()
    resume_after_lease(room)
    assert only_licence(room).state is LicenceState.ABANDONED


def test_what_a_stranger_finds_invalid_is_never_issued(room: LicenceRoom) -> None:
    room.document_outcome = Outcome.FAILED
    with pytest.raises(LicenceNotSound):
        room.issue(key="once")
    assert only_licence(room).state is LicenceState.ABANDONED


def test_without_revocation_data_nothing_is_issued_until_it_is_there(room: LicenceRoom) -> None:
    room.crls = False
    with pytest.raises(LicenceUnproven):
        room.issue(key="once")
    resume_after_lease(room)
    assert room.issue(key="once").state is LicenceState.ISSUING
    room.crls = True
    resume_after_lease(room)
    assert room.issue(key="once").state is LicenceState.VALID


def test_a_late_loser_gets_a_conflict_and_changes_nothing(room: LicenceRoom) -> None:
    room.switches.hooks["before storing"] = lambda: resume_after_lease(room)
    with pytest.raises(LicenceLost):
        room.issue(key="once")
    assert room.issue(key="once").state is LicenceState.VALID
    assert len(room.events("licence.issued")) == 1
    assert room.events("licence.abandoned") == []


def test_a_request_past_its_lease_does_not_abandon_what_the_worker_may_finish(room: LicenceRoom) -> None:
    room.switches.hooks["before signing"] = lambda: room.clock.advance(seconds=LEASE.total_seconds() + 1)
    with pytest.raises(YinxinError, match="lease"):
        room.issue(key="once")
    assert room.issue(key="once").state is LicenceState.ISSUING
    room.desk.resume_issuing()
    assert room.issue(key="once").state is LicenceState.VALID


def test_two_workers_take_a_version_over_once(room: LicenceRoom) -> None:
    with room.switches.broken("rendering", Crash()), pytest.raises(Crash):
        room.issue(key="once")
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    in_parallel(3, lambda _: room.desk.resume_issuing())
    assert len(room.events("licence.resumed")) == 1
    assert room.issue(key="once").state is LicenceState.VALID


def test_the_last_index_is_taken_once_and_a_new_list_is_made(
    database: Database, tmp_path: Path, typesetter: Typesetter
) -> None:
    room = LicenceRoom.open(database, tmp_path, typesetter, list_size=3)
    room.issue()
    outcomes = in_parallel(6, lambda _: room.issue())
    licences = [outcome for outcome in outcomes if isinstance(outcome, Licence)]
    assert len(licences) == 6
    taken = {(one.version.status_list_id, one.version.status_index) for one in licences}
    assert len(taken) == 6
    with room.database.read() as work:
        lists = work.execute(text("SELECT count(*) FROM licences.status_lists")).scalar_one()
    assert lists == 3


def test_an_index_taken_by_a_transaction_that_rolls_back_is_free_again(
    database: Database, tmp_path: Path, typesetter: Typesetter
) -> None:
    room = LicenceRoom.open(database, tmp_path, typesetter, list_size=1)
    room.issue()
    with room.database.read() as work:
        assert work.execute(text("SELECT count(*) FROM licences.free_indexes")).scalar_one() == 0
    room.issue()
    with room.database.read() as work:
        assert work.execute(text("SELECT count(*) FROM licences.status_lists")).scalar_one() == 2


def test_the_signer_being_away_is_a_clear_problem(room: LicenceRoom) -> None:
    with room.switches.broken("before signing", Fault("away")), pytest.raises(Unavailable) as raised:
        room.issue()
    assert raised.value.retryable
    room.clock.advance(seconds=timedelta(minutes=5).total_seconds())
    assert room.desk.resume_issuing().issued == 1
