"""Vector impressions: what of SVG is drawn and how, and everything else refused with its reason."""

import math
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pdfs import Kind, build_pdf, seal_png, stream
from tests.support.placing import DRAWN, PAGES, ink, is_at, prepare_at
from tests.support.rendering import render
from trust.documents.pdf import (
    CrossPagePlacement,
    DocumentMalformed,
    Impression,
    ImpressionRefused,
    Placement,
    PlacementOnAllPages,
)
from trust.documents.pdf.colours import Rgb
from trust.documents.pdf.drawing import Drawing, Segment
from trust.documents.pdf.svg import MAX_DEPTH, MAX_ELEMENTS, MAX_SEGMENTS, MAX_SVG_BYTES, read_svg
from trust.documents.pdf.svg_paths import path, transform
from trust.kernel.errors import YinxinError

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
PLACED = Placement(page=1, x_mm=60, y_mm=50)


def svg(inside: str, root: str = 'viewBox="0 0 100 100"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {root}>{inside}</svg>'.encode()


def drawn(inside: str, root: str = 'viewBox="0 0 100 100"') -> Drawing:
    return read_svg(svg(inside, root))


def box(inside: str) -> tuple[float, float, float, float]:
    """The bounds of the one shape, in hundredths of the drawing with y downwards, as written in the SVG."""
    (shape,) = drawn(inside).shapes
    left, bottom, right, top = (round(each / 10, 3) for each in shape.bounds())
    return left, round(100 - top, 3), right, round(100 - bottom, 3)


def rendered(inside: str):
    """A function that gives the colour at a place of the drawing, in hundredths from the upper left."""
    document = build_pdf(text=" ", page_entries=b"/MediaBox [0 0 288 288]")
    picture = Impression(svg=svg(inside), width_mm=50.8, height_mm=50.8)
    data = prepare_at(document, Placement(page=1, x_mm=25.4, y_mm=25.4), at=AT, impression=picture).data
    (page,) = render(data, scale=2)
    return lambda x, y: page.getpixel((144 + round(x * 2.88), 144 + round(y * 2.88)))


RED, WHITE = (255, 0, 0), (255, 255, 255)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("boxes", PAGES.values(), ids=PAGES)
def test_a_drawing_stands_at_its_millimetres_and_upright(boxes, rotation):
    document = build_pdf(page_entries=boxes + b" /Rotate %d" % rotation)
    prepared = prepare_at(document, PLACED, at=AT, impression=DRAWN)
    assert is_at(ink(document, prepared.data)[0], (60, 50, 100, 80))
    scale = 2 * (2 if b"/UserUnit" in boxes else 1)
    (page,) = render(prepared.data, scale=scale)
    unit = 72 / 25.4 * 2
    # The white rectangle lies in the upper left quarter.
    assert page.getpixel((round(70 * unit), round(page.height - 72 * unit))) == WHITE
    assert page.getpixel((round(90 * unit), round(page.height - 58 * unit))) == (200, 16, 16)


@pytest.mark.parametrize("placement", [CrossPagePlacement(y_mm=100), PlacementOnAllPages(x_mm=60, y_mm=100)])
def test_a_drawing_is_cut_and_repeated_as_a_picture_is(placement):
    document = build_pdf(pages=3, page_entries=PAGES["a4"])
    prepared = prepare_at(document, placement, at=AT, impression=DRAWN)
    left = 210 - 40 / 3 if isinstance(placement, CrossPagePlacement) else 60
    width = 40 / 3 if isinstance(placement, CrossPagePlacement) else 40
    for found in ink(document, prepared.data):
        assert is_at(found, (left, 100, left + width, 130))
    assert prepared.data.count(b" m\n") == 0, "the drawing is compressed, and there once"


def test_outlines_of_every_kind_are_where_they_were_drawn():
    assert box('<circle cx="50" cy="40" r="10"/>') == (40, 30, 60, 50)
    assert box('<ellipse cx="50" cy="40" rx="20" ry="10"/>') == (30, 30, 70, 50)
    assert box('<rect x="10" y="20" width="30" height="5"/>') == (10, 20, 40, 25)
    assert box('<rect x="10" y="20" width="30" height="10" ry="50"/>') == (10, 20, 40, 30)
    assert box('<polygon points="10,10 20,10 20 30"/>') == (10, 10, 20, 30)
    assert box('<polyline points="10,10,20,10,20,30"/>') == (10, 10, 20, 30)
    assert box('<line x1="5" y1="6" x2="50" y2="6" stroke="red" stroke-width="2"/>') == (4, 5, 51, 7)
    assert box('<path d="M1 2h3v4H1z"/>') == (1, 2, 4, 6)


def test_transforms_apply_from_the_outside_in():
    assert box('<g transform="translate(10)"><rect width="2" height="2" transform="scale(5)"/></g>') == (
        10,
        0,
        20,
        10,
    )
    assert box('<g transform="scale(5)"><rect width="2" height="2" transform="translate(10 1)"/></g>') == (
        50,
        5,
        60,
        15,
    )
    assert box('<rect width="10" height="2" transform="rotate(90 10 10)"/>') == (18, 0, 20, 10)
    assert box('<rect width="10" height="10" transform="matrix(1 0 0 2 3 4)"/>') == (3, 4, 13, 24)
    assert box('<rect width="10" height="10" transform="skewX(45),skewY(0)"/>') == (0, 0, 20, 10)


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        ("M10 10 20 20 30 10", [(10, 10), (20, 20), (30, 10)]),
        ("m10-10.5.5 20", [(10, -10.5), (10.5, 9.5)]),
        ("M1 1h2v3H0V0z", [(1, 1), (3, 1), (3, 4), (0, 4), (0, 0)]),
        ("M1,1zl5,5", [(1, 1), (6, 6)]),
        ("M0 0q10 0 10 10t10 10", [(0, 0), (10, 10), (20, 20)]),
        ("M0 0c1 2 3 4 5 6s7 8 9 10", [(0, 0), (5, 6), (14, 16)]),
        ("M1e1 1E1L-.5e1,+2", [(10, 10), (-5, 2)]),
        ("", []),
    ],
)
def test_path_data_in_all_its_shorthand_ends_where_it_should(data, ends):
    assert [segment.points[-2:] for segment in path(data) if segment.operator != "h"] == ends


