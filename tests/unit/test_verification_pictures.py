"""Pictures of pages: what is shown first, where the boxes lie, and that a file that cannot be drawn costs no report."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from api.verification.painting import MAX_PIXELS, MAX_PIXELS_A_SIDE, paint
from api.verification.pictures import MAX_PICTURES, PagePictures, ShownPages, marks_of
from tests.support.credentials import NOW, LicenceDesk
from tests.support.pdfs import LOWER_RIGHT, build_pdf, seal
from trust.documents.pdf import Placement
from trust.kernel.report import Report
from trust.pki.profiles import ProfileName
from trust.verify.verifier import verify_bytes

DESK = LicenceDesk()
TRUST = DESK.trust()
LEAF = DESK.pki.leaf(ProfileName.SEAL)
SEALED = seal(build_pdf(), LEAF, pki=DESK.pki)


def report_on(data: bytes, *, regions: list[Any] | None = None) -> Report:
    """The verifier's report; with regions that a signature's later revisions touched."""
    report = verify_bytes(data, name="a.pdf", trust=TRUST, at=NOW)
    if regions is None:
        return report
    first, *rest = report.parts
    later = [{"number": 2, "kinds": ["signature"], "allowed": True, "changes": [], "regions": regions}]
    return replace(report, parts=(replace(first, facts={**first.facts, "later_revisions": later}), *rest))


def views(shown: ShownPages) -> list[tuple[int, str | None]]:
    return [(picture.page, picture.signature) for picture in shown.pictures]


@pytest.fixture(scope="module")
def pictures() -> Iterator[PagePictures]:
    opened = PagePictures()
    yield opened
    opened.close()


def image_of(png: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")


def red_pixels(image: Image.Image) -> int:
    """How many have the ink of a seal."""
    octets = image.tobytes()
    return sum(red > 150 and green < 80 for red, green in zip(octets[::3], octets[1::3], strict=True))


def test_the_seals_box_lies_where_the_seal_is_drawn(pictures):
    shown = pictures.of(SEALED, report_on(SEALED))
    assert shown is not None
    assert (shown.pages, shown.failed, shown.complete, views(shown)) == (1, False, True, [(1, None)])
    (picture,) = shown.pictures
    (box,) = picture.boxes
    assert box.field == "Seal1"
    image = image_of(picture.png)
    assert image.size == (picture.width, picture.height)
    inside = image.crop((box.x, box.y, box.x + box.width, box.y + box.height))
    assert red_pixels(inside) > 500
    outside = image.copy()
    outside.paste((255, 255, 255), (box.x - 2, box.y - 2, box.x + box.width + 2, box.y + box.height + 2))
    assert red_pixels(outside) == 0
    assert picture.address.startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_follow_a_page_that_is_turned_and_cropped(rotation):
    entries = b"/MediaBox [0 0 595 842] /CropBox [20 30 575 812] /Rotate %d" % rotation
    sealed = seal(build_pdf(page_entries=entries), LEAF, pki=DESK.pki)
    (picture,) = paint(sealed, {"marks": [], "most": 1})["pictures"]
    (box,) = picture["boxes"]
    image = image_of(picture["png"])
    inside = image.crop((box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]))
    assert red_pixels(inside) > 500


def test_changed_pages_come_first_each_with_what_was_signed():
    document = build_pdf(pages=30)
    sealed = seal(document, LEAF, pki=DESK.pki, placement=replace(LOWER_RIGHT, page=25))
    twice = seal(sealed, LEAF, pki=DESK.pki, placement=Placement(page=20, x_mm=20, y_mm=30))
    regions = [{"page": 20, "box": [56, 85, 176, 205]}]
    marks = [
        {"id": mark.number, "page": mark.page, "box": list(mark.box), "field": mark.field}
        for mark in marks_of(report_on(twice, regions=regions))
    ]
    found = paint(twice, {"marks": marks, "most": MAX_PICTURES})
    assert found["pages"] == 30
    order = [(each["page"], each["signature"]) for each in found["pictures"]]
    assert order == [
        (1, None),
        (2, None),
        (3, None),
        (4, None),
        (5, None),
        (20, None),
        (20, "Seal1"),
        (25, None),
    ]
    now, then = (each for each in found["pictures"] if each["page"] == 20)
    assert image_of(now["png"]).getcolors(1 << 20) != image_of(then["png"]).getcolors(1 << 20)
    assert {box.get("field", box.get("mark")) for box in now["boxes"]} == {1, "Seal2"}
    assert then["boxes"] == []


@pytest.mark.parametrize("size", [(10, 10), (14_400, 14_400), (14_400, 3), (595, 842)])
def test_pictures_are_bounded_whatever_the_page_measures(size):
    data = build_pdf(page_entries=b"/MediaBox [0 0 %d %d]" % size)
    for picture in paint(data, {"marks": [], "most": 3})["pictures"]:
        assert picture["width"] * picture["height"] <= MAX_PIXELS * 1.1
        assert max(picture["width"], picture["height"]) <= MAX_PIXELS_A_SIDE + 1


@pytest.mark.parametrize(
    "regions",
    [
        [{"page": 0, "box": [0, 0, 1, 1]}],
        [{"page": "1", "box": [0, 0, 1, 1]}],
        [{"page": 1, "box": [0, 0, 1]}],
        [{"page": 1, "box": [0, 0, 1, "x"]}],
        [{"page": 1, "box": [0, 0, 1, float("inf")]}],
        ["page"],
        "regions",
    ],
)
def test_regions_of_another_shape_are_passed_over(regions):
    assert marks_of(report_on(SEALED, regions=regions)) == ()


def test_a_mark_outside_the_page_has_no_box():
    mark = {"id": 1, "page": 1, "box": [5000, 5000, 6000, 6000], "field": "Seal1"}
    (picture, *_) = paint(SEALED, {"marks": [mark], "most": 1})["pictures"]
    assert [box for box in picture["boxes"] if "mark" in box] == []


def test_what_is_no_readable_pdf_has_no_pictures(pictures):
    for data in (b"%PDF-1.7 but not", b"eyJ~"):
        report = verify_bytes(data, name="a", trust=TRUST, at=NOW)
        assert pictures.of(data, report) is None


def test_where_drawing_fails_the_report_stands_alone(pictures):
    report = report_on(SEALED, regions=[{"page": 1, "box": [0, 0, 9, 9]}])
    shown = pictures.of(b"%PDF-1.7 cut off", report)
    assert shown is not None
    assert (shown.failed, shown.pictures, len(shown.marks)) == (True, (), 1)
    hasty = PagePictures(seconds=0.0005)
    again = hasty.of(SEALED, report)
    hasty.close()
    assert again is not None
    assert again.failed


def test_a_process_draws_for_one_file_alone(pictures):
    started = pictures._pool._living.copy()
    pictures.of(SEALED, report_on(SEALED))
    assert pictures._pool._living.isdisjoint(started)
