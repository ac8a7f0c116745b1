"""The rows of people, agencies, staff, citizens, organisations and applications.

Every query takes the scope of the caller: an agency, or for platform administrators every agency; a citizen's
own rows by the citizen's id. What is outside the scope is not found.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from identity import tables as t
from identity.caller import Role, Scope
from identity.ids import (
    AgencyId,
    AgentId,
    ApplicationId,
    CitizenId,
    OrganisationId,
    PersonId,
    ServiceItemId,
    StaffId,
)
from identity.model import (
    Agency,
    AgencyScope,
    Agent,
    Application,
    AssuranceLevel,
    Citizen,
    EveryAgency,
    Organisation,
    OrganisationKind,
    PageRequest,
    ServiceItem,
    StaffMember,
    StaffState,
)
from trust.storage.database import ReadWork, Work


class AgencyRows:
    """Agencies and their service items."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def find(self, agency_id: AgencyId, scope: AgencyScope) -> Agency | None:
        where = and_(t.agencies.c.id == agency_id, _within(t.agencies.c.id, scope))
        row = self._work.execute(select(t.agencies).where(where)).one_or_none()
        return _agency(row) if row else None

    def page(self, scope: AgencyScope, page: PageRequest) -> list[Agency]:
        query = _paged(select(t.agencies).where(_within(t.agencies.c.id, scope)), t.agencies.c.id, page)
        return [_agency(row) for row in self._work.execute(query)]

    def items(self, agency_id: AgencyId, page: PageRequest) -> list[ServiceItem]:
        query = select(t.service_items).where(t.service_items.c.agency_id == agency_id)
        return [_item(row) for row in self._work.execute(_paged(query, t.service_items.c.id, page))]

    def item(self, agency_id: AgencyId, code: str) -> ServiceItem | None:
        c = t.service_items.c
        row = self._work.execute(
            select(t.service_items).where(c.agency_id == agency_id, c.code == code)
        ).one_or_none()
        return _item(row) if row else None


class StaffRows:
    """Staff accounts."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def find(self, staff_id: StaffId, scope: AgencyScope, *, lock: bool = False) -> StaffMember | None:
        query = select(t.staff).where(t.staff.c.id == staff_id, _within(t.staff.c.agency_id, scope))
        row = self._work.execute(query.with_for_update() if lock else query).one_or_none()
        return _staff(row) if row else None

    def page(self, scope: AgencyScope, page: PageRequest) -> list[StaffMember]:
        query = select(t.staff).where(_within(t.staff.c.agency_id, scope))
        return [_staff(row) for row in self._work.execute(_paged(query, t.staff.c.id, page))]

    def in_use_of(self, person_id: PersonId) -> list[StaffMember]:
        """The person's accounts that are not deactivated, at every agency."""
        c = t.staff.c
        query = select(t.staff).where(c.person_id == person_id, c.state != StaffState.DEACTIVATED.value)
        return [_staff(row) for row in self._work.execute(query)]

    def platform_administrator_exists(self) -> bool:
        c = t.staff.c
        query = select(
            exists().where(
                c.state == StaffState.ACTIVE.value, c.roles.contains([Role.PLATFORM_ADMINISTRATOR.value])
            )
        )
        return bool(self._work.execute(query).scalar_one())


