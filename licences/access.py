"""Who may act on licences, and which of them a caller may see."""

from identity.caller import Caller, CallerKind, Role, Scope
from identity.ids import AgencyId
from licences.model import AgencyRows, HolderRows, LicenceScope
from licences.ports import Holders
from licences.protection import ContentCipher

# Reading what one's own agency issued goes with every right to act on it, and with looking into it.
READING_ROLES = (Role.LICENCE_OFFICER, Role.AUDITOR)
READING_SCOPES = (Scope.LICENCE_ISSUE, Scope.LICENCE_MANAGE)


def require_issuer(caller: Caller, scope: Scope) -> AgencyId:
    """The agency for which a licence officer, or an application with this scope, acts.

    Raises RoleMissing, ScopeMissing or KindRefused.
    """
    caller.require_kind(CallerKind.STAFF, CallerKind.APPLICATION)
    if caller.kind is CallerKind.STAFF:
        caller.require_role(Role.LICENCE_OFFICER)
    else:
        caller.require_scope(scope)
    return caller.require_agency()


def require_issuing_application(caller: Caller, scope: Scope) -> AgencyId:
    """The agency for which an application issues: what is issued is sealed by that application's authorisation.

    A person holds no authorisation to use a seal, so nobody issues by hand. Raises ScopeMissing or KindRefused.
    """
    caller.require_scope(scope)
    return caller.require_agency()


class Sight:
    """Which licences a caller may read: an agency those it issued, a holder the own ones."""

    def __init__(self, *, holders: Holders, cipher: ContentCipher) -> None:
        self._holders = holders
        self._cipher = cipher

    def of(self, caller: Caller) -> LicenceScope:
        """Raises RoleMissing, ScopeMissing or KindRefused for callers who may read none."""
        caller.require_kind(CallerKind.CITIZEN, CallerKind.STAFF, CallerKind.APPLICATION)
        if caller.kind is CallerKind.CITIZEN:
            return self.of_holder(caller)
        if caller.kind is CallerKind.STAFF:
            caller.require_role(*READING_ROLES)
        elif not caller.scopes.intersection(READING_SCOPES):
            caller.require_scope(Scope.LICENCE_MANAGE)
        return AgencyRows(agency_id=caller.require_agency())

    def of_holder(self, caller: Caller) -> HolderRows:
        """The rows of the citizen, or of the organisation the caller acts for; raises KindRefused for others."""
        caller.require_kind(CallerKind.CITIZEN)
        number = self._holders.number_of(caller)
        return HolderRows(holder_index=self._cipher.holder_index(number.kind, number.code))
