"""A story as a picture: one lane for each part of the house, one mark for each event, joined in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.supervision.words import LANES, Lane, lane_of
from trust.ledger.supervision.replay import ReplayStep
from trust.verify.texts import Language

STEP: Final = 22
LANE_HEIGHT: Final = 40
LEFT: Final = 96
# A picture of more marks than this is a bar; the list below it has them all.
MAX_MARKS: Final = 120


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One event: its place in the picture, its number in the list, and whether it was refused."""

    number: int
    x: int
    y: int
    lane: str
    refused: bool


@dataclass(frozen=True, kw_only=True)
class LaneLine:
    """One lane: its word and its height."""

    name: str
    words: str
    y: int


@dataclass(frozen=True, kw_only=True)
class StoryPicture:
    """The whole picture, in units of the SVG."""

    width: int
    height: int
    left: int
    lanes: tuple[LaneLine, ...]
    marks: tuple[Mark, ...]
    path: str


def picture_of(steps: Sequence[ReplayStep], language: Language) -> StoryPicture | None:
    """The picture of a story; None where there is nothing to be seen, or too much."""
    if not 1 < len(steps) <= MAX_MARKS:
        return None
    used = [lane for lane in Lane if any(lane_of(step.event.act) is lane for step in steps)]
    heights = {lane: LANE_HEIGHT // 2 + number * LANE_HEIGHT for number, lane in enumerate(used)}
    marks = tuple(
        Mark(
            number=number,
            x=LEFT + STEP // 2 + (number - 1) * STEP,
            y=heights[lane_of(step.event.act)],
            lane=lane_of(step.event.act).value,
            refused=step.event.outcome.value == "refused",
        )
        for number, step in enumerate(steps, 1)
    )
    return StoryPicture(
        width=LEFT + len(steps) * STEP + STEP // 2,
        height=len(used) * LANE_HEIGHT,
        left=LEFT,
        lanes=tuple(
            LaneLine(name=lane.value, words=LANES[lane].in_language(language), y=heights[lane])
            for lane in used
        ),
        marks=marks,
        path=" ".join(f"{'L' if number else 'M'}{mark.x} {mark.y}" for number, mark in enumerate(marks)),
    )
