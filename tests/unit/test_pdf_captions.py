"""A text below an impression: where it stands, what is embedded, that it can be read, and what is refused."""

import threading
import time
import zlib
from datetime import UTC, datetime

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pdfs import build_pdf, stream
from tests.support.placing import PAGES, ink, is_at, prepare_at
from tests.support.rendering import render
from trust.documents.pdf import (
    Caption,
    CaptionRefused,
    CrossPagePlacement,
    Placement,
    PlacementOffPage,
    PlacementOnAllPages,
    PlacementRefused,
    Rgb,
)
from trust.documents.pdf.captions import MAX_LINE_CHARACTERS, set_caption
from trust.documents.pdf.document import Document
from trust.documents.pdf.fonts import font_subset
from trust.documents.pdf.syntax import Dictionary, Reference
from trust.kernel.errors import InvalidInput

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
LINES = ("武汉市测试局", "2026年11月22日 16:00")
PLACED = Placement(page=1, x_mm=60, y_mm=50)


def captioned(document: bytes, caption: Caption | None = None, placement=PLACED):
    return prepare_at(document, placement, at=AT, caption=caption or Caption(lines=LINES))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("boxes", PAGES.values(), ids=PAGES)
def test_the_impression_stays_where_it_was_put_and_the_text_stands_centred_below(boxes, rotation):
    document = build_pdf(page_entries=boxes + b" /Rotate %d" % rotation)
    room = set_caption(Caption(lines=LINES)).room
    whole = ink(document, captioned(document).data)[0]
    assert whole is not None
    left, bottom, right, top = whole
    assert is_at((left, 50, right, top), (60, 50, 100, 80))
    assert 50 - room.height_mm <= bottom < 50 - room.height_mm / 2
    # The text alone: what differs when the impression is there in both.
    plain = prepare_at(document, PLACED, at=AT).data
    text = ink(plain, captioned(document).data)[0]
    assert text is not None
    assert text[3] <= 50.3
    assert abs((text[0] + text[2]) / 2 - 80) < 0.5
    assert room.width_mm - 2 < text[2] - text[0] <= room.width_mm + 0.3


def test_a_text_wider_than_the_impression_reaches_over_both_its_sides():
    document = build_pdf(page_entries=PAGES["a4"])
    caption = Caption(lines=("武汉市测试局行政审批专用电子印章用印",), size_pt=12)
    found = ink(document, captioned(document, caption).data)[0]
    assert found is not None
    assert found[0] < 50
    assert found[2] > 110
    with pytest.raises(PlacementOffPage):
        captioned(document, caption, Placement(page=1, x_mm=5, y_mm=50))


def test_a_text_that_would_fall_off_the_page_is_refused():
    with pytest.raises(PlacementOffPage):
        captioned(build_pdf(), placement=Placement(page=1, x_mm=20, y_mm=2))


def test_the_text_can_be_taken_out_again():
    prepared = captioned(build_pdf(text=" "))
    document = pypdfium2.PdfDocument(prepared.data)
    try:
        page = document[0]
        # Annotations are no page text until they are flattened into it.
        document.init_forms()
        pypdfium2.raw.FPDFPage_Flatten(page, pypdfium2.raw.FLAT_PRINT)
        page = document[0]
        text = page.get_textpage().get_text_bounded()
    finally:
        document.close()
    assert [line.strip() for line in text.strip().splitlines()] == list(LINES)


def font_of(data: bytes) -> tuple[Document, Dictionary, Dictionary, Dictionary]:
    document = Document(data)
    for number in document.cross_references.locations:
        found = document.resolve(Reference(number, 0))
        if isinstance(found, Dictionary) and found.get("Subtype") == "Type0":
            (below,) = document.array(found["DescendantFonts"]) or []
            descendant = document.dictionary(below)
            assert descendant is not None
            descriptor = document.dictionary(descendant["FontDescriptor"])
            assert descriptor is not None
            return document, found, descendant, descriptor
    raise AssertionError("no font")


