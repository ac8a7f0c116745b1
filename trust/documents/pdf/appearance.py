"""What a visible seal draws at each of its spots: form XObjects around one shared picture (ISO 32000-1 §12.5.5)."""

from trust.documents.pdf.archival import picture_rules, wants_appearances
from trust.documents.pdf.captions import SetCaption, caption_operators
from trust.documents.pdf.colours import CALIBRATED_RGB
from trust.documents.pdf.document import Document
from trust.documents.pdf.fonts import add_font
from trust.documents.pdf.pictures import (
    Impression,
    Paths,
    Picture,
    picture_of,
    written_coverage,
    written_paths,
    written_pixels,
)
from trust.documents.pdf.placement import Spot
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Reference, written_array, written_number

# The form's matrix turns the picture against the page's rotation, so that it stands upright when displayed.
_MATRICES = {
    0: b"[1 0 0 1 0 0]",
    90: b"[0 1 -1 0 0 0]",
    180: b"[-1 0 0 -1 0 0]",
    270: b"[0 -1 1 0 0 0]",
}
# For a field that has no place on its page.
_NOTHING = b"<< /Type /XObject /Subtype /Form /BBox [0 0 0 0] /Length 0 >>\nstream\n\nendstream"


def add_appearances(
    revision: Revision,
    source: Document,
    spots: tuple[Spot, ...],
    impression: Impression,
    caption: SetCaption | None,
) -> tuple[Reference, ...]:
    """The appearance of each spot; spots that look the same share one, and all share the picture and the font.

    Raises ImpressionRefused.
    """
    rules = picture_rules(source)
    picture = picture_of(impression, rules)
    resources = b"/XObject << /Impression " + _add_picture(revision, picture).written() + b" >>"
    if caption is not None:
        resources += b" /Font << /Caption " + add_font(revision, caption.font).written() + b" >>"
        if rules.calibrated:
            resources += b" /ColorSpace << /Ink " + CALIBRATED_RGB + b" >>"
    forms: dict[bytes, Reference] = {}
    appearances: list[Reference] = []
    for spot in spots:
        drawing = _drawing(spot, picture)
        if caption is not None:
            drawing += b" " + caption_operators(caption, spot, calibrated=rules.calibrated)
        form = _written_form(spot, resources, drawing)
        if form not in forms:
            forms[form] = revision.add(form)
        appearances.append(forms[form])
    return tuple(appearances)


def add_unseen(revision: Revision, source: Document) -> Reference | None:
    """The appearance of a signature that is not shown: an empty one in PDF/A-1, otherwise none."""
    return revision.add(_NOTHING) if wants_appearances(source) else None


def _add_picture(revision: Revision, picture: Picture) -> Reference:
    if isinstance(picture, Paths):
        return revision.add(written_paths(picture))
    coverage = revision.add(written_coverage(picture)) if picture.coverage is not None else None
    return revision.add(written_pixels(picture, coverage=coverage))


def _drawing(spot: Spot, picture: Picture) -> bytes:
    """The picture in its frame; an image is one unit a side, a drawing as large as it says."""
    width, height = (picture.width, picture.height) if isinstance(picture, Paths) else (1.0, 1.0)
    frame = spot.picture
    return b"q %b 0 0 %b %b %b cm /Impression Do Q" % (
        written_number(frame.width / width),
        written_number(frame.height / height),
        written_number(frame.x),
        written_number(frame.y),
    )


def _written_form(spot: Spot, resources: bytes, drawing: bytes) -> bytes:
    """The form XObject; its box cuts off what of the picture belongs to other strips."""
    return (
        b"<< /Type /XObject /Subtype /Form /BBox %b /Matrix %b /Resources << %b >> /Length %d >>\nstream\n%b\nendstream"
        % (
            written_array((b"0", b"0", written_number(spot.width), written_number(spot.height))),
            _MATRICES[spot.rotation],
            resources,
            len(drawing),
            drawing,
        )
    )
