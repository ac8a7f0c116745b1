"""What an event says of a person, erased over HTTP: ordered by one, confirmed by another, and told everywhere."""

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from api.cli.journal_comparing import journal_report
from api.supervision.erasures import ErasureDesk
from identity.caller import Role
from licences.model import HolderKind, IssueRequest, LicenceHolder
from tests.support.house_edge import HouseEdge
from tests.support.identity import SetClock, resident_number, uscc
from tests.support.licence_faces import FIELDS
from tests.support.licences import PERMIT
from trust.evidence.tlog import VerifierKey
from trust.kernel.errors import Unavailable
from trust.kernel.report import Indication, Outcome
from trust.keys.key_client import KeyClient
from trust.ledger.errors import EventNotFound
from trust.ledger.model import Actor, Event
from trust.ledger.supervision.erasures import (
    ORDER_LASTS,
    ContentErased,
    ErasureConfirmed,
    ErasureOrderId,
    ErasureOrderLapsed,
)
from trust.ledger.verify import verify_ledger
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

PERMIT_ITEM = "000115012000"
REASON = {"reason": "data-subject-request"}
CASE = "2026-ERASED-1"


class Scene:
    """An agency with everybody, two supervisors, and an auditor of another agency."""

    def __init__(self, house):
        self.house, self.edge, self.room = house, HouseEdge(house), house.room
        self.desk = house.sealing_agency(item=PERMIT_ITEM)
        other, administrator = house.agency()
        self.number = resident_number(77_001)
        self.first = self.supervisor(number=self.number)
        self.second = self.supervisor()
        self.auditor = self.edge.staff(self.desk.agency, Role.AUDITOR, by=self.desk.administrator)
        self.stranger = self.edge.staff(other, Role.AUDITOR, by=administrator)
        self.system = self.edge.system_of(self.desk)

    def supervisor(self, number=None):
        caller = self.room.staff(self.room.administrator, Role.SUPERVISOR, number=number)
        return SimpleNamespace(caller=caller, token=self.room.sign_in(self.room.username_of(caller)).token)

    def licence(self, key):
        given = IssueRequest(
            type_code=self.house.services.licences.types.named(PERMIT).code,
            holder=LicenceHolder(
                kind=HolderKind.LEGAL_PERSON, name="江城滨江建设开发有限公司", code=uscc(78)
            ),
            fields=FIELDS[PERMIT],
            case_number=CASE,
        )
        issued = self.house.services.licences.issue(given, self.desk.application, idempotency_key=key)
        self.house.services.sequencer.catch_up()
        return issued.version.licence_id

    def event(self, act, **wanted):
        answer = self.edge.get("/v1/events", self.first.token, params={"act": act, **wanted})
        return answer.json()["items"][0]

    def one(self, agency=None, **changes):
        """An event of nobody here, recorded as any other."""
        given = {
            "act": "licence.shown", "actor": Actor(kind="staff", id="staff_" + "0" * 32), "subject": "lic_1",
            "agency": agency, "content": {"name": "张三"},
        } | changes  # fmt: skip
        with self.house.services.ledger.work() as work:
            return work.record(Event(**given)).event_id

    def order(self, event_id, token=None):
        return self.edge.post(f"/v1/events/{event_id}/erasure-orders", token or self.first.token, json=REASON)

    def confirm(self, order, token):
        return self.edge.post(f"/v1/erasure-orders/{order.json()['id']}/confirmations", token)

    def refusals(self, act, subject):
        return [
            (row["actor_kind"], row["reason"])
            for row in self.room.events(act)
            if row["outcome"] == "refused" and row["subject"] == subject
        ]

    def journal(self):
        """What `yinxin ledger verify` says of the signer's journal."""
        client = KeyClient(self.house.services.signer)
        return journal_report(
            self.house.services.database,
            lambda: {str(key["key_id"]): int(key["uses"]) for key in client.every()},
        )

    def verified(self, octets):
        current = self.house.services.trust.current()
        stranger = TrustStore(anchors=current.anchors, ledger_keys=current.ledger_keys)
        return verify_bytes(octets, name="a.zip", trust=stranger, at=self.house.services.clock.now())


@pytest.fixture(scope="module")
def scene(shared_house):
    return Scene(shared_house)


