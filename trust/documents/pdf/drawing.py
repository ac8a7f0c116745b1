"""A drawing of filled and stroked paths, and its operators in a content stream (ISO 32000-1 §8.5)."""

from dataclasses import dataclass
from typing import NamedTuple

from trust.documents.pdf.colours import Rgb, filling, stroking
from trust.documents.pdf.syntax import written_number


class Segment(NamedTuple):
    """A path construction operator, `m`, `l`, `c` or `h`, with the coordinates it takes."""

    operator: str
    points: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A pen: its colour and width; `cap`, `join` and `miter_limit` as in Tables 54 and 55."""

    colour: Rgb
    width: float
    cap: int
    join: int
    miter_limit: float


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A path, filled first and then stroked; `even_odd` is the rule of the fill."""

    segments: tuple[Segment, ...]
    fill: Rgb | None
    even_odd: bool
    stroke: Stroke | None

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of all its points, control points among them, and the pen."""
        across = [x for segment in self.segments for x in segment.points[::2]]
        up = [y for segment in self.segments for y in segment.points[1::2]]
        pen = self.stroke.width / 2 if self.stroke else 0.0
        return min(across) - pen, min(up) - pen, max(across) + pen, max(up) + pen


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Shapes, the first one lowest, in a box whose lower left corner is the origin; y runs upwards."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


def drawing_operators(drawing: Drawing, *, calibrated: bool) -> bytes:
    """The content stream; nothing in it is transparent."""
    lines: list[bytes] = []
    for shape in drawing.shapes:
        if shape.fill is not None:
            lines.append(filling(shape.fill, calibrated=calibrated))
        if shape.stroke is not None:
            lines.append(stroking(shape.stroke.colour, calibrated=calibrated))
            lines.append(
                b"%b w %d J %d j %b M"
                % (
                    written_number(shape.stroke.width),
                    shape.stroke.cap,
                    shape.stroke.join,
                    written_number(shape.stroke.miter_limit),
                )
            )
        lines += map(_written, shape.segments)
        lines.append(_paint(shape))
    return b"\n".join(lines)


def _written(segment: Segment) -> bytes:
    return b" ".join((*map(_coordinate, segment.points), segment.operator.encode("ascii")))


def _coordinate(number: float) -> bytes:
    """Two decimals: a hundredth of a thousandth of the drawing's longer side, under a micrometre in any seal."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return (text if text not in ("-0", "") else "0").encode("ascii")


def _paint(shape: Shape) -> bytes:
    if shape.fill is None:
        return b"S"
    star = b"*" if shape.even_odd else b""
    return (b"f" if shape.stroke is None else b"B") + star
