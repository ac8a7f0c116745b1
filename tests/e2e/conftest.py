"""Fixtures of the tests that run whole processes."""

from collections.abc import Iterator

import pytest

from tests.support.kill_house import KillHouse, opened_kill_house


@pytest.fixture(scope="session")
def kill_house() -> Iterator[KillHouse]:
    """Real processes for the session; each test leaves a plain server running and nothing unresolved."""
    with opened_kill_house() as house:
        yield house
