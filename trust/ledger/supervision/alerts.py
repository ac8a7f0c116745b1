"""Reading alerts, and acknowledging them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert as upsert

from trust.ledger.model import EventId
from trust.ledger.search import EventScope
from trust.ledger.supervision.model import Acknowledgement, Alert, AlertAcknowledged, AlertId, AlertUnknown
from trust.ledger.supervision.tables import alert_acknowledgements, alerts
from trust.ledger.tables import event_contents
from trust.storage.database import ReadWork, Work

# The name under which the words of an acknowledgement stand in its event's content.
REASON: Final = "reason"


@dataclass(frozen=True, kw_only=True)
class AlertQuery:
    """Which alerts: `open` True those nobody has acknowledged, False the others, None all."""

    scope: EventScope
    open: bool | None = None
    rule: str | None = None
    after: AlertId | None = None
    limit: int = 50


class Alerts:
    """Queries over alerts within a scope."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def page(self, query: AlertQuery) -> tuple[Alert, ...]:
        """One page, newest first."""
        statement = _scoped(query.scope)
        if query.open is not None:
            acknowledged = alert_acknowledgements.c.alert_id
            statement = statement.where(acknowledged.is_(None) if query.open else acknowledged.is_not(None))
        if query.rule is not None:
            statement = statement.where(alerts.c.rule == query.rule)
        if query.after is not None:
            statement = statement.where(alerts.c.id < query.after)
        rows = self._work.execute(statement.order_by(alerts.c.id.desc()).limit(query.limit)).all()
        return tuple(map(_alert, rows))

    def get(self, alert_id: str, *, scope: EventScope) -> Alert:
        """One alert; raises AlertUnknown, also for another agency's."""
        row = self._work.execute(_scoped(scope).where(alerts.c.id == alert_id)).one_or_none()
        if row is None:
            raise AlertUnknown("there is no such alert")
        return _alert(row)


def acknowledge(work: Work, alert: Alert, *, event_id: EventId, by_account: str, at: datetime) -> None:
    """Inserts the acknowledgement, whose words stand in the event; raises AlertAcknowledged."""
    row = {"alert_id": alert.id, "event_id": event_id, "by_account": by_account, "at": at}
    inserted = work.execute(upsert(alert_acknowledgements).values(row).on_conflict_do_nothing()).rowcount
    if not inserted:
        raise AlertAcknowledged("somebody has acknowledged this alert before")


def _scoped(scope: EventScope) -> Select[Any]:
    statement = (
        select(
            alerts,
            alert_acknowledgements.c.event_id.label("acknowledged_by_event"),
            alert_acknowledgements.c.by_account,
            alert_acknowledgements.c.at.label("acknowledged_at"),
            event_contents.c.content,
        )
        .outerjoin(alert_acknowledgements, alert_acknowledgements.c.alert_id == alerts.c.id)
        .outerjoin(event_contents, event_contents.c.event_id == alert_acknowledgements.c.event_id)
    )
    return statement if scope.agency is None else statement.where(alerts.c.agency == scope.agency)


def _alert(row: Row[Any]) -> Alert:
    acknowledgement = None
    if row.acknowledged_by_event is not None:
        acknowledgement = Acknowledgement(
            event_id=EventId(row.acknowledged_by_event),
            by_account=row.by_account,
            at=row.acknowledged_at,
            reason=None if row.content is None else row.content.get(REASON),
        )
    return Alert(
        id=AlertId(row.id),
        rule=row.rule,
        kind=row.kind,
        severity=row.severity,
        key=row.key,
        stretch=row.stretch,
        event_id=EventId(row.event_id),
        agency=row.agency,
        actor_id=row.actor_id,
        facts=row.facts,
        raised_at=row.raised_at,
        acknowledgement=acknowledgement,
    )
