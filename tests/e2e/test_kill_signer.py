"""The signer is killed in the middle of a stream of sealing requests, and started again."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from api.demo.parties import StepFailed
from tests.support.kill_house import KillHouse, require_settled
from tests.support.kill_requests import seal

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
STREAMS = 3
WAITING_SECONDS = 60
# What a loaded machine may bring about besides: the signer came back when the lease had run out, or the worker did.
TOO_LATE = {"signer-refused", "signing-lease-over", "seal-use-lost"}
# Which part was asked when it was gone: the seal's key, or the timestamp's, which the signer holds as well; gone
# between the two, the use is abandoned at once.
AWAY = {"signer-away", "timestamp-authority-away", "seal-use-not-stamped"}


class _Stream:
    """Sealing requests one after the other, each with a key of its own, and how each ended."""

    def __init__(self, house: KillHouse) -> None:
        self.over = threading.Event()
        self.sealed: list[str] = []
        self.problems: dict[str, str] = {}
        self._house = house

    def run(self, name: str) -> None:
        """Until it is over; anything but a sealed document, a problem 503 or 409 ends it by that error."""
        for number in count(1):
            if self.over.is_set():
                return
            key = f"{name}-{number}"
            try:
                seal(self._house, key)
            except StepFailed as failed:
                found = re.search(r' answered (?:503|409): .*"code":"([a-z-]+)"', failed.message)
                if found is None:
                    raise
                self.problems[key] = found[1]
                time.sleep(0.2)
            else:
                self.sealed.append(key)

    def wait_until(self, enough: Callable[[], bool]) -> None:
        until = time.monotonic() + WAITING_SECONDS
        while not enough():
            assert time.monotonic() < until, f"{len(self.sealed)} sealed, {len(self.problems)} problems"
            time.sleep(0.02)


def test_a_signer_killed_amid_sealing_requests_costs_a_clear_problem_and_nothing_else(
    kill_house: KillHouse,
) -> None:
    kill_house.start_server(lease=kill_house.lease)
    stream = _Stream(kill_house)
    with ThreadPoolExecutor(STREAMS) as pool:
        runs = [pool.submit(stream.run, f"signer-{name}") for name in range(STREAMS)]
        try:
            stream.wait_until(lambda: len(stream.sealed) > STREAMS)
            kill_house.supervisor.children["signer"].kill()
            kill_house.supervisor.children["signer"].wait(10)
            stream.wait_until(lambda: len(stream.problems) >= STREAMS)
            kill_house.supervisor.start_child("signer")
            before = len(stream.sealed)
            stream.wait_until(lambda: len(stream.sealed) > before + STREAMS)
        finally:
            stream.over.set()
        for run in runs:
            run.result()
    kill_house.come_back()

    assert AWAY.intersection(stream.problems.values())
    assert set(stream.problems.values()) <= {*AWAY, *TOO_LATE}
    for key in stream.sealed:
        assert _outcomes(kill_house, key) == ["completed"], key
    for key in stream.problems:
        _require_one_end(kill_house, key)
    require_settled(kill_house)


def _require_one_end(house: KillHouse, key: str) -> None:
    """The request was answered 503: a retry is answered by what became of it, or makes it anew."""
    before = _outcomes(house, key)
    if before == ["abandoned"]:
        assert seal(house, key, status=409)["code"] == "seal-use-abandoned", key
    else:
        assert before in ([], ["completed"]), key
        assert seal(house, key)["state"] == "completed", key
    assert len(_outcomes(house, key)) == 1, key


def _outcomes(house: KillHouse, key: str) -> list[str]:
    found = house.rows(
        "SELECT outcome FROM seals.seal_uses LEFT JOIN seals.seal_use_outcomes ON use_id = id"
        " WHERE case_number = %(key)s",
        key=key,
    )
    return [row["outcome"] for row in found]
