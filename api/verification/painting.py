"""Pages of a stranger's PDF as pictures: run in a limited process alone, for the library that draws is native code.

A picture shows a page as the file is now, or as it was when somebody signed: the file's first octets, up to where
that signature's cover ends, are a document of their own. Boxes are given in the picture's pixels; nothing is drawn
into a picture that is not in the document.
"""

import base64
import contextlib
import ctypes
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pypdfium2
import pypdfium2.raw
from PIL import Image

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import reading_a_strangers_file
from trust.documents.pdf.history import History
from trust.documents.pdf.places import Place, signature_places
from trust.documents.pdf.signatures import read_signatures
from trust.kernel.errors import YinxinError

# An A4 page comes out at about 880 by 1,245: small print can be read, eight of them fit one answer.
MAX_PIXELS: Final = 1_100_000
MAX_PIXELS_A_SIDE: Final = 2400
# A page the size of a stamp is not blown up beyond this many pixels a point.
MAX_SCALE: Final = 2.5
# Scans hardly compress in full colour; above this they are shown in fewer colours.
_PLAIN_PNG_BYTES: Final = 400_000
_COLOURS: Final = 96
# What one answer's pictures may take together: base64 makes it a third more, and a frame has its limit.
MAX_PNG_BYTES_TOGETHER: Final = 5 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class _View:
    """A page to be drawn: `signature` names the field whose signed state is shown, None the file as it is."""

    page: int
    signature: str | None


def paint(data: bytes, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Pictures for an order: `marks` (id, page, box, field), and `most`, how many pictures at most.

    Gives `pages` (their number) and `pictures`; each has page, signature, width, height, png (base64) and boxes:
    `mark` or `field`, and x, y, width, height in pixels.
    """
    with contextlib.closing(pypdfium2.PdfDocument(data)) as opened:
        opened.init_forms()  # without it stamps and seals are not drawn
        painter = _Painter(data, opened, [mark for mark in order["marks"] if _is_box(mark.get("box"))])
        return {"pages": len(opened), "pictures": list(painter.pictures(order["most"]))}


class _Painter:
    """One document: where its signatures are, what to show of it, and the pictures."""

    def __init__(self, data: bytes, opened: Any, marks: Sequence[Mapping[str, Any]]) -> None:
        self._data = data
        self._opened = opened
        self._marks = marks
        self._places, self._covered = _signatures(data)
        self._room = MAX_PNG_BYTES_TOGETHER

    def pictures(self, most: int) -> Iterator[Mapping[str, Any]]:
        """At most this many, pages in order."""
        for view in self._views(most):
            try:
                picture = self._picture(view)
            except (pypdfium2.PdfiumError, ValueError):
                continue  # one page that cannot be drawn hides no other
            if picture is not None:
                yield picture

    def _views(self, most: int) -> list[_View]:
        """Changed pages first, each with what was signed; then pages with signatures, then the first ones."""
        found: dict[_View, None] = {}
        for page in sorted({mark["page"] for mark in self._marks}):
            found[_View(page=page, signature=None)] = None
            fields = {mark["field"] for mark in self._marks if mark["page"] == page} & self._covered.keys()
            if fields:
                first = min(fields, key=lambda field: self._covered[field])
                found[_View(page=page, signature=first)] = None
        for page in sorted({place.page for places in self._places.values() for place in places}):
            found[_View(page=page, signature=None)] = None
        total = len(self._opened)
        for page in range(1, min(total, most) + 1):
            found[_View(page=page, signature=None)] = None
        kept = [view for view in found if 1 <= view.page <= total][:most]
        return sorted(kept, key=lambda view: (view.page, view.signature is not None))

    def _picture(self, view: _View) -> Mapping[str, Any] | None:
        here = [
            (name, place.box)
            for name, places in self._places.items()
            for place in places
            if place.page == view.page
        ]
        if view.signature is None:
            boxes = [({"mark": mark["id"]}, mark["box"]) for mark in self._marks if mark["page"] == view.page]
            boxes += [({"field": name}, box) for name, box in here]
            return self._drawn(self._opened, view, boxes)
        end = self._covered[view.signature]
        with contextlib.closing(pypdfium2.PdfDocument(self._data[:end])) as signed:
            if view.page > len(signed):
                return None
            signed.init_forms()
            then = [({"field": name}, box) for name, box in here if self._covered.get(name, end + 1) <= end]
            return self._drawn(signed, view, then)

    def _drawn(
        self, opened: Any, view: _View, boxes: Sequence[tuple[Mapping[str, Any], Any]]
    ) -> Mapping[str, Any] | None:
        with contextlib.closing(opened[view.page - 1]) as page:
            width, height = page.get_size()
            if not (0 < width < 1e6 and 0 < height < 1e6):
                return None
            scale = min(
                MAX_SCALE, (MAX_PIXELS / (width * height)) ** 0.5, MAX_PIXELS_A_SIDE / max(width, height)
            )
            image = page.render(scale=scale, may_draw_forms=True).to_pil().convert("RGB")
            png = _png(image)
            if len(png) > self._room:
                return None
            self._room -= len(png)
            return {
                "page": view.page,
                "signature": view.signature,
                "width": image.width,
                "height": image.height,
                "png": base64.b64encode(png).decode("ascii"),
                "boxes": [
                    {**name, **rectangle} for name, box in boxes for rectangle in _in_pixels(page, image, box)
                ],
            }


def _signatures(data: bytes) -> tuple[Mapping[str, tuple[Place, ...]], Mapping[str, int]]:
    """Where signatures are shown, and where the cover of each sound one ends, by field.

    Nothing where the file cannot be read that far: its pages are shown all the same.
    """
    try:
        with reading_a_strangers_file():
            document = Document(data)
            covered = {
                signature.field_name: signature.covered_end
                for signature in read_signatures(History(document))
                if not signature.problems
            }
            return signature_places(document), covered
    except YinxinError:
        return {}, {}


def _png(image: Image.Image) -> bytes:
    stored = io.BytesIO()
    image.save(stored, "PNG")
    if stored.tell() <= _PLAIN_PNG_BYTES:
        return stored.getvalue()
    fewer = io.BytesIO()
    image.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE).save(fewer, "PNG")
    return fewer.getvalue()


def _in_pixels(page: Any, image: Image.Image, box: Sequence[float]) -> Iterator[Mapping[str, int]]:
    """The box as the page is shown: cropped, turned, from the upper left; nothing where it lies outside."""
    corners = [_to_device(page, image, x, y) for x, y in ((box[0], box[1]), (box[2], box[3]))]
    left, right = sorted(corner[0] for corner in corners)
    top, bottom = sorted(corner[1] for corner in corners)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, image.width), min(bottom, image.height)
    if left < right and top < bottom:
        yield {"x": left, "y": top, "width": right - left, "height": bottom - top}


def _to_device(page: Any, image: Image.Image, x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    pypdfium2.raw.FPDF_PageToDevice(
        page.raw, 0, 0, image.width, image.height, 0, x, y, ctypes.byref(across), ctypes.byref(down)
    )
    return across.value, down.value


def _is_box(box: Any) -> bool:
    return (
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(side, int | float) and abs(side) < 1e6 for side in box)
    )
