"""Path data and transforms of SVG, read into lines and cubic curves (SVG 1.1 §8.3, §7.6, appendix F.6)."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from trust.documents.pdf.drawing import Segment
from trust.documents.pdf.errors import ImpressionRefused

# Ten thousand times any drawing's size, and far from where numbers lose their digits.
_MAX_NUMBER = 1e6
_NUMBER = re.compile(r"[\s,]*+([+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d{1,3}+)?)")
_FLAG = re.compile(r"[\s,]*+([01])")
_COMMAND = re.compile(r"\s*+([MmLlHhVvCcSsQqTtAaZz])")
_REST = re.compile(r"[\s,]*+\Z")
_TRANSFORM = re.compile(r"[\s,]*+(matrix|translate|scale|rotate|skewX|skewY)\s*+\(([^()]*+)\)")
_OPERANDS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
# A circle's quarter as a cubic curve: off the true arc by 0.03 per cent of the radius.
_QUARTER = 4 / 3 * (math.sqrt(2) - 1)


class Matrix(NamedTuple):
    """x' = a x + c y + e, y' = b x + d y + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def after(self, first: "Matrix") -> "Matrix":
        """The matrix that does `first`, then this."""
        e, f = self.point(first.e, first.f)
        return Matrix(
            self.a * first.a + self.c * first.b,
            self.b * first.a + self.d * first.b,
            self.a * first.c + self.c * first.d,
            self.b * first.c + self.d * first.d,
            e,
            f,
        )

    def scale(self) -> float | None:
        """By how much lengths grow; None where that depends on their direction."""
        one, other = math.hypot(self.a, self.b), math.hypot(self.c, self.d)
        skew = abs(self.a * self.c + self.b * self.d)
        alike = math.isclose(one, other, rel_tol=1e-4) and skew <= 1e-4 * one * other
        return math.sqrt(one * other) if alike else None


IDENTITY = Matrix(1, 0, 0, 1, 0, 0)


def number(text: str, *, what: str) -> float:
    """One finite number of bounded size; raises ImpressionRefused."""
    match = _NUMBER.match(text)
    if match is None or not _REST.match(text, match.end()):
        raise ImpressionRefused(f"the drawing's {what} is not a number: {text[:40]!r}")
    return _bounded(match[1])


def numbers(text: str, *, what: str) -> list[float]:
    """Numbers apart by white space or commas."""
    found, at = list[float](), 0
    while match := _NUMBER.match(text, at):
        found.append(_bounded(match[1]))
        at = match.end()
    if not _REST.match(text, at):
        raise ImpressionRefused(
            f"the drawing's {what} holds something other than numbers: {text[at:][:40]!r}"
        )
    return found


def _bounded(text: str) -> float:
    value = float(text)
    if not abs(value) <= _MAX_NUMBER:
        raise ImpressionRefused(f"the drawing has a number over {_MAX_NUMBER:g}: {text[:40]}")
    return value


def transform(text: str) -> Matrix:
    """A list of transforms as one; raises ImpressionRefused."""
    matrix, at = IDENTITY, 0
    while match := _TRANSFORM.match(text, at):
        matrix = matrix.after(_one_transform(match[1], numbers(match[2], what="transform")))
        at = match.end()
        if not all(abs(value) <= _MAX_NUMBER for value in matrix):
            raise ImpressionRefused("the drawing's transforms go beyond every measure")
    if not _REST.match(text, at):
        raise ImpressionRefused(f"the drawing has a transform that is not known: {text[at:][:40]!r}")
    return matrix


def _one_transform(name: str, given: list[float]) -> Matrix:
    match name, given:
        case "matrix", [a, b, c, d, e, f]:
            return Matrix(a, b, c, d, e, f)
        case "translate", [x, *more] if len(more) < 2:
            return Matrix(1, 0, 0, 1, x, more[0] if more else 0)
        case "scale", [x, *more] if len(more) < 2:
            return Matrix(x, 0, 0, more[0] if more else x, 0, 0)
        case "rotate", [degrees]:
            return _rotation(degrees)
        case "rotate", [degrees, x, y]:
            there, back = Matrix(1, 0, 0, 1, x, y), Matrix(1, 0, 0, 1, -x, -y)
            return there.after(_rotation(degrees)).after(back)
        case "skewX", [degrees] if degrees % 180 != 90:
            return Matrix(1, 0, math.tan(math.radians(degrees)), 1, 0, 0)
        case "skewY", [degrees] if degrees % 180 != 90:
            return Matrix(1, math.tan(math.radians(degrees)), 0, 1, 0, 0)
    raise ImpressionRefused(f"the drawing's transform {name} does not take {len(given)} such numbers")


