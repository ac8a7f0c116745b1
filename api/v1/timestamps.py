"""The RFC 3161 authority over HTTP (RFC 3161 §3.4)."""

from fastapi import APIRouter, Request, Response

from api.timestamping.desk import TimestampDesk
from api.wiring import Services
from trust.kernel.errors import TooLarge, UnsupportedMedia
from trust.timestamp.errors import TimestampRequestRefused
from trust.timestamp.requests import MAX_REQUEST_BYTES, read_request
from trust.timestamp.requests import MEDIA_TYPE as QUERY_TYPE
from trust.timestamp.responses import MEDIA_TYPE as REPLY_TYPE
from trust.timestamp.responses import rejected

router = APIRouter(tags=["timestamps"])


@router.post(
    "/tsa",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {QUERY_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    responses={200: {"content": {REPLY_TYPE: {}}, "description": "TimeStampResp (RFC 3161)"}},
)
async def timestamp(request: Request) -> Response:
    """An RFC 3161 timestamp; what cannot be served is answered by a rejection with status 200, as the RFC says.

    By the setting anyone may ask, within a throttle, or applications alone, by an access token with the scope
    `timestamp:request`.
    """
    # Not by a dependency: those that are plain functions take one of the threads that routes share, and all of these
    # may be waiting for the very answer that is to be given here.
    services: Services = request.app.state.services
    desk = TimestampDesk.of(request.app.state, services)
    await desk.admit(request)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != QUERY_TYPE:
        raise UnsupportedMedia(f"send a {QUERY_TYPE}")
    octets = bytearray()
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > MAX_REQUEST_BYTES:
            raise TooLarge(f"a timestamp request has at most {MAX_REQUEST_BYTES} octets")
    try:
        wanted = services.timestamps.accept(read_request(bytes(octets)))
    except TimestampRequestRefused as refused:
        answer = rejected(refused.fail_info, refused.message)
    else:
        answer = await desk.gathering.response(wanted)
    return Response(answer, media_type=REPLY_TYPE)
