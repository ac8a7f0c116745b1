"""Proof bundles: one zip that proves one thing without us, for whoever may read the thing (docs/proof-bundle.md)."""

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.dependencies import CurrentCaller, IdText, ServicesOf

router = APIRouter(prefix="/v1", tags=["proof bundles"])
_TYPE: Final = "application/zip"
_CHUNK_OCTETS: Final = 1 << 18
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {_TYPE: {}}, "description": "the bundle"}}


@router.get("/seal-uses/{use_id}/proof-bundle", response_class=StreamingResponse, responses=_ANSWER)
def bundle_of_seal_use(use_id: IdText, caller: CurrentCaller, services: ServicesOf) -> StreamingResponse:
    """The sealed document with all that proves it; 409 while its event is not yet under a checkpoint."""
    return _zip(services.bundles.of_seal_use(caller, use_id), use_id)


@router.get("/licences/{licence_id}/proof-bundle", response_class=StreamingResponse, responses=_ANSWER)
def bundle_of_licence(licence_id: IdText, caller: CurrentCaller, services: ServicesOf) -> StreamingResponse:
    """The licence, as document and as credential, with all that proves it."""
    return _zip(services.bundles.of_licence(caller, licence_id), licence_id)


@router.get("/records/{record_id}/proof-bundle", response_class=StreamingResponse, responses=_ANSWER)
def bundle_of_record(
    record_id: IdText,
    caller: CurrentCaller,
    services: ServicesOf,
    retrieval_request: Annotated[
        str | None, Query(max_length=80, pattern=r"^[A-Za-z0-9_]+$", description="the approved request")
    ] = None,
) -> StreamingResponse:
    """The archive package with all that proves it, where an approved request covers every material of the record."""
    bundle = services.bundles.of_record(caller, record_id, retrieval_request=retrieval_request)
    return _zip(bundle, record_id)


@router.get("/events/{event_id}/proof-bundle", response_class=StreamingResponse, responses=_ANSWER)
def bundle_of_event(event_id: IdText, caller: CurrentCaller, services: ServicesOf) -> StreamingResponse:
    """An event of the agency with the proof that the ledger holds it, for the agency's auditors."""
    return _zip(services.bundles.of_event(caller, event_id), event_id)


def _zip(bundle: BinaryIO, name: str) -> StreamingResponse:
    def pieces() -> Iterator[bytes]:
        with bundle:
            while piece := bundle.read(_CHUNK_OCTETS):
                yield piece

    return StreamingResponse(
        pieces(),
        media_type=_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.bundle.zip"',
            "Cache-Control": "no-store",
        },
    )
