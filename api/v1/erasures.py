"""Erasing what an event says of a person: ordered by a supervisor, confirmed by another person."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

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
from identity.ids import known_id
from trust.ledger.erasure import ErasureReason
from trust.ledger.model import EventId
from trust.ledger.supervision.erasures import ErasureOrder, ErasureOrderId

router = APIRouter(prefix="/v1", tags=["supervision"])


class ErasureOrderBody(Body):
    """Why the content may be erased; the file behind the order is kept elsewhere."""

    reason: ErasureReason


class ErasureConfirmationAnswer(Answer):
    """Who confirmed, and the event that says the content was erased."""

    by_account: str
    event_id: str
    at: datetime


class ErasureOrderAnswer(Answer):
    """An order to erase; `confirmation` is null while nobody has confirmed it, which may be done until `lapses_at`."""

    id: str
    event_id: str
    agency_id: str | None
    reason: ErasureReason
    by_account: str
    at: datetime
    lapses_at: datetime
    confirmation: ErasureConfirmationAnswer | None


@router.post("/events/{event_id}/erasure-orders", status_code=201)
def order_erasure(
    event_id: IdText, body: ErasureOrderBody, caller: CurrentCaller, services: ServicesOf
) -> ErasureOrderAnswer:
    """Orders, as a supervisor, that an event's content be erased; done when another person confirms it."""
    return _order(
        services.supervision.erasures.order(caller, known_id(EventId, event_id), reason=body.reason)
    )


@router.get("/erasure-orders")
def list_erasure_orders(
    caller: CurrentCaller,
    services: ServicesOf,
    waiting: Annotated[bool | None, Query(description="true: nobody has confirmed it yet")] = None,
    after: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[ErasureOrderAnswer]:
    """Orders, newest first: about the own agency's events for its auditors, about all for supervisors."""
    rows = services.supervision.erasures.page(
        caller,
        waiting_only=waiting,
        after=None if after is None else known_id(ErasureOrderId, after),
        limit=limit,
    )
    return page_of(rows, [_order(row) for row in rows], limit)


@router.get("/erasure-orders/{erasure_id}")
def get_erasure_order(erasure_id: IdText, caller: CurrentCaller, services: ServicesOf) -> ErasureOrderAnswer:
    """One order."""
    return _order(services.supervision.erasures.get(caller, known_id(ErasureOrderId, erasure_id)))


@router.post("/erasure-orders/{erasure_id}/confirmations", status_code=201)
def confirm_erasure(erasure_id: IdText, caller: CurrentCaller, services: ServicesOf) -> ErasureOrderAnswer:
    """Confirms an order as another supervisor or the agency's auditor: the content is erased for good.

    Header, place in the log and proofs stay; the event verifies as redacted.
    """
    return _order(services.supervision.erasures.confirm(caller, known_id(ErasureOrderId, erasure_id)))


def _order(order: ErasureOrder) -> ErasureOrderAnswer:
    said = order.confirmation
    return ErasureOrderAnswer(
        id=order.id,
        event_id=order.event_id,
        agency_id=order.agency,
        reason=order.reason,
        by_account=order.by_account,
        at=order.at,
        lapses_at=order.lapses_at,
        confirmation=None
        if said is None
        else ErasureConfirmationAnswer(by_account=said.by_account, event_id=said.erased_event_id, at=said.at),
    )
