"""Retrieval requests: asked for by an archivist, decided by a second person (调阅)."""

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
    page_of,
)
from archive.model import RetrievalState

router = APIRouter(prefix="/v1", tags=["archive"])


class RetrievalRequestBody(Body):
    """What is to be read, for what, until when (at most 90 days on)."""

    record_id: IdText
    purpose: Annotated[str, Field(min_length=1, max_length=2000)]
    materials: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1, max_length=1000)
    ]
    until: AwareDatetime


class RetrievalDecisionBody(Body):
    """A decision's note."""

    note: Annotated[str, Field(min_length=1, max_length=2000)]


class RetrievalRequestAnswer(Answer):
    """A retrieval request; approved, it lets the person who asked read its materials until `until`."""

    id: str
    record_id: str
    purpose: str
    materials: list[str]
    until: datetime
    state: RetrievalState
    requested_at: datetime
    decided_at: datetime | None
    note: str | None


@router.post("/retrieval-requests", status_code=201)
def request_retrieval(
    body: RetrievalRequestBody, caller: CurrentCaller, services: ServicesOf
) -> RetrievalRequestAnswer:
    """An archivist asks to read named materials of a record for a purpose."""
    made = services.archive.retrievals.request(
        caller, body.record_id, purpose=body.purpose, materials=body.materials, until=body.until
    )
    return RetrievalRequestAnswer.model_validate(made)


@router.get("/retrieval-requests")
def list_retrieval_requests(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[RetrievalRequestAnswer]:
    """The agency's retrieval requests, in the order of time."""
    rows = services.archive.retrievals.page(caller, after=after, limit=limit)
    return page_of(rows, [RetrievalRequestAnswer.model_validate(row) for row in rows], limit)


@router.get("/retrieval-requests/{request_id}")
def get_retrieval_request(
    request_id: IdText, caller: CurrentCaller, services: ServicesOf
) -> RetrievalRequestAnswer:
    """One retrieval request."""
    return RetrievalRequestAnswer.model_validate(services.archive.retrievals.get(caller, request_id))


@router.post("/retrieval-requests/{request_id}/approvals", status_code=201)
def approve_retrieval(
    request_id: IdText, body: RetrievalDecisionBody, caller: CurrentCaller, services: ServicesOf
) -> RetrievalRequestAnswer:
    """A second person approves."""
    decided = services.archive.retrievals.decide(caller, request_id, approve=True, note=body.note)
    return RetrievalRequestAnswer.model_validate(decided)


@router.post("/retrieval-requests/{request_id}/refusals", status_code=201)
def decline_retrieval(
    request_id: IdText, body: RetrievalDecisionBody, caller: CurrentCaller, services: ServicesOf
) -> RetrievalRequestAnswer:
    """A second person declines."""
    decided = services.archive.retrievals.decide(caller, request_id, approve=False, note=body.note)
    return RetrievalRequestAnswer.model_validate(decided)
