"""Seal uses: documents sealed, looked up, read (用印)."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import Field

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
from api.v1.placements import (
    MAX_PLACEMENT_CHARACTERS,
    PlacementBody,
    caption_of,
    read_placement,
)
from api.wiring import Services
from seals.model import SealUse, SignatureLevel, WhenTimestampAway
from seals.uses.documents import AskedPlacement, DocumentRef
from seals.uses.seal_document import SealingRequest
from trust.documents import pdf
from trust.kernel.errors import InvalidInput

router = APIRouter(prefix="/v1", tags=["seals"])


class ReceiptAnswer(Answer):
    """The ledger's promise: the event will be under a checkpoint by `latest_inclusion`; `note` is signed."""

    event_id: str
    leaf_hash: str
    latest_inclusion: datetime
    note: str


class SealUseAnswer(Answer):
    """A seal use; where it is of a document, the sealed one is at `/v1/seal-uses/{id}/document`.

    `level` is what was asked for, `level_reached` what was delivered; a document delivered below its level has
    its timestamp appended later, at `stamped_at`. `digest` is that of a use on a digest or hash.
    """

    id: str
    seal_id: str
    authorisation_id: str
    application_id: str
    item_code: str
    case_number: str | None
    kind: str
    level: str
    level_reached: str | None
    when_timestamp_away: str
    state: str
    original_sha256: str | None
    output_sha256: str | None
    digest: str | None
    batch_id: str | None
    batch_position: int | None
    intended_at: datetime
    concluded_at: datetime | None
    stamped_at: datetime | None
    event_id: str | None
    receipt: ReceiptAnswer | None = None


class SealUseFields(Body):
    """The fields of a seal use beside the document; lengths in millimetres from the page's lower left."""

    item_code: IdText
    seal_id: IdText | None
    case_number: Annotated[str | None, Field(min_length=1, max_length=80)]
    level: SignatureLevel
    when_timestamp_away: WhenTimestampAway
    document_ref: IdText | None
    page: Annotated[int | None, Field(ge=-10_000, le=10_000)]
    x_mm: Annotated[int | None, Field(ge=-20_000, le=20_000)]
    y_mm: Annotated[int | None, Field(ge=-20_000, le=20_000)]
    placement: PlacementBody | None


@router.post("/seal-uses", status_code=201)
def use_seal(
    item_code: Annotated[str, Form(description="the service item's code")],
    caller: CurrentCaller,
    services: ServicesOf,
    idempotency_key: IdempotencyKey,
    document: Annotated[UploadFile | None, File(description="the PDF to seal")] = None,
    document_ref: Annotated[
        str | None, Form(description="in place of a file: the seal use whose document is to be sealed again")
    ] = None,
    seal_id: Annotated[str | None, Form(description="absent: the newest authorised seal")] = None,
    case_number: Annotated[str | None, Form(description="the case's number")] = None,
    level: Annotated[SignatureLevel, Form(description="PAdES level")] = SignatureLevel.B_T,
    when_timestamp_away: Annotated[
        WhenTimestampAway,
        Form(description="without a timestamp: no document, or one at B-B that is completed later"),
    ] = WhenTimestampAway.FAIL,
    page: Annotated[int | None, Form(description="from 1; negative from the end; absent: invisible")] = None,
    x_mm: Annotated[int | None, Form(description="left edge of the impression")] = None,
    y_mm: Annotated[int | None, Form(description="lower edge of the impression")] = None,
    placement: Annotated[
        str | None,
        Form(
            max_length=MAX_PLACEMENT_CHARACTERS,
            description="in place of page, x_mm and y_mm, a JSON object: OnPage, OnPages, OnAllPages, "
            "BesideKeyword or AcrossPages",
        ),
    ] = None,
) -> SealUseAnswer:
    """Seals a document; the same idempotency key with the same body gets the same use.

    With page, x_mm and y_mm, or a placement, the impression is visible at the seal's own size; without, the
    signature is invisible. The sealed document is then at `/v1/seal-uses/{id}/document`. A document with several
    seals is sealed again by `document_ref`: each seal is a use of its own, authorised and counted.
    """
    fields = checked_form(
        SealUseFields,
        item_code=item_code,
        seal_id=seal_id,
        case_number=case_number,
        level=level,
        when_timestamp_away=when_timestamp_away,
        document_ref=document_ref,
        page=page,
        x_mm=x_mm,
        y_mm=y_mm,
        placement=read_placement(placement),
    )
    if (document is None) == (fields.document_ref is None):
        raise InvalidInput("a document or a document_ref is sealed, exactly one of them")
    octets = None if document is None else read_upload(document, services.settings.max_document_bytes)
    sealed = services.seals.seal_document(
        SealingRequest(
            document=octets if octets is not None else DocumentRef(use_id=fields.document_ref or ""),
            item_code=fields.item_code,
            placement=placement_of(fields),
            caption=caption_of(fields.placement),
            idempotency_key=idempotency_key,
            body_digest=body_digest(fields, *(() if octets is None else (octets,))),
            seal_id=fields.seal_id,
            case_number=fields.case_number,
            level=fields.level,
            when_timestamp_away=fields.when_timestamp_away,
        ),
        caller,
    )
    return use_answer(sealed.use, services)


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
    return page_of(rows, [use_answer(row) for row in rows], limit)


