"""Searching events, replaying a case; that somebody did so is an event of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.supervision.events import CASE_REPLAYED, EVENTS_READ, supervision_done
from api.supervision.rights import sight_of, supervised
from identity.caller import Caller
from trust.kernel.clock import rfc3339
from trust.ledger.ledger import Ledger
from trust.ledger.model import EventId, EventOutcome
from trust.ledger.search import DEFAULT_PAGE, EventPage, EventQuery, EventScope, search
from trust.ledger.supervision.replay import Replay, ReplayWords, replay, require_about

# How the domains' ids hang together. A licence or a record of this case leads on; one of another case, presented or
# reused here, is only named: its other uses are none of this case's business.
WORDS: Final = ReplayWords(
    along=frozenset({"sealuse", "pres", "redemption", "retrieval", "reuse"}),
    own=frozenset({"lic", "rec"}),
    looked_up=frozenset({"session", "sealauth"}),
)
# What a search without an agency is about.
_ALL: Final = "events"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to look for, as anybody may ask it; whose events it is among is for the rights to say."""

    agency_id: str | None = None
    subject: str | None = None
    actor_id: str | None = None
    on_behalf_of: str | None = None
    act: str | None = None
    outcome: EventOutcome | None = None
    reason: str | None = None
    case_number: str | None = None
    mentions: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def query(self, scope: EventScope, **page: Any) -> EventQuery:
        """The query within a scope."""
        named = {name: value for name, value in vars(self).items() if name != "agency_id"}
        return EventQuery(scope=scope, **named, **page)

    def said(self) -> Mapping[str, Any]:
        """As JSON values, without what was not asked."""
        values = {name: _text(value) for name, value in vars(self).items()}
        return {name: value for name, value in values.items() if value is not None}


class EventReading:
    """Searches events and replays cases, for auditors and supervisors."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    def search(
        self,
        caller: Caller,
        wanted: Wanted,
        *,
        after: EventId | None = None,
        before: EventId | None = None,
        limit: int = DEFAULT_PAGE,
    ) -> EventPage:
        """One page, newest first; the search itself is an event. Raises RoleMissing, KindRefused."""
        with supervised(self._ledger, EVENTS_READ, caller, caller.agency_id or _ALL) as work:
            sight = sight_of(caller, wanted.agency_id)
            query = wanted.query(sight.narrowed, after=after, before=before, limit=limit)
            page = search(work, query)
            work.record(
                supervision_done(
                    EVENTS_READ,
                    caller,
                    sight.agency or _ALL,
                    agency=sight.agency,
                    content={"asked": wanted.said()},
                )
            )
        return page

    def replay(self, caller: Caller, about: str, *, agency_id: str | None = None) -> Replay:
        """The story of a case number or an id, as far as the caller may see it; looking at it is an event.

        `agency_id` says whose number it is, for a supervisor. Raises RoleMissing, KindRefused, EventQueryRefused.
        """
        about = require_about(about)
        with supervised(self._ledger, CASE_REPLAYED, caller, caller.agency_id or _ALL) as work:
            sight = sight_of(caller, agency_id)
            told = replay(work, about, words=WORDS, scope=sight.scope, agency=sight.agency)
            work.record(
                supervision_done(
                    CASE_REPLAYED,
                    caller,
                    sight.agency or _ALL,
                    agency=sight.agency,
                    content={"about": about, "events": len(told.steps)},
                )
            )
        return told


def _text(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value
