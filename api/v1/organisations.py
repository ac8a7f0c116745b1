"""Organisations and the agents who may act for them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

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
from identity.ids import AgentId, CitizenId, OrganisationId, known_id
from identity.model import Agent, Organisation, OrganisationKind, PageRequest

router = APIRouter(prefix="/v1", tags=["identity"])


class OrganisationBody(Body):
    """An organisation's USCC (GB 32100), name and kind."""

    uscc: Annotated[str, Field(max_length=40)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: OrganisationKind = OrganisationKind.LEGAL_PERSON


class AgentBody(Body):
    """Which citizen may act, and when: from `valid_from` (now if left out) until `valid_until`, exclusive."""

    citizen_id: IdText
    valid_until: AwareDatetime
    valid_from: AwareDatetime | None = None


class OrganisationAnswer(Answer):
    """An organisation."""

    id: str
    uscc: str
    kind: OrganisationKind
    name: str
    assurance_level: int
    registered_at: datetime


class AgentAnswer(Answer):
    """A citizen's authorisation to act for an organisation."""

    id: str
    organisation_id: str
    citizen_id: str
    valid_from: datetime
    valid_until: datetime | None
    may_authorise: bool
    withdrawn_at: datetime | None


@router.post("/organisations", status_code=201)
def register_organisation(
    body: OrganisationBody, caller: CurrentCaller, services: ServicesOf
) -> OrganisationAnswer:
    """A citizen registers an organisation and becomes its first agent."""
    return organisation_answer(
        services.identity.organisations.register(caller, uscc=body.uscc, name=body.name, kind=body.kind)
    )


@router.get("/organisations")
def list_organisations(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[OrganisationAnswer]:
    """The organisations the citizen may act for."""
    page = services.identity.organisations.list(caller, PageRequest(after=after, limit=limit))
    return Page(items=[organisation_answer(item) for item in page.items], next=page.next)


@router.post("/organisations/{organisation_id}/agents", status_code=201)
def authorise_agent(
    organisation_id: IdText, body: AgentBody, caller: CurrentCaller, services: ServicesOf
) -> AgentAnswer:
    """The first agent authorises another citizen for a period."""
    return _agent(
        services.identity.organisations.authorise_agent(
            caller,
            known_id(OrganisationId, organisation_id),
            citizen_id=known_id(CitizenId, body.citizen_id),
            valid_from=body.valid_from,
            valid_until=body.valid_until,
        )
    )


@router.post("/organisations/{organisation_id}/agents/{agent_id}/withdrawals", status_code=201)
def withdraw_agent(
    organisation_id: IdText, agent_id: IdText, caller: CurrentCaller, services: ServicesOf
) -> AgentAnswer:
    """The first agent ends another's authorisation; it holds at that agent's next request."""
    return _agent(
        services.identity.organisations.withdraw_agent(
            caller, known_id(OrganisationId, organisation_id), known_id(AgentId, agent_id)
        )
    )


def organisation_answer(organisation: Organisation) -> OrganisationAnswer:
    """An organisation as the API shows it."""
    return OrganisationAnswer.model_validate(organisation)


def _agent(agent: Agent) -> AgentAnswer:
    return AgentAnswer.model_validate(agent)
