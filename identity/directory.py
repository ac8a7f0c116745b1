"""Look-ups of parties for the other domains, inside a unit of work of theirs."""

from typing import TypeVar

from identity.ids import AgencyId, ApplicationId, CitizenId, OrganisationId, PersonId, StaffId
from identity.model import Agency, Application, Citizen, EveryAgency, Organisation, ServiceItem, StaffMember
from identity.numbers import ResidentIdNumber, Uscc
from identity.people import People
from identity.repository import AgencyRows, ApplicationRows, CitizenRows, OrganisationRows, StaffRows
from trust.kernel.errors import NotFound
from trust.storage.database import ReadWork, Work

PartyT = TypeVar("PartyT")


class Directory:
    """Finds parties by id, code or number; every method raises NotFound. Who may ask is for the asker."""

    def __init__(self, *, people: People) -> None:
        self._people = people

    def agency(self, work: ReadWork, agency_id: AgencyId) -> Agency:
        return _found(AgencyRows(work).find(agency_id, EveryAgency.EVERY), "agency")

    def service_item(self, work: ReadWork, agency_id: AgencyId, code: str) -> ServiceItem:
        return _found(AgencyRows(work).item(agency_id, code), "service item")

    def staff_member(self, work: ReadWork, agency_id: AgencyId, staff_id: StaffId) -> StaffMember:
        return _found(StaffRows(work).find(staff_id, agency_id), "member of staff")

    def person_of(self, work: ReadWork, staff_id: StaffId) -> PersonId | None:
        """The natural person behind an account of staff, wherever; None where there is no such account."""
        member = StaffRows(work).find(staff_id, EveryAgency.EVERY)
        return None if member is None else member.person_id

    def person_of_citizen(self, work: ReadWork, account: str) -> PersonId | None:
        """The natural person behind a citizen's account; None where this is no such account."""
        if not account.startswith(f"{CitizenId.prefix}_"):
            return None
        citizen = CitizenRows(work).find(CitizenId(account))
        return None if citizen is None else citizen.person_id

    def application(self, work: ReadWork, agency_id: AgencyId, application_id: ApplicationId) -> Application:
        return _found(ApplicationRows(work).find(application_id, agency_id), "application")

    def organisation(self, work: ReadWork, organisation_id: OrganisationId) -> Organisation:
        return _found(OrganisationRows(work).find(organisation_id), "organisation")

    def organisation_by_uscc(self, work: ReadWork, uscc: str) -> Organisation:
        return _found(OrganisationRows(work).by_uscc(Uscc.parse(uscc).value), "organisation")

    def citizen(self, work: ReadWork, citizen_id: CitizenId) -> Citizen:
        return _found(CitizenRows(work).find(citizen_id), "citizen")

    def citizen_by_number(self, work: Work, resident_id_number: str) -> Citizen:
        """By the resident id number, through its blind index; needs the service's role."""
        person_id = self._people.find(work, ResidentIdNumber.parse(resident_id_number))
        return _found(CitizenRows(work).of_person(person_id) if person_id else None, "citizen")


def _found(party: PartyT | None, what: str) -> PartyT:
    if party is None:
        raise NotFound(f"there is no such {what}")
    return party
