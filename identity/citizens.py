"""Citizens register themselves (assurance level 2: name and number as given, the number's form checked)."""

from identity.caller import ANYONE
from identity.errors import CitizenExists, UsernameTaken
from identity.events import Act, done
from identity.ids import CitizenId
from identity.model import AssuranceLevel, Citizen, Credential
from identity.numbers import ResidentIdNumber
from identity.people import MAX_NAME_CHARACTERS, People
from identity.repository import PartyInserts
from identity.signin.passwords import Passwords, accepted_password, accepted_username
from identity.signin.repository import CredentialRows
from identity.signin.throttle import Throttle
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger


class Citizens:
    """Registers citizens."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        people: People,
        passwords: Passwords,
        throttle: Throttle,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._people = people
        self._passwords = passwords
        self._throttle = throttle

    def register(
        self, *, name: str, resident_id_number: str, username: str, password: str, address: str
    ) -> Citizen:
        """Registers a citizen's account; a person has one.

        Raises ResidentIdNumberInvalid, UsernameRefused, PasswordRefused, UsernameTaken, CitizenExists and
        Throttled (by address: the conflicts tell who is registered).
        """
        name = line(name, what="the name", limit=MAX_NAME_CHARACTERS)
        number = ResidentIdNumber.parse(resident_id_number, today=self._clock.now().date())
        username = accepted_username(username)
        password = accepted_password(password, username=username)

        # Counted before the costly hash, and kept counted where the registration is refused.
        with self._ledger.work() as work:
            attempt = self._throttle.count_registration(work, address=address)
        password_hash = self._passwords.hash(password)

        now = self._clock.now()
        with self._ledger.work() as work:
            citizen = Citizen(
                id=self._ids.new(CitizenId),
                person_id=self._people.known_by(work, number),
                name=name,
                masked_number=number.masked,
                assurance_level=AssuranceLevel.SELF_ASSERTED,
                registered_at=now,
            )
            if not PartyInserts(work).citizen(citizen):
                raise CitizenExists("a citizen with this resident id number is registered; sign in")
            credential = Credential(account_id=citizen.id, password_hash=password_hash)
            if not CredentialRows(work).add(credential, username=username, at=now):
                raise UsernameTaken("this user name is taken; choose another")
            self._throttle.settle(work, attempt)
            content = {"assurance_level": citizen.assurance_level.value}
            work.record(done(Act.CITIZEN_REGISTERED, ANYONE, citizen.id, content=content))
        return citizen
