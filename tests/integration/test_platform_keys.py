"""The platform's keys over HTTP: looked at and changed by one administrator, destroyed by two."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from api.key_desk import KeyDesk
from identity.caller import Role
from tests.support.house_edge import HouseEdge
from tests.support.identity import SetClock
from tests.support.keys import KeyRoom
from trust.authority.model import TIMESTAMP_LABEL
from trust.authority.platform_keys import (
    DESTRUCTION_STANDS,
    DestructionConfirmed,
    DestructionId,
    DestructionLapsed,
)
from trust.keys.errors import KeyLimitReached, KeyNotUsable, SignerAway
from trust.keys.key_client import KeyClient

REASON = {"reason": "试用结束"}
CHANGES = ("suspensions", "resumptions", "retirements", "limits", "destructions")


class Scene:
    """Two platform administrators, and everybody who is none."""

    def __init__(self, house):
        self.house, self.edge, self.room = house, HouseEdge(house), house.room
        self.keys = KeyRoom(house=house)
        self.first = self.signed_in(self.room.administrator)
        self.second = self.signed_in(self.room.staff(self.room.administrator, Role.PLATFORM_ADMINISTRATOR))
        self.desk = house.sealing_agency()

    def signed_in(self, caller):
        token = self.room.sign_in(self.room.username_of(caller)).token
        return SimpleNamespace(caller=caller, token=token)

    def everybody_else(self):
        roles = (Role.SEAL_OFFICER, Role.SEAL_APPROVER, Role.LICENCE_OFFICER, Role.ARCHIVIST,
                 Role.ARCHIVE_APPROVER, Role.AUDITOR)  # fmt: skip
        callers = [self.room.staff(self.desk.administrator, role) for role in roles]
        callers += [self.desk.administrator, self.room.staff(self.room.administrator, Role.SUPERVISOR)]
        tokens = [self.signed_in(caller).token for caller in callers]
        return [*tokens, self.edge.citizen(), self.edge.system_of(self.desk)]

    def change(self, key, what, token=None, **body):
        return self.edge.post(f"/v1/keys/{key}/{what}", token or self.first.token, json=REASON | body)

    def confirm(self, asked, token):
        return self.edge.post(f"/v1/key-destructions/{asked.json()['id']}/confirmations", token)

    def shown(self, key):
        return self.edge.get(f"/v1/keys/{key}", self.second.token).json()

    def refusals(self, act, subject):
        return [row["reason"] for row in self.keys.events(act, subject) if row["outcome"] == "refused"]


@pytest.fixture(scope="module")
def scene(shared_house):
    return Scene(shared_house)


def test_the_platforms_keys_are_listed_with_their_labels_and_no_agencys(scene):
    found, after = [], None
    while True:
        page = scene.edge.get(
            "/v1/keys", scene.first.token, params={"limit": 3} | ({"after": after} if after else {})
        ).json()
        found += page["items"]
        after = page["next"]
        if after is None:
            break
    assert {key["purpose"] for key in found} == {"authority", "timestamp", "status-list", "ledger", "ocsp"}
    assert [key["id"] for key in found] == sorted({key["id"] for key in found})
    (stamping,) = [key for key in found if key["label"] == TIMESTAMP_LABEL]
    assert (stamping["state"], stamping["destroyed_at"]) == ("active", None)
    every = {key["key_id"]: key for key in KeyClient(scene.house.services.signer).every()}
    assert stamping["public_key_sha256"] == every[stamping["id"]]["public_key_sha256"]
    assert "wrapped_under" not in stamping
    assert {event["subject"] for event in scene.room.events("key.read")} == {"keys"}


def test_a_key_is_suspended_resumed_limited_and_retired_and_the_signer_obeys(scene):
    key = scene.keys.service_key()
    suspended = scene.change(key, "suspensions")
    assert suspended.status_code == 201, suspended.text
    assert (suspended.json()["act"], suspended.json()["outcome"]) == ("suspend", "done")
    assert suspended.json()["statement"]["state"] == "suspended"
    with pytest.raises(KeyNotUsable, match="suspended"):
        scene.keys.stamp(key)
    assert scene.change(key, "resumptions").json()["outcome"] == "done"
    scene.keys.stamp(key)
    assert scene.change(key, "limits", max_uses=1).json()["statement"]["max_uses"] == 1
    with pytest.raises(KeyLimitReached):
        scene.keys.stamp(key)
    assert scene.change(key, "retirements").json()["outcome"] == "done"
    again = scene.change(key, "resumptions")
    assert (again.status_code, again.json()["code"]) == (409, "key-order-refused")
    shown = scene.shown(key)
    assert (shown["state"], shown["max_uses"]) == ("retired", 1)
    assert [(order["act"], order["outcome"]) for order in shown["orders"]] == [
        ("suspend", "done"), ("resume", "done"), ("limit", "done"), ("retire", "done"), ("resume", "refused"),
    ]  # fmt: skip
    ordered = scene.keys.events("key.change-ordered", key)
    assert {event["actor_id"] for event in ordered} == {scene.first.caller.account_id}
    assert {event["content"]["reason"] for event in ordered} == {REASON["reason"]}


def test_nobody_but_a_platform_administrator_sees_or_changes_a_key_and_each_attempt_is_kept(scene):
    key = scene.keys.service_key()
    scene.change(key, "suspensions")
    asked = scene.change(key, "destructions")
    tokens = scene.everybody_else()
    for token in tokens:
        for path in ("/v1/keys", f"/v1/keys/{key}"):
            assert scene.edge.get(path, token).json()["code"] == "role-missing"
        for what in CHANGES:
            refused = scene.change(key, what, token)
            assert (refused.status_code, refused.json()["code"]) == (403, "role-missing")
        assert scene.confirm(asked, token).json()["code"] == "role-missing"
    missing, many = ["role-missing"], len(tokens)
    assert scene.refusals("key.read", "keys") == missing * many
    assert scene.refusals("key.read", key) == missing * many
    assert scene.refusals("key.change-ordered", key) == missing * many * 4
    assert scene.refusals("key.destruction-asked", key) == missing * many
    assert scene.refusals("key.destruction-ordered", asked.json()["id"]) == missing * many
    assert scene.shown(key)["state"] == "suspended"


def test_a_seals_key_is_left_to_its_agency_and_an_unknown_one_is_not_there(scene):
    seal = scene.desk.seal.key_id
    unknown = "key_" + "0" * 32
    for what in CHANGES:
        assert scene.change(seal, what).json()["code"] == "key-not-of-platform"
        assert (scene.change(unknown, what).status_code, scene.change("x", what).status_code) == (404, 404)
    assert scene.edge.get(f"/v1/keys/{seal}", scene.first.token).status_code == 403
    assert scene.refusals("key.change-ordered", seal) == ["key-not-of-platform"] * 4
    assert scene.refusals("key.destruction-asked", unknown) == ["key-unknown"]
    assert KeyClient(scene.house.services.signer).show(seal)["state"] == "active"


def test_a_key_is_destroyed_by_two_persons_with_the_signers_statement_as_proof(scene):
    key = scene.keys.service_key()
    active = scene.change(key, "destructions")
    assert (active.status_code, active.json()["code"]) == (409, "key-still-active")
    scene.change(key, "retirements")
    asked = scene.change(key, "destructions")
    assert asked.status_code == 201, asked.text
    assert asked.json()["confirmed_by"] is None
    alone = scene.confirm(asked, scene.first.token)
    assert (alone.status_code, alone.json()["code"]) == (403, "key-destruction-needs-second-person")
    assert scene.shown(key)["state"] == "retired"
    done = scene.confirm(asked, scene.second.token)
    assert done.status_code == 201, done.text
    order = done.json()["order"]
    assert (order["outcome"], order["statement"]["state"]) == ("done", "destroyed")
    assert done.json()["destruction"]["confirmed_by"] == scene.second.caller.account_id
    assert scene.confirm(asked, scene.second.token).json()["code"] == "key-destruction-confirmed"
    shown = scene.shown(key)
    assert shown["destroyed_at"]
    assert shown["orders"][-1] == order
    assert shown["destructions"] == [done.json()["destruction"]]
    (proof,) = scene.keys.events("key.destroyed", key)
    assert proof["event_id"] == order["event_id"]
    assert proof["content"]["statement"] == order["statement"]
    assert scene.refusals("key.destruction-ordered", asked.json()["id"]) == [
        "key-destruction-needs-second-person", "key-destruction-confirmed",
    ]  # fmt: skip


def test_a_destruction_is_confirmed_in_time_and_only_while_the_key_signs_nothing(scene):
    services, key = scene.house.services, scene.keys.service_key()
    scene.change(key, "suspensions")
    asked = scene.change(key, "destructions")
    desk = KeyDesk(
        ledger=services.ledger,
        office=services.keys,
        keys=KeyClient(services.signer),
        directory=services.identity.directory,
        clock=SetClock(services.clock.now() + DESTRUCTION_STANDS),
        ids=services.ids,
    )
    with pytest.raises(DestructionLapsed):
        desk.confirm_destruction(scene.second.caller, DestructionId(asked.json()["id"]))
    scene.change(key, "resumptions")
    assert scene.confirm(asked, scene.second.token).json()["code"] == "key-still-active"
    assert scene.keys.stamp(key)


def test_where_the_signer_is_away_the_order_stands_and_the_worker_has_it_carried_out(scene, monkeypatch):
    key = scene.keys.service_key()
    carry_out = KeyClient.carry_out

    def away(*_):
        raise SignerAway("the signer is away")

    monkeypatch.setattr(KeyClient, "carry_out", away)
    ordered = scene.change(key, "suspensions")
    assert (ordered.status_code, ordered.json()["outcome"]) == (201, "open")
    monkeypatch.setattr(KeyClient, "carry_out", carry_out)
    scene.house.services.keys.resume()
    assert scene.shown(key)["orders"][-1]["outcome"] == "done"
    assert scene.shown(key)["state"] == "suspended"


def test_of_two_who_confirm_at_once_one_gives_the_order(scene):
    key = scene.keys.service_key()
    scene.change(key, "suspensions")
    asked = DestructionId(scene.change(key, "destructions").json()["id"])
    third = scene.room.staff(scene.room.administrator, Role.PLATFORM_ADMINISTRATOR)
    desk = scene.house.services.key_desk

    def confirm(caller):
        try:
            desk.confirm_destruction(caller, asked)
        except DestructionConfirmed:
            return "late"
        return "first"

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(confirm, [scene.second.caller, third] * 4))
    assert sorted(told) == ["first"] + ["late"] * 7
    assert [order["act"] for order in scene.shown(key)["orders"]] == ["suspend", "destroy"]
    assert len(scene.keys.events("key.destroyed", key)) == 1
