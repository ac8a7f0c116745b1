"""From a bearer token to the caller, looked up anew at every request: whatever is revoked holds at the next."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from identity.accounts import caller_of
from identity.caller import Caller, CallerKind
from identity.errors import TokenRefused
from identity.ids import ApplicationId, CitizenId, OrganisationId, StaffId
from identity.model import EveryAgency, Me
from identity.people import People
from identity.repository import AgencyRows, ApplicationRows, CitizenRows, OrganisationRows, StaffRows
from identity.signin.repository import AccessTokenRows, SessionRows
from identity.signin.sessions import SessionLimits
from identity.signin.tokens import TokenKind, is_token, token_digest
from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger
from trust.storage.database import Work

# The idle limit needs no finer measure, and a page's many requests then write one row, once.
_SEEN_EVERY: Final = timedelta(minutes=1)


class Authentication:
    """Turns tokens into callers, and tells callers who they are."""

    def __init__(self, *, ledger: Ledger, clock: Clock, people: People, limits: SessionLimits) -> None:
        self._ledger = ledger
        self._clock = clock
        self._people = people
        self._limits = limits

    def authenticate(self, token: str) -> Caller:
        """The caller of a session's or application's token; raises TokenRefused, for every reason the same."""
        now = self._clock.now()
        caller = None
        with self._ledger.work() as work:
            if is_token(TokenKind.SESSION, token):
                caller = self._person(work, token, now)
            elif is_token(TokenKind.ACCESS, token):
                caller = _application(work, token, now)
        if caller is None:
            raise TokenRefused
        return caller

    def about(self, caller: Caller) -> Me:
        """What the caller is told about themselves; the number masked, and to the person alone."""
        with self._ledger.work() as work:
            name, masked, level = "", None, None
            if caller.kind is CallerKind.STAFF:
                member = StaffRows(work).find(StaffId(caller.account_id), EveryAgency.EVERY)
                name = member.name if member else name
                masked = self._people.number(work, caller.require_person()).masked
            elif caller.kind is CallerKind.CITIZEN:
                citizen = CitizenRows(work).find(CitizenId(caller.account_id))
                if citizen is not None:
                    name, masked, level = citizen.name, citizen.masked_number, citizen.assurance_level
            elif caller.kind is CallerKind.APPLICATION:
                application = ApplicationRows(work).find(
                    ApplicationId(caller.account_id), caller.require_agency()
                )
                name = application.name if application else name
            agency = AgencyRows(work).find(caller.agency_id, caller.agency_id) if caller.agency_id else None
            organisation = (
                OrganisationRows(work).find(OrganisationId(caller.organisation_id))
                if caller.organisation_id
                else None
            )
        return Me(
            kind=caller.kind.value,
            account_id=caller.account_id,
            name=name,
            person_id=caller.person_id,
            masked_number=masked,
            assurance_level=level,
            agency=agency,
            organisation=organisation,
            roles=caller.roles,
            scopes=caller.scopes,
        )

    def _person(self, work: Work, token: str, now: datetime) -> Caller | None:
        rows = SessionRows(work)
        session = rows.find(token_digest(token))
        if session is None or now >= session.expires_at or now - session.last_seen_at > self._limits.idle:
            return None
        if now - session.last_seen_at > _SEEN_EVERY:
            rows.seen(session.id, now)
        caller = caller_of(work, session.account_id, session.organisation_id, at=now)
        return None if caller is None else replace(caller, session_id=session.id)


def _application(work: Work, token: str, now: datetime) -> Caller | None:
    found = AccessTokenRows(work).find(token_digest(token), now)
    if found is None:
        return None
    application_id, scopes = found
    application = ApplicationRows(work).find(application_id, EveryAgency.EVERY)
    if application is None or application.revoked_at is not None:
        return None
    return Caller(
        kind=CallerKind.APPLICATION,
        account_id=application.id,
        agency_id=application.agency_id,
        scopes=scopes & application.scopes,
    )
