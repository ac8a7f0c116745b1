"""Enrolments: an invited person sets up the account by a one-time link."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from api.dependencies import Answer, Body, ServicesOf, address_of
from identity.caller import Role
from identity.model import StaffState
from identity.numbers import ResidentIdNumber
from identity.signin.enrolments import NamedPerson

router = APIRouter(prefix="/v1", tags=["identity"])


class RedemptionBody(Body):
    """A link's token and what the person will sign in with.

    `name` and `resident_id_number` are asked of the first platform administrator alone.
    """

    token: Annotated[str, Field(min_length=1, max_length=100)]
    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    name: Annotated[str | None, Field(max_length=200)] = None
    resident_id_number: Annotated[str | None, Field(max_length=40)] = None


class EnrolledAnswer(Answer):
    """The account that was set up."""

    id: str
    agency_id: str | None
    name: str
    roles: list[Role]
    state: StaffState


@router.post("/enrolments/redemptions", status_code=201)
def redeem_enrolment(body: RedemptionBody, request: Request, services: ServicesOf) -> EnrolledAnswer:
    """Uses a link once: the account gets its user name and password, and is active."""
    first = None
    if body.name is not None and body.resident_id_number is not None:
        first = NamedPerson(name=body.name, number=ResidentIdNumber.parse(body.resident_id_number))
    with services.supervision.attempts.watched(address_of(request)):
        member = services.identity.enrolments.redeem(
            token=body.token, username=body.username, password=body.password, first=first
        )
    return EnrolledAnswer(
        id=member.id,
        agency_id=member.agency_id,
        name=member.name,
        roles=sorted(member.roles),
        state=member.state,
    )
