"""Reading every object again: the old digest compared while the new one is computed, in one pass over its stream.

Threads read several objects at once, since hashing lets go of the interpreter; each holds one piece of its object,
whatever its size. What was computed is written as it goes, so that a reading that was stopped goes on from there.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final, TypeAlias

from trust.crypto.digests import Digest, StreamingDigests
from trust.kernel.clock import Clock
from trust.kernel.errors import Unavailable, YinxinError
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event, EventOutcome
from trust.preservation.events import OBJECT_DAMAGED, PRESERVATION
from trust.preservation.model import Damage, KeptObject
from trust.preservation.ports import Progress
from trust.preservation.repository import Preserved
from trust.storage.objects.port import ObjectStore

# More threads than this wait for the disk or the store, not for a processor.
MAX_THREADS: Final = 8
# Values are written after so many; a reading that is killed repeats no more than these.
_WRITE_EVERY: Final = 64
_REASON_CHANGED: Final = "digest-differs"

Groups: TypeAlias = Sequence[Sequence[KeptObject]]
Known: TypeAlias = Mapping[tuple[str, int], bytes]


class Rehashing:
    """Computes digests of kept objects."""

    def __init__(
        self, *, ledger: Ledger, objects: ObjectStore, clock: Clock, threads: int | None = None
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._clock = clock
        self._threads = threads or min(MAX_THREADS, os.cpu_count() or 1)

    def known(self, groups: Groups, digest: Digest) -> Known:
        """The values by this digest that are written down already."""
        every = [each for group in groups for each in group]
        if digest is Digest.SHA256:
            return {(each.group, each.position): each.sha256 for each in every}
        with self._ledger.read() as work:
            return Preserved(work).digests_of({each.group for each in every}, digest)

    def complete(
        self, groups: Groups, digest: Digest, *, progress: Progress | None = None
    ) -> tuple[Known, tuple[Damage, ...]]:
        """The values by this digest of every object, and those that are damaged.

        An object is damaged where it is gone or its SHA-256 is not what it was; each is an event once. Raises
        Unavailable where the store is away: what was computed so far is kept.
        """
        known = dict(self.known(groups, digest))
        missing = [each for group in groups for each in group if (each.group, each.position) not in known]
        if progress is not None:
            progress.expect(sum(each.size for each in missing))
        damages: list[Damage] = []
        fresh: list[tuple[KeptObject, bytes]] = []
        try:
            for each, outcome in self._in_threads(missing, digest):
                if isinstance(outcome, bytes):
                    fresh.append((each, outcome))
                    known[(each.group, each.position)] = outcome
                else:
                    damages.append(outcome)
                if len(fresh) >= _WRITE_EVERY:
                    self._write(fresh, digest)
                    fresh = []
                if progress is not None:
                    progress.advance(each.size)
        finally:
            self._write(fresh, digest)
        for damage in damages:
            self._alarm(damage, digest)
        return known, tuple(damages)

    def _in_threads(
        self, objects: Sequence[KeptObject], digest: Digest
    ) -> Iterator[tuple[KeptObject, bytes | Damage]]:
        """As they are done; no more are begun than there are threads for, so that a stop is soon."""
        waiting = iter(objects)
        running: dict[Future[bytes | Damage], KeptObject] = {}
        with ThreadPoolExecutor(max_workers=self._threads) as pool:
            try:
                while True:
                    while len(running) < 2 * self._threads and (each := next(waiting, None)) is not None:
                        running[pool.submit(self._read, each, digest)] = each
                    if not running:
                        return
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield running.pop(future), future.result()
            finally:
                for future in running:
                    future.cancel()

    def _read(self, each: KeptObject, digest: Digest) -> bytes | Damage:
        digests = StreamingDigests(Digest.SHA256, digest)
        try:
            with self._objects.open(each.key, each.version_id) as stream:
                found = digests.consume(stream, limit=each.size)
        except Unavailable:
            raise
        except YinxinError as error:
            return Damage(group=each.group, position=each.position, key=each.key, reason=error.code)
        if found[Digest.SHA256] != each.sha256:
            return Damage(group=each.group, position=each.position, key=each.key, reason=_REASON_CHANGED)
        return found[digest]

    def _write(self, fresh: Sequence[tuple[KeptObject, bytes]], digest: Digest) -> None:
        if fresh:
            with self._ledger.work() as work:
                Preserved(work).add_digests(fresh, digest, at=self._clock.now())

    def _alarm(self, damage: Damage, digest: Digest) -> None:
        with self._ledger.work() as work:
            preserved = Preserved(work)
            if preserved.is_known_damage(damage, digest):
                return
            receipt = work.record(
                Event(
                    act=OBJECT_DAMAGED,
                    actor=PRESERVATION,
                    subject=damage.group,
                    agency=None,
                    outcome=EventOutcome.REFUSED,
                    reason=damage.reason,
                    content={"key": damage.key, "position": damage.position, "digest": digest.value},
                )
            )
            preserved.add_damage(damage, digest, event_id=receipt.event_id, at=self._clock.now())
