"""Errors as the CSC API has them (§10.1): `{"error": …, "error_description": …}` instead of a problem document."""

import binascii
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.dependencies import Answer
from identity.caller import ScopeMissing
from seals.errors import ActivationRefused, SealAuthorisationUnknown
from trust.kernel import errors
from trust.kernel.errors import YinxinError

_log = structlog.get_logger("yinxin.csc")

# From the most special kind to the least: status, code, and a description where the client looks for a set one.
_ERRORS: Final[tuple[tuple[type[YinxinError], int, str, str | None], ...]] = (
    (SealAuthorisationUnknown, 400, "invalid_request", "Invalid parameter credentialID"),
    (ActivationRefused, 400, "invalid_request", "Invalid parameter SAD"),
    (ScopeMissing, 403, "insufficient_scope", None),
    (errors.Unauthenticated, 401, "invalid_token", None),
    (errors.Forbidden, 403, "access_denied", None),
    (errors.NotFound, 400, "invalid_request", None),
    (errors.Conflict, 400, "access_denied", None),
    (errors.TooLarge, 400, "invalid_request", None),
    (errors.InvalidInput, 400, "invalid_request", None),
    (errors.Malformed, 400, "invalid_request", None),
    (errors.Throttled, 429, "too_many_requests", None),
    (errors.Unavailable, 503, "temporarily_unavailable", None),
    (YinxinError, 500, "server_error", None),
)
# RFC 6749 §5.1: neither tokens nor refusals are kept by caches.
_NOT_STORED: Final = {"Cache-Control": "no-store"}


class CscRefusal(Answer):
    """A refusal in the form of the CSC API; `error` is a code of its own or of OAuth 2.0."""

    error: str
    error_description: str


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": CscRefusal, "description": "Refused, in the form of the CSC API"}
    for status in (400, 401, 403, 429, 500, 503)
}


class CscRoute(APIRoute):
    """A route whose refusals are the CSC API's."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except YinxinError as error:
                request.state.refused = error  # for the witness
                return _refused(error)
            except RequestValidationError as error:
                return refusal(400, "invalid_request", _first(error))
            except HTTPException as error:
                if error.status_code == 413:
                    raise  # the guard's own, which counts what arrives
                return refusal(400, "invalid_request", "the request cannot be read")

        return answered


def refusal(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> Response:
    """The answer of a refusal."""
    body = CscRefusal(error=error, error_description=description)
    return JSONResponse(body.model_dump(), status_code=status, headers=_NOT_STORED | (headers or {}))


def _refused(error: YinxinError) -> Response:
    status, code, description = next(
        (status, code, description) for kind, status, code, description in _ERRORS if isinstance(error, kind)
    )
    if status >= 500:
        _log.error("request.failed", code=error.code, reason=error.message)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif status == 503:
        headers["Retry-After"] = "5"
    elif isinstance(error, errors.Throttled):
        headers["Retry-After"] = str(error.retry_after)
    return refusal(status, code, description or error.message, headers)


def _first(error: RequestValidationError) -> str:
    """What is wrong with the first parameter, in the words of the CSC API; the value is not repeated."""
    for item in error.errors():
        where = [part for part in item["loc"][1:] if isinstance(part, str)]
        if item["type"] == "missing" and where:
            return f"Missing parameter {_plain(where[0])}"
        if where and item["type"] != "json_invalid":
            return f"Invalid parameter {_plain(where[0])}"
    return "The body is not a JSON object"


def _plain(name: str) -> str:
    return name.encode("ascii", "replace").decode()[:80]


class HashMalformed(errors.Malformed):
    """A hash of a CSC request is not base64."""

    code = "csc-hash-malformed"


def decoded(hashes: list[str]) -> tuple[bytes, ...]:
    """The hashes' octets; raises HashMalformed."""
    try:
        return tuple(binascii.a2b_base64(text.encode("ascii"), strict_mode=True) for text in hashes)
    except (ValueError, UnicodeEncodeError) as fault:
        raise HashMalformed("Invalid Base64 hash string parameter") from fault
