"""A plain round official seal: a red ring, a star in the middle, the agency's name on the arc above it.

    picture = draw_round_seal(RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=45))

Drawn as 国发〔1999〕25号 describes it: the name runs from left to right over the star. An optional lower text
(a use, such as 行政审批专用章, or a number) stands straight below the star. The same seal gives the same pixels.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageChops, ImageDraw, ImageFont

from seals.impressions.errors import ImpressionTextRefused
from seals.impressions.picture import ImpressionPicture, encode_png
from seals.impressions.sizes import MAX_DIAMETER_MM, MIN_DIAMETER_MM
from trust.kernel.text import line

# The red of seal paste (印泥), deep enough to be read as dark grey on a black-and-white print.
INK = (213, 27, 33)
# At 400 dpi a 45 mm seal is 709 pixels: crisp in print, and light inside every sealed document.
DOTS_PER_INCH = 400
# Drawn this many times larger, then reduced: smooth edges without any drawing library's own smoothing.
OVERSAMPLING = 3
MIN_NAME_CHARACTERS, MAX_NAME_CHARACTERS = 2, 30
MAX_LOWER_CHARACTERS = 16

# The simplified Chinese face in the collection.
_FONT_INDEX = 2
# Measures as shares of the diameter.
_RING = 0.027
_STAR = 0.30  # from point to point of the star's circle
_GLYPH_HEIGHT = 0.135
_GAP_TO_RING = 0.030
_LOWER_HEIGHT = 0.085
_LOWER_CENTRE = 0.775
# The name takes at most this arc, and a character never more of it than this.
_MAX_ARC = math.radians(258)
_MAX_ARC_LOWER = math.radians(236)
_MAX_STEP = math.radians(30)
# The share of a character's step that its glyph takes.
_GLYPH_SHARE = 0.86
# Long names are set narrower, down to this ratio of width to height; longer ones smaller as well.
_MIN_CONDENSING = 0.45
# Where the em box stands in this font: the share of it above the baseline.
_ABOVE_BASELINE = 0.88
# Heavier strokes than the font's one weight, as a share of the glyph's height.
_EMBOLDENING = 0.030


@dataclass(frozen=True, kw_only=True)
class RoundSeal:
    """What a round seal says, and how large it is."""

    agency_name: str
    diameter_mm: float
    lower_text: str | None = None


def draw_round_seal(seal: RoundSeal) -> ImpressionPicture:
    """The impression on a transparent background, at DOTS_PER_INCH.

    Raises ImpressionTextRefused (a text of the wrong length or with a character the font lacks) and
    InvalidInput (controls, lone surrogates); ValueError for a diameter no rule knows.
    """
    if not MIN_DIAMETER_MM <= seal.diameter_mm <= MAX_DIAMETER_MM:
        raise ValueError(f"a round seal has a diameter of {MIN_DIAMETER_MM} to {MAX_DIAMETER_MM} mm")
    name = _text(seal.agency_name, least=MIN_NAME_CHARACTERS, most=MAX_NAME_CHARACTERS)
    lower = None
    if seal.lower_text is not None:
        lower = _text(seal.lower_text, least=1, most=MAX_LOWER_CHARACTERS)

    # 1. The ink as one grey mask, enlarged.
    side = round(seal.diameter_mm / 25.4 * DOTS_PER_INCH)
    large = side * OVERSAMPLING
    ink = Image.new("L", (large, large), 0)
    _draw_ring(ink)
    _draw_star(ink)
    _draw_name(ink, name, arc=_MAX_ARC if lower is None else _MAX_ARC_LOWER)
    if lower is not None:
        _draw_lower_text(ink, lower)

    # 2. Reduced, and given its colour: the mask is the alpha.
    alpha = ink.resize((side, side), Image.Resampling.BOX)
    picture = Image.new("RGBA", (side, side), (*INK, 0))
    picture.putalpha(alpha)
    return ImpressionPicture(
        png=encode_png(picture),
        width_px=side,
        height_px=side,
        width_mm=float(seal.diameter_mm),
        height_mm=float(seal.diameter_mm),
    )


def _text(text: str, *, least: int, most: int) -> str:
    cleaned = line(text, what="the seal's text", limit=most)
    if len(cleaned) < least:
        raise ImpressionTextRefused(f"the seal's text has at least {least} characters")
    missing = [f"U+{ord(one):04X}" for one in cleaned if not _has_glyph(one)]
    if missing:
        raise ImpressionTextRefused(f"the font has no glyph for {', '.join(missing)}")
    return cleaned


def _draw_ring(ink: Image.Image) -> None:
    side = ink.width
    draw = ImageDraw.Draw(ink)
    draw.ellipse((0, 0, side - 1, side - 1), fill=255)
    inner = round(side * _RING)
    draw.ellipse((inner, inner, side - 1 - inner, side - 1 - inner), fill=0)


def _draw_star(ink: Image.Image) -> None:
    """A five-pointed star, one point up; the inner corners lie where the long edges cross."""
    centre, outer = ink.width / 2, ink.width * _STAR / 2
    inner = outer * math.sin(math.radians(18)) / math.sin(math.radians(54))
    corners = []
    for corner in range(10):
        radius = outer if corner % 2 == 0 else inner
        angle = math.radians(36 * corner - 90)
        corners.append((centre + radius * math.cos(angle), centre + radius * math.sin(angle)))
    ImageDraw.Draw(ink).polygon(corners, fill=255)


def _draw_name(ink: Image.Image, name: str, *, arc: float) -> None:
    """Characters with their feet towards the centre, evenly along the arc, its middle straight above."""
    rim = ink.width * (0.5 - _RING - _GAP_TO_RING)
    step = min(_MAX_STEP, arc / len(name))
    # Neighbours touch first at their feet, so the width is measured on that inner circle: share * (rim - height).
    share = _GLYPH_SHARE * step
    height = min(ink.width * _GLYPH_HEIGHT, share * rim / (_MIN_CONDENSING + share))
    width = min(height, share * (rim - height))
    radius = rim - height / 2
    for index, character in enumerate(name):
        angle = (index - (len(name) - 1) / 2) * step
        glyph = _glyph(character, round(width), round(height))
        turned = glyph.rotate(-math.degrees(angle), Image.Resampling.BICUBIC, expand=True)
        x = ink.width / 2 + radius * math.sin(angle)
        y = ink.width / 2 - radius * math.cos(angle)
        _lay(ink, turned, x, y)


def _draw_lower_text(ink: Image.Image, text: str) -> None:
    """Straight below the star, as wide as the circle is there."""
    height = ink.width * _LOWER_HEIGHT
    centre_y = ink.width * _LOWER_CENTRE
    foot = centre_y + height / 2 - ink.width / 2
    inside = ink.width * (0.5 - _RING - _GAP_TO_RING)
    room = 2 * math.sqrt(inside**2 - foot**2)
    advances = [_font(round(height)).getlength(character) * 1.06 for character in text]
    condensing = min(1.0, room / sum(advances))
    x = (ink.width - condensing * sum(advances)) / 2
    for character, advance in zip(text, advances, strict=True):
        glyph = _glyph(character, round(height * condensing), round(height))
        _lay(ink, glyph, x + condensing * advance / 2, centre_y)
        x += condensing * advance


def _lay(ink: Image.Image, glyph: Image.Image, x: float, y: float) -> None:
    """Adds a glyph with its centre there; where masks meet, the darker stays."""
    left, top = round(x - glyph.width / 2), round(y - glyph.height / 2)
    box = (left, top, left + glyph.width, top + glyph.height)
    ink.paste(ImageChops.lighter(ink.crop(box), glyph), box)


def _glyph(character: str, width: int, height: int) -> Image.Image:
    """One character's full square (the em box), condensed to the given width."""
    square = Image.new("L", (height, height), 0)
    ImageDraw.Draw(square).text(
        (height / 2, height * _ABOVE_BASELINE),
        character,
        fill=255,
        font=_font(height),
        anchor="ms",
        stroke_width=height * _EMBOLDENING / 2,
    )
    return square.resize((width, height), Image.Resampling.LANCZOS)


def _has_glyph(character: str) -> bool:
    """A character without a glyph is drawn as the font's box for missing ones, pixel for pixel."""
    font = _font(64)
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask("\U0010fffe"))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The plain layout engine: one character at a time needs no shaping, and every build of Pillow has it.
    return ImageFont.truetype(str(FONT_PATH), size, index=_FONT_INDEX, layout_engine=ImageFont.Layout.BASIC)
