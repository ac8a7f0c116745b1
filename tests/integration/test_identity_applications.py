"""Applications and their access tokens: client credentials by client assertion, revocation at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey

from identity.caller import CallerKind, Scope
from identity.errors import (
    ApplicationExists,
    ApplicationRevoked,
    OAuthRefused,
    ScopesRefused,
    TokenRefused,
)
from identity.signin.access_tokens import TokenRequest
from tests.support.identity import IdentityRoom, Program
from trust.storage.database import Database


@pytest.fixture
def room(database: Database) -> IdentityRoom:
    return IdentityRoom.open(database)


@pytest.fixture
def program(room: IdentityRoom) -> Program:
    _, chief = room.agency()
    return room.program(chief, Scope.SEAL_USE, Scope.LICENCE_ISSUE)


def oauth_error(room: IdentityRoom, request: TokenRequest) -> str:
    with pytest.raises(OAuthRefused) as refused:
        room.desk.access_tokens.grant(request)
    return refused.value.error


def test_an_application_gets_a_token_for_all_its_scopes_or_those_asked_for(
    room: IdentityRoom, program: Program
) -> None:
    granted = room.desk.access_tokens.grant(program.request(room.clock))
    assert granted.scopes == {Scope.SEAL_USE, Scope.LICENCE_ISSUE}
    assert granted.expires_in == 600
    caller = room.desk.authentication.authenticate(granted.access_token)
    assert caller.kind is CallerKind.APPLICATION
    assert caller.agency_id == program.application.agency_id
    assert caller.person_id is None
    fewer = room.desk.access_tokens.grant(program.request(room.clock, scope="seal:use"))
    assert room.desk.authentication.authenticate(fewer.access_token).scopes == {Scope.SEAL_USE}
    assert granted.access_token not in room.everything_written()
    assert granted.access_token not in repr(granted)


def test_a_token_ends_after_ten_minutes(room: IdentityRoom, program: Program) -> None:
    granted = room.desk.access_tokens.grant(program.request(room.clock))
    room.clock.advance(seconds=599)
    room.desk.authentication.authenticate(granted.access_token)
    room.clock.advance(seconds=1)
    with pytest.raises(TokenRefused):
        room.desk.authentication.authenticate(granted.access_token)


def test_an_assertion_is_taken_once_also_when_two_race(room: IdentityRoom, program: Program) -> None:
    request = program.request(room.clock)

    def grant(_number: int) -> str:
        try:
            room.desk.access_tokens.grant(request)
        except OAuthRefused as refused:
            return refused.error
        return "granted"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(grant, range(4)))
    assert outcomes == ["granted"] + ["invalid_client"] * 3


def test_an_assertion_is_spent_even_where_its_request_is_refused(
    room: IdentityRoom, program: Program
) -> None:
    request = program.request(room.clock, scope="archive:ingest")
    assert oauth_error(room, request) == "invalid_scope"
    assert oauth_error(room, replace(request, scope=None)) == "invalid_client"


def test_a_scope_the_application_lacks_is_refused(room: IdentityRoom, program: Program) -> None:
    for scope in ("archive:ingest", "seal:use archive:ingest", "everything", "seal:use  x", "\x00"):
        assert oauth_error(room, program.request(room.clock, scope=scope)) == "invalid_scope"


REQUESTS: dict[str, tuple[Callable[[Program, Any], TokenRequest], str]] = {
    "an expired assertion": (lambda p, c: p.request(c, exp=int(c.now().timestamp())), "invalid_client"),
    "another audience": (lambda p, c: p.request(c, aud="https://other.example"), "invalid_client"),
    "too long a life": (lambda p, c: p.request(c, exp=int(c.now().timestamp()) + 61), "invalid_client"),
    "an unknown client": (
        lambda p, c: p.request(c, iss="app_" + "0" * 32, sub="app_" + "0" * 32),
        "invalid_client",
    ),
    "another client_id": (lambda p, c: replace(p.request(c), client_id="app_other"), "invalid_client"),
    "no assertion": (lambda p, c: replace(p.request(c), client_assertion=None), "invalid_client"),
    "another assertion type": (
        lambda p, c: replace(p.request(c), client_assertion_type="x"),
        "invalid_client",
    ),
    "no grant type": (lambda p, c: replace(p.request(c), grant_type=None), "invalid_request"),
    "a password grant": (lambda p, c: replace(p.request(c), grant_type="password"), "unsupported_grant_type"),
    "an empty request": (lambda p, c: TokenRequest(), "invalid_request"),
}


def test_each_bad_request_gets_its_oauth_error(room: IdentityRoom, program: Program) -> None:
    got = {what: oauth_error(room, build(program, room.clock)) for what, (build, _) in REQUESTS.items()}
    assert got == {what: error for what, (_, error) in REQUESTS.items()}


def test_a_refusal_is_kept_for_a_known_application_alone(room: IdentityRoom, program: Program) -> None:
    oauth_error(room, program.request(room.clock, aud="https://other.example"))
    oauth_error(room, program.request(room.clock, iss="app_" + "0" * 32, sub="app_" + "0" * 32))
    oauth_error(room, program.request(room.clock, scope="archive:ingest"))
    kept = room.events("token.refused")
    assert [event["subject"] for event in kept] == [program.application.id] * 2


def test_revoking_holds_at_the_applications_next_request(room: IdentityRoom) -> None:
    _, chief = room.agency()
    program = room.program(chief)
    granted = room.desk.access_tokens.grant(program.request(room.clock))
    revoked = room.desk.applications.revoke(chief, program.application.id)
    assert revoked.revoked_at == room.clock.now()
    with pytest.raises(TokenRefused):
        room.desk.authentication.authenticate(granted.access_token)
    assert oauth_error(room, program.request(room.clock)) == "invalid_client"
    with pytest.raises(ApplicationRevoked):
        room.desk.applications.revoke(chief, program.application.id)


def good_key() -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256").as_dict(private=False))


def test_one_key_stands_for_one_application_and_extra_members_are_left_out(room: IdentityRoom) -> None:
    _, chief = room.agency()
    key = good_key() | {"kid": "mine", "alg": "ES256", "use": "sig"}
    desk = room.desk.applications
    registered = desk.register(chief, name="系统", public_jwk=key, scopes=frozenset({Scope.SEAL_USE}))
    assert set(registered.public_jwk) == {"kty", "crv", "x", "y"}
    with pytest.raises(ApplicationExists):
        desk.register(chief, name="系统", public_jwk=key, scopes=frozenset({Scope.SEAL_USE}))
    with pytest.raises(ScopesRefused):
        desk.register(chief, name="系统", public_jwk=good_key(), scopes=frozenset())
