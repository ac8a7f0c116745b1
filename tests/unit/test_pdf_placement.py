"""An impression stands where it was put, upright and at its true size, however the page is turned or cut."""

import math
from io import BytesIO

import pytest
from PIL import Image

from tests.support.pdfs import build_pdf, impression, prepared_for
from tests.support.pki import TestPki
from tests.support.rendering import difference, render
from trust.documents.pdf import ImpressionRefused, Placement, PlacementOffPage, prepare
from trust.documents.pdf.pictures import Impression

SCALE = 2
PIXELS_PER_MM = 72 / 25.4 * SCALE
A4 = b"/MediaBox [0 0 595 842]"


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270, -90, 450])
@pytest.mark.parametrize(
    "boxes",
    [A4, b"/MediaBox [-100 -50 495 792]", b"/MediaBox [0 0 700 900] /CropBox [50 70 600 880]"],
    ids=["a4", "moved", "cropped"],
)
def test_the_impression_stands_at_its_millimetres_and_upright(pki, leaf, rotation, boxes):
    document = build_pdf(page_entries=boxes + b" /Rotate %d" % rotation)
    placement = Placement(page=1, x_mm=20, y_mm=35, width_mm=40, height_mm=30)
    prepared = prepared_for(document, leaf, pki=pki, placement=placement)
    (before,), (after,) = render(document, scale=SCALE), render(prepared.data, scale=SCALE)
    box = difference(before, after)
    assert box is not None
    left, top, right, bottom = box
    expected = (20, before.height / PIXELS_PER_MM - 65, 60, before.height / PIXELS_PER_MM - 35)
    # The ring's outer edge lies a sixtieth of the picture inside it.
    for found, wanted in zip((left, top, right, bottom), expected, strict=True):
        assert abs(found / PIXELS_PER_MM - wanted) < 1
    centre = (left + right) // 2
    assert after.getpixel((centre, top + (bottom - top) * 3 // 10))[1] < 100, "the bar is in the upper half"
    assert after.getpixel((centre, bottom - (bottom - top) * 3 // 10))[1] > 200, "and not in the lower"


def test_a_larger_unit_of_the_page_is_honoured(pki, leaf):
    document = build_pdf(page_entries=b"/MediaBox [0 0 300 400] /UserUnit 2")
    placement = Placement(page=1, x_mm=100, y_mm=200, width_mm=50, height_mm=50)
    data = prepared_for(document, leaf, pki=pki, placement=placement).data
    # 50 mm are 141.73 points, half as many of this page's units; the page is 211.7 mm wide.
    assert b"/Rect [141.73228 283.46457 212.59843 354.33071]" in data
    with pytest.raises(PlacementOffPage):
        prepared_for(document, leaf, pki=pki, placement=Placement(page=1, x_mm=170, y_mm=0))


def test_an_inherited_box_and_turn_are_honoured(pki, leaf):
    document = build_pdf(
        page_entries=b"",
        objects={2: b"<< /Type /Pages /Count 1 /Kids [3 0 R] /MediaBox [0 0 595 842] /Rotate 90 >>"},
    )
    wide = Placement(page=1, x_mm=250, y_mm=0)
    assert b"/MK << /R 90 >>" in prepared_for(document, leaf, pki=pki, placement=wide).data


@pytest.mark.parametrize(
    "placement",
    [
        Placement(page=1, x_mm=180, y_mm=10),
        Placement(page=1, x_mm=10, y_mm=280),
        Placement(page=1, x_mm=-1, y_mm=10),
        Placement(page=1, x_mm=10, y_mm=-0.02),
        Placement(page=1, x_mm=10, y_mm=10, width_mm=0),
        Placement(page=1, x_mm=10, y_mm=10, height_mm=-5),
        Placement(page=1, x_mm=math.nan, y_mm=10),
        Placement(page=1, x_mm=10, y_mm=10, width_mm=math.inf),
        Placement(page=0, x_mm=10, y_mm=10),
        Placement(page=3, x_mm=10, y_mm=10),
        Placement(page=-3, x_mm=10, y_mm=10),
    ],
)
def test_an_impression_off_the_page_is_refused(pki, leaf, placement):
    with pytest.raises(PlacementOffPage) as refused:
        prepared_for(build_pdf(pages=2, page_entries=A4), leaf, pki=pki, placement=placement)
    assert refused.value.code == "placement-off-page"


def test_an_impression_that_touches_the_edge_is_taken(pki, leaf):
    document = build_pdf(page_entries=b"/MediaBox [0 0 595.275591 841.889764]")
    prepared_for(document, leaf, pki=pki, placement=Placement(page=1, x_mm=168, y_mm=0))


@pytest.mark.parametrize(("page", "index"), [(1, 0), (2, 1), (7, 6), (-1, 6), (-7, 0)])
def test_pages_count_from_the_front_and_from_the_back(pki, leaf, page, index):
    document = build_pdf(pages=7)
    data = prepared_for(document, leaf, pki=pki, placement=Placement(page=page, x_mm=20, y_mm=30)).data
    changed = [
        one.tobytes() != other.tobytes() for one, other in zip(render(document), render(data), strict=True)
    ]
    assert changed == [number == index for number in range(7)]


@pytest.mark.parametrize("png", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(100), b"x" * (9 << 20)])
def test_a_picture_that_is_no_png_is_refused(pki, png):
    with pytest.raises(ImpressionRefused):
        _prepare_with(Impression(png=png, width_mm=40, height_mm=40), pki)


def test_a_picture_with_nothing_in_it_and_one_too_large_are_refused(pki):
    for image, reason in ((Image.new("RGBA", (9, 9)), "transparent"), (Image.new("L", (4097, 1)), "pixels")):
        stored = BytesIO()
        image.save(stored, "PNG")
        with pytest.raises(ImpressionRefused, match=reason):
            _prepare_with(Impression(png=stored.getvalue(), width_mm=40, height_mm=40), pki)


def test_an_opaque_picture_needs_no_mask(pki, leaf):
    placement = Placement(page=1, x_mm=20, y_mm=30)
    opaque = prepare(
        build_pdf(),
        placement=placement,
        impression=impression(opaque=True),
        field_name=None,
        signer_name="x",
        reserved=100,
        at=pki.now,
    )
    assert b"/SMask" not in opaque.data
    assert b"/SMask" in prepared_for(build_pdf(), leaf, pki=pki, placement=placement).data


def _prepare_with(picture, pki):
    placement = Placement(page=1, x_mm=20, y_mm=30)
    return prepare(
        build_pdf(),
        placement=placement,
        impression=picture,
        field_name=None,
        signer_name="x",
        reserved=100,
        at=pki.now,
    )
