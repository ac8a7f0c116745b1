"""What routes are given: the services, the caller, checked headers."""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Header, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from api.wiring import Services
from identity.caller import Caller
from trust.kernel.canonical import canonical_json
from trust.kernel.errors import TooLarge
from trust.storage.idempotency import MAX_KEY_CHARACTERS

MAX_PAGE = 100
DEFAULT_PAGE = 50
# Ids, codes and cursors; anything longer is not one of ours.
MAX_ID_CHARACTERS = 80

ItemT = TypeVar("ItemT", bound=BaseModel)
IdText = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_ID_CHARACTERS, pattern=r"^[A-Za-z0-9_.:\-]+$")
]


class Body(BaseModel):
    """A JSON body: nothing unknown, no NUL, no silent conversion of numbers and strings."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, given: Any) -> Any:
        if isinstance(given, dict) and any(
            isinstance(value, str) and "\x00" in value for value in given.values()
        ):
            raise ValueError("a NUL character is not text")
        return given


class Answer(BaseModel):
    """A JSON answer."""

    model_config = ConfigDict(from_attributes=True)


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; `next` is the cursor of the following page, null at the end."""

    items: list[ItemT]
    next: str | None


def get_services(request: Request) -> Services:
    """The services that wiring built."""
    services: Services = request.app.state.services
    return services


ServicesOf = Annotated[Services, Depends(get_services)]


def current_caller(request: Request, services: ServicesOf) -> Caller:
    """Who calls, by bearer token; raises Unauthenticated where there is none or it does not hold (any more)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        token = request.cookies.get("yinxin_session", "") if request.method in ("GET", "HEAD") else ""
    # Somebody without any credential has tried nothing; one that holds for nobody is worth counting.
    with services.supervision.attempts.watched(address_of(request)) if token else nullcontext():
        caller = services.identity.authentication.authenticate(token.strip())
    request.state.caller = caller  # for the witness
    return caller


def address_of(request: Request) -> str:
    """The client's address, as `api.supervision.origins` found it."""
    return request.client.host if request.client else "unknown"


CurrentCaller = Annotated[Caller, Depends(current_caller)]
IdempotencyKey = Annotated[
    str,
    Header(alias="Idempotency-Key", min_length=1, max_length=MAX_KEY_CHARACTERS, pattern=r"^[\x21-\x7e]+$"),
]
Cursor = Annotated[str | None, Query(max_length=MAX_ID_CHARACTERS, pattern=r"^[A-Za-z0-9_\-]+$")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


def page_of(rows: Sequence[Any], answers: Sequence[ItemT], limit: int) -> Page[ItemT]:
    """A page from rows with ids in order; the cursor is the last id where there may be more."""
    return Page(items=list(answers), next=rows[-1].id if len(rows) == limit else None)


def body_digest(body: BaseModel, *files: bytes) -> bytes:
    """SHA-256 over a request's fields and files: what an idempotency key is bound to."""
    digest = hashlib.sha256(canonical_json(body.model_dump(mode="json")))
    for file in files:
        digest.update(hashlib.sha256(file).digest())
    return digest.digest()


BodyT = TypeVar("BodyT", bound=Body)


def checked_form(kind: type[BodyT], **values: Any) -> BodyT:
    """A form's fields under the same rules as a JSON body; refused in the same way."""
    try:
        return kind(**values)
    except ValidationError as error:
        raise RequestValidationError(
            [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_context=False)]
        ) from error


def read_upload(upload: UploadFile, limit: int) -> bytes:
    """The octets of an uploaded file; raises TooLarge over the limit."""
    octets = upload.file.read(limit + 1)
    if len(octets) > limit:
        raise TooLarge(f"the file has more than {limit} octets")
    return octets
