"""A licence is suspended, reinstated or cancelled; its public status follows at once."""

from typing import Final

from identity.caller import Caller, Scope
from licences import events
from licences.access import require_issuer
from licences.errors import LicenceNotReady
from licences.model import AgencyRows, Licence, LicenceState
from licences.reading import LicenceReader
from licences.repository import LicenceRows
from licences.status.lists import VALUE_OF_STATE
from licences.status.repository import StatusRows
from trust.kernel.clock import Clock
from trust.kernel.text import line
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event

MAX_REASON: Final = 300

_ACT_OF_STATE: Final = {
    LicenceState.SUSPENDED: events.LICENCE_SUSPENDED,
    LicenceState.VALID: events.LICENCE_REINSTATED,
    LicenceState.CANCELLED: events.LICENCE_CANCELLED,
}


class LicenceStanding:
    """Changes whether a licence holds: `licence:manage` or a licence officer of the agency that issued it.

    Each act takes a reason (a line of text, kept in the ledger as erasable content) and raises LicenceUnknown,
    StateRefused where the licence's state does not allow it, and for the wrong caller ScopeMissing,
    RoleMissing or KindRefused.
    """

    def __init__(self, *, ledger: Ledger, reader: LicenceReader, clock: Clock) -> None:
        self._ledger = ledger
        self._reader = reader
        self._clock = clock

    def suspend(self, licence_id: str, caller: Caller, *, reason: str) -> Licence:
        """A valid licence does not hold until it is reinstated."""
        return self._move(licence_id, caller, LicenceState.SUSPENDED, reason)

    def reinstate(self, licence_id: str, caller: Caller, *, reason: str) -> Licence:
        """A suspended licence holds again."""
        return self._move(licence_id, caller, LicenceState.VALID, reason)

    def cancel(self, licence_id: str, caller: Caller, *, reason: str) -> Licence:
        """A valid or suspended licence never holds again (注销)."""
        return self._move(licence_id, caller, LicenceState.CANCELLED, reason)

    def _move(self, licence_id: str, caller: Caller, state: LicenceState, reason: str) -> Licence:
        act = _ACT_OF_STATE[state]
        with events.refusals_kept(self._ledger, act, caller, subject=licence_id):
            agency_id = require_issuer(caller, Scope.LICENCE_MANAGE)
            reason = line(reason, what="the reason", limit=MAX_REASON)
            scope = AgencyRows(agency_id=agency_id)
            with self._ledger.work() as work:
                # 1. Nobody else acts on this licence meanwhile.
                rows, now = LicenceRows(work), self._clock.now()
                rows.lock(licence_id)
                version = rows.current(licence_id, scope=scope)

                # 2. The step must be one that the table has; from `issuing` only the procedure leads on.
                if version.stored_state is LicenceState.ISSUING:
                    raise LicenceNotReady("the licence is still being issued")
                rows.move(version, state, actor=caller.actor(), at=now)

                # 3. The list's next token says so.
                StatusRows(work).change(
                    version.status_list_id, version.status_index, VALUE_OF_STATE[state], at=now
                )
                work.record(
                    Event(
                        act=act,
                        actor=caller.actor(),
                        subject=licence_id,
                        agency=agency_id,
                        content={"version": version.version_id, "reason": reason},
                    )
                )
        return self._reader.current(licence_id, scope=scope)
