"""An impression beside a keyword: found where it is shown, on pages of every kind, and refused where it is not."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.pdfs import Kind, build_pdf, stream
from tests.support.placing import PAGES, ink, is_at, prepare_at
from trust.documents.pdf import (
    Beside,
    FoundText,
    KeywordNotFound,
    KeywordPlacement,
    KeywordSearchFailed,
    PlacementBesideText,
    PlacementOffPage,
    PlacementRefused,
    beside_keyword,
)
from trust.documents.pdf import pdfium_text as searching
from trust.documents.pdf.keywords import MAX_FOUND
from trust.documents.pdf.pdfium_text import PdfiumFinder
from trust.kernel.errors import InvalidInput

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
SAMPLES = Path(os.environ.get("YINXIN_SAMPLES", "../shared/samples"))
FINDER = PdfiumFinder()


def showing(content: bytes, *, boxes: bytes = PAGES["a4"], rotation: int = 0, pages: int = 1) -> bytes:
    return build_pdf(
        pages=pages, page_entries=boxes + b" /Rotate %d" % rotation, objects={4: stream(content)}
    )


def words(*lines: str) -> bytes:
    """A page's content: these lines of ASCII, the first at 100, 300, each 20 below the one before."""
    return (
        b"BT /F1 18 Tf 20 TL 100 300 Td "
        + b" ".join(b"(%b) Tj T*" % line.encode() for line in lines)
        + b" ET"
    )


