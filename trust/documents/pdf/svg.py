"""An impression from a stranger's SVG: a small part of SVG 1.1, and everything else refused with its reason.

Taken: `svg`, `g`, `path`, `circle`, `ellipse`, `rect`, `polygon`, `polyline`, `line`, with `transform` and the
properties of fills and strokes, as attributes or in `style`; `title`, `desc` and an empty `defs` are passed over.
Not taken: text (turn it into paths), pictures, references of any kind, scripts, style sheets, animation,
gradients, masks, transparency, document types and entities. The reader is expat with a hand of its own on every
event: nothing is ever fetched or expanded.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from xml.parsers import expat

from trust.documents.pdf.colours import BLACK, Rgb
from trust.documents.pdf.drawing import Drawing, Segment, Shape, Stroke
from trust.documents.pdf.errors import ImpressionRefused
from trust.documents.pdf.svg_colours import colour
from trust.documents.pdf.svg_paths import (
    IDENTITY,
    Matrix,
    ellipse,
    number,
    numbers,
    path,
    rectangle,
    transform,
)

# A round seal with thirty characters as outlines has 60 KB and two thousand segments.
MAX_SVG_BYTES = 512 * 1024
MAX_SEGMENTS = 40_000
MAX_ELEMENTS = 4_000
# Drawing programs nest a few groups.
MAX_DEPTH = 16
# The longer side of every drawing in its own units.
_SIDE = 1000.0
_MAX_ASPECT = 10.0
# Thirty times the drawing's side; PDF/A-1 takes no number above 32,767 (ISO 19005-1 §6.1.12).
_FARTHEST = 32_000.0

Choice = TypeVar("Choice")

_NAMESPACE = "http://www.w3.org/2000/svg"
_SHAPES: Mapping[str, frozenset[str]] = {
    "path": frozenset({"d"}),
    "circle": frozenset({"cx", "cy", "r"}),
    "ellipse": frozenset({"cx", "cy", "rx", "ry"}),
    "rect": frozenset({"x", "y", "width", "height", "rx", "ry"}),
    "polygon": frozenset({"points"}),
    "polyline": frozenset({"points"}),
    "line": frozenset({"x1", "y1", "x2", "y2"}),
}
_ROOT = frozenset({"width", "height", "viewBox", "version", "baseProfile"})
_PASSED_OVER = frozenset({"title", "desc", "defs"})
_PROPERTIES = frozenset(
    {
        *("fill", "fill-rule", "stroke", "stroke-width"),
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit"),
    }
)
# What drawing programs write although it changes nothing.
_WITHOUT_EFFECT: Mapping[str, frozenset[str]] = {
    "opacity": frozenset({"1", "1.0", "100%"}),
    "fill-opacity": frozenset({"1", "1.0", "100%"}),
    "stroke-opacity": frozenset({"1", "1.0", "100%"}),
    "stroke-dasharray": frozenset({"none"}),
    "stroke-dashoffset": frozenset({"0"}),
    "display": frozenset({"inline"}),
    "visibility": frozenset({"visible"}),
    "paint-order": frozenset({"normal"}),
}
_CAPS = {"butt": 0, "round": 1, "square": 2}
_JOINS = {"miter": 0, "round": 1, "bevel": 2}


def read_svg(svg: bytes) -> Drawing:
    """The drawing, its longer side 1000 units; raises ImpressionRefused with what is not taken."""
    if len(svg) > MAX_SVG_BYTES:
        raise ImpressionRefused(f"the drawing has {len(svg)} octets; at most {MAX_SVG_BYTES} are taken")
    reader = _Reader()
    # The encoding is ours to say: a declaration cannot choose another.
    parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.EntityDeclHandler = _refuse_document_type
    parser.ProcessingInstructionHandler = _refuse_instruction
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(svg, True)
    except expat.ExpatError as error:
        raise ImpressionRefused(f"the drawing is not well-formed XML (line {error.lineno})") from error
    return reader.drawing()


def _refuse_document_type(*_declaration: object) -> None:
    raise ImpressionRefused("the drawing has a document type or entities; save it without")


def _refuse_instruction(*_instruction: object) -> None:
    raise ImpressionRefused(
        "the drawing has a processing instruction, such as a style sheet; save it without"
    )


@dataclass(frozen=True, kw_only=True)
class _Style:
    """What an element hands down to those within it."""

    matrix: Matrix = IDENTITY
    fill: Rgb | None = BLACK
    even_odd: bool = False
    stroke: Rgb | None = None
    stroke_width: float = 1.0
    cap: int = 0
    join: int = 0
    miter_limit: float = 4.0


class _Reader:
    """Takes the parser's events one by one; `drawing` gives what they made."""

    def __init__(self) -> None:
        self._styles: list[_Style] = []
        self._shapes: list[Shape] = []
        self._within_words = 0
        self._elements = self._segments = 0
        self._width = self._height = 0.0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise ImpressionRefused(f"the drawing has more than {MAX_ELEMENTS} elements")
        namespace, _, local = name.rpartition(" ")
        if self._within_words:
            raise ImpressionRefused("the drawing has elements within its title, description or definitions")
        if namespace != _NAMESPACE:
            raise ImpressionRefused(
                f"the drawing has an element {local[:40]!r} that is not SVG; save it as plain SVG"
            )
        if local in _PASSED_OVER and self._styles:
            self._within_words = 1
            return
        if len(self._styles) >= MAX_DEPTH:
            raise ImpressionRefused(f"the drawing is nested deeper than {MAX_DEPTH} levels")
        given = _plain(local, attributes)
        if not self._styles:
            if local != "svg":
                raise ImpressionRefused(f"the drawing begins with {local[:40]!r} and not with 'svg'")
            self._styles.append(_styled(_Style(matrix=self._take_box(given)), given))
            return
        style = _styled(self._styles[-1], given)
        self._styles.append(style)
        if local in _SHAPES:
            self._draw(local, given, style)
        elif local != "g":
            raise ImpressionRefused(f"the drawing has an element {local[:40]!r}, which is not taken")

    def end(self, _name: str) -> None:
        if self._within_words:
            self._within_words = 0
        else:
            self._styles.pop()

    def text(self, text: str) -> None:
        if not self._within_words and text.strip():
            raise ImpressionRefused("the drawing holds text; turn it into paths")

    def drawing(self) -> Drawing:
        box = (self._width, self._height)
        if not any(_is_within(shape, *box) for shape in self._shapes):
            raise ImpressionRefused("the drawing shows nothing within its box")
        return Drawing(width=self._width, height=self._height, shapes=tuple(self._shapes))

    def _take_box(self, given: Mapping[str, str]) -> Matrix:
        """Reads the root's box; gives the matrix from it, y downwards, to ours, y upwards."""
        if odd := given.keys() - _ROOT - _PROPERTIES - {"id"}:
            raise ImpressionRefused(
                f"the drawing's root has an attribute {min(odd)[:40]!r}, which is not taken"
            )
        if "viewBox" in given:
            box = numbers(given["viewBox"], what="viewBox")
        else:
            box = [0.0, 0.0, _length(given, "width"), _length(given, "height")]
        if len(box) != 4 or min(box[2:]) <= 0 or max(box[2:]) / min(box[2:]) > _MAX_ASPECT:
            raise ImpressionRefused(
                f"the drawing needs a viewBox with a width and height above zero, at most 1 to {_MAX_ASPECT:g}"
            )
        left, top, width, height = box
        unit = _SIDE / max(width, height)
        self._width, self._height = width * unit, height * unit
        return Matrix(unit, 0, 0, -unit, -left * unit, (top + height) * unit)

    def _draw(self, kind: str, given: Mapping[str, str], style: _Style) -> None:
        segments: list[Segment] = []
        for segment in _outline(kind, given):
            self._segments += 1
            if self._segments > MAX_SEGMENTS:
                raise ImpressionRefused(f"the drawing has more than {MAX_SEGMENTS} segments of paths")
            segments.append(_moved(segment, style.matrix))
        fill = None if kind == "line" else style.fill
        stroke = _stroke(style)
        if not segments or (fill is None and stroke is None):
            return
        self._shapes.append(
            Shape(segments=tuple(segments), fill=fill, even_odd=style.even_odd, stroke=stroke)
        )


