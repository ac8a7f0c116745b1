"""Attempts of strangers, counted before they become events, so that nobody can flood the log.

The first attempt of an act from a network in a stretch of time is an event at once; further ones are counted, and
told by one event with their number when the stretch has ended. Where very many networks try at once, those beyond
the first are counted together.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from trust.kernel.clock import Clock
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.ledger.supervision.tables import attempts

STRETCH: Final = timedelta(minutes=10)
# So many events an act and stretch at most come at once: a hundred in ten minutes drown nothing.
MAX_NETWORKS: Final = 100
ELSEWHERE: Final = "elsewhere"
_PAGE: Final = 200

# Makes the event of so many attempts of an act, for a reason, from a network.
Told = Callable[[str, str, str, int], Event]


class AttemptCounts:
    """Counts attempts; `told` makes their events."""

    def __init__(self, *, ledger: Ledger, clock: Clock, told: Told) -> None:
        self._ledger = ledger
        self._clock = clock
        self._told = told

    def count(self, act: str, *, reason: str, address: str) -> None:
        """Counts one attempt, and records it where it is the first of its network in this stretch."""
        network, since = network_of(address), _stretch(self._clock.now())
        with self._ledger.work() as work:
            if self._again(work, act, network, since):
                return
            known = work.execute(
                select(func.count()).where(attempts.c.act == act, attempts.c.since == since)
            ).scalar_one()
            if known >= MAX_NETWORKS:
                network = ELSEWHERE
            statement = upsert(attempts)
            first = work.execute(
                statement.values(act=act, network=network, since=since, reason=reason, count=1, told=1)
                .on_conflict_do_update(
                    index_elements=["act", "network", "since"], set_={"count": attempts.c.count + literal(1)}
                )
                .returning(attempts.c.count)
            ).scalar_one()
            if first == 1:
                work.record(self._told(act, reason, network, 1))

    def tell(self) -> int:
        """Records what was counted in stretches that have ended, and forgets them; for a periodic job."""
        ended = self._clock.now() - STRETCH
        with self._ledger.work() as work:
            rows = work.execute(
                select(attempts)
                .where(attempts.c.since <= ended)
                .order_by(attempts.c.since, attempts.c.act, attempts.c.network)
                .limit(_PAGE)
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                if row.count > row.told:
                    work.record(self._told(row.act, row.reason, row.network, row.count - row.told))
                work.execute(
                    delete(attempts).where(
                        attempts.c.act == row.act,
                        attempts.c.network == row.network,
                        attempts.c.since == row.since,
                    )
                )
        return len(rows)

    def _again(self, work: RecordedWork, act: str, network: str, since: datetime) -> bool:
        changed: int = work.execute(
            update(attempts)
            .where(attempts.c.act == act, attempts.c.network == network, attempts.c.since == since)
            .values(count=attempts.c.count + 1)
        ).rowcount
        return bool(changed)


def network_of(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or of IPv6 the /64, whose other addresses cost nothing."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped is not None else f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)


def _stretch(moment: datetime) -> datetime:
    seconds = int(STRETCH.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
