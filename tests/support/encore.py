"""After the demonstration's story: every operation that the story does not need, once, by whoever may do it."""

import base64
import hashlib
import json
import uuid
from typing import Any

from api.demo.story import CASE_NUMBER, PERMIT_ITEM, Story, in_days
from tests.support.house import House
from tests.support.pdfs import build_pdf


def play_encore(story: Story, house: House) -> None:
    """Plays it; raises where an answer is not what it must be."""
    supervisor = _supervise(story, house)
    _look_at_parties(story)
    _live_a_seal(story)
    _sign_by_digest(story)
    _change_licences(story)
    _look_at_archives(story, house)
    _end_parties(story)
    supervisor._http.delete("/v1/sessions/current", headers=dict(supervisor.authorisation()))


def _supervise(story: Story, house: House) -> Any:
    supervisor = _supervisor(story, "何监", "supervisor")
    services = house.services
    supervisor.get("/v1/events", act="seal-use.")
    supervisor.get(f"/v1/cases/{CASE_NUMBER}/replay")
    asked = supervisor.post("/v1/event-exports", {"case_number": CASE_NUMBER}, status=202)
    services.sequencer.catch_up()
    services.supervision.making.make_all()
    supervisor.get(f"/v1/operations/{asked['id']}")
    story.known["export"] = supervisor.get(f"/v1/event-exports/{asked['id']}/file").content
    auditor = story.agencies["planning"].staff["auditor"]
    services.supervision.watch.catch_up()  # the rules stand at the end of the log from here on
    for _ in range(25):  # the shipped rule on refusals of one account
        auditor.refused(
            "POST",
            "/v1/seal-requests/sealreq_" + "0" * 32 + "/declines",
            code="role-missing",
            json={"note": "x"},
        )
    services.sequencer.catch_up()
    services.supervision.watch.catch_up()
    alerts = supervisor.get("/v1/alerts", open="true").json()["items"]
    alert = next(each for each in alerts if each["rule"] == "many-refusals")
    supervisor.get(f"/v1/alerts/{alert['id']}")
    supervisor.post(f"/v1/alerts/{alert['id']}/acknowledgements", {"reason": "已核实，为误操作"})
    story.known["alert"] = alert
    about = supervisor.get("/v1/events", act="citizen.registered").json()["items"][0]
    second = _supervisor(story, "何察", "second-supervisor")
    order = supervisor.post(f"/v1/events/{about['id']}/erasure-orders", {"reason": "data-subject-request"})
    second.get("/v1/erasure-orders", waiting="true")
    second.get(f"/v1/erasure-orders/{order['id']}")
    second.post(f"/v1/erasure-orders/{order['id']}/confirmations")
    return supervisor


def _supervisor(story: Story, name: str, username: str) -> Any:
    supervisor = story.person(name, username)
    invited = story.platform.post(
        "/v1/staff",
        {"name": supervisor.name, "resident_id_number": supervisor.number, "roles": ["supervisor"]},
    )
    supervisor.enrol(invited["enrolment_token"])
    return supervisor


def _look_at_parties(story: Story) -> None:
    planning = story.agencies["planning"]
    for path in ("/v1/staff", "/v1/applications", "/v1/certificates"):
        planning.administrator.get(path) if path != "/v1/certificates" else story.require_citizen().get(path)
    story.require_agent().get("/v1/organisations")
    other = story.person("林客", "lin.ke")
    other.register()
    agent = story.require_agent()
    me = other.get("/v1/me").json()
    organisation = story.organisation["id"]
    made = agent.post(
        f"/v1/organisations/{organisation}/agents",
        {"citizen_id": me["account_id"], "valid_until": in_days(30)},
    )
    agent.post(f"/v1/organisations/{organisation}/agents/{made['id']}/withdrawals")
    serial = story.require_citizen().get("/v1/certificates").json()["items"][0]["serial"]
    for change in ("suspensions", "releases"):
        story.require_citizen().post(f"/v1/certificates/{serial}/{change}")
    story.require_citizen().post(f"/v1/certificates/{serial}/revocations", {"reason": "key-compromise"})


def _live_a_seal(story: Story) -> None:
    planning = story.agencies["planning"]
    officer, approver = planning.staff["officer"], planning.staff["approver"]
    body = {
        "name": "临时专用章", "reason": "试用", "impression": {"kind": "round", "text": planning.name},
    }  # fmt: skip
    declined = officer.post("/v1/seal-requests", body)
    approver.post(f"/v1/seal-requests/{declined['id']}/declines", {"note": "不同意"})
    request = officer.post("/v1/seal-requests", {**body, "name": "临时专用章二"})
    seal_id = approver.post(f"/v1/seal-requests/{request['id']}/approvals", {"note": "同意"})["seal_id"]
    for path in (
        "/v1/seal-requests",
        f"/v1/seal-requests/{request['id']}",
        f"/v1/seal-requests/{request['id']}/impression",
        "/v1/seals",
        f"/v1/seals/{seal_id}",
        f"/v1/seals/{seal_id}/impression",
        f"/v1/seals/{seal_id}/authorisations",
        "/v1/seal-uses",
    ):
        officer.get(path)
    program = story.system()
    registered = planning.administrator.post(
        "/v1/applications",
        {"name": "远程签章", "public_jwk": program.public_jwk, "scopes": ["seal:use", "csc:sign"]},
    )
    program.id = registered["id"]
    story.known["program"] = program
    granted = approver.post(
        f"/v1/seals/{seal_id}/authorisations",
        {
            "application_id": program.id, "item_code": PERMIT_ITEM, "valid_from": in_days(-1),
            "valid_until": in_days(9), "uses_allowed": 9, "allows_digests": True,
        },
    )  # fmt: skip
    story.known["digest-authorisation"], story.known["digest-seal"] = granted["id"], seal_id


