"""The picture of an impression as XObjects: pixels from a PNG, or path operators from an SVG drawing.

A picture is decoded and compressed once for each set of rules and kept by its digest: an office seals thousands
of documents with one seal. (ISO 32000-1 §8.9, §8.10, §11.6.5.3)
"""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import TypeAlias

from PIL import Image

from trust.documents.pdf.archival import PictureRules
from trust.documents.pdf.colours import CALIBRATED_RGB
from trust.documents.pdf.drawing import drawing_operators
from trust.documents.pdf.errors import ImpressionRefused
from trust.documents.pdf.kept import Kept
from trust.documents.pdf.limits import MAX_IMPRESSION_BYTES, MAX_IMPRESSION_PIXELS_A_SIDE
from trust.documents.pdf.svg import read_svg
from trust.documents.pdf.syntax import Reference, written_array, written_number

# A seal's picture compresses to some tens of kilobytes; an office uses a few dozen at a time.
_KEPT_PICTURES = 64
# Alpha from which a pixel is painted where there is only painted or not: faint ink stays, a white rim hardly.
_PAINTED_FROM = 32


@dataclass(frozen=True, kw_only=True)
class Impression:
    """The picture of a seal and its true size: a PNG, transparent where the paper is to show, or an SVG drawing.

    Exactly one of `png` and `svg`; which SVG is taken is told in `svg`. A drawing is sharp at every size and
    needs no transparency. Raises ImpressionRefused on both or neither.
    """

    png: bytes | None = field(default=None, repr=False)
    svg: bytes | None = field(default=None, repr=False)
    width_mm: float
    height_mm: float

    def __post_init__(self) -> None:
        if (self.png is None) == (self.svg is None):
            raise ImpressionRefused("an impression is a PNG picture or an SVG drawing: give one of them")


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A picture's streams, compressed: colours, and coverage where not all of it is opaque. One unit square.

    The coverage is one octet a pixel, or, as a `stencil`, one bit, set where nothing is painted.
    """

    width: int
    height: int
    colours: bytes
    coverage: bytes | None
    stencil: bool
    calibrated: bool


@dataclass(frozen=True, kw_only=True)
class Paths:
    """A drawing's content stream, compressed, in a box of `width` by `height`."""

    width: float
    height: float
    content: bytes
    calibrated: bool


Picture: TypeAlias = Pixels | Paths

_KEPT: Kept[Picture] = Kept(_KEPT_PICTURES)


def picture_of(impression: Impression, rules: PictureRules) -> Picture:
    """The streams for an impression under the rules of a document.

    Where those forbid transparency, a PNG is laid on white and cut out along its edges: what is below stays to be
    seen all the same. Raises ImpressionRefused: neither a PNG nor a drawing
    that is taken, too large, or nothing in it to see.
    """
    if impression.svg is not None:
        svg = impression.svg
        return _kept("svg", svg, (rules.calibrated,), lambda: _paths(svg, calibrated=rules.calibrated))
    png = impression.png or b""
    if len(png) > MAX_IMPRESSION_BYTES:
        raise ImpressionRefused(
            f"the impression has {len(png)} octets; at most {MAX_IMPRESSION_BYTES} are taken"
        )
    return _kept("png", png, (rules.opaque, rules.calibrated), lambda: _pixels(png, rules))


def _kept(kind: str, octets: bytes, rules: tuple[bool, ...], make: Callable[[], Picture]) -> Picture:
    return _KEPT.get((kind, hashlib.sha256(octets).digest(), rules), make)


def _pixels(png: bytes, rules: PictureRules) -> Pixels:
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as image:
            width, height = image.size
            # Only now are the pixels decoded; the size is from the picture's head.
            picture = image.convert("RGBA") if max(width, height) <= MAX_IMPRESSION_PIXELS_A_SIDE else None
    except Exception as error:  # Pillow's readers raise many kinds on a broken picture
        raise ImpressionRefused("the impression is not a PNG picture that can be read") from error
    if picture is None:
        limit = MAX_IMPRESSION_PIXELS_A_SIDE
        raise ImpressionRefused(
            f"the impression has {width} × {height} pixels; at most {limit} a side are taken"
        )
    coverage = picture.getchannel("A")
    least, most = coverage.getextrema()
    if most == 0:
        raise ImpressionRefused("the impression is wholly transparent; there is nothing to see in it")
    mask = None if least == 255 else coverage
    if rules.opaque:
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
        is_painted = any(coverage.histogram()[_PAINTED_FROM:])
        mask = _stencil(coverage) if mask is not None and is_painted else None
    return Pixels(
        width=picture.width,
        height=picture.height,
        colours=zlib.compress(picture.convert("RGB").tobytes(), 9),
        coverage=zlib.compress(mask.tobytes(), 9) if mask is not None else None,
        stencil=rules.opaque,
        calibrated=rules.calibrated,
    )


def _stencil(coverage: Image.Image) -> Image.Image:
    """One bit a pixel, set where nothing is painted (§8.9.6.3)."""
    return coverage.point(lambda alpha: 0 if alpha >= _PAINTED_FROM else 255).convert(
        "1", dither=Image.Dither.NONE
    )


def _paths(svg: bytes, *, calibrated: bool) -> Paths:
    drawing = read_svg(svg)
    content = drawing_operators(drawing, calibrated=calibrated)
    return Paths(
        width=drawing.width,
        height=drawing.height,
        content=zlib.compress(content, 9),
        calibrated=calibrated,
    )


def written_pixels(pixels: Pixels, *, coverage: Reference | None) -> bytes:
    """The image XObject of the colours."""
    space = CALIBRATED_RGB if pixels.calibrated else b"/DeviceRGB"
    kind = b" /Mask " if pixels.stencil else b" /SMask "
    mask = kind + coverage.written() if coverage is not None else b""
    return _image(pixels, b"/BitsPerComponent 8 /ColorSpace " + space + mask, pixels.colours)


def written_coverage(pixels: Pixels) -> bytes:
    """The image XObject of the coverage: a soft mask, or a stencil that is no transparency (§8.9.6)."""
    kind = (
        b"/BitsPerComponent 1 /ImageMask true"
        if pixels.stencil
        else b"/BitsPerComponent 8 /ColorSpace /DeviceGray"
    )
    return _image(pixels, kind, pixels.coverage or b"")


def _image(pixels: Pixels, entries: bytes, data: bytes) -> bytes:
    return (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d %b"
        b" /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream"
        % (pixels.width, pixels.height, entries, len(data), data)
    )


def written_paths(paths: Paths) -> bytes:
    """The form XObject of a drawing; what reaches over its edge is cut off by the box."""
    resources = b"<< /ColorSpace << /Ink " + CALIBRATED_RGB + b" >> >>" if paths.calibrated else b"<< >>"
    box = written_array((b"0", b"0", written_number(paths.width), written_number(paths.height)))
    return (
        b"<< /Type /XObject /Subtype /Form /BBox %b /Resources %b /Filter /FlateDecode /Length %d >>"
        b"\nstream\n%b\nendstream" % (box, resources, len(paths.content), paths.content)
    )
