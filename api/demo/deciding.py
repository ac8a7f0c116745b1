"""Step 4 of the demonstration: the result document is sealed."""

from datetime import UTC, date, datetime

from api.demo.documents import (
    DECISION_SEAL_CENTRE_MM,
    DECISION_SEAL_PAGE,
    Decision,
    Row,
    render_decision,
)
from api.demo.story import CASE_NUMBER, PERMIT_ITEM, Story
from licences.render.typesetter import Typesetter

_SEAL_MM = 42


def write_decision(story: Story) -> None:
    """The bureau's own Chinese decision, unless the caller brought a PDF."""
    if story.document is not None:
        story.known["decision"] = story.document
        return
    today = date.today()  # noqa: DTZ011 -- a date on paper, in the reader's own calendar
    with Typesetter() as typesetter:
        story.known["decision"] = render_decision(
            Decision(
                agency_name=story.agencies["planning"].name,
                document_number="江规许〔2026〕123号",
                applicant_name=story.organisation["name"],
                applicant_code=story.organisation["uscc"],
                item_name="建设工程规划许可证核发",
                case_number=CASE_NUMBER,
                applied_on=today,
                accepted_on=today,
                decided_on=today,
                legal_basis="《中华人民共和国城乡规划法》第四十条",
                granted=[
                    Row(label="建设项目名称", text="明日家园住宅小区一期"),
                    Row(label="建设位置", text="江城市江岸区解放大道100号"),
                    Row(label="建设规模", text="地上26层，地下2层，总建筑面积58600.50平方米"),
                ],
            ),
            typesetter,
            at=datetime.now(UTC),
        )


def seal_decision(story: Story) -> None:
    """The approval system sends the document; it comes back sealed, with its receipt."""
    program = story.agencies["planning"].system()
    form = {
        "item_code": PERMIT_ITEM,
        "case_number": CASE_NUMBER,
        "level": "B-T",
        "page": "-1",
        "x_mm": "20",
        "y_mm": "20",
    }
    if story.document is None:
        centre_x, centre_y = DECISION_SEAL_CENTRE_MM
        form |= {
            "page": str(DECISION_SEAL_PAGE),
            "x_mm": str(round(centre_x - _SEAL_MM / 2)),
            "y_mm": str(round(centre_y - _SEAL_MM / 2)),
        }
    files = {"document": ("decision.pdf", story.known["decision"], "application/pdf")}
    use = program.post("/v1/seal-uses", key="decision-1", data=form, files=files)
    again = program.post("/v1/seal-uses", key="decision-1", data=form, files=files)
    if again["id"] != use["id"]:
        raise LookupError("a repetition with the same idempotency key made another use")
    sealed = program.get(f"/v1/seal-uses/{use['id']}/document").content
    story.known["decision-sealed"] = sealed
    story.known["decision-use"] = use
    story.write("decision-sealed.pdf", sealed)
    story.write("proofs/decision.receipt", use["receipt"]["note"].encode())
    story.note("decision-sealed.pdf", use=use["id"], sha256=use["output_sha256"])