def _sign_by_digest(story: Story) -> None:
    planning = story.agencies["planning"]
    system, seal_id = story.known["program"], story.known["digest-seal"]
    digests = {
        "item_code": PERMIT_ITEM, "digests": [hashlib.sha256(b"a").hexdigest()], "seal_id": seal_id, "level": "B-B",
    }  # fmt: skip
    signed = system.post("/v1/seal-uses/digests", digests, key=_key())
    system.get(f"/v1/seal-batches/{signed['id']}")
    items = [{"item_code": PERMIT_ITEM, "document": 0, "page": 1, "x_mm": 20, "y_mm": 20, "level": "B-B"}]
    system.post(
        "/v1/seal-uses/batches", key=_key(), data={"items": json.dumps(items)},
        files=[("documents", ("a.pdf", build_pdf(), "application/pdf"))],
    )  # fmt: skip
    credential = story.known["digest-authorisation"]
    system.post("/csc/v1/credentials/list", {}, status=200)
    system.post("/csc/v1/credentials/info", {"credentialID": credential}, status=200)
    hashed = [base64.b64encode(hashlib.sha256(b"b").digest()).decode()]
    given = {"credentialID": credential, "numSignatures": 1, "hash": hashed}
    activated = system.post("/csc/v1/credentials/authorize", given, status=200)
    system.post(
        "/csc/v1/signatures/signHash",
        {
            "credentialID": credential,
            "SAD": activated["SAD"],
            "hash": hashed,
            "signAlgo": "1.2.840.10045.4.3.2",
        },
        status=200,
    )
    approver, officer = planning.staff["approver"], planning.staff["officer"]
    reason = {"reason": "试用结束"}
    approver.post(f"/v1/seal-authorisations/{credential}/withdrawals", reason)
    officer.post(f"/v1/seals/{seal_id}/suspensions", reason)
    approver.post(f"/v1/seals/{seal_id}/reinstatements", reason)
    approver.post(f"/v1/seals/{seal_id}/revocations", reason)
    approver.post(f"/v1/seals/{seal_id}/destructions", reason)


def _change_licences(story: Story) -> None:
    planning = story.agencies["planning"]
    system, permit = planning.system(), story.known["permit"]
    agent = story.require_agent()
    agent.get("/v1/licences")
    shown = agent.get(f"/v1/licences/{permit['id']}").json()
    agent.get("/v1/usage-entries")
    agent.get("/v1/usage-entries/export")
    changed = system.post(
        f"/v1/licences/{permit['id']}/changes",
        {"fields": shown["fields"], "reason": "更正"},
        key=_key(),
    )
    system.post(f"/v1/licences/{changed['id']}/cancellations", {"reason": "申请人放弃"}, key=_key())


def _look_at_archives(story: Story, house: House) -> None:
    planning = story.agencies["planning"]
    archivist, approver = planning.staff["archivist"], planning.staff["archive-approver"]
    record = story.known["record"]
    archivist.get("/v1/records")
    detail = archivist.get(f"/v1/records/{record['id']}").json()
    archivist.get(f"/v1/records/{record['id']}/timestamp")
    house.services.evidence.gather()
    archivist.get(f"/v1/records/{record['id']}/evidence")
    asked = archivist.post(
        "/v1/retrieval-requests",
        {
            "record_id": record["id"], "purpose": "复查", "until": in_days(3),
            "materials": [detail["materials"][0]["name"]],
        },
    )  # fmt: skip
    archivist.get("/v1/retrieval-requests")
    archivist.get(f"/v1/retrieval-requests/{asked['id']}")
    approver.post(f"/v1/retrieval-requests/{asked['id']}/refusals", {"note": "不必"})
    for agency in ("planning", "archives"):
        reader = story.agencies[agency].staff["archivist"]
        for reuse in reader.get("/v1/material-reuses").json()["items"][:1]:
            reader.get(f"/v1/material-reuses/{reuse['id']}")


def _end_parties(story: Story) -> None:
    market = story.agencies["market"]
    system = market.system()
    _fetch_token_for_csc(system)
    market.administrator.post(f"/v1/applications/{system.id}/revocations")
    staff = market.administrator.get("/v1/staff").json()["items"]
    officer = next(each for each in staff if "seal-officer" in each["roles"])
    market.administrator.post(f"/v1/staff/{officer['id']}/deactivations")


def _fetch_token_for_csc(system: Any) -> None:
    """The same token endpoint under the address where CSC clients look for it."""
    inner = system._http.post
    system._http.post = lambda _path, data: inner("/csc/v1/oauth2/token", data=data)
    try:
        system._fetch_token()
    finally:
        del system._http.post


def _key() -> str:
    return uuid.uuid4().hex
