"""Who may have a file verified now: so many at once, and so many for one address."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from trust.kernel.errors import Throttled

# A turn lasts as long as a verification at most; most are over in a blink.
RETRY_SECONDS: Final = 5


class Turns:
    """Counts turns in this process alone: enough to bound the work, for work is what costs here."""

    def __init__(self, *, at_once: int, per_address: int) -> None:
        self._at_once = at_once
        self._per_address = per_address
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, address: str) -> Iterator[None]:
        """One turn for this address; raises Throttled where it or everybody together has all there are."""
        with self._lock:
            if self._taken.total() >= self._at_once or self._taken[address] >= self._per_address:
                raise Throttled(
                    "too many files are being verified; try again in a moment", retry_after=RETRY_SECONDS
                )
            self._taken[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[address] -= 1
                if not self._taken[address]:
                    del self._taken[address]
