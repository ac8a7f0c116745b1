"""Alerts as they stand in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trust.kernel.errors import Conflict, Forbidden, NotFound
from trust.kernel.ids import Id
from trust.ledger.model import EventId


class AlertId(Id):
    """An alert."""

    prefix = "alert"


class AlertUnknown(NotFound):
    """There is no such alert, or it is not the caller's to see."""

    code = "alert-unknown"


class AlertAcknowledged(Conflict):
    """Somebody has acknowledged the alert before."""

    code = "alert-acknowledged"


class AlertOnOwnActs(Forbidden):
    """The alert is about the caller's own acts; somebody else acknowledges it."""

    code = "alert-on-own-acts"


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """That somebody has looked at an alert, and what came of it; `reason` is None where it was erased."""

    event_id: EventId
    by_account: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What a rule has found.

    `event_id` is the event that made it fire, `actor_id` who acted, `key` what the rule counts by (an account, a
    seal, an authorisation), `stretch` for which span it was said once, `facts` the figures behind it.
    """

    id: AlertId
    rule: str
    kind: str
    severity: str
    key: str
    stretch: str
    event_id: EventId
    agency: str | None
    actor_id: str
    facts: Mapping[str, Any]
    raised_at: datetime
    acknowledgement: Acknowledgement | None
