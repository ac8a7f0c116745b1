"""An impression from a stranger's SVG: a drawing of the kind that is taken, checked as a picture is.

What of SVG is taken, and the reader, are those of sealed documents (`trust.documents.pdf.svg`): what is accepted
here is drawn there.
"""

from dataclasses import dataclass, field

from PIL import Image, ImageChops, ImageDraw

from seals.impressions.errors import ImpressionRefused, ImpressionTooLarge
from seals.impressions.picture import MIN_CLEAR_SHARE, MIN_INKED_SHARE, check_shown_size
from trust.documents.pdf import ImpressionRefused as DrawingRefused
from trust.documents.pdf.drawing import Drawing, Segment, Shape
from trust.documents.pdf.svg import MAX_SVG_BYTES, read_svg

# How finely it is looked at whether a drawing covers what is below it: a tenth of a millimetre in most seals.
_CELLS = 400
_STEPS_A_CURVE = 8
# Thirty characters have three hundred outlines; each is looked at on the whole grid.
MAX_OUTLINES = 2_000


@dataclass(frozen=True, kw_only=True)
class ImpressionDrawing:
    """A checked drawing: the SVG, and the size in millimetres at which it is shown."""

    svg: bytes = field(repr=False)
    width_mm: float
    height_mm: float


def read_impression_drawing(svg: bytes, *, width_mm: float, height_mm: float) -> ImpressionDrawing:
    """Reads an SVG drawing, to be shown at the given size.

    Raises ImpressionTooLarge over MAX_SVG_BYTES, ImpressionRefused for anything else that a seal cannot be made
    with: not of the SVG that is taken, covering what is below it, nearly empty, distorted.
    """
    if len(svg) > MAX_SVG_BYTES:
        raise ImpressionTooLarge(f"a drawing has at most {MAX_SVG_BYTES} octets")
    try:
        drawing = read_svg(svg)
    except DrawingRefused as error:
        raise ImpressionRefused(str(error)) from error
    check_shown_size(drawing.width, drawing.height, width_mm, height_mm)
    if sum(segment.operator == "m" for shape in drawing.shapes for segment in shape.segments) > MAX_OUTLINES:
        raise ImpressionRefused(f"a drawing has at most {MAX_OUTLINES} separate outlines")
    share = covered_share(drawing)
    if share > 1 - MIN_CLEAR_SHARE:
        raise ImpressionRefused("the drawing covers what is below it; leave its background away")
    if share < MIN_INKED_SHARE:
        raise ImpressionRefused("the drawing shows nothing")
    return ImpressionDrawing(svg=svg, width_mm=width_mm, height_mm=height_mm)


def covered_share(drawing: Drawing) -> float:
    """About how much of its box a drawing paints, in any colour; 0 to 1.

    Looked at on a grid, curves as chords; where a line crosses itself, both fill rules are taken as even and odd.
    """
    scale = _CELLS / max(drawing.width, drawing.height)
    size = max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale))
    painted = Image.new("1", size, 0)
    for shape in drawing.shapes:
        parts = [
            [(x * scale, y * scale) for x, y in part] for part in _parts(shape.segments) if len(part) > 1
        ]
        if shape.fill is not None and len(parts) == 1:
            # Nothing to turn inside out: drawn at once, for a drawing of many small shapes is the usual one.
            ImageDraw.Draw(painted).polygon(parts[0], fill=255)
        elif shape.fill is not None:
            painted = ImageChops.logical_or(painted, _filled(shape, parts, size))
        if shape.stroke is not None:
            pen = ImageDraw.Draw(painted)
            for part in parts:
                pen.line(part, fill=255, width=max(1, round(shape.stroke.width * scale)))
    return sum(painted.histogram()[1:]) / (size[0] * size[1])


def _filled(shape: Shape, parts: list[list[tuple[float, float]]], size: tuple[int, int]) -> Image.Image:
    """Parts laid over one another: each changes inside to outside, or for the other rule adds its turns."""
    turns = Image.new("L", size, 128)
    inside = Image.new("1", size, 0)
    for part in parts:
        mask = Image.new("1", size, 0)
        ImageDraw.Draw(mask).polygon(part, fill=255)
        if shape.even_odd:
            inside = ImageChops.logical_xor(inside, mask)
        else:
            one = mask.convert("L").point(lambda value: 1 if value else 0)
            turns = ImageChops.add(turns, one) if _area(part) > 0 else ImageChops.subtract(turns, one)
    return inside if shape.even_odd else turns.point(lambda value: 255 if value != 128 else 0).convert("1")


def _area(part: list[tuple[float, float]]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(part, [*part[1:], part[0]], strict=True))


def _parts(segments: tuple[Segment, ...]) -> list[list[tuple[float, float]]]:
    """The subpaths as corners."""
    parts: list[list[tuple[float, float]]] = []
    for segment in segments:
        points = list(zip(segment.points[::2], segment.points[1::2], strict=True))
        match segment.operator:
            case "m":
                parts.append(points)
            case "l":
                parts[-1] += points
            case "c":
                parts[-1] += _chords(parts[-1][-1], *points)
            case _:
                # What follows a closed part, if it is no move, begins where that one began.
                parts[-1].append(parts[-1][0])
                parts.append([parts[-1][0]])
    return parts


def _chords(*points: tuple[float, float]) -> list[tuple[float, float]]:
    found = []
    for step in range(1, _STEPS_A_CURVE + 1):
        share = step / _STEPS_A_CURVE
        rest = 1 - share
        weights = (rest**3, 3 * rest * rest * share, 3 * rest * share * share, share**3)
        x, y = (sum(w * p[axis] for w, p in zip(weights, points, strict=True)) for axis in (0, 1))
        found.append((x, y))
    return found
