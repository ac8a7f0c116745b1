"""Presenting and redeeming: once, by the one who was named, only what was agreed, and all of it logged."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from identity.caller import CallerKind
from identity.model import PageRequest
from licences.errors import (
    LicenceNotPresentable,
    LicenceUnknown,
    PresentationAlreadyRedeemed,
    PresentationExpired,
    PresentationFieldsRefused,
    PresentationForSomeoneElse,
    PresentationRecipientRefused,
    PresentationUnknown,
)
from licences.presentations.model import MAX_MINUTES, Recipient, Redemption, UsageAct
from licences.render.typesetter import Typesetter
from tests.support.licences import BASE, Crash, Fault, LicenceRoom, in_parallel
from trust.credentials.sd_jwt import SdJwt
from trust.kernel.errors import InvalidInput
from trust.storage.database import Database
from trust.storage.idempotency import IdempotencyKeyReused


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as started:
        yield started


@pytest.fixture
def room(database: Database, tmp_path: Path, typesetter: Typesetter) -> LicenceRoom:
    return LicenceRoom.open(database, tmp_path, typesetter)


def log_of(room: LicenceRoom) -> list[tuple[UsageAct, str | None]]:
    """The company's usage log, oldest first."""
    page = room.desk.usage.page(room.agent, PageRequest())
    return [(entry.act, entry.reason_code) for entry in reversed(page.items)]


def test_the_recipient_gets_a_valid_report_and_only_the_agreed_fields(room: LicenceRoom) -> None:
    licence = room.issue()
    answer = room.redeem(room.present(licence, fields=("number", "project_name")))
    assert dict(answer.fields) == {
        "number": licence.content.number,
        "project_name": licence.content.fields["project_name"],
    }
    assert answer.report["indication"] == "valid"
    assert sorted(answer.report["facts"]["disclosed"]) == ["/number", "/project_name"]
    assert len(SdJwt.parse(answer.credential).disclosures) == 2
    assert room.company_code not in str(vars(answer))
    assert answer.purpose == "办理施工许可"


def test_the_code_is_long_typed_in_any_case_and_stands_in_the_fragment(room: LicenceRoom) -> None:
    code = room.present(room.issue())
    assert len(code.code) == 26
    assert code.qr_payload == f"{BASE}/present#{code.code}"
    spaced = " ".join(code.code[at : at + 5] for at in range(0, 26, 5)).lower()
    assert room.redeem(spaced).presentation_id == code.presentation_id


def test_a_second_redemption_is_refused_and_the_holder_sees_both(room: LicenceRoom) -> None:
    code = room.present(room.issue())
    room.redeem(code)
    with pytest.raises(PresentationAlreadyRedeemed):
        room.redeem(code)
    assert log_of(room) == [
        (UsageAct.PRESENTED, None),
        (UsageAct.REDEEMED, None),
        (UsageAct.REFUSED, "presentation-already-redeemed"),
    ]
    assert room.events("presentation.redeemed") == [
        ("presentation.redeemed", "done", None),
        ("presentation.redeemed", "refused", "presentation-already-redeemed"),
    ]


def test_a_repeat_with_the_same_key_gets_the_same_answer(room: LicenceRoom) -> None:
    licence = room.issue()
    code = room.present(licence)
    first = room.redeem(code, key="once")
    room.desk.standing.suspend(licence.version.licence_id, room.system, reason="核查")
    room.clock.advance(days=2)
    assert room.redeem(code, key="once") == first
    with pytest.raises(IdempotencyKeyReused):
        room.redeem(room.present(room.issue()), key="once")
    assert log_of(room)[:2] == [(UsageAct.PRESENTED, None), (UsageAct.REDEEMED, None)]


def test_of_two_redemptions_that_race_one_is_answered(room: LicenceRoom) -> None:
    code = room.present(room.issue())
    outcomes = in_parallel(4, lambda number: room.redeem(code, key=f"race-{number}"))
    assert Counter(map(type, outcomes)) == Counter({Redemption: 1, PresentationAlreadyRedeemed: 3})
    assert Counter(log_of(room))[(UsageAct.REDEEMED, None)] == 1


def test_of_two_redemptions_with_one_key_that_race_both_get_the_one_answer(room: LicenceRoom) -> None:
    code = room.present(room.issue())
    outcomes = in_parallel(4, lambda _: room.redeem(code, key="once"))
    assert {outcome.redemption_id for outcome in outcomes if isinstance(outcome, Redemption)}
    assert len({str(outcome) for outcome in outcomes}) == 1
    assert Counter(log_of(room))[(UsageAct.REDEEMED, None)] == 1


def test_a_repeat_that_runs_beside_its_first_request_gets_the_first_ones_answer(room: LicenceRoom) -> None:
    code, first = room.present(room.issue()), []
    room.switches.hooks["trust"] = lambda: first.append(room.redeem(code, key="once"))
    assert [room.redeem(code, key="once")] == first
    other = room.present(room.issue())
    room.switches.hooks["trust"] = lambda: first.append(room.redeem(other))
    with pytest.raises(PresentationAlreadyRedeemed):
        room.redeem(other)
    assert len(first) == 2


