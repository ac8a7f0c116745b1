"""Sessions and their limits: sign-in, sign-out, expiry, throttling that locks nobody out."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import repeat

import pytest
from sqlalchemy import select

from identity.caller import Role
from identity.errors import CitizenExists, SignInRefused, TokenRefused
from identity.ids import OrganisationId, StaffId
from identity.signin.sessions import SignedIn
from identity.tables import credentials
from tests.support.identity import PASSWORD, IdentityRoom, resident_number
from trust.kernel.errors import NotFound, Throttled
from trust.storage.database import Database

HOME, AWAY = "192.0.2.10", "198.51.100.7"


@pytest.fixture
def room(database: Database) -> IdentityRoom:
    return IdentityRoom.open(database)


def attempt(room: IdentityRoom, username: str, password: str, address: str = AWAY) -> SignedIn:
    return room.desk.sessions.sign_in(username=username, password=password, address=address)


def test_a_session_authenticates_until_it_is_closed(room: IdentityRoom) -> None:
    citizen = room.citizen(username="wang")
    signed_in = attempt(room, "wang", PASSWORD)
    assert room.desk.authentication.authenticate(signed_in.token) == citizen
    room.desk.sessions.sign_out(citizen, signed_in.token)
    with pytest.raises(TokenRefused):
        room.desk.authentication.authenticate(signed_in.token)
    with pytest.raises(NotFound):
        room.desk.sessions.sign_out(citizen, signed_in.token)
    assert len(room.events("session.closed")) == 1


def test_nobody_closes_anothers_session(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    signed_in = attempt(room, "wang", PASSWORD)
    with pytest.raises(NotFound):
        room.desk.sessions.sign_out(room.citizen(), signed_in.token)
    room.desk.authentication.authenticate(signed_in.token)


def test_a_session_ends_when_idle_and_in_any_case_after_twelve_hours(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    idle, busy = attempt(room, "wang", PASSWORD), attempt(room, "wang", PASSWORD)
    for _ in range(2):
        room.clock.advance(minutes=20)
        room.desk.authentication.authenticate(busy.token)
    with pytest.raises(TokenRefused):
        room.desk.authentication.authenticate(idle.token)
    while room.clock.now() + timedelta(minutes=20) < busy.expires_at:
        room.clock.advance(minutes=20)
        room.desk.authentication.authenticate(busy.token)
    room.clock.moment = busy.expires_at
    with pytest.raises(TokenRefused):
        room.desk.authentication.authenticate(busy.token)


def test_no_other_text_authenticates(room: IdentityRoom) -> None:
    for token in ["", "yxs_", "yxa_x", "yxs_" + "a" * 43, "x" * 5000, "yxs_\x00", "yxs_\ud800"]:
        with pytest.raises(TokenRefused):
            room.desk.authentication.authenticate(token)


def test_wrong_password_and_unknown_user_are_refused_alike(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    messages = set()
    for username, password in (
        ("wang", "wrong wrong wrong"),
        ("nobody", PASSWORD),
        ("\x00", PASSWORD),
        ("\ud800", ""),
    ):
        with pytest.raises(SignInRefused) as refused:
            attempt(room, username, password)
        messages.add((refused.value.code, refused.value.message))
    assert len(messages) == 1


def test_a_refused_sign_in_is_kept_without_the_user_name(room: IdentityRoom) -> None:
    citizen = room.citizen(username="wang.unusual")
    for username in ("wang.unusual", "nobody.unusual"):
        with pytest.raises(SignInRefused):
            attempt(room, username, "wrong wrong wrong")
    kept = room.events("session.refused")
    assert [event["subject"] for event in kept] == [citizen.account_id, "unknown-account"]
    assert {event["outcome"] for event in kept} == {"refused"}
    assert "unusual" not in str(kept)


def test_a_deactivated_member_of_staff_cannot_sign_in_and_open_sessions_end(room: IdentityRoom) -> None:
    _, chief = room.agency()
    officer = room.staff(chief, Role.SEAL_OFFICER)
    with room.ledger.work() as work:
        name = work.execute(
            select(credentials.c.username).where(credentials.c.account_id == officer.account_id)
        ).scalar_one()
    session = room.sign_in(name)
    room.desk.staff.deactivate(chief, StaffId(officer.account_id))
    with pytest.raises(TokenRefused):
        room.desk.authentication.authenticate(session.token)
    with pytest.raises(SignInRefused):
        room.sign_in(name)


def test_a_person_signs_in_for_an_organisation_only_as_its_agent(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    with pytest.raises(NotFound):
        room.sign_in("wang", organisation_id=OrganisationId("org_" + "0" * 32))


def wrong_until_throttled(
    room: IdentityRoom, usernames: Iterable[str], addresses: Iterable[str] = repeat(AWAY)
) -> int:
    """How many wrong passwords were looked at before the gate closed."""
    for looked_at, (username, address) in enumerate(zip(usernames, addresses, strict=False)):
        try:
            attempt(room, username, "wrong wrong wrong", address)
        except SignInRefused:
            continue
        except Throttled:
            return looked_at
    raise AssertionError("the gate never closed")


def test_known_and_unknown_accounts_are_throttled_alike(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    assert wrong_until_throttled(room, repeat("wang")) == 11
    assert wrong_until_throttled(room, repeat("nobody")) == 11


def test_guesses_at_one_account_from_many_addresses_are_throttled(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    assert wrong_until_throttled(room, repeat("wang"), (f"198.51.100.{n}" for n in range(99))) == 11


def test_the_addresses_of_one_ipv6_network_count_as_one(room: IdentityRoom) -> None:
    addresses = (f"2001:db8::{number:x}" for number in range(99))
    assert wrong_until_throttled(room, (f"nobody{number}" for number in range(99)), addresses) == 51


def test_right_and_wrong_attempts_at_once_never_fault(room: IdentityRoom) -> None:
    room.citizen(username="wang")

    def one(number: int) -> None:
        with suppress(SignInRefused, Throttled):
            attempt(room, "wang", PASSWORD if number % 2 else "wrong wrong wrong")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(48)))


def test_guesses_at_many_accounts_from_one_address_are_throttled(room: IdentityRoom) -> None:
    assert wrong_until_throttled(room, (f"nobody{number}" for number in range(99))) == 51


def test_throttling_never_locks_the_holder_out(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    attempt(room, "wang", PASSWORD, HOME)
    wrong_until_throttled(room, repeat("wang"))
    attempt(room, "wang", PASSWORD, HOME)  # from where the holder was before: not held up by others
    with pytest.raises(Throttled) as throttled:
        attempt(room, "wang", PASSWORD, AWAY)
    assert 1 <= throttled.value.retry_after <= 60
    room.clock.advance(seconds=60)
    attempt(room, "wang", PASSWORD, AWAY)  # and from anywhere after a minute at most


def test_the_delay_is_capped_however_many_attempts_there_were(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    for _ in range(40):
        with pytest.raises(SignInRefused):
            attempt(room, "wang", "wrong wrong wrong")
        room.clock.advance(seconds=60)
    attempt(room, "wang", PASSWORD)


def test_a_right_password_is_not_counted_against_the_address(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    for _ in range(55):
        attempt(room, "wang", PASSWORD, HOME)


def test_a_burst_of_guesses_in_parallel_is_counted_whole(room: IdentityRoom) -> None:
    room.citizen(username="wang")

    def guess(_number: int) -> type[Exception]:
        try:
            attempt(room, "wang", "wrong wrong wrong")
        except (SignInRefused, Throttled) as error:
            return type(error)
        raise AssertionError("a wrong password was taken")

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(guess, range(32)))
    assert outcomes.count(SignInRefused) == 11


def test_registering_is_throttled_by_address_when_it_meets_those_registered(room: IdentityRoom) -> None:
    number = resident_number(800)
    room.citizen(number=number)
    for _ in range(51):
        with pytest.raises(CitizenExists):
            room.citizen(number=number)
    with pytest.raises(Throttled):
        room.citizen(number=number)


def test_what_has_expired_is_forgotten(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    attempt(room, "wang", PASSWORD)
    with pytest.raises(SignInRefused):
        attempt(room, "nobody", PASSWORD)
    assert room.desk.sessions.forget_expired() == 0
    room.clock.advance(hours=13)
    assert room.desk.sessions.forget_expired() >= 3
    assert room.desk.sessions.forget_expired() == 0


def test_no_password_or_token_is_in_the_database_or_a_representation(room: IdentityRoom) -> None:
    room.citizen(username="wang")
    signed_in = attempt(room, "wang", PASSWORD)
    written = room.everything_written()
    for secret in (PASSWORD, signed_in.token, signed_in.csrf_token):
        assert secret not in written
        assert secret not in repr(signed_in)
