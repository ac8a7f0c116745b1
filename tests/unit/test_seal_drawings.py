"""Impressions as drawings: read from a stranger's SVG, and the round seal drawn as paths."""

import io
from datetime import UTC, datetime
from functools import lru_cache

import pytest
from PIL import Image, ImageChops

from seals.impressions.drawing import MAX_OUTLINES, ImpressionDrawing, covered_share, read_impression_drawing
from seals.impressions.errors import ImpressionRefused, ImpressionTextRefused, ImpressionTooLarge
from seals.impressions.round_seal import RoundSeal, draw_round_seal, draw_round_seal_as_svg
from tests.support.pdfs import build_pdf
from tests.support.placing import prepare_at
from tests.support.rendering import render
from trust.documents.pdf import Impression, Placement
from trust.documents.pdf.svg import MAX_SVG_BYTES, read_svg

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
SEAL = RoundSeal(agency_name="江城市自然资源和规划局", diameter_mm=42, lower_text="行政审批专用章(3)")


@lru_cache(maxsize=8)
def drawing_of(seal: RoundSeal) -> ImpressionDrawing:
    """Reading the font takes most of a test's time."""
    return draw_round_seal_as_svg(seal)


def svg(inside: str, box: str = "0 0 100 100") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{inside}</svg>'.encode()


RING = svg('<circle cx="50" cy="50" r="45" fill="none" stroke="red" stroke-width="5"/>')


def test_a_ring_is_taken():
    drawing = read_impression_drawing(RING, width_mm=42, height_mm=42)
    assert (drawing.svg, drawing.width_mm, drawing.height_mm) == (RING, 42, 42)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "well-formed"),
        (svg("<text>x</text>"), "'text'"),
        (svg('<rect width="100" height="100" fill="#fff"/>'), "covers what is below"),
        (svg('<rect x="1" y="1" width="98" height="98"/>'), "covers what is below"),
        (svg('<rect width="3" height="3"/>'), "shows nothing"),
        (svg('<path d="' + "M0 0h1v1z" * (MAX_OUTLINES + 1) + '"/>'), "separate outlines"),
        (svg('<rect width="90" height="9"/>', "0 0 100 90"), "distort"),
    ],
)
def test_what_no_seal_can_be_made_with_is_refused(octets, reason):
    with pytest.raises(ImpressionRefused, match=reason) as refused:
        read_impression_drawing(octets, width_mm=42, height_mm=42)
    assert refused.value.code == "impression-refused"


@pytest.mark.parametrize("side", [7.9, 60.1, float("nan"), -42.0])
def test_a_size_no_seal_has_is_refused(side):
    with pytest.raises(ImpressionRefused, match="is shown at"):
        read_impression_drawing(RING, width_mm=side, height_mm=side)


def test_a_drawing_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(ImpressionTooLarge):
        read_impression_drawing(b" " * (MAX_SVG_BYTES + 1), width_mm=42, height_mm=42)


@pytest.mark.parametrize(
    ("inside", "share"),
    [
        ('<rect width="50" height="50"/>', 0.25),
        ('<circle cx="50" cy="50" r="40"/>', 0.503),
        ('<path d="M0 0H100V100H0zM25 25V75H75V25z"/>', 0.75),
        ('<path d="M0 0H100V100H0zM25 25H75V75H25z"/>', 1.0),
        ('<path fill-rule="evenodd" d="M0 0H100V100H0zM25 25H75V75H25z"/>', 0.75),
        ('<line x1="0" y1="50" x2="100" y2="50" stroke="red" stroke-width="10"/>', 0.1),
        ('<path d="M0 0h50v50h-50zh100v10h-100z"/>', 0.3),
        ('<rect width="50" height="50"/><rect width="50" height="50"/>', 0.25),
        ('<rect x="-500" y="-500" width="1000" height="550"/>', 0.5),
    ],
)
def test_how_much_a_drawing_covers_is_told_well_enough(inside, share):
    assert covered_share(read_svg(svg(inside))) == pytest.approx(share, abs=0.01)


def test_a_drawn_seal_passes_the_check_that_a_strangers_must():
    drawn = drawing_of(SEAL)
    assert read_impression_drawing(drawn.svg, width_mm=drawn.width_mm, height_mm=drawn.height_mm) == drawn


def test_the_same_seal_has_the_same_paths_and_another_name_others():
    assert draw_round_seal_as_svg(SEAL) == drawing_of(SEAL)
    other = RoundSeal(agency_name="江城市自然资源和规划厅", diameter_mm=42, lower_text=SEAL.lower_text)
    assert drawing_of(SEAL) != draw_round_seal_as_svg(other)


@pytest.mark.parametrize(
    "seal",
    [
        SEAL,
        RoundSeal(agency_name="江城市国家档案馆", diameter_mm=42),
        RoundSeal(agency_name="江城市A区行政审批和政务服务管理局第三综合窗口办事大厅分局", diameter_mm=42),
    ],
)
def test_paths_and_pixels_show_the_same_seal(seal):
    drawn, pixels = drawing_of(seal), draw_round_seal(seal)
    shown = []
    for picture in (
        Impression(svg=drawn.svg, width_mm=42, height_mm=42),
        Impression(png=pixels.png, width_mm=42, height_mm=42),
    ):
        document = build_pdf(text=" ", page_entries=b"/MediaBox [0 0 200 200]")
        data = prepare_at(document, Placement(page=1, x_mm=5, y_mm=5), at=AT, impression=picture).data
        shown.append(render(data, scale=4)[0].convert("L"))
    apart = ImageChops.difference(*shown).point(lambda value: 255 if value > 128 else 0)
    inked = shown[0].point(lambda value: 255 if value < 200 else 0)
    assert sum(apart.histogram()[255:]) < 0.08 * sum(inked.histogram()[255:])


def test_a_drawing_is_a_fraction_of_the_pixels():
    assert len(drawing_of(SEAL).svg) < len(draw_round_seal(SEAL).png) / 3


def test_a_space_in_a_name_draws_nothing():
    drawn = draw_round_seal_as_svg(RoundSeal(agency_name="江城市 档案馆", diameter_mm=42))
    assert drawn.svg.count(b"<path") == 6


def test_a_text_that_cannot_be_drawn_is_refused():
    with pytest.raises(ImpressionTextRefused, match=r"U\+1F600"):
        draw_round_seal_as_svg(RoundSeal(agency_name="江城\U0001f600局", diameter_mm=45))
    with pytest.raises(ValueError, match="diameter"):
        draw_round_seal_as_svg(RoundSeal(agency_name="江城市国家档案馆", diameter_mm=5))


def test_the_pixels_are_a_png_still():
    assert Image.open(io.BytesIO(draw_round_seal(SEAL).png)).mode == "RGBA"
