"""What may be said of the clock that timestamps are made by."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ClockState(StrEnum):
    """How the clock stands; all but TRUSTED and RESUMED stop the authority."""

    TRUSTED = "trusted"  # nobody: tokens are given
    STEPPED_BACK = "stepped-back"  # the clock: trusted again once it is past the time it stepped back from
    JUMPED_AHEAD = "jumped-ahead"  # the clock, by going back to where it was, or the operator, by resuming
    RESUMED = "resumed"  # nobody: an operator said that the clock is right as it is


STOPPED = frozenset({ClockState.STEPPED_BACK, ClockState.JUMPED_AHEAD})


@dataclass(frozen=True, kw_only=True)
class ClockChange:
    """The clock came to a state: what it said, and what was expected of it (for STEPPED_BACK: to be passed)."""

    position: int
    state: ClockState
    clock_at: datetime
    expected_at: datetime


@dataclass(frozen=True, kw_only=True)
class ClockStanding:
    """How the clock stands now."""

    state: ClockState
    clock_at: datetime
    expected_at: datetime
    changes: tuple[ClockChange, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether tokens are given."""
        return self.state not in STOPPED
