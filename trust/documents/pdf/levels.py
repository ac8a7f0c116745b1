"""The PAdES baseline levels (ETSI EN 319 142-1 §6)."""

from enum import StrEnum


class Level(StrEnum):
    """B-B: a signature. B-T: with a proven time. B-LT: with all that validates it. B-LTA: that under a timestamp."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"

    def reaches(self, wanted: "Level") -> bool:
        """Whether it is the wanted level or holds it."""
        order = tuple(Level)
        return order.index(self) >= order.index(wanted)
