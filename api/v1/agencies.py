"""Agencies and their service items."""

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
from identity.ids import AgencyId, known_id
from identity.model import Agency, PageRequest, ServiceItem

router = APIRouter(prefix="/v1", tags=["identity"])


class AgencyBody(Body):
    """A new agency: its USCC (GB 32100), its short code, its names."""

    uscc: Annotated[str, Field(max_length=40)]
    code: Annotated[str, Field(max_length=80)]
    name_zh: Annotated[str, Field(min_length=1, max_length=200)]
    name_en: Annotated[str, Field(min_length=1, max_length=200)]


class ServiceItemBody(Body):
    """A new service item: its code in the agency's catalogue, its names."""

    code: Annotated[str, Field(max_length=80)]
    name_zh: Annotated[str, Field(min_length=1, max_length=300)]
    name_en: Annotated[str, Field(min_length=1, max_length=300)]


class AgencyAnswer(Answer):
    """An agency."""

    id: str
    uscc: str
    code: str
    name_zh: str
    name_en: str
    created_at: datetime


class ServiceItemAnswer(Answer):
    """A service item."""

    id: str
    agency_id: str
    code: str
    name_zh: str
    name_en: str
    created_at: datetime


@router.post("/agencies", status_code=201)
def create_agency(body: AgencyBody, caller: CurrentCaller, services: ServicesOf) -> AgencyAnswer:
    """A platform administrator creates an agency."""
    return agency_answer(
        services.identity.agencies.create(
            caller, uscc=body.uscc, code=body.code, name_zh=body.name_zh, name_en=body.name_en
        )
    )


@router.get("/agencies")
def list_agencies(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[AgencyAnswer]:
    """The agencies the caller may see: every one for citizens, the own one for those who work for it."""
    page = services.identity.agencies.list(caller, PageRequest(after=after, limit=limit))
    return Page(items=[agency_answer(agency) for agency in page.items], next=page.next)


@router.get("/agencies/{agency_id}")
def get_agency(agency_id: IdText, caller: CurrentCaller, services: ServicesOf) -> AgencyAnswer:
    """One agency."""
    return agency_answer(services.identity.agencies.get(caller, known_id(AgencyId, agency_id)))


@router.post("/agencies/{agency_id}/service-items", status_code=201)
def add_service_item(
    agency_id: IdText, body: ServiceItemBody, caller: CurrentCaller, services: ServicesOf
) -> ServiceItemAnswer:
    """The agency's administrator adds a service item."""
    return _item(
        services.identity.agencies.add_item(
            caller,
            known_id(AgencyId, agency_id),
            code=body.code,
            name_zh=body.name_zh,
            name_en=body.name_en,
        )
    )


@router.get("/agencies/{agency_id}/service-items")
def list_service_items(
    agency_id: IdText,
    caller: CurrentCaller,
    services: ServicesOf,
    after: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[ServiceItemAnswer]:
    """An agency's service items."""
    page = services.identity.agencies.items(
        caller, known_id(AgencyId, agency_id), PageRequest(after=after, limit=limit)
    )
    return Page(items=[_item(item) for item in page.items], next=page.next)


def agency_answer(agency: Agency) -> AgencyAnswer:
    """An agency as the API shows it."""
    return AgencyAnswer.model_validate(agency)


def _item(item: ServiceItem) -> ServiceItemAnswer:
    return ServiceItemAnswer.model_validate(item)
