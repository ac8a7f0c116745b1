"""One signature shown at many spots: on several pages, on all, and cut across the pages' edges."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from tests.support.pdfs import FIRST_PAGE, FREE_NUMBER, Kind, append, build_pdf, impression, seal, stream
from tests.support.pki import TestPki
from tests.support.placing import PAGES, SOLID, ink, is_at, prepare_at, solid
from tests.support.rendering import render
from trust.documents.pdf import (
    CrossPagePlacement,
    DocumentMalformed,
    DocumentTooLarge,
    Edge,
    Impression,
    ImpressionRefused,
    Placement,
    PlacementOffPage,
    PlacementOnAllPages,
    PlacementOnPages,
    PlacementRefused,
    validate,
)
from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import fields_of
from trust.documents.pdf.kept import Kept
from trust.documents.pdf.limits import MAX_PAGES_PER_IMPRESSION, MAX_SPOTS
from trust.documents.pdf.pages import find_page, find_pages
from trust.documents.pdf.placement import _shares
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import Reference, with_entries, written_array
from trust.kernel.errors import YinxinError
from trust.kernel.report import Indication

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
TURNS = [0, 90, 180, 270]


@pytest.fixture(scope="module")
def pki():
    return TestPki()


def turned(boxes: bytes, rotation: int, pages: int = 3) -> bytes:
    return build_pdf(pages=pages, page_entries=boxes + b" /Rotate %d" % rotation)


def shown_width(rotation: int) -> float:
    return 297 if rotation % 180 else 210


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("boxes", PAGES.values(), ids=PAGES)
def test_on_several_pages_the_box_is_the_same_on_each_and_nothing_is_on_the_others(boxes, rotation):
    document = turned(boxes, rotation)
    placement = PlacementOnPages(pages=(-1, 1), x_mm=15, y_mm=25)
    first, second, third = ink(document, prepare_at(document, placement, at=AT).data)
    assert is_at(first, (15, 25, 55, 55))
    assert second is None
    assert is_at(third, (15, 25, 55, 55))


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("boxes", PAGES.values(), ids=PAGES)
def test_on_all_pages_the_box_is_the_same_on_each(boxes, rotation):
    document = turned(boxes, rotation)
    placement = PlacementOnAllPages(x_mm=60, y_mm=5, width_mm=20, height_mm=45)
    for found in ink(document, prepare_at(document, placement, at=AT).data):
        assert is_at(found, (60, 5, 80, 50))


@pytest.mark.parametrize("edge", Edge)
@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("boxes", PAGES.values(), ids=PAGES)
def test_a_strip_stands_flush_with_the_edge_of_every_page(boxes, rotation, edge):
    document = turned(boxes, rotation)
    placement = CrossPagePlacement(y_mm=100, edge=edge, width_mm=30, height_mm=30)
    width = shown_width(rotation)
    left = width - 10 if edge is Edge.RIGHT else 0
    for found in ink(document, prepare_at(document, placement, at=AT).data):
        assert is_at(found, (left, 100, left + 10, 130))


@pytest.mark.parametrize(("edge", "order"), [(Edge.RIGHT, (0, 1, 2)), (Edge.LEFT, (2, 1, 0))])
def test_pages_fanned_out_show_the_whole_impression(edge, order):
    document = build_pdf(pages=3, text=" ", page_entries=b"/MediaBox [0 0 576 720]")
    size = {"width_mm": 25.4, "height_mm": 25.4}
    picture = impression(**size)
    whole = prepare_at(document, Placement(page=1, x_mm=25.4, y_mm=50.8), impression=picture, at=AT)
    cut = prepare_at(document, CrossPagePlacement(y_mm=50.8, edge=edge), impression=picture, at=AT)
    box = (288, 720 * 4 - 288 * 3, 288 * 2, 720 * 4 - 288 * 2)
    expected = render(whole.data, scale=4)[0].crop(box)
    pages = render(cut.data, scale=4)
    fan = Image.new("RGB", expected.size)
    for position, page in enumerate(order):
        left = pages[page].width - 96 if edge is Edge.RIGHT else 0
        fan.paste(pages[page].crop((left, box[1], left + 96, box[3])), (96 * position, 0))
    assert any(low < 100 for low, _ in expected.getextrema()), "the impression is to be seen"
    apart = ImageChops.difference(fan, expected).convert("L").point(lambda value: 255 if value > 96 else 0)
    # Edges of lines are smoothed a little otherwise where a strip ends.
    assert sum(apart.histogram()[255:]) < 0.005 * 288 * 288


def test_many_pages_share_several_impressions():
    document = build_pdf(pages=7, text=" ")
    halves = Image.new("RGB", (8, 8), (200, 16, 16))
    halves.paste((16, 16, 200), (4, 0, 8, 8))
    placement = CrossPagePlacement(y_mm=100, pages_per_impression=4)
    prepared = prepare_at(
        document, placement, at=AT, impression=Impression(png=_png(halves), width_mm=40, height_mm=30)
    )
    widths = [round(right - left) for left, _, right, _ in ink(document, prepared.data)]
    assert widths == [10, 10, 10, 10, 13, 13, 13]
    colours = [page.getpixel((page.width - 8, page.height - 650)) for page in render(prepared.data, scale=2)]
    assert [red > blue for red, _, blue in colours] == [True, True, False, False, True, False, False]


def _png(image: Image.Image) -> bytes:
    stored = BytesIO()
    image.save(stored, "PNG")
    return stored.getvalue()


def test_only_the_pages_named_take_part_in_a_cross_page_seal():
    document = build_pdf(pages=5)
    found = ink(document, prepare_at(document, CrossPagePlacement(y_mm=100, pages=(1, 3, 5)), at=AT).data)
    assert [each is not None for each in found] == [True, False, True, False, True]


def test_pages_of_different_shape_have_their_strips_each_at_its_own_edge():
    # The second page is turned, the third small and moved.
    second, third = (
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> %b >>" % shape
        for shape in (
            b"/MediaBox [0 0 595.27559 841.88976] /Rotate 90",
            b"/MediaBox [9 9 292.464567 292.464567]",
        )
    )
    document = build_pdf(
        pages=3, page_entries=PAGES["a4"], objects={FREE_NUMBER + 10: second, FREE_NUMBER + 11: third}
    )
    placement = CrossPagePlacement(y_mm=40, width_mm=30, height_mm=30)
    found = ink(document, prepare_at(document, placement, at=AT).data)
    for each, width in zip(found, (210, 297, 100), strict=True):
        assert is_at(each, (width - 10, 40, width, 70))


@given(pages=st.integers(2, 3000), most=st.integers(2, MAX_PAGES_PER_IMPRESSION))
def test_impressions_are_shared_evenly_and_no_page_stands_alone(pages, most):
    shares = _shares(pages, most)
    assert sum(shares) == pages
    assert min(shares) >= 2
    assert max(shares) - min(shares) <= 1
    assert max(shares) <= max(most, 3)


@pytest.mark.parametrize(
    ("placement", "error"),
    [
        (PlacementOnPages(pages=(), x_mm=10, y_mm=10), PlacementRefused),
        (PlacementOnPages(pages=(1, -3), x_mm=10, y_mm=10), PlacementRefused),
        (PlacementOnPages(pages=(1, 4), x_mm=10, y_mm=10), PlacementOffPage),
        (PlacementOnPages(pages=(0,), x_mm=10, y_mm=10), PlacementOffPage),
        (PlacementOnPages(pages=tuple(range(1, MAX_SPOTS + 2)), x_mm=10, y_mm=10), DocumentTooLarge),
        (PlacementOnAllPages(x_mm=180, y_mm=10), PlacementOffPage),
        (PlacementOnAllPages(x_mm=float("nan"), y_mm=10), PlacementOffPage),
        (CrossPagePlacement(y_mm=280), PlacementOffPage),
        (CrossPagePlacement(y_mm=-1), PlacementOffPage),
        (CrossPagePlacement(y_mm=10, pages=(2,)), PlacementRefused),
        (CrossPagePlacement(y_mm=10, pages=(2, 2)), PlacementRefused),
        (CrossPagePlacement(y_mm=10, width_mm=2.9), PlacementRefused),
        (CrossPagePlacement(y_mm=10, width_mm=float("inf")), PlacementOffPage),
        (CrossPagePlacement(y_mm=10, pages_per_impression=1), PlacementRefused),
        (CrossPagePlacement(y_mm=10, pages_per_impression=MAX_PAGES_PER_IMPRESSION + 1), PlacementRefused),
    ],
)
def test_a_placement_that_cannot_be_is_refused_with_its_reason(placement, error):
    with pytest.raises(error) as refused:
        prepare_at(build_pdf(pages=3), placement, at=AT)
    assert type(refused.value) is error


def test_a_cross_page_seal_of_one_page_is_refused():
    with pytest.raises(PlacementRefused) as refused:
        prepare_at(build_pdf(), CrossPagePlacement(y_mm=10), at=AT)
    assert refused.value.code == "placement-refused"


@pytest.mark.parametrize("kind", Kind)
def test_the_field_is_the_parent_of_widgets_without_a_name_and_the_picture_is_there_once(kind):
    prepared = prepare_at(build_pdf(kind=kind, pages=3), CrossPagePlacement(y_mm=10), at=AT)
    document = Document(prepared.data)
    (field,) = fields_of(document)
    assert (field.name, field.kind, len(field.widgets)) == ("Seal1", "Sig", 3)
    assert "Rect" not in field.dictionary
    appearances = set()
    for widget, page in zip(field.widgets, find_pages(document, (1, 2, 3)), strict=True):
        dictionary = document.dictionary(widget)
        assert "T" not in dictionary
        assert dictionary["Parent"] == field.reference
        assert dictionary["P"] == page.reference
        assert dictionary["V"] == field.dictionary["V"]
        assert document.array(page.dictionary["Annots"]) == [widget]
        appearances.add(document.dictionary(dictionary["AP"])["N"])
    assert len(appearances) == 3
    assert prepared.data.count(b"/Subtype /Image") == 1


def test_spots_that_look_the_same_share_one_appearance():
    prepared = prepare_at(build_pdf(pages=9), PlacementOnAllPages(x_mm=10, y_mm=10), at=AT)
    assert prepared.data.count(b"/Subtype /Form") == 1
    assert prepared.data.count(b"/Subtype /Widget") == 9


def test_a_second_document_with_the_same_picture_does_not_decode_it_again(monkeypatch):
    placement = Placement(page=1, x_mm=10, y_mm=10)
    picture = Impression(png=solid(9, 7), width_mm=20, height_mm=20)
    once = prepare_at(build_pdf(), placement, at=AT, impression=picture).data

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("trust.documents.pdf.pictures.Image.open", never)
    again = Impression(png=bytes(bytearray(picture.png)), width_mm=20, height_mm=20)
    assert prepare_at(build_pdf(), placement, at=AT, impression=again).data == once
    with pytest.raises(ImpressionRefused):
        prepare_at(
            build_pdf(), placement, at=AT, impression=Impression(png=solid(5, 5), width_mm=9, height_mm=9)
        )


def test_what_is_kept_is_bounded_and_the_longest_unused_goes_first():
    kept: Kept[int] = Kept(2)
    made: list[int] = []

    def make(value: int) -> int:
        made.append(value)
        return value

    for value in (1, 2, 1, 3, 1, 2):
        assert kept.get(value, lambda value=value: make(value)) == value
    assert made == [1, 2, 3, 2]


def test_one_page_named_alone_is_written_as_the_plain_placement_is():
    document = build_pdf(pages=2)
    several = prepare_at(document, PlacementOnPages(pages=(2,), x_mm=10, y_mm=10), at=AT)
    assert several.data == prepare_at(document, Placement(page=2, x_mm=10, y_mm=10), at=AT).data


def test_pages_that_share_a_list_of_annotations_each_gain_their_own_widget_and_lose_none():
    link = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>"
    page = b"/MediaBox [0 0 595 842] /Annots 8 0 R"
    document = build_pdf(pages=3, page_entries=page, objects={8: b"[9 0 R]", 9: link})
    prepared = prepare_at(document, CrossPagePlacement(y_mm=10, pages=(1, 2)), at=AT)
    after = Document(prepared.data)
    first, second = (after.array(each.dictionary["Annots"]) for each in find_pages(after, (1, 2)))
    assert first[0] == second[0] == Reference(9, 0)
    assert len(first) == len(second) == 2
    assert first[1] != second[1]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "placement",
    [
        CrossPagePlacement(y_mm=100),
        PlacementOnAllPages(x_mm=20, y_mm=30),
        PlacementOnPages(pages=(1, 3), x_mm=5, y_mm=5),
    ],
)
def test_seals_before_and_after_stay_valid(pki, kind, placement):
    document = seal(build_pdf(kind=kind, pages=3), pki.leaf(), pki=pki)
    document = seal(document, pki.leaf(), pki=pki, placement=placement)
    document = seal(document, pki.leaf(), pki=pki)
    report = validate(document, trust=pki.trust_store(), at=pki.now)
    assert [part.indication.value for part in report.parts] == ["valid"] * 3, report.reasons()


@pytest.mark.parametrize("listed", [True, False], ids=["below the field", "beside it"])
def test_a_place_added_to_a_seal_afterwards_makes_it_invalid(pki, listed):
    placement = PlacementOnPages(pages=(1, 2), x_mm=5, y_mm=5)
    sealed = seal(build_pdf(pages=3), pki.leaf(), pki=pki, placement=placement)
    document = Document(sealed)
    (field,) = fields_of(document)
    (third,) = find_pages(document, (3,))
    shown = document.indirect(field.widgets[0]).text()
    added = Revision(document).allocate()
    objects = {
        added: shown.replace(
            b"/P " + find_pages(document, (1,))[0].reference.written(), b"/P " + third.reference.written()
        ),
        third.reference: with_entries(
            third.indirect.source, third.dictionary, {"Annots": b"[" + added.written() + b"]"}
        ),
    }
    if listed:
        own = document.indirect(field.reference)
        kids = written_array(each.written() for each in (*field.widgets, added))
        objects[field.reference] = with_entries(own.source, own.value, {"Kids": kids})
    report = validate(append(sealed, objects), trust=pki.trust_store(), at=pki.now)
    assert (report.indication, report.reasons()) == (Indication.INVALID, ("later-changes",))


NESTED = {
    2: b"<< /Type /Pages /Count 5 /Kids [40 0 R 3 0 R 41 0 R 44 0 R] /MediaBox [0 0 300 300] >>",
    40: b"<< /Type /Pages /Parent 2 0 R /Count 0 /Kids [] >>",
    41: b"<< /Type /Pages /Parent 2 0 R /Count 3 /Kids [42 0 R 43 0 R] /Rotate 90 >>",
    42: b"<< /Type /Pages /Parent 41 0 R /Count 2 /Kids [45 0 R 46 0 R] /MediaBox [0 0 400 400] >>",
    43: b"<< /Type /Page /Parent 41 0 R /Rotate 0 >>",
    44: b"<< /Type /Page /Parent 2 0 R >>",
    45: b"<< /Type /Page /Parent 42 0 R >>",
    46: b"<< /Type /Page /Parent 42 0 R /MediaBox [0 0 500 500] >>",
}


def test_pages_are_found_in_a_nested_tree_with_what_they_inherit():
    document = Document(build_pdf(page_entries=b"", objects=NESTED))
    found = [
        (page.reference.number, page.rotation, page.right) for page in find_pages(document, (1, 2, 3, 4, 5))
    ]
    assert found == [(3, 0, 300), (45, 90, 400), (46, 90, 500), (43, 0, 300), (44, 0, 300)]
    for number in (1, 2, 3, 4, 5, -1, -5):
        assert find_page(document, number) == find_pages(document, (number, 1))[0]


@st.composite
def page_trees(draw):
    """The objects of a random page tree, and the numbers of its pages in order."""
    objects: dict[int, bytes] = {}
    leaves: list[int] = []
    numbers = iter(range(40, 400))

    def node(number: int, parent: bytes, depth: int) -> int:
        if depth and draw(st.booleans()):
            objects[number] = b"<< /Type /Page %b >>" % parent
            leaves.append(number)
            return 1
        kids = [next(numbers) for _ in range(draw(st.integers(0, 4)) if depth < 4 else 0)]
        count = sum(node(kid, b"/Parent %d 0 R" % number, depth + 1) for kid in kids)
        objects[number] = b"<< /Type /Pages %b /Count %d /Kids [%b] /MediaBox [0 0 9 9] >>" % (
            parent,
            count,
            b" ".join(b"%d 0 R" % kid for kid in kids),
        )
        return count

    node(2, b"", 0)
    return objects, leaves


@settings(max_examples=100, deadline=None)
@given(tree=page_trees(), data=st.data())
def test_pages_of_any_tree_are_found_in_its_order(tree, data):
    objects, leaves = tree
    document = Document(build_pdf(objects=objects))
    if not leaves:
        with pytest.raises(DocumentMalformed):
            find_pages(document, (1,))
        return
    asked = data.draw(st.lists(st.integers(1, len(leaves)), max_size=6))
    found = find_pages(document, asked)
    assert [(page.number, page.reference.number) for page in found] == [(n, leaves[n - 1]) for n in asked]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_damaged_document_is_sealed_at_many_spots_or_refused_and_never_anything_else(data):
    kind = data.draw(st.sampled_from(Kind))
    octets = bytearray(build_pdf(kind=kind, pages=3, objects=NESTED))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    placement = data.draw(st.sampled_from([CrossPagePlacement(y_mm=10), PlacementOnAllPages(x_mm=1, y_mm=1)]))
    try:
        prepared = prepare_at(bytes(octets), placement, at=AT)
    except YinxinError:
        return
    assert prepared.data.startswith(bytes(octets))


@pytest.mark.parametrize(
    "tree",
    [
        b"<< /Type /Pages /Count 2 /Kids [3 0 R 3 0 R] >>",
        b"<< /Type /Pages /Count 3 /Kids [3 0 R] >>",
        b"<< /Type /Pages /Count 2 /Kids [3 0 R 2 0 R] >>",
        b"<< /Type /Pages /Count 2 /Kids [3 0 R << /Type /Page >>] >>",
    ],
    ids=["twice", "too many", "circle", "direct"],
)
def test_a_page_tree_that_lies_is_refused(tree):
    with pytest.raises(DocumentMalformed):
        prepare_at(build_pdf(objects={2: tree}), PlacementOnAllPages(x_mm=1, y_mm=1), at=AT)


def test_the_first_page_is_where_an_invisible_signature_is_listed_and_nothing_is_drawn():
    document = build_pdf(pages=2)
    prepared = prepare_at(document, None, at=AT)
    assert ink(document, prepared.data, scale=1) == [None, None]
    listed = Document(prepared.data).dictionary(FIRST_PAGE)
    assert listed is not None
    assert "Annots" in listed


@pytest.mark.parametrize(("part", "has"), [(b"1", True), (b"2", False)])
def test_an_invisible_signature_has_an_empty_appearance_where_an_archival_document_asks_for_one(part, has):
    packet = b"<x:xmpmeta><pdfaid:part>" + part + b"</pdfaid:part></x:xmpmeta>"
    document = build_pdf(
        catalog_entries=b"/Metadata 8 0 R", objects={8: stream(packet, b"/Type /Metadata /Subtype /XML")}
    )
    prepared = prepare_at(document, None, at=AT)
    (field,) = fields_of(Document(prepared.data))
    assert ("AP" in field.dictionary) is has
    assert ink(document, prepared.data, scale=1) == [None]


def test_a_solid_picture_fills_its_box():
    document = build_pdf(page_entries=PAGES["a4"])
    assert SOLID.png == solid()
    assert is_at(
        ink(document, prepare_at(document, Placement(page=1, x_mm=1, y_mm=2), at=AT).data)[0], (1, 2, 41, 32)
    )
