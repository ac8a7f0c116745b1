"""Archival records: cases archived, looked up, and read under an approved retrieval request."""

import hashlib
from datetime import date, datetime
from typing import Annotated, BinaryIO, Final
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile
from pydantic import Field

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    CurrentCaller,
    Cursor,
    IdempotencyKey,
    IdText,
    Limit,
    Page,
    ServicesOf,
    page_of,
)
from api.v1.seal_uses import ReceiptAnswer
from api.wiring import Services
from archive.codes import Retention
from archive.errors import SubmissionTooLarge
from archive.ids import object_urn
from archive.ingest.ingest_case import IngestRequest
from archive.ingest.manifest import MAX_MANIFEST_BYTES
from archive.ingest.submission import MAX_MATERIALS, IncomingFile
from archive.model import ArchivalRecord, Material, MaterialRole, RecordState
from archive.search import RecordQuery
from identity.caller import Caller
from trust.kernel.errors import InvalidInput, NotFound

router = APIRouter(prefix="/v1", tags=["archive"])
TIMESTAMP_TYPE: Final = "application/vnd.etsi.timestamp-token"
_CHUNK_OCTETS: Final = 1024 * 1024
_Text = Annotated[str | None, Query(min_length=1, max_length=120)]


class MaterialAnswer(Answer):
    """One material; its content is at `/v1/records/{id}/materials/{name}`, under a retrieval request."""

    name: str
    title: str
    role: MaterialRole
    media_type: str
    size: int
    sha256: str


class TimestampAnswer(Answer):
    """The RFC 3161 timestamp over the package; `pending` while the authority has yet to be reached."""

    pending: bool
    gen_time: datetime | None


class RecordAnswer(Answer):
    """An archival record, without its content."""

    id: str
    archival_code: str
    fonds: str
    class_code: str
    year: int
    retention: Retention
    title: str
    case_number: str
    item_code: str
    event_date: date
    retain_until: datetime
    state: RecordState
    ingested_at: datetime
    registered_at: datetime | None
    object_id: str
    manifest_sha256: str
    package_sha256: str | None
    package_size: int | None
    timestamp: TimestampAnswer
    event_id: str | None


class RecordDetailsAnswer(RecordAnswer):
    """A record with what its package holds, the reuses its case cites, and the ledger's receipt."""

    materials: list[MaterialAnswer]
    reused: list[str]
    receipt: ReceiptAnswer | None


@router.post("/records", status_code=201)
def ingest_case(
    caller: CurrentCaller,
    services: ServicesOf,
    idempotency_key: IdempotencyKey,
    manifest: Annotated[
        str,
        Form(max_length=MAX_MANIFEST_BYTES, description="the manifest, JSON as `manifest.schema.json` says"),
    ],
    package: Annotated[UploadFile | None, File(description="the materials in one zip")] = None,
    files: Annotated[
        list[UploadFile] | None,
        Field(max_length=MAX_MATERIALS),
        File(description="or the materials one by one, each with its name in the manifest as file name"),
    ] = None,
) -> RecordDetailsAnswer:
    """Archives a case; the same idempotency key with the same submission gets the same record.

    The submission goes through the four-property check first; what fails it is refused with every fault named,
    and takes no archival code.
    """
    octets = _utf8(manifest)
    uploads = files or []
    ingested = services.archive.ingest(
        IngestRequest(
            manifest=octets,
            files=[IncomingFile(name=file.filename or "", stream=file.file) for file in uploads],
            package=None if package is None else package.file,
            idempotency_key=idempotency_key,
            body_digest=_body_digest(octets, package, uploads, limit=services.settings.max_package_bytes),
        ),
        caller,
    )
    return _details(ingested.record.id, caller, services)


