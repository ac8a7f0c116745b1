"""What an applicant sends as an impression: a picture or a drawing, told apart by its octets."""

from typing import Final

from seals.impressions.drawing import read_impression_drawing
from seals.impressions.errors import ImpressionRefused
from seals.impressions.picture import MAX_PNG_BYTES, PNG_SIGNATURE, read_impression
from seals.model import ImpressionMediaType, ImpressionRow
from trust.crypto.digests import sha256
from trust.documents.pdf.svg import MAX_SVG_BYTES

# The larger of the two kinds.
MAX_IMPRESSION_BYTES: Final = max(MAX_PNG_BYTES, MAX_SVG_BYTES)
# What may stand before an SVG's first mark: a byte order mark and white space (XML 1.0 §2.3, §4.3.3).
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_WHITE: Final = b" \t\r\n"


def media_type_of(octets: bytes) -> ImpressionMediaType:
    """What the octets begin as, whatever they are called; raises ImpressionRefused where it is neither kind."""
    if octets.startswith(PNG_SIGNATURE):
        return ImpressionMediaType.PNG
    if octets.removeprefix(_UTF8_MARK).lstrip(_WHITE).startswith(b"<"):
        return ImpressionMediaType.SVG
    raise ImpressionRefused("an impression is a PNG picture or an SVG drawing (UTF-8, not compressed)")


def read_upload(octets: bytes, *, width_mm: int, height_mm: int) -> ImpressionRow:
    """The impression to be kept, to be shown at the given size in millimetres.

    Of a picture the pixels are kept, written anew; a drawing is kept as it came: beside its paths nothing can be in
    it but a title, a description and comments. Raises ImpressionTooLarge and ImpressionRefused, as the reader of
    its kind does.
    """
    media_type = media_type_of(octets)
    match media_type:
        case ImpressionMediaType.PNG:
            kept = read_impression(octets, width_mm=width_mm, height_mm=height_mm).png
        case ImpressionMediaType.SVG:
            kept = read_impression_drawing(octets, width_mm=width_mm, height_mm=height_mm).svg
    return ImpressionRow(
        media_type=media_type, octets=kept, sha256=sha256(kept), width_mm=width_mm, height_mm=height_mm
    )
