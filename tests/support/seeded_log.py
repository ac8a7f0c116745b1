"""A log as large as wanted, the same every time: events, ids, salts and times come from a seed.

    with opened_seeded_log(folder) as log:
        log.grow_to(10_000_000)

Everything is real (recorder, PostgreSQL, sequencer, folder store); only the machine's chance and clock are not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from api.migrations.upgrade import upgrade
from tests.support.ledger import A_MONDAY, NoteSigner
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.ledger.proofs import LedgerProofs
from trust.ledger.sequencer import MAX_ROUND_EVENTS, Sequencer
from trust.storage.database import Database
from trust.storage.embedded import EmbeddedPostgres
from trust.storage.objects.folder import FolderStore

SEED = 20_261_123
# A batch is recorded in one transaction, as a night's bulk issuing is.
BATCH = 4_096
_ACTS = ("seal-use.intended", "seal-use.completed", "licence.issued", "licence.presented", "record.ingested")


class SeededRandomness:
    """Octets from a seed."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def octets(self, count: int) -> bytes:
        return self._random.randbytes(count)


class SteppingClock:
    """A clock on which every look takes half a millisecond."""

    def __init__(self) -> None:
        self._moment = A_MONDAY

    def now(self) -> datetime:
        self._moment += timedelta(microseconds=500)
        return self._moment


@dataclass(kw_only=True)
class SeededLog:
    """A ledger that grows to any size by the same events."""

    database: Database
    store: FolderStore
    signer: NoteSigner
    ledger: Ledger
    sequencer: Sequencer
    proofs: LedgerProofs
    size: int = 0
    _random: Random = field(default_factory=lambda: Random(SEED))

    def events(self, count: int) -> list[Event]:
        """The next events."""
        random = self._random
        return [
            Event(
                act=random.choice(_ACTS),
                actor=Actor(
                    kind="application",
                    id=f"app_{random.randrange(50):032x}",
                    on_behalf_of=f"agency_{random.randrange(40):032x}",
                ),
                subject=f"use_{random.getrandbits(128):032x}",
                agency=f"agency_{random.randrange(40):032x}",
                content={
                    "document": f"关于第{random.randrange(10**6)}号申请的批复.pdf",
                    "pages": random.randrange(1, 40),
                },
            )
            for _ in range(count)
        ]

    def record(self, events: list[Event]) -> None:
        with self.ledger.work() as work:
            work.record_all(events)

    def sequence(self) -> None:
        self.size += self.sequencer.catch_up()

    def grow_to(self, size: int, *, tell: Callable[[int], None] = lambda _: None) -> None:
        """Records and sequences until there are `size` leaves, a round of the sequencer at a time."""
        while self.size < size:
            coming = min(MAX_ROUND_EVENTS, size - self.size)
            for begin in range(0, coming, BATCH):
                self.record(self.events(min(BATCH, coming - begin)))
            self.sequence()
            tell(self.size)


@contextmanager
def opened_seeded_log(folder: Path) -> Iterator[SeededLog]:
    """An empty seeded log in a folder, on a PostgreSQL of its own that does not wait for the disk."""
    folder.chmod(0o755)  # PostgreSQL's ordinary user has to reach its own folder inside
    with EmbeddedPostgres(folder / "postgres", durable=False) as postgres:
        upgrade(postgres.urls.owner)
        database = Database(postgres.urls.service, postgres.urls.reader)
        random, clock, signer = Random(SEED + 1), SteppingClock(), NoteSigner()
        randomness = SeededRandomness(random)
        store = FolderStore(folder / "objects")
        try:
            yield SeededLog(
                database=database,
                store=store,
                signer=signer,
                ledger=Ledger(database, clock=clock, randomness=randomness, ids=Ids(clock, randomness)),
                sequencer=Sequencer(
                    database=database,
                    store=store,
                    signer=signer,
                    origin=signer.key.name,
                    keys=[signer.key],
                    clock=clock,
                ),
                proofs=LedgerProofs(store),
            )
        finally:
            database.close()
