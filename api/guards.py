"""What stands before every route: a trace id, a counted body, no NUL octets, quiet headers, a log line, a metric."""

import time
import uuid
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEDIA_TYPE, problem

REQUESTS: Final = Counter(
    "yinxin_requests_total", "Requests by route and status", ["method", "route", "status"]
)
SECONDS: Final = Histogram("yinxin_request_seconds", "Time to answer by route", ["method", "route"])
# A request's own fields beside a file.
_ENVELOPE_BYTES: Final = 1024 * 1024
# What is no upload is read and parsed whole, also for callers nobody knows yet: an impression in base64 is the
# largest.
_MAX_PLAIN_BYTES: Final = 4 * 1024 * 1024
_log = structlog.get_logger("yinxin.requests")

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class BodyTooLarge(HTTPException):
    """The body went over the limit while it arrived."""

    def __init__(self) -> None:
        super().__init__(413)


class Guards:
    """One ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._limit = max_body_bytes + _ENVELOPE_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = uuid.uuid4().hex
        scope.setdefault("state", {})["trace_id"] = trace_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace_id=trace_id)
        started = time.perf_counter()
        outcome = {"status": 500, "begun": False}

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                outcome.update(status=message["status"], begun=True)
                headers = MutableHeaders(scope=message)
                headers["X-Trace-Id"] = trace_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._guarded(scope, receive, guarded_send, trace_id, outcome)
        finally:
            self._note(scope, int(outcome["status"]), time.perf_counter() - started)

    async def _guarded(
        self, scope: Scope, receive: Receive, send: Send, trace_id: str, outcome: dict[str, int]
    ) -> None:
        if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
            await _refusal(400, "malformed", "a NUL octet in the address", trace_id)(scope, receive, send)
            return
        headers = dict(scope["headers"])
        is_upload = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        limit = self._limit if is_upload else min(self._limit, _MAX_PLAIN_BYTES)
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await _refusal(413, "too-large", f"a body has at most {limit} octets", trace_id)(
                scope, receive, send
            )
            return
        arrived = 0

        async def counted_receive() -> Message:
            nonlocal arrived
            message = await receive()
            if message["type"] == "http.request":
                arrived += len(message.get("body", b""))
                if arrived > limit:
                    raise BodyTooLarge
            return message

        try:
            await self._app(scope, counted_receive, send)
        except BodyTooLarge:
            if not outcome["begun"]:
                detail = f"a body has at most {limit} octets"
                await _refusal(413, "too-large", detail, trace_id)(scope, receive, send)
        except Exception as fault:
            # Whatever nothing else answered: said to the log, and to the caller without a word of it.
            _log.error("request.fault", fault=type(fault).__name__, exc_info=fault)
            if outcome["begun"]:
                raise
            detail = "something failed on our side; the trace id finds it in the logs"
            await _refusal(500, "internal", detail, trace_id)(scope, receive, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = str(getattr(scope.get("route"), "path", "unrouted"))
        REQUESTS.labels(scope["method"], route, str(status)).inc()
        SECONDS.labels(scope["method"], route).observe(seconds)
        _log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )


def _refusal(status: int, code: str, detail: str, trace_id: str) -> JSONResponse:
    body = problem(status, code, detail, trace_id=trace_id)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)
