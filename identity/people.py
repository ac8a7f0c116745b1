"""Natural persons: one for each resident id number, whatever accounts and names they go by."""

from typing import Final

from identity.ids import PersonId
from identity.numbers import ResidentIdNumber
from identity.personal import PersonalDataCipher
from identity.repository import PartyInserts, find_person, sealed_number
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound
from trust.kernel.ids import Ids
from trust.storage.database import Work

# X.520's bound on a common name: a longer one could not stand in the person's certificate.
MAX_NAME_CHARACTERS: Final = 64


class People:
    """Finds natural persons by number, and the number of a person. All inside the caller's transaction."""

    def __init__(self, *, cipher: PersonalDataCipher, clock: Clock, ids: Ids) -> None:
        self._cipher = cipher
        self._clock = clock
        self._ids = ids

    def known_by(self, work: Work, number: ResidentIdNumber) -> PersonId:
        """The person of this number, made known if new. Held until the transaction ends.

        The lock makes rules about all accounts of one person hold when two are set up at once.
        """
        index = self._cipher.index(number)
        work.advisory_lock(f"identity: person {index.hex()}")
        person_id = self._ids.new(PersonId)
        sealed = self._cipher.seal(number, person_id)
        return PartyInserts(work).person(person_id, index=index, sealed=sealed, at=self._clock.now())

    def find(self, work: Work, number: ResidentIdNumber) -> PersonId | None:
        """The person of this number, if known."""
        return find_person(work, self._cipher.index(number))

    def number(self, work: Work, person_id: PersonId) -> ResidentIdNumber:
        """The person's number in the clear; for what must hold it, never for logs, URLs or events."""
        sealed = sealed_number(work, person_id)
        if sealed is None:
            raise NotFound("there is no person of this id")
        return self._cipher.open(sealed, person_id)
