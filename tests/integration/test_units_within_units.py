"""Callers that each hold a unit of work and open another: they never wait for each other in a circle."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing

import pytest
from sqlalchemy import text

from trust.storage.database import INNER_CONNECTIONS, Database, ReadWork
from trust.storage.embedded import DatabaseUrls

POOL = 2
# As many as the outer pool has connections, its overflow included, and more than the inner pools have.
CALLERS = 2 * POOL
Open = Callable[[Database], AbstractContextManager[ReadWork]]
OPENS: dict[str, Open] = {"work": Database.work, "read": Database.read, "primary": Database.read_primary}


def backend(unit: ReadWork) -> int:
    return int(unit.execute(text("SELECT pg_backend_pid()")).scalar_one())


@pytest.mark.parametrize("inner", OPENS)
@pytest.mark.parametrize("outer", OPENS)
def test_all_of_them_are_served_however_many_hold_one_already(
    postgres: DatabaseUrls, outer: str, inner: str
) -> None:
    everybody_holds_one = threading.Barrier(CALLERS, timeout=30)

    def nested(database: Database) -> tuple[int, int, int]:
        with OPENS[outer](database) as first:
            held = backend(first)
            everybody_holds_one.wait()
            with OPENS[inner](database) as second, OPENS[inner](database) as third:
                return held, backend(second), backend(third)

    with closing(
        Database(postgres.service, postgres.reader if outer == inner else None, pool_size=POOL)
    ) as database:
        with ThreadPoolExecutor(CALLERS) as callers:
            found = list(callers.map(nested, [database] * CALLERS))
        assert all(len(set(backends)) == 3 for backends in found)
        assert len({held for held, *_ in found}) == CALLERS
        assert len({second for _, second, _ in found}) <= INNER_CONNECTIONS
        # What was held is given back: the next unit is an outer one again.
        with OPENS[outer](database) as again:
            assert backend(again) in {held for held, *_ in found}


def test_a_unit_that_another_thread_closes_is_no_longer_held(postgres: DatabaseUrls) -> None:
    with closing(Database(postgres.service, pool_size=1)) as database:
        unit = database.work()
        held = backend(unit.__enter__())
        closing_thread = threading.Thread(target=unit.__exit__, args=(None, None, None))
        closing_thread.start()
        closing_thread.join(30)
        with database.work() as again:
            assert backend(again) == held
