"""An impression from a stranger's PNG: decoded whole, checked, and written anew.

What is kept is never the file that came in but its pixels: no text chunks, no second picture behind the
first, no octets after the end.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass, field

from PIL import Image

from seals.impressions.errors import ImpressionRefused, ImpressionTooLarge

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A 60 mm seal at 600 dpi is 1,417 pixels wide and well under a megabyte.
MAX_PNG_BYTES = 2 * 1024 * 1024
MAX_SIDE_PIXELS = 2000
MIN_SIDE_PIXELS = 120
# Round, square and oval seals, and name seals up to three times as wide as high.
MAX_ASPECT = 3.0
MIN_SIDE_MM, MAX_SIDE_MM = 8.0, 60.0
# Stretching by more than this shows: a round seal would print as an oval.
MAX_DISTORTION = 0.02
# A seal is lines: less than a twentieth transparent is a picture with a background, less than a hundredth inked
# is nothing that can be seen.
MIN_CLEAR_SHARE = 0.05
MIN_INKED_SHARE = 0.01
# Alpha from which a pixel is seen on paper, and below which text underneath stays readable.
_INKED_FROM, _CLEAR_BELOW = 64, 32

_NOT_DECODED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, kw_only=True)
class ImpressionPicture:
    """A checked impression: RGBA as PNG, its pixels, and the size in millimetres at which it is shown."""

    png: bytes = field(repr=False)
    width_px: int
    height_px: int
    width_mm: float
    height_mm: float


def read_impression(png: bytes, *, width_mm: float, height_mm: float) -> ImpressionPicture:
    """Reads a PNG with a transparent background, to be shown at the given size.

    Raises ImpressionTooLarge over MAX_PNG_BYTES or MAX_SIDE_PIXELS, ImpressionRefused for anything else that
    a seal cannot be made with: not a PNG, damaged, animated, opaque, empty, too small, distorted.
    """
    # 1. What the file says of itself, before anything is decoded.
    if len(png) > MAX_PNG_BYTES:
        raise ImpressionTooLarge(f"an impression has at most {MAX_PNG_BYTES} octets")
    width, height = _declared_size(png)
    _check_size(width, height, width_mm, height_mm)

    # 2. Every pixel, so that a damaged file is refused now and not when the first document is sealed.
    picture = _decode(png)
    if (picture.width, picture.height) != (width, height):
        raise ImpressionRefused("the impression's PNG has a size other than it says")

    # 3. What it shows.
    _check_ink(picture)

    # 4. Written anew. A palette becomes four octets a pixel, so that what is kept can be larger than what came.
    kept = encode_png(picture)
    if len(kept) > MAX_PNG_BYTES:
        raise ImpressionTooLarge(
            f"without a palette the impression has {len(kept)} octets; at most {MAX_PNG_BYTES} are taken: "
            "send fewer pixels or plainer colours"
        )
    return ImpressionPicture(
        png=kept, width_px=width, height_px=height, width_mm=width_mm, height_mm=height_mm
    )


def encode_png(picture: Image.Image) -> bytes:
    """The pixels as PNG and nothing else; clear pixels lose the colour they hide."""
    bare = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    visible = picture.getchannel("A").point(lambda alpha: 255 if alpha else 0)
    bare.paste(picture, (0, 0), visible)
    output = io.BytesIO()
    bare.save(output, "PNG", compress_level=6)
    return output.getvalue()


def _declared_size(png: bytes) -> tuple[int, int]:
    """Width and height from IHDR, which is the first chunk (PNG, third edition, §11.2.1)."""
    if not png.startswith(PNG_SIGNATURE) or png[12:16] != b"IHDR" or len(png) < 33:
        raise ImpressionRefused("an impression is a PNG picture")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _check_size(width: int, height: int, width_mm: float, height_mm: float) -> None:
    if max(width, height) > MAX_SIDE_PIXELS:
        raise ImpressionTooLarge(f"an impression has at most {MAX_SIDE_PIXELS} pixels along a side")
    if min(width, height) < MIN_SIDE_PIXELS:
        raise ImpressionRefused(f"an impression has at least {MIN_SIDE_PIXELS} pixels along a side")
    check_shown_size(width, height, width_mm, height_mm)


def check_shown_size(width: float, height: float, width_mm: float, height_mm: float) -> None:
    """Raises ImpressionRefused where a picture of these proportions cannot be shown at that size."""
    if not all(MIN_SIDE_MM <= side <= MAX_SIDE_MM for side in (width_mm, height_mm)):
        raise ImpressionRefused(
            f"an impression is shown at {MIN_SIDE_MM:g} to {MAX_SIDE_MM:g} mm along a side"
        )
    if not 1 / MAX_ASPECT <= width / height <= MAX_ASPECT:
        raise ImpressionRefused(f"an impression is at most {MAX_ASPECT:g} times as long as it is broad")
    if abs((width / height) / (width_mm / height_mm) - 1) > MAX_DISTORTION:
        raise ImpressionRefused("the size in millimetres would distort the impression; keep its proportions")


def _decode(png: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            opened = Image.open(io.BytesIO(png), formats=["PNG"])
            if getattr(opened, "n_frames", 1) != 1:
                raise ImpressionRefused("an impression does not move; send a PNG with one picture")
            if "A" not in opened.getbands() and "transparency" not in opened.info:
                raise ImpressionRefused("the impression's background must be transparent (PNG with alpha)")
            return opened.convert("RGBA")
    except (*_NOT_DECODED, Warning) as error:
        raise ImpressionRefused("the impression's PNG is damaged and cannot be decoded") from error


def _check_ink(picture: Image.Image) -> None:
    counts = picture.getchannel("A").histogram()
    pixels = picture.width * picture.height
    if sum(counts[:_CLEAR_BELOW]) < MIN_CLEAR_SHARE * pixels:
        raise ImpressionRefused(
            "the impression's background must be transparent, so that text stays readable"
        )
    if sum(counts[_INKED_FROM:]) < MIN_INKED_SHARE * pixels:
        raise ImpressionRefused("the impression shows nothing")
