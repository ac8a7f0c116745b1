"""Citizens register themselves."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from api.dependencies import Answer, Body, ServicesOf, address_of

router = APIRouter(prefix="/v1", tags=["identity"])


class CitizenBody(Body):
    """A citizen's name, resident id number (GB 11643), and what to sign in with."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    resident_id_number: Annotated[str, Field(max_length=40)]
    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class CitizenAnswer(Answer):
    """A citizen's account; the number masked."""

    id: str
    person_id: str
    name: str
    resident_id_number: str
    assurance_level: int
    registered_at: datetime


@router.post("/citizens", status_code=201)
def register_citizen(body: CitizenBody, request: Request, services: ServicesOf) -> CitizenAnswer:
    """Registers an account at assurance level 2: as given, with the number's form checked."""
    address = address_of(request)
    with services.supervision.attempts.watched(address):
        citizen = services.identity.citizens.register(
            name=body.name,
            resident_id_number=body.resident_id_number,
            username=body.username,
            password=body.password,
            address=address,
        )
    return CitizenAnswer(
        id=citizen.id,
        person_id=citizen.person_id,
        name=citizen.name,
        resident_id_number=citizen.masked_number,
        assurance_level=citizen.assurance_level,
        registered_at=citizen.registered_at,
    )
