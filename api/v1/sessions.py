"""Sessions: signing in and out, and who one is."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.dependencies import Answer, Body, CurrentCaller, IdText, ServicesOf, address_of
from api.v1.agencies import AgencyAnswer, agency_answer
from api.v1.organisations import OrganisationAnswer, organisation_answer
from identity.caller import Role, Scope
from identity.ids import OrganisationId, known_id

router = APIRouter(prefix="/v1", tags=["identity"])


class SignInBody(Body):
    """User name and password; an agent names the organisation to act for."""

    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    organisation_id: IdText | None = None


class SessionAnswer(Answer):
    """A session. `token` goes into `Authorization: Bearer`; `csrf_token` is for pages' forms."""

    id: str
    token: str
    csrf_token: str
    expires_at: datetime


class MeAnswer(Answer):
    """Who the caller is; the resident id number masked."""

    kind: str
    account_id: str
    name: str
    person_id: str | None
    resident_id_number: str | None
    assurance_level: int | None
    agency: AgencyAnswer | None
    organisation: OrganisationAnswer | None
    roles: list[Role]
    scopes: list[Scope]


@router.post("/sessions", status_code=201)
def sign_in(body: SignInBody, request: Request, response: Response, services: ServicesOf) -> SessionAnswer:
    """Signs a person in; the same refusal whatever is wrong."""
    organisation_id = known_id(OrganisationId, body.organisation_id) if body.organisation_id else None
    address = address_of(request)
    with services.supervision.attempts.watched(address):
        signed_in = services.identity.sessions.sign_in(
            username=body.username, password=body.password, address=address, organisation_id=organisation_id
        )
    response.headers["Cache-Control"] = "no-store"
    return SessionAnswer(
        id=signed_in.session_id,
        token=signed_in.token,
        csrf_token=signed_in.csrf_token,
        expires_at=signed_in.expires_at,
    )


@router.delete("/sessions/current", status_code=204)
def sign_out(request: Request, caller: CurrentCaller, services: ServicesOf) -> None:
    """Ends the session whose token the request carries."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    services.identity.sessions.sign_out(caller, token.strip())


@router.get("/me")
def get_me(caller: CurrentCaller, services: ServicesOf) -> MeAnswer:
    """Who the caller is, for whom they act and what they may do."""
    me = services.identity.authentication.about(caller)
    return MeAnswer(
        kind=me.kind,
        account_id=me.account_id,
        name=me.name,
        person_id=me.person_id,
        resident_id_number=me.masked_number,
        assurance_level=me.assurance_level,
        agency=agency_answer(me.agency) if me.agency else None,
        organisation=organisation_answer(me.organisation) if me.organisation else None,
        roles=sorted(me.roles),
        scopes=sorted(me.scopes),
    )
