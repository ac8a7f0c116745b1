"""Idempotency keys: of two at once one has the key, and the other learns which."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from trust.storage.database import Database
from trust.storage.idempotency import (
    MAX_KEY_CHARACTERS,
    IdempotencyClaim,
    IdempotencyKeyRefused,
    IdempotencyKeyReused,
    claim_for,
    find,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CLAIM = IdempotencyClaim(caller="app_1", act="seal", key="key-1", body_digest=bytes(32))


def claimed(database: Database, subject: str, claim: IdempotencyClaim = CLAIM) -> str:
    with database.work() as work:
        return claim_for(work, claim, subject=subject, at=NOW)


def found(database: Database, claim: IdempotencyClaim = CLAIM) -> str | None:
    with database.read() as work:
        return find(work, claim)


def test_the_same_key_and_body_are_answered_by_the_first_subject(database: Database) -> None:
    assert found(database) is None
    assert claimed(database, "use_1") == "use_1"
    assert claimed(database, "use_2") == "use_1"
    assert found(database) == "use_1"


def test_another_body_under_the_same_key_is_refused(database: Database) -> None:
    claimed(database, "use_1")
    other = replace(CLAIM, body_digest=bytes([1]) * 32)
    with pytest.raises(IdempotencyKeyReused):
        claimed(database, "use_2", other)
    with pytest.raises(IdempotencyKeyReused):
        found(database, other)
    assert found(database) == "use_1"


@pytest.mark.parametrize(
    "change", [{"caller": "app_2"}, {"act": "issue"}, {"key": "key-2"}, {"key": "KEY-1"}]
)
def test_another_caller_act_or_key_is_a_claim_of_its_own(database: Database, change: dict[str, str]) -> None:
    claimed(database, "use_1")
    other = replace(CLAIM, **change)
    assert found(database, other) is None
    assert claimed(database, "use_2", other) == "use_2"


def test_a_claim_that_rolls_back_was_never_made(database: Database) -> None:
    with contextlib.suppress(ZeroDivisionError), database.work() as work:
        claim_for(work, CLAIM, subject="use_1", at=NOW)
        raise ZeroDivisionError
    assert found(database) is None
    assert claimed(database, "use_2") == "use_2"


def racing(database: Database, first_ends: Callable[[], None]) -> tuple[Future[str], BaseException | None]:
    """One transaction holds the key and has not committed; a second asks for it; then the first ends."""
    with ThreadPoolExecutor(1) as pool:
        ended: BaseException | None = None
        try:
            with database.work() as work:
                assert claim_for(work, CLAIM, subject="use_1", at=NOW) == "use_1"
                second = pool.submit(claimed, database, "use_2")
                threading.Event().wait(0.2)
                assert not second.done(), "the second waits for the first to end"
                first_ends()
        except ZeroDivisionError as error:
            ended = error
        second.exception(10)
    return second, ended


def test_the_second_of_two_at_once_waits_and_learns_the_firsts_subject(database: Database) -> None:
    second, _ = racing(database, lambda: None)
    assert second.result() == "use_1"


def test_where_the_first_of_two_rolls_back_the_second_has_the_key(database: Database) -> None:
    second, ended = racing(database, lambda: print(1 // 0))
    assert ended is not None
    assert second.result() == "use_2"
    assert found(database) == "use_2"


def test_of_many_at_once_one_has_the_key_and_all_agree(database: Database) -> None:
    ready = threading.Barrier(6)

    def run(number: int) -> str:
        ready.wait(5)
        return claimed(database, f"use_{number}")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(run, range(6)))) == 1


@pytest.mark.parametrize("key", ["", " ", "a\nb", "a\x00b", "\ud800", "k" * (MAX_KEY_CHARACTERS + 1)])
def test_a_key_that_is_no_line_is_refused(key: str) -> None:
    with pytest.raises(IdempotencyKeyRefused):
        replace(CLAIM, key=key)


def test_a_key_of_the_greatest_length_in_any_script_is_taken(database: Database) -> None:
    claim = replace(CLAIM, key="钥" * MAX_KEY_CHARACTERS)
    assert claimed(database, "use_1", claim) == "use_1"
    assert found(database, claim) == "use_1"
