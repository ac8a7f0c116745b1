"""Presentations: the holder's code, the recipient's redemption, the holder's usage log."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import (
    DEFAULT_PAGE,
    MAX_ID_CHARACTERS,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdempotencyKey,
    IdText,
    Limit,
    Page,
    ServicesOf,
)
from identity.ids import known_id
from identity.model import PageRequest
from licences.acts.redeem import MAX_CODE_TEXT, MAX_ITEM_CODE, MAX_OPERATOR
from licences.acts.statements import MAX_CASE_NUMBER
from licences.ids import LicenceId
from licences.presentations.model import (
    DEFAULT_MINUTES,
    MAX_MINUTES,
    MAX_PURPOSE,
    PresentRequest,
    Recipient,
    RedeemRequest,
    UsageAct,
    UsageEntry,
)

router = APIRouter(prefix="/v1", tags=["presentations"])

FieldName = Annotated[str, Field(min_length=1, max_length=100)]


class RecipientBody(Body):
    """Who may redeem: an agency, or one application of it alone."""

    agency_id: IdText
    application_id: IdText | None = None


class PresentBody(Body):
    """What the holder lets the recipient see, what for, and for how many minutes."""

    licence_id: IdText
    recipient: RecipientBody
    purpose: Annotated[str, Field(min_length=1, max_length=MAX_PURPOSE)]
    fields: Annotated[list[FieldName], Field(min_length=1, max_length=100)]
    minutes: Annotated[int, Field(ge=1, le=MAX_MINUTES)] = DEFAULT_MINUTES


class RedeemBody(Body):
    """The code, and the matter it is redeemed in. A code is sent in a body alone, never in an address."""

    code: Annotated[str, Field(min_length=1, max_length=MAX_CODE_TEXT)]
    item_code: Annotated[str | None, Field(min_length=1, max_length=MAX_ITEM_CODE)] = None
    case_number: Annotated[str | None, Field(min_length=1, max_length=MAX_CASE_NUMBER)] = None
    operator: Annotated[str | None, Field(min_length=1, max_length=MAX_OPERATOR)] = None


class PresentationAnswer(Answer):
    """The code, shown this once; `qr_payload` is what a QR code of it says."""

    id: str
    code: str
    qr_payload: str
    fields: list[str]
    expires_at: datetime


class RedemptionAnswer(Answer):
    """The verification report, the agreed fields, and the credential with their disclosures alone (SD-JWT VC)."""

    id: str
    presentation_id: str
    licence_id: str
    type_code: str
    purpose: str
    fields: dict[str, Any]
    report: dict[str, Any]
    credential: str
    redeemed_at: datetime


class RecipientAnswer(Answer):
    """Whom a presentation was for."""

    agency_id: str
    application_id: str | None


class UsageEntryAnswer(Answer):
    """One attempt: names of fields, never their values."""

    id: str
    licence_id: str
    presentation_id: str | None
    act: UsageAct
    reason_code: str | None
    actor_kind: str
    actor_id: str
    by_agency: str | None
    recipient: RecipientAnswer | None
    purpose: str | None
    item_code: str | None
    case_number: str | None
    requested_fields: list[str]
    shown_fields: list[str]
    at: datetime


class UsageExportAnswer(Answer):
    """The usage log in one piece, newest first."""

    items: list[UsageEntryAnswer]


@router.post("/presentations", status_code=201)
def present_licence(body: PresentBody, caller: CurrentCaller, services: ServicesOf) -> PresentationAnswer:
    """The holder, or an agent of the organisation that holds the licence, makes a one-time code."""
    request = PresentRequest(
        licence_id=known_id(LicenceId, body.licence_id),
        recipient=Recipient(agency_id=body.recipient.agency_id, application_id=body.recipient.application_id),
        purpose=body.purpose,
        fields=tuple(body.fields),
        minutes=body.minutes,
    )
    made = services.licences.present(request, caller)
    return PresentationAnswer(
        id=made.presentation_id,
        code=made.code,
        qr_payload=made.qr_payload,
        fields=list(made.fields),
        expires_at=made.expires_at,
    )


@router.post("/presentation-redemptions", status_code=201)
def redeem_presentation(
    body: RedeemBody, idempotency_key: IdempotencyKey, caller: CurrentCaller, services: ServicesOf
) -> RedemptionAnswer:
    """The named recipient redeems the code, once; a repeat with the same key gets the same answer."""
    request = RedeemRequest(
        code=body.code, item_code=body.item_code, case_number=body.case_number, operator=body.operator
    )
    redeemed = services.licences.redeem(request, caller, idempotency_key=idempotency_key)
    return RedemptionAnswer(
        id=redeemed.redemption_id,
        presentation_id=redeemed.presentation_id,
        licence_id=redeemed.licence_id,
        type_code=redeemed.type_code,
        purpose=redeemed.purpose,
        fields=dict(redeemed.fields),
        report=dict(redeemed.report),
        credential=redeemed.credential,
        redeemed_at=redeemed.redeemed_at,
    )


@router.get("/usage-entries")
def list_usage(
    caller: CurrentCaller,
    services: ServicesOf,
    after: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
    licence_id: Annotated[str | None, Query(max_length=MAX_ID_CHARACTERS)] = None,
) -> Page[UsageEntryAnswer]:
    """How the holder's licences were used, newest first."""
    of = None if licence_id is None else known_id(LicenceId, licence_id)
    page = services.licences.usage.page(caller, PageRequest(after=after, limit=limit), licence_id=of)
    return Page(items=[_entry(entry) for entry in page.items], next=page.next)


@router.get("/usage-entries/export")
def export_usage(response: Response, caller: CurrentCaller, services: ServicesOf) -> UsageExportAnswer:
    """The holder's usage log to take away."""
    response.headers["Content-Disposition"] = 'attachment; filename="usage-log.json"'
    return UsageExportAnswer(items=[_entry(entry) for entry in services.licences.usage.export(caller)])


def _entry(entry: UsageEntry) -> UsageEntryAnswer:
    return UsageEntryAnswer(
        id=entry.entry_id,
        licence_id=entry.licence_id,
        presentation_id=entry.presentation_id,
        act=entry.act,
        reason_code=entry.reason_code,
        actor_kind=entry.actor_kind,
        actor_id=entry.actor_id,
        by_agency=entry.by_agency,
        recipient=None if entry.recipient is None else RecipientAnswer.model_validate(entry.recipient),
        purpose=entry.purpose,
        item_code=entry.item_code,
        case_number=entry.case_number,
        requested_fields=list(entry.requested_fields),
        shown_fields=list(entry.shown_fields),
        at=entry.at,
    )
