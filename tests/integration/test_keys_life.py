"""A key from its making to its end: counted, limited, suspended, wrapped anew, destroyed with proof."""

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from api.signer_process import build_signer
from api.worker import chores
from tests.support.house import House
from tests.support.keys import KeyRoom
from trust.authority.key_office import OrderRefused
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.kernel.clock import SystemClock
from trust.keys.errors import KeyLimitReached, KeyNotUsable, KeyStoreRefused, SignerRefused, WrappedKeyBroken
from trust.keys.model import KeyAct, KeyPurpose, OrderId
from trust.keys.repository import WrappedKeys
from trust.keys.stamping_client import WantedToken
from trust.ledger.model import Actor
from trust.pki.profiles import TIMESTAMP_POLICY

OPERATOR = Actor(kind="operator", id="tester")


@pytest.fixture
def room(shared_house: House) -> KeyRoom:
    """Each test has keys of its own."""
    return KeyRoom(house=shared_house)


@pytest.fixture
def own_room(house: House, tmp_path: Path) -> KeyRoom:
    """With a key-encryption key of its own place: that of the ceremony is shared by every test."""
    mine = tmp_path / "key-encryption-key"
    mine.write_bytes(house.signer.settings.key_encryption_key.read_bytes())
    mine.chmod(0o600)
    house.signer.stop()
    house.signer.settings = replace(house.signer.settings, key_encryption_key_file=str(mine))
    house.signer.start()
    return KeyRoom(house=house)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


def test_every_signature_is_counted_and_journalled_and_no_refusal_is(room: KeyRoom) -> None:
    key = room.sealing_key()
    subjects = room.intend(key, 3)
    room.client.sign_cms(subjects[0])
    room.client.sign_cms_batch([*subjects[1:], "use_nobody_knows"])
    with pytest.raises(SignerRefused):
        room.client.sign_cms("use_nobody_knows")
    shown = room.keys.show(key.key_id)
    assert (shown["uses"], shown["state"]) == (3, "active")
    assert shown["last_used_at"] >= shown["created_at"]
    rows = room.journal(key.key_id)
    assert [row.subject for row in rows if row.outcome == "signed"] == subjects
    assert {bytes(row.intended) for row in rows if row.subject} == {
        sha256(each.encode()) for each in subjects
    }
    assert rows[0].outcome == "made"


def test_a_batch_of_timestamps_is_one_row_that_says_how_many(room: KeyRoom) -> None:
    key_id = room.service_key()
    before = room.keys.show(key_id)["uses"]
    wanted = [WantedToken(imprint=sha256(bytes([n])), policy=TIMESTAMP_POLICY) for n in range(7)]
    assert all(isinstance(each, bytes) for each in room.client.stamping.tokens(key_id, wanted))
    last = room.journal(key_id)[-1]
    assert (last.operation, last.count, last.subject) == ("timestamp-batch", 7, "")
    assert room.keys.show(key_id)["uses"] == before + 7


def test_a_limit_of_uses_is_never_exceeded_however_many_ask_at_once(room: KeyRoom) -> None:
    key = room.sealing_key()
    subjects = room.intend(key, 48)
    room.act(KeyAct.LIMIT, key.key_id, max_uses=20)

    def ask(number: int) -> list[bytes | Exception]:
        mine = subjects[number::8]
        answers: list[bytes | Exception] = [*room.client.sign_cms_batch(mine[:3])]
        for subject in mine[3:]:
            try:
                answers.append(room.client.sign_cms(subject))
            except KeyLimitReached as refused:
                answers.append(refused)
        return answers

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for each in pool.map(ask, range(8)) for answer in each]
    assert Counter(type(answer) for answer in answers) == {bytes: 20, KeyLimitReached: 28}
    assert room.keys.show(key.key_id)["uses"] == 20
    assert sum(row.count for row in room.journal(key.key_id)) == 20


def test_two_signers_count_one_key_together_and_each_keeps_a_chain_of_its_own(room: KeyRoom) -> None:
    key = room.sealing_key()
    subjects = room.intend(key, 30)
    with closing(build_signer(room.settings)) as second:
        sign = second.operations.by_name()["sign-cms-batch"]

        def there(part: list[str]) -> int:
            return sum("cms" in item for item in sign({"subjects": part})["items"])

        def here(part: list[str]) -> int:
            return sum(isinstance(item, bytes) for item in room.client.sign_cms_batch(part))

        with ThreadPoolExecutor(2) as pool:
            made = [
                *pool.map(lambda n: (there if n % 2 else here)(subjects[n::6]), range(6)),
            ]
    assert sum(made) == 30
    assert room.keys.show(key.key_id)["uses"] == 30
    assert len({row.chain for row in room.journal(key.key_id)}) == 2


