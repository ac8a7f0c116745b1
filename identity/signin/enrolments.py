"""One-time links by which invited people set up their accounts, so that no administrator learns a password."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from identity.accounts import caller_of
from identity.caller import WORKER, Caller, Role
from identity.errors import EnrolmentRefused, UsernameTaken
from identity.events import Act, done
from identity.ids import EnrolmentId, StaffId
from identity.model import STAFF_STATES, Credential, EveryAgency, StaffMember, StaffState
from identity.numbers import ResidentIdNumber
from identity.people import MAX_NAME_CHARACTERS, People
from identity.repository import PartyInserts, StaffRows
from identity.signin.passwords import Passwords, accepted_password, accepted_username
from identity.signin.repository import CredentialRows, Enrolment, EnrolmentRows
from identity.signin.tokens import TokenKind, is_token, new_token, token_digest
from trust.kernel.clock import Clock
from trust.kernel.errors import FieldError, InvalidInput
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.kernel.text import line
from trust.ledger.ledger import Ledger, RecordedWork
from trust.storage.database import Work

# Whether there is a platform administrator is decided by one transaction at a time.
_FIRST_ADMINISTRATOR: Final = "identity: the first platform administrator"


class FirstAdministratorUnnamed(InvalidInput):
    """The first platform administrator's link was used without the person's name and resident id number."""

    code = "first-administrator-unnamed"


@dataclass(frozen=True, kw_only=True)
class EnrolmentLink:
    """A link's token, shown once, and when it ends."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class NamedPerson:
    """A person as they name themselves."""

    name: str
    number: ResidentIdNumber


class Enrolments:
    """Issues and redeems one-time links."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        randomness: Randomness,
        passwords: Passwords,
        people: People,
        lifetime: timedelta,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._passwords = passwords
        self._people = people
        self._lifetime = lifetime

    def bootstrap(self) -> EnrolmentLink | None:
        """The link of the first platform administrator; None where there is one. An earlier link ends.

        For whoever starts the service on its own machine; never for a route.
        """
        with self._ledger.work() as work:
            work.advisory_lock(_FIRST_ADMINISTRATOR)
            if StaffRows(work).platform_administrator_exists():
                return None
            return self.issue(work, WORKER, None)

    def issue(self, work: RecordedWork, caller: Caller, member: StaffMember | None) -> EnrolmentLink:
        """A new link for an account (None: the first platform administrator's), in the caller's transaction."""
        now = self._clock.now()
        rows = EnrolmentRows(work)
        rows.end_for(member.id if member else None, now)
        enrolment = Enrolment(id=self._ids.new(EnrolmentId), staff_id=member.id if member else None)
        link = EnrolmentLink(
            token=new_token(TokenKind.ENROLMENT, self._randomness), expires_at=now + self._lifetime
        )
        rows.add(enrolment, token_digest=token_digest(link.token), issued_at=now, expires_at=link.expires_at)
        agency = member.agency_id if member else None
        content = {"for": member.id if member else "first-platform-administrator"}
        work.record(done(Act.ENROLMENT_ISSUED, caller, enrolment.id, agency=agency, content=content))
        return link

    def redeem(
        self, *, token: str, username: str, password: str, first: NamedPerson | None = None
    ) -> StaffMember:
        """Sets up the account of a link with a user name and password of the person's own choice.

        `first` names the person where the link is the first platform administrator's: two-person rules compare
        natural persons, the first one's too. Raises EnrolmentRefused, UsernameRefused, PasswordRefused,
        UsernameTaken and FirstAdministratorUnnamed; the link stays usable after all but the first.
        """
        username = accepted_username(username)
        password = accepted_password(password, username=username)
        if not is_token(TokenKind.ENROLMENT, token):
            raise EnrolmentRefused
        # A stranger's guess must not cost a hash.
        with self._ledger.work() as work:
            if not EnrolmentRows(work).is_open(token_digest(token), self._clock.now()):
                raise EnrolmentRefused
        password_hash = self._passwords.hash(password)

        now = self._clock.now()
        with self._ledger.work() as work:
            enrolment = EnrolmentRows(work).take(token_digest(token), now)
            if enrolment is None:
                raise EnrolmentRefused
            member = self._member(work, enrolment, first)
            credential = Credential(account_id=member.id, password_hash=password_hash)
            if not CredentialRows(work).add(credential, username=username, at=now):
                raise UsernameTaken("this user name is taken; choose another")
            caller = caller_of(work, member.id, None, at=now)
            if caller is None:
                raise EnrolmentRefused
            work.record(done(Act.ENROLMENT_REDEEMED, caller, enrolment.id))
        return member

    def _member(self, work: Work, enrolment: Enrolment, first: NamedPerson | None) -> StaffMember:
        if enrolment.staff_id is None:
            return self._first_administrator(work, first)
        member = StaffRows(work).find(StaffId(enrolment.staff_id), EveryAgency.EVERY, lock=True)
        if member is None or not STAFF_STATES.allows(member.state, StaffState.ACTIVE):
            raise EnrolmentRefused
        PartyInserts(work).staff_state(member, StaffState.ACTIVE, at=self._clock.now())
        return member

    def _first_administrator(self, work: Work, first: NamedPerson | None) -> StaffMember:
        work.advisory_lock(_FIRST_ADMINISTRATOR)
        if StaffRows(work).platform_administrator_exists():
            raise EnrolmentRefused
        if first is None:
            raise FirstAdministratorUnnamed(
                "the first platform administrator's link needs the person's name and resident id number",
                errors=[
                    FieldError(pointer="/name", detail="the person's name"),
                    FieldError(pointer="/resident_id_number", detail="the person's resident id number"),
                ],
            )
        member = StaffMember(
            id=self._ids.new(StaffId),
            agency_id=None,
            person_id=self._people.known_by(work, first.number),
            name=line(first.name, what="the name", limit=MAX_NAME_CHARACTERS),
            roles=frozenset({Role.PLATFORM_ADMINISTRATOR}),
            state=StaffState.ACTIVE,
            invited_at=self._clock.now(),
        )
        PartyInserts(work).staff(member, by=WORKER.account_id)
        return member
