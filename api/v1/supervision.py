"""For supervisors (电子监察): the replay of a case, exports as signed files, alerts and their acknowledgement."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, Field

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdText,
    Limit,
    Page,
    ServicesOf,
    page_of,
)
from api.supervision.reading import Wanted
from api.v1.ledger import EventAnswer, Words, event_answer
from identity.ids import known_id
from trust.ledger.model import EventOutcome
from trust.ledger.supervision.exports import Export, ExportId
from trust.ledger.supervision.model import Alert, AlertId

router = APIRouter(prefix="/v1", tags=["supervision"])
CaseNumber = Annotated[str, Path(min_length=1, max_length=200)]


class ReplayStepAnswer(Answer):
    """One event of the story; `through` is the id by which it belongs to the case, null where it names the case."""

    through: str | None
    event: EventAnswer


class ReplayAnswer(Answer):
    """The story of a case in order; `truncated` says that it is longer than what is told at once."""

    about: str
    case_number: str | None
    truncated: bool
    steps: list[ReplayStepAnswer]


class EventExportBody(Body):
    """Which events to export: as `GET /v1/events` finds them."""

    agency_id: Words = None
    subject: Words = None
    actor_id: Words = None
    on_behalf_of: Words = None
    act: Words = None
    outcome: EventOutcome | None = None
    reason: Words = None
    case_number: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    mentions: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class EventExportAnswer(Answer):
    """An export: `done` of `total` events are written; `file` is where it is fetched once it is there.

    `failed` is the code of what it could not be made for. `sha256` is of the whole file, in hex.
    """

    id: str
    asked_at: datetime
    done: int
    total: int
    failed: str | None
    file: str | None
    sha256: str | None
    octets: int | None
    events: int | None
    tree_size: int | None


class AcknowledgementBody(Body):
    """What came of the alert, in words."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class AcknowledgementAnswer(Answer):
    """Who looked at an alert, when, and what came of it (null where it was erased)."""

    by_account: str
    at: datetime
    reason: str | None


class AlertAnswer(Answer):
    """An alert: the rule that found it, what it is about, the event that set it off, the figures behind it."""

    id: str
    rule: str
    title: dict[str, str]
    kind: str
    severity: str
    about: str
    stretch: str
    event_id: str
    agency_id: str | None
    actor_id: str
    facts: dict[str, Any]
    raised_at: datetime
    acknowledgement: AcknowledgementAnswer | None


@router.get("/cases/{case_number}/replay")
def replay_case(
    case_number: CaseNumber, caller: CurrentCaller, services: ServicesOf, agency_id: Words = None
) -> ReplayAnswer:
    """The whole story of a case, by its number or by the id of anything that belongs to it."""
    told = services.supervision.events.replay(caller, case_number, agency_id=agency_id)
    return ReplayAnswer(
        about=told.about,
        case_number=told.case_number,
        truncated=told.truncated,
        steps=[ReplayStepAnswer(through=step.through, event=event_answer(step.event)) for step in told.steps],
    )


@router.post("/event-exports", status_code=202)
def ask_for_export(
    body: EventExportBody, response: Response, caller: CurrentCaller, services: ServicesOf
) -> EventExportAnswer:
    """Asks for events as a signed file that verifies offline; a worker makes it."""
    export = services.supervision.exports.ask(
        caller, Wanted(**{name: getattr(body, name) for name in _NAMES})
    )
    response.headers["Location"] = f"/v1/operations/{export.id}"
    return _export(export)


@router.get("/event-exports/{export_id}")
def get_export(export_id: IdText, caller: CurrentCaller, services: ServicesOf) -> EventExportAnswer:
    """How far an export of one's own has come."""
    return _export(services.supervision.exports.get(caller, known_id(ExportId, export_id)))


@router.get(
    "/event-exports/{export_id}/file",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "see docs/event-export.md"}},
)
def get_export_file(export_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The signed file."""
    known = known_id(ExportId, export_id)
    octets = services.supervision.exports.file(caller, known)
    headers = {"Content-Disposition": f'attachment; filename="{known}.zip"'}
    return Response(octets, media_type="application/zip", headers=headers)


@router.get("/alerts")
def list_alerts(
    caller: CurrentCaller,
    services: ServicesOf,
    is_open: Annotated[
        bool | None, Query(alias="open", description="true: nobody has acknowledged it yet")
    ] = None,
    rule: Words = None,
    agency_id: Words = None,
    after: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[AlertAnswer]:
    """Alerts, newest first: of the own agency for its auditors, of every agency for supervisors."""
    rows = services.supervision.alerts.page(
        caller,
        open_only=is_open,
        rule=rule,
        agency_id=agency_id,
        after=None if after is None else known_id(AlertId, after),
        limit=limit,
    )
    titles = services.supervision.alerts.titles()
    return page_of(rows, [_alert(alert, titles.get(alert.rule, {})) for alert in rows], limit)


@router.get("/alerts/{alert_id}")
def get_alert(alert_id: IdText, caller: CurrentCaller, services: ServicesOf) -> AlertAnswer:
    """One alert."""
    alert = services.supervision.alerts.get(caller, known_id(AlertId, alert_id))
    return _alert(alert, services.supervision.alerts.titles().get(alert.rule, {}))


@router.post("/alerts/{alert_id}/acknowledgements", status_code=201)
def acknowledge_alert(
    alert_id: IdText, body: AcknowledgementBody, caller: CurrentCaller, services: ServicesOf
) -> AlertAnswer:
    """Says that somebody has looked at it and what came of it; not whom it is about, and once for all."""
    alert = services.supervision.alerts.acknowledge(caller, known_id(AlertId, alert_id), reason=body.reason)
    return _alert(alert, services.supervision.alerts.titles().get(alert.rule, {}))


_NAMES = tuple(EventExportBody.model_fields)


def _export(export: Export) -> EventExportAnswer:
    outcome = export.outcome
    has_file = outcome is not None and outcome.object_key is not None
    return EventExportAnswer(
        id=export.id,
        asked_at=export.at,
        done=export.done,
        total=export.total,
        failed=None if outcome is None else outcome.failed,
        file=f"/v1/event-exports/{export.id}/file" if has_file else None,
        sha256=None if outcome is None or outcome.sha256 is None else outcome.sha256.hex(),
        octets=None if outcome is None else outcome.octets,
        events=None if outcome is None else outcome.events,
        tree_size=None if outcome is None else outcome.tree_size,
    )


def _alert(alert: Alert, title: Any) -> AlertAnswer:
    acknowledgement = alert.acknowledgement
    return AlertAnswer(
        id=alert.id,
        rule=alert.rule,
        title=dict(title),
        kind=alert.kind,
        severity=alert.severity,
        about=alert.key,
        stretch=alert.stretch,
        event_id=alert.event_id,
        agency_id=alert.agency,
        actor_id=alert.actor_id,
        facts=dict(alert.facts),
        raised_at=alert.raised_at,
        acknowledgement=None
        if acknowledgement is None
        else AcknowledgementAnswer(
            by_account=acknowledgement.by_account, at=acknowledgement.at, reason=acknowledgement.reason
        ),
    )
