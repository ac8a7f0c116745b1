"""`yinxin keys` on a house: what is listed, ordered and proven; and `yinxin ledger verify` with the journal."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from api.cli import main, starting
from tests.support.house import House
from tests.support.keys import KeyRoom
from trust.authority.model import TIMESTAMP_LABEL

Run = Callable[..., Any]


@pytest.fixture
def room(shared_house: House) -> KeyRoom:
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


@contextmanager
def running(room: KeyRoom, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(main, "load_settings", lambda: room.settings)
    monkeypatch.setattr(starting, "load_settings", lambda: room.settings)

    def command(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(main.app, [*arguments, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if result.stdout.startswith(("{", "[")) else result.stdout

    with capture_logs():
        yield command


@pytest.fixture
def run(room: KeyRoom, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    with running(room, monkeypatch) as command:
        yield command


def test_a_keys_life_by_the_command_line(run: Run, room: KeyRoom) -> None:
    key_id = str(room.service_key())
    listed = {key["key_id"]: key for key in run("keys", "list")}
    assert listed[key_id]["label"] == f"tests/{key_id}"
    assert listed[str(room.binding(TIMESTAMP_LABEL).key_id)]["label"] == TIMESTAMP_LABEL
    assert {key["state"] for key in listed.values()} == {"active"}

    run("keys", "suspend", key_id, "--reason", "检查")
    run("keys", "resume", key_id, "--reason", "检查完毕")
    limited = run(
        "keys", "limit", key_id, "--uses", "1000", "--until", "2030-01-01T00:00:00Z", "--reason", "年度"
    )
    assert limited["statement"]["max_uses"] == 1000
    destroyed = run("keys", "destroy", key_id, "--confirm", key_id, "--reason", "更换")
    shown = run("keys", "show", key_id)
    assert [(order["act"], order["outcome"]) for order in shown["orders"]] == [
        ("suspend", "done"), ("resume", "done"), ("limit", "done"), ("destroy", "done"),
    ]  # fmt: skip
    assert shown["orders"][-1]["event"] == destroyed["event"]
    assert shown["orders"][-1]["statement"] == destroyed["statement"]
    (event,) = [e for e in room.house.room.events("key.destruction-ordered") if e["subject"] == key_id]
    assert event["actor_kind"] == "operator"
    assert event["content"]["reason"] == "更换"


def test_what_was_not_confirmed_is_not_destroyed(run: Run, room: KeyRoom) -> None:
    key_id = str(room.binding(TIMESTAMP_LABEL).key_id)
    run("keys", "destroy", key_id, "--confirm", "yes", "--reason", "r", code=2)
    assert room.keys.show(key_id)["state"] == "active"


def test_keys_are_wrapped_anew_by_one_command_that_may_be_given_again(
    own_room: KeyRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = own_room
    fresh = tmp_path / "fresh"
    fresh.write_bytes(os.urandom(32))
    fresh.chmod(0o600)
    room.replace_key_encryption_key(fresh)
    with running(room, monkeypatch) as run:
        first, again = run("keys", "rewrap"), run("keys", "rewrap")
    assert first["done"] > 0
    assert first["refused"] == []
    assert room.keys.stores()["wrapped_under"] == {first["under"]: first["done"]}
    assert (again["done"], again["event"]) == (0, None)
    (event,) = room.house.room.events("key.rewrapped")
    assert event["content"] == {"under": first["under"], "done": first["done"], "refused": 0}


def test_the_ledger_is_verified_with_the_signers_journal_as_a_part(run: Run, room: KeyRoom) -> None:
    room.house.services.sequencer.catch_up()
    report = run("ledger", "verify")
    (journal,) = report["parts"]
    assert (journal["kind"], journal["indication"]) == ("signer-journal", "valid")
    assert {check["code"] for check in journal["checks"]} >= {"journal-chain", "journal-counter"}
    key = room.sealing_key()
    (forged,) = room.intend(key, 1)  # an intent that no act intended
    room.client.sign_cms(forged)
    told = run("ledger", "verify", code=1)["parts"][0]
    assert any(forged in check["detail"] for check in told["checks"])
