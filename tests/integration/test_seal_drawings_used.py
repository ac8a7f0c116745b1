"""Seals whose impression is a drawing: asked for, made, used and looked at, with the real parts."""

import base64
import zlib
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import create_engine, text

from identity.caller import Role
from seals.errors import SealBroken
from seals.impressions.errors import ImpressionRefused, ImpressionTooLarge
from seals.model import ImpressionMediaType, SealRequest
from tests.support.house import House, SealingAgency, impression_png, impression_svg
from tests.support.house_edge import HouseEdge
from tests.support.pdfs import Kind, build_pdf
from tests.support.rendering import box_in_pixels, difference, render
from trust.crypto.digests import sha256
from trust.documents import pdf
from trust.documents.pdf.svg import MAX_SVG_BYTES
from trust.kernel.report import Indication

RING = '<circle cx="50" cy="50" r="45" fill="none" stroke="red" stroke-width="5"/>'


def svg(inside: str = RING, before: str = "") -> bytes:
    opened = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
    return f"{before}{opened}{inside}</svg>".encode()


ENTITIES = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE = {
    "entities": svg(f"<title>&b;</title>{RING}", before=ENTITIES),
    "a file of ours": svg(
        f"<title>&a;</title>{RING}", before='<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    ),
    "a document type from outside": svg(before='<!DOCTYPE svg SYSTEM "http://example.org/svg.dtd">'),
    "a style sheet": svg(before='<?xml-stylesheet href="http://example.org/a.css"?>'),
    "a script": svg(f"<script>alert(1)</script>{RING}"),
    "a handler": svg(RING.replace("<circle", '<circle onclick="alert(1)"')),
    "a picture from outside": svg(f'<image href="http://example.org/a.png"/>{RING}'),
    "a reference": svg(f'<use href="#a"/>{RING}'),
    "a foreign object": svg(f"<foreignObject/>{RING}"),
    "a fill from outside": svg(RING.replace('"none"', '"url(http://example.org/a#b)"')),
    "too many elements": svg(RING * 5_000),
    "too many segments": svg('<path d="M0 0' + "h1v1" * 25_000 + '"/>'),
    "too deep": svg("<g>" * 2_000 + RING + "</g>" * 2_000),
    "compressed": zlib.compress(svg()),
    "another kind": b"GIF89a" + bytes(100),
    "nothing": b"",
}


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


def _request(desk: SealingAgency, impression: bytes) -> SealRequest:
    return desk.house.services.seals.request(
        desk.officer, name="矢量章", reason="用", impression=impression, width_mm=42, height_mm=42
    )


@pytest.mark.parametrize("kind", Kind)
def test_a_document_sealed_with_a_drawing_holds_paths_and_no_picture_and_is_valid(
    house: House, kind: Kind
) -> None:
    desk = house.sealing_agency(impression=impression_svg())
    original = build_pdf(text=" ", kind=kind)
    sealed = desk.seal_document(original).document
    services = house.services

    report = pdf.validate(sealed, trust=services.trust.current(), at=services.clock.now())
    assert report.indication is Indication.VALID, report.reasons()
    added = sealed[len(original) :]
    assert b"/Subtype /Image" not in added
    assert b"/SMask" not in added
    assert added.count(b"/Subtype /Form /BBox [0 0 1000 1000]") == 1
    start = added.index(b"stream\n", added.index(b"/Subtype /Form /BBox [0 0 1000 1000]")) + len(b"stream\n")
    operators = zlib.decompressobj().decompress(added[start:]).split()
    assert operators.count(b"c") > 100
    assert b"Do" not in operators

    (before,), (after,) = render(original), render(sealed)
    changed = difference(before, after)
    assert changed is not None
    left, top, right, bottom = box_in_pixels(after, x_mm=120, y_mm=40, width_mm=42, height_mm=42)
    assert left <= changed[0] < changed[2] <= right
    assert top <= changed[1] < changed[3] <= bottom


def test_a_picture_still_makes_a_document_with_a_picture(desk: SealingAgency) -> None:
    assert b"/Subtype /Image" in desk.seal_document(build_pdf()).document


def test_a_request_keeps_a_drawing_as_it_came_and_the_ledger_says_what_it_is(desk: SealingAgency) -> None:
    services = desk.house.services
    asked = services.seals.reading.request(desk.officer, _request(desk, svg()).id)
    assert (asked.impression.media_type, asked.impression.octets) == (ImpressionMediaType.SVG, svg())
    approved = services.seals.decide(desk.approver, asked.id, approve=True, note="同意")
    made = services.seals.make(approved, desk.approver.actor())
    assert services.seals.reading.seal(desk.officer, made.id).impression == asked.impression
    said = [event["content"] for event in desk.events("seal-request.made")]
    assert [(each["impression_media_type"], each["impression_sha256"]) for each in said] == [
        ("image/png", sha256(impression_png()).hex()),
        ("image/svg+xml", sha256(svg()).hex()),
    ]


def test_of_a_picture_nothing_stays_but_its_pixels(desk: SealingAgency) -> None:
    kept = _request(desk, impression_png() + b"<script>alert(1)</script>").impression
    assert kept.octets == impression_png()
    assert kept.sha256 == sha256(impression_png())


def test_hostile_drawings_are_refused_and_nothing_of_them_kept(desk: SealingAgency) -> None:
    reading = desk.house.services.seals.reading
    before = reading.requests(desk.officer, after=None, limit=100)
    refused = {}
    for what, octets in HOSTILE.items():
        try:
            _request(desk, octets)
        except ImpressionRefused as error:
            refused[what] = error.code
    assert refused == dict.fromkeys(HOSTILE, "impression-refused")
    assert reading.requests(desk.officer, after=None, limit=100) == before


def test_a_drawing_over_the_limit_is_refused_as_too_large(desk: SealingAgency) -> None:
    with pytest.raises(ImpressionTooLarge):
        _request(desk, svg(RING + " " * MAX_SVG_BYTES))


@pytest.mark.parametrize(
    "change",
    [
        "impression = convert_to(replace(convert_from(impression, 'UTF8'), '#d51b21', '#000000'), 'UTF8')",
        "impression_media_type = 'image/png'",
    ],
)
def test_a_seal_whose_drawing_was_exchanged_is_not_used(house: House, change: str) -> None:
    desk = house.sealing_agency(impression=impression_svg())
    engine = create_engine(house.services.settings.database_owner_url)
    with engine.begin() as connection:
        changed = connection.execute(text(f"UPDATE seals.seals SET {change} WHERE id = '{desk.seal.id}'"))
        assert changed.rowcount == 1
    engine.dispose()
    with pytest.raises(SealBroken):
        desk.seal_document(build_pdf())
    assert desk.uses_taken() == 0


# Over HTTP.


@pytest.fixture
def edge(house: House) -> HouseEdge:
    return HouseEdge(house)


@pytest.fixture
def officer(edge: HouseEdge, desk: SealingAgency) -> str:
    return edge.staff(desk.agency, Role.SEAL_OFFICER, by=desk.administrator)


def _ask(edge: HouseEdge, token: str, impression: dict[str, Any]) -> Response:
    body = {"name": "矢量章", "reason": "用", "impression": impression}
    return edge.post("/v1/seal-requests", token, json=body)


def _file(octets: bytes, **changes: Any) -> dict[str, Any]:
    content = base64.b64encode(octets).decode()
    return {"kind": "file", "content_base64": content, "width_mm": 42, "height_mm": 42} | changes


def _png(octets: bytes) -> dict[str, Any]:
    return {"kind": "png", "png_base64": base64.b64encode(octets).decode(), "width_mm": 42, "height_mm": 42}


def test_an_impression_is_told_by_its_octets_and_handed_out_as_a_download_that_runs_nothing(
    edge: HouseEdge, officer: str
) -> None:
    marked = b"\xef\xbb\xbf" + svg()
    name = "江城市自然资源和规划局"
    for impression, media_type, kept in (
        (_file(svg()), "image/svg+xml", svg()),
        (_file(marked), "image/svg+xml", marked),
        (_file(impression_png()), "image/png", impression_png()),
        (_png(impression_png()), "image/png", impression_png()),
        ({"kind": "round", "text": name}, "image/png", impression_png()),
        ({"kind": "round", "text": name, "format": "svg"}, "image/svg+xml", impression_svg()),
    ):
        asked = _ask(edge, officer, impression)
        assert asked.status_code == 201, asked.text
        assert asked.json()["impression_media_type"] == media_type
        shown = edge.get(f"/v1/seal-requests/{asked.json()['id']}/impression", officer)
        assert (shown.status_code, shown.content) == (200, kept)
        assert shown.headers["content-type"] == media_type
        ending = "svg" if media_type.endswith("xml") else "png"
        assert shown.headers["content-disposition"] == f'attachment; filename="impression.{ending}"'
        assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["cache-control"] == "no-store"


def test_a_seals_impression_is_seen_by_its_agency_and_its_applications_and_nobody_else(
    edge: HouseEdge, desk: SealingAgency, officer: str
) -> None:
    path = f"/v1/seals/{desk.seal.id}/impression"
    for token in (officer, edge.system_of(desk)):
        shown = edge.get(path, token)
        assert (shown.status_code, shown.content) == (200, impression_png())
    assert edge.get(f"/v1/seals/{desk.seal.id}", officer).json()["impression_media_type"] == "image/png"
    assert edge.get(path).status_code == 401
    assert edge.get(path, edge.citizen()).status_code == 403
    requested = f"/v1/seal-requests/{desk.seal.request_id}/impression"
    assert edge.get(requested, edge.system_of(desk)).status_code == 403
    assert edge.get(requested, officer).status_code == 200


def test_what_no_seal_is_made_of_gets_a_problem_of_its_own(edge: HouseEdge, officer: str) -> None:
    for impression, status, code, said in (
        (_file(HOSTILE["entities"]), 422, "impression-refused", "entities"),
        (_file(HOSTILE["a script"]), 422, "impression-refused", "'script'"),
        (_file(HOSTILE["too many elements"]), 422, "impression-refused", "elements"),
        (_file(HOSTILE["another kind"]), 422, "impression-refused", "PNG picture or an SVG drawing"),
        (_file(svg('<rect width="100" height="100"/>')), 422, "impression-refused", "covers what is below"),
        (_file(svg(), height_mm=20), 422, "impression-refused", "distort"),
        (_file(svg(RING + " " * MAX_SVG_BYTES)), 413, "impression-too-large", "octets"),
        (_png(svg()), 422, "impression-refused", "'file' takes both"),
        (_file(b"", content_base64="*"), 422, "invalid-input", "base64"),
        ({"kind": "round", "text": "江城市", "format": "pdf"}, 422, "invalid-input", ""),
    ):
        refused = _ask(edge, officer, impression)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
        assert said in refused.json()["detail"], refused.text
