"""The signer is killed in the middle of a stream of sealing requests, and started again."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from api.demo.parties import StepFailed
from tests.support.kill_house import KillHouse, require_settled
from tests.support.kill_requests import seal

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
STREAMS = 3
WAITING_SECONDS = 60


def test_a_signer_killed_amid_sealing_requests_costs_a_clear_problem_and_nothing_else(kill_house: KillHouse) -> None:
    kill_house.come_back()
    stream = _Stream(kill_house)
    with ThreadPoolExecutor(STREAMS) as pool:
        for name in range(STREAMS):
            pool.submit(stream.run, f"signer-{name}")
        try:
            stream.wait_for_sealed(STREAMS + 1)
            signer = kill_house.supervisor.children["signer"]
            signer.kill()
            signer.wait(10)
            stream.wait_for_problems(STREAMS)
            kill_house.supervisor.start_child("signer")
            stream.wait_for_sealed(STREAMS)
        finally:
            stream.over.set()
    kill_house.wait_until_resolved()

    assert set(stream.problems.values()) == {"signer-away"}
    for key in stream.sealed:
        assert _outcomes(kill_house, key) == ["completed"]
        assert seal(kill_house, key)["state"] == "completed"
    for key in stream.problems:
        outcomes = _outcomes(kill_house, key)
        assert outcomes in ([], ["abandoned"], ["completed"])
        if outcomes == ["abandoned"]:
            assert seal(kill_house, key, status=409)["code"] == "seal-use-abandoned"
        else:
            assert seal(kill_house, key)["state"] == "completed"
        assert len(_outcomes(kill_house, key)) == 1
    assert not stream.strange
    require_settled(kill_house)
