"""Reading the ledger: for the agency's own auditors, and a refused attempt is an event too."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from identity.caller import Caller, Role
from trust.kernel.errors import YinxinError
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event, EventId, EventOutcome
from trust.ledger.search import EventPage, EventQuery, EventScope, search

EVENTS_READ: Final = "events.read"
ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {EVENTS_READ: "The agency's events were searched by an auditor, or that was refused."}
)


class EventReading:
    """Searches the events of the caller's agency."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    def search(
        self,
        caller: Caller,
        *,
        subject: str | None,
        actor_id: str | None,
        act: str | None,
        outcome: EventOutcome | None,
        since: datetime | None,
        until: datetime | None,
        after: EventId | None,
        limit: int,
    ) -> EventPage:
        """One page, newest first; the search itself is an event. Raises RoleMissing, KindRefused."""
        with self._ledger.work() as work:
            try:
                caller.require_role(Role.AUDITOR)
                agency_id = caller.require_agency()
            except YinxinError as error:
                refusal = self._event(caller, outcome=EventOutcome.REFUSED, reason=error.code)
                raise error.refused_as(refusal) from None
            page = search(
                work,
                EventQuery(
                    scope=EventScope.of_agency(agency_id),
                    subject=subject,
                    actor_id=actor_id,
                    act=act,
                    outcome=outcome,
                    since=since,
                    until=until,
                    after=after,
                    limit=limit,
                ),
            )
            work.record(self._event(caller))
        return page

    def _event(
        self, caller: Caller, *, outcome: EventOutcome = EventOutcome.DONE, reason: str | None = None
    ) -> Event:
        return Event(
            act=EVENTS_READ,
            actor=caller.actor(),
            subject=caller.agency_id or "events",
            agency=caller.agency_id,
            outcome=outcome,
            reason=reason,
        )
