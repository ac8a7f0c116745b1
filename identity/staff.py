"""Staff: invited with roles by an administrator, active by their own enrolment, deactivated for good."""

from dataclasses import dataclass

from identity.caller import ADMINISTRATORS, PLATFORM_ROLES, Caller, Role, RoleMissing
from identity.errors import OwnAccount, RolesRefused, SeparationOfDuties, StaffExists
from identity.events import Act, done, refusals_kept
from identity.ids import AgencyId, PersonId, StaffId
from identity.model import (
    STAFF_STATES,
    AgencyScope,
    EveryAgency,
    Page,
    PageRequest,
    StaffMember,
    StaffState,
    roles_conflict,
)
from identity.numbers import ResidentIdNumber
from identity.paging import checked
from identity.people import MAX_NAME_CHARACTERS, People
from identity.repository import AgencyRows, PartyInserts, StaffRows
from identity.signin.enrolments import EnrolmentLink, Enrolments
from identity.signin.repository import EnrolmentRows, SessionRows
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger
from trust.storage.database import Work


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invited member of staff and the link to hand to that person, shown once."""

    member: StaffMember
    link: EnrolmentLink


class Staff:
    """Invites, lists and deactivates staff."""

    def __init__(
        self, *, ledger: Ledger, clock: Clock, ids: Ids, people: People, enrolments: Enrolments
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._people = people
        self._enrolments = enrolments

    def invite(
        self,
        caller: Caller,
        *,
        name: str,
        resident_id_number: str,
        roles: frozenset[Role],
        agency_id: AgencyId | None = None,
    ) -> Invitation:
        """Invites a person with roles.

        An agency administrator invites to the own agency; a platform administrator invites an agency's
        administrators, platform administrators and supervisors (`agency_id` None). Raises RoleMissing,
        SeparationOfDuties, RolesRefused, NotFound, StaffExists and ResidentIdNumberInvalid.
        """
        with self._ledger.work() as work:
            with refusals_kept(Act.STAFF_REFUSED, caller, "staff", attempted=Act.STAFF_INVITED):
                _require_right_to_give(caller, roles)
            target = self._target(work, caller, roles, agency_id)
            number = ResidentIdNumber.parse(resident_id_number, today=self._clock.now().date())
            person_id = self._people.known_by(work, number)
            with refusals_kept(Act.STAFF_REFUSED, caller, "staff", attempted=Act.STAFF_INVITED):
                _require_separation(work, person_id, roles, target)
            member = StaffMember(
                id=self._ids.new(StaffId),
                agency_id=target,
                person_id=person_id,
                name=line(name, what="the name", limit=MAX_NAME_CHARACTERS),
                roles=roles,
                state=StaffState.INVITED,
                invited_at=self._clock.now(),
            )
            if not PartyInserts(work).staff(member, by=caller.account_id):
                raise StaffExists("this person has an account here; deactivate it before inviting anew")
            content = {"roles": sorted(roles)}
            work.record(done(Act.STAFF_INVITED, caller, member.id, agency=target, content=content))
            link = self._enrolments.issue(work, caller, member)
        return Invitation(member=member, link=link)

    def list(self, caller: Caller, page: PageRequest) -> Page[StaffMember]:
        """The staff of the administrator's or auditor's agency, oldest first; of all for the platform's."""
        page = checked(page, StaffId)
        caller.require_role(Role.PLATFORM_ADMINISTRATOR, Role.AGENCY_ADMINISTRATOR, Role.AUDITOR)
        with self._ledger.read() as work:
            rows = StaffRows(work).page(_scope(caller), page)
        return Page.of(rows, page.limit, lambda member: member.id)

    def deactivate(self, caller: Caller, staff_id: StaffId) -> StaffMember:
        """Ends an account for good: its sessions and links end with it.

        A platform administrator may deactivate administrators and supervisors only. Raises RoleMissing, NotFound,
        OwnAccount and StateRefused.
        """
        with self._ledger.work() as work:
            with refusals_kept(Act.STAFF_REFUSED, caller, staff_id, attempted=Act.STAFF_DEACTIVATED):
                caller.require_role(Role.PLATFORM_ADMINISTRATOR, Role.AGENCY_ADMINISTRATOR)
                member = StaffRows(work).find(staff_id, _scope(caller), lock=True)
                if member is None:
                    raise NotFound("there is no member of staff of this id")
                if Role.PLATFORM_ADMINISTRATOR in caller.roles and not member.appointed_by_the_platform:
                    raise RoleMissing("an agency's staff is deactivated by that agency's administrator")
            if member.person_id == caller.person_id:
                raise OwnAccount("nobody deactivates the own account; another administrator does")
            STAFF_STATES.require(member.state, StaffState.DEACTIVATED)
            now = self._clock.now()
            PartyInserts(work).staff_state(member, StaffState.DEACTIVATED, at=now)
            SessionRows(work).end_of_account(member.id)
            EnrolmentRows(work).end_for(member.id, now)
            work.record(done(Act.STAFF_DEACTIVATED, caller, member.id, agency=member.agency_id))
            ended = StaffRows(work).find(member.id, EveryAgency.EVERY)
        return ended or member

    def _target(
        self, work: Work, caller: Caller, roles: frozenset[Role], agency_id: AgencyId | None
    ) -> AgencyId | None:
        if roles & PLATFORM_ROLES:
            if agency_id is not None:
                raise RolesRefused(
                    "a platform administrator or supervisor belongs to no agency; leave the agency out"
                )
            return None
        if Role.PLATFORM_ADMINISTRATOR not in caller.roles:
            agency_id = agency_id or caller.require_agency()
        if agency_id is None:
            raise RolesRefused("an agency administrator belongs to an agency; name it")
        if AgencyRows(work).find(agency_id, _scope(caller)) is None:
            raise NotFound("there is no agency of this id")
        return agency_id


def _scope(caller: Caller) -> AgencyScope:
    if Role.PLATFORM_ADMINISTRATOR in caller.roles:
        return EveryAgency.EVERY
    return caller.require_agency()


def _require_right_to_give(caller: Caller, roles: frozenset[Role]) -> None:
    caller.require_role(Role.PLATFORM_ADMINISTRATOR, Role.AGENCY_ADMINISTRATOR)
    if not roles:
        raise RolesRefused("an account needs a role")
    if roles_conflict(roles):
        raise SeparationOfDuties(
            "one person does not administer and seal at one agency, nor supervise and act"
        )
    if Role.PLATFORM_ADMINISTRATOR in caller.roles:
        if not roles <= ADMINISTRATORS | PLATFORM_ROLES:
            raise RoleMissing(
                "a platform administrator invites administrators and supervisors; they invite their staff"
            )
        if len(roles) > 1:
            raise RolesRefused("a platform administrator is no agency's administrator in the same account")
    elif roles & PLATFORM_ROLES:
        raise RoleMissing("platform administrators and supervisors are invited by a platform administrator")


def _require_separation(
    work: Work, person_id: PersonId, roles: frozenset[Role], agency_id: AgencyId | None
) -> None:
    """Over all accounts of the natural person: a platform administrator's reach is every agency."""
    for other in StaffRows(work).in_use_of(person_id):
        overlap = other.agency_id == agency_id or other.agency_id is None or agency_id is None
        if overlap and roles_conflict(other.roles | roles):
            raise SeparationOfDuties("this person holds a role that may not stand with the roles given")
