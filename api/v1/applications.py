"""Applications, such as approval systems: registered with a public key and scopes, revoked."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
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
from identity.caller import Scope
from identity.ids import ApplicationId, known_id
from identity.model import Application, PageRequest

router = APIRouter(prefix="/v1", tags=["identity"])


class ApplicationBody(Body):
    """An application's name, its public key (RFC 7517: EC, P-256, ES256) and what it may do."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    public_jwk: Annotated[dict[str, str | list[str]], Field(max_length=16)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]


class ApplicationAnswer(Answer):
    """An application; `id` is its OAuth `client_id`."""

    id: str
    agency_id: str
    name: str
    public_jwk: dict[str, str]
    scopes: list[Scope]
    registered_at: datetime
    revoked_at: datetime | None


@router.post("/applications", status_code=201)
def register_application(
    body: ApplicationBody, caller: CurrentCaller, services: ServicesOf
) -> ApplicationAnswer:
    """The agency's administrator registers an application."""
    return _application(
        services.identity.applications.register(
            caller, name=body.name, public_jwk=body.public_jwk, scopes=frozenset(body.scopes)
        )
    )


@router.get("/applications")
def list_applications(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[ApplicationAnswer]:
    """The agency's applications."""
    page = services.identity.applications.list(caller, PageRequest(after=after, limit=limit))
    return Page(items=[_application(item) for item in page.items], next=page.next)


@router.post("/applications/{application_id}/revocations", status_code=201)
def revoke_application(
    application_id: IdText, caller: CurrentCaller, services: ServicesOf
) -> ApplicationAnswer:
    """The agency's administrator revokes an application; it holds at the application's next request."""
    return _application(
        services.identity.applications.revoke(caller, known_id(ApplicationId, application_id))
    )


def _application(application: Application) -> ApplicationAnswer:
    return ApplicationAnswer(
        id=application.id,
        agency_id=application.agency_id,
        name=application.name,
        public_jwk=dict(application.public_jwk),
        scopes=sorted(application.scopes),
        registered_at=application.registered_at,
        revoked_at=application.revoked_at,
    )
