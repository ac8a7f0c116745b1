"""Looking through alerts and acknowledging them: by an auditor or supervisor, never by whom the alert is about."""

from collections.abc import Mapping
from typing import Final

from api.supervision.events import ALERTS_READ, supervision_done
from api.supervision.rights import sight_of, supervised
from identity.caller import Caller
from identity.directory import Directory
from identity.ids import StaffId
from trust.kernel.clock import Clock
from trust.kernel.text import paragraph
from trust.ledger.ledger import Ledger
from trust.ledger.supervision.alerts import REASON, AlertQuery, Alerts, acknowledge
from trust.ledger.supervision.model import Alert, AlertId, AlertOnOwnActs
from trust.ledger.supervision.rules import RuleBook
from trust.ledger.supervision.watch import ALERT_ACKNOWLEDGED
from trust.storage.database import ReadWork

MAX_REASON_CHARACTERS: Final = 2_000
_ALL: Final = "alerts"


class AlertDesk:
    """Alerts, for auditors of their agency and for supervisors of all."""

    def __init__(self, *, ledger: Ledger, directory: Directory, rules: RuleBook, clock: Clock) -> None:
        self._ledger = ledger
        self._directory = directory
        self._rules = rules
        self._clock = clock

    def page(
        self,
        caller: Caller,
        *,
        open_only: bool | None = None,
        rule: str | None = None,
        agency_id: str | None = None,
        after: AlertId | None = None,
        limit: int = 50,
    ) -> tuple[Alert, ...]:
        """One page, newest first; looking through them is an event. Raises RoleMissing, KindRefused."""
        with supervised(self._ledger, ALERTS_READ, caller, caller.agency_id or _ALL) as work:
            sight = sight_of(caller, agency_id)
            found = Alerts(work).page(
                AlertQuery(scope=sight.narrowed, open=open_only, rule=rule, after=after, limit=limit)
            )
            work.record(supervision_done(ALERTS_READ, caller, sight.agency or _ALL, agency=sight.agency))
        return found

    def get(self, caller: Caller, alert_id: AlertId) -> Alert:
        """One alert; raises RoleMissing, AlertUnknown."""
        with supervised(self._ledger, ALERTS_READ, caller, alert_id) as work:
            sight = sight_of(caller)
            alert = Alerts(work).get(alert_id, scope=sight.scope)
            work.record(supervision_done(ALERTS_READ, caller, alert_id, agency=alert.agency))
        return alert

    def acknowledge(self, caller: Caller, alert_id: AlertId, *, reason: str) -> Alert:
        """Says that somebody has looked at it and what came of it; once for all.

        Raises RoleMissing, AlertUnknown, AlertOnOwnActs where the alert is about the caller's own acts (of
        any account of the same natural person), AlertAcknowledged.
        """
        words = paragraph(reason, what="the reason")[:MAX_REASON_CHARACTERS]
        with supervised(self._ledger, ALERT_ACKNOWLEDGED, caller, alert_id) as work:
            alert = Alerts(work).get(alert_id, scope=sight_of(caller).scope)
            self._require_another_person(work, caller, alert)
            event = supervision_done(
                ALERT_ACKNOWLEDGED, caller, alert.id, agency=alert.agency, content={REASON: words}
            )
            receipt = work.record(event)
            acknowledge(
                work, alert, event_id=receipt.event_id, by_account=caller.account_id, at=self._clock.now()
            )
            return Alerts(work).get(alert_id, scope=sight_of(caller).scope)

    def titles(self) -> Mapping[str, Mapping[str, str]]:
        """What each rule is called, by language; for showing alerts to people."""
        return {name: rule.title for name, rule in self._rules.rules.items()}

    def _require_another_person(self, work: ReadWork, caller: Caller, alert: Alert) -> None:
        for account in (alert.actor_id, alert.key):
            if not account.startswith(f"{StaffId.prefix}_"):
                continue
            person = self._directory.person_of(work, StaffId(account))
            if account == caller.account_id or person == caller.require_person():
                raise AlertOnOwnActs("an alert about one's own acts is acknowledged by somebody else")