def _rotation(degrees: float) -> Matrix:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return Matrix(cosine, sine, -sine, cosine, 0, 0)


def ellipse(cx: float, cy: float, rx: float, ry: float) -> Iterator[Segment]:
    """A closed ellipse of four curves."""
    kx, ky = rx * _QUARTER, ry * _QUARTER
    yield Segment("m", (cx + rx, cy))
    yield Segment("c", (cx + rx, cy + ky, cx + kx, cy + ry, cx, cy + ry))
    yield Segment("c", (cx - kx, cy + ry, cx - rx, cy + ky, cx - rx, cy))
    yield Segment("c", (cx - rx, cy - ky, cx - kx, cy - ry, cx, cy - ry))
    yield Segment("c", (cx + kx, cy - ry, cx + rx, cy - ky, cx + rx, cy))
    yield Segment("h")


def rectangle(
    x: float, y: float, width: float, height: float, radii: tuple[float, float]
) -> Iterator[Segment]:
    """A closed rectangle, its corners rounded where both radii are above zero."""
    right, bottom = x + width, y + height
    rx, ry = radii
    if rx <= 0 or ry <= 0:
        yield Segment("m", (x, y))
        yield from (Segment("l", corner) for corner in ((right, y), (right, bottom), (x, bottom)))
        yield Segment("h")
        return
    rx, ry = min(rx, width / 2), min(ry, height / 2)
    kx, ky = rx * (1 - _QUARTER), ry * (1 - _QUARTER)
    yield Segment("m", (x + rx, y))
    yield Segment("l", (right - rx, y))
    yield Segment("c", (right - kx, y, right, y + ky, right, y + ry))
    yield Segment("l", (right, bottom - ry))
    yield Segment("c", (right, bottom - ky, right - kx, bottom, right - rx, bottom))
    yield Segment("l", (x + rx, bottom))
    yield Segment("c", (x + kx, bottom, x, bottom - ky, x, bottom - ry))
    yield Segment("l", (x, y + ry))
    yield Segment("c", (x, y + ky, x + kx, y, x + rx, y))
    yield Segment("h")


def path(data: str) -> Iterator[Segment]:
    """Path data as segments, one at a time; raises ImpressionRefused where it is not path data."""
    pen = _Pen()
    at = 0
    while not _REST.match(data, at):
        command = _COMMAND.match(data, at)
        if command is None or (pen.is_new and command[1] not in "Mm"):
            raise ImpressionRefused(f"the drawing has a path that cannot be read at {data[at:][:40]!r}")
        at, letter = command.end(), command[1]
        while True:
            operands, at = _operands(letter.upper(), data, at)
            yield from pen.draw(letter, operands)
            # Further operands repeat the command; after a move they are lines.
            letter = {"M": "L", "m": "l"}.get(letter, letter)
            if letter in "Zz" or not _NUMBER.match(data, at):
                break


def _operands(letter: str, data: str, at: int) -> tuple[list[float], int]:
    found: list[float] = []
    for position in range(_OPERANDS[letter]):
        pattern = _FLAG if letter == "A" and position in (3, 4) else _NUMBER
        match = pattern.match(data, at)
        if match is None:
            raise ImpressionRefused(f"the drawing has a path that breaks off at {data[at:][:40]!r}")
        found.append(_bounded(match[1]))
        at = match.end()
    return found, at