@router.get("/records")
def search_records(
    caller: CurrentCaller,
    services: ServicesOf,
    archival_code: _Text = None,
    case_number: _Text = None,
    title: Annotated[str | None, Query(min_length=1, max_length=120, description="part of the title")] = None,
    class_code: _Text = None,
    year: Annotated[int | None, Query(ge=1900, le=9999)] = None,
    after: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[RecordAnswer]:
    """The agency's records, in the order of ingest; an application sees those it submitted."""
    query = RecordQuery(
        archival_code=archival_code,
        case_number=case_number,
        title=title,
        class_code=class_code,
        year=year,
        after=after,
        limit=limit,
    )
    rows = services.archive.reading.search(caller, query)
    return page_of(rows, [_record(row) for row in rows], limit)


@router.get("/records/{record_id}")
def get_record(record_id: IdText, caller: CurrentCaller, services: ServicesOf) -> RecordDetailsAnswer:
    """One record, without its content."""
    return _details(record_id, caller, services)


@router.get(
    "/records/{record_id}/timestamp",
    response_class=Response,
    responses={200: {"content": {TIMESTAMP_TYPE: {}}, "description": "the token, DER"}},
)
def get_record_timestamp(record_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The RFC 3161 token over the package's SHA-256."""
    record = services.archive.reading.record(caller, record_id).record
    if record.timestamp is None:
        raise NotFound("this record has no timestamp yet")
    return Response(record.timestamp.token, media_type=TIMESTAMP_TYPE)


@router.get(
    "/records/{record_id}/materials/{name:path}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "the material"}},
)
def read_material(
    record_id: IdText,
    name: Annotated[str, Path(min_length=1, max_length=200)],
    caller: CurrentCaller,
    services: ServicesOf,
    retrieval_request: Annotated[
        str | None, Query(max_length=80, pattern=r"^[A-Za-z0-9_]+$", description="the approved request")
    ] = None,
) -> Response:
    """One material, to the archivist whose approved retrieval request covers it; every read is an event."""
    material, octets = services.archive.retrievals.read(caller, record_id, name, request_id=retrieval_request)
    return material_response(material, octets)


def material_response(material: Material, octets: bytes) -> Response:
    """A material as a download: never shown by a browser in our name, never kept by a cache."""
    return Response(
        octets,
        media_type=material.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(material.name.rpartition('/')[2])}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def material_answer(material: Material) -> MaterialAnswer:
    """A material without its content."""
    return MaterialAnswer(
        name=material.name,
        title=material.title,
        role=material.role,
        media_type=material.media_type,
        size=material.size,
        sha256=material.sha256.hex(),
    )


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as fault:
        raise InvalidInput("the manifest is not valid Unicode text") from fault


def _body_digest(
    manifest: bytes, package: UploadFile | None, files: list[UploadFile], *, limit: int
) -> bytes:
    """SHA-256 over the submission: manifest, then each file's name, size and digest. Raises SubmissionTooLarge."""
    whole = hashlib.sha256(hashlib.sha256(manifest).digest())
    total = 0
    for upload in ([package] if package is not None else []) + files:
        size, digest = _digest(upload.file)
        total += size
        if total > limit:
            raise SubmissionTooLarge(f"a submission has at most {limit} octets here")
        name = "" if upload is package else upload.filename or ""
        whole.update(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())
        whole.update(size.to_bytes(8, "big") + digest)
    return whole.digest()


def _digest(file: BinaryIO) -> tuple[int, bytes]:
    size, digest = 0, hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_OCTETS):
        size += len(chunk)
        digest.update(chunk)
    file.seek(0)
    return size, digest.digest()


def _details(record_id: str, caller: Caller, services: Services) -> RecordDetailsAnswer:
    found = services.archive.reading.record(caller, record_id)
    event_id = found.record.event_id
    receipt = None if event_id is None else services.receipts.of_event(event_id)
    return RecordDetailsAnswer(
        **_record(found.record).model_dump(),
        materials=[material_answer(material) for material in found.materials],
        reused=list(found.citations),
        receipt=None if receipt is None else ReceiptAnswer.model_validate(receipt),
    )


def _record(record: ArchivalRecord) -> RecordAnswer:
    stamped = record.timestamp
    return RecordAnswer(
        id=record.id,
        archival_code=str(record.code),
        fonds=record.code.fonds,
        class_code=record.code.class_code,
        year=record.code.year,
        retention=record.code.retention,
        title=record.title,
        case_number=record.case_number,
        item_code=record.item_code,
        event_date=record.event_date,
        retain_until=record.retain_until,
        state=record.state,
        ingested_at=record.intended_at,
        registered_at=record.concluded_at if record.state is RecordState.REGISTERED else None,
        object_id=object_urn(record.id),
        manifest_sha256=record.manifest_sha256.hex(),
        package_sha256=None if record.package_sha256 is None else record.package_sha256.hex(),
        package_size=record.package_size,
        timestamp=TimestampAnswer(
            pending=record.state is RecordState.REGISTERED and stamped is None,
            gen_time=None if stamped is None else stamped.gen_time,
        ),
        event_id=record.event_id,
    )
