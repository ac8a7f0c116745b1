"""Documents in the store that no use answers for: originals never intended, outputs of uses that were abandoned.

A request takes them away itself; what a kill -9 or an absent store left, the worker does.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from seals.ids import SealUseId
from seals.model import SealUseState
from seals.repository import Seals
from seals.uses.keys import ORIGINAL, SEALED, prefix_of, use_of_key
from seals.uses.repository import SealUses
from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger
from trust.storage.objects import ListedObject, ObjectStore

# A request that has kept its original and not yet recorded its intent is at work for seconds.
UNINTENDED_FOR: Final = timedelta(hours=1)
# Uses of the day before, and of ten leases (the largest batch has less than nine), are looked at again in the next
# pass: within that a request puts its output, and its use is abandoned.
LOOKED_AT_AGAIN: Final = timedelta(days=1)
LEASES_LOOKED_AT_AGAIN: Final = 10
# Uses asked for in one query.
_AT_ONCE: Final = 500
# Ids begin with their time: without the lowest 28 bits of its milliseconds those of three days begin alike.
_DROPPED_BITS: Final = 28


class SweepSealUses:
    """Purges what no use answers for; the worker's chore, a few times a day.

    The first pass of a process looks at everything, later ones at uses since some time before the last pass.
    """

    def __init__(self, *, ledger: Ledger, objects: ObjectStore, clock: Clock, lease: timedelta) -> None:
        self._ledger = ledger
        self._objects = objects
        self._clock = clock
        self._looked_at_again = LOOKED_AT_AGAIN + LEASES_LOOKED_AT_AGAIN * lease
        self._since: datetime | None = None

    def __call__(self) -> int:
        """Answers how many documents were purged; raises ObjectStoreAway, and the next pass begins where this did."""
        now = self._clock.now()
        with self._ledger.read() as work:
            agencies = Seals(work).agencies()
        purged = 0
        for agency_id in agencies:
            for prefix in self._prefixes(agency_id, now):
                listed = iter(self._objects.list(prefix))
                while some := list(islice(listed, _AT_ONCE)):
                    purged += self._purge(some, now)
        self._since = now - self._looked_at_again
        return purged

    def _prefixes(self, agency_id: str, now: datetime) -> Iterator[str]:
        if self._since is None:
            yield prefix_of(agency_id)
            return
        for begins in range(_begins(self._since), _begins(now) + 1):
            yield f"{prefix_of(agency_id)}{SealUseId.prefix}_{begins:05x}"

    def _purge(self, some: Sequence[ListedObject], now: datetime) -> int:
        with self._ledger.read() as work:
            states = SealUses(work).states(sorted({use_of_key(found.key) for found in some}))
        over = [found for found in some if _is_over(found, states.get(use_of_key(found.key)), now)]
        for found in over:
            self._objects.delete(found.key, found.version_id)
        return len(over)


def _is_over(found: ListedObject, state: SealUseState | None, now: datetime) -> bool:
    name = found.key.rpartition("/")[2]
    if state is None:
        return name == ORIGINAL and _made_at(use_of_key(found.key)) < now - UNINTENDED_FOR
    return name == SEALED and state is SealUseState.ABANDONED


def _begins(moment: datetime) -> int:
    """The first five hex digits of ids that were made then."""
    return int(moment.timestamp() * 1000) >> _DROPPED_BITS


def _made_at(use_id: str) -> datetime:
    """The moment inside the id's UUIDv7 (RFC 9562 §5.7)."""
    milliseconds = int(SealUseId.parse(use_id).rpartition("_")[2][:12], 16)
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
