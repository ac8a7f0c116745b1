"""Many seal uses in one request: documents with their placements, or digests; each item has an answer of its own."""

import base64
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError

from api.dependencies import (
    Answer,
    Body,
    CurrentCaller,
    IdempotencyKey,
    IdText,
    ServicesOf,
    body_digest,
    read_upload,
)
from api.v1.placements import PlacementBody, caption_of
from api.v1.seal_uses import SealUseAnswer, placement_of, use_answer
from seals.model import SealUseState, SignatureLevel, WhenTimestampAway
from seals.uses.batches import MAX_BATCH_BYTES, MAX_ITEMS, BatchAnswer, require_size
from seals.uses.documents import DocumentRef, DocumentToSeal
from seals.uses.seal_documents import BatchRequest
from seals.uses.sign_digests import DigestsRequest
from trust.kernel.errors import InvalidInput, TooLarge

router = APIRouter(prefix="/v1", tags=["seals"])

# Item descriptions of a full batch, each with room for every field.
_MAX_ITEMS_CHARACTERS = MAX_ITEMS * 2000
# Twice the digits of the longest digest, SHA-512.
_HexDigest = Annotated[str, Field(pattern="^([0-9a-f]{2}){32,64}$")]


class BatchItem(Body):
    """One document of a batch: `document` is the number of its file (from 0), or `document_ref` a seal use."""

    item_code: IdText
    document: Annotated[int | None, Field(ge=0, lt=MAX_ITEMS)] = None
    document_ref: IdText | None = None
    seal_id: IdText | None = None
    case_number: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    level: SignatureLevel = SignatureLevel.B_T
    when_timestamp_away: WhenTimestampAway = WhenTimestampAway.FAIL
    page: Annotated[int | None, Field(ge=-10_000, le=10_000)] = None
    x_mm: Annotated[int | None, Field(ge=-20_000, le=20_000)] = None
    y_mm: Annotated[int | None, Field(ge=-20_000, le=20_000)] = None
    placement: PlacementBody | None = None


class _Items(Body):
    items: list[BatchItem]


class DigestsBody(Body):
    """Digests of documents prepared elsewhere, in hex, as the seal's suite digests (P-256: SHA-256)."""

    item_code: IdText
    digests: Annotated[list[_HexDigest], Field(min_length=1, max_length=MAX_ITEMS)]
    seal_id: IdText | None = None
    case_number: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    level: SignatureLevel = SignatureLevel.B_T


class BatchItemState(StrEnum):
    """How an item stands."""

    REFUSED = "refused"  # no use was made of it: nothing counted
    INTENDED = "intended"  # still at work, or the worker resolves it when its lease is over
    COMPLETED = "completed"
    ABANDONED = "abandoned"  # counted


class RefusalAnswer(Answer):
    """Why an item was refused: a problem's code and sentence, and whether a retry may go through."""

    code: str
    detail: str
    retryable: bool


class BatchItemAnswer(Answer):
    """One item: its place, its state, its use or its refusal; for a digest the CMS in base64."""

    position: int
    state: BatchItemState
    use: SealUseAnswer | None = None
    refusal: RefusalAnswer | None = None
    cms: str | None = None


class SealBatchAnswer(Answer):
    """A batch with an answer for each of its items, in their order."""

    id: str
    kind: str
    at: datetime
    items: list[BatchItemAnswer]


@router.post("/seal-uses/batches", status_code=201)
def use_seal_on_many(
    items: Annotated[
        str,
        Form(
            max_length=_MAX_ITEMS_CHARACTERS,
            description="a JSON array with an object for each document: item_code; document, the number of its "
            "file from 0, or document_ref; and as for one document seal_id, case_number, level, "
            "when_timestamp_away, page, x_mm, y_mm",
            json_schema_extra={"contentMediaType": "application/json"},
        ),
    ],
    caller: CurrentCaller,
    services: ServicesOf,
    idempotency_key: IdempotencyKey,
    documents: Annotated[
        list[UploadFile] | None, File(description="the PDFs, in the order of the numbers")
    ] = None,
) -> SealBatchAnswer:
    """Seals many documents; every item is a seal use of its own, and one item's fault is that item's answer.

    The same idempotency key with the same body gets the same batch as it then stands.
    """
    wanted = _items(items)
    files = documents or []
    if len(files) > MAX_ITEMS:
        raise TooLarge(f"a batch has at most {MAX_ITEMS} files")
    octets: list[bytes] = []
    room = MAX_BATCH_BYTES
    for file in files:
        octets.append(read_upload(file, min(room, services.settings.max_document_bytes)))
        room -= len(octets[-1])
    request = BatchRequest(
        items=tuple(_wanted(item, octets) for item in wanted.items),
        idempotency_key=idempotency_key,
        body_digest=body_digest(wanted, *octets),
    )
    return _answer(services.seals.seal_documents(request, caller))


