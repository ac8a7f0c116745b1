"""Supervision over a whole house: one case replayed across every part, where acts come from, who may look, alerts."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.cli.supervising import export_events
from api.settings import SettingRefused
from api.supervision.origins import TrustedProxies
from api.supervision.words import act_text, lane_of
from identity.caller import Role
from identity.errors import SeparationOfDuties
from tests.support.event_catalogue import CATALOGUES
from tests.support.house_edge import HouseEdge
from tests.support.identity import PASSWORD, resident_number
from tests.support.ledger import SetClock
from tests.support.pdfs import build_pdf
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event, EventOutcome, EventRefused
from trust.ledger.search import EventScope
from trust.ledger.supervision.attempts import MAX_NETWORKS, AttemptCounts
from trust.verify.texts import Language
from trust.verify.verifier import verify_bytes

CASE = "4201-2026-000999"


@pytest.fixture(scope="module")
def edge(shared_house):
    return HouseEdge(shared_house)


@pytest.fixture(scope="module")
def scene(shared_house, edge):
    """An agency that seals a document in a case, and whoever looks at that."""
    desk = shared_house.sealing_agency()
    return Scene(shared_house, edge, desk)


class Scene:
    def __init__(self, house, edge, desk):
        self.house, self.edge, self.desk = house, edge, desk
        self.auditor = edge.staff(desk.agency, Role.AUDITOR, by=desk.administrator)
        self.officer = edge.staff(desk.agency, Role.SEAL_OFFICER, by=desk.administrator)
        self.archivist = edge.staff(desk.agency, Role.ARCHIVIST, by=desk.administrator)
        self.supervisor = self.supervise()
        other, administrator = house.agency()
        self.stranger = edge.staff(other, Role.AUDITOR, by=administrator)
        self.other = other
        self.system = edge.system_of(desk)

    def supervise(self):
        username = f"supervisor{len(self.house.room.events('staff.invited'))}"
        caller = self.house.room.staff(self.house.room.administrator, Role.SUPERVISOR)
        with self.house.services.database.work() as work:
            username = work.execute(
                text("SELECT username FROM identity.credentials WHERE account_id = :id"),
                {"id": caller.account_id},
            ).scalar_one()
        self.supervisor_name = username
        return self.house.room.sign_in(username).token


def test_every_act_has_words_in_both_languages():
    acts = [str(act) for acts in CATALOGUES.values() for act in acts]
    assert [act for act in acts for language in Language if act_text(act, language) == act] == []
    assert {lane_of(act) for act in acts}


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ("", "203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.0/8", "203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.0/8", "10.0.0.5", ["6.6.6.6, 198.51.100.1, 10.0.0.9"], "198.51.100.1"),
        ("10.0.0.0/8", "10.0.0.5", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.0/8", "10.0.0.5", ["nonsense, 10.0.0.9"], "10.0.0.9"),
        ("10.0.0.0/8", "10.0.0.5", [""], "10.0.0.5"),
        ("10.0.0.0/8", "10.0.0.5", ["10.1.1.1"], "10.1.1.1"),
        ("10.0.0.0/8,fd00::/8", "fd00::1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("10.0.0.0/8", "::ffff:10.0.0.5", ["198.51.100.1:8080"], "198.51.100.1"),
        ("10.0.0.0/8", "unix", ["198.51.100.1"], "unix"),
    ],
)
def test_only_our_own_proxies_are_believed_and_only_what_they_say_themselves(
    trusted, peer, forwarded, client
):
    assert TrustedProxies.parse(trusted).client(peer, forwarded) == client


def test_a_proxy_that_is_no_network_stops_the_process():
    with pytest.raises(SettingRefused):
        TrustedProxies.parse("10.0.0.0/8, proxy.example")


def test_an_event_says_where_it_came_from_and_under_which_sign_in_and_the_public_part_does_not(scene):
    scene.edge.client.get(
        "/v1/staff", headers={"Authorization": f"Bearer {scene.auditor}", "X-Forwarded-For": "6.6.6.6"}
    )
    found = scene.edge.get("/v1/events", scene.auditor, params={"act": "staff.read"}).json()["items"][0]
    assert found["content"]["origin"] == {
        "edge": "http", "address": "testclient", "session": found["content"]["origin"]["session"],
        "trace_id": found["content"]["origin"]["trace_id"],
    }  # fmt: skip
    assert found["content"]["origin"]["session"].startswith("session_")
    services = scene.house.services
    with services.ledger.read() as work:
        header = services.proofs.header(work, found["id"], scope=EventScope.everything())
    assert b"testclient" not in header
    assert b"session_" not in header


def test_a_domain_cannot_write_the_origin_itself(scene):

    with pytest.raises(EventRefused):
        Event(act="a.b", actor=scene.desk.officer.actor(), subject="s", agency=None, content={"origin": {}})


def test_only_auditors_and_supervisors_look_and_each_refusal_is_kept(scene):
    house = scene.house
    tokens = {
        "officer": scene.officer, "archivist": scene.archivist, "system": scene.system,
        "citizen": scene.edge.citizen(),
    }  # fmt: skip
    alert = "alert_" + "0" * 32
    acts = {
        "events.read": lambda token: scene.edge.get("/v1/events", token),
        "case.replayed": lambda token: scene.edge.get(f"/v1/cases/{CASE}/replay", token),
        "events.exported": lambda token: scene.edge.post("/v1/event-exports", token, json={}),
        "alerts.read": lambda token: scene.edge.get("/v1/alerts", token),
        "alert.acknowledged": lambda token: scene.edge.post(
            f"/v1/alerts/{alert}/acknowledgements", token, json={"reason": "x"}
        ),
        "events-export.read": lambda token: scene.edge.get(
            f"/v1/event-exports/evexport_{'0' * 32}/file", token
        ),
    }
    for act, ask in acts.items():
        before = len([event for event in house.room.events(act) if event["outcome"] == "refused"])
        for who, token in tokens.items():
            assert ask(token).status_code == 403, (act, who)
        refused = [event for event in house.room.events(act) if event["outcome"] == "refused"]
        assert len(refused) == before + len(tokens), act
    # An auditor of another agency is let in and sees nothing of this one.
    found = scene.edge.get("/v1/events", scene.stranger, params={"subject": scene.desk.seal.id})
    assert found.json()["items"] == []
    narrowed = scene.edge.get("/v1/events", scene.stranger, params={"agency_id": scene.desk.agency.id})
    assert narrowed.status_code == 403


def test_a_supervisor_holds_no_other_role_and_sees_every_agency(scene):
    room = scene.house.room
    assert scene.edge.get("/v1/events", scene.supervisor, params={"agency_id": scene.desk.agency.id}).json()[
        "items"
    ]
    assert scene.edge.get("/v1/events", scene.supervisor, params={"agency_id": scene.other.id}).json()[
        "items"
    ]
    for path in ("/v1/staff", "/v1/seals", "/v1/records", f"/v1/seals/{scene.desk.seal.id}"):
        assert scene.edge.get(path, scene.supervisor).status_code == 403, path

    for roles in ({Role.SUPERVISOR, Role.AUDITOR}, {Role.SUPERVISOR, Role.PLATFORM_ADMINISTRATOR}):
        with pytest.raises(SeparationOfDuties):
            room.desk.staff.invite(
                room.administrator,
                name="某",
                resident_id_number=resident_number(39_000),
                roles=frozenset(roles),
            )


def test_one_case_is_told_from_its_number_or_any_of_its_ids(scene, decision):
    headers = {"Idempotency-Key": "supervised-case"}
    form = {"item_code": "JZ-001", "case_number": CASE, "page": "1", "x_mm": "20", "y_mm": "20"}
    sealed = scene.edge.post(
        "/v1/seal-uses", scene.system, headers=headers, data=form,
        files={"document": ("a.pdf", decision, "application/pdf")},
    )  # fmt: skip
    assert sealed.status_code == 201, sealed.text
    use = sealed.json()["id"]
    scene.edge.get(f"/v1/seal-uses/{use}/document", scene.officer)
    story = scene.edge.get(f"/v1/cases/{CASE}/replay", scene.auditor).json()
    acts = [step["event"]["act"] for step in story["steps"]]
    assert acts == sorted(
        acts, key=lambda act: [step["event"]["at"] for step in story["steps"]][acts.index(act)]
    )
    assert {"seal-authorisation.granted", "seal-use.intended", "seal-use.completed", "seal-use.read"} <= set(
        acts
    )
    assert "session.opened" in acts  # who read it, and by which sign-in
    by_id = scene.edge.get(f"/v1/cases/{use}/replay", scene.supervisor).json()
    assert by_id["case_number"] == CASE
    assert {step["event"]["id"] for step in story["steps"]} <= {
        step["event"]["id"] for step in by_id["steps"]
    }
    assert scene.edge.get(f"/v1/cases/{CASE}/replay", scene.stranger).json()["steps"] == []
    assert scene.edge.get("/v1/cases/none-such/replay", scene.auditor).json()["steps"] == []


@pytest.fixture(scope="module")
def decision():

    return build_pdf()


def test_an_export_is_asked_for_followed_fetched_and_verified_by_a_stranger(scene):
    asked = scene.edge.post("/v1/event-exports", scene.auditor, json={"act": "seal."})
    assert asked.status_code == 202
    operation = asked.headers["location"]
    assert scene.edge.get(operation, scene.auditor).json()["state"] == "running"
    assert (
        scene.edge.get(
            asked.json()["id"] and f"/v1/event-exports/{asked.json()['id']}/file", scene.auditor
        ).status_code
        == 409
    )
    services = scene.house.services
    services.sequencer.catch_up()
    assert services.supervision.making.make_all() >= 1
    done = scene.edge.get(operation, scene.auditor).json()
    assert (done["state"], done["progress"]["done"]) == ("done", done["progress"]["total"])
    file = scene.edge.get(f"{done['result']}/file", scene.auditor).content

    report = verify_bytes(file, name="export.zip", trust=services.trust.current(), at=datetime.now(UTC))
    assert report.indication.value == "valid", report.checks
    with zipfile.ZipFile(io.BytesIO(file)) as export:
        headers = [
            json.loads(json.loads(line)["header"]) for line in export.read("events.ndjson").splitlines()
        ]
    assert {header["agency"] for header in headers} == {scene.desk.agency.id}
    # Somebody else's export is not to be seen, not even by a supervisor: who asked has it.
    assert scene.edge.get(f"{done['result']}/file", scene.supervisor).status_code == 404


def test_an_alert_is_acknowledged_once_and_never_by_whom_it_is_about(scene):
    services = scene.house.services
    services.sequencer.catch_up()
    services.supervision.watch.catch_up()
    for _ in range(22):
        scene.edge.post(f"/v1/seals/{scene.desk.seal.id}/revocations", scene.auditor, json={"reason": "x"})
    services.sequencer.catch_up()
    services.supervision.watch.catch_up()
    alerts = scene.edge.get("/v1/alerts", scene.supervisor, params={"rule": "many-refusals"}).json()["items"]
    me = scene.edge.get("/v1/me", scene.auditor).json()["account_id"]
    (alert,) = [each for each in alerts if each["about"] == me]
    path = f"/v1/alerts/{alert['id']}/acknowledgements"
    own = scene.edge.post(path, scene.auditor, json={"reason": "没有问题"})
    assert (own.status_code, own.json()["code"]) == (403, "alert-on-own-acts")
    assert scene.edge.post(path, scene.stranger, json={"reason": "x"}).status_code == 404
    done = scene.edge.post(path, scene.supervisor, json={"reason": "已核实"})
    assert (done.status_code, done.json()["acknowledgement"]["reason"]) == (201, "已核实")
    again = scene.edge.post(path, scene.supervisor, json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "alert-acknowledged")
    still_open = scene.edge.get("/v1/alerts", scene.auditor, params={"open": "true"}).json()["items"]
    assert alert["id"] not in [each["id"] for each in still_open]


def test_unknown_credentials_are_counted_and_do_not_flood_the_log(scene):
    before = len(scene.house.room.events("credential.unknown"))
    for number in range(30):
        assert scene.edge.get("/v1/me", f"yxs_{number:043d}").status_code == 401
    scene.edge.get("/v1/me")  # without any credential nobody has tried anything
    scene.edge.post("/v1/oauth/token", data={
        "grant_type": "client_credentials", "client_assertion": "eyJ.e30.x",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    })  # fmt: skip
    scene.edge.post("/v1/enrolments/redemptions", json={
        "token": "yxe_" + "0" * 43, "username": "nobody.at.all", "password": PASSWORD,
    })  # fmt: skip
    events = scene.house.room.events("credential.unknown")
    assert len(events) - before <= 2  # one, or two where a stretch of time ended in between
    assert events[-1]["content"]["network"] == "unknown"
    with scene.house.services.database.work() as work:
        counted = work.execute(
            text("SELECT sum(count) FROM ledger.attempts WHERE act = 'credential.unknown'")
        ).scalar_one()
    assert counted >= 30


def test_what_was_counted_is_told_when_its_time_is_over_and_many_networks_are_told_as_one(database):

    clock = SetClock()
    ledger = Ledger(database, clock=clock, randomness=SystemRandomness(), ids=Ids(clock, SystemRandomness()))
    told = []

    def event(act, reason, network, attempts):
        told.append((network, attempts))
        return Event(
            act=act, actor=Actor(kind="anyone", id="anyone"), subject="credential", agency=None,
            outcome=EventOutcome.REFUSED, reason=reason,
        )  # fmt: skip

    counts = AttemptCounts(ledger=ledger, clock=clock, told=event)
    for _ in range(5):
        counts.count("credential.unknown", reason="token-refused", address="192.0.2.1")
    counts.count("credential.unknown", reason="token-refused", address="2001:db8::1")
    counts.count("credential.unknown", reason="token-refused", address="2001:db8::2")
    assert told == [("192.0.2.1", 1), ("2001:db8::/64", 1)]
    for number in range(MAX_NETWORKS + 20):
        counts.count(
            "credential.unknown", reason="token-refused", address=f"198.51.{number // 250}.{number % 250}"
        )
    assert len(told) == MAX_NETWORKS + 1
    assert counts.tell() == 0
    clock.advance(timedelta(minutes=21))
    told.clear()
    while counts.tell():
        pass
    assert dict(told) == {"192.0.2.1": 4, "2001:db8::/64": 1, "elsewhere": 21}
    assert counts.tell() == 0


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_the_pages_are_whole_and_strict_and_only_for_those_signed_in(scene, decision, language):
    app = scene.edge.app
    client = TestClient(app, base_url="http://127.0.0.1:8460", follow_redirects=False)
    client.headers["accept"] = "text/html"
    client.headers["accept-language"] = language
    assert client.get("/supervision").status_code == 401
    wrong = client.post(
        "/supervision/sign-in", data={"username": scene.supervisor_name, "password": "not this one"}
    )
    assert wrong.status_code == 401
    crossing = client.post(
        "/supervision/sign-in", data={"username": scene.supervisor_name, "password": PASSWORD},
        headers={"sec-fetch-site": "cross-site"},
    )  # fmt: skip
    assert crossing.status_code == 403
    right = client.post(
        "/supervision/sign-in", data={"username": scene.supervisor_name, "password": PASSWORD}
    )
    assert right.status_code == 303
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    pages = [
        client.get("/supervision"),
        client.get("/supervision", params={"all": "true"}),
        client.get("/supervision/case", params={"about": scene.desk.seal.id}),
        client.get("/supervision/case", params={"about": CASE}),
    ]
    for page in pages:
        assert page.status_code == 200
        assert f'<html lang="{language}">' in page.text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page.text)
    assert client.get("/supervision/case", params={"about": ""}).status_code == 422
    csrf = re.search(r'name="csrf" value="([^"]+)"', pages[0].text).group(1)
    assert client.post("/supervision/sign-out", data={"csrf": "other"}).status_code == 403
    assert client.post("/supervision/sign-out", data={"csrf": csrf}).status_code == 303
    assert client.get("/supervision").status_code == 401


def test_the_host_exports_events_without_an_account_and_the_ledger_says_so(scene, tmp_path):
    made = export_events(scene.house.services.settings, tmp_path / "out.zip", {"act": "agency."})
    assert made["events"] >= 2
    trust = scene.house.services.trust.current()
    octets = (tmp_path / "out.zip").read_bytes()
    assert verify_bytes(octets, name="out.zip", trust=trust, at=datetime.now(UTC)).indication.value == "valid"
    (asked,) = [
        event for event in scene.house.room.events("events.exported") if event["actor_id"] == "host-command"
    ]
    assert asked["agency"] is None
