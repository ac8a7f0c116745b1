"""A file of ten thousand octets costs at most a second of processor time and 200 MB, whatever is in it.

The one bound in seconds that tests have: it is what is promised to whoever lets strangers upload. All bombs are
measured in one process apart, each in a fork of its own, so that they harm nobody.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.attacks.bombs import MAX_BOMB_BYTES, bombs

MAX_SECONDS = 1.0
MAX_BYTES = 200 << 20
_NAMES = [bomb.name for bomb in bombs()]


# A machine with other work to do may take its time; what is judged is processor time.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def measured():
    finished = subprocess.run(
        [sys.executable, "-m", "tests.support.attacks.measuring"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        check=True,
        timeout=290,
    )
    return json.loads(finished.stdout)


@pytest.mark.parametrize("name", _NAMES)
def test_a_small_file_costs_little(measured, name):
    cost = measured[name]
    assert cost["size"] <= MAX_BOMB_BYTES
    assert not cost["valid"]
    assert "died" not in cost, f"stopped after {cost['seconds']:.1f} s of processor time"
    assert not cost["starved"], "refused for want of memory: a larger machine would have lost it"
    assert cost["seconds"] < MAX_SECONDS, f"{cost['seconds']:.2f} s of processor time"
    assert cost["octets"] < MAX_BYTES, f"{cost['octets'] >> 20} MB"


def test_every_kind_of_bomb_is_there():
    assert len(_NAMES) >= 45
