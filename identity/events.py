"""The acts of identity as the ledger names them, and how a refused attempt is kept.

Everything of an event but its content is public: opaque ids and codes only. The content holds no name, no
number and no user name either, so that erasing a person never has to reach into identity's events.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from identity.caller import Caller
from trust.kernel.errors import Forbidden, YinxinError
from trust.ledger.model import Event, EventOutcome


class Act(StrEnum):
    """What identity records."""

    ENROLMENT_ISSUED = "enrolment.issued"
    ENROLMENT_REDEEMED = "enrolment.redeemed"
    AGENCY_CREATED = "agency.created"
    AGENCY_REFUSED = "agency.refused"
    SERVICE_ITEM_ADDED = "service-item.added"
    SERVICE_ITEM_REFUSED = "service-item.refused"
    STAFF_INVITED = "staff.invited"
    STAFF_DEACTIVATED = "staff.deactivated"
    STAFF_REFUSED = "staff.refused"
    CITIZEN_REGISTERED = "citizen.registered"
    ORGANISATION_REGISTERED = "organisation.registered"
    ORGANISATION_REFUSED = "organisation.refused"
    AGENT_AUTHORISED = "agent.authorised"
    AGENT_WITHDRAWN = "agent.withdrawn"
    AGENT_REFUSED = "agent.refused"
    APPLICATION_REGISTERED = "application.registered"
    APPLICATION_REVOKED = "application.revoked"
    APPLICATION_REFUSED = "application.refused"
    SESSION_OPENED = "session.opened"
    SESSION_CLOSED = "session.closed"
    SESSION_REFUSED = "session.refused"
    TOKEN_GRANTED = "token.granted"  # noqa: S105 -- the name of an act, no token
    TOKEN_REFUSED = "token.refused"  # noqa: S105 -- the name of an act, no token
    CERTIFICATE_REQUESTED = "party-certificate.requested"
    CERTIFICATE_ISSUED = "party-certificate.issued"
    CERTIFICATE_SUSPENDED = "party-certificate.suspended"
    CERTIFICATE_RELEASED = "party-certificate.released"
    CERTIFICATE_REVOKED = "party-certificate.revoked"
    CERTIFICATE_REFUSED = "party-certificate.refused"


ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Act.ENROLMENT_ISSUED: "A one-time link was issued by which a person sets up an account.",
        Act.ENROLMENT_REDEEMED: "A one-time link was used and the account set up.",
        Act.AGENCY_CREATED: "An agency was created.",
        Act.AGENCY_REFUSED: "Creating an agency was refused.",
        Act.SERVICE_ITEM_ADDED: "A service item was added to an agency.",
        Act.SERVICE_ITEM_REFUSED: "Adding a service item was refused.",
        Act.STAFF_INVITED: "A person was invited to an agency's staff, with roles.",
        Act.STAFF_DEACTIVATED: "A member of staff's account was ended.",
        Act.STAFF_REFUSED: "Inviting or deactivating staff was refused.",
        Act.CITIZEN_REGISTERED: "A citizen registered an account.",
        Act.ORGANISATION_REGISTERED: "An organisation was registered by its first agent.",
        Act.ORGANISATION_REFUSED: "Registering an organisation was refused.",
        Act.AGENT_AUTHORISED: "A citizen was authorised to act for an organisation.",
        Act.AGENT_WITHDRAWN: "An agent's authorisation was withdrawn.",
        Act.AGENT_REFUSED: "Authorising or withdrawing an agent was refused.",
        Act.APPLICATION_REGISTERED: "An application was registered with its key and scopes.",
        Act.APPLICATION_REVOKED: "An application was revoked.",
        Act.APPLICATION_REFUSED: "Registering or revoking an application was refused.",
        Act.SESSION_OPENED: "A person signed in.",
        Act.SESSION_CLOSED: "A person signed out.",
        Act.SESSION_REFUSED: "A sign-in was refused.",
        Act.TOKEN_GRANTED: "An application was given an access token.",
        Act.TOKEN_REFUSED: "An access token was refused to a known application.",
        Act.CERTIFICATE_REQUESTED: "A party asked for a certificate for a key of its own.",
        Act.CERTIFICATE_ISSUED: "A certificate was issued to a party.",
        Act.CERTIFICATE_SUSPENDED: "A party's certificate was put on hold.",
        Act.CERTIFICATE_RELEASED: "A party's certificate was released from hold.",
        Act.CERTIFICATE_REVOKED: "A party's certificate was revoked.",
        Act.CERTIFICATE_REFUSED: "Issuing, holding, releasing or revoking a certificate was refused.",
    }
)


def done(
    act: Act,
    caller: Caller,
    subject: str,
    *,
    agency: str | None = None,
    content: Mapping[str, Any] | None = None,
) -> Event:
    """The event of an act that was done; `agency` is whose auditors see it, by default the caller's."""
    return Event(
        act=act.value,
        actor=caller.actor(),
        subject=subject,
        agency=agency or caller.agency_id,
        content=content or {},
    )


def refused(
    act: Act,
    caller: Caller,
    subject: str,
    error: YinxinError,
    *,
    agency: str | None = None,
    attempted: Act | None = None,
) -> Event:
    """The event of an attempt that was refused, with the error's code as its reason."""
    return Event(
        act=act.value,
        actor=caller.actor(),
        subject=subject,
        agency=agency or caller.agency_id,
        outcome=EventOutcome.REFUSED,
        reason=error.code,
        content={"attempted": attempted.value} if attempted else {},
    )


@contextmanager
def refusals_kept(act: Act, caller: Caller, subject: str, *, attempted: Act) -> Iterator[None]:
    """Whatever authorisation refuses in this block leaves it carrying the event that says so."""
    try:
        yield
    except Forbidden as error:
        raise error.refused_as(refused(act, caller, subject, error, attempted=attempted)) from None