class _Pen:
    """Where the path is, where its part began, and the control point that a smooth curve goes on from."""

    def __init__(self) -> None:
        self.is_new = True
        self._x = self._y = self._start_x = self._start_y = 0.0
        self._control: tuple[str, float, float] = ("", 0.0, 0.0)

    def draw(self, letter: str, operands: list[float]) -> Iterator[Segment]:
        kind, relative = letter.upper(), letter.islower()
        given = self._absolute(kind, operands) if relative else operands
        x, y, control = self._x, self._y, self._control
        self.is_new, self._control = False, ("", 0.0, 0.0)
        match kind, given:
            case "M", [x, y]:
                self._start_x, self._start_y = x, y
                yield Segment("m", (x, y))
            case "L", [x, y]:
                yield Segment("l", (x, y))
            case "H", [x]:
                yield Segment("l", (x, y))
            case "V", [y]:
                yield Segment("l", (x, y))
            case "C", [_, _, x2, y2, x, y]:
                self._control = ("C", x2, y2)
                yield Segment("c", tuple(given))
            case "S", [x2, y2, x, y]:
                self._control = ("C", x2, y2)
                yield Segment("c", (*self._mirrored("C", control), *given))
            case "Q", [x1, y1, x, y]:
                yield self._quadratic(x1, y1, x, y)
            case "T", [x, y]:
                yield self._quadratic(*self._mirrored("Q", control), x, y)
            case "A", [rx, ry, turn, large, sweep, x, y]:
                ends = (self._x, self._y, x, y)
                yield from _arc(ends, (abs(rx), abs(ry)), turn, large=bool(large), sweep=bool(sweep))
            case _:
                x, y = self._start_x, self._start_y
                yield Segment("h")
        self._x, self._y = x, y

    def _absolute(self, kind: str, operands: list[float]) -> list[float]:
        match kind:
            case "H":
                return [operands[0] + self._x]
            case "V":
                return [operands[0] + self._y]
            case "A":
                return [*operands[:5], operands[5] + self._x, operands[6] + self._y]
        return [value + (self._y if at % 2 else self._x) for at, value in enumerate(operands)]

    def _mirrored(self, kind: str, control: tuple[str, float, float]) -> tuple[float, float]:
        if control[0] != kind:
            return self._x, self._y
        return 2 * self._x - control[1], 2 * self._y - control[2]

    def _quadratic(self, x1: float, y1: float, x: float, y: float) -> Segment:
        self._control = ("Q", x1, y1)
        start_x, start_y = self._x + (x1 - self._x) * 2 / 3, self._y + (y1 - self._y) * 2 / 3
        return Segment("c", (start_x, start_y, x + (x1 - x) * 2 / 3, y + (y1 - y) * 2 / 3, x, y))


def _arc(
    ends: tuple[float, float, float, float],
    radii: tuple[float, float],
    turn: float,
    *,
    large: bool,
    sweep: bool,
) -> Iterator[Segment]:
    """An elliptical arc as curves of at most a quarter turn each (SVG 1.1 F.6.5, F.6.6)."""
    (x1, y1, x2, y2), (rx, ry) = ends, radii
    if (x1, y1) == (x2, y2):
        return
    if rx == 0 or ry == 0:
        yield Segment("l", (x2, y2))
        return
    sine, cosine = math.sin(math.radians(turn)), math.cos(math.radians(turn))
    half_x, half_y = (x1 - x2) / 2, (y1 - y2) / 2
    u, v = cosine * half_x + sine * half_y, cosine * half_y - sine * half_x
    stretch = math.hypot(u / rx, v / ry)
    if stretch > 1:
        rx, ry = rx * stretch, ry * stretch
    u, v = u / rx, v / ry
    square = u * u + v * v
    reach = math.sqrt(max(0.0, (1 - square) / square)) if square else 0.0
    if large == sweep:
        reach = -reach
    # The centre and the angles on the unit circle.
    centre_u, centre_v = reach * v, -reach * u
    start = math.atan2(v - centre_v, u - centre_u)
    swept = math.atan2(-v - centre_v, -u - centre_u) - start
    if sweep and swept < 0:
        swept += 2 * math.pi
    elif not sweep and swept > 0:
        swept -= 2 * math.pi
    back = Matrix(rx * cosine, rx * sine, -ry * sine, ry * cosine, (x1 + x2) / 2, (y1 + y2) / 2).after(
        Matrix(1, 0, 0, 1, centre_u, centre_v)
    )
    parts = max(1, math.ceil(abs(swept) / (math.pi / 2) - 1e-9))
    step = swept / parts
    handle = 4 / 3 * math.tan(step / 4)
    for part in range(parts):
        one, other = start + part * step, start + (part + 1) * step
        points = (
            back.point(math.cos(one) - handle * math.sin(one), math.sin(one) + handle * math.cos(one)),
            back.point(
                math.cos(other) + handle * math.sin(other), math.sin(other) - handle * math.cos(other)
            ),
            (x2, y2) if part == parts - 1 else back.point(math.cos(other), math.sin(other)),
        )
        yield Segment("c", (*points[0], *points[1], *points[2]))
