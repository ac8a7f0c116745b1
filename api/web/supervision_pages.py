"""Pages for whoever supervises: signing in, a case replayed, alerts and their acknowledgement; without JavaScript."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from api.dependencies import Body, CurrentCaller, ServicesOf, address_of
from api.supervision.picture import picture_of
from api.supervision.words import KINDS, SEVERITIES, act_text, lane_of, word
from api.web.rendering import page, visit_of
from api.web.same_origin import require_same_origin
from identity.caller import Caller
from identity.errors import SignInRefused
from identity.ids import known_id
from identity.signin.tokens import csrf_matches, csrf_token
from trust.kernel.errors import Forbidden, Throttled
from trust.ledger.search import EventQueryRefused
from trust.ledger.supervision.model import AlertAcknowledged, AlertId, AlertOnOwnActs
from trust.ledger.supervision.replay import Replay
from trust.verify.texts import Language

router = APIRouter(include_in_schema=False)
COOKIE: Final = "yinxin_session"
_FORM: Final = "application/x-www-form-urlencoded"
_ALERTS_SHOWN: Final = 50


class CsrfRefused(Forbidden):
    """The form was not made for this session; open the page again and send it from there."""

    code = "csrf-refused"


class SignInForm(Body):
    """User name and password."""

    username: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[str, Field(max_length=200)] = ""


class AcknowledgementForm(Body):
    """What came of an alert."""

    csrf: Annotated[str, Field(max_length=200)] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""


class SignOutForm(Body):
    """Nothing but the proof that the form is ours."""

    csrf: Annotated[str, Field(max_length=200)] = ""


@router.get("/supervision/sign-in")
def sign_in_form(request: Request) -> HTMLResponse:
    """The form."""
    return page(request, "sign-in.html", fault=None, username="")


@router.post("/supervision/sign-in")
def sign_in(
    request: Request, services: ServicesOf, form: Annotated[SignInForm, Form(media_type=_FORM)]
) -> Response:
    """Opens a session and keeps it in a cookie that no script reads and no other site sends."""
    require_same_origin(request, services.settings.public_url)
    address = address_of(request)
    try:
        with services.supervision.attempts.watched(address):
            signed_in = services.identity.sessions.sign_in(
                username=form.username, password=form.password, address=address
            )
    except (SignInRefused, Throttled) as refused:
        status = 429 if isinstance(refused, Throttled) else 401
        return page(request, "sign-in.html", status=status, fault=refused.code, username=form.username)
    answer = RedirectResponse(visit_of(request).link("/supervision"), status_code=303)
    answer.set_cookie(
        COOKIE,
        signed_in.token,
        httponly=True,
        samesite="strict",
        secure=services.settings.public_url.startswith("https:"),
        path="/",
    )
    return answer


@router.post("/supervision/sign-out")
def sign_out(
    request: Request, services: ServicesOf, form: Annotated[SignOutForm, Form(media_type=_FORM)]
) -> Response:
    """Ends the session."""
    caller, token = _sender(request, services, form.csrf)
    services.identity.sessions.sign_out(caller, token)
    answer = RedirectResponse(visit_of(request).link("/supervision/sign-in"), status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/supervision")
def overview(
    request: Request,
    services: ServicesOf,
    caller: CurrentCaller,
    all_alerts: Annotated[bool, Query(alias="all")] = False,
) -> HTMLResponse:
    """Where to look a case up, and the alerts nobody has acknowledged yet."""
    visit = visit_of(request)
    alerts = services.supervision.alerts.page(
        caller, open_only=None if all_alerts else True, limit=_ALERTS_SHOWN
    )
    titles = services.supervision.alerts.titles()
    return page(
        request,
        "supervision.html",
        csrf=csrf_token(_cookie(request)),
        all_alerts=all_alerts,
        alerts=[
            {
                "alert": alert,
                "title": titles.get(alert.rule, {}).get(visit.language.value, alert.rule),
                "severity": word(SEVERITIES, alert.severity, visit.language),
                "facts": [f"{name} {value}" for name, value in sorted(alert.facts.items())],
            }
            for alert in alerts
        ],
    )


@router.get("/supervision/case")
def case(
    request: Request,
    services: ServicesOf,
    caller: CurrentCaller,
    about: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """The story of a case, as a picture and in words."""
    visit, fault, told = visit_of(request), None, None
    try:
        told = services.supervision.events.replay(caller, about.strip())
    except EventQueryRefused as refused:
        fault = refused.code
    return page(
        request,
        "case.html",
        status=200 if fault is None else 422,
        about=about.strip(),
        fault=fault,
        told=told,
        picture=None if told is None else picture_of(told.steps, visit.language),
        steps=[] if told is None else _steps(told, visit.language),
    )


@router.get("/supervision/alerts/{alert_id}")
def alert_page(
    request: Request,
    services: ServicesOf,
    caller: CurrentCaller,
    alert_id: Annotated[str, Path(max_length=80)],
) -> HTMLResponse:
    """One alert, and the form that acknowledges it."""
    return _alert(request, services, caller, known_id(AlertId, alert_id), fault=None)


@router.post("/supervision/alerts/{alert_id}")
def acknowledge(
    request: Request,
    services: ServicesOf,
    alert_id: Annotated[str, Path(max_length=80)],
    form: Annotated[AcknowledgementForm, Form(media_type=_FORM)],
) -> Response:
    """Acknowledges the alert, and shows it as it then stands."""
    caller, _token = _sender(request, services, form.csrf)
    known = known_id(AlertId, alert_id)
    if not form.reason.strip():
        return _alert(request, services, caller, known, fault="reason-missing", status=422)
    try:
        services.supervision.alerts.acknowledge(caller, known, reason=form.reason)
    except (AlertAcknowledged, AlertOnOwnActs) as refused:
        return _alert(request, services, caller, known, fault=refused.code, status=409)
    return RedirectResponse(visit_of(request).link(f"/supervision/alerts/{known}"), status_code=303)


def _alert(
    request: Request,
    services: ServicesOf,
    caller: Caller,
    alert_id: AlertId,
    *,
    fault: str | None,
    status: int = 200,
) -> HTMLResponse:
    visit = visit_of(request)
    alert = services.supervision.alerts.get(caller, alert_id)
    titles = services.supervision.alerts.titles()
    return page(
        request,
        "alert.html",
        status=status,
        alert=alert,
        title=titles.get(alert.rule, {}).get(visit.language.value, alert.rule),
        severity=word(SEVERITIES, alert.severity, visit.language),
        facts=sorted(alert.facts.items()),
        csrf=csrf_token(_cookie(request)),
        fault=fault,
    )


def _steps(told: Replay, language: Language) -> list[dict[str, object]]:
    return [
        {
            "number": number,
            "event": step.event,
            "through": step.through,
            "words": act_text(step.event.act, language),
            "lane": lane_of(step.event.act).value,
            "who": word(KINDS, step.event.actor.kind, language),
            "refused": step.event.outcome.value == "refused",
            "from": (step.event.content or {}).get("origin", {}).get("address"),
        }
        for number, step in enumerate(told.steps, 1)
    ]


def _sender(request: Request, services: ServicesOf, csrf: str) -> tuple[Caller, str]:
    """Who sent a form of ours; raises CrossSiteForm, TokenRefused, CsrfRefused."""
    require_same_origin(request, services.settings.public_url)
    token = _cookie(request)
    caller = services.identity.authentication.authenticate(token)
    request.state.caller = caller
    if not csrf_matches(token, csrf):
        raise CsrfRefused("the form was not made for this session; open the page again")
    return caller, token


def _cookie(request: Request) -> str:
    return request.cookies.get(COOKIE, "")
