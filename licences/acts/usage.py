"""The usage log: every attempt at a holder's licences, names of fields only, to read and to take away."""

from typing import Final

from identity.caller import Caller
from identity.model import Page, PageRequest
from identity.paging import checked
from licences import events
from licences.access import Sight
from licences.ids import UsageEntryId
from licences.presentations.model import UsageEntry
from licences.presentations.repository import UsageRows
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event

# What one export holds; a log this long is read in pages.
MAX_EXPORTED: Final = 10_000


class UsageLog:
    """For holders alone: KindRefused for everybody else."""

    def __init__(self, *, ledger: Ledger, sight: Sight) -> None:
        self._ledger = ledger
        self._sight = sight

    def page(
        self, caller: Caller, request: PageRequest, *, licence_id: str | None = None
    ) -> Page[UsageEntry]:
        """The holder's entries, newest first; of one licence where it is named. Raises CursorRefused."""
        request = checked(request, UsageEntryId)
        scope = self._sight.of_holder(caller)
        with self._ledger.read() as work:
            rows = UsageRows(work).page(
                scope=scope, licence_id=licence_id, after=request.after, limit=request.limit + 1
            )
        return Page.of(rows, request.limit, lambda entry: entry.entry_id)

    def export(self, caller: Caller) -> tuple[UsageEntry, ...]:
        """The newest `MAX_EXPORTED` entries in one go."""
        scope = self._sight.of_holder(caller)
        with self._ledger.read() as work:
            entries = UsageRows(work).page(scope=scope, licence_id=None, after=None, limit=MAX_EXPORTED)
        with self._ledger.work() as work:
            work.record(
                Event(
                    act=events.USAGE_EXPORTED,
                    actor=caller.actor(),
                    subject=caller.account_id,
                    agency=None,
                    content={"entries": len(entries)},
                )
            )
        return entries
