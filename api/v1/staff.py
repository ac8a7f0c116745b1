"""Staff: invited with roles, listed, deactivated."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdText,
    Limit,
    Page,
    ServicesOf,
)
from identity.caller import Role
from identity.ids import AgencyId, StaffId, known_id
from identity.model import PageRequest, StaffMember, StaffState

router = APIRouter(prefix="/v1", tags=["identity"])


class InvitationBody(Body):
    """Whom to invite, and to what. A platform administrator names the agency, or none for another of their own."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    resident_id_number: Annotated[str, Field(max_length=40)]
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
    agency_id: IdText | None = None


class StaffAnswer(Answer):
    """A member of staff. `person_id` is the same for all accounts of one natural person."""

    id: str
    agency_id: str | None
    person_id: str
    name: str
    roles: list[Role]
    state: StaffState
    invited_at: datetime


class InvitationAnswer(StaffAnswer):
    """The invited member and the link's token, shown this once; hand it to that person."""

    enrolment_token: str
    enrolment_expires_at: datetime


@router.post("/staff", status_code=201)
def invite_staff(
    body: InvitationBody, response: Response, caller: CurrentCaller, services: ServicesOf
) -> InvitationAnswer:
    """An administrator invites a person; the person sets the password by the link."""
    invitation = services.identity.staff.invite(
        caller,
        name=body.name,
        resident_id_number=body.resident_id_number,
        roles=frozenset(body.roles),
        agency_id=known_id(AgencyId, body.agency_id) if body.agency_id else None,
    )
    response.headers["Cache-Control"] = "no-store"
    return InvitationAnswer(
        **_staff(invitation.member).model_dump(),
        enrolment_token=invitation.link.token,
        enrolment_expires_at=invitation.link.expires_at,
    )


@router.get("/staff")
def list_staff(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[StaffAnswer]:
    """The agency's staff, for its administrators and auditors."""
    page = services.identity.staff.list(caller, PageRequest(after=after, limit=limit))
    return Page(items=[_staff(member) for member in page.items], next=page.next)


@router.post("/staff/{staff_id}/deactivations", status_code=201)
def deactivate_staff(staff_id: IdText, caller: CurrentCaller, services: ServicesOf) -> StaffAnswer:
    """An administrator ends an account for good; its sessions end at once."""
    return _staff(services.identity.staff.deactivate(caller, known_id(StaffId, staff_id)))


def _staff(member: StaffMember) -> StaffAnswer:
    return StaffAnswer(
        id=member.id,
        agency_id=member.agency_id,
        person_id=member.person_id,
        name=member.name,
        roles=sorted(member.roles),
        state=member.state,
        invited_at=member.invited_at,
    )