class CitizenRows:
    """Citizens' accounts."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def find(self, citizen_id: CitizenId) -> Citizen | None:
        return self._one(t.citizens.c.id == citizen_id)

    def of_person(self, person_id: PersonId) -> Citizen | None:
        return self._one(t.citizens.c.person_id == person_id)

    def _one(self, where: ColumnElement[bool]) -> Citizen | None:
        row = self._work.execute(select(t.citizens).where(where)).one_or_none()
        if row is None:
            return None
        return Citizen(
            id=CitizenId(row.id),
            person_id=PersonId(row.person_id),
            name=row.name,
            masked_number=row.masked_number,
            assurance_level=AssuranceLevel(row.assurance_level),
            registered_at=row.registered_at,
        )


class OrganisationRows:
    """Organisations and those who may act for them."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def find(self, organisation_id: OrganisationId) -> Organisation | None:
        return self._one(t.organisations.c.id == organisation_id)

    def by_uscc(self, uscc: str) -> Organisation | None:
        return self._one(t.organisations.c.uscc == uscc)

    def page_of_agent(self, citizen_id: CitizenId, at: datetime, page: PageRequest) -> list[Organisation]:
        """The organisations that the citizen may act for at the moment."""
        mine = select(t.agents.c.organisation_id).where(t.agents.c.citizen_id == citizen_id, _in_force(at))
        query = select(t.organisations).where(t.organisations.c.id.in_(mine))
        rows = self._work.execute(_paged(query, t.organisations.c.id, page))
        return [_organisation(row) for row in rows]

    def agent(self, organisation_id: OrganisationId, citizen_id: CitizenId, at: datetime) -> Agent | None:
        """The citizen's authorisation in force at the moment; the strongest where there are several."""
        c = t.agents.c
        query = (
            select(t.agents)
            .where(c.organisation_id == organisation_id, c.citizen_id == citizen_id, _in_force(at))
            .order_by(c.may_authorise.desc(), c.id)
            .limit(1)
        )
        row = self._work.execute(query).one_or_none()
        return _agent(row) if row else None

    def authorisation(self, organisation_id: OrganisationId, agent_id: AgentId) -> Agent | None:
        """One authorisation, in force or not, with its withdrawal."""
        c = t.agents.c
        query = (
            select(t.agents, t.agent_withdrawals.c.at.label("withdrawn_at"))
            .outerjoin(t.agent_withdrawals)
            .where(c.organisation_id == organisation_id, c.id == agent_id)
        )
        row = self._work.execute(query).one_or_none()
        return _agent(row, withdrawn_at=row.withdrawn_at) if row else None

    def overlapping(
        self, organisation_id: OrganisationId, citizen_id: CitizenId, begin: datetime, end: datetime
    ) -> bool:
        """Whether the citizen has an authorisation that meets the period."""
        c = t.agents.c
        query = select(
            exists().where(
                c.organisation_id == organisation_id,
                c.citizen_id == citizen_id,
                c.valid_from < end,
                or_(c.valid_until.is_(None), c.valid_until > begin),
                ~_withdrawn(),
            )
        )
        return bool(self._work.execute(query).scalar_one())

    def _one(self, where: ColumnElement[bool]) -> Organisation | None:
        row = self._work.execute(select(t.organisations).where(where)).one_or_none()
        return _organisation(row) if row else None


class ApplicationRows:
    """Applications of agencies."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def find(self, application_id: ApplicationId, scope: AgencyScope) -> Application | None:
        c = t.applications.c
        query = _applications().where(c.id == application_id, _within(c.agency_id, scope))
        row = self._work.execute(query).one_or_none()
        return _application(row) if row else None

    def page(self, scope: AgencyScope, page: PageRequest) -> list[Application]:
        query = _applications().where(_within(t.applications.c.agency_id, scope))
        return [_application(row) for row in self._work.execute(_paged(query, t.applications.c.id, page))]


class PartyInserts:
    """What is written about parties. Each insert answers whether the row is new."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def agency(self, agency: Agency, *, by: str) -> bool:
        return self._new(t.agencies, {**vars(agency), "created_by": by})

    def service_item(self, item: ServiceItem, *, by: str) -> bool:
        return self._new(t.service_items, {**vars(item), "created_by": by})

    def person(self, person_id: PersonId, *, index: bytes, sealed: bytes, at: datetime) -> PersonId:
        """The person with this number, who may have been known under another id already."""
        row = {"id": person_id, "number_index": index, "sealed_number": sealed, "known_since": at}
        if self._new(t.people, row):
            return person_id
        return PersonId(
            self._work.execute(select(t.people.c.id).where(t.people.c.number_index == index)).scalar_one()
        )

    def staff(self, member: StaffMember, *, by: str) -> bool:
        row = vars(member) | {
            "roles": sorted(role.value for role in member.roles),
            "state": member.state.value,
            "invited_by": by,
        }
        return self._new(t.staff, row)

    def staff_state(self, member: StaffMember, state: StaffState, *, at: datetime) -> None:
        values: dict[str, Any] = {"state": state.value}
        if state is StaffState.DEACTIVATED:
            values["deactivated_at"] = at
        self._work.execute(update(t.staff).where(t.staff.c.id == member.id).values(values))

    def citizen(self, citizen: Citizen) -> bool:
        row = vars(citizen) | {"assurance_level": citizen.assurance_level.value}
        return self._new(t.citizens, row)

    def organisation(self, organisation: Organisation, *, by: str) -> bool:
        row = vars(organisation) | {
            "kind": organisation.kind.value,
            "assurance_level": organisation.assurance_level.value,
            "registered_by": by,
        }
        return self._new(t.organisations, row)

    def agent(self, agent: Agent, *, at: datetime, by: str) -> None:
        row = vars(agent) | {"authorised_at": at, "authorised_by": by}
        del row["withdrawn_at"]
        self._new(t.agents, row)

    def agent_withdrawal(self, agent_id: AgentId, *, at: datetime, by: str) -> bool:
        return self._new(t.agent_withdrawals, {"agent_id": agent_id, "at": at, "by": by})

    def application(self, application: Application, *, thumbprint: str, by: str) -> bool:
        row = vars(application) | {
            "public_jwk": dict(application.public_jwk),
            "scopes": sorted(scope.value for scope in application.scopes),
            "key_thumbprint": thumbprint,
            "registered_by": by,
        }
        del row["revoked_at"]
        return self._new(t.applications, row)

    def application_revocation(self, application_id: ApplicationId, *, at: datetime, by: str) -> bool:
        row = {"application_id": application_id, "at": at, "by": by}
        return self._new(t.application_revocations, row)

    def _new(self, table: Any, row: Mapping[str, Any]) -> bool:
        return self._work.execute(insert(table).values(**row).on_conflict_do_nothing()).rowcount == 1


