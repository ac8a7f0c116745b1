"""How the cost of something grows: judged as a ratio within one run, in processor time, never in seconds."""

import time
from collections.abc import Callable

# Eight times as much costs eight times as much where it is linear, sixty-four times where it is quadratic.
FACTOR = 8
MOST = 24


def require_linear(act: Callable[[int], object], size: int) -> None:
    """Asserts that `act` on FACTOR times `size` takes well under the square of FACTOR times as long."""
    act(size)  # whatever is made at first use is no part of the comparison
    small = min(_cost(act, size) for _ in range(3))
    large = min(_cost(act, size * FACTOR) for _ in range(2))
    assert large < MOST * small, f"{FACTOR} times as much cost {large / small:.0f} times as much"


def _cost(act: Callable[[int], object], size: int) -> float:
    begun = time.process_time()
    act(size)
    return time.process_time() - begun
