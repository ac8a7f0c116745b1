"""Seals: requests, decisions, seals, authorisations, uses."""

import base64
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import AwareDatetime, Field

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdempotencyKey,
    IdText,
    Limit,
    Page,
    ServicesOf,
    body_digest,
    checked_form,
    page_of,
    read_upload,
)
from api.wiring import Services
from seals.acts.requests import MAX_NAME_CHARACTERS
from seals.impressions.picture import MAX_PNG_BYTES
from seals.impressions.round_seal import RoundSeal, draw_round_seal
from seals.model import Seal, SealAuthorisation, SealRequest, SealRequestState, SealUse, SignatureLevel
from seals.uses.seal_document import SealingRequest
from trust.documents import pdf
from trust.kernel.errors import InvalidInput, Unavailable
from trust.ledger.model import Actor

router = APIRouter(prefix="/v1", tags=["seals"])

# Base64 takes four characters for three octets.
_MAX_PNG_TEXT = MAX_PNG_BYTES * 4 // 3 + 4


class ImpressionPng(Body):
    """A picture of the applicant's own."""

    kind: Literal["png"]
    png_base64: Annotated[str, Field(max_length=_MAX_PNG_TEXT)]
    width_mm: Annotated[int, Field(ge=5, le=120)]
    height_mm: Annotated[int, Field(ge=5, le=120)]


class ImpressionRound(Body):
    """A plain round seal with a star, drawn here; the diameter follows the agency's level."""

    kind: Literal["round"]
    text: Annotated[str, Field(min_length=2, max_length=40)]
    lower_text: Annotated[str | None, Field(max_length=20)] = None
    diameter_mm: Annotated[int, Field(ge=20, le=60)] = 42


class SealRequestBody(Body):
    """An application for a seal."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    impression: Annotated[ImpressionPng | ImpressionRound, Field(discriminator="kind")]


class DecisionBody(Body):
    """A decision's note."""

    note: Annotated[str, Field(min_length=1, max_length=2000)]