@router.get("/seal-uses/{use_id}")
def get_seal_use(use_id: IdText, caller: CurrentCaller, services: ServicesOf) -> SealUseAnswer:
    """One seal use, with the ledger's receipt once it is completed."""
    return use_answer(services.seals.reading.use(caller, use_id), services)


@router.get(
    "/seal-uses/{use_id}/document",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "the sealed document"}},
)
def get_sealed_document(use_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The sealed document; reading it is an event."""
    return Response(services.seals.reading.document(caller, use_id), media_type="application/pdf")


class Placed(Protocol):
    """Fields that say where an impression goes."""

    @property
    def page(self) -> int | None: ...
    @property
    def x_mm(self) -> int | None: ...
    @property
    def y_mm(self) -> int | None: ...
    @property
    def placement(self) -> PlacementBody | None: ...


def placement_of(fields: Placed) -> AskedPlacement | None:
    """Where the impression goes; None for an invisible signature. Raises InvalidInput on half a place, or two."""
    given = (fields.page, fields.x_mm, fields.y_mm)
    if given == (None, None, None):
        return None if fields.placement is None else fields.placement.asked()
    if fields.placement is not None:
        raise InvalidInput("the place is said by page, x_mm and y_mm or by placement, not by both")
    if fields.page is None or fields.x_mm is None or fields.y_mm is None:
        raise InvalidInput("a visible impression needs page, x_mm and y_mm, all three")
    return pdf.Placement(page=fields.page, x_mm=fields.x_mm, y_mm=fields.y_mm)


def use_answer(row: SealUse, services: Services | None = None) -> SealUseAnswer:
    """A use as it is answered; with `services` the signed receipt of its outcome too."""
    receipt = None if services is None or row.event_id is None else services.receipts.of_event(row.event_id)
    return SealUseAnswer(
        id=row.id,
        seal_id=row.seal_id,
        authorisation_id=row.authorisation_id,
        application_id=row.application_id,
        item_code=row.item_code,
        case_number=row.case_number,
        kind=row.kind,
        level=row.level,
        level_reached=row.level_reached,
        when_timestamp_away=row.when_timestamp_away,
        state=row.state,
        original_sha256=None if row.files is None else row.files.original_sha256.hex(),
        output_sha256=None if row.output is None else row.output.sha256.hex(),
        digest=None if row.digest is None else row.digest.hex(),
        batch_id=row.batch_id,
        batch_position=row.batch_position,
        intended_at=row.intended_at,
        concluded_at=row.concluded_at,
        stamped_at=row.stamped_at,
        event_id=row.event_id,
        receipt=None if receipt is None else ReceiptAnswer.model_validate(receipt),
    )
