"""OCSP over HTTP (RFC 6960 appendix A, RFC 5019 §5, §6): GET and POST, with caching headers where caches may keep."""

import binascii
from base64 import b64decode
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.dependencies import get_services
from api.v1.verifications import address_of
from api.web.throttle import throttles
from trust.authority.ocsp_responder import OcspReply
from trust.kernel.errors import Throttled, UnsupportedMedia
from trust.pki.ocsp import OcspStatus
from trust.pki.ocsp_request import MAX_OCSP_REQUEST_BYTES
from trust.pki.ocsp_request import MEDIA_TYPE as REQUEST_TYPE
from trust.pki.ocsp_response import MEDIA_TYPE as RESPONSE_TYPE
from trust.pki.ocsp_response import refusal

router = APIRouter(tags=["public"])
# Shorter than the answers live: a cache must not hide a revocation for longer than it takes to publish one.
MAX_AGE: Final = timedelta(seconds=30)
_PREFIX: Final = "/ocsp/"
_MAX_TEXT: Final = MAX_OCSP_REQUEST_BYTES * 4 // 3 + 4
_DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {RESPONSE_TYPE: {}}, "description": "OCSPResponse (RFC 6960)"},
    304: {"description": "The answer that was kept is still the newest"},
    429: {"content": {RESPONSE_TYPE: {}}, "description": "OCSPResponse: tryLater"},
}


@router.post(
    "/ocsp",
    response_class=Response,
    responses=_DOCUMENTED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {REQUEST_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def ask(request: Request) -> Response:
    """Whether certificates are good, revoked or on hold; whatever is sent, the answer is an OCSPResponse."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != REQUEST_TYPE:
        raise UnsupportedMedia(f"send a {REQUEST_TYPE}")
    octets = b""
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > MAX_OCSP_REQUEST_BYTES:
            break
    return await _answer(request, octets)


@router.get(
    "/ocsp/{request:path}",
    response_class=Response,
    responses=_DOCUMENTED,
    openapi_extra={
        "parameters": [
            {
                "name": "request",
                "in": "path",
                "required": True,
                "description": "The DER OCSPRequest in base64, its `/`, `+` and `=` percent-encoded or as they are",
                "schema": {"type": "string", "maxLength": _MAX_TEXT},
            }
        ]
    },
)
async def ask_by_address(request: Request) -> Response:
    """The same by GET (RFC 6960 A.1), so that caches between can answer."""
    return await _answer(request, octets_of(request.scope["path"].removeprefix(_PREFIX)))


def octets_of(text: str) -> bytes:
    """The request in a path that the server has percent-decoded; what is not base64 is no octets.

    Clients add a slash in front where the address ends in one, forget padding, and turn `+` into a space.
    """
    plain = text.lstrip("/").replace(" ", "+").rstrip("=")
    if len(plain) > _MAX_TEXT:
        return b""
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


async def _answer(request: Request, octets: bytes) -> Response:
    responder = get_services(request).ocsp
    reply = responder.at_hand(octets)
    if reply is None:
        try:
            reply = await run_in_threadpool(responder.answer, octets, leave=lambda: _count(request))
        except Throttled as throttled:
            headers = {"Retry-After": str(throttled.retry_after), "Cache-Control": "no-store"}
            return Response(refusal(OcspStatus.TRY_LATER), 429, headers, RESPONSE_TYPE)
    headers = _caching(request, reply)
    if reply.etag and reply.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(reply.der, headers=headers, media_type=RESPONSE_TYPE)


def _count(request: Request) -> None:
    throttles(request).ocsp.count(address_of(request), get_services(request).clock.now())


def _caching(request: Request, reply: OcspReply) -> dict[str, str]:
    """RFC 5019 §6.2; an answer to a nonce, or none at all, is nobody's to keep."""
    if reply.this_update is None or reply.next_update is None:
        return {"Cache-Control": "no-store"}
    left = reply.next_update - get_services(request).clock.now()
    age = max(0, int(min(MAX_AGE, left).total_seconds()))
    return {
        "Cache-Control": f"max-age={age}, public, no-transform, must-revalidate",
        "ETag": reply.etag,
        "Last-Modified": format_datetime(reply.this_update, usegmt=True),
        "Expires": format_datetime(reply.next_update, usegmt=True),
    }
