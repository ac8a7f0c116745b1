"""Pages as pictures, and where two pictures differ. pypdfium2 is not thread-safe: one process, one thread."""

from PIL import Image, ImageChops

_POINTS_PER_MILLIMETRE = 72 / 25.4


def render(document: bytes, *, scale: float = 1.0) -> list[Image.Image]:
    """Every page as shown, with form fields and annotations, one pixel a point times `scale`."""
    import pypdfium2  # noqa: PLC0415  # loads a library of 7 MB; only tests that draw need it

    opened = pypdfium2.PdfDocument(document)
    try:
        opened.init_forms()  # without it stamps are not drawn, and a comparison would pass on nothing
        return [page.render(scale=scale, may_draw_forms=True).to_pil().convert("RGB") for page in opened]
    finally:
        opened.close()


def box_in_pixels(
    page: Image.Image, *, x_mm: float, y_mm: float, width_mm: float, height_mm: float, scale: float = 1.0
) -> tuple[int, int, int, int]:
    """The pixels that a box in millimetres from the lower left covers, one more on each side."""
    x, y, width, height = (
        each * _POINTS_PER_MILLIMETRE * scale for each in (x_mm, y_mm, width_mm, height_mm)
    )
    left, top = int(x) - 1, int(page.height - y - height) - 1
    return max(0, left), max(0, top), int(x + width) + 2, int(page.height - y) + 2


def difference(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int] | None:
    """The smallest box (left, top, right, bottom) outside which the pictures are the same; None where they are."""
    assert one.size == other.size
    return ImageChops.difference(one, other).getbbox()
