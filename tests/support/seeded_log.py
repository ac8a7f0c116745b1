"""A log as large as wanted, the same every time: events, ids, salts and times come from a seed.

    with opened_seeded_log(folder) as log:
        log.grow_to(10_000_000)

Real events go the real way (recorder, PostgreSQL, sequencer, folder store); between them, so that a large log takes
minutes and not hours, the log is filled: rows of the usual size by SQL, and the tiles of seeded entries. Fillers have
their place and their tiles, but no content, and their rows do not give their entries: proofs are asked of the real.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import psycopg

from api.migrations.upgrade import upgrade
from tests.support.ledger import A_MONDAY, NoteSigner
from trust.evidence.merkle import leaf_hash
from trust.kernel.ids import Ids
from trust.ledger.checkpoints import Checkpoints, StoredCheckpoint, TreeHead, advance, begin_head, publish
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.ledger.proofs import LedgerProofs
from trust.ledger.sequencer import Sequencer
from trust.ledger.tiles import TILE_WIDTH, GrowingTree, TileReader, entry_bundles, write_tiles
from trust.storage.database import Database
from trust.storage.embedded import EmbeddedPostgres
from trust.storage.jobs import libpq_url
from trust.storage.objects.folder import FolderStore

SEED = 20_261_123
# A batch is recorded in one transaction, as a night's bulk issuing is.
BATCH = 4_096
# Real events stand at so many places of a log, a tile of them at each.
PLACES = 40
_FILLED_AT_ONCE = 65_536
_FILLERS = b"""
INSERT INTO ledger.events
SELECT 'event_0190' || lpad(to_hex(i), 28, '0'), '2026-01-01Z'::timestamptz + i * interval '1 ms', 'licence.issued',
       'application', 'app_' || lpad(to_hex(i %% 50), 32, '0'), NULL, 'use_' || md5(i::text),
       'agency_' || lpad(to_hex(i %% 40), 32, '0'), 'done', NULL, sha256(int8send(i)), sha256(int8send(i)),
       '2026-01-01Z'::timestamptz + i * interval '1 ms'
FROM generate_series(%s::bigint, %s::bigint) AS i
"""
_PLACES_OF_FILLERS = b"""
INSERT INTO ledger.sequence
SELECT i, 'event_0190' || lpad(to_hex(i), 28, '0') FROM generate_series(%s::bigint, %s::bigint) AS i
"""
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
    superuser: str
    server: int
    size: int = 0
    real: list[int] = field(default_factory=list)
    _random: Random = field(default_factory=lambda: Random(SEED))

    def processor_seconds(self) -> float:
        """Of this process and of PostgreSQL's backends so far: what a loaded machine does not change."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self.server:
                    ticks += int(fields[11]) + int(fields[12])
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")

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
        """Fills up to `size`, a multiple of 256, with real events at PLACES places evenly in between."""
        if self.size % TILE_WIDTH or size % TILE_WIDTH:
            raise ValueError("a log is filled by whole tiles")
        share = max((size - self.size) // PLACES, 2 * TILE_WIDTH)
        with _filling(self.superuser) as connection:
            while self.size < size:
                end = min(self.size + share - share % TILE_WIDTH, size)
                self._fill(connection, max(end - TILE_WIDTH, self.size))
                self.append(end - self.size)
                tell(self.size)

    def append(self, count: int) -> None:
        """Records and sequences so many real events."""
        began = self.size
        for begin in range(0, count, BATCH):
            self.record(self.events(min(BATCH, count - begin)))
        self.sequence()
        self.real += range(began, self.size)

    def _fill(self, connection: psycopg.Connection, end: int) -> None:
        begin = self.size
        if end <= begin:
            return
        tree = GrowingTree(size=begin, reader=TileReader(self.store, begin))
        for first in range(begin, end, _FILLED_AT_ONCE):
            numbers = range(first, min(first + _FILLED_AT_ONCE, end))
            entries = [hashlib.sha256(b"filler %d" % number).digest() for number in numbers]
            tiles = [(each.key, each.octets) for each in tree.extend([leaf_hash(entry) for entry in entries])]
            write_tiles(self.store, [*entry_bundles(first, entries), *tiles], at_once=8)
        write_tiles(self.store, [(each.key, each.octets) for each in tree.partial_tiles()], at_once=8)
        connection.execute(_FILLERS, (begin, end - 1))
        connection.execute(_PLACES_OF_FILLERS, (begin, end - 1))
        note = self.signer.sign_checkpoint(self.signer.key.name, end, tree.root())
        after = StoredCheckpoint(tree=TreeHead(size=end, root=tree.root()), note=note, at=A_MONDAY)
        with self.database.work() as work:
            begin_head(work)
            assert advance(work, before=Checkpoints(work).head(), after=after)
        publish(self.store, after, [self.signer.key])
        self.size = end


@contextmanager
def _filling(superuser: str) -> Iterator[psycopg.Connection]:
    """A connection that no trigger stops; the indexes that searching needs are built when all is filled."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'ledger' AND indexname LIKE 'ix_events%'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX ledger.{name}".encode())
        yield connection
        for _, definition in indexes:
            connection.execute(definition.encode())
        connection.execute("ANALYZE ledger.events, ledger.sequence")


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
                superuser=libpq_url(postgres.urls.superuser),
                server=postgres._process.pid if postgres._process is not None else 0,
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