class ReasonBody(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class AuthorisationBody(Body):
    """Leave for an application to use a seal for one service item."""

    application_id: IdText
    item_code: IdText
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    uses_allowed: Annotated[int, Field(ge=1, le=10_000_000)]


class SealRequestAnswer(Answer):
    """A seal request; `seal_id` is there once the seal is made."""

    id: str
    agency_id: str
    name: str
    reason: str
    state: SealRequestState
    requested_at: datetime
    decided_at: datetime | None
    impression_sha256: str
    width_mm: int
    height_mm: int
    seal_id: str | None = None


class SealAnswer(Answer):
    """A seal; the certificate is PEM-less base64 DER."""

    id: str
    agency_id: str
    name: str
    state: str
    serial: str
    certificate: str
    binding: str
    impression_sha256: str
    width_mm: int
    height_mm: int
    valid_from: datetime
    valid_until: datetime
    made_at: datetime


class AuthorisationAnswer(Answer):
    """A seal authorisation."""

    id: str
    seal_id: str
    application_id: str
    item_code: str
    valid_from: datetime
    valid_until: datetime
    uses_allowed: int
    uses_taken: int
    state: str
    granted_at: datetime


class ReceiptAnswer(Answer):
    """The ledger's promise: the event will be under a checkpoint by `latest_inclusion`; `note` is signed."""

    event_id: str
    leaf_hash: str
    latest_inclusion: datetime
    note: str


class SealUseAnswer(Answer):
    """A seal use; the sealed document is at `/v1/seal-uses/{id}/document`."""

    id: str
    seal_id: str
    authorisation_id: str
    application_id: str
    item_code: str
    case_number: str | None
    level: str
    state: str
    original_sha256: str
    output_sha256: str | None
    intended_at: datetime
    concluded_at: datetime | None
    event_id: str | None
    receipt: ReceiptAnswer | None = None


@router.post("/seal-requests", status_code=201)
def request_seal(body: SealRequestBody, caller: CurrentCaller, services: ServicesOf) -> SealRequestAnswer:
    """A seal officer applies for a seal with its impression."""
    png, width, height = _impression(body.impression)
    made = services.seals.request(
        caller, name=body.name, reason=body.reason, impression_png=png, width_mm=width, height_mm=height
    )
    return _request(made)


@router.get("/seal-requests")
def list_seal_requests(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[SealRequestAnswer]:
    """The agency's seal requests, in the order of time."""
    rows = services.seals.reading.requests(caller, after=after, limit=limit)
    return page_of(rows, [_request(row) for row in rows], limit)


@router.get("/seal-requests/{request_id}")
def get_seal_request(request_id: IdText, caller: CurrentCaller, services: ServicesOf) -> SealRequestAnswer:
    """One seal request, with the seal made from it."""
    row = services.seals.reading.request(caller, request_id)
    seal = services.seals.reading.seal_of_request(caller, request_id)
    return _request(row, seal_id=None if seal is None else seal.id)


@router.post("/seal-requests/{request_id}/approvals", status_code=201)
def approve_seal_request(
    request_id: IdText, body: DecisionBody, caller: CurrentCaller, services: ServicesOf
) -> SealRequestAnswer:
    """A second person approves; the seal is made at once. If the signer is away the worker makes it later."""
    approved = services.seals.decide(caller, request_id, approve=True, note=body.note)
    try:
        seal_id = services.seals.make(approved, Actor(kind=caller.kind.value, id=caller.account_id)).id
    except Unavailable:
        seal_id = None  # approved it is; the worker makes the seal, and the request then names it
    return _request(services.seals.reading.request(caller, request_id), seal_id=seal_id)


@router.post("/seal-requests/{request_id}/declines", status_code=201)
def decline_seal_request(
    request_id: IdText, body: DecisionBody, caller: CurrentCaller, services: ServicesOf
) -> SealRequestAnswer:
    """A second person declines."""
    return _request(services.seals.decide(caller, request_id, approve=False, note=body.note))


@router.get("/seals")
def list_seals(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[SealAnswer]:
    """The agency's seals."""
    rows = services.seals.reading.seals(caller, after=after, limit=limit)
    return page_of(rows, [_seal(row) for row in rows], limit)


@router.get("/seals/{seal_id}")
def get_seal(seal_id: IdText, caller: CurrentCaller, services: ServicesOf) -> SealAnswer:
    """One seal."""
    return _seal(services.seals.reading.seal(caller, seal_id))


@router.post("/seals/{seal_id}/suspensions", status_code=201)
def suspend_seal(
    seal_id: IdText, body: ReasonBody, caller: CurrentCaller, services: ServicesOf
) -> SealAnswer:
    """Loss reported: takes hold at the next use."""
    return _seal(services.seals.life.suspend(caller, seal_id, reason=body.reason))


@router.post("/seals/{seal_id}/reinstatements", status_code=201)
def reinstate_seal(
    seal_id: IdText, body: ReasonBody, caller: CurrentCaller, services: ServicesOf
) -> SealAnswer:
    """Another person than the one who suspended it reinstates the seal."""
    return _seal(services.seals.life.reinstate(caller, seal_id, reason=body.reason))


@router.post("/seals/{seal_id}/revocations", status_code=201)
def revoke_seal(seal_id: IdText, body: ReasonBody, caller: CurrentCaller, services: ServicesOf) -> SealAnswer:
    """For good; the seal's certificate goes onto the revocation list."""
    return _seal(services.seals.life.revoke(caller, seal_id, reason=body.reason))


@router.post("/seals/{seal_id}/authorisations", status_code=201)
def authorise_seal(
    seal_id: IdText, body: AuthorisationBody, caller: CurrentCaller, services: ServicesOf
) -> AuthorisationAnswer:
    """Lets one application use the seal for one service item, in a period, a number of times."""
    granted = services.seals.authorisations.grant(
        caller,
        seal_id,
        application_id=body.application_id,
        item_code=body.item_code,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        uses_allowed=body.uses_allowed,
    )
    return _authorisation(granted)


@router.get("/seals/{seal_id}/authorisations")
def list_seal_authorisations(
    seal_id: IdText,
    caller: CurrentCaller,
    services: ServicesOf,
    after: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[AuthorisationAnswer]:
    """Who may use this seal for what."""
    rows = services.seals.reading.authorisations(caller, seal_id, after=after, limit=limit)
    return page_of(rows, [_authorisation(row) for row in rows], limit)


@router.post("/seal-authorisations/{authorisation_id}/withdrawals", status_code=201)
def withdraw_seal_authorisation(
    authorisation_id: IdText, body: ReasonBody, caller: CurrentCaller, services: ServicesOf
) -> AuthorisationAnswer:
    """Takes hold at the next use."""
    return _authorisation(
        services.seals.authorisations.withdraw(caller, authorisation_id, reason=body.reason)
    )


class SealUseFields(Body):
    """The fields of a seal use beside the document; lengths in millimetres from the page's lower left."""

    item_code: IdText
    seal_id: IdText | None
    case_number: Annotated[str | None, Field(min_length=1, max_length=80)]
    level: SignatureLevel
    page: Annotated[int | None, Field(ge=-10_000, le=10_000)]
    x_mm: Annotated[int | None, Field(ge=-20_000, le=20_000)]
    y_mm: Annotated[int | None, Field(ge=-20_000, le=20_000)]


@router.post("/seal-uses", status_code=201)
def use_seal(
    document: Annotated[UploadFile, File(description="the PDF to seal")],
    item_code: Annotated[str, Form(description="the service item's code")],
    caller: CurrentCaller,
    services: ServicesOf,
    idempotency_key: IdempotencyKey,
    seal_id: Annotated[str | None, Form(description="absent: the newest authorised seal")] = None,
    case_number: Annotated[str | None, Form(description="the case's number")] = None,
    level: Annotated[SignatureLevel, Form(description="PAdES level")] = SignatureLevel.B_T,
    page: Annotated[int | None, Form(description="from 1; negative from the end; absent: invisible")] = None,
    x_mm: Annotated[int | None, Form(description="left edge of the impression")] = None,
    y_mm: Annotated[int | None, Form(description="lower edge of the impression")] = None,
) -> SealUseAnswer:
    """Seals a document; the same idempotency key with the same body gets the same use.

    With page, x_mm and y_mm the impression is visible at the seal's own size; without them the signature is
    invisible. The sealed document is then at `/v1/seal-uses/{id}/document`.
    """
    fields = checked_form(
        SealUseFields,
        item_code=item_code,
        seal_id=seal_id,
        case_number=case_number,
        level=level,
        page=page,
        x_mm=x_mm,
        y_mm=y_mm,
    )
    octets = read_upload(document, services.settings.max_document_bytes)
    sealed = services.seals.seal_document(
        SealingRequest(
            document=octets,
            item_code=fields.item_code,
            placement=_placement(fields),
            idempotency_key=idempotency_key,
            body_digest=body_digest(fields, octets),
            seal_id=fields.seal_id,
            case_number=fields.case_number,
            level=fields.level,
        ),
        caller,
    )
    return _use(sealed.use, services)


@router.get("/seal-uses")
def list_seal_uses(
    caller: CurrentCaller,
    services: ServicesOf,
    seal_id: Annotated[str | None, Query(max_length=80, pattern=r"^[A-Za-z0-9_]+$")] = None,
    after: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[SealUseAnswer]:
    """The agency's seal uses, abandoned ones too."""
    rows = services.seals.reading.uses(caller, seal_id=seal_id, after=after, limit=limit)
    return page_of(rows, [_use(row) for row in rows], limit)


@router.get("/seal-uses/{use_id}")
def get_seal_use(use_id: IdText, caller: CurrentCaller, services: ServicesOf) -> SealUseAnswer:
    """One seal use, with the ledger's receipt once it is completed."""
    return _use(services.seals.reading.use(caller, use_id), services)


@router.get(
    "/seal-uses/{use_id}/document",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "the sealed document"}},
)
def get_sealed_document(use_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The sealed document; reading it is an event."""
    return Response(services.seals.reading.document(caller, use_id), media_type="application/pdf")


def _impression(given: ImpressionPng | ImpressionRound) -> tuple[bytes, int, int]:
    if isinstance(given, ImpressionRound):
        drawn = draw_round_seal(
            RoundSeal(agency_name=given.text, diameter_mm=given.diameter_mm, lower_text=given.lower_text)
        )
        return drawn.png, given.diameter_mm, given.diameter_mm
    try:
        png = base64.b64decode(given.png_base64, validate=True)
    except ValueError as fault:  # binascii.Error is one, and what is not ASCII another
        raise InvalidInput("the impression is not base64") from fault
    return png, given.width_mm, given.height_mm


def _placement(fields: SealUseFields) -> pdf.Placement | None:
    given = (fields.page, fields.x_mm, fields.y_mm)
    if given == (None, None, None):
        return None
    if fields.page is None or fields.x_mm is None or fields.y_mm is None:
        raise InvalidInput("a visible impression needs page, x_mm and y_mm, all three")
    return pdf.Placement(page=fields.page, x_mm=fields.x_mm, y_mm=fields.y_mm)


def _request(row: SealRequest, *, seal_id: str | None = None) -> SealRequestAnswer:
    return SealRequestAnswer(
        id=row.id,
        agency_id=row.agency_id,
        name=row.name,
        reason=row.reason,
        state=row.state,
        requested_at=row.requested_at,
        decided_at=row.decided_at,
        impression_sha256=row.impression.sha256.hex(),
        width_mm=row.impression.width_mm,
        height_mm=row.impression.height_mm,
        seal_id=seal_id,
    )


def _seal(row: Seal) -> SealAnswer:
    return SealAnswer(
        id=row.id,
        agency_id=row.agency_id,
        name=row.name,
        state=row.state,
        serial=row.serial,
        certificate=base64.b64encode(row.certificate).decode(),
        binding=row.binding.hex(),
        impression_sha256=row.impression.sha256.hex(),
        width_mm=row.impression.width_mm,
        height_mm=row.impression.height_mm,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        made_at=row.made_at,
    )


def _authorisation(row: SealAuthorisation) -> AuthorisationAnswer:
    return AuthorisationAnswer.model_validate(row)


def _use(row: SealUse, services: Services | None = None) -> SealUseAnswer:
    receipt = None if services is None or row.event_id is None else services.receipts.of_event(row.event_id)
    return SealUseAnswer(
        id=row.id,
        seal_id=row.seal_id,
        authorisation_id=row.authorisation_id,
        application_id=row.application_id,
        item_code=row.item_code,
        case_number=row.case_number,
        level=row.level,
        state=row.state,
        original_sha256=row.original_sha256.hex(),
        output_sha256=None if row.output_sha256 is None else row.output_sha256.hex(),
        intended_at=row.intended_at,
        concluded_at=row.concluded_at,
        event_id=row.event_id,
        receipt=None if receipt is None else ReceiptAnswer.model_validate(receipt),
    )
