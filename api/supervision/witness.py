"""What is seen at the edge whatever a service records: protected things read, and refusals nobody else has kept.

Looking is an event before what was looked at is handed out: where it cannot be recorded, nothing is answered. A
refusal of a known caller is an event even if the service that refused forgot: by the rule here, not by anybody's
care. What strangers try is counted instead (`api.supervision.attempts`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEDIA_TYPE, problem
from api.wiring import Services
from identity.caller import Caller
from trust.kernel.errors import Forbidden, NotFound, Unavailable, YinxinError
from trust.ledger.model import Event, EventOutcome

REQUEST_REFUSED: Final = "request.refused"

# Each read of something protected that its service does not record: the act, and the part of the path it is about.
PROTECTED_READS: Final[Mapping[str, tuple[str, str | None]]] = MappingProxyType(
    {
        "GET /v1/staff": ("staff.read", None),
        "GET /v1/organisations": ("organisation.read", None),
        "GET /v1/applications": ("application.read", None),
        "GET /v1/certificates": ("party-certificate.read", None),
        "GET /v1/seal-requests": ("seal-request.read", None),
        "GET /v1/seal-requests/{request_id}": ("seal-request.read", "request_id"),
        "GET /v1/seal-requests/{request_id}/impression": ("seal-request.read", "request_id"),
        "GET /v1/seals": ("seal.read", None),
        "GET /v1/seals/{seal_id}": ("seal.read", "seal_id"),
        "GET /v1/seals/{seal_id}/impression": ("seal-impression.read", "seal_id"),
        "GET /v1/seals/{seal_id}/authorisations": ("seal-authorisation.read", "seal_id"),
        "GET /v1/seal-uses": ("seal-use.listed", None),
        "GET /v1/licences": ("licence.listed", None),
        "GET /v1/licences/{licence_id}": ("licence.shown", "licence_id"),
        "GET /v1/usage-entries": ("usage-log.read", None),
        "GET /v1/records": ("record.listed", None),
        "GET /v1/records/{record_id}": ("record.shown", "record_id"),
        "GET /v1/records/{record_id}/timestamp": ("record.shown", "record_id"),
        "GET /v1/records/{record_id}/evidence": ("record.shown", "record_id"),
        "GET /v1/retrieval-requests": ("retrieval-request.read", None),
        "GET /v1/retrieval-requests/{request_id}": ("retrieval-request.read", "request_id"),
        "GET /v1/material-reuses": ("material-reuse.read", None),
        "GET /v1/material-reuses/{reuse_id}": ("material-reuse.read", "reuse_id"),
        "POST /csc/v1/credentials/list": ("seal-authorisation.read", None),
        "POST /csc/v1/credentials/info": ("seal-authorisation.read", None),
    }
)

ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        REQUEST_REFUSED: "A known caller was refused by a service that keeps no event of its own for it.",
        "staff.read": "An agency's staff were listed, with their names and roles.",
        "organisation.read": "The organisations a citizen may act for were listed.",
        "application.read": "An agency's applications were listed.",
        "party-certificate.read": "The certificates of a party were listed.",
        "seal-request.read": "Seal applications, or one of them or its impression, were read.",
        "seal.read": "Seals, or one of them, were read.",
        "seal-impression.read": "The impression of a seal was fetched.",
        "seal-authorisation.read": "The authorisations of a seal, or of an application, were read.",
        "seal-use.listed": "Seal uses were listed.",
        "licence.listed": "Licences were listed.",
        "licence.shown": "A licence's data were shown.",
        "usage-log.read": "A holder read the log of how their licences were used.",
        "record.listed": "Archival records were searched.",
        "record.shown": "An archival record, its timestamp or its evidence record was shown.",
        "retrieval-request.read": "Retrieval requests, or one of them, were read.",
        "material-reuse.read": "Reuses of archived materials, or one of them, were read.",
    }
)


class Witness:
    """One ASGI middleware inside that of the origins; the caller and the refusal are what routes left in the state."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        withheld = False

        async def witnessed_send(message: Message) -> None:
            nonlocal withheld
            if message["type"] == "http.response.start":
                event = _seen(scope, state, int(message["status"]))
                if event is not None:
                    try:
                        await run_in_threadpool(self._record, event)
                    except Unavailable as away:
                        withheld = True
                        await _away(away, state)(scope, receive, send)
            if not withheld:
                await send(message)

        await self._app(scope, receive, witnessed_send)

    def _record(self, event: Event) -> None:
        with self._services.ledger.work() as work:
            work.record(event)


def _seen(scope: Scope, state: Mapping[str, Any], status: int) -> Event | None:
    """The event of what this answer tells or refuses; None where there is none to record here."""
    caller = state.get("caller")
    if not isinstance(caller, Caller):
        return None
    route = f"{scope['method']} {getattr(scope.get('route'), 'path', 'unrouted')}"
    refused = state.get("refused")
    if isinstance(refused, Forbidden | NotFound):
        return None if refused.recorded else _refusal(route, caller, refused)
    read = PROTECTED_READS.get(route)
    if read is None or status >= 400:
        return None
    act, part = read
    subject = caller.agency_id or caller.account_id
    if part is not None:
        subject = str(scope.get("path_params", {}).get(part, subject))
    return Event(act=act, actor=caller.actor(), subject=subject, agency=caller.agency_id)


def _refusal(route: str, caller: Caller, error: YinxinError) -> Event:
    return Event(
        act=REQUEST_REFUSED,
        actor=caller.actor(),
        subject=caller.agency_id or caller.account_id,
        agency=caller.agency_id,
        outcome=EventOutcome.REFUSED,
        reason=error.code,
        content={"route": route},
    )


def _away(away: Unavailable, state: Mapping[str, Any]) -> JSONResponse:
    body = problem(503, away.code, away.message, trace_id=str(state.get("trace_id", "")), retryable=True)
    return JSONResponse(body, status_code=503, media_type=MEDIA_TYPE, headers={"Retry-After": "5"})
