"""Steps 3 and 5 of the demonstration: licences issued, presented, redeemed, suspended and reinstated."""

import json
import time
from io import BytesIO
from typing import Any

import segno

from api.demo.parties import Party, StepFailed
from api.demo.story import CASE_NUMBER, PERMIT_ITEM, Story
from licences.types.loader import load_types

# The public status has to follow a change within a second; it is looked at until then.
STATUS_SECONDS = 1.0


def issue_business_licence(story: Story) -> None:
    """The market bureau issues the company's business licence, through the same service."""
    market = story.agencies["market"].system()
    body = {
        "type_code": load_types().named("business-licence").code,
        "holder": _company(story),
        "fields": {
            "entity_type": "有限责任公司（自然人投资或控股）",
            "legal_representative": "孙立",
            "registered_capital": "5000",
            "established_on": "2019-05-20",
            "address": "江城市江岸区解放大道100号",
            "business_scope": "许可项目：建设工程施工；建设工程设计。一般项目：工程管理服务；建筑材料销售。",
        },
    }
    story.known["business-licence"] = market.post("/v1/licences", body, key="business-1")
    story.note("营业执照", identifier=story.known["business-licence"]["identifier"])


def present_licence(story: Story) -> None:
    """The agent presents it to the approval system: chosen fields, a purpose, code and QR, an expiry."""
    planning = story.agencies["planning"]
    made = story.require_agent().post(
        "/v1/presentations",
        {
            "licence_id": story.known["business-licence"]["id"],
            "recipient": {"agency_id": planning.id, "application_id": planning.system().id},
            "purpose": "申请建设工程规划许可证",
            "fields": ["number", "holder_name", "entity_type", "legal_representative"],
            "minutes": 10,
        },
    )
    story.known["presentation"] = made
    picture = BytesIO()
    segno.make(made["qr_payload"], error="m").save(picture, kind="png", scale=8, border=4)
    story.write("presentation-qr.png", picture.getvalue())
    story.note("用证码", fields=made["fields"], expires_at=made["expires_at"])


def redeem_presentation(story: Story) -> None:
    """The approval system redeems it once; a second redemption is refused; the holder sees both attempts."""
    planning = story.agencies["planning"].system()
    body = {
        "code": story.known["presentation"]["code"],
        "item_code": PERMIT_ITEM,
        "case_number": CASE_NUMBER,
        "operator": "planning.officer",
    }
    market = story.agencies["market"].system()
    _refused_for_another(market, body)
    redeemed = planning.post("/v1/presentation-redemptions", body, key="redeem-1")
    agreed = set(story.known["presentation"]["fields"])
    if redeemed["report"]["indication"] != "valid" or set(redeemed["fields"]) != agreed:
        raise StepFailed(f"the redemption is not valid with the agreed fields: {redeemed['report']}")
    repeated = planning.post("/v1/presentation-redemptions", body, key="redeem-1")
    if repeated["id"] != redeemed["id"]:
        raise StepFailed("a repetition with the same key got another answer")
    planning.refused(
        "POST",
        "/v1/presentation-redemptions",
        code="presentation-already-redeemed",
        key="redeem-2",
        json=body,
    )
    story.known["redemption"] = redeemed
    entries = story.require_agent().get("/v1/usage-entries").json()["items"]
    redemptions = [e for e in entries if e["presentation_id"] == story.known["presentation"]["id"]]
    story.note("用证记录", attempts=[f"{e['act']} {e['reason_code'] or 'done'}" for e in redemptions])
    if not {"presentation-already-redeemed", None} <= {e["reason_code"] for e in redemptions}:
        raise StepFailed("the holder does not see both attempts in the usage log")


def _refused_for_another(market: Party, body: dict[str, Any]) -> None:
    """Somebody else with the code gets nothing, and it is no hint that the code exists."""
    market.refused(
        "POST", "/v1/presentation-redemptions", code="presentation-for-someone-else",
        key="redeem-x", json=body,
    )  # fmt: skip


def issue_permit(story: Story) -> None:
    """The approval system issues the construction planning permit: PDF/A-3, SD-JWT VC, status entry."""
    planning = story.agencies["planning"].system()
    body = {
        "type_code": load_types().named("construction-planning-permit").code,
        "holder": _company(story),
        "fields": {
            "project_name": "明日家园住宅小区一期",
            "project_code": "2026-420100-47-01-000123",
            "project_location": "江城市江岸区解放大道100号",
            "project_scale": "地上26层，地下2层",
            "building_area": "58600.50",
            "enclosures": ["建设工程设计方案总平面图", "建筑单体施工图"],
        },
        "case_number": CASE_NUMBER,
    }
    permit = planning.post("/v1/licences", body, key="permit-1")
    agent = story.require_agent()
    story.known["permit"] = permit
    story.known["permit-pdf"] = agent.get(f"/v1/licences/{permit['id']}/document").content
    story.known["permit-credential"] = agent.get(f"/v1/licences/{permit['id']}/credential").text
    story.write("licence.pdf", story.known["permit-pdf"])
    story.write("licence.sd-jwt", story.known["permit-credential"].encode())
    story.note("建设工程规划许可证", identifier=permit["identifier"], number=permit["number"])


def suspend_and_reinstate(story: Story) -> None:
    """The permit is suspended and reinstated; the public status follows within a second."""
    planning = story.agencies["planning"].system()
    permit = story.known["permit"]
    stranger = Party(story.base)
    path = "/v1/public/licences/" + permit["public_url"].rsplit("/", 1)[-1]
    for act, state in (("suspensions", "suspended"), ("reinstatements", "valid")):
        planning.post(f"/v1/licences/{permit['id']}/{act}", {"reason": "复核建设位置"})
        began = time.monotonic()
        while stranger.get(path).json()["state"] != state:
            if time.monotonic() - began > STATUS_SECONDS:
                raise StepFailed(f"the public status did not become {state} within {STATUS_SECONDS} s")
            time.sleep(0.05)
        story.note(f"{state}", seconds=round(time.monotonic() - began, 3))
    stranger.close()


def _company(story: Story) -> dict[str, str]:
    return {"kind": "legal_person", "name": story.organisation["name"], "code": story.organisation["uscc"]}


def presentation_as_material(story: Story) -> bytes:
    """The redeemed presentation with its disclosed fields only, as a file for the archive."""
    redeemed = story.known["redemption"]
    kept = {
        key: redeemed[key] for key in ("presentation_id", "licence_id", "purpose", "fields", "redeemed_at")
    }
    return json.dumps(kept, ensure_ascii=False, indent=2).encode()
