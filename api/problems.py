"""Errors become problem documents (RFC 9457); the only place that knows both the error tree and HTTP."""

from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from trust.kernel import errors
from trust.kernel.errors import YinxinError

MEDIA_TYPE: Final = "application/problem+json"
_log = structlog.get_logger("yinxin.api")

# From the most special kind to the least: the first that fits counts.
_STATUS: Final[tuple[tuple[type[YinxinError], int], ...]] = (
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.PreconditionFailed, 412),
    (errors.TooLarge, 413),
    (errors.UnsupportedMedia, 415),
    (errors.InvalidInput, 422),
    (errors.Malformed, 400),
    (errors.Throttled, 429),
    (errors.Unavailable, 503),
    (errors.Broken, 500),
)
_TITLES: Final = {
    400: "The request cannot be read",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "The state does not allow it",
    412: "Changed in the meantime",
    413: "Too large",
    415: "Media type not taken",
    422: "The content is refused",
    429: "Too many attempts",
    500: "A fault of ours",
    503: "A part is away; try again later",
}
_CODES: Final = {
    400: "malformed",
    405: "method-not-allowed",
    404: "not-found",
    406: "not-acceptable",
    413: "too-large",
}


def status_of(error: YinxinError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(
    status: int, code: str, detail: str, *, trace_id: str, field_errors: Any = (), retryable: bool = False
) -> dict[str, Any]:
    """The problem document's members."""
    return {
        "type": f"urn:yinxin:problem:{code}",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "code": code,
        "detail": detail,
        "trace_id": trace_id,
        "retryable": retryable,
        "errors": list(field_errors),
    }


def install(app: FastAPI) -> None:
    """Has every error of the application answered by a problem document."""

    @app.exception_handler(YinxinError)
    def refused(request: Request, error: YinxinError) -> Response:
        status = status_of(error)
        request.state.refused = error  # for the witness
        if status >= 500:
            _log.error("request.failed", code=error.code, reason=error.message, path=_route(request))
        headers = {}
        if isinstance(error, errors.Throttled):
            headers["Retry-After"] = str(error.retry_after)
        elif isinstance(error, errors.Unavailable):
            headers["Retry-After"] = "5"
        elif isinstance(error, errors.Unauthenticated):
            headers["WWW-Authenticate"] = "Bearer"
        return _answer(
            request,
            status,
            error.code,
            error.message,
            headers=headers,
            retryable=error.retryable,
            field_errors=[{"pointer": item.pointer, "detail": item.detail} for item in error.errors],
        )

    @app.exception_handler(RequestValidationError)
    def unreadable(request: Request, error: RequestValidationError) -> Response:
        """The shape of the request is not the documented one; the offending value is not repeated."""
        found = [
            {"pointer": "/" + "/".join(_plain(part) for part in item["loc"]), "detail": _plain(item["msg"])}
            for item in error.errors()[:20]
        ]
        only_json = any(item["type"] == "json_invalid" for item in error.errors())
        if only_json:
            return _answer(request, 400, "malformed", "the body is not JSON", field_errors=found)
        return _answer(
            request, 422, "invalid-input", "the request is not of the documented shape", field_errors=found
        )

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, "refused")
        detail = _TITLES.get(error.status_code, "Refused")
        return _answer(request, error.status_code, code, detail, headers=dict(error.headers or {}))


def _answer(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    retryable: bool = False,
    field_errors: Any = (),
) -> Response:
    trace_id = getattr(request.state, "trace_id", "")
    body = problem(status, code, detail, trace_id=trace_id, field_errors=field_errors, retryable=retryable)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _route(request: Request) -> str:
    route = request.scope.get("route")
    return str(getattr(route, "path", "unrouted"))


def _plain(value: Any) -> str:
    """Text safe to send: no lone surrogates."""
    return str(value).encode("utf-8", "replace").decode("utf-8")