def test_a_smooth_curve_goes_on_in_the_direction_it_came_from():
    first, second = (
        segment.points for segment in path("M0 0C0 5 5 5 5 0S10-5 10 0") if segment.operator == "c"
    )
    assert (first[2:4], second[:2]) == ((5, 5), (5, -5))
    *_, smooth = path("M0 0q5 5 10 0t10 0")
    assert smooth.points[:4] == pytest.approx((10 + 10 / 3, -10 / 3, 20 - 10 / 3, -10 / 3))


@settings(max_examples=60, deadline=None)
@given(
    rx=st.floats(1, 50),
    ry=st.floats(1, 50),
    turn=st.floats(-180, 180),
    one=st.floats(0, 6),
    swept=st.floats(0.2, 6),
)
def test_an_arc_stays_on_its_ellipse(rx, ry, turn, one, swept):
    """Drawn from the centre's parametrisation, given as end points with flags, and looked at on its way."""
    sine, cosine = math.sin(math.radians(turn)), math.cos(math.radians(turn))

    def point(angle: float) -> tuple[float, float]:
        x, y = rx * math.cos(angle), ry * math.sin(angle)
        return 100 + cosine * x - sine * y, 100 + sine * x + cosine * y

    (x1, y1), (x2, y2) = point(one), point(one + swept)
    large = int(swept > math.pi)
    segments = list(path(f"M{x1:.9f} {y1:.9f}A{rx:.9f} {ry:.9f} {turn:.9f} {large}1 {x2:.9f} {y2:.9f}"))
    assert segments[-1].points[-2:] == pytest.approx((x2, y2), abs=1e-6)
    here = (x1, y1)
    for segment in segments[1:]:
        (a, b), (c, d), end = (segment.points[at : at + 2] for at in (0, 2, 4))
        for share in (0.25, 0.5, 0.75):
            rest = 1 - share
            weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
            x = sum(w * v for w, v in zip(weights, (here[0], a, c, end[0]), strict=True)) - 100
            y = sum(w * v for w, v in zip(weights, (here[1], b, d, end[1]), strict=True)) - 100
            u, v = (cosine * x + sine * y) / rx, (cosine * y - sine * x) / ry
            assert math.hypot(u, v) == pytest.approx(1, abs=2e-3)
        here = end


def test_radii_too_small_for_their_arc_are_stretched_and_none_make_a_line():
    assert box('<path d="M10 50A1 1 0 0 0 90 50"/>')[3] == 90
    assert list(path("M0 0A0 5 0 0 0 9 9")) == [Segment("m", (0, 0)), Segment("l", (9, 9))]
    assert list(path("M0 0A5 5 0 0 0 0 0")) == [Segment("m", (0, 0))]


