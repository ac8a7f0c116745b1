"""Who may: a refusal for want of a role is an event too."""

from typing import TypeVar

from identity.caller import Caller, Role
from trust.kernel.errors import YinxinError
from trust.ledger.ledger import Ledger

ErrorT = TypeVar("ErrorT", bound=YinxinError)

# Subjects from outside are kept only as far as an id can be long.
_MAX_SUBJECT_CHARACTERS = 64


def refused(error: ErrorT, caller: Caller, *, act: str, subject: str) -> ErrorT:
    """The error with the event that says so, to be raised inside a unit of work."""
    named = subject if subject.isprintable() and subject else "unknown"
    error.refused_as(caller.refusal(act, subject=named[:_MAX_SUBJECT_CHARACTERS], error=error))
    return error


def role_required(caller: Caller, *any_of: Role, act: str, ledger: Ledger, subject: str = "seals") -> None:
    """Raises RoleMissing with its event kept."""
    try:
        caller.require_role(*any_of)
        caller.require_agency()
    except YinxinError as error:
        with ledger.work():
            raise refused(error, caller, act=act, subject=subject) from None
