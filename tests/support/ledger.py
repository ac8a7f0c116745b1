"""A ledger to test with: a clock that is set by hand, a signer that holds its key, and faults at will."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.stores import s3_store
from trust.evidence.receipts import Receipt
from trust.evidence.tlog import Checkpoint, VerifierKey, sign_note
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.kernel.report import Report
from trust.ledger.ledger import INCLUSION_DELAY, Ledger
from trust.ledger.model import Actor, Event, EventReceipt
from trust.ledger.proofs import LedgerProofs
from trust.ledger.sequencer import Sequencer
from trust.ledger.verify import verify_ledger
from trust.storage.database import Database, ReadWork, Work
from trust.storage.objects.errors import ObjectMissing
from trust.storage.objects.folder import FolderStore
from trust.storage.objects.port import ObjectStat, ObjectStore

ORIGIN = "yinxin.example/ledger"
A_MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class SetClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, moment: datetime = A_MONDAY) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


class NoteSigner:
    """Signs checkpoints and receipts with a key of its own, as the signer process does."""

    def __init__(self, origin: str = ORIGIN, *, seed: bytes | None = None) -> None:
        """`seed`: the private key's octets, for processes that are one log's."""
        self._private = (
            Ed25519PrivateKey.generate() if seed is None else Ed25519PrivateKey.from_private_bytes(seed)
        )
        public = self._private.public_key().public_bytes_raw()
        self.key = VerifierKey(name=origin, public_key=public)

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        return self._sign(Checkpoint(origin=origin, size=size, root=root).text())

    def sign_receipt(self, event_id: str, leaf_hash: bytes, latest: datetime) -> str:
        receipt = Receipt(
            origin=self.key.name, event_id=event_id, leaf_hash=leaf_hash, latest_inclusion=latest
        )
        return self._sign(receipt.text())

    def _sign(self, text: str) -> str:
        return sign_note(text, key=self.key, sign=self._private.sign)


def event(subject: str = "use_1", **changes: Any) -> Event:
    """An event like those of sealing, with a name in its content."""
    given: dict[str, Any] = {
        "act": "seal-use.intended",
        "actor": Actor(kind="application", id="app_1", on_behalf_of="agency_1"),
        "subject": subject,
        "agency": "agency_1",
        "content": {"document": "关于某某的批复.pdf", "pages": 3},
    }
    return Event(**{**given, **changes})


@dataclass(kw_only=True)
class LedgerRoom:
    """A ledger with everything around it, on a fresh database and a folder."""

    database: Database
    store: ObjectStore
    clock: SetClock
    signer: NoteSigner
    ledger: Ledger

    @classmethod
    def open(cls, database: Database, folder: Path, *, kind: str = "folder") -> "LedgerRoom":
        """With `kind` "s3" on the server that the environment names; skips the test where it names none.

        The log's keys have no agency before them, so in a shared S3 each ledger has a bucket of its own.
        """
        store = s3_store(f"yinxin-ledger-{uuid.uuid4().hex}") if kind == "s3" else FolderStore(folder)
        clock, randomness = SetClock(), SystemRandomness()
        ledger = Ledger(database, clock=clock, randomness=randomness, ids=Ids(clock, randomness))
        return cls(
            database=database,
            store=store,
            clock=clock,
            signer=NoteSigner(),
            ledger=ledger,
        )

    def record(self, *events: Event) -> tuple[EventReceipt, ...]:
        with self.ledger.work() as work:
            return work.record_all(events)

    def record_many(self, count: int) -> tuple[EventReceipt, ...]:
        return self.record(*(event(f"use_{number}") for number in range(count)))

    def sequencer(self, **changes: Any) -> Sequencer:
        given: dict[str, Any] = {
            "database": self.database,
            "store": self.store,
            "signer": self.signer,
            "origin": ORIGIN,
            "keys": [self.signer.key],
            "clock": self.clock,
        }
        return Sequencer(**{**given, **changes})

    def proofs(self) -> LedgerProofs:
        return LedgerProofs(self.store)

    def verify(self, **more: Any) -> Report:
        return verify_ledger(self.database, self.store, [self.signer.key], at=self.clock.now(), **more)

    def overdue(self) -> Report:
        """The report when every promise has come due."""
        return verify_ledger(
            self.database,
            self.store,
            [self.signer.key],
            at=self.clock.now() + INCLUSION_DELAY + timedelta(seconds=1),
        )


class AlteredStore:
    """The same store for whoever reads it, but for some keys: other octets, or (None) nothing there."""

    def __init__(self, inner: ObjectStore, altered: Mapping[str, bytes | None]) -> None:
        self._inner = inner
        self._altered = altered

    def get(self, key: str, version_id: str | None = None) -> bytes:
        if key not in self._altered:
            return self._inner.get(key, version_id)
        octets = self._altered[key]
        if octets is None:
            raise ObjectMissing("altered to be missing")
        return octets

    def stat(self, key: str, version_id: str | None = None) -> ObjectStat:
        if self._altered.get(key, b"") is None:
            raise ObjectMissing("altered to be missing")
        return self._inner.stat(key, version_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Struck(Exception):
    """The fault that a fuse throws; stands for the process being killed there."""


class Fuse:
    """Counts every touch of the outside world and throws at the chosen one, once."""

    def __init__(self, at: int | None = None) -> None:
        self._at = at
        self.touched = 0

    def touch(self) -> None:
        self.touched += 1
        if self.touched - 1 == self._at:
            raise Struck


class FusedDatabase:
    """A database that can be struck before a transaction, before its commit and after it."""

    def __init__(self, inner: Database, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    @contextmanager
    def work(self) -> Iterator[Work]:
        self._fuse.touch()
        with self._inner.work() as work:
            yield work
            self._fuse.touch()
        self._fuse.touch()

    @contextmanager
    def read(self) -> Iterator[ReadWork]:
        self._fuse.touch()
        with self._inner.read() as work:
            yield work

    @contextmanager
    def read_primary(self) -> Iterator[ReadWork]:
        self._fuse.touch()
        with self._inner.read_primary() as work:
            yield work


class FusedStore:
    """An object store that can be struck before and after every write."""

    def __init__(self, inner: ObjectStore, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def put(self, *given: Any, **named: Any) -> Any:
        self._fuse.touch()
        stored = self._inner.put(*given, **named)
        self._fuse.touch()
        return stored

    def publish(self, *given: Any, **named: Any) -> Any:
        self._fuse.touch()
        stored = self._inner.publish(*given, **named)
        self._fuse.touch()
        return stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class FusedSigner:
    """A signer that can be struck before and after it has signed."""

    def __init__(self, inner: NoteSigner, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        self._fuse.touch()
        note = self._inner.sign_checkpoint(origin, size, root)
        self._fuse.touch()
        return note
