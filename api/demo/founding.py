"""Steps 1 and 2 of the demonstration: agencies, people, certificates; a seal applied for, approved and made."""

from typing import Any

from api.demo.parties import certificate_request
from api.demo.story import ARCHIVE_ITEM, BUSINESS_ITEM, PERMIT_ITEM, Agency, Story, in_days, invented_uscc

_ALL_SCOPES = [
    "seal:use", "licence:issue", "licence:manage", "presentation:redeem", "archive:ingest", "archive:reuse",
]  # fmt: skip
_AGENCIES = (
    ("planning", "江城市自然资源和规划局", "Jiangcheng Natural Resources and Planning Bureau", PERMIT_ITEM,
     "建设工程规划许可证核发", "Issue of a construction planning permit", 1),
    ("archives", "江城市档案馆", "Jiangcheng Archives", ARCHIVE_ITEM, "档案利用服务", "Use of archives", 2),
    ("market", "江城市市场监督管理局", "Jiangcheng Market Regulation Bureau", BUSINESS_ITEM,
     "企业设立登记", "Registration of an enterprise", 3),
)  # fmt: skip
_ROLES = {
    "officer": ("seal-officer", "licence-officer"),
    "approver": ("seal-approver",),
    "archivist": ("archivist",),
    "archive-approver": ("archive-approver",),
    "auditor": ("auditor",),
}
_STAFF = {
    "planning": ("officer", "approver", "archivist", "archive-approver", "auditor"),
    "archives": ("archivist",),
    "market": ("officer", "approver"),
}
_NAMES = (
    "李文",
    "王芳",
    "张伟",
    "刘洋",
    "陈静",
    "杨帆",
    "赵磊",
    "黄敏",
    "周强",
    "吴秀",
    "徐丽",
    "孙浩",
    "马超",
    "朱军",
    "胡兰",
)


def set_up_agencies(story: Story) -> None:
    """The first administrator enrols by the one-time link and sets the agencies up with their service items."""
    story.platform = story.person("郑首", "platform.admin")
    story.platform.enrol(story.enrolment_token, first=True)
    names = iter(_NAMES)
    for key, name_zh, name_en, item, item_zh, item_en, number in _AGENCIES:
        made = story.platform.post(
            "/v1/agencies",
            {
                "uscc": invented_uscc("11", number),
                "code": f"JC{number:02d}",
                "name_zh": name_zh,
                "name_en": name_en,
            },
        )
        administrator = story.person(next(names), f"{key}.admin")
        invitation = story.platform.post(
            "/v1/staff",
            {
                "name": administrator.name,
                "resident_id_number": administrator.number,
                "roles": ["agency-administrator"],
                "agency_id": made["id"],
            },
        )
        administrator.enrol(invitation["enrolment_token"])
        agency = Agency(id=made["id"], name=name_zh, administrator=administrator)
        administrator.post(
            f"/v1/agencies/{agency.id}/service-items", {"code": item, "name_zh": item_zh, "name_en": item_en}
        )
        story.agencies[key] = agency
        story.note(f"{name_zh}", agency=agency.id, item=item)


def invite_staff(story: Story) -> None:
    """Each agency's administrator invites staff with roles; each sets a password nobody else learns."""
    names = iter(_NAMES[3:])
    for key, agency in story.agencies.items():
        for job in _STAFF[key]:
            person = story.person(next(names), f"{key}.{job}")
            invitation = agency.administrator.post(
                "/v1/staff",
                {"name": person.name, "resident_id_number": person.number, "roles": list(_ROLES[job])},
            )
            person.enrol(invitation["enrolment_token"])
            agency.staff[job] = person


def register_applications(story: Story) -> None:
    """Each agency's approval system, with a key of its own (private_key_jwt)."""
    for agency in story.agencies.values():
        program = story.system()
        made = agency.administrator.post(
            "/v1/applications",
            {"name": f"{agency.name}审批系统", "public_jwk": program.public_jwk, "scopes": _ALL_SCOPES},
        )
        program.id = made["id"]
        agency.program = program
        program.get("/v1/me")


def register_applicants(story: Story) -> None:
    """A citizen and a company with its agent; numbers with a wrong check character are refused."""
    story.citizen = story.person("钱梅", "qian.mei")
    story.citizen.register()
    story.agent = story.person("孙立", "sun.li")
    story.agent.register()
    uscc = invented_uscc("91", 4711)
    wrong = uscc[:-1] + ("0" if uscc[-1] != "0" else "1")
    story.agent.refused(
        "POST", "/v1/organisations", code="uscc-invalid", json={"uscc": wrong, "name": "江城明日建设有限公司"}
    )
    story.organisation = story.agent.post(
        "/v1/organisations", {"uscc": uscc, "name": "江城明日建设有限公司", "kind": "legal-person"}
    )
    story.agent.sign_in(organisation_id=story.organisation["id"])


def issue_certificates(story: Story) -> None:
    """Each applicant makes a key, sends a CSR and gets a certificate by subject type."""
    for party in (story.require_citizen(), story.require_agent()):
        issued = party.post(
            "/v1/certificates", {"csr": certificate_request()}, key=f"certificate-{party.username}"
        )
        story.note(f"{party.name}: {issued['profile']}", serial=issued["serial"])
        story.write(f"certificates/{issued['profile']}.pem", issued["certificate"].encode())


def make_seals(story: Story) -> None:
    """An officer applies with an impression, a second person approves (the first may not), the seal is made."""
    for key in ("planning", "market"):
        agency = story.agencies[key]
        officer, approver = agency.staff["officer"], agency.staff["approver"]
        request = officer.post(
            "/v1/seal-requests",
            {
                "name": f"{agency.name}行政审批专用章",
                "reason": "审批结果文书与电子证照用印",
                "impression": {
                    "kind": "round", "text": agency.name, "lower_text": "行政审批专用章", "diameter_mm": 42,
                },
            },
        )  # fmt: skip
        officer.refused(
            "POST", f"/v1/seal-requests/{request['id']}/approvals", code="role-missing", json={"note": "自批"}
        )
        approved = approver.post(f"/v1/seal-requests/{request['id']}/approvals", {"note": "同意制章"})
        agency.seal_id = approved["seal_id"]
        story.note(f"{agency.name}行政审批专用章", seal=agency.seal_id)


def authorise_seals(story: Story) -> None:
    """The seal is authorised to the approval system for one service item, for a period and a number of uses."""
    for key, item in (("planning", PERMIT_ITEM), ("market", BUSINESS_ITEM)):
        agency = story.agencies[key]
        body: dict[str, Any] = {
            "application_id": agency.system().id,
            "item_code": item,
            "valid_from": in_days(-1),
            "valid_until": in_days(90),
            "uses_allowed": 100,
        }
        granted = agency.staff["approver"].post(f"/v1/seals/{agency.seal_id}/authorisations", body)
        story.note(f"{agency.name}: {granted['uses_allowed']} 次", authorisation=granted["id"])
