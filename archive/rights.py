"""Who may: a refusal for want of a role or scope is an event too."""

from typing import Final, TypeVar

from identity.caller import Caller, Role, Scope
from identity.ids import AgencyId
from trust.kernel.errors import YinxinError
from trust.ledger.ledger import Ledger

ErrorT = TypeVar("ErrorT", bound=YinxinError)

# Looking a record up; reading what is in it needs an approved request besides.
READERS: Final = (Role.ARCHIVIST, Role.ARCHIVE_APPROVER, Role.AUDITOR)
# Subjects from outside are kept only as far as an id can be long.
_MAX_SUBJECT_CHARACTERS: Final = 64


def refused(error: ErrorT, caller: Caller, *, act: str, subject: str, agency_id: str | None = None) -> ErrorT:
    """The error with the event that says so, to be raised inside a unit of work.

    `agency_id` names whose auditors shall see it, where that is not the caller's own agency.
    """
    named = subject if subject.isprintable() and subject else "unknown"
    named = named[:_MAX_SUBJECT_CHARACTERS]
    error.refused_as(caller.refusal(act, subject=named, error=error, agency=agency_id))
    return error


def role_required(
    caller: Caller, *any_of: Role, act: str, ledger: Ledger, subject: str = "archive"
) -> AgencyId:
    """The agency for which this member of staff acts; raises RoleMissing with its event kept."""
    try:
        caller.require_role(*any_of)
        return caller.require_agency()
    except YinxinError as error:
        with ledger.work():
            raise refused(error, caller, act=act, subject=subject) from None


def scope_required(
    caller: Caller, scope: Scope, *, act: str, ledger: Ledger, subject: str = "archive"
) -> AgencyId:
    """The agency for which this application acts; raises ScopeMissing with its event kept."""
    try:
        caller.require_scope(scope)
        return caller.require_agency()
    except YinxinError as error:
        with ledger.work():
            raise refused(error, caller, act=act, subject=subject) from None
