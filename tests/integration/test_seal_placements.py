"""Where a seal is shown, over HTTP: every placement, its text, and what is refused before anything is counted."""

import io
import json
from typing import Any

import pypdfium2
import pytest
import typst
from httpx import Response
from noto_cjk_sans_otc import FONT_PATH

from tests.support.house import ITEM, House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.pdfs import build_pdf
from trust.documents import pdf


@pytest.fixture
def desk(shared_house: House) -> SealingAgency:
    return shared_house.sealing_agency()


@pytest.fixture
def edge(shared_house: House) -> HouseEdge:
    return HouseEdge(shared_house)


@pytest.fixture(scope="module")
def decision() -> bytes:
    """Three pages in Chinese, the last with a place for the seal."""
    source = '#set text(font: "Noto Sans CJK SC")\n行政许可决定书#pagebreak()理由#pagebreak()审批机关（盖章）'
    return typst.compile(source.encode(), format="pdf", font_paths=[str(FONT_PATH.parent)])


def send(edge: HouseEdge, token: str, document: bytes, key: str, **fields: Any) -> Response:
    if isinstance(fields.get("placement"), dict):
        fields["placement"] = json.dumps(fields["placement"])
    return edge.post(
        "/v1/seal-uses",
        token,
        data={"item_code": ITEM, **fields},
        files={"document": ("decision.pdf", document, "application/pdf")},
        headers={"Idempotency-Key": key},
    )


def inked_pages(document: bytes) -> list[int]:
    """The pages, from 1, on which something red is drawn."""
    opened = pypdfium2.PdfDocument(io.BytesIO(document))
    opened.init_forms()
    found = []
    for number in range(len(opened)):
        picture = opened[number].render(scale=0.5, may_draw_forms=True).to_pil().convert("RGB")
        if any(red > 150 and green < 90 and blue < 90 for red, green, blue in picture.getdata()):
            found.append(number + 1)
    return found


_SHOWN = {
    "one page": ({"kind": "page", "page": -1, "x_mm": 100, "y_mm": 40.5}, [3]),
    "two pages": ({"kind": "pages", "pages": [1, 3], "x_mm": 100, "y_mm": 40}, [1, 3]),
    "all pages": ({"kind": "all-pages", "x_mm": 100, "y_mm": 40}, [1, 2, 3]),
    "a keyword": ({"kind": "keyword", "keyword": "（盖章）", "beside": "below"}, [3]),
    "across the pages": ({"kind": "across-pages", "y_mm": 120}, [1, 2, 3]),
    "with a text": (
        {"kind": "page", "page": 1, "x_mm": 100, "y_mm": 60, "caption": {"lines": ["二〇二六年十一月"]}},
        [1],
    ),
}


@pytest.mark.parametrize("name", _SHOWN)
def test_a_seal_is_shown_where_it_was_asked_for(
    edge: HouseEdge, desk: SealingAgency, decision: bytes, name: str
) -> None:
    placement, pages = _SHOWN[name]
    token = edge.system_of(desk)
    answer = send(edge, token, decision, name.replace(" ", "-"), placement=placement)
    assert answer.status_code == 201, answer.text
    document = edge.get(f"/v1/seal-uses/{answer.json()['id']}/document", token).content
    assert inked_pages(document) == pages
    services = desk.house.services
    pdf.validate(document, trust=services.trust.current(), at=services.clock.now()).require_valid()


@pytest.mark.parametrize(
    ("placement", "status", "code"),
    [
        ("{", 400, "malformed"),
        ({"kind": "page", "page": 1, "x_mm": 1.001, "y_mm": 1}, 422, "invalid-input"),
        ("[]", 422, "invalid-input"),
        ({"kind": "somewhere"}, 422, "invalid-input"),
        ({"kind": "page", "page": 1, "x_mm": "NaN", "y_mm": 1}, 422, "invalid-input"),
        ({"kind": "page", "page": 1, "x_mm": 1}, 422, "invalid-input"),
        ({"kind": "page", "page": 9, "x_mm": 1, "y_mm": 1}, 422, "placement-off-page"),
        ({"kind": "page", "page": 1, "x_mm": 500, "y_mm": 1}, 422, "placement-off-page"),
        ({"kind": "pages", "pages": [], "x_mm": 1, "y_mm": 1}, 422, "invalid-input"),
        ({"kind": "keyword", "keyword": "不在这里"}, 422, "keyword-not-found"),
        ({"kind": "keyword", "keyword": "理由", "occurrence": 0}, 422, "placement-refused"),
        ({"kind": "keyword", "keyword": "x" * 60}, 422, "invalid-input"),
        ({"kind": "across-pages", "y_mm": 900}, 422, "placement-off-page"),
        ({"kind": "across-pages", "y_mm": 1, "pages_per_impression": 1}, 422, "invalid-input"),
        (
            {"kind": "page", "page": 1, "x_mm": 9, "y_mm": 90, "caption": {"lines": ["\U0001f600"]}},
            422,
            "caption-refused",
        ),
        ({"kind": "page", "page": 1, "x_mm": 9, "y_mm": 90, "caption": {"lines": []}}, 422, "invalid-input"),
    ],
    ids=str,
)
def test_a_place_that_is_none_is_refused_before_anything_is_counted(
    edge: HouseEdge, desk: SealingAgency, decision: bytes, placement: object, status: int, code: str
) -> None:
    answer = send(edge, edge.system_of(desk), decision, "refused", placement=placement)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert desk.uses_taken() == 0


def test_two_places_at_once_are_refused(edge: HouseEdge, desk: SealingAgency) -> None:
    placement = {"kind": "all-pages", "x_mm": 1, "y_mm": 1}
    answer = send(
        edge, edge.system_of(desk), build_pdf(), "both", placement=placement, page=1, x_mm=1, y_mm=1
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
