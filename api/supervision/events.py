"""The acts of supervision itself: whoever looks at others is looked at too."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from identity.caller import Caller
from trust.ledger.model import Event

EVENTS_READ: Final = "events.read"
EVENTS_EXPORTED: Final = "events.exported"
EXPORT_READ: Final = "events-export.read"
CASE_REPLAYED: Final = "case.replayed"
ALERTS_READ: Final = "alerts.read"
ERASURE_ORDERS_READ: Final = "erasure-orders.read"
CREDENTIAL_UNKNOWN: Final = "credential.unknown"
SIGN_IN_THROTTLED: Final = "sign-in.throttled"

ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        EVENTS_READ: "Events were searched by an auditor or supervisor, or that was refused.",
        EVENTS_EXPORTED: "An export of events was asked for as a signed file, or that was refused.",
        EXPORT_READ: "A signed export of events was downloaded, or that was refused.",
        CASE_REPLAYED: "The story of one case was replayed, or that was refused.",
        ALERTS_READ: "Alerts were looked through, or that was refused.",
        ERASURE_ORDERS_READ: "Orders to erase what events say of persons were looked through, or that was refused.",
        CREDENTIAL_UNKNOWN: "Access tokens, sessions, client assertions or links that hold for nobody were presented;"
        " counted by network.",
        SIGN_IN_THROTTLED: "Attempts to sign in or register were turned away by the throttle; counted by network.",
    }
)


def supervision_done(
    act: str, caller: Caller, subject: str, *, agency: str | None, content: Mapping[str, Any] | None = None
) -> Event:
    """That something was looked at; `agency` is whose events, and whose auditors see that."""
    return Event(act=act, actor=caller.actor(), subject=subject, agency=agency, content=content or {})
