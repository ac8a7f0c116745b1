"""Steps 6 and 7 of the demonstration: the case is archived, one material retrieved, another case reuses one."""

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from api.demo.documents import ApplicationForm, Material, Row, render_application_form
from api.demo.parties import StepFailed
from api.demo.presenting import presentation_as_material
from api.demo.story import ARCHIVE_ITEM, CASE_NUMBER, PERMIT_ITEM, SECOND_CASE_NUMBER, Agency, Story, in_days
from licences.render.typesetter import Typesetter

_CLASSES = (("planning", "A101", "XK·GH", "建设工程规划许可"), ("archives", "B202", "LY·DA", "档案利用"))
_REUSED = "materials/01-application.pdf"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One file of a submission."""

    name: str
    title: str
    role: str
    media_type: str
    octets: bytes


def define_classes(story: Story) -> None:
    """The archivists of both agencies define a class of their scheme."""
    for key, fonds, code, name in _CLASSES:
        story.agencies[key].staff["archivist"].post(
            "/v1/archive-classes",
            {
                "fonds": fonds, "code": code, "name_zh": name, "name_en": "Service cases",
                "retention": "D30", "office": "审批科", "open_to_reuse": True,
            },
        )  # fmt: skip


def archive_case(story: Story) -> None:
    """Materials, the redeemed presentation, process record, sealed result and licence: one package."""
    papers = (
        Paper(
            name=_REUSED, title="建设工程规划许可申请表", role="material", media_type="application/pdf",
            octets=_application_form(story),
        ),
        Paper(
            name="materials/02-business-licence.json", title="营业执照(亮证字段)", role="presentation",
            media_type="application/json", octets=presentation_as_material(story),
        ),
        Paper(
            name="process/approval.txt", title="审批过程记录", role="process", media_type="text/plain",
            octets="受理;审查;决定准予许可。\n".encode(),
        ),
        Paper(
            name="results/decision.pdf", title="准予行政许可决定书", role="result", media_type="application/pdf",
            octets=story.known["decision-sealed"],
        ),
        Paper(
            name="licences/permit.pdf", title="建设工程规划许可证", role="licence", media_type="application/pdf",
            octets=story.known["permit-pdf"],
        ),
        Paper(
            name="licences/permit.sd-jwt", title="建设工程规划许可证(数据)", role="licence",
            media_type="application/dc+sd-jwt", octets=story.known["permit-credential"].encode(),
        ),
    )  # fmt: skip
    planning = story.agencies["planning"]
    manifest = _manifest(
        story, papers, case_number=CASE_NUMBER, item=PERMIT_ITEM, class_code="XK·GH",
        title="明日家园住宅小区一期建设工程规划许可",
    )  # fmt: skip
    story.known["record"] = _submit(planning, manifest, papers, key="archive-1")
    _keep(story, planning, "archived-case", "planning", story.known["record"])


def retrieve_material(story: Story) -> None:
    """An archivist with an approved request reads one material; without one the answer is no, and both are kept."""
    planning = story.agencies["planning"]
    archivist, approver = planning.staff["archivist"], planning.staff["archive-approver"]
    record = story.known["record"]
    path = f"/v1/records/{record['id']}/materials/results/decision.pdf"
    archivist.refused("GET", path, code="retrieval-refused")
    request = archivist.post(
        "/v1/retrieval-requests",
        {
            "record_id": record["id"],
            "purpose": "当事人申请复制决定书",
            "materials": ["results/decision.pdf"],
            "until": in_days(7),
        },
    )
    archivist.refused("GET", f"{path}?retrieval_request={request['id']}", code="retrieval-refused")
    approver.post(f"/v1/retrieval-requests/{request['id']}/approvals", {"note": "同意调阅"})
    read = archivist.get(path, retrieval_request=request["id"]).content
    if read != story.known["decision-sealed"]:
        raise StepFailed("the material read back is not the one archived")
    events = planning.staff["auditor"].get("/v1/events", limit="100").json()["items"]
    outcomes = {e["outcome"] for e in events if e["act"].startswith("retrieval") or "material" in e["act"]}
    if outcomes != {"done", "refused"}:
        raise StepFailed(f"the ledger does not show the reading and the refusal: {outcomes}")
    story.note("results/decision.pdf", sha256=hashlib.sha256(read).hexdigest())


def reuse_material(story: Story) -> None:
    """A second case at another agency reuses one archived material, with consent; its package cites the record."""
    archives = story.agencies["archives"]
    record = story.known["record"]
    reuse = archives.system().post(
        "/v1/material-reuses",
        {
            "archival_code": record["archival_code"],
            "material": _REUSED,
            "case_number": SECOND_CASE_NUMBER,
            "purpose": "办理城建档案登记",
            "basis": "consent",
            "basis_reference": "持证主体同意书 TY-2026-0007",
        },
    )
    answer = archives.system().get(f"/v1/material-reuses/{reuse['id']}/content")
    digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    if (
        digest not in answer.headers["Repr-Digest"]
        or reuse["sha256"] != hashlib.sha256(answer.content).hexdigest()
    ):
        raise StepFailed("the delivered material is not what its proof says")
    papers = (
        Paper(
            name="materials/01-reused.pdf", title="复用的申请表", role="material", media_type="application/pdf",
            octets=answer.content,
        ),
        Paper(
            name="process/registration.txt", title="登记过程记录", role="process", media_type="text/plain",
            octets="受理;登记。\n".encode(),
        ),
    )  # fmt: skip
    manifest = _manifest(
        story, papers, case_number=SECOND_CASE_NUMBER, item=ARCHIVE_ITEM, class_code="LY·DA",
        title="明日家园城建档案登记",
    )  # fmt: skip
    manifest["reused"] = [
        {
            "archival_code": record["archival_code"],
            "material": _REUSED,
            "sha256": reuse["sha256"],
            "reuse_id": reuse["id"],
        }
    ]
    second = _submit(archives, manifest, papers, key="archive-2")
    if second["reused"] != [reuse["id"]]:
        raise StepFailed("the second package does not cite the old record")
    _keep(story, archives, "second-case", "archives", second)


def copy_storage_roots(story: Story) -> None:
    """The OCFL storage roots as they are stored, one for each agency."""
    objects = Path(story.known["objects"]) / "objects"
    for key in ("planning", "archives"):
        source = objects / story.agencies[key].id / "archive"
        shutil.copytree(source, story.output / "archive" / key)


def _keep(story: Story, agency: Agency, name: str, root: str, record: Mapping[str, Any]) -> None:
    """The record's receipt, and the timestamp over its package, named for the storage root it lies in."""
    token = agency.system().get(f"/v1/records/{record['id']}/timestamp").content
    story.write(f"proofs/{root}-package.tst", token)
    story.known.setdefault("events", {})[name] = record["event_id"]
    story.write(f"proofs/{name}.receipt", record["receipt"]["note"].encode())
    story.note(record["archival_code"], record=record["id"], package_sha256=record["package_sha256"])


