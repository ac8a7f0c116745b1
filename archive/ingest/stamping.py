"""The timestamp over a package: obtained with the registration, or later where the authority was away."""

from archive.errors import PackageBroken
from archive.events import RECORD_STAMPED
from archive.model import ArchivalRecord, RecordTimestamp
from archive.ports import TimestampSource
from archive.repository import Records
from identity.caller import WORKER
from trust.crypto.digests import sha256
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event
from trust.storage.objects import ObjectStore
from trust.timestamp.tokens import parse_token


class PackageStamps:
    """Gets tokens and keeps a copy of each beside the OCFL object, never in it."""

    def __init__(self, *, objects: ObjectStore, timestamps: TimestampSource) -> None:
        self._objects = objects
        self._timestamps = timestamps

    def obtain(self, record: ArchivalRecord, package_sha256: bytes) -> RecordTimestamp | None:
        """A token over the package's SHA-256, stored; None where the authority is away."""
        try:
            token = self._timestamps.token(package_sha256)
        except Unavailable:
            return None
        _, info = parse_token(token)
        if info.imprint != package_sha256:
            raise PackageBroken(f"the timestamp for {record.id} is over something else")
        # Two workers may each get one; the row says which counts, so each has a key of its own.
        key = f"{record.agency_id}/archive-evidence/{record.id}/timestamp-{sha256(token).hex()[:16]}.tst"
        stored = self._objects.put(key, token, retain_until=record.retain_until)
        return RecordTimestamp(token=token, gen_time=info.gen_time, key=key, version_id=stored.version_id)


class StampPending:
    """Gets the timestamps that were wanting; the worker's chore."""

    def __init__(self, *, ledger: Ledger, stamps: PackageStamps, clock: Clock) -> None:
        self._ledger = ledger
        self._stamps = stamps
        self._clock = clock

    def __call__(self, *, limit: int = 50) -> int:
        """Answers how many records got theirs."""
        with self._ledger.read() as work:
            waiting = Records(work).unstamped(limit=limit)
        stamped = 0
        for record in waiting:
            digest = record.package_sha256
            timestamp = None if digest is None else self._stamps.obtain(record, digest)
            if timestamp is None:
                break  # the authority is still away
            with self._ledger.work() as work:
                if Records(work).stamp(record.id, timestamp, at=self._clock.now()):
                    stamped += 1
                    work.record(
                        Event(
                            act=RECORD_STAMPED,
                            actor=WORKER.actor(),
                            subject=record.id,
                            agency=record.agency_id,
                            content={"token_sha256": sha256(timestamp.token).hex()},
                        )
                    )
        return stamped