def test_what_was_erased_is_proved_exported_bundled_and_replayed_as_erased(scene):
    services, licence_id = scene.house.services, scene.licence("erased")
    event = scene.event("licence.issued", subject=licence_id)
    assert event["content"]["version"]
    order = scene.order(event["id"])
    assert order.status_code == 201, order.text
    assert order.json()["confirmation"] is None
    assert scene.event("licence.issued", subject=licence_id)["content"]  # an order alone erases nothing
    (waiting,) = scene.edge.get("/v1/erasure-orders", scene.auditor, params={"waiting": True}).json()["items"]
    assert waiting == order.json()
    done = scene.confirm(order, scene.second.token)
    assert done.status_code == 201, done.text
    said = done.json()["confirmation"]
    assert said["by_account"] == scene.second.caller.account_id
    assert scene.edge.get(f"/v1/erasure-orders/{order.json()['id']}", scene.auditor).json() == done.json()
    assert scene.edge.get("/v1/erasure-orders", scene.auditor, params={"waiting": True}).json()["items"] == []
    services.sequencer.catch_up()

    # In the search: nothing but what is public, and beside it who did that, for the agency's auditors.
    erased = scene.event("licence.issued", subject=licence_id)
    assert (erased["content"], erased["leaf_hash"]) == (None, event["leaf_hash"])
    told = scene.edge.get("/v1/events", scene.auditor, params={"subject": event["id"]}).json()["items"]
    assert [each["act"] for each in told] == ["ledger-event.content-erased", "ledger-event.erasure-ordered"]
    assert {each["reason"] for each in told} == {"data-subject-request"}
    assert told[0]["id"] == said["event_id"]
    assert told[0]["content"]["ordered_by"] == scene.first.caller.account_id

    # In the ledger, and in the signer's journal, whose signature no event tells of any more by its version.
    report = verify_ledger(
        services.database,
        services.objects,
        [VerifierKey.parse(key) for key in services.trust.current().ledger_keys],
        at=services.clock.now(),
    )
    assert (report.indication, report.facts["redacted"]) == (Indication.VALID, 1)
    assert scene.journal().indication is Indication.VALID, scene.journal().to_json()

    # In an export.
    asked = scene.edge.post("/v1/event-exports", scene.auditor, json={"act": "licence.issued"}).json()
    services.sequencer.catch_up()
    services.supervision.making.make_all()
    report = scene.verified(scene.edge.get(f"/v1/event-exports/{asked['id']}/file", scene.auditor).content)
    assert (report.indication, report.facts["redacted"]) == (Indication.VALID, 1)

    # In bundles: the event is proved without its content; that it names the licence nobody can tell any more.
    bundle = scene.edge.get(f"/v1/events/{event['id']}/proof-bundle", scene.auditor)
    assert scene.verified(bundle.content).indication is Indication.VALID
    bundle = scene.edge.get(f"/v1/licences/{licence_id}/proof-bundle", scene.system)
    assert bundle.status_code == 200, bundle.text
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as archive:
        roles = {member["role"] for member in json.loads(archive.read("yinxin-bundle.json"))["members"]}
    assert "event" in roles
    assert "event-content" not in roles
    report = scene.verified(bundle.content)
    recorded = [check for check in report.all_checks() if check.code == "recorded"]
    assert {check.outcome for check in recorded} == {Outcome.UNKNOWN}
    assert "licence.issued" in recorded[0].detail
    assert "erased" in recorded[0].detail
    assert report.indication is Indication.CANNOT_TELL

    # In the story of the case, as a picture and as JSON.
    story = scene.edge.get(f"/v1/cases/{CASE}/replay", scene.first.token).json()
    (step,) = [each for each in story["steps"] if each["event"]["id"] == event["id"]]
    assert step["event"]["content"] is None
    page = scene.edge.get("/supervision/case", scene.first.token, params={"about": CASE, "lang": "en"})
    assert "(erased)" in page.text


def test_only_a_supervisor_orders_and_only_another_or_the_agencys_auditor_confirms(scene):
    agency = scene.desk.agency.id
    event_id = scene.one(agency)
    others = {
        "staff": scene.auditor,
        "citizen": scene.edge.citizen(),
        "application": scene.system,
    }
    for kind, token in others.items():
        refused = scene.order(event_id, token)
        assert (refused.status_code, refused.json()["code"]) == (403, "role-missing"), kind
    assert scene.refusals("ledger-event.erasure-ordered", event_id) == [
        (kind, "role-missing") for kind in others
    ]

    order = scene.order(event_id)
    order_id = order.json()["id"]
    for token, code in (
        (others["citizen"], "role-missing"),
        (others["application"], "role-missing"),
        (scene.stranger, "erasure-order-unknown"),
        (scene.first.token, "second-person-needed"),
    ):
        assert scene.confirm(order, token).json()["code"] == code
    refusals = scene.refusals("ledger-event.content-erased", order_id)
    assert [code for _kind, code in refusals] == [
        "role-missing", "role-missing", "erasure-order-unknown", "second-person-needed",
    ]  # fmt: skip
    assert scene.event("licence.shown")["content"]
    assert scene.edge.get(f"/v1/erasure-orders/{order_id}", scene.stranger).status_code == 404
    assert scene.edge.get("/v1/erasure-orders", scene.stranger).json()["items"] == []
    assert scene.confirm(order, scene.auditor).status_code == 201
    assert scene.event("licence.shown")["content"] is None

    # What belongs to no agency is confirmed by the platform's supervisors alone.
    order = scene.order(scene.one())
    assert scene.confirm(order, scene.auditor).json()["code"] == "erasure-order-unknown"
    assert scene.confirm(order, scene.second.token).status_code == 201