def find_person(work: ReadWork, index: bytes) -> PersonId | None:
    """The person whose resident id number has this blind index."""
    row = work.execute(select(t.people.c.id).where(t.people.c.number_index == index)).scalar_one_or_none()
    return PersonId(row) if row else None


def sealed_number(work: ReadWork, person_id: PersonId) -> bytes | None:
    """The person's encrypted resident id number."""
    query = select(t.people.c.sealed_number).where(t.people.c.id == person_id)
    row: bytes | None = work.execute(query).scalar_one_or_none()
    return row


def _within(column: ColumnElement[Any], scope: AgencyScope) -> ColumnElement[bool]:
    return true() if scope is EveryAgency.EVERY else column == scope


def _paged(query: Select[Any], key: ColumnElement[Any], page: PageRequest) -> Select[Any]:
    """In order of the key, after the cursor, one row more than asked so that the end is known."""
    if page.after is not None:
        query = query.where(key > page.after)
    return query.order_by(key).limit(page.limit + 1)


def _withdrawn() -> ColumnElement[bool]:
    return exists().where(t.agent_withdrawals.c.agent_id == t.agents.c.id)


def _in_force(at: datetime) -> ColumnElement[bool]:
    c = t.agents.c
    return and_(c.valid_from <= at, or_(c.valid_until.is_(None), c.valid_until > at), ~_withdrawn())


def _applications() -> Select[Any]:
    revoked = t.application_revocations.c.at.label("revoked_at")
    return select(t.applications, revoked).outerjoin(t.application_revocations)


def _agency(row: Any) -> Agency:
    return Agency(
        id=AgencyId(row.id),
        uscc=row.uscc,
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        created_at=row.created_at,
    )


def _item(row: Any) -> ServiceItem:
    return ServiceItem(
        id=ServiceItemId(row.id),
        agency_id=AgencyId(row.agency_id),
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        created_at=row.created_at,
    )


def _staff(row: Any) -> StaffMember:
    return StaffMember(
        id=StaffId(row.id),
        agency_id=AgencyId(row.agency_id) if row.agency_id else None,
        person_id=PersonId(row.person_id),
        name=row.name,
        roles=frozenset(map(Role, row.roles)),
        state=StaffState(row.state),
        invited_at=row.invited_at,
    )


def _organisation(row: Any) -> Organisation:
    return Organisation(
        id=OrganisationId(row.id),
        uscc=row.uscc,
        kind=OrganisationKind(row.kind),
        name=row.name,
        assurance_level=AssuranceLevel(row.assurance_level),
        registered_at=row.registered_at,
    )


def _agent(row: Any, withdrawn_at: datetime | None = None) -> Agent:
    return Agent(
        id=AgentId(row.id),
        organisation_id=OrganisationId(row.organisation_id),
        citizen_id=CitizenId(row.citizen_id),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        may_authorise=row.may_authorise,
        withdrawn_at=withdrawn_at,
    )


def _application(row: Any) -> Application:
    return Application(
        id=ApplicationId(row.id),
        agency_id=AgencyId(row.agency_id),
        name=row.name,
        public_jwk=dict(row.public_jwk),
        scopes=frozenset(map(Scope, row.scopes)),
        registered_at=row.registered_at,
        revoked_at=row.revoked_at,
    )
