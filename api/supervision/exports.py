"""Asking for an export of events as a signed file, following it, and fetching it."""

from datetime import datetime
from typing import Any, Final

from api.supervision.events import EVENTS_EXPORTED, EXPORT_READ, supervision_done
from api.supervision.reading import Wanted
from api.supervision.rights import Sight, sight_of, supervised
from identity.caller import Caller
from trust.kernel.clock import Clock, parse_rfc3339
from trust.kernel.errors import Conflict
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import EventOutcome
from trust.ledger.search import EventQuery, EventScope
from trust.ledger.supervision.exports import Export, ExportId, Exports, ask, erased_since_asked
from trust.storage.objects.port import ObjectStore

_ALL: Final = "events"


class ExportNotReady(Conflict):
    """The export is still being made, or could not be made; the operation says which."""

    code = "event-export-not-ready"


class ExportOutdated(Conflict):
    """Content that the file holds was erased since it was asked for, and the file with it; ask for it anew."""

    code = "event-export-outdated"


class EventExports:
    """Exports, for auditors of their agency's events and for supervisors of all."""

    def __init__(self, *, ledger: Ledger, objects: ObjectStore, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._objects = objects
        self._clock = clock
        self._ids = ids

    def ask(self, caller: Caller, wanted: Wanted) -> Export:
        """Asks for an export, which a worker makes; that it was asked for is an event.

        Raises RoleMissing, KindRefused, EventQueryRefused.
        """
        with supervised(self._ledger, EVENTS_EXPORTED, caller, caller.agency_id or _ALL) as work:
            sight = sight_of(caller, wanted.agency_id)
            return self._ask(work, caller, wanted, sight)

    def ask_on_host(self, host: Caller, wanted: Wanted) -> Export:
        """The same for whoever runs commands on the service's own machine; never for a route."""
        with self._ledger.work() as work:
            sight = Sight(scope=EventScope.everything(), agency=wanted.agency_id)
            return self._ask(work, host, wanted, sight)

    def _ask(self, work: RecordedWork, caller: Caller, wanted: Wanted, sight: Sight) -> Export:
        wanted.query(sight.narrowed)  # refused here, not by the worker
        export_id, now = self._ids.new(ExportId), self._clock.now()
        asked = {name: value for name, value in wanted.said().items() if name != "agency_id"}
        receipt = work.record(
            supervision_done(
                EVENTS_EXPORTED, caller, export_id, agency=sight.agency, content={"asked": asked}
            )
        )
        export = Export(
            id=export_id,
            agency=sight.agency,
            by_account=caller.account_id,
            by_kind=caller.kind.value,
            query=asked,
            event_id=receipt.event_id,
            at=now,
            done=0,
            total=0,
            outcome=None,
        )
        ask(work, export, lease_until=now)
        return export

    def standing_on_host(self, host: Caller, export_id: ExportId) -> Export:
        """How far an export of the host's has come."""
        with self._ledger.read() as work:
            return Exports(work).get(export_id, scope=EventScope.everything(), by_account=host.account_id)

    def file_on_host(self, host: Caller, export: Export) -> bytes:
        """Its signed file; raises ExportNotReady, ExportOutdated."""
        with self._ledger.work() as work:
            return self._file(work, host, export)

    def get(self, caller: Caller, export_id: ExportId) -> Export:
        """How far one's own export has come; raises RoleMissing, ExportUnknown."""
        with supervised(self._ledger, EXPORT_READ, caller, export_id) as work:
            return Exports(work).get(export_id, scope=sight_of(caller).scope, by_account=caller.account_id)

    def file(self, caller: Caller, export_id: ExportId) -> bytes:
        """The signed file; fetching it is an event.

        Raises RoleMissing, ExportUnknown, and ExportNotReady or ExportOutdated.
        """
        with supervised(self._ledger, EXPORT_READ, caller, export_id) as work:
            scope = sight_of(caller).scope
            export = Exports(work).get(export_id, scope=scope, by_account=caller.account_id)
            return self._file(work, caller, export)

    def _file(self, work: RecordedWork, caller: Caller, export: Export) -> bytes:
        outcome = export.outcome
        if outcome is None or outcome.object_key is None:
            raise ExportNotReady("the export has no file (yet)")
        # What was erased is not to live on in files made before.
        if erased_since_asked(work, export, query_of(export)):
            self._objects.delete(outcome.object_key, outcome.object_version or "")
            raise ExportOutdated("content it holds was erased since, so its file is gone; ask for it anew")
        octets = self._objects.get(outcome.object_key, outcome.object_version)
        work.record(supervision_done(EXPORT_READ, caller, export.id, agency=export.agency))
        return octets


def query_of(export: Export) -> EventQuery:
    """The query of an export as its row keeps it."""
    given: dict[str, Any] = dict(export.query)
    for name in ("since", "until"):
        if name in given:
            given[name] = _moment(given[name])
    if "outcome" in given:
        given["outcome"] = EventOutcome(given["outcome"])
    scope = EventScope.everything() if export.agency is None else EventScope.of_agency(export.agency)
    return Wanted(**given).query(scope)


def _moment(text: str) -> datetime:
    return parse_rfc3339(text)
