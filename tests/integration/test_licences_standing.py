"""Standing: suspended, reinstated, cancelled, changed; what the public sees; who may do what."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from identity.caller import (
    ANYONE,
    WORKER,
    Caller,
    CallerKind,
    KindRefused,
    Role,
    RoleMissing,
    Scope,
    ScopeMissing,
)
from identity.model import PageRequest
from licences.errors import (
    LicenceNotReady,
    LicenceUnknown,
    PublicLicenceUnknown,
    StatusListUnknown,
)
from licences.model import ChangeRequest, Licence, LicenceState
from licences.numbering import LicenceIdentifier
from licences.presentations.model import PresentRequest, Recipient, RedeemRequest
from licences.render.typesetter import Typesetter
from tests.support.licences import LEASE, Crash, LicenceRoom, in_parallel
from trust.kernel.errors import YinxinError
from trust.kernel.states import StateRefused
from trust.storage.database import Database


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as started:
        yield started


@pytest.fixture
def room(database: Database, tmp_path: Path, typesetter: Typesetter) -> LicenceRoom:
    return LicenceRoom.open(database, tmp_path, typesetter)


def change(room: LicenceRoom, licence: Licence, *, key: str | None = None, **changes: object) -> Licence:
    request = ChangeRequest(licence_id=licence.version.licence_id, reason="名称变更", **changes)  # type: ignore[arg-type]  # the test names real fields
    return room.desk.change(request, room.system, idempotency_key=key or room.new_key())


def public(room: LicenceRoom, licence: Licence) -> LicenceState:
    return room.desk.public.look_up(licence.version.public_token).state


def test_the_public_status_and_the_signed_list_follow_each_act_at_once(room: LicenceRoom) -> None:
    licence = room.issue()
    standing, licence_id = room.desk.standing, licence.version.licence_id
    seen = [(public(room, licence), room.status_of(licence))]
    for act in (standing.suspend, standing.reinstate, standing.cancel):
        act(licence_id, room.system, reason="依申请")
        seen.append((public(room, licence), room.status_of(licence)))
    assert seen == [
        (LicenceState.VALID, "valid"),
        (LicenceState.SUSPENDED, "suspended"),
        (LicenceState.VALID, "valid"),
        (LicenceState.CANCELLED, "invalid"),
    ]
    assert [act for act, _, _ in room.events()][2:] == [
        "licence.suspended",
        "licence.reinstated",
        "licence.cancelled",
    ]


def test_a_token_is_kept_until_something_changes(room: LicenceRoom) -> None:
    licence, other = room.issue(), room.issue()
    list_id = licence.version.status_list_id
    first = room.desk.status_tokens.token(list_id)
    assert room.desk.status_tokens.token(list_id) == first
    room.desk.standing.suspend(other.version.licence_id, room.officer, reason="核查")
    assert room.desk.status_tokens.token(list_id) != first
    second = room.desk.status_tokens.token(list_id)
    room.clock.advance(hours=2)
    assert room.desk.status_tokens.token(list_id) != second, "an old token is signed anew"
    with pytest.raises(StatusListUnknown):
        room.desk.status_tokens.token("statuslist_0")


def test_a_step_the_table_does_not_have_is_refused_and_kept(room: LicenceRoom) -> None:
    licence_id, standing = room.issue().version.licence_id, room.desk.standing
    wrong = {
        "valid": [standing.reinstate],
        "suspended": [standing.suspend],
        "cancelled": [standing.suspend, standing.reinstate, standing.cancel],
    }
    for state, acts in wrong.items():
        for act in acts:
            with pytest.raises(StateRefused):
                act(licence_id, room.system, reason="依申请")
            assert room.events()[-1][1:] == ("refused", "state-refused"), state
        following = standing.suspend if state == "valid" else standing.cancel
        if state != "cancelled":
            following(licence_id, room.system, reason="依申请")


def test_acts_that_race_are_done_one_after_the_other(room: LicenceRoom) -> None:
    licence = room.issue()
    outcomes = in_parallel(
        4, lambda _: room.desk.standing.suspend(licence.version.licence_id, room.system, reason="核查")
    )
    assert Counter(map(type, outcomes)) == Counter({Licence: 1, StateRefused: 3})
    assert room.status_of(licence) == "suspended"


def test_a_change_issues_the_next_version_and_marks_the_former_invalid(room: LicenceRoom) -> None:
    former = room.issue()
    room.clock.advance(seconds=1)
    changed = change(room, former, holder_name="江城滨江建设集团有限公司")
    assert changed.version.licence_id == former.version.licence_id
    assert changed.content.number == former.content.number
    old, new = (LicenceIdentifier.parse(one.version.identifier) for one in (former, changed))
    assert (new.serial, new.version) == (old.serial, 2)
    assert (room.status_of(former), room.status_of(changed)) == ("invalid", "valid")
    assert (public(room, former), public(room, changed)) == (LicenceState.REPLACED, LicenceState.VALID)
    listed = room.desk.holdings.page(room.agent, PageRequest())
    assert [one.version.version for one in listed.items] == [2]


def test_the_former_version_holds_while_a_change_is_being_issued(room: LicenceRoom) -> None:
    former = room.issue()
    with room.switches.broken("before sealing", Crash()), pytest.raises(Crash):
        change(room, former, key="once", holder_name="江城滨江建设集团有限公司")
    assert public(room, former) is LicenceState.VALID
    with pytest.raises(Exception, match="another change"):
        change(room, former, holder_name="别的公司")
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    room.desk.resume_issuing()
    assert public(room, former) is LicenceState.REPLACED
    assert (
        change(room, former, key="once", holder_name="江城滨江建设集团有限公司").state is LicenceState.VALID
    )


def test_a_change_whose_former_version_is_cancelled_meanwhile_is_abandoned(room: LicenceRoom) -> None:
    former = room.issue()
    room.switches.hooks["before storing"] = lambda: cancel(room, former)
    with pytest.raises(StateRefused):
        change(room, former, key="once", holder_name="江城滨江建设集团有限公司")
    assert room.desk.holdings.get(former.version.licence_id, room.agent).state is LicenceState.CANCELLED
    assert ("licence.abandoned", "done", "state-refused") in room.events()


def cancel(room: LicenceRoom, licence: Licence) -> None:
    room.desk.standing.cancel(licence.version.licence_id, room.officer, reason="依申请")


def test_what_is_not_valid_is_not_changed(room: LicenceRoom) -> None:
    licence = room.issue()
    cancel(room, licence)
    with pytest.raises(StateRefused):
        change(room, licence, holder_name="别的公司")


def test_nothing_can_be_done_to_a_licence_in_issue(room: LicenceRoom) -> None:
    with room.switches.broken("rendering", Crash()), pytest.raises(Crash):
        room.issue(key="once")
    licence = room.issue(key="once")
    with pytest.raises(LicenceNotReady):
        cancel(room, licence)
    with pytest.raises(PublicLicenceUnknown):
        public(room, licence)


def test_anybody_with_the_token_sees_standing_and_a_masked_name_alone(room: LicenceRoom) -> None:
    shown = room.desk.public.look_up(room.issue(room.citizens_request()).version.public_token)
    assert (shown.masked_holder, shown.state) == ("**远", LicenceState.VALID)
    assert shown.type_name_zh == "建设工程规划许可证"
    room.clock.advance(days=366)
    for token in ("A" * 22, "", "' OR 1=1", "x" * 5000):
        with pytest.raises(PublicLicenceUnknown):
            room.desk.public.look_up(token)


def test_a_licence_lapses_after_its_last_day_in_china(room: LicenceRoom) -> None:
    licence = room.issue()  # at noon of 23 November in China; the last day is 22 November a year later
    room.clock.advance(days=364, hours=11, minutes=59)
    assert public(room, licence) is LicenceState.VALID
    room.clock.advance(minutes=1)
    assert public(room, licence) is LicenceState.LAPSED


def test_another_agencys_licence_is_not_there(room: LicenceRoom) -> None:
    licence_id = room.issue().version.licence_id
    stranger = room.strangers_officer()
    system = replace(application(room, Scope.LICENCE_MANAGE), agency_id=stranger.agency_id)
    acts: list[Callable[[], object]] = [
        lambda: room.desk.standing.suspend(licence_id, stranger, reason="核查"),
        lambda: room.desk.standing.cancel(licence_id, stranger, reason="核查"),
        lambda: room.desk.holdings.get(licence_id, stranger),
        lambda: room.desk.holdings.document(licence_id, stranger),
        lambda: room.desk.holdings.credential(licence_id, stranger),
        lambda: room.desk.change(
            ChangeRequest(licence_id=licence_id, reason="x"), system, idempotency_key="k"
        ),
    ]
    for act in acts:
        with pytest.raises(LicenceUnknown):
            act()
    assert room.desk.holdings.page(stranger, PageRequest()).items == ()


REFUSALS = {RoleMissing, ScopeMissing, KindRefused}


def refusal_of(act: Callable[[Caller], object], caller: Caller) -> type[BaseException] | None:
    try:
        act(caller)
    except YinxinError as refused:
        return type(refused)
    return None


def staff(room: LicenceRoom, *roles: Role) -> Caller:
    return replace(room.officer, roles=frozenset(roles))


def application(room: LicenceRoom, *scopes: Scope) -> Caller:
    return replace(room.system, scopes=frozenset(scopes))


def test_each_act_is_refused_to_everybody_it_is_not_for(room: LicenceRoom) -> None:
    licence_id = room.issue().version.licence_id
    other_roles = [role for role in Role if role not in {Role.LICENCE_OFFICER, Role.AUDITOR}]
    parties = {
        "other staff": staff(room, *other_roles),
        "auditor": staff(room, Role.AUDITOR),
        "officer": room.officer,
        "issuing application": application(room, Scope.LICENCE_ISSUE),
        "managing application": application(room, Scope.LICENCE_MANAGE),
        "redeeming application": application(room, Scope.PRESENTATION_REDEEM),
        "other application": application(room, Scope.SEAL_USE, Scope.ARCHIVE_INGEST, Scope.ARCHIVE_REUSE),
        "citizen": room.citizen,
        "anyone": ANYONE,
        "worker": replace(WORKER, kind=CallerKind.WORKER),
    }
    desk, reads = room.desk, {"officer", "auditor", "issuing application", "managing application"}
    manages = {"officer", "managing application"}
    presenting = PresentRequest(
        licence_id=licence_id, recipient=Recipient(agency_id=room.other), purpose="x", fields=("number",)
    )
    acts: dict[str, tuple[set[str], Callable[[Caller], object]]] = {
        "issue": (
            {"issuing application"},
            lambda caller: desk.issue(room.request(), caller, idempotency_key="k"),
        ),
        "change": (
            {"managing application"},
            lambda caller: desk.change(
                ChangeRequest(licence_id=licence_id, reason="x"), caller, idempotency_key="k"
            ),
        ),
        "suspend": (manages, lambda caller: desk.standing.suspend(licence_id, caller, reason="x")),
        "reinstate": (manages, lambda caller: desk.standing.reinstate(licence_id, caller, reason="x")),
        "cancel": (manages, lambda caller: desk.standing.cancel(licence_id, caller, reason="x")),
        "list": (reads | {"citizen"}, lambda caller: desk.holdings.page(caller, PageRequest())),
        "get": (reads | {"citizen"}, lambda caller: desk.holdings.get(licence_id, caller)),
        "document": (reads | {"citizen"}, lambda caller: desk.holdings.document(licence_id, caller)),
        "credential": (reads | {"citizen"}, lambda caller: desk.holdings.credential(licence_id, caller)),
        "present": ({"citizen"}, lambda caller: desk.present(presenting, caller)),
        "redeem": (
            {"redeeming application"},
            lambda caller: desk.redeem(RedeemRequest(code="x"), caller, idempotency_key="k"),
        ),
        "usage log": ({"citizen"}, lambda caller: desk.usage.page(caller, PageRequest())),
        "usage export": ({"citizen"}, desk.usage.export),
    }
    for name, (allowed, act) in acts.items():
        for party in parties.keys() - allowed:
            assert refusal_of(act, parties[party]) in REFUSALS, f"{name} was not refused to {party}"
    assert {outcome for _, outcome, _ in room.events()[2:]} == {"refused"}
    assert room.desk.holdings.get(licence_id, room.officer).state is LicenceState.VALID


def test_a_list_is_read_in_pages_and_holds_only_the_callers_own(room: LicenceRoom) -> None:
    for _ in range(3):
        room.clock.advance(seconds=1)
        room.issue()
    own = room.issue(room.citizens_request())
    first = room.desk.holdings.page(room.agent, PageRequest(limit=2))
    second = room.desk.holdings.page(room.agent, PageRequest(limit=2, after=first.next))
    assert [len(first.items), len(second.items), second.next] == [2, 1, None]
    mine = room.desk.holdings.page(room.citizen, PageRequest())
    assert [one.version.licence_id for one in mine.items] == [own.version.licence_id]
    assert len(room.desk.holdings.page(room.officer, PageRequest()).items) == 4
