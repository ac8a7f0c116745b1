"""Whoever calls a use case, as the services see them: who, from which agency, with which rights.

A caller is made only by authentication (`identity/authentication.py`) or by the worker for itself. Services
check it themselves; a route never decides.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from identity.ids import AgencyId, OrganisationId, PersonId, SessionId
from trust.kernel.errors import Forbidden, YinxinError
from trust.ledger.model import Actor, Event, EventOutcome


class CallerKind(StrEnum):
    """What kind of party calls."""

    STAFF = "staff"
    CITIZEN = "citizen"
    APPLICATION = "application"
    WORKER = "worker"
    ANYONE = "anyone"


class Role(StrEnum):
    """What a member of staff may do within the own agency. Administrators hold no seal role.

    A supervisor (电子监察) belongs to no agency, reads the events of all, and holds no other role anywhere.
    """

    PLATFORM_ADMINISTRATOR = "platform-administrator"
    AGENCY_ADMINISTRATOR = "agency-administrator"
    SEAL_OFFICER = "seal-officer"
    SEAL_APPROVER = "seal-approver"
    LICENCE_OFFICER = "licence-officer"
    ARCHIVIST = "archivist"
    ARCHIVE_APPROVER = "archive-approver"
    AUDITOR = "auditor"
    SUPERVISOR = "supervisor"


ADMINISTRATORS: Final = frozenset({Role.PLATFORM_ADMINISTRATOR, Role.AGENCY_ADMINISTRATOR})
# Whoever holds one of these belongs to no agency.
PLATFORM_ROLES: Final = frozenset({Role.PLATFORM_ADMINISTRATOR, Role.SUPERVISOR})
SEAL_ROLES: Final = frozenset({Role.SEAL_OFFICER, Role.SEAL_APPROVER})


class Scope(StrEnum):
    """What an application may do for its agency, one verb each."""

    SEAL_USE = "seal:use"
    CSC_SIGN = "csc:sign"
    LICENCE_ISSUE = "licence:issue"
    LICENCE_MANAGE = "licence:manage"
    PRESENTATION_REDEEM = "presentation:redeem"
    ARCHIVE_INGEST = "archive:ingest"
    ARCHIVE_REUSE = "archive:reuse"
    TIMESTAMP = "timestamp:request"


class RoleMissing(Forbidden):
    """The caller does not hold the role this act needs."""

    code = "role-missing"


class ScopeMissing(Forbidden):
    """The application's token does not carry the scope this act needs."""

    code = "scope-missing"


class KindRefused(Forbidden):
    """This act is not for callers of this kind."""

    code = "caller-kind-refused"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls.

    `account_id` is the staff, citizen or application account; `person_id` the natural person behind a staff
    or citizen account (two-person rules compare these); `agency_id` the agency whose rows the caller may
    see; `organisation_id` the legal person on whose behalf an agent acts; `session_id` the sign-in.
    """

    kind: CallerKind
    account_id: str
    person_id: PersonId | None = None
    agency_id: AgencyId | None = None
    organisation_id: OrganisationId | None = None
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    session_id: SessionId | None = field(default=None, compare=False)

    def actor(self) -> Actor:
        """The caller as the ledger names it."""
        return Actor(
            kind=self.kind.value,
            id=self.account_id,
            on_behalf_of=self.organisation_id,
            session=self.session_id,
        )

    def refusal(self, act: str, *, subject: str, error: YinxinError, agency: str | None = None) -> Event:
        """The event of an attempt of this caller that was refused, with the error's code as its reason.

        `agency` names whose auditors shall see it, where that is not the caller's own.
        """
        return Event(
            act=act,
            actor=self.actor(),
            subject=subject,
            agency=agency or self.agency_id,
            outcome=EventOutcome.REFUSED,
            reason=error.code,
        )

    def require_role(self, *any_of: Role) -> None:
        """Raises RoleMissing unless the caller is staff with one of these roles."""
        if self.kind is not CallerKind.STAFF or not self.roles.intersection(any_of):
            raise RoleMissing(f"this act needs the role {' or '.join(any_of)}")

    def require_scope(self, scope: Scope) -> None:
        """Raises ScopeMissing unless the caller is an application whose token carries the scope."""
        if self.kind is not CallerKind.APPLICATION or scope not in self.scopes:
            raise ScopeMissing(f"this act needs an application's token with the scope {scope}")

    def require_kind(self, *kinds: CallerKind) -> None:
        """Raises KindRefused unless the caller is of one of these kinds."""
        if self.kind not in kinds:
            raise KindRefused(f"this act is for: {', '.join(kinds)}")

    def require_agency(self) -> AgencyId:
        """The caller's agency; raises KindRefused where the caller has none."""
        if self.agency_id is None:
            raise KindRefused("this act needs a caller that belongs to an agency")
        return self.agency_id

    def require_person(self) -> PersonId:
        """The natural person behind the caller; raises KindRefused for applications."""
        if self.person_id is None:
            raise KindRefused("this act needs a person; an application cannot do it")
        return self.person_id


WORKER: Final = Caller(kind=CallerKind.WORKER, account_id="worker")
ANYONE: Final = Caller(kind=CallerKind.ANYONE, account_id="anyone")
