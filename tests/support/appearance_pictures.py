"""The pictures of docs/appearances.md, made from documents sealed for them.

Run after a change of how seals look: python -m tests.support.appearance_pictures
"""

from datetime import UTC, datetime
from pathlib import Path

from PIL import Image, ImageDraw

from seals.impressions.round_seal import RoundSeal, draw_round_seal_as_svg
from tests.support.pdfs import build_pdf, stream
from tests.support.placing import prepare_at
from tests.support.rendering import render
from trust.documents.pdf import (
    AnyPlacement,
    Beside,
    Caption,
    CrossPagePlacement,
    Impression,
    KeywordPlacement,
    Placement,
    PlacementOnAllPages,
    beside_keyword,
)
from trust.documents.pdf.pdfium_text import PdfiumFinder

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
_AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
_PAGES = 5
_GREY = (150, 150, 150)
_LINES = b" ".join(b"70 %d %d 7 re" % (740 - 24 * at, 455 - 37 * (at % 3)) for at in range(24))
_CONTENT = b"0.88 g " + _LINES + b" f 0 g BT /F1 14 Tf 330 115 Td (Approved by:) Tj ET"


def main() -> None:
    """Writes the pictures."""
    document = build_pdf(
        pages=_PAGES, page_entries=b"/MediaBox [0 0 595.27559 841.88976]", objects={4: stream(_CONTENT)}
    )
    drawn = draw_round_seal_as_svg(RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=42))
    seal = Impression(svg=drawn.svg, width_mm=42, height_mm=42)
    keyword = KeywordPlacement(keyword="Approved by:", beside=Beside.RIGHT, dx_mm=-12)
    caption = Caption(lines=("江城市自然资源和规划局", "2026年11月22日"))
    _save(
        "placements.png",
        _row(
            [
                *_shown(document, Placement(page=1, x_mm=20, y_mm=30), seal, caption)[:1],
                *_shown(document, beside_keyword(keyword, document, PdfiumFinder()), seal)[:1],
                *_shown(document, PlacementOnAllPages(x_mm=148, y_mm=235), seal)[:2],
            ]
        ),
    )
    pages = _shown(document, CrossPagePlacement(y_mm=120), seal, scale=0.9)
    _save("cross-page-seal.png", _fanned(pages, step=round(42 / _PAGES / 25.4 * 72 * 0.9)))


def _shown(
    document: bytes,
    placement: AnyPlacement,
    seal: Impression,
    caption: Caption | None = None,
    *,
    scale: float = 0.5,
) -> list[Image.Image]:
    """The pages at twice the size and reduced: thin lines stay lines."""
    data = prepare_at(document, placement, at=_AT, impression=seal, caption=caption).data
    large = render(data, scale=2 * scale)
    return [
        _framed(page.resize((page.width // 2, page.height // 2), Image.Resampling.LANCZOS)) for page in large
    ]


def _framed(page: Image.Image) -> Image.Image:
    ImageDraw.Draw(page).rectangle((0, 0, page.width - 1, page.height - 1), outline=_GREY)
    return page


def _row(pages: list[Image.Image]) -> Image.Image:
    width, height = pages[0].size
    picture = Image.new("RGB", (len(pages) * (width + 12) - 12, height), "white")
    for at, page in enumerate(pages):
        picture.paste(page, (at * (width + 12), 0))
    return picture


def _fanned(pages: list[Image.Image], *, step: int) -> Image.Image:
    """The first page on top; of each page below, its right edge is to be seen."""
    width, height = pages[0].size
    picture = Image.new("RGB", (width + step * (len(pages) - 1), height), "white")
    for at in reversed(range(len(pages))):
        picture.paste(pages[at], (at * step, 0))
    return picture.crop((width // 2, height // 4, picture.width, height * 3 // 4))


def _save(name: str, picture: Image.Image) -> None:
    picture.quantize(64).save(FOLDER / name, optimize=True)


if __name__ == "__main__":
    main()