def test_nobody_erases_what_an_event_says_of_themselves_by_whichever_account(scene):
    citizen = scene.room.citizen(number=scene.number)  # the same natural person as the first supervisor
    mine = scene.first.caller
    own = [
        scene.one(actor=mine.actor()),
        scene.one(subject=mine.account_id),
        scene.one(content={"read": {"by": [mine.account_id]}}),
        scene.one(actor=citizen.actor()),
        scene.one(subject=citizen.account_id),
    ]
    for event_id in own:
        refused = scene.order(event_id)
        assert (refused.status_code, refused.json()["code"]) == (403, "erasure-of-own-event")
        order = scene.order(event_id, scene.second.token)
        assert scene.confirm(order, scene.first.token).json()["code"] == "erasure-of-own-event"
    assert scene.refusals("ledger-event.erasure-ordered", own[0]) == [("staff", "erasure-of-own-event")]


def test_an_order_is_confirmed_once_and_in_time_and_never_for_what_is_gone(scene):
    services = scene.house.services
    event_id = scene.one()
    first, again = scene.order(event_id), scene.order(event_id)
    assert scene.confirm(first, scene.second.token).status_code == 201
    assert scene.confirm(first, scene.second.token).json()["code"] == "erasure-order-confirmed"
    assert scene.confirm(again, scene.second.token).json()["code"] == "event-content-erased"
    assert scene.order(event_id).json()["code"] == "event-content-erased"
    assert scene.order("event_" + "0" * 32).json()["code"] == "event-not-found"

    late = scene.order(scene.one())
    desk = ErasureDesk(
        ledger=services.ledger,
        directory=services.identity.directory,
        clock=SetClock(services.clock.now() + ORDER_LASTS),
        ids=services.ids,
    )
    with pytest.raises(ErasureOrderLapsed):
        desk.confirm(scene.second.caller, ErasureOrderId(late.json()["id"]))


def test_of_two_who_confirm_at_once_one_erases(scene):
    first, again = (scene.order(event_id) for event_id in [scene.one()] * 2)
    desk = scene.house.services.supervision.erasures

    def confirm(order):
        try:
            desk.confirm(scene.second.caller, ErasureOrderId(order.json()["id"]))
        except (ErasureConfirmed, ContentErased, EventNotFound):
            return "late"
        return "first"

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(confirm, [first, again] * 4))
    assert sorted(told) == ["first"] + ["late"] * 7
    erased = [row for row in scene.room.events("ledger-event.content-erased") if row["outcome"] == "done"]
    assert [row["subject"] for row in erased].count(first.json()["event_id"]) == 1


def test_what_the_signer_states_is_kept(scene):
    assert scene.house.services.keys.anchor_journal() is not None
    anchored = scene.event("signer-journal.anchored")
    assert scene.order(anchored["id"]).json()["code"] == "event-content-is-proof"


def test_where_the_confirmation_cannot_be_kept_nothing_is_erased(scene, monkeypatch):
    order = scene.order(scene.one())

    def away(*_):
        raise Unavailable("away")

    monkeypatch.setattr("api.supervision.erasures.confirm", away)
    assert scene.confirm(order, scene.second.token).status_code == 503
    assert (
        scene.edge.get(f"/v1/erasure-orders/{order.json()['id']}", scene.second.token).json() == order.json()
    )
    assert scene.event("licence.shown")["content"] == {"name": "张三"}


def test_content_that_went_without_an_order_is_missed_by_the_signers_journal_too(scene):
    licence_id = scene.licence("torn-out")
    event = scene.event("licence.issued", subject=licence_id)
    with scene.house.services.database.work() as work:
        work.execute(text("DELETE FROM ledger.event_contents WHERE event_id = :id"), {"id": event["id"]})
    report = scene.journal()
    assert report.indication is Indication.INVALID
    failed = {check.code for check in report.all_checks() if check.outcome is Outcome.FAILED}
    assert failed == {"journal-event"}


def test_what_was_erased_does_not_live_on_in_exports_made_before(scene):
    event_id = scene.one(agency=scene.desk.agency.id, content={"name": "张三", "case_number": CASE})
    services = scene.house.services
    services.sequencer.catch_up()
    asked = [
        scene.edge.post("/v1/event-exports", scene.auditor, json=query).json()["id"]
        for query in ({"case_number": CASE}, {"act": "seal."})
    ]
    services.sequencer.catch_up()
    services.supervision.making.make_all()
    concerned, other = (f"/v1/event-exports/{each}/file" for each in asked)
    assert scene.edge.get(concerned, scene.auditor).status_code == 200
    confirmed = scene.confirm(scene.order(event_id), scene.second.token)
    assert confirmed.status_code == 201, confirmed.text
    for _ in range(2):
        refused = scene.edge.get(concerned, scene.auditor)
        assert (refused.status_code, refused.json()["code"]) == (409, "event-export-outdated")
    assert scene.edge.get(other, scene.auditor).status_code == 200
    kept = {each.key for each in services.objects.list(f"{scene.desk.agency.id.replace('_', '-')}/exports/")}
    assert not any(asked[0].replace("_", "-") in key for key in kept)
    assert any(asked[1].replace("_", "-") in key for key in kept)
