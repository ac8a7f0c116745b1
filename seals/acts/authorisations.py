"""Authorising an application to use a seal (用印授权), and withdrawing it."""

from datetime import datetime
from typing import Final

from identity.caller import Caller, Role
from seals.acts.rights import role_required
from seals.errors import SealNotUsable
from seals.events import AUTHORISATION_GRANTED, AUTHORISATION_WITHDRAWN
from seals.ids import SealAuthorisationId
from seals.model import SealAuthorisation, SealAuthorisationState, SealState
from seals.ports import AgencyDirectory
from seals.repository import SealAuthorisations, Seals
from trust.kernel.clock import Clock, rfc3339
from trust.kernel.errors import Conflict, InvalidInput
from trust.kernel.ids import Ids
from trust.kernel.text import paragraph
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event

# More uses than a busy counter makes in years; a larger number is a slip of the pen.
MAX_USES: Final = 10_000_000


class AuthorisationInvalid(InvalidInput):
    """The application, item, period or number of uses of an authorisation is not one."""

    code = "seal-authorisation-invalid"


class AuthorisationWithdrawn(Conflict):
    """The authorisation was withdrawn already."""

    code = "seal-authorisation-withdrawn"


class SealAuthorisationActs:
    """Granting and withdrawing, by a seal approver of the seal's agency."""

    def __init__(self, *, ledger: Ledger, agencies: AgencyDirectory, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._agencies = agencies
        self._clock = clock
        self._ids = ids

    def grant(
        self,
        caller: Caller,
        seal_id: str,
        *,
        application_id: str,
        item_code: str,
        valid_from: datetime,
        valid_until: datetime,
        uses_allowed: int,
        allows_digests: bool = False,
    ) -> SealAuthorisation:
        """Raises RoleMissing, SealUnknown, SealNotUsable, AuthorisationInvalid.

        With `allows_digests` the application may have digests signed that nobody here knows the document of.
        """
        role_required(
            caller, Role.SEAL_APPROVER, act=AUTHORISATION_GRANTED, ledger=self._ledger, subject=seal_id
        )
        agency_id = caller.require_agency()
        if not self._agencies.has_application(agency_id, application_id):
            raise AuthorisationInvalid("there is no such application in this agency")
        if not self._agencies.has_item(agency_id, item_code):
            raise AuthorisationInvalid("there is no such service item in this agency")
        if not valid_from < valid_until:
            raise AuthorisationInvalid("an authorisation ends after it begins")
        if not 1 <= uses_allowed <= MAX_USES:
            raise AuthorisationInvalid(f"the number of uses is from 1 to {MAX_USES}")
        with self._ledger.work() as work:
            seal = Seals(work).get(seal_id, agency_id=agency_id, lock=True)
            if seal.state is not SealState.ACTIVE:
                raise SealNotUsable(f"the seal is {seal.state}; only an active one can be authorised")
            granted = SealAuthorisation(
                id=self._ids.new(SealAuthorisationId),
                agency_id=agency_id,
                seal_id=seal.id,
                application_id=application_id,
                item_code=item_code,
                valid_from=valid_from,
                valid_until=valid_until,
                uses_allowed=uses_allowed,
                uses_taken=0,
                allows_digests=allows_digests,
                state=SealAuthorisationState.GRANTED,
                granted_by=caller.require_person(),
                granted_at=self._clock.now(),
            )
            SealAuthorisations(work).add(granted)
            work.record(
                Event(
                    act=AUTHORISATION_GRANTED,
                    actor=caller.actor(),
                    subject=granted.id,
                    agency=agency_id,
                    content={
                        "seal": seal.id,
                        "application": application_id,
                        "item_code": item_code,
                        "valid_from": rfc3339(valid_from),
                        "valid_until": rfc3339(valid_until),
                        "uses_allowed": uses_allowed,
                        "allows_digests": allows_digests,
                    },
                )
            )
        return granted

    def withdraw(self, caller: Caller, authorisation_id: str, *, reason: str) -> SealAuthorisation:
        """Takes hold at the next use. Raises RoleMissing, SealAuthorisationUnknown, AuthorisationWithdrawn."""
        role_required(
            caller,
            Role.SEAL_APPROVER,
            Role.SEAL_OFFICER,
            act=AUTHORISATION_WITHDRAWN,
            ledger=self._ledger,
            subject=authorisation_id,
        )
        agency_id = caller.require_agency()
        with self._ledger.work() as work:
            authorisations = SealAuthorisations(work)
            standing = authorisations.get(authorisation_id, agency_id=agency_id, lock=True)
            if standing.state is SealAuthorisationState.WITHDRAWN:
                raise AuthorisationWithdrawn("this authorisation was withdrawn already")
            authorisations.withdraw(standing.id)
            work.record(
                Event(
                    act=AUTHORISATION_WITHDRAWN,
                    actor=caller.actor(),
                    subject=standing.id,
                    agency=agency_id,
                    content={"reason": paragraph(reason, what="the reason")},
                )
            )
            return authorisations.get(authorisation_id, agency_id=agency_id)
