"""Seals: requests, decisions, seals, authorisations, uses."""

import base64
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
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
from seals.acts.requests import MAX_NAME_CHARACTERS
from seals.impressions.errors import ImpressionRefused
from seals.impressions.picture import MAX_PNG_BYTES
from seals.impressions.round_seal import RoundSeal, draw_round_seal, draw_round_seal_as_svg
from seals.impressions.upload import MAX_IMPRESSION_BYTES, media_type_of
from seals.model import (
    ImpressionMediaType,
    ImpressionRow,
    Seal,
    SealAuthorisation,
    SealRequest,
    SealRequestState,
)
from trust.kernel.errors import InvalidInput, Unavailable
from trust.ledger.model import Actor

router = APIRouter(prefix="/v1", tags=["seals"])

# Base64 takes four characters for three octets.
_MAX_PNG_TEXT = MAX_PNG_BYTES * 4 // 3 + 4
_MAX_FILE_TEXT = MAX_IMPRESSION_BYTES * 4 // 3 + 4
_IMPRESSION: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.value: {} for kind in ImpressionMediaType}, "description": "the impression"}
}


class ImpressionPng(Body):
    """A picture of the applicant's own, a PNG; `file` takes drawings too."""

    kind: Literal["png"]
    png_base64: Annotated[str, Field(max_length=_MAX_PNG_TEXT)]
    width_mm: Annotated[int, Field(ge=5, le=120)]
    height_mm: Annotated[int, Field(ge=5, le=120)]


class ImpressionFile(Body):
    """A picture (PNG) or a drawing (SVG) of the applicant's own; its octets tell which."""

    kind: Literal["file"]
    content_base64: Annotated[str, Field(max_length=_MAX_FILE_TEXT)]
    width_mm: Annotated[int, Field(ge=5, le=120)]
    height_mm: Annotated[int, Field(ge=5, le=120)]


class ImpressionRound(Body):
    """A plain round seal with a star, drawn here; the diameter follows the agency's level.

    As `svg` it is kept as paths: sharp at every size, and a fraction of the octets in each sealed document.
    """

    kind: Literal["round"]
    text: Annotated[str, Field(min_length=2, max_length=40)]
    lower_text: Annotated[str | None, Field(max_length=20)] = None
    diameter_mm: Annotated[int, Field(ge=20, le=60)] = 42
    format: Literal["png", "svg"] = "png"


class SealRequestBody(Body):
    """An application for a seal."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    impression: Annotated[ImpressionPng | ImpressionFile | ImpressionRound, Field(discriminator="kind")]


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
    allows_digests: Annotated[
        bool, Field(description="digests too, of documents nobody here has seen: for CSC clients above all")
    ] = False


class SealRequestAnswer(Answer):
    """A seal request; `seal_id` is there once the seal is made."""

    id: str
    agency_id: str
    name: str
    reason: str
    state: SealRequestState
    requested_at: datetime
    decided_at: datetime | None
    impression_media_type: ImpressionMediaType
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
    impression_media_type: ImpressionMediaType
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
    allows_digests: bool
    state: str
    granted_at: datetime


@router.post("/seal-requests", status_code=201)
def request_seal(body: SealRequestBody, caller: CurrentCaller, services: ServicesOf) -> SealRequestAnswer:
    """A seal officer applies for a seal with its impression."""
    services.seals.request.require(caller)  # drawing a seal costs more than looking at who asks
    octets, width, height = _impression(body.impression)
    made = services.seals.request(
        caller, name=body.name, reason=body.reason, impression=octets, width_mm=width, height_mm=height
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


@router.get("/seal-requests/{request_id}/impression", response_class=Response, responses=_IMPRESSION)
def get_requested_impression(request_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The impression that a request asks for, as a download: whoever decides looks at it first."""
    return _download(services.seals.reading.request(caller, request_id).impression)


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


@router.get("/seals/{seal_id}/impression", response_class=Response, responses=_IMPRESSION)
def get_seal_impression(seal_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """A seal's impression, as a download."""
    return _download(services.seals.reading.seal(caller, seal_id).impression)


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


@router.post("/seals/{seal_id}/destructions", status_code=201)
def destroy_seal(
    seal_id: IdText, body: ReasonBody, caller: CurrentCaller, services: ServicesOf
) -> SealAnswer:
    """Ends a revoked seal: its key is destroyed in the signer, whose statement goes into the ledger."""
    return _seal(services.seals.life.destroy(caller, seal_id, reason=body.reason))


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
        allows_digests=body.allows_digests,
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


def _impression(given: ImpressionPng | ImpressionFile | ImpressionRound) -> tuple[bytes, int, int]:
    """Octets, and the size in millimetres; raises InvalidInput, ImpressionRefused, ImpressionTextRefused."""
    match given:
        case ImpressionRound():
            seal = RoundSeal(
                agency_name=given.text, diameter_mm=given.diameter_mm, lower_text=given.lower_text
            )
            drawn = draw_round_seal_as_svg(seal).svg if given.format == "svg" else draw_round_seal(seal).png
            return drawn, given.diameter_mm, given.diameter_mm
        case ImpressionFile():
            return _decoded(given.content_base64), given.width_mm, given.height_mm
        case ImpressionPng():
            png = _decoded(given.png_base64)
            if media_type_of(png) is not ImpressionMediaType.PNG:
                raise ImpressionRefused("an impression of the kind 'png' is a PNG picture; 'file' takes both")
            return png, given.width_mm, given.height_mm


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as fault:  # binascii.Error is one, and what is not ASCII another
        raise InvalidInput("the impression is not base64") from fault


def _download(impression: ImpressionRow) -> Response:
    """The octets as they are kept, and never run: a browser that opens a drawing does so without scripts or origin."""
    return Response(
        impression.octets,
        media_type=impression.media_type.value,
        headers={
            "Content-Disposition": f'attachment; filename="impression.{impression.media_type.name.lower()}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _request(row: SealRequest, *, seal_id: str | None = None) -> SealRequestAnswer:
    return SealRequestAnswer(
        id=row.id,
        agency_id=row.agency_id,
        name=row.name,
        reason=row.reason,
        state=row.state,
        requested_at=row.requested_at,
        decided_at=row.decided_at,
        impression_media_type=row.impression.media_type,
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
        impression_media_type=row.impression.media_type,
        impression_sha256=row.impression.sha256.hex(),
        width_mm=row.impression.width_mm,
        height_mm=row.impression.height_mm,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        made_at=row.made_at,
    )


def _authorisation(row: SealAuthorisation) -> AuthorisationAnswer:
    return AuthorisationAnswer.model_validate(row)
