"""The outlines of characters from the font that seals are drawn with, as SVG path data."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# The simplified Chinese face in the collection.
FONT_INDEX: Final = 2
# The font is read from its file as it is asked for; two threads would read in each other's places.
_READING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Where to draw a character's glyph: the matrix (a, b, c, d, e, f) from ems, y upwards, to where it is drawn."""

    character: str
    matrix: tuple[float, float, float, float, float, float]


def path_data(outlines: Iterable[Outline]) -> list[str]:
    """The path data of each, in absolute coordinates to a tenth; empty where a glyph has no outline.

    The characters are known to be in the font.
    """
    # Not at import: the reader and the font of 19 MB are for those who draw a seal.
    from fontTools.pens.svgPathPen import SVGPathPen  # noqa: PLC0415  # costs 0.1 s
    from fontTools.pens.transformPen import TransformPen  # noqa: PLC0415
    from fontTools.ttLib import TTFont  # noqa: PLC0415
    from noto_cjk_sans_otc import FONT_PATH  # noqa: PLC0415

    drawn: list[str] = []
    with _READING, TTFont(FONT_PATH, fontNumber=FONT_INDEX, lazy=True) as font:
        glyphs, names, em = font.getGlyphSet(), font.getBestCmap(), font["head"].unitsPerEm
        for outline in outlines:
            a, b, c, d, e, f = outline.matrix
            pen = SVGPathPen(glyphs, ntos=_written)
            scaled = (a / em, b / em, c / em, d / em, e, f)
            glyphs[names[ord(outline.character)]].draw(TransformPen(pen, scaled))
            drawn.append(pen.getCommands())
    return drawn


def _written(number: float) -> str:
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