def test_a_reached_limit_is_told_in_the_ledger_once(room: KeyRoom) -> None:
    key = room.sealing_key()
    subjects = room.intend(key, 3)
    room.act(KeyAct.LIMIT, key.key_id, max_uses=1)
    room.client.sign_cms(subjects[0])
    # The intents are looked at first, and refuse what a limit forbids; the journal refuses whoever was quicker.
    assert [type(item) for item in room.client.sign_cms_batch(subjects[1:])] == [KeyLimitReached] * 2
    service = room.service_key()
    room.act(KeyAct.LIMIT, service, max_uses=room.keys.show(service)["uses"])
    for _ in range(2):
        with pytest.raises(KeyLimitReached):
            room.stamp(service)
    told = room.house.services.keys.tell_limits()
    assert told >= 1
    assert room.house.services.keys.tell_limits() == 0
    assert len(room.events("key.limit-reached", service)) == 1


def test_a_limit_of_days_ends_a_keys_use(room: KeyRoom) -> None:
    service = room.service_key()
    room.act(KeyAct.LIMIT, service, usable_until=SystemClock().now() - timedelta(seconds=1))
    with pytest.raises(KeyLimitReached, match="usable until"):
        room.stamp(service)
    room.act(KeyAct.LIMIT, service)
    assert room.stamp(service)


@pytest.mark.parametrize(
    ("acts", "says"),
    [
        ((KeyAct.SUSPEND,), "is suspended"),
        ((KeyAct.RETIRE,), "is retired"),
        ((KeyAct.DESTROY,), "was destroyed"),
        ((KeyAct.SUSPEND, KeyAct.DESTROY), "was destroyed"),
    ],
)
def test_a_key_that_is_not_active_signs_nothing_whatever_asks(
    room: KeyRoom, acts: tuple[KeyAct, ...], says: str
) -> None:
    key, service = room.sealing_key(), room.service_key()
    first, second = room.intend(key, 2)
    room.client.sign_cms(first)
    room.stamp(service)  # both are in the signer's memory now
    for act in acts:
        room.act(act, key.key_id)
        room.act(act, service)
    uses = room.keys.show(key.key_id)["uses"]
    with pytest.raises(KeyNotUsable, match=says):
        room.client.sign_cms(second)
    (refused,) = room.client.sign_cms_batch([second])
    assert isinstance(refused, KeyNotUsable)
    with pytest.raises(KeyNotUsable, match=says):
        room.stamp(service)
    assert room.keys.show(key.key_id)["uses"] == uses


def test_a_suspended_key_signs_again_when_it_is_resumed_and_a_retired_one_never(room: KeyRoom) -> None:
    service = room.service_key()
    room.act(KeyAct.SUSPEND, service)
    room.act(KeyAct.RESUME, service)
    assert room.stamp(service)
    room.act(KeyAct.RETIRE, service)
    with pytest.raises(OrderRefused, match="retired cannot become active"):
        room.act(KeyAct.RESUME, service)
    refused = [e for e in room.events("key.changed", service) if e["outcome"] == "refused"]
    assert [event["reason"] for event in refused] == ["state-refused"]


def test_the_signer_destroys_and_changes_nothing_without_a_committed_order(room: KeyRoom) -> None:
    key = room.sealing_key()
    with pytest.raises(SignerRefused, match="no committed order"):
        room.keys.carry_out(OrderId("order_" + "0" * 32))
    office = room.house.services.keys
    with contextlib.suppress(ZeroDivisionError), room.house.services.ledger.work() as work:
        order = office.order(work, KeyAct.DESTROY, key.key_id, actor=OPERATOR, reason="r")
        with pytest.raises(SignerRefused, match="no committed order"):
            room.keys.carry_out(order)
        raise ZeroDivisionError  # whoever decides ends before it commits
    with pytest.raises(SignerRefused, match="no committed order"):
        room.keys.carry_out(order)
    assert room.keys.show(key.key_id)["state"] == "active"


