"""Diameters of official round seals by the rank of who holds them; the numbers are in `sizes.json`."""

import json
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

# What is refused whatever the rank: below it no name is readable, above it no rule knows a seal.
MIN_DIAMETER_MM = 20
MAX_DIAMETER_MM = 60


class SealRank(StrEnum):
    """Who holds an official seal, as 国发〔1999〕25号 tells them apart."""

    STATE_COUNCIL = "state_council"
    PROVINCE_OR_MINISTRY = "province_or_ministry"
    PREFECTURE_OR_COUNTY = "prefecture_or_county"
    TOWNSHIP = "township"
    INTERNAL_BODY = "internal_body"
    ENTERPRISE_OR_INSTITUTION = "enterprise_or_institution"


@dataclass(frozen=True, kw_only=True)
class RoundSize:
    """The diameter of a rank's seal in millimetres; where it is an upper bound, smaller is allowed too."""

    diameter_mm: int
    is_upper_bound: bool

    def allows(self, diameter_mm: float) -> bool:
        if self.is_upper_bound:
            return MIN_DIAMETER_MM <= diameter_mm <= self.diameter_mm
        return diameter_mm == self.diameter_mm


def round_size(rank: SealRank) -> RoundSize:
    """The size of a rank's round seal."""
    table = json.loads(files(__package__).joinpath("sizes.json").read_text("utf-8"))
    return RoundSize(
        diameter_mm=table["round_diameter_mm"][rank.value],
        is_upper_bound=rank.value in table["is_upper_bound"],
    )
