"""The counter at which anybody has a file verified: reads only, has no signer, keeps nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from api.verification.pool import VerificationPool
from api.verification.turns import Turns
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable
from trust.kernel.report import Report
from trust.pki.trust_store import TrustStore

# Jobs that wait hold their file in memory: this many for each process that works.
_WAITING_PER_PROCESS: Final = 4
# A service hall's visitors share an address; one of them alone must not take all the turns.
_TURNS_PER_ADDRESS: Final = 4


class TrustView(Protocol):
    """The trust material a stranger would hold now."""

    def current(self) -> TrustStore: ...

    def with_status(self) -> TrustStore:
        """The same with the licences' status lists; may raise Unavailable."""
        ...


class VerificationDesk:
    """Takes a file as it was uploaded, gives its report."""

    def __init__(self, *, pool: VerificationPool, trust: TrustView, clock: Clock) -> None:
        self._pool = pool
        self._trust = trust
        self._clock = clock
        self._turns = Turns(at_once=pool.size * _WAITING_PER_PROCESS, per_address=_TURNS_PER_ADDRESS)

    def start(self) -> None:
        """Starts the verifying processes, before there are threads."""
        self._pool.start()

    def close(self) -> None:
        """Ends them."""
        self._pool.close()

    def verify(
        self, read: Callable[[], bytes], *, name: str, address: str, at: datetime | None = None
    ) -> tuple[Report, datetime]:
        """The report on what `read` gives, and the moment it is of; `address` is the visitor's.

        Raises Throttled where too many are verified already, VerificationAway and DatabaseAway, and what
        `read` raises.
        """
        with self._turns.turn(address):
            moment = at or self._clock.now()
            return self._pool.verify(read(), name=name, trust=self._trusted(), at=moment), moment

    def _trusted(self) -> TrustStore:
        try:
            return self._trust.with_status()
        except Unavailable:
            # What has no status is verified as ever; what has one will be told as cannot tell.
            return self._trust.current()