@router.post("/seal-uses/digests", status_code=201)
def use_seal_on_digests(
    body: DigestsBody, caller: CurrentCaller, services: ServicesOf, idempotency_key: IdempotencyKey
) -> SealBatchAnswer:
    """Signs digests as detached CMS for PAdES, under an authorisation that allows digests; each is a seal use.

    The signer builds the signed attributes around each digest. All of the digests are taken, or none.
    """
    request = DigestsRequest(
        digests=tuple(bytes.fromhex(text) for text in body.digests),
        item_code=body.item_code,
        idempotency_key=idempotency_key,
        body_digest=body_digest(body),
        seal_id=body.seal_id,
        case_number=body.case_number,
        level=body.level,
    )
    return _answer(services.seals.sign_digests(request, caller))


@router.get("/seal-batches/{batch_id}")
def get_seal_batch(batch_id: IdText, caller: CurrentCaller, services: ServicesOf) -> SealBatchAnswer:
    """A batch as it stands, to the application that sent it, with the scope it was sent with (`csc:sign` for hashes).

    Reading signatures is an event.
    """
    return _answer(services.seals.batches(caller, batch_id))


def _items(text: str) -> _Items:
    """The items under the same rules as a JSON body, refused in the same way."""
    try:
        listed = TypeAdapter(list[BatchItem]).validate_json(text)
    except ValidationError as error:
        raise RequestValidationError(
            [
                {**item, "loc": ("body", "items", *item["loc"]), "type": "value_error"}
                for item in error.errors(include_context=False)
            ]
        ) from error
    require_size(listed)
    return _Items(items=listed)


def _wanted(item: BatchItem, files: list[bytes]) -> DocumentToSeal:
    if (item.document is None) == (item.document_ref is None):
        raise InvalidInput("each item names a document or a document_ref, exactly one of them")
    if item.document is not None and item.document >= len(files):
        raise InvalidInput(f"there is no document {item.document}; {len(files)} came with the request")
    document: bytes | DocumentRef = DocumentRef(use_id=item.document_ref or "")
    if item.document is not None:
        document = files[item.document]
    return DocumentToSeal(
        document=document,
        item_code=item.item_code,
        placement=placement_of(item),
        caption=caption_of(item.placement),
        seal_id=item.seal_id,
        case_number=item.case_number,
        level=item.level,
        when_timestamp_away=item.when_timestamp_away,
    )


_STATES = {
    SealUseState.INTENDED: BatchItemState.INTENDED,
    SealUseState.COMPLETED: BatchItemState.COMPLETED,
    SealUseState.ABANDONED: BatchItemState.ABANDONED,
}


def _answer(found: BatchAnswer) -> SealBatchAnswer:
    answers = [
        BatchItemAnswer(
            position=item.position,
            state=BatchItemState.REFUSED,
            refusal=RefusalAnswer(code=item.code, detail=item.message, retryable=item.retryable),
        )
        for item in found.batch.refused
    ]
    for use in found.uses:
        cms = found.signatures.get(use.id)
        answers.append(
            BatchItemAnswer(
                position=use.batch_position or 0,
                state=_STATES[use.state],
                use=use_answer(use),
                cms=None if cms is None else base64.b64encode(cms).decode(),
            )
        )
    return SealBatchAnswer(
        id=found.batch.id,
        kind=found.batch.kind,
        at=found.batch.at,
        items=sorted(answers, key=lambda answer: answer.position),
    )