def test_destroying_is_proven_by_a_statement_that_names_its_row_of_the_journal(room: KeyRoom) -> None:
    key = room.sealing_key()
    room.client.sign_cms(room.intend(key, 1)[0])
    done = room.act(KeyAct.DESTROY, key.key_id)
    statement = done.statement
    assert statement["public_key_sha256"] == sha256(key.spki).hex()
    assert (statement["uses"], statement["state"]) == (1, "destroyed")
    (row,) = [row for row in room.journal(key.key_id) if row.outcome == "destroyed"]
    assert statement["journal"] == {"chain": row.chain, "number": row.number, "hash": bytes(row.hash).hex()}
    (event,) = room.events("key.destroyed", key.key_id)
    assert event["event_id"] == done.event_id
    assert event["content"]["statement"] == statement
    assert room.keys.carry_out(done.order_id) == statement  # asked again, it says the same
    assert len([r for r in room.journal(key.key_id) if r.outcome == "destroyed"]) == 1
    with room.signer_database() as database, database.read() as work:
        found = WrappedKeys(work).find(key.key_id)
    assert found is not None
    assert found.wrapped is None


def test_a_crash_after_the_order_leaves_it_to_the_worker(room: KeyRoom) -> None:
    key = room.sealing_key()
    with room.house.services.ledger.work() as work:
        room.house.services.keys.order(work, KeyAct.DESTROY, key.key_id, actor=OPERATOR, reason="r")
    (chore,) = [chore for chore in chores(room.house.services) if chore.name == "keys.carry-out"]
    chore.act()
    assert room.keys.show(key.key_id)["state"] == "destroyed"
    assert len(room.events("key.destroyed", key.key_id)) == 1


def test_a_crash_after_the_destruction_and_before_its_event_is_told_once(room: KeyRoom) -> None:
    key = room.sealing_key()
    with room.house.services.ledger.work() as work:
        order = room.house.services.keys.order(work, KeyAct.DESTROY, key.key_id, actor=OPERATOR, reason="r")
    statement = room.keys.carry_out(order)  # and then nobody recorded it
    assert room.events("key.destroyed", key.key_id) == []
    room.house.signer.stop()
    room.house.signer.start()
    assert room.house.services.keys.resume() == 1
    (event,) = room.events("key.destroyed", key.key_id)
    assert event["content"]["statement"] == statement


def test_keys_are_wrapped_anew_while_the_signer_signs_and_no_call_fails(
    own_room: KeyRoom, tmp_path: Path
) -> None:
    room = own_room
    key = room.sealing_key()
    old = room.settings.key_encryption_key.read_bytes()
    before = room.keys.stores()
    subjects = iter(room.intend(key, 4000))
    faults: list[BaseException] = []
    signed = 0
    stop = threading.Event()

    def sign() -> None:
        nonlocal signed
        while not stop.is_set():
            try:
                room.client.sign_cms(next(subjects))
                room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
                signed += 1
            except BaseException as fault:
                faults.append(fault)
                return

    thread = threading.Thread(target=sign)
    thread.start()
    try:
        # The new key takes the place of the old one; the signer, which knows the old one, learns it when it is told.
        fresh = tmp_path / "fresh"
        fresh.write_bytes(os.urandom(32))
        fresh.chmod(0o600)
        room.replace_key_encryption_key(fresh)
        under = room.keys.learn()
        after, done = "", 0
        while (step := room.keys.rewrap(after=after)).last != after:
            after, done = step.last, done + step.done
        at_rewrapping = signed
        while signed < at_rewrapping + 3 and not faults:
            threading.Event().wait(0.01)
    finally:
        stop.set()
        thread.join()
    assert faults == []
    assert done >= before["wrapped_under"].get(before["key_encryption_keys"][0], 0)
    after_all = room.keys.stores()
    assert after_all["key_encryption_keys"][0] == under
    assert set(after_all["wrapped_under"]) == {under}

    # The earlier key opens nothing any more, and the signer without it opens everything.
    room.house.signer.stop()
    room.house.signer.start()
    assert room.keys.stores()["key_encryption_keys"] == [under]
    assert room.client.sign_cms(next(subjects))
    stale = replace(room.settings, key_encryption_key_value=old.hex())
    with closing(build_signer(stale)) as earlier, pytest.raises(WrappedKeyBroken, match="not here"):
        earlier.operations.by_name()["sign-cms"]({"subject": next(subjects)})