def _plain(element: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes with those of `style` among them, which come before presentation attributes (§6.4)."""
    given = dict(attributes)
    for declaration in given.pop("style", "").split(";"):
        if declaration.strip():
            name, colon, value = declaration.partition(":")
            if not colon or name.strip() not in {*_PROPERTIES, *_WITHOUT_EFFECT}:
                raise ImpressionRefused(
                    f"the drawing has a style {declaration.strip()[:40]!r}, which is not taken"
                )
            given[name.strip()] = value.strip()
    for name, harmless in _WITHOUT_EFFECT.items():
        if name in given and given.pop(name).strip() not in harmless:
            raise ImpressionRefused(
                f"the drawing has {name}; an impression is drawn in full colours and whole lines"
            )
    allowed = {"id"} | _PROPERTIES | _SHAPES.get(element, _ROOT if element == "svg" else frozenset())
    if element != "svg":
        allowed.add("transform")
    if odd := given.keys() - allowed:
        local = min(odd).rpartition(" ")[2][:40]
        raise ImpressionRefused(
            f"the drawing's {element[:40]!r} has an attribute {local!r}, which is not taken"
        )
    return given


def _styled(style: _Style, given: Mapping[str, str]) -> _Style:
    if "transform" in given:
        style = replace(style, matrix=style.matrix.after(transform(given["transform"])))
    if "fill" in given:
        style = replace(style, fill=colour(given["fill"], inherited=style.fill))
    if "stroke" in given:
        style = replace(style, stroke=colour(given["stroke"], inherited=style.stroke))
    if "fill-rule" in given:
        style = replace(style, even_odd=_one_of({"nonzero": False, "evenodd": True}, given, "fill-rule"))
    if "stroke-linecap" in given:
        style = replace(style, cap=_one_of(_CAPS, given, "stroke-linecap"))
    if "stroke-linejoin" in given:
        style = replace(style, join=_one_of(_JOINS, given, "stroke-linejoin"))
    if "stroke-width" in given:
        style = replace(style, stroke_width=_length(given, "stroke-width"))
    if "stroke-miterlimit" in given:
        style = replace(style, miter_limit=number(given["stroke-miterlimit"], what="stroke-miterlimit"))
    if style.stroke_width < 0 or not 1 <= style.miter_limit <= _FARTHEST:
        raise ImpressionRefused("the drawing has a pen of a width below zero, or an impossible miter limit")
    return style


def _one_of(table: Mapping[str, Choice], given: Mapping[str, str], name: str) -> Choice:
    value = given[name].strip()
    if value not in table:
        raise ImpressionRefused(f"the drawing's {name} is {value[:40]!r}; one of {', '.join(table)} is taken")
    return table[value]


def _length(given: Mapping[str, str], name: str, default: float | None = None) -> float:
    if name not in given:
        if default is None:
            raise ImpressionRefused(f"the drawing lacks {name}")
        return default
    text = given[name].strip()
    for unit in ("px", "mm"):
        # The root's width is often in millimetres; only the proportion counts, the true size is given beside.
        text = text.removesuffix(unit)
    return number(text, what=name)


def _outline(kind: str, given: Mapping[str, str]) -> Iterator[Segment]:
    match kind:
        case "path":
            yield from path(given.get("d", ""))
        case "circle":
            radius = _radius(given, "r")
            if radius:
                yield from ellipse(_length(given, "cx", 0), _length(given, "cy", 0), radius, radius)
        case "ellipse":
            across, up = _radius(given, "rx"), _radius(given, "ry")
            if across and up:
                yield from ellipse(_length(given, "cx", 0), _length(given, "cy", 0), across, up)
        case "rect":
            width, height = _radius(given, "width"), _radius(given, "height")
            # Of two radii, the one that is not given is like the other (§9.2).
            rx = _radius(given, "rx" if "rx" in given else "ry")
            ry = _radius(given, "ry" if "ry" in given else "rx")
            if width and height:
                yield from rectangle(_length(given, "x", 0), _length(given, "y", 0), width, height, (rx, ry))
        case "line":
            yield Segment("m", (_length(given, "x1", 0), _length(given, "y1", 0)))
            yield Segment("l", (_length(given, "x2", 0), _length(given, "y2", 0)))
        case _:
            yield from _polygon(numbers(given.get("points", ""), what="points"), closed=kind == "polygon")


def _radius(given: Mapping[str, str], name: str) -> float:
    length = _length(given, name, 0.0)
    if length < 0:
        raise ImpressionRefused(f"the drawing has a {name} below zero")
    return length


def _polygon(points: list[float], *, closed: bool) -> Iterable[Segment]:
    if len(points) % 2:
        raise ImpressionRefused("the drawing has a polygon with half a point")
    corners = list(zip(points[::2], points[1::2], strict=True))
    segments = [Segment("l" if at else "m", corner) for at, corner in enumerate(corners)]
    return [*segments, Segment("h")] if closed and segments else segments


def _moved(segment: Segment, matrix: Matrix) -> Segment:
    points = segment.points
    moved = [matrix.point(points[at], points[at + 1]) for at in range(0, len(points), 2)]
    if not all(abs(x) <= _FARTHEST and abs(y) <= _FARTHEST for x, y in moved):
        raise ImpressionRefused("the drawing reaches beyond every measure")
    return Segment(segment.operator, tuple(value for point in moved for value in point))


def _stroke(style: _Style) -> Stroke | None:
    if style.stroke is None or style.stroke_width == 0:
        return None
    scale = style.matrix.scale()
    if scale is None:
        raise ImpressionRefused(
            "the drawing has a line under a transform that distorts it; turn it into a path"
        )
    if style.stroke_width * scale > _FARTHEST:
        raise ImpressionRefused("the drawing has a pen wider than every measure")
    return Stroke(
        colour=style.stroke,
        width=style.stroke_width * scale,
        cap=style.cap,
        join=style.join,
        miter_limit=style.miter_limit,
    )


def _is_within(shape: Shape, width: float, height: float) -> bool:
    left, bottom, right, top = shape.bounds()
    return left < width and right > 0 and bottom < height and top > 0
