"""The signer as a process: its own settings, its own database role, the only holder of keys."""

import signal
from datetime import timedelta
from types import FrameType

from api.settings import Settings
from trust.kernel.clock import SystemClock
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.keys.keyring import Keyring
from trust.keys.operations import Operations
from trust.keys.server import SignerServer
from trust.keys.stamping.clock import StampingClock
from trust.keys.stamping.repository import StampingMarks
from trust.keys.wrapping import KeyWrap, read_key_encryption_key
from trust.storage.database import Database


def run_signer(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    clock, randomness = SystemClock(), SystemRandomness()
    database = Database(settings.database_signer_url)
    keyring = Keyring(
        database=database,
        wrap=KeyWrap(read_key_encryption_key(settings.key_encryption_key), randomness),
        clock=clock,
        ids=Ids(clock, randomness),
    )
    operations = Operations(
        keyring=keyring,
        database=database,
        clock=clock,
        randomness=randomness,
        stamping_clock=StampingClock(
            clock=clock,
            marks=StampingMarks(database),
            accuracy=timedelta(milliseconds=settings.timestamp_accuracy_ms),
        ),
        profiles=settings.profiles,
    )
    server = SignerServer(settings.socket_path, operations.by_name())

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve()
    database.close()
