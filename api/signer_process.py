"""The signer as a process: its own settings, its own database role, the only holder of keys."""

import signal
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

from api.key_stores import key_places
from api.settings import Settings
from trust.kernel.clock import Clock, SystemClock
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness, SystemRandomness
from trust.keys.journal import Journal
from trust.keys.key_acts import KeyActs
from trust.keys.keyring import Keyring
from trust.keys.operations import Operations
from trust.keys.server import SignerServer
from trust.keys.stamping.clock import Elapsed, StampingClock, seconds_since_start
from trust.keys.stamping.repository import StampingMarks
from trust.storage.database import Database


@dataclass(frozen=True, kw_only=True)
class SignerParts:
    """What a signer is made of."""

    database: Database
    keyring: Keyring
    journal: Journal
    operations: Operations

    def close(self) -> None:
        self.database.close()


def build_signer(
    settings: Settings,
    *,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
    stamping_clock: Clock | None = None,
    elapsed: Elapsed = seconds_since_start,
) -> SignerParts:
    """The signer's parts joined; raises KeyEncryptionKeyRefused, KeyStoreRefused and KeyStoreAway.

    `stamping_clock` and `elapsed` are what timestamps are made by and held against; by default `clock`.
    """
    clock, randomness = clock or SystemClock(), randomness or SystemRandomness()
    places = key_places(settings, randomness)
    database = Database(settings.database_signer_url)
    ids = Ids(clock, randomness)
    journal = Journal(database=database, clock=clock, ids=ids)
    keyring = Keyring(
        database=database,
        stores=places.stores,
        new_keys_in=places.new_keys_in,
        journal=journal,
        clock=clock,
        ids=ids,
    )
    acts = KeyActs(keyring=keyring, wrapping=places.wrapping, journal=journal, database=database, clock=clock)
    operations = Operations(
        keyring=keyring,
        journal=journal,
        database=database,
        clock=clock,
        randomness=randomness,
        key_acts=acts,
        profiles=settings.profiles,
        stamping_clock=StampingClock(
            clock=stamping_clock or clock,
            marks=StampingMarks(database),
            accuracy=timedelta(milliseconds=settings.timestamp_accuracy_ms),
            elapsed=elapsed,
        ),
    )
    return SignerParts(database=database, keyring=keyring, journal=journal, operations=operations)


def run_signer(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    parts = build_signer(settings)
    server = SignerServer(settings.socket_path, parts.operations.by_name())

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve()
    parts.close()