def test_what_is_embedded_is_a_subset_that_an_archival_document_may_hold():
    document, font, descendant, descriptor = font_of(captioned(build_pdf()).data)
    assert descendant["Subtype"] == "CIDFontType0"
    assert descriptor["FontName"] == descendant["BaseFont"]
    tag, _, name = str(descendant["BaseFont"]).partition("+")
    assert (len(tag), tag.isupper(), name) == (6, True, "NotoSansCJKsc-Regular")
    assert font["Encoding"] == "Identity-H"
    subset = font_subset("".join(LINES))
    # ISO 19005-1 §6.3.5: the set of glyphs names all of the program's, and widths are the program's.
    glyph_set = document.stream(descriptor["CIDSet"])
    present = {at for at in range(len(glyph_set) * 8) if glyph_set[at // 8] & 0x80 >> at % 8}
    assert present == {0, *subset.glyphs.values()} == set(subset.widths)
    assert len(document.stream(descriptor["FontFile3"])) < 20_000
    widths = document.array(descendant["W"]) or []
    said = {number: width for number, (width,) in zip(widths[::2], widths[1::2], strict=True)}
    assert {number: said.get(number, descendant["DW"]) for number in present} == subset.widths
    assert subset.widths[subset.glyphs["武"]] == 1000
    assert subset.widths[subset.glyphs["1"]] < 600


def test_the_program_is_the_font_that_the_widths_are_of():
    from io import BytesIO  # noqa: PLC0415

    from fontTools.cffLib import CFFFontSet  # noqa: PLC0415  # the peer that reads what was written

    document, _, _, descriptor = font_of(captioned(build_pdf()).data)
    program = CFFFontSet()
    program.decompile(BytesIO(document.stream(descriptor["FontFile3"])), None)
    assert program.fontNames == [descriptor["FontName"]]
    top = program[0]
    assert top.ROS == ("Adobe", "Identity", 0)
    subset = font_subset("".join(LINES))
    assert {0 if name == ".notdef" else int(name[3:]) for name in top.charset} == set(subset.widths)


def _archival(part: bytes, intent: bytes) -> bytes:
    packet = b"<x:xmpmeta><pdfaid:part>" + part + b"</pdfaid:part></x:xmpmeta>"
    return build_pdf(
        catalog_entries=b"/Metadata 8 0 R " + intent,
        objects={
            8: stream(packet, b"/Type /Metadata /Subtype /XML"),
            9: b"<< /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile 10 0 R >>",
            10: stream(b"profile", b"/N 3"),
        },
    )


@pytest.mark.parametrize("part", [b"1", b"2", b"3"])
def test_where_device_colours_mean_nothing_the_text_has_a_calibrated_one(part):
    drawn = captioned(_archival(part, b""), Caption(lines=LINES, colour=Rgb(255, 0, 0))).data
    assert b"/Ink cs 1 0 0 sc" in drawn
    assert b"/ColorSpace << /Ink [/CalRGB" in drawn
    plain = captioned(
        _archival(part, b"/OutputIntents [9 0 R]"), Caption(lines=LINES, colour=Rgb(255, 0, 0))
    ).data
    assert b"1 0 0 rg" in plain
    assert b"/Ink" not in plain


def test_the_colour_is_the_one_asked_for():
    document = build_pdf(text=" ", page_entries=PAGES["a4"])
    blue = captioned(document, Caption(lines=("一一一一",), size_pt=24, colour=Rgb(0, 0, 255))).data
    page = render(blue, scale=4)[0].crop((60 * 11, 247 * 11, 100 * 12, 262 * 12))
    colours = {colour for _, colour in page.getcolors(100_000) or []}
    assert (0, 0, 255) in colours


@pytest.mark.parametrize(
    ("caption", "error"),
    [
        (Caption(lines=()), CaptionRefused),
        (Caption(lines=("一",) * 5), CaptionRefused),
        (Caption(lines=("x" * (MAX_LINE_CHARACTERS + 1),)), InvalidInput),
        (Caption(lines=("",)), InvalidInput),
        (Caption(lines=("a\nb",)), InvalidInput),
        (Caption(lines=("\ud800",)), InvalidInput),
        (Caption(lines=("one",), size_pt=0), CaptionRefused),
        (Caption(lines=("one",), size_pt=float("nan")), CaptionRefused),
        (Caption(lines=("one",), size_pt=1000), CaptionRefused),
        (Caption(lines=("one",), colour=Rgb(256, 0, 0)), CaptionRefused),
        (Caption(lines=("章\U0001f58b",)), CaptionRefused),
        (Caption(lines=("\ue000",)), CaptionRefused),
    ],
)
def test_a_text_that_cannot_be_set_is_refused(caption, error):
    with pytest.raises(error):
        captioned(build_pdf(), caption)


def test_a_character_that_the_font_lacks_is_named():
    with pytest.raises(CaptionRefused, match=r"U\+1F58B") as refused:
        set_caption(Caption(lines=("章\U0001f58b",)))
    assert refused.value.code == "caption-refused"


def test_rare_characters_beyond_the_basic_plane_are_set():
    caption = set_caption(Caption(lines=("\U00020089\U0002070e",)))
    assert b"<d840dc89>" in zlib.decompress(caption.font.to_unicode)


@pytest.mark.parametrize("placement", [None, CrossPagePlacement(y_mm=10)])
def test_where_there_is_no_room_for_a_text_it_is_refused(placement):
    with pytest.raises(PlacementRefused):
        captioned(build_pdf(pages=2), placement=placement)


def test_one_font_serves_all_pages():
    data = captioned(build_pdf(pages=6), placement=PlacementOnAllPages(x_mm=60, y_mm=50)).data
    assert data.count(b"/Subtype /Type0") == 1


def test_a_font_is_cut_once_for_a_seal_whatever_the_day():
    first = font_subset("武汉市测试局2026年11月22日")
    started = time.process_time()
    for day in range(10, 30):
        assert font_subset(f"2027年01月{day}日武汉市测试局") is first
    assert time.process_time() - started < 0.1


@pytest.mark.stranger
def test_threads_that_cut_at_once_get_what_they_asked_for():
    texts = ["甲乙丙", "丁戊己", "庚辛壬", "子丑寅"]
    made: dict[str, set[str]] = {}

    def cut(text: str) -> None:
        made[text] = set(font_subset(text).glyphs)

    threads = [threading.Thread(target=cut, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(set(text) <= made[text] for text in texts)


@pytest.mark.stranger
@settings(max_examples=5, deadline=None)
@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=8))
def test_any_common_characters_have_widths_and_glyphs(text):
    subset = font_subset(text)
    assert subset.width(text) == 1000 * len(text)
    assert len(subset.encoded(text)) == 4 * len(text) + 2
