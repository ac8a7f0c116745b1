"""Pages to put impressions on, pictures that fill their box, and where the ink of a prepared document is.

The solid picture makes the box exact: what differs from the page before is the box, to the pixel.
"""

from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image

from tests.support.rendering import difference, render
from trust.documents.pdf import AnyPlacement, Impression, PreparedDocument, prepare
from trust.documents.pdf.document import Document
from trust.documents.pdf.pages import find_page

SCALE = 2

# Boxes and units of one visible size, 210 × 297 mm to a hundredth where not turned, in all their oddness.
PAGES = {
    "a4": b"/MediaBox [0 0 595.27559 841.88976]",
    "moved": b"/MediaBox [-100 -50 495.27559 791.88976]",
    "upside down": b"/MediaBox [595.27559 841.88976 0 0]",
    "cropped": b"/MediaBox [0 0 700 900] /CropBox [50 40 645.27559 881.88976]",
    "cropped beyond": b"/MediaBox [0 0 595.27559 841.88976] /CropBox [-500 -500 2000 2000]",
    "large unit": b"/MediaBox [0 0 297.637795 420.94488] /UserUnit 2",
}


def solid(width: int = 8, height: int = 8, colour: tuple[int, int, int] = (200, 16, 16)) -> bytes:
    """A PNG of one colour, opaque to its edges."""
    stored = BytesIO()
    Image.new("RGB", (width, height), colour).save(stored, "PNG")
    return stored.getvalue()


SOLID = Impression(png=solid(), width_mm=40, height_mm=30)

# A red square to the edges of its box, and a white one in its upper left quarter: its turn can be seen.
DRAWN_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30">'
    b'<path fill="#c81010" d="M0 0H40V30H0z"/><rect x="4" y="3" width="12" height="9" fill="#fff"/></svg>'
)
DRAWN = Impression(svg=DRAWN_SVG, width_mm=40, height_mm=30)


def prepare_at(
    document: bytes,
    placement: AnyPlacement | None,
    *,
    at: Any,
    impression: Impression | None = SOLID,
    **more: Any,
) -> PreparedDocument:
    """The document prepared with room for nothing in particular."""
    return prepare(
        document,
        placement=placement,
        impression=impression if placement is not None else None,
        field_name=None,
        signer_name="武汉市测试局",
        reserved=more.pop("reserved", 100),
        at=at,
        **more,
    )


@lru_cache(maxsize=4)
def _rendered(document: bytes, scale: float) -> list[Image.Image]:
    return render(document, scale=scale)


def ink(
    document: bytes, prepared: bytes, *, scale: float = SCALE
) -> list[tuple[float, float, float, float] | None]:
    """For each page the box of what was added: left, bottom, right, top in millimetres of the page as displayed.

    The unit of the first page counts for all; the renderer knows none.
    """
    user_unit = find_page(Document(document), 1).user_unit
    unit = 72 / 25.4 * scale
    found: list[tuple[float, float, float, float] | None] = []
    for before, after in zip(
        _rendered(document, scale * user_unit), render(prepared, scale=scale * user_unit), strict=True
    ):
        box = difference(before, after)
        if box is None:
            found.append(None)
            continue
        left, top, right, bottom = box
        height = before.height
        found.append((left / unit, (height - bottom) / unit, right / unit, (height - top) / unit))
    return found


def is_at(
    found: tuple[float, float, float, float] | None,
    wanted: tuple[float, float, float, float],
    *,
    off_mm: float = 0.3,
) -> bool:
    """Whether ink fills that box (left, bottom, right, top), to two pixels at SCALE."""
    return found is not None and all(
        abs(one - other) <= off_mm for one, other in zip(found, wanted, strict=True)
    )
