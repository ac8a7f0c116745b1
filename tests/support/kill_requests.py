"""What the approval system and the company's agent of a kill house ask for, over HTTP; keys are case numbers too."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from api.demo.story import PERMIT_ITEM
from licences.types.loader import load_types
from tests.support.kill_house import KillHouse
from tests.support.pdfs import build_pdf

CLASS = {
    "fonds": "A101", "code": "XK·GH", "name_zh": "建设工程规划许可", "name_en": "Planning permits",
    "retention": "D30", "office": "审批科",
}  # fmt: skip
SHOWN = ("number", "holder_name", "project_name")


def seal(house: KillHouse, key: str, *, status: int = 201) -> dict[str, Any]:
    """A one-page document is sealed."""
    form = {"item_code": PERMIT_ITEM, "case_number": key, "page": "1", "x_mm": "20", "y_mm": "20"}
    files = {"document": ("decision.pdf", build_pdf(text=key), "application/pdf")}
    return house.program.post("/v1/seal-uses", key=key, data=form, files=files, status=status)


def issue(house: KillHouse, key: str, *, status: int = 201) -> dict[str, Any]:
    """A planning permit is issued to the company."""
    company = house.story.organisation
    body = {
        "type_code": load_types().named("construction-planning-permit").code,
        "holder": {"kind": "legal_person", "name": company["name"], "code": company["uscc"]},
        "fields": {
            "project_name": "明日家园住宅小区一期",
            "project_code": "2026-420100-47-01-000123",
            "project_location": "江城市江岸区解放大道100号",
            "project_scale": "地上26层,地下2层",
            "building_area": "58600.50",
            "enclosures": ["建设工程设计方案总平面图"],
        },
        "case_number": key,
    }
    return house.program.post("/v1/licences", body, key=key, status=status)


def present(house: KillHouse, licence_id: str) -> dict[str, Any]:
    """The company's agent presents a licence to the approval system."""
    return house.story.require_agent().post(
        "/v1/presentations",
        {
            "licence_id": licence_id,
            "recipient": {"agency_id": house.agency.id, "application_id": house.program.id},
            "purpose": "申请施工许可",
            "fields": list(SHOWN),
            "minutes": 30,
        },
    )


def redeem(house: KillHouse, code: str, key: str, *, status: int = 201) -> dict[str, Any]:
    """The approval system redeems a presentation."""
    body = {"code": code, "item_code": PERMIT_ITEM, "case_number": key}
    return house.program.post("/v1/presentation-redemptions", body, key=key, status=status)


def ingest(house: KillHouse, key: str, *, status: int = 201) -> dict[str, Any]:
    """A case of two materials is archived; its class is CLASS."""
    files = {
        "materials/01-application.pdf": (build_pdf(text=key), "application/pdf", "material"),
        "process/approval.txt": ("受理;审查;决定。\n".encode(), "text/plain", "process"),
    }
    manifest = {
        "case_number": key,
        "item_code": PERMIT_ITEM,
        "title": f"建设工程规划许可 {key}",
        "class_code": CLASS["code"],
        "event_date": datetime.now(UTC).date().isoformat(),
        "parties": [{"role": "申请人", "name": house.story.organisation["name"]}],
        "process": [{"step": "受理", "at": "2026-01-05T08:00:00Z", "actor": "窗口"}],
        "materials": [
            {
                "name": name, "title": name, "role": role, "media_type": media_type, "size": len(octets),
                "sha256": hashlib.sha256(octets).hexdigest(),
            }
            for name, (octets, media_type, role) in files.items()
        ],
    }  # fmt: skip
    form = {"manifest": json.dumps(manifest, ensure_ascii=False)}
    sent = [("files", (name, octets, media_type)) for name, (octets, media_type, _) in files.items()]
    return house.program.post("/v1/records", key=key, data=form, files=sent, status=status)
