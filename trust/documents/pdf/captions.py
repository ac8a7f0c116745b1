"""Lines of text below an impression, such as who sealed and when, in an embedded font."""

from dataclasses import dataclass

from trust.documents.pdf.colours import BLACK, Rgb, filling
from trust.documents.pdf.errors import CaptionRefused
from trust.documents.pdf.fonts import FontSubset, font_subset
from trust.documents.pdf.placement import POINTS_PER_MILLIMETRE, Size, Spot
from trust.documents.pdf.syntax import written_number
from trust.kernel.text import line

MAX_LINES = 4
MAX_LINE_CHARACTERS = 60
# Below it nobody reads, above it it is no caption.
MIN_SIZE_PT, MAX_SIZE_PT = 4.0, 24.0
# From the foot of one line to that of the next, as a share of the size; the gap to the impression likewise.
_LEADING = 1.25
_GAP = 0.25


@dataclass(frozen=True, kw_only=True)
class Caption:
    """One to four lines, centred below the impression, which stays where it was put.

    `size_pt` is in points of 1/72 inch on paper, whatever the page's unit.
    """

    lines: tuple[str, ...]
    size_pt: float = 9.0
    colour: Rgb = BLACK


@dataclass(frozen=True, kw_only=True)
class SetCaption:
    """A caption whose glyphs are chosen: the lines, the font, the room it takes."""

    lines: tuple[str, ...]
    size_pt: float
    colour: Rgb
    font: FontSubset
    room: Size


def set_caption(caption: Caption) -> SetCaption:
    """Chooses the glyphs; raises CaptionRefused, also for characters that the font lacks, and InvalidInput."""
    if not 1 <= len(caption.lines) <= MAX_LINES:
        raise CaptionRefused(f"a caption has 1 to {MAX_LINES} lines")
    if not MIN_SIZE_PT <= caption.size_pt <= MAX_SIZE_PT:
        raise CaptionRefused(f"a caption is set in {MIN_SIZE_PT:g} to {MAX_SIZE_PT:g} points")
    if not all(0 <= part <= 255 for part in caption.colour):
        raise CaptionRefused("a colour has three parts from 0 to 255")
    lines = tuple(line(text, what="the caption", limit=MAX_LINE_CHARACTERS) for text in caption.lines)
    font = font_subset("".join(lines))
    widest = max(map(font.width, lines)) / 1000
    height = len(lines) * _LEADING + _GAP
    points = caption.size_pt / POINTS_PER_MILLIMETRE
    return SetCaption(
        lines=lines,
        size_pt=caption.size_pt,
        colour=caption.colour,
        font=font,
        room=Size(width_mm=widest * points, height_mm=height * points),
    )


def caption_operators(caption: SetCaption, spot: Spot, *, calibrated: bool) -> bytes:
    """The text in the spot's own space, by the font /Caption and, where calibrated, the colour space /Ink."""
    size = caption.size_pt / POINTS_PER_MILLIMETRE * spot.unit
    below = size * _LEADING
    # The em box of the lowest line stands in the middle of its leading.
    foot = (below - size) / 2 - caption.font.descent / 1000 * size
    shown = []
    for at, text in enumerate(reversed(caption.lines)):
        x = (spot.width - caption.font.width(text) / 1000 * size) / 2
        shown.append(
            b"1 0 0 1 %b %b Tm %b Tj"
            % (written_number(x), written_number(foot + at * below), caption.font.encoded(text))
        )
    return b"q BT %b /Caption %b Tf %b ET Q" % (
        filling(caption.colour, calibrated=calibrated),
        written_number(size),
        b" ".join(shown[::-1]),
    )