class Found:
    """A finder that has found already."""

    def __init__(self, *texts: FoundText) -> None:
        self._texts = texts

    def find_text(self, document: bytes, keyword: str) -> tuple[FoundText, ...]:
        return self._texts


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("boxes", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("beside", Beside)
def test_the_impression_stands_by_the_word_as_it_is_shown(boxes, rotation, beside):
    blank, document = (
        showing(content, boxes=boxes, rotation=rotation) for content in (b"", words("Seal:here"))
    )
    # Where the word is, as the eye has it: the ink that it adds to the page.
    alone = showing(words("Seal:"), boxes=boxes, rotation=rotation)
    word = ink(blank, alone)[0]
    assert word is not None
    left, bottom, right, top = word
    keyword = KeywordPlacement(keyword="Seal:", beside=beside, dx_mm=1, dy_mm=-2, width_mm=12, height_mm=8)
    prepared = prepare_at(document, beside_keyword(keyword, document, FINDER), at=AT)
    found = ink(document, prepared.data)[0]
    x, y = (left + right) / 2 - 6, (bottom + top) / 2 - 4
    match beside:
        case Beside.RIGHT:
            x = right
        case Beside.LEFT:
            x = left - 12
        case Beside.ABOVE:
            y = top
        case Beside.BELOW:
            y = bottom - 8
    assert is_at(found, (x + 1, y - 2, x + 13, y + 6), off_mm=0.6)


def test_places_are_counted_from_the_front_and_from_the_back():
    document = showing(words("Seal", "no", "Seal", "seal"), pages=2)
    found = FINDER.find_text(document, "Seal")
    assert [text.page for text in found] == [1, 1, 2, 2]
    assert found[0].bottom > found[1].bottom
    for occurrence, index in ((1, 0), (2, 1), (4, 3), (-1, 3), (-4, 0)):
        placement = beside_keyword(KeywordPlacement(keyword="Seal", occurrence=occurrence), document, FINDER)
        assert placement.text == found[index]


@pytest.mark.parametrize("occurrence", [3, -3, 100])
def test_a_keyword_that_is_not_there_so_often_is_refused(occurrence):
    document = showing(words("Seal", "Seal"))
    with pytest.raises(KeywordNotFound) as refused:
        beside_keyword(KeywordPlacement(keyword="Seal", occurrence=occurrence), document, FINDER)
    assert refused.value.code == "keyword-not-found"


def test_a_keyword_that_is_not_there_is_refused_and_not_repeated():
    with pytest.raises(KeywordNotFound) as refused:
        beside_keyword(KeywordPlacement(keyword="张三"), build_pdf(), FINDER)
    assert "张三" not in str(refused.value)


def test_an_occurrence_of_nought_is_refused():
    with pytest.raises(PlacementRefused):
        beside_keyword(KeywordPlacement(keyword="Seal", occurrence=0), build_pdf(), FINDER)


@pytest.mark.parametrize("keyword", ["", " ", "a\nb", "x" * 51, "\ud800"])
def test_a_keyword_that_is_no_line_of_text_is_refused(keyword):
    with pytest.raises(InvalidInput):
        beside_keyword(KeywordPlacement(keyword=keyword), build_pdf(), FINDER)


@pytest.mark.parametrize("keyword", ["Seal (here)", "Seal(here)", "S e a l(h e r e)", "Ｓｅａｌ（ｈｅｒｅ）"])
def test_white_space_and_full_width_make_no_difference(keyword):
    document = showing(words("Seal \\(here\\)"))
    (found,) = FINDER.find_text(document, keyword)
    assert (found.left, round(found.bottom)) == (pytest.approx(101, abs=1.5), 296)


def test_a_word_does_not_run_on_over_the_end_of_a_line():
    assert FINDER.find_text(showing(words("Se", "al")), "Seal") == ()


def test_places_do_not_overlap():
    assert len(FINDER.find_text(showing(words("aaaa")), "aa")) == 2


@pytest.mark.skipif(not SAMPLES.exists(), reason="no sample documents (YINXIN_SAMPLES)")
@pytest.mark.parametrize("name", ["notice-beijing-2009.pdf", "notice-beijing-2009-pdfa2b.pdf"])
def test_a_chinese_keyword_is_found_in_a_real_notice(name):
    document = (SAMPLES / name).read_bytes()
    placement = beside_keyword(
        KeywordPlacement(keyword="北京市政府网站", beside=Beside.CENTRED, width_mm=20, height_mm=20),
        document,
        FINDER,
    )
    text = placement.text
    assert text.page == 1
    assert 5 < (text.right - text.left) / (text.top - text.bottom) < 9, "seven characters in a row"
    prepared = prepare_at(document, placement, at=AT)
    found = ink(document, prepared.data)[0]
    assert found is not None
    centre = ((found[0] + found[2]) / 2 * 72 / 25.4, (found[1] + found[3]) / 2 * 72 / 25.4)
    assert centre == pytest.approx(((text.left + text.right) / 2, (text.bottom + text.top) / 2), abs=1)


@pytest.mark.skipif(not SAMPLES.exists(), reason="no sample documents (YINXIN_SAMPLES)")
def test_a_scan_has_no_words():
    document = (SAMPLES / "scan-notice-beijing-2009.pdf").read_bytes()
    with pytest.raises(KeywordNotFound, match="scanned"):
        beside_keyword(KeywordPlacement(keyword="北京市"), document, FINDER)


@pytest.mark.parametrize("document", [b"", b"%PDF-1.7", bytes(100), b"x" * 1000])
def test_a_document_that_cannot_be_opened_is_refused(document):
    with pytest.raises(KeywordSearchFailed) as refused:
        FINDER.find_text(document, "Seal")
    assert refused.value.code == "keyword-search-failed"


def test_a_word_that_is_everywhere_is_refused():
    with pytest.raises(KeywordSearchFailed, match=str(MAX_FOUND)):
        FINDER.find_text(showing(words("a" * 50, "a" * 50), pages=MAX_FOUND // 100 + 1), "a")


def test_pages_and_characters_are_limited(monkeypatch):
    document = showing(words("Seal"), pages=3)
    monkeypatch.setattr(searching, "MAX_PAGES", 2)
    with pytest.raises(KeywordSearchFailed, match="pages"):
        FINDER.find_text(document, "Seal")
    monkeypatch.setattr(searching, "MAX_PAGES", 3)
    monkeypatch.setattr(searching, "MAX_CHARACTERS", 11)
    with pytest.raises(KeywordSearchFailed, match="characters"):
        FINDER.find_text(document, "Seal")


@pytest.mark.parametrize(
    "text",
    [
        FoundText(page=2, left=0, bottom=0, right=9, top=9),
        FoundText(page=1, left=1e9, bottom=0, right=2e9, top=9),
        FoundText(page=1, left=float("nan"), bottom=0, right=9, top=9),
        FoundText(page=1, left=0, bottom=0, right=float("inf"), top=9),
    ],
)
def test_what_a_finder_says_is_not_trusted(text):
    placement = beside_keyword(KeywordPlacement(keyword="Seal"), b"", Found(text))
    with pytest.raises(PlacementOffPage):
        prepare_at(build_pdf(), placement, at=AT)


def test_the_numbers_of_a_placement_must_be_numbers():
    text = FoundText(page=1, left=200, bottom=200, right=220, top=210)
    for odd in ({"dx_mm": float("nan")}, {"dy_mm": float("inf")}, {"width_mm": 0.0}):
        with pytest.raises(PlacementOffPage):
            prepare_at(build_pdf(), PlacementBesideText(text=text, **odd), at=AT)


@pytest.mark.parametrize("kind", Kind)
def test_text_is_found_in_documents_of_every_kind(kind):
    assert len(FINDER.find_text(build_pdf(kind=kind, pages=2), "Approved")) == 2