def test_wrapping_anew_goes_on_where_it_was_stopped_and_names_what_it_cannot_open(
    own_room: KeyRoom, tmp_path: Path
) -> None:
    room = own_room
    keys = [room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256) for _ in range(4)]
    room.as_owner("UPDATE trust.keys SET wrapped = 'broken' WHERE key_id = %s", keys[1].key_id)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(os.urandom(32))
    fresh.chmod(0o600)
    room.replace_key_encryption_key(fresh)
    under = room.keys.learn()
    asked = {"do": "rewrap", "after": "", "limit": 2}
    first = room.client.ask(asked)
    assert first["done"] == 2
    room.house.signer.stop()  # with both keys set up, as a signer is that was stopped meanwhile
    room.house.signer.settings = replace(
        room.settings, earlier_key_encryption_keys=f"file:{room.earlier_key_file}"
    )
    room.house.signer.start()
    done, refused, after = 0, list[str](), ""
    while (step := room.keys.rewrap(after=after)).last != after:
        after, done, refused = step.last, done + step.done, [*refused, *step.refused]
    assert refused == [keys[1].key_id]
    assert step.left == 1
    assert room.keys.stores()["wrapped_under"][under] >= done


def test_a_key_wrapped_before_key_encryption_keys_had_names_opens_and_gets_one(own_room: KeyRoom) -> None:
    room = own_room
    key = room.sealing_key()
    room.as_owner("UPDATE trust.keys SET wrapped_under = NULL", None)
    room.house.signer.stop()
    room.house.signer.start()
    assert room.client.sign_cms(room.intend(key, 1)[0])
    assert set(room.keys.stores()["wrapped_under"]) == {""}
    after = ""
    while (step := room.keys.rewrap(after=after)).last != after:
        after = step.last
    assert set(room.keys.stores()["wrapped_under"]) == {room.keys.stores()["key_encryption_keys"][0]}


def test_an_order_journalled_beside_a_refused_use_is_told_as_what_it_came_to(room: KeyRoom) -> None:
    limited, doomed = room.sealing_key(), room.sealing_key()
    subjects = room.intend(limited, 2)
    room.act(KeyAct.LIMIT, limited.key_id, max_uses=1)
    room.client.sign_cms(subjects[0])
    with room.house.services.ledger.work() as work:
        order = room.house.services.keys.order(
            work, KeyAct.DESTROY, doomed.key_id, actor=OPERATOR, reason="r"
        )
    with closing(build_signer(room.settings)) as signer, ThreadPoolExecutor(2) as pool:
        journal, operations = signer.journal, signer.operations.by_name()
        wrapped = signer.keyring.open(limited.key_id, KeyPurpose.SEAL).signer

        def use() -> None:
            with journal.call("sign-cms"):
                wrapped.sign(b"once too often")

        with journal._writing:  # both wait, so both are written together
            destroying = pool.submit(operations["carry-out"], {"order": order})
            _until(lambda: len(journal._queue) == 1)
            refused = pool.submit(use)
            _until(lambda: len(journal._queue) == 2)
        with pytest.raises(KeyLimitReached):
            refused.result()
        assert destroying.result()["statement"]["state"] == "destroyed"
    assert len([row for row in room.journal(doomed.key_id) if row.outcome == "destroyed"]) == 1


def _until(there: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if there():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come")


def test_an_order_that_cannot_be_carried_out_now_keeps_no_other_from_it(room: KeyRoom) -> None:
    stuck, doomed = room.sealing_key(), room.sealing_key()
    office = room.house.services.keys
    with room.house.services.ledger.work() as work:
        for key in (stuck, doomed):
            office.order(work, KeyAct.DESTROY, key.key_id, actor=OPERATOR, reason="r")
    # Its store is not set up any more, as where a token was taken away.
    statement = "UPDATE trust.keys SET store = {}, wrapped = {} WHERE key_id = %s"
    with room.signer_database() as database, database.read() as work:
        found = WrappedKeys(work).find(stuck.key_id)
    assert found is not None
    room.as_owner(statement.format("'pkcs11'", "NULL"), stuck.key_id)
    with pytest.raises(KeyStoreRefused):
        office.resume()
    assert room.keys.show(doomed.key_id)["state"] == "destroyed"
    room.as_owner(statement.format("'software'", f"'\\x{(found.wrapped or b'').hex()}'"), stuck.key_id)
    assert office.resume() == 1
    assert room.keys.show(stuck.key_id)["state"] == "destroyed"