def test_a_code_for_someone_else_is_refused_and_stays_good_for_the_one_named(room: LicenceRoom) -> None:
    code = room.present(room.issue(), recipient=Recipient(agency_id=room.other, application_id="app_2"))
    with pytest.raises(PresentationForSomeoneElse):
        room.redeem(code, caller=room.recipient(account="app_3"))
    with pytest.raises(PresentationForSomeoneElse):
        room.redeem(code, caller=room.recipient(account="app_1", agency=room.bureau))
    assert room.redeem(code).report["indication"] == "valid"
    assert [reason for act, reason in log_of(room) if act is UsageAct.REFUSED] == [
        "presentation-for-someone-else",
        "presentation-for-someone-else",
    ]


def test_an_expired_code_is_refused(room: LicenceRoom) -> None:
    code = room.present(room.issue(), minutes=5)
    room.clock.advance(minutes=5)
    with pytest.raises(PresentationExpired):
        room.redeem(code)
    assert log_of(room)[-1] == (UsageAct.REFUSED, "presentation-expired")


def test_a_code_nobody_made_is_unknown(room: LicenceRoom) -> None:
    for code in ("A" * 26, "not a code", "<script>", "Ⅷ" * 26):
        with pytest.raises(PresentationUnknown):
            room.redeem(code)
    assert room.events() == [("presentation.redeemed", "refused", "presentation-unknown")] * 4


def test_a_licence_suspended_since_is_redeemed_and_its_report_says_so(room: LicenceRoom) -> None:
    licence = room.issue()
    code = room.present(licence)
    room.desk.standing.suspend(licence.version.licence_id, room.officer, reason="核查")
    report = room.redeem(code).report
    assert report["indication"] == "invalid"
    assert report["facts"]["status"] == "suspended"


def test_without_revocation_data_the_report_cannot_tell(room: LicenceRoom) -> None:
    code = room.present(room.issue())
    room.crls = False
    assert room.redeem(code).report["indication"] == "cannot_tell"


def test_only_a_licence_that_holds_can_be_presented(room: LicenceRoom) -> None:
    licence = room.issue()
    room.desk.standing.suspend(licence.version.licence_id, room.officer, reason="核查")
    with pytest.raises(LicenceNotPresentable):
        room.present(licence)
    room.desk.standing.reinstate(licence.version.licence_id, room.officer, reason="核查完毕")
    room.clock.advance(days=366)
    with pytest.raises(LicenceNotPresentable, match="lapsed"):
        room.present(licence)


def test_only_the_holder_can_present_a_licence(room: LicenceRoom) -> None:
    company, own = room.issue(), room.issue(room.citizens_request())
    for licence, caller in (
        (company, room.citizen),  # the agent as a private person
        (own, room.agent),  # the private person as an agent
        (own, replace(room.citizen, account_id="citizen_2")),
    ):
        with pytest.raises(LicenceUnknown):
            room.present(licence, caller=caller)
    assert room.present(own, caller=room.citizen).code


def test_only_fields_of_the_licence_can_be_chosen(room: LicenceRoom) -> None:
    licence = room.issue()
    wrong = [(), ("number", "number"), ("colour",), ("iss",), ("status",), ("enclosures/0",)]
    for fields in wrong:
        with pytest.raises(PresentationFieldsRefused):
            room.present(licence, fields=fields)


def test_recipient_purpose_and_time_are_checked(room: LicenceRoom) -> None:
    licence = room.issue()
    for recipient in (
        Recipient(agency_id="agency_x"),
        Recipient(agency_id=room.other, application_id="app_1"),
    ):
        with pytest.raises(PresentationRecipientRefused):
            room.present(licence, recipient=recipient)
    for minutes in (0, MAX_MINUTES + 1):
        with pytest.raises(InvalidInput):
            room.present(licence, minutes=minutes)


@pytest.mark.parametrize("fault", [Crash(), Fault("away")])
def test_a_signer_that_is_away_leaves_the_code_good(room: LicenceRoom, fault: BaseException) -> None:
    licence = room.issue()
    code = room.present(licence)
    room.desk.standing.suspend(licence.version.licence_id, room.officer, reason="核查")
    with room.switches.broken("status list", fault), pytest.raises(type(fault)):
        room.redeem(code, key="once")
    assert room.redeem(code, key="once").report["facts"]["status"] == "suspended"


def test_the_log_names_fields_and_never_values_and_is_the_holders_alone(room: LicenceRoom) -> None:
    licence = room.issue()
    room.redeem(room.present(licence, fields=("project_name",)))
    room.desk.holdings.document(licence.version.licence_id, room.officer)
    entries = room.desk.usage.export(room.agent)
    assert [entry.act for entry in entries] == [UsageAct.DOWNLOADED, UsageAct.REDEEMED, UsageAct.PRESENTED]
    redeemed = entries[1]
    assert (redeemed.requested_fields, redeemed.shown_fields) == (("project_name",), ("project_name",))
    assert (redeemed.item_code, redeemed.case_number) == ("000117001000", "2026-0077")
    assert redeemed.purpose == "办理施工许可"
    assert licence.content.fields["project_name"] not in str(entries)
    assert room.desk.usage.export(room.citizen) == ()


def test_the_log_is_read_in_pages(room: LicenceRoom) -> None:
    licence = room.issue()
    for _ in range(3):
        room.clock.advance(seconds=1)
        room.present(licence)
    first = room.desk.usage.page(room.agent, PageRequest(limit=2))
    second = room.desk.usage.page(room.agent, PageRequest(limit=2, after=first.next))
    assert [len(first.items), len(second.items), second.next] == [2, 1, None]
    assert len({entry.entry_id for entry in (*first.items, *second.items)}) == 3
    assert room.agent.kind is CallerKind.CITIZEN