def test_fill_rules_are_kept():
    star = "M50 5L79 95 2 39H98L21 95z"
    assert rendered(f'<path d="{star}" fill="red"/>')(50, 55) == RED
    hollow = rendered(f'<path d="{star}" fill="red" fill-rule="evenodd"/>')
    assert (hollow(50, 55), hollow(50, 20)) == (WHITE, RED)


def test_lines_are_drawn_in_their_width_and_over_the_fill():
    at = rendered('<circle cx="50" cy="50" r="40" fill="#00f" stroke="#f00" stroke-width="10"/>')
    assert [at(50, y) for y in (2, 7, 13, 20)] == [WHITE, RED, RED, (0, 0, 255)]
    twice = rendered(
        '<g transform="rotate(30 50 50) translate(50 50) scale(2)">'
        '<circle r="20" fill="none" stroke="red" stroke-width="5"/></g>'
    )
    assert [twice(50, y) for y in (2, 7, 13, 20)] == [WHITE, RED, RED, WHITE]


def test_what_reaches_over_the_edge_is_cut_off():
    document = build_pdf(page_entries=PAGES["a4"])
    picture = Impression(svg=svg('<circle cx="50" cy="50" r="400"/>'), width_mm=30, height_mm=30)
    assert is_at(
        ink(document, prepare_at(document, PLACED, at=AT, impression=picture).data)[0], (60, 50, 90, 80)
    )


def test_properties_are_inherited_and_style_comes_before_attributes():
    (one, two) = drawn(
        '<g fill="red" style="stroke:#0a0; stroke-width:2px"><rect width="9" height="9"/>'
        '<rect width="9" height="9" fill="blue" style="fill:rgb(1, 2, 3);stroke:none"/></g>'
    ).shapes
    assert (one.fill, one.stroke.colour, one.stroke.width) == (Rgb(255, 0, 0), Rgb(0, 170, 0), 20)
    assert (two.fill, two.stroke) == (Rgb(1, 2, 3), None)


def test_a_box_that_does_not_begin_at_nought_is_moved_there():
    drawing = drawn('<rect x="-10" y="5" width="20" height="10"/>', 'viewBox="-10 5 20 10"')
    assert (drawing.width, drawing.height) == (1000, 500)
    assert drawing.shapes[0].bounds() == (0, 0, 1000, 500)
    assert drawn('<rect width="1" height="1"/>', 'width="42mm" height="42mm"').height == 1000


def test_titles_and_declarations_and_comments_are_passed_over():
    inside = (
        "<title>印模 <!-- x --></title><desc>a &amp; b</desc><defs/><!-- y --><rect width='9' height='9'/>"
    )
    assert len(read_svg(b'<?xml version="1.0" encoding="UTF-8"?>\n' + svg(inside)).shapes) == 1


