"""A plain round official seal: a red ring, a star in the middle, the agency's name on the arc above it.

    picture = draw_round_seal(RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=45))
    drawing = draw_round_seal_as_svg(RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=45))

Drawn as 国发〔1999〕25号 describes it: the name runs from left to right over the star. An optional lower text
(a use, such as 行政审批专用章, or a number) stands straight below the star. The same seal gives the same pixels,
and the same paths.
"""

import math
from functools import lru_cache

from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageChops, ImageDraw, ImageFont

from seals.impressions.drawing import ImpressionDrawing
from seals.impressions.outlines import FONT_INDEX, Outline, path_data
from seals.impressions.picture import ImpressionPicture, encode_png
from seals.impressions.round_layout import (
    ABOVE_BASELINE,
    EMBOLDENING,
    RING,
    PlacedGlyph,
    RoundSeal,
    checked,
    placed_glyphs,
    star,
)

__all__ = ["DOTS_PER_INCH", "INK", "RoundSeal", "draw_round_seal", "draw_round_seal_as_svg"]

# The red of seal paste (印泥), deep enough to be read as dark grey on a black-and-white print.
INK = (213, 27, 33)
# At 400 dpi a 45 mm seal is 709 pixels: crisp in print, and light inside every sealed document.
DOTS_PER_INCH = 400
# Drawn this many times larger, then reduced: smooth edges without any drawing library's own smoothing.
OVERSAMPLING = 3
# The side of the SVG's box: a tenth of a unit is six micrometres in the largest seal.
_SIDE = 1000.0


def draw_round_seal(seal: RoundSeal) -> ImpressionPicture:
    """The impression on a transparent background, at DOTS_PER_INCH.

    Raises ImpressionTextRefused (a text of the wrong length or with a character the font lacks) and
    InvalidInput (controls, lone surrogates); ValueError for a diameter no rule knows.
    """
    seal = checked(seal, has_glyph=_has_glyph)

    # 1. The ink as one grey mask, enlarged.
    side = round(seal.diameter_mm / 25.4 * DOTS_PER_INCH)
    large = side * OVERSAMPLING
    ink = Image.new("L", (large, large), 0)
    _draw_ring(ink)
    ImageDraw.Draw(ink).polygon([(x * large, y * large) for x, y in star()], fill=255)
    for placed in placed_glyphs(seal, advance=_advance):
        glyph = _glyph(placed.character, round(placed.width * large), round(placed.height * large))
        if placed.turn:
            glyph = glyph.rotate(-math.degrees(placed.turn), Image.Resampling.BICUBIC, expand=True)
        _lay(ink, glyph, placed.x * large, placed.y * large)

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


def draw_round_seal_as_svg(seal: RoundSeal) -> ImpressionDrawing:
    """The same seal as a drawing, its characters as outlines: sharp at every size, and no transparency in it.

    Raises as `draw_round_seal` does.
    """
    seal = checked(seal, has_glyph=_has_glyph)
    placed = list(placed_glyphs(seal, advance=_advance))
    colour = "#{:02x}{:02x}{:02x}".format(*INK)
    corners = " ".join(f"{x * _SIDE:.1f},{y * _SIDE:.1f}" for x, y in star())
    glyphs = [
        f'<path stroke-width="{glyph.height * _SIDE * EMBOLDENING:.1f}" d="{data}"/>'
        for glyph, data in zip(placed, path_data(map(_outline, placed)), strict=True)
        if data
    ]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE:g} {_SIDE:g}">'
        f'<circle cx="{_SIDE / 2:g}" cy="{_SIDE / 2:g}" r="{_SIDE * (1 - RING) / 2:g}"'
        f' fill="none" stroke="{colour}" stroke-width="{_SIDE * RING:g}"/>'
        f'<polygon points="{corners}" fill="{colour}"/>'
        f'<g fill="{colour}" stroke="{colour}" stroke-linejoin="round">{"".join(glyphs)}</g></svg>'
    )
    return ImpressionDrawing(
        svg=svg.encode("ascii"), width_mm=float(seal.diameter_mm), height_mm=float(seal.diameter_mm)
    )


def _outline(glyph: PlacedGlyph) -> Outline:
    """From the em square, its origin at the left of the baseline, to the square's place on the seal."""
    across, up = glyph.width * _SIDE, glyph.height * _SIDE
    sine, cosine = math.sin(glyph.turn), math.cos(glyph.turn)
    # The middle of the advance stands in the middle of the square, the baseline where pixels have it.
    from_left, below = -_advance(glyph.character) / 2 * across, (ABOVE_BASELINE - 0.5) * up
    return Outline(
        character=glyph.character,
        matrix=(
            cosine * across,
            sine * across,
            sine * up,
            -cosine * up,
            glyph.x * _SIDE + cosine * from_left - sine * below,
            glyph.y * _SIDE + sine * from_left + cosine * below,
        ),
    )


def _draw_ring(ink: Image.Image) -> None:
    side = ink.width
    draw = ImageDraw.Draw(ink)
    draw.ellipse((0, 0, side - 1, side - 1), fill=255)
    inner = round(side * RING)
    draw.ellipse((inner, inner, side - 1 - inner, side - 1 - inner), fill=0)


def _lay(ink: Image.Image, glyph: Image.Image, x: float, y: float) -> None:
    """Adds a glyph with its centre there; where masks meet, the darker stays."""
    left, top = round(x - glyph.width / 2), round(y - glyph.height / 2)
    box = (left, top, left + glyph.width, top + glyph.height)
    ink.paste(ImageChops.lighter(ink.crop(box), glyph), box)


def _glyph(character: str, width: int, height: int) -> Image.Image:
    """One character's full square (the em box), condensed to the given width."""
    square = Image.new("L", (height, height), 0)
    ImageDraw.Draw(square).text(
        (height / 2, height * ABOVE_BASELINE),
        character,
        fill=255,
        font=_font(height),
        anchor="ms",
        stroke_width=height * EMBOLDENING / 2,
    )
    return square.resize((width, height), Image.Resampling.LANCZOS)


def _advance(character: str) -> float:
    """A character's advance in ems; the font has a thousand units in one."""
    return _font(1000).getlength(character) / 1000


def _has_glyph(character: str) -> bool:
    """A character without a glyph is drawn as the font's box for missing ones, pixel for pixel."""
    font = _font(64)
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask("\U0010fffe"))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The plain layout engine: one character at a time needs no shaping, and every build of Pillow has it.
    return ImageFont.truetype(str(FONT_PATH), size, index=FONT_INDEX, layout_engine=ImageFont.Layout.BASIC)
