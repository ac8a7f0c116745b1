"""Where everything stands on a round seal, in shares of its diameter, whether it is drawn as pixels or as paths.

The origin is the upper left corner of the square around the ring; y runs downwards.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seals.impressions.errors import ImpressionTextRefused
from seals.impressions.sizes import MAX_DIAMETER_MM, MIN_DIAMETER_MM
from trust.kernel.text import line

MIN_NAME_CHARACTERS, MAX_NAME_CHARACTERS = 2, 30
MAX_LOWER_CHARACTERS = 16

# The ring's width.
RING = 0.027
# Where the em box stands in the font: the share of it above the baseline.
ABOVE_BASELINE = 0.88
# Heavier strokes than the font's one weight, as a share of the glyph's height.
EMBOLDENING = 0.030

_STAR = 0.30  # from point to point of the star's circle
_GLYPH_HEIGHT = 0.135
_GAP_TO_RING = 0.030
_LOWER_HEIGHT = 0.085
_LOWER_CENTRE = 0.775
# Between the characters of the lower text, as a share of their advance.
_LOWER_SPACING = 1.06
# The name takes at most this arc, and a character never more of it than this.
_MAX_ARC = math.radians(258)
_MAX_ARC_LOWER = math.radians(236)
_MAX_STEP = math.radians(30)
# The share of a character's step that its glyph takes.
_GLYPH_SHARE = 0.86
# Long names are set narrower, down to this ratio of width to height; longer ones smaller as well.
_MIN_CONDENSING = 0.45


@dataclass(frozen=True, kw_only=True)
class RoundSeal:
    """What a round seal says, and how large it is."""

    agency_name: str
    diameter_mm: float
    lower_text: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlacedGlyph:
    """A character whose em square, condensed to `width`, has its middle there, turned clockwise by `turn` radians."""

    character: str
    x: float
    y: float
    turn: float
    width: float
    height: float


def checked(seal: RoundSeal, *, has_glyph: Callable[[str], bool]) -> RoundSeal:
    """The seal with its texts as they are drawn.

    Raises ImpressionTextRefused (a text of the wrong length or with a character the font lacks) and
    InvalidInput (controls, lone surrogates); ValueError for a diameter no rule knows.
    """
    if not MIN_DIAMETER_MM <= seal.diameter_mm <= MAX_DIAMETER_MM:
        raise ValueError(f"a round seal has a diameter of {MIN_DIAMETER_MM} to {MAX_DIAMETER_MM} mm")

    def text(given: str, *, least: int, most: int) -> str:
        cleaned = line(given, what="the seal's text", limit=most)
        if len(cleaned) < least:
            raise ImpressionTextRefused(f"the seal's text has at least {least} characters")
        missing = [f"U+{ord(one):04X}" for one in cleaned if not has_glyph(one)]
        if missing:
            raise ImpressionTextRefused(f"the font has no glyph for {', '.join(missing)}")
        return cleaned

    name = text(seal.agency_name, least=MIN_NAME_CHARACTERS, most=MAX_NAME_CHARACTERS)
    lower = None
    if seal.lower_text is not None:
        lower = text(seal.lower_text, least=1, most=MAX_LOWER_CHARACTERS)
    return RoundSeal(agency_name=name, diameter_mm=seal.diameter_mm, lower_text=lower)


def star() -> list[tuple[float, float]]:
    """A five-pointed star, one point up; the inner corners lie where the long edges cross."""
    outer = _STAR / 2
    inner = outer * math.sin(math.radians(18)) / math.sin(math.radians(54))
    corners = []
    for corner in range(10):
        radius = outer if corner % 2 == 0 else inner
        angle = math.radians(36 * corner - 90)
        corners.append((0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle)))
    return corners


def placed_glyphs(seal: RoundSeal, *, advance: Callable[[str], float]) -> Iterator[PlacedGlyph]:
    """The characters of a checked seal; `advance` gives a character's in ems."""
    yield from _name(seal.agency_name, arc=_MAX_ARC if seal.lower_text is None else _MAX_ARC_LOWER)
    if seal.lower_text is not None:
        yield from _lower_text(seal.lower_text, advance)


def _name(name: str, *, arc: float) -> Iterator[PlacedGlyph]:
    """Characters with their feet towards the centre, evenly along the arc, its middle straight above."""
    rim = 0.5 - RING - _GAP_TO_RING
    step = min(_MAX_STEP, arc / len(name))
    # Neighbours touch first at their feet, so the width is measured on that inner circle: share * (rim - height).
    share = _GLYPH_SHARE * step
    height = min(_GLYPH_HEIGHT, share * rim / (_MIN_CONDENSING + share))
    width = min(height, share * (rim - height))
    radius = rim - height / 2
    for index, character in enumerate(name):
        turn = (index - (len(name) - 1) / 2) * step
        yield PlacedGlyph(
            character=character,
            x=0.5 + radius * math.sin(turn),
            y=0.5 - radius * math.cos(turn),
            turn=turn,
            width=width,
            height=height,
        )


def _lower_text(text: str, advance: Callable[[str], float]) -> Iterator[PlacedGlyph]:
    """Straight below the star, as wide as the circle is there."""
    foot = _LOWER_CENTRE + _LOWER_HEIGHT / 2 - 0.5
    room = 2 * math.sqrt((0.5 - RING - _GAP_TO_RING) ** 2 - foot**2)
    advances = [advance(character) * _LOWER_HEIGHT * _LOWER_SPACING for character in text]
    condensing = min(1.0, room / sum(advances))
    x = (1 - condensing * sum(advances)) / 2
    for character, taken in zip(text, advances, strict=True):
        yield PlacedGlyph(
            character=character,
            x=x + condensing * taken / 2,
            y=_LOWER_CENTRE,
            turn=0.0,
            width=_LOWER_HEIGHT * condensing,
            height=_LOWER_HEIGHT,
        )
        x += condensing * taken
