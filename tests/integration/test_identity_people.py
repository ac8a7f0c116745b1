"""Enrolment, staff, citizens, organisations and agents on the real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import DBAPIError

from identity import errors
from identity.caller import Role, RoleMissing
from identity.ids import CitizenId, OrganisationId, StaffId
from identity.model import OrganisationKind, PageRequest, StaffState
from identity.numbers import ResidentIdNumber, ResidentIdNumberInvalid, UsccInvalid
from identity.repository import OrganisationRows, PartyInserts, StaffRows
from identity.signin.enrolments import FirstAdministratorUnnamed, NamedPerson
from tests.support.identity import NOON, PASSWORD, IdentityRoom, resident_number, uscc
from trust.kernel.errors import NotFound
from trust.kernel.states import StateRefused
from trust.storage.database import Database


@pytest.fixture
def room(database: Database) -> IdentityRoom:
    return IdentityRoom.open(database)


def first_person() -> NamedPerson:
    return NamedPerson(name="张首", number=ResidentIdNumber.parse(resident_number(1)))


def test_the_first_administrator_enrols_by_a_link_that_works_once(room: IdentityRoom) -> None:
    link = room.desk.enrolments.bootstrap()
    assert link is not None
    with pytest.raises(FirstAdministratorUnnamed):
        room.desk.enrolments.redeem(token=link.token, username="first", password=PASSWORD)
    member = room.desk.enrolments.redeem(
        token=link.token, username="first", password=PASSWORD, first=first_person()
    )
    assert member.roles == {Role.PLATFORM_ADMINISTRATOR}
    assert room.sign_in("FIRST").caller.account_id == member.id
    with pytest.raises(errors.EnrolmentRefused):
        room.desk.enrolments.redeem(
            token=link.token, username="second", password=PASSWORD, first=first_person()
        )
    assert room.desk.enrolments.bootstrap() is None


def test_a_new_first_link_ends_the_earlier_one_and_each_expires(room: IdentityRoom) -> None:
    earlier, link = room.desk.enrolments.bootstrap(), room.desk.enrolments.bootstrap()
    assert earlier is not None
    assert link is not None
    with pytest.raises(errors.EnrolmentRefused):
        room.desk.enrolments.redeem(
            token=earlier.token, username="first", password=PASSWORD, first=first_person()
        )
    room.clock.moment = link.expires_at
    with pytest.raises(errors.EnrolmentRefused):
        room.desk.enrolments.redeem(
            token=link.token, username="first", password=PASSWORD, first=first_person()
        )


def test_two_who_use_one_link_at_once_get_one_account(room: IdentityRoom) -> None:
    _, administrator = room.agency()
    invitation = room.desk.staff.invite(
        administrator, name="李", resident_id_number=resident_number(900), roles=frozenset({Role.AUDITOR})
    )

    def redeem(username: str) -> object:
        try:
            return room.desk.enrolments.redeem(
                token=invitation.link.token, username=username, password=PASSWORD
            )
        except errors.EnrolmentRefused as refused:
            return refused

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(redeem, [f"racer{number}" for number in range(4)]))
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1


def test_a_taken_user_name_leaves_the_link_usable(room: IdentityRoom) -> None:
    _, administrator = room.agency()
    room.citizen(username="taken")
    invitation = room.desk.staff.invite(
        administrator, name="李", resident_id_number=resident_number(900), roles=frozenset({Role.AUDITOR})
    )
    with pytest.raises(errors.UsernameTaken):
        room.desk.enrolments.redeem(token=invitation.link.token, username="Taken", password=PASSWORD)
    room.desk.enrolments.redeem(token=invitation.link.token, username="free", password=PASSWORD)


def test_the_token_of_a_link_is_nowhere_in_the_database(room: IdentityRoom) -> None:
    link = room.desk.enrolments.bootstrap()
    assert link is not None
    assert link.token not in room.everything_written()
    assert link.token not in repr(link)


@pytest.mark.parametrize("seal_role", [Role.SEAL_OFFICER, Role.SEAL_APPROVER])
def test_one_person_does_not_administer_and_seal_at_one_agency(room: IdentityRoom, seal_role: Role) -> None:
    _, chief = room.agency()
    number = resident_number(901)
    with pytest.raises(errors.SeparationOfDuties):
        room.staff(chief, Role.AGENCY_ADMINISTRATOR, seal_role)
    room.staff(chief, seal_role, number=number)
    with pytest.raises(errors.SeparationOfDuties):
        room.staff(chief, Role.AGENCY_ADMINISTRATOR, number=number)
    assert [event["reason"] for event in room.events("staff.refused")] == ["separation-of-duties"] * 2


def test_a_platform_administrator_seals_nowhere_even_by_another_account(room: IdentityRoom) -> None:
    _, chief = room.agency()
    number = resident_number(902)
    room.staff(chief, Role.SEAL_OFFICER, number=number)
    with pytest.raises(errors.SeparationOfDuties):
        room.staff(room.administrator, Role.PLATFORM_ADMINISTRATOR, number=number)
    second = resident_number(903)
    room.staff(room.administrator, Role.PLATFORM_ADMINISTRATOR, number=second)
    with pytest.raises(errors.SeparationOfDuties):
        room.staff(chief, Role.SEAL_APPROVER, number=second)


def test_separation_holds_when_both_invitations_race(room: IdentityRoom) -> None:
    _, chief = room.agency()
    number = resident_number(904)

    def invite(role: Role) -> object:
        by = chief if role is Role.SEAL_OFFICER else room.administrator
        try:
            return room.desk.staff.invite(by, name="李", resident_id_number=number, roles=frozenset({role}))
        except errors.SeparationOfDuties as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(invite, [Role.SEAL_OFFICER, Role.PLATFORM_ADMINISTRATOR]))
    assert sum(isinstance(outcome, errors.SeparationOfDuties) for outcome in outcomes) == 1


def test_the_database_itself_refuses_an_administrator_with_a_seal_role(room: IdentityRoom) -> None:
    _, chief = room.agency()
    with room.ledger.read() as work:
        member = StaffRows(work).find(StaffId(chief.account_id), chief.require_agency())
    assert member is not None
    values = vars(member) | {
        "id": "staff_x",
        "roles": frozenset({Role.AGENCY_ADMINISTRATOR, Role.SEAL_OFFICER}),
    }
    with pytest.raises(DBAPIError), room.ledger.work() as work:
        PartyInserts(work).staff(type(member)(**values), by="test")


def test_one_person_has_one_account_in_use_at_an_agency_and_one_person_id_everywhere(
    room: IdentityRoom,
) -> None:
    number = resident_number(905)
    (_, one), (_, other) = room.agency(), room.agency()
    here = room.staff(one, Role.ARCHIVIST, number=number)
    there = room.staff(other, Role.SEAL_OFFICER, number=number)
    as_citizen = room.citizen(number=number.lower())
    assert here.person_id == there.person_id == as_citizen.person_id
    with pytest.raises(errors.StaffExists):
        room.staff(one, Role.AUDITOR, number=number)
    room.desk.staff.deactivate(one, StaffId(here.account_id))
    assert room.staff(one, Role.AUDITOR, number=number).person_id == here.person_id


def test_deactivation_is_final_and_ends_open_links(room: IdentityRoom) -> None:
    _, chief = room.agency()
    officer = room.staff(chief, Role.SEAL_OFFICER, number=resident_number(906))
    invited = room.desk.staff.invite(
        chief, name="赵", resident_id_number=resident_number(907), roles=frozenset({Role.AUDITOR})
    )
    ended = room.desk.staff.deactivate(chief, StaffId(officer.account_id))
    room.desk.staff.deactivate(chief, invited.member.id)
    assert ended.state is StaffState.DEACTIVATED
    with pytest.raises(errors.EnrolmentRefused):
        room.desk.enrolments.redeem(token=invited.link.token, username="zhao", password=PASSWORD)
    with pytest.raises(StateRefused):
        room.desk.staff.deactivate(chief, StaffId(officer.account_id))


def test_nobody_deactivates_the_own_account_nor_the_own_other_account(room: IdentityRoom) -> None:
    _, chief = room.agency()
    with pytest.raises(errors.OwnAccount):
        room.desk.staff.deactivate(chief, StaffId(chief.account_id))


def test_a_platform_administrator_deactivates_administrators_only(room: IdentityRoom) -> None:
    _, chief = room.agency()
    officer = room.staff(chief, Role.SEAL_OFFICER)
    with pytest.raises(RoleMissing):
        room.desk.staff.deactivate(room.administrator, StaffId(officer.account_id))
    room.desk.staff.deactivate(room.administrator, StaffId(chief.account_id))


def test_a_resident_id_number_stands_nowhere_in_the_clear(room: IdentityRoom) -> None:
    number = resident_number(908)
    caller = room.citizen(number=number)
    assert number not in room.everything_written()
    me = room.desk.authentication.about(caller)
    assert me.masked_number == ResidentIdNumber.parse(number).masked
    with room.ledger.work() as work:
        assert room.desk.directory.citizen_by_number(work, number).id == caller.account_id


def test_a_citizen_with_a_wrong_number_is_refused_without_repeating_it(room: IdentityRoom) -> None:
    for number in ["123", "110105194912310021", "42010219500101001\x00", "４２" * 9]:
        with pytest.raises(ResidentIdNumberInvalid) as refused:
            room.citizen(number=number)
        assert number not in refused.value.message


def test_a_person_registers_once_and_a_user_name_is_given_once(room: IdentityRoom) -> None:
    number = resident_number(909)
    room.citizen(number=number, username="once")
    with pytest.raises(errors.CitizenExists):
        room.citizen(number=number)
    with pytest.raises(errors.UsernameTaken):
        room.citizen(username="ONCE")


def test_a_citizen_registers_a_company_and_acts_for_it(room: IdentityRoom) -> None:
    room.citizen(username="agent.one")
    agent = room.sign_in("agent.one").caller
    company = room.company(agent)
    acting = room.sign_in("agent.one", organisation_id=company.id)
    assert acting.caller.organisation_id == company.id
    assert room.desk.authentication.authenticate(acting.token) == acting.caller
    assert room.desk.authentication.about(acting.caller).organisation == company
    assert room.desk.organisations.list(agent, PageRequest()).items == (company,)
    with pytest.raises(errors.OrganisationExists):
        room.desk.organisations.register(
            room.citizen(), uscc=company.uscc.lower(), name="别人", kind=OrganisationKind.LEGAL_PERSON
        )


def test_a_wrong_uscc_is_refused(room: IdentityRoom) -> None:
    number = uscc(1)
    with pytest.raises(UsccInvalid):
        room.desk.organisations.register(
            room.citizen(),
            uscc=number[:-1] + ("0" if number[-1] != "0" else "1"),
            name="某",
            kind=OrganisationKind.OTHER,
        )


def test_an_agent_acts_within_the_period_alone_and_authorises_nobody(room: IdentityRoom) -> None:
    first, second = room.citizen(), room.citizen(username="agent.two")
    company = room.company(first)
    desk = room.desk.organisations
    with pytest.raises(NotFound):
        room.sign_in("agent.two", organisation_id=company.id)
    begin, end = NOON + timedelta(days=1), NOON + timedelta(days=2)
    agent = desk.authorise_agent(
        first, company.id, citizen_id=CitizenId(second.account_id), valid_from=begin, valid_until=end
    )
    assert not agent.may_authorise
    with pytest.raises(NotFound):
        room.sign_in("agent.two", organisation_id=company.id)
    room.clock.moment = begin
    session = room.sign_in("agent.two", organisation_id=company.id)
    with pytest.raises(errors.AgentRefused):
        desk.authorise_agent(
            session.caller,
            company.id,
            citizen_id=CitizenId(first.account_id),
            valid_from=None,
            valid_until=end,
        )
    assert room.events("agent.refused")[0]["reason"] == "agent-may-not-authorise"
    room.clock.moment = end - timedelta(seconds=1)
    session = room.sign_in("agent.two", organisation_id=company.id)
    room.clock.moment = end
    with pytest.raises(errors.TokenRefused):
        room.desk.authentication.authenticate(session.token)


def test_a_withdrawn_agent_is_out_at_the_next_request(room: IdentityRoom) -> None:
    first, second = room.citizen(), room.citizen(username="agent.three")
    company = room.company(first)
    desk = room.desk.organisations
    agent = desk.authorise_agent(
        first,
        company.id,
        citizen_id=CitizenId(second.account_id),
        valid_from=None,
        valid_until=NOON + timedelta(days=9),
    )
    session = room.sign_in("agent.three", organisation_id=company.id)
    assert desk.withdraw_agent(first, company.id, agent.id).withdrawn_at == NOON
    with pytest.raises(errors.TokenRefused):
        room.desk.authentication.authenticate(session.token)
    with pytest.raises(NotFound):
        desk.withdraw_agent(first, company.id, agent.id)
    desk.authorise_agent(
        first,
        company.id,
        citizen_id=CitizenId(second.account_id),
        valid_from=None,
        valid_until=NOON + timedelta(days=9),
    )


def test_an_authorisations_period_is_bounded(room: IdentityRoom) -> None:
    first, second = room.citizen(), room.citizen()
    company = room.company(first)
    for days in [-1, 0, 3 * 366 + 1]:
        with pytest.raises(errors.PeriodRefused):
            room.desk.organisations.authorise_agent(
                first,
                company.id,
                citizen_id=CitizenId(second.account_id),
                valid_from=None,
                valid_until=NOON + timedelta(days=days),
            )
    east, west = timezone(timedelta(hours=14)), timezone(-timedelta(hours=14))
    for moment in (datetime.min.replace(tzinfo=east), datetime.max.replace(tzinfo=west)):
        with pytest.raises(errors.PeriodRefused):
            room.desk.organisations.authorise_agent(
                first,
                company.id,
                citizen_id=CitizenId(second.account_id),
                valid_from=moment,
                valid_until=moment,
            )


def test_who_acts_for_one_organisation_does_not_decide_about_another(room: IdentityRoom) -> None:
    first, other = room.citizen(username="agent.four"), room.citizen()
    one, second = room.company(first), room.company(first)
    acting = room.sign_in("agent.four", organisation_id=one.id).caller
    with pytest.raises(NotFound):
        room.desk.organisations.authorise_agent(
            acting,
            second.id,
            citizen_id=CitizenId(other.account_id),
            valid_from=None,
            valid_until=NOON + timedelta(days=1),
        )


def test_the_first_agent_cannot_be_withdrawn_and_a_stranger_finds_nothing(room: IdentityRoom) -> None:
    first, stranger = room.citizen(), room.citizen()
    company = room.company(first)
    with room.ledger.read() as work:
        own = OrganisationRows(work).agent(company.id, CitizenId(first.account_id), NOON)
    assert own is not None
    with pytest.raises(errors.AgentRefused):
        room.desk.organisations.withdraw_agent(first, company.id, own.id)
    with pytest.raises(NotFound):
        room.desk.organisations.withdraw_agent(stranger, company.id, own.id)
    with pytest.raises(NotFound):
        room.desk.organisations.authorise_agent(
            stranger,
            OrganisationId(company.id),
            citizen_id=CitizenId(stranger.account_id),
            valid_from=None,
            valid_until=NOON + timedelta(days=1),
        )


def test_another_agencys_rows_are_not_found(room: IdentityRoom) -> None:
    (one, chief), (other, stranger) = room.agency(), room.agency()
    officer = room.staff(chief, Role.AUDITOR)
    program = room.program(chief)
    desk = room.desk
    for refused in (
        lambda: desk.agencies.get(stranger, one.id),
        lambda: desk.agencies.items(stranger, one.id, PageRequest()),
        lambda: desk.agencies.add_item(stranger, one.id, code="X", name_zh="x", name_en="x"),
        lambda: desk.staff.deactivate(stranger, StaffId(officer.account_id)),
        lambda: desk.applications.revoke(stranger, program.application.id),
        lambda: room.staff(stranger, Role.AUDITOR, agency_id=one.id),
    ):
        with pytest.raises(NotFound):
            refused()
    assert desk.agencies.list(stranger, PageRequest()).items == (other,)
    assert {m.agency_id for m in desk.staff.list(stranger, PageRequest()).items} == {other.id}
    assert desk.applications.list(stranger, PageRequest()).items == ()


def test_a_citizen_sees_every_agency(room: IdentityRoom) -> None:
    one, _ = room.agency()
    assert one in room.desk.agencies.list(room.citizen(), PageRequest()).items


def test_lists_are_read_page_by_page_and_take_no_foreign_cursor(room: IdentityRoom) -> None:
    agency, chief = room.agency()
    desk = room.desk.agencies
    codes = [f"ITEM-{number}" for number in range(5)]
    for code in codes:
        desk.add_item(chief, agency.id, code=code, name_zh="事项", name_en="Item")
        room.clock.advance(seconds=1)
    seen: list[str] = []
    page = desk.items(chief, agency.id, PageRequest(limit=2))
    while True:
        seen += [item.code for item in page.items]
        if page.next is None:
            break
        page = desk.items(chief, agency.id, PageRequest(limit=2, after=page.next))
    assert seen == codes
    for wrong in (PageRequest(after=agency.id), PageRequest(after="x"), PageRequest(limit=0)):
        with pytest.raises(errors.CursorRefused):
            desk.items(chief, agency.id, wrong)


def test_codes_are_unique_and_of_their_form(room: IdentityRoom) -> None:
    agency, chief = room.agency()
    desk = room.desk.agencies
    desk.add_item(chief, agency.id, code="A-1", name_zh="事项", name_en="Item")
    with pytest.raises(errors.ServiceItemExists):
        desk.add_item(chief, agency.id, code="A-1", name_zh="事项", name_en="Item")
    for code in ("", "-a", "a/b", "a b", "a\x00", "x" * 65, "../x"):
        with pytest.raises(errors.CodeRefused):
            desk.add_item(chief, agency.id, code=code, name_zh="事项", name_en="Item")
    with pytest.raises(errors.AgencyExists):
        desk.create(room.administrator, uscc=uscc(77, "11"), code=agency.code, name_zh="重", name_en="again")
