"""Poppler's pdfsig judges documents sealed by a running house; the openssl command judges the chain elsewhere."""

from pathlib import Path

import pytest

from seals.model import SignatureLevel
from tests.support.house import ITEM, House, SealingAgency, impression_svg
from tests.support.house_edge import HouseEdge
from tests.support.pdfs import Kind, build_pdf
from tests.support.poppler import BROKEN, VALID, Pdfsig, needs_pdfsig
from trust.authority.model import Authority
from trust.documents.pdf import Placement

pytestmark = [pytest.mark.stranger, needs_pdfsig]


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency()


@pytest.fixture
def edge(house: House) -> HouseEdge:
    return HouseEdge(house)


@pytest.fixture
def pdfsig(tmp_path: Path, edge: HouseEdge) -> Pdfsig:
    folder = tmp_path / "stranger"
    folder.mkdir()
    published = {}
    for name in Authority:
        answer = edge.client.get(f"/ca/{name}.cer")
        assert answer.status_code == 200
        published[str(name)] = answer.content
    return Pdfsig(folder, anchors={"root": published.pop(str(Authority.ROOT))}, authorities=published)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("level", [SignatureLevel.B_B, SignatureLevel.B_T])
def test_pdfsig_calls_a_document_sealed_by_the_house_valid(
    pdfsig: Pdfsig, desk: SealingAgency, kind: Kind, level: SignatureLevel
) -> None:
    (said,) = pdfsig(desk.seal_document(build_pdf(kind=kind), level=level).document)
    assert VALID in said
    assert "Total document signed" in said
    assert "Signature Type: ETSI.CAdES.detached" in said
    assert "Signing Hash Algorithm: SHA-256" in said
    assert desk.seal.name in said


def test_pdfsig_calls_a_document_sealed_with_a_drawing_valid(pdfsig: Pdfsig, house: House) -> None:
    desk = house.sealing_agency(impression=impression_svg())
    sealed = desk.seal_document(build_pdf()).document
    assert b"/Subtype /Image" not in sealed
    (said,) = pdfsig(sealed)
    assert VALID in said
    assert "Total document signed" in said


def test_pdfsig_calls_both_seals_of_a_document_sealed_twice_valid(
    pdfsig: Pdfsig, desk: SealingAgency
) -> None:
    once = desk.seal_document(build_pdf()).document
    twice = desk.seal_document(once, placement=Placement(page=1, x_mm=20, y_mm=40)).document
    first, second = pdfsig(twice)
    assert VALID in first
    assert VALID in second
    assert "Not total document signed" in first
    assert "Total document signed" in second


def test_pdfsig_calls_a_document_sealed_over_http_valid_and_a_changed_octet_broken(
    pdfsig: Pdfsig, desk: SealingAgency, edge: HouseEdge
) -> None:
    token = edge.system_of(desk)
    form = {"item_code": ITEM, "page": "1", "x_mm": "120", "y_mm": "40"}
    file = {"document": ("决定书.pdf", build_pdf(), "application/pdf")}
    made = edge.post("/v1/seal-uses", token, data=form, files=file)
    assert made.status_code == 201, made.text
    sealed = edge.get(f"/v1/seal-uses/{made.json()['id']}/document", token)
    assert sealed.headers["content-type"] == "application/pdf"
    (said,) = pdfsig(sealed.content)
    assert VALID in said

    # One octet of the page's own drawing, inside what is signed.
    changed = sealed.content.replace(b"/MediaBox", b"/MediaBax", 1)
    assert changed != sealed.content
    (said,) = pdfsig(changed)
    assert BROKEN in said
    assert VALID not in said
