"""Setting up an account by a one-time link: the form, and what it is answered."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from api.dependencies import Body, ServicesOf, address_of
from api.problems import status_of
from api.web.rendering import page, visit_of
from api.web.same_origin import require_same_origin
from api.web.throttle import throttles
from identity.errors import EnrolmentRefused, PasswordRefused, UsernameRefused, UsernameTaken
from identity.numbers import ResidentIdNumber, ResidentIdNumberInvalid
from identity.signin.enrolments import FirstAdministratorUnnamed, NamedPerson
from trust.kernel.errors import InvalidInput, YinxinError

router = APIRouter(include_in_schema=False)

MAX_TOKEN_CHARACTERS: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"


class EnrolmentForm(Body):
    """What the form sends."""

    token: Annotated[str, Field(max_length=MAX_TOKEN_CHARACTERS)] = ""
    username: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[str, Field(max_length=200)] = ""
    repeated: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=200)] = ""
    resident_id_number: Annotated[str, Field(max_length=40)] = ""


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What was entered and may be shown again; passwords and id numbers never are."""

    username: str = ""
    name: str = ""


@router.get("/enrol")
def enrolment_form(
    request: Request, token: Annotated[str, Query(max_length=MAX_TOKEN_CHARACTERS)] = ""
) -> HTMLResponse:
    """The form; the token goes on in it, so that it is sent in a body and never again in an address."""
    return page(request, "enrol.html", token=token, entered=Entered(), faults={})


@router.post("/enrol")
def enrol(
    request: Request, services: ServicesOf, form: Annotated[EnrolmentForm, Form(media_type=_FORM)]
) -> Response:
    """Uses the link once; what is refused is said beside the field it is about."""
    require_same_origin(request, services.settings.public_url)
    throttles(request).enrolment.count(address_of(request), services.clock.now())
    try:
        with services.supervision.attempts.watched(address_of(request)):
            services.identity.enrolments.redeem(
                token=form.token, username=form.username, password=_password(form), first=_named(form)
            )
    except tuple(_FIELDS) as refused:
        return page(
            request,
            "enrol.html",
            status=status_of(refused),
            token=form.token,
            entered=Entered(username=form.username, name=form.name),
            faults={_FIELDS[type(refused)]: refused.code},
        )
    return RedirectResponse(visit_of(request).link("/enrolled"), status_code=303)


@router.get("/enrolled")
def enrolled(request: Request) -> HTMLResponse:
    """The account is set up."""
    return page(request, "enrolled.html")


class _PasswordsDiffer(InvalidInput):
    code = "passwords-differ"


class _NameMissing(InvalidInput):
    code = "name-missing"


_FIELDS: Final[dict[type[YinxinError], str]] = {
    EnrolmentRefused: "token",
    UsernameRefused: "username",
    UsernameTaken: "username",
    PasswordRefused: "password",
    _PasswordsDiffer: "repeated",
    FirstAdministratorUnnamed: "name",
    _NameMissing: "name",
    ResidentIdNumberInvalid: "resident_id_number",
}


def _password(form: EnrolmentForm) -> str:
    if form.password != form.repeated:
        raise _PasswordsDiffer("the two passwords are not the same")
    return form.password


def _named(form: EnrolmentForm) -> NamedPerson | None:
    """The first administrator, where either field is filled in."""
    if not form.name.strip() and not form.resident_id_number.strip():
        return None
    if not form.name.strip():
        raise _NameMissing("the name is missing")
    return NamedPerson(name=form.name, number=ResidentIdNumber.parse(form.resident_id_number))
