from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pypdfium2 as pdfium
import pytest

from api.demo.documents import (
    DECISION_SEAL_CENTRE_MM,
    ApplicationForm,
    Decision,
    Material,
    Row,
    render_application_form,
    render_decision,
)
from licences.render.errors import GlyphMissing, TemplateFailed
from licences.render.typesetter import Typesetter

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ROWS = [
    Row(label="建设项目名称", text="滨江创新园二期研发楼"),
    Row(label="建设位置", text="江城市滨江区知音大道以东"),
]
DECISION = Decision(
    agency_name="江城市自然资源和规划局",
    document_number="江自规许字〔2026〕123号",
    applicant_name="江城滨江建设开发有限公司",
    applicant_code="91420100MA4K00000Q",
    item_name="建设工程规划许可证核发",
    case_number="420100-20261118-000123",
    applied_on=date(2026, 11, 18),
    accepted_on=date(2026, 11, 19),
    decided_on=date(2026, 11, 22),
    legal_basis="《中华人民共和国城乡规划法》第四十条",
    granted=ROWS,
)
FORM = ApplicationForm(
    agency_name="江城市自然资源和规划局",
    title="建设工程规划许可申请表",
    item_name="建设工程规划许可证核发",
    case_number="420100-20261118-000123",
    applicant=[Row(label="申请单位", text="江城滨江建设开发有限公司")],
    project=ROWS,
    materials=[Material(name="营业执照", source="电子证照出示")],
    agent_name="李思源",
    applied_on=date(2026, 11, 18),
)


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as started:
        yield started


def text_of(pdf: bytes, **box: float) -> str:
    page = pdfium.PdfDocument(pdf)[0]
    textpage = page.get_textpage()
    return "".join((textpage.get_text_bounded(**box) if box else textpage.get_text_range()).split())


def test_the_decision_says_who_grants_what_to_whom_on_one_page(typesetter):
    pdf = render_decision(DECISION, typesetter, at=AT)
    assert len(pdfium.PdfDocument(pdf)) == 1
    text = text_of(pdf)
    for part in (
        "准予行政许可决定书",
        "江自规许字〔2026〕123号",
        "91420100MA4K00000Q",
        "滨江创新园二期研发楼",
    ):
        assert part in text
    assert pdf == render_decision(DECISION, typesetter, at=AT)


def test_the_agency_and_the_date_stand_where_its_seal_will_be(typesetter):
    points = 72 / 25.4
    x, y = DECISION_SEAL_CENTRE_MM
    pdf = render_decision(DECISION, typesetter, at=AT)
    inside = text_of(
        pdf,
        left=(x - 40) * points,
        right=(x + 40) * points,
        bottom=(y - 22.5) * points,
        top=(y + 22.5) * points,
    )
    assert inside == "江城市自然资源和规划局2026年11月22日"


def test_the_form_lists_applicant_project_and_materials_on_one_page(typesetter):
    pdf = render_application_form(FORM, typesetter, at=AT)
    assert len(pdfium.PdfDocument(pdf)) == 1
    text = text_of(pdf)
    for part in ("建设工程规划许可申请表", "营业执照", "电子证照出示", "李思源", "2026年11月18日"):
        assert part in text


def test_names_are_text_and_never_template(typesetter):
    pdf = render_decision(replace(DECISION, applicant_name='#panic("x") *公司*'), typesetter, at=AT)
    assert '#panic("x")*公司*' in text_of(pdf)


def test_a_paper_that_cannot_be_set_is_refused(typesetter):
    with pytest.raises(GlyphMissing):
        render_decision(replace(DECISION, applicant_name="公司😀"), typesetter, at=AT)
    with pytest.raises(TemplateFailed, match="more than one page"):
        render_decision(replace(DECISION, granted=ROWS * 20), typesetter, at=AT)
