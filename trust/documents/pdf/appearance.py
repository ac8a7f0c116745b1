"""What a visible impression draws: a form XObject with one image (ISO 32000-1 §8.9, §8.10, §12.5.5).

The picture is decoded and compressed once and kept: an office seals thousands of documents with one seal.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image

from trust.documents.pdf.errors import ImpressionRefused
from trust.documents.pdf.limits import MAX_IMPRESSION_BYTES, MAX_IMPRESSION_PIXELS_A_SIDE
from trust.documents.pdf.placement import Spot
from trust.documents.pdf.syntax import Reference, written_array, written_number

# A seal's picture compresses to some tens of kilobytes; an office uses a few dozen at a time.
_KEPT_IMPRESSIONS = 64

# The form's matrix turns the picture against the page's rotation, so that it stands upright when displayed.
_MATRICES = {
    0: b"[1 0 0 1 0 0]",
    90: b"[0 1 -1 0 0 0]",
    180: b"[-1 0 0 -1 0 0]",
    270: b"[0 -1 1 0 0 0]",
}

# sRGB without a profile, for PDF/A documents that name no RGB output intent (ISO 19005-2 §6.2.4).
_CALIBRATED_RGB = (
    b"[/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2]"
    b" /Matrix [0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505] >>]"
)


@dataclass(frozen=True, kw_only=True)
class Impression:
    """The picture of a seal: a PNG, transparent where the paper is to show, and its true size."""

    png: bytes
    width_mm: float
    height_mm: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The picture's streams, compressed: colours, and coverage where not all of it is opaque."""

    width: int
    height: int
    colours: bytes
    coverage: bytes | None


@lru_cache(maxsize=_KEPT_IMPRESSIONS)
def picture_of(png: bytes, *, opaque: bool) -> Picture:
    """The streams for a PNG; `opaque` lays it on white for documents that may not hold transparency.

    Raises ImpressionRefused: not a PNG, too large, or nothing in it to see.
    """
    if len(png) > MAX_IMPRESSION_BYTES:
        raise ImpressionRefused(
            f"the impression has {len(png)} octets; at most {MAX_IMPRESSION_BYTES} are taken"
        )
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
    if opaque:
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    return Picture(
        width=picture.width,
        height=picture.height,
        colours=zlib.compress(picture.convert("RGB").tobytes(), 9),
        coverage=None if opaque or least == 255 else zlib.compress(coverage.tobytes(), 9),
    )


def written_colours(picture: Picture, *, coverage: Reference | None, calibrated: bool) -> bytes:
    """The image XObject of the colours."""
    space = _CALIBRATED_RGB if calibrated else b"/DeviceRGB"
    mask = b" /SMask " + coverage.written() if coverage is not None else b""
    return _image(picture, space + mask, picture.colours)


def written_coverage(picture: Picture) -> bytes:
    """The image XObject of the coverage, a soft mask (§11.6.5.3)."""
    return _image(picture, b"/DeviceGray", picture.coverage or b"")


def _image(picture: Picture, colour_space: bytes, data: bytes) -> bytes:
    return (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace %b"
        b" /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream"
        % (picture.width, picture.height, colour_space, len(data), data)
    )


def written_form(spot: Spot, image: Reference) -> bytes:
    """The form XObject: the image filling the spot, upright as displayed."""
    width, height = written_number(spot.width), written_number(spot.height)
    drawing = b"q %b 0 0 %b 0 0 cm /Impression Do Q" % (width, height)
    return (
        b"<< /Type /XObject /Subtype /Form /BBox %b /Matrix %b"
        b" /Resources << /XObject << /Impression %b >> >> /Length %d >>\nstream\n%b\nendstream"
        % (
            written_array((b"0", b"0", width, height)),
            _MATRICES[spot.rotation],
            image.written(),
            len(drawing),
            drawing,
        )
    )
