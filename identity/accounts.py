"""From an account to the caller it makes, as the rows stand at the moment."""

from datetime import datetime

from identity.caller import Caller, CallerKind
from identity.ids import CitizenId, OrganisationId, StaffId
from identity.model import EveryAgency, StaffState
from identity.repository import CitizenRows, OrganisationRows, StaffRows
from trust.storage.database import ReadWork


def caller_of(
    work: ReadWork, account_id: str, organisation_id: OrganisationId | None, *, at: datetime
) -> Caller | None:
    """The caller behind an account; None where it may not act (any more), or not for this organisation."""
    if account_id.startswith(f"{StaffId.prefix}_"):
        member = StaffRows(work).find(StaffId(account_id), EveryAgency.EVERY)
        if member is None or member.state is not StaffState.ACTIVE or organisation_id is not None:
            return None
        return Caller(
            kind=CallerKind.STAFF,
            account_id=member.id,
            person_id=member.person_id,
            agency_id=member.agency_id,
            roles=member.roles,
        )
    citizen = CitizenRows(work).find(CitizenId(account_id))
    if citizen is None:
        return None
    if organisation_id is not None and OrganisationRows(work).agent(organisation_id, citizen.id, at) is None:
        return None
    return Caller(
        kind=CallerKind.CITIZEN,
        account_id=citizen.id,
        person_id=citizen.person_id,
        organisation_id=organisation_id,
    )
