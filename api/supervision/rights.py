"""Who may look at whose events: an agency's auditors at their own, supervisors at everybody's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from identity.caller import Caller, KindRefused, Role
from trust.kernel.errors import Conflict, Forbidden, NotFound
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.search import EventScope


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a caller sees: the scope of their rights, and the agency they narrow it to (None: all of it)."""

    scope: EventScope
    agency: str | None

    @property
    def narrowed(self) -> EventScope:
        """The scope of what is asked for."""
        return self.scope if self.agency is None else EventScope.of_agency(self.agency)


def sight_of(caller: Caller, agency_id: str | None = None) -> Sight:
    """Raises RoleMissing, and KindRefused where an auditor names another agency."""
    caller.require_role(Role.AUDITOR, Role.SUPERVISOR)
    if Role.SUPERVISOR in caller.roles:
        return Sight(scope=EventScope.everything(), agency=agency_id)
    own = caller.require_agency()
    if agency_id is not None and agency_id != own:
        raise KindRefused("an auditor looks at the events of the own agency only")
    return Sight(scope=EventScope.of_agency(own), agency=own)


@contextmanager
def supervised(ledger: Ledger, act: str, caller: Caller, subject: str) -> Iterator[RecordedWork]:
    """A unit of work in which somebody looks at others; where that is refused, the refusal is kept."""
    with ledger.work() as work:
        try:
            yield work
        except (Forbidden, NotFound, Conflict) as error:
            raise error.refused_as(caller.refusal(act, subject=subject, error=error)) from None
