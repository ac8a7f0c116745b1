"""The evidence record of an archival record's package (RFC 4998)."""

from fastapi import APIRouter, Response

from api.dependencies import CurrentCaller, IdText, ServicesOf
from trust.evidence.ers import MEDIA_TYPE
from trust.preservation.errors import EvidenceNotReady

router = APIRouter(prefix="/v1", tags=["archive"])


@router.get(
    "/records/{record_id}/evidence",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "the evidence record, DER"}},
)
def get_record_evidence(record_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The evidence record over the package, to whoever may look the record up; it changes with each renewal.

    Not there until the batch that the record waits for has its timestamp.
    """
    record = services.archive.reading.record(caller, record_id).record
    evidence = services.evidence.record_of(record.id)
    if evidence is None:
        raise EvidenceNotReady("this record's evidence has not been stamped yet; try again later")
    return Response(
        evidence,
        media_type=MEDIA_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="{record.id}.ers"',
            "Cache-Control": "no-store",
        },
    )
