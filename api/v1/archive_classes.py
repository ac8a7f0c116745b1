"""The archive's classification scheme: fonds and classes (DA/T 13)."""

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
    Limit,
    Page,
    ServicesOf,
    page_of,
)
from archive.codes import CLASS_PATTERN, FONDS_PATTERN, MAX_OFFICE_CHARACTERS, Retention

router = APIRouter(prefix="/v1", tags=["archive"])


class ArchiveClassBody(Body):
    """A class to put into the scheme; the first also takes the agency's fonds."""

    fonds: Annotated[
        str, Field(pattern=rf"^{FONDS_PATTERN}$", description="全宗号, a letter and three digits")
    ]
    code: Annotated[str, Field(pattern=rf"^{CLASS_PATTERN}$", max_length=40)]
    name_zh: Annotated[str, Field(min_length=1, max_length=100)]
    name_en: Annotated[str, Field(min_length=1, max_length=100)]
    retention: Annotated[Retention, Field(description="where a manifest names no other")]
    office: Annotated[
        str,
        Field(min_length=1, max_length=MAX_OFFICE_CHARACTERS, description="where a manifest names no other"),
    ]
    open_to_reuse: Annotated[bool, Field(description="other agencies' cases may reuse materials")] = False


class ArchiveClassAnswer(Answer):
    """A class of the agency's scheme."""

    id: str
    fonds: str
    code: str
    name_zh: str
    name_en: str
    retention: Retention
    office: str
    open_to_reuse: bool
    defined_at: datetime


@router.post("/archive-classes", status_code=201)
def define_archive_class(
    body: ArchiveClassBody, caller: CurrentCaller, services: ServicesOf
) -> ArchiveClassAnswer:
    """An archivist puts a class into the agency's scheme."""
    defined = services.archive.scheme.define(
        caller,
        fonds=body.fonds,
        code=body.code,
        name_zh=body.name_zh,
        name_en=body.name_en,
        retention=body.retention,
        office=body.office,
        open_to_reuse=body.open_to_reuse,
    )
    return ArchiveClassAnswer.model_validate(defined)


@router.get("/archive-classes")
def list_archive_classes(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[ArchiveClassAnswer]:
    """The agency's classes, in the order they were defined."""
    rows = services.archive.scheme.page(caller, after=after, limit=limit)
    return page_of(rows, [ArchiveClassAnswer.model_validate(row) for row in rows], limit)