def _submit(
    agency: Agency, manifest: Mapping[str, Any], papers: tuple[Paper, ...], *, key: str
) -> dict[str, Any]:
    """Sends the manifest and the files; a file that is not what the manifest says is refused first."""
    system = agency.system()
    files = [("files", (paper.name, paper.octets, paper.media_type)) for paper in papers]
    wrong = [*files[:-1], ("files", (papers[-1].name, papers[-1].octets + b" ", papers[-1].media_type))]
    system.refused(
        "POST", "/v1/records", code="submission-refused", key=f"{key}-wrong", data={"manifest": _json(manifest)},
        files=wrong,
    )  # fmt: skip
    record = system.post("/v1/records", key=key, data={"manifest": _json(manifest)}, files=files)
    if record["state"] != "registered" or record["timestamp"]["pending"]:
        raise StepFailed(f"the record is {record['state']}, its timestamp {record['timestamp']}")
    return record


def _manifest(
    story: Story, papers: tuple[Paper, ...], *, case_number: str, item: str, class_code: str, title: str
) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "case_number": case_number,
        "item_code": item,
        "title": title,
        "class_code": class_code,
        "event_date": date.today().isoformat(),  # noqa: DTZ011 -- a day on paper
        "parties": [{"role": "申请人", "name": story.organisation["name"], "number": "9142********4711L"}],
        "process": [
            {"step": "受理", "at": now, "actor": "李文", "outcome": "受理"},
            {"step": "决定", "at": now, "actor": "王芳", "outcome": "准予"},
        ],
        "materials": [
            {
                "number": number,
                "name": paper.name,
                "title": paper.title,
                "role": paper.role,
                "media_type": paper.media_type,
                "size": len(paper.octets),
                "sha256": hashlib.sha256(paper.octets).hexdigest(),
            }
            for number, paper in enumerate(papers, start=1)
        ],
    }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _application_form(story: Story) -> bytes:
    with Typesetter() as typesetter:
        return render_application_form(
            ApplicationForm(
                agency_name=story.agencies["planning"].name,
                title="建设工程规划许可证申请表",
                item_name="建设工程规划许可证核发",
                case_number=CASE_NUMBER,
                applicant=[
                    Row(label="建设单位", text=story.organisation["name"]),
                    Row(label="统一社会信用代码", text=story.organisation["uscc"]),
                ],
                project=[
                    Row(label="建设项目名称", text="明日家园住宅小区一期"),
                    Row(label="建设位置", text="江城市江岸区解放大道100号"),
                ],
                materials=[
                    Material(name="营业执照", source="电子证照（用证码）"),
                    Material(name="建设工程设计方案", source="申请人提交"),
                ],
                agent_name=story.require_agent().name,
                applied_on=date.today(),  # noqa: DTZ011 -- a day on paper
            ),
            typesetter,
            at=datetime.now(UTC),
        )