REFUSED = {
    "text": ("<text>印</text>", "'text'"),
    "bare text": ("印", "turn it into paths"),
    "script": ("<script>alert(1)</script>", "'script'"),
    "style sheet": ("<style>a{}</style>", "'style'"),
    "picture": ('<image href="http://example.org/a.png"/>', "'href'"),
    "reference": ('<use href="#a"/>', "'href'"),
    "old reference": ('<use xmlns:x="http://www.w3.org/1999/xlink" x:href="#a"/>', "'href'"),
    "link": ("<a/>", "'a'"),
    "foreign": ("<foreignObject/>", "'foreignObject'"),
    "not svg": ('<b xmlns="http://www.w3.org/1999/xhtml"/>', "not SVG"),
    "handler": ('<rect width="9" height="9" onload="x()"/>', "'onload'"),
    "class": ('<rect width="9" height="9" class="x"/>', "'class'"),
    "gradient": ('<rect width="9" height="9" fill="url(#a)"/>', "a colour"),
    "current colour": ('<rect width="9" height="9" fill="currentColor"/>', "a colour"),
    "opacity": ('<rect width="9" height="9" opacity="0.5"/>', "opacity"),
    "fill opacity": ('<rect width="9" height="9" style="fill-opacity:.5"/>', "fill-opacity"),
    "dashes": ('<line x2="9" stroke="red" stroke-dasharray="1 2"/>', "stroke-dasharray"),
    "filter": ('<g filter="url(#a)"/>', "'filter'"),
    "mask": ('<g style="mask:url(#a)"/>', "a style"),
    "hidden": ('<rect width="9" height="9" display="none"/>', "display"),
    "animation": ('<rect width="9" height="9"><animate/></rect>', "'animate'"),
    "nested": ("<svg/>", "'svg'"),
    "within a title": ("<title><script/></title>", "within its title"),
    "definitions": ("<defs><rect/></defs>", "within its title"),
    "nothing": ("", "shows nothing"),
    "clear": ('<rect width="9" height="9" fill="none"/>', "shows nothing"),
    "outside": ('<rect x="200" width="9" height="9"/>', "shows nothing"),
    "distorted line": ('<rect width="9" height="9" stroke="red" transform="scale(1 2)"/>', "distorts"),
    "huge": ('<rect width="1e9" height="9"/>', "over"),
    "infinite": ('<rect width="1e999" height="9"/>', "over|not a number"),
    "multiplied": (
        f'<g transform="{"scale(1000)" * 3}"><rect width="9" height="9"/></g>',
        "beyond every measure",
    ),
    "multiplied by nesting": (
        '<g transform="scale(9e5)"><g transform="scale(9e5)"><rect width="9" height="9"/></g></g>',
        "beyond every measure",
    ),
    "far away": ('<path d="M0 0h9v9h5000z"/>', "beyond every measure"),
    "wide pen": ('<path d="M0 0h9" stroke="red" stroke-width="5000"/>', "wider than every measure"),
    "miter limit": ('<g stroke-miterlimit="0.5"/>', "miter limit"),
    "minus": ('<rect width="-1" height="9"/>', "below zero"),
    "no number": ('<circle r="NaN"/>', "not a number"),
    "per cent": ('<rect width="50%" height="9"/>', "not a number"),
    "half a point": ('<polygon points="1 2 3"/>', "half a point"),
    "bad path": ('<path d="M0 0 L"/>', "breaks off"),
    "path from nowhere": ('<path d="L5 5"/>', "cannot be read"),
    "bad arc": ('<path d="M0 0A5 5 0 2 0 9 9"/>', "breaks off"),
    "bad transform": ('<g transform="perspective(1)"/>', "transform"),
    "short transform": ('<g transform="matrix(1 2)"/>', "does not take 2"),
    "endless skew": ('<g transform="skewX(90)"/>', "does not take"),
    "bad join": ('<g stroke-linejoin="arcs"/>', "stroke-linejoin"),
    "bad pen": ('<g stroke-width="-1"/>', "below zero"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_whatever_is_not_taken_is_refused_with_its_reason(case):
    inside, reason = REFUSED[case]
    with pytest.raises(ImpressionRefused, match=reason) as refused:
        drawn(inside)
    assert refused.value.code == "impression-refused"


@pytest.mark.parametrize(
    "root",
    [
        "",
        'viewBox="0 0 100"',
        'viewBox="0 0 0 100"',
        'viewBox="0 0 100 1"',
        'viewBox="0 0 100 nan"',
        'viewBox="0 0 9 9" onload="x"',
        'viewBox="0 0 9 9" preserveAspectRatio="none"',
        'width="1em" height="1em"',
    ],
)
def test_a_drawing_without_a_plain_box_is_refused(root):
    with pytest.raises(ImpressionRefused):
        drawn('<rect width="9" height="9"/>', root)


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>&b;</title></svg>"""
EXTERNAL = LAUGHS.replace(b'"aaaaaaaaaa"', b'SYSTEM "file:///etc/hostname"')
PUBLIC = (
    b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    + svg("")
)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (LAUGHS, "document type"),
        (EXTERNAL, "document type"),
        (PUBLIC, "document type"),
        (b'<?xml-stylesheet href="a.css"?>' + svg(""), "processing instruction"),
        (svg("<title>&a;</title>"), "well-formed"),
        (b"", "well-formed"),
        (b"<svg>", "not SVG"),
        (b"<html/>", "not SVG"),
        (b'<g xmlns="http://www.w3.org/2000/svg"/>', "begins with 'g'"),
        (svg("<rect width='9' height='9'/>") + b"<more/>", "well-formed"),
        (svg("<rect width='9' height='9'/>")[:-3], "well-formed"),
        (svg("").replace(b"<svg", b"<svg \xff"), "well-formed"),
        (
            b'<?xml version="1.0" encoding="UTF-16"?>' + svg("<rect width='9' height='\xe9'/>"),
            "well-formed|number",
        ),
        (b"\xff\xfe" + svg("").decode().encode("utf-16-le"), "well-formed|shows nothing"),
        (seal_png(), "well-formed"),
        (b" " * (MAX_SVG_BYTES + 1), "octets"),
        (svg("<g>" * MAX_DEPTH + "</g>" * MAX_DEPTH), "nested deeper"),
        (svg("<g/>" * MAX_ELEMENTS), "elements"),
        (svg('<path d="M0 0' + "h.01" * MAX_SEGMENTS + '"/>'), "segments"),
        (svg(('<path d="M0 0' + "h.01" * 999 + '"/>') * (MAX_SEGMENTS // 1000 + 1)), "segments"),
    ],
)
def test_what_is_hostile_or_no_drawing_is_refused(octets, reason):
    with pytest.raises(ImpressionRefused, match=reason):
        read_svg(octets)


def test_a_drawing_at_the_limit_is_read():
    count = MAX_SEGMENTS - 1
    assert len(drawn('<path d="M0 50' + "h.05" * count + '"/>').shapes[0].segments) == MAX_SEGMENTS


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*'MmLHvCsQtAaZz0159.,-+e ()<>/="', "<path d='", "'/>", "scale", "fill=", "rotate(", "#f00"]
        ),
        max_size=40,
    ).map("".join)
)
def test_a_damaged_drawing_is_read_or_refused_and_never_anything_else(inside):
    for octets in (svg(inside), svg(f'<path d="{inside}"/>'), svg(f'<g transform="{inside}"/>')):
        try:
            read_svg(octets)
        except YinxinError:
            continue


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_octets_are_refused_with_a_reason(octets):
    with pytest.raises(ImpressionRefused):
        read_svg(octets)


def test_an_impression_is_a_picture_or_a_drawing_and_not_both():
    for given_ in ({}, {"png": seal_png(), "svg": svg("")}):
        with pytest.raises(ImpressionRefused):
            Impression(width_mm=40, height_mm=40, **given_)


def _archival(part: bytes, intent: bytes) -> bytes:
    packet = b"<x:xmpmeta><pdfaid:part>" + part + b"</pdfaid:part></x:xmpmeta>"
    return build_pdf(
        kind=Kind.TABLE,
        catalog_entries=b"/Metadata 8 0 R " + intent,
        objects={
            8: stream(packet, b"/Type /Metadata /Subtype /XML"),
            9: b"<< /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile 10 0 R >>",
            10: stream(b"profile", b"/N 3"),
        },
    )


@pytest.mark.parametrize(
    ("part", "intent", "operator"),
    [
        (b"1", b"/OutputIntents [9 0 R]", b" rg"),
        (b"1", b"", b"/Ink cs"),
        (b"2", b"/OutputIntents [9 0 R]", b" rg"),
        (b"3", b"", b"/Ink cs"),
    ],
)
def test_a_drawing_hides_nothing_in_an_archival_document_and_its_colours_mean_something(
    part, intent, operator
):
    document = _archival(part, intent)
    data = prepare_at(document, Placement(page=1, x_mm=20, y_mm=230), at=AT, impression=DRAWN).data
    added = data[len(document) :]
    assert b"/SMask" not in added
    assert b"/Device" not in added
    assert b"/Group" not in added
    start = added.index(b"stream\n", added.index(b"/Subtype /Form /BBox [0 0 1000 750]")) + 7
    content = zlib.decompressobj().decompress(added[start:])
    assert operator in content
    assert (b"/CalRGB" in added) is (operator == b"/Ink cs")


def test_transforms_are_multiplied_as_matrices():
    assert transform("translate(1,2) scale(3)").point(1, 1) == (4, 5)
    assert transform("").point(1, 1) == (1, 1)


def test_a_second_document_with_the_same_drawing_does_not_read_it_again(monkeypatch):
    picture = Impression(svg=svg('<circle cx="41" cy="43" r="7"/>'), width_mm=30, height_mm=30)
    prepare_at(build_pdf(), PLACED, at=AT, impression=picture)

    def never(_svg: bytes) -> Drawing:
        raise AssertionError

    monkeypatch.setattr("trust.documents.pdf.pictures.read_svg", never)
    again = Impression(svg=bytes(bytearray(picture.svg)), width_mm=50, height_mm=50)
    prepare_at(build_pdf(pages=2), PLACED, at=AT, impression=again)
    with pytest.raises(DocumentMalformed, match="AssertionError"):
        prepare_at(
            build_pdf(), PLACED, at=AT, impression=Impression(svg=svg("<g/>"), width_mm=9, height_mm=9)
        )
