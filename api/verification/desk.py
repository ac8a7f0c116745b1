"""The counter at which anybody has a file verified: reads only, has no signer, keeps nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from api.verification.batches import Batch, BatchItem
from api.verification.pictures import PagePictures, ShownPages
from api.verification.pool import VerificationPool
from api.verification.turns import Turns
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable
from trust.kernel.report import Report
from trust.pki.trust_store import TrustStore
from trust.verify.content import SignedContent

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


@dataclass(frozen=True, kw_only=True)
class Examination:
    """A report, the moment it is of, and the file's pages where it is a PDF and they could be asked for."""

    report: Report
    moment: datetime
    pages: ShownPages | None


class VerificationDesk:
    """Takes a file as it was uploaded, gives its report."""

    def __init__(
        self,
        *,
        pool: VerificationPool,
        trust: TrustView,
        clock: Clock,
        pictures: PagePictures | None = None,
    ) -> None:
        self._pool = pool
        self._trust = trust
        self._clock = clock
        self._pictures = pictures
        self._turns = Turns(at_once=pool.size * _WAITING_PER_PROCESS, per_address=_TURNS_PER_ADDRESS)

    def start(self) -> None:
        """Starts the verifying processes, before there are threads."""
        self._pool.start()
        if self._pictures is not None:
            self._pictures.start()

    def close(self) -> None:
        """Ends them."""
        self._pool.close()
        if self._pictures is not None:
            self._pictures.close()

    def verify(
        self,
        read: Callable[[], bytes],
        *,
        name: str,
        address: str,
        at: datetime | None = None,
        content: Callable[[], SignedContent | None] = lambda: None,
    ) -> tuple[Report, datetime]:
        """The report on what `read` gives, and the moment it is of; `address` is the visitor's.

        `content` gives what the file is a detached signature or timestamp over. Raises Throttled where too many
        are verified already, VerificationAway and DatabaseAway, and what `read` and `content` raise.
        """
        with self._turns.turn(address):
            moment = at or self._clock.now()
            report = self._pool.verify(read(), name=name, trust=self._trusted(), at=moment, content=content())
            return report, moment

    def examine(
        self,
        read: Callable[[], bytes],
        *,
        name: str,
        address: str,
        content: Callable[[], SignedContent | None] = lambda: None,
    ) -> Examination:
        """The same with pictures of the pages; where those cannot be had the report stands alone."""
        with self._turns.turn(address):
            moment, data = self._clock.now(), read()
            report = self._pool.verify(data, name=name, trust=self._trusted(), at=moment, content=content())
            pages = None if self._pictures is None else self._pictures.of(data, report)
            return Examination(report=report, moment=moment, pages=pages)

    def verify_batch(
        self, batch: Batch, *, address: str, at: datetime | None = None
    ) -> tuple[tuple[BatchItem, ...], datetime]:
        """A report for every file of a batch, in order, within one turn; raises as `verify` does."""
        with self._turns.turn(address):
            moment, trust = at or self._clock.now(), self._trusted()
            items = batch.verified(
                lambda data, name, content: self._pool.verify(
                    data, name=name, trust=trust, at=moment, content=content
                )
            )
            return items, moment

    def _trusted(self) -> TrustStore:
        try:
            return self._trust.with_status()
        except Unavailable:
            # What has no status is verified as ever; what has one will be told as cannot tell.
            return self._trust.current()
