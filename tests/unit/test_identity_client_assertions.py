"""Client assertions: the one that holds, and every way in which one does not."""

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from identity.caller import Scope
from identity.ids import AgencyId, ApplicationId
from identity.model import Application
from identity.signin.assertions import AssertionRefused, claimed_client, read_assertion
from tests.support.identity import ISSUER, NOON, Program, SetClock

NOW = int(NOON.timestamp())


def program(key: ECKey | None = None) -> Program:
    key = key or ECKey.generate_key("P-256")
    application = Application(
        id=ApplicationId("app_" + "a" * 32),
        agency_id=AgencyId("agency_" + "a" * 32),
        name="审批系统",
        public_jwk={name: str(value) for name, value in key.as_dict(private=False).items()},
        scopes=frozenset({Scope.SEAL_USE}),
        registered_at=NOON,
    )
    return Program(application=application, key=key)


def read(one: Program, assertion: str) -> str:
    return read_assertion(assertion, application=one.application, issuer=ISSUER, now=NOON).jti


def test_a_good_assertion_tells_its_id_and_who_it_is_from() -> None:
    one = program()
    assertion = one.assertion(SetClock(), jti="abc")
    assert claimed_client(assertion) == one.application.id
    assert read(one, assertion) == "abc"


def test_the_issuer_may_stand_alone_in_a_list() -> None:
    one = program()
    assert read(one, one.assertion(SetClock(), aud=[ISSUER], jti="abc")) == "abc"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "app_" + "b" * 32},
        {"sub": "app_" + "b" * 32},
        {"aud": ISSUER + "/"},
        {"aud": ISSUER + "/v1/oauth/token"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": []},
        {"aud": None},
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": NOW + 61},
        {"exp": str(NOW + 30)},
        {"exp": True},
        {"exp": 1e300},
        {"exp": None},
        {"nbf": NOW + 30},
        {"nbf": "soon"},
        {"iat": NOW + 600},
        {"jti": ""},
        {"jti": "x" * 129},
        {"jti": 7},
        {"jti": "a\u0000b"},
        {"without": "iss"},
        {"without": "sub"},
        {"without": "aud"},
        {"without": "exp"},
        {"without": "jti"},
    ],
    ids=str,
)
def test_an_assertion_with_one_claim_wrong_is_refused(change: dict[str, Any]) -> None:
    one = program()
    with pytest.raises(AssertionRefused):
        read(one, one.assertion(SetClock(), **change))


def test_an_assertion_by_another_key_is_refused() -> None:
    with pytest.raises(AssertionRefused):
        read(program(), program().assertion(SetClock()))


def test_the_header_cannot_choose_key_or_algorithm() -> None:
    one, other = program(), program()
    embedded = other.assertion(SetClock(), header={"jwk": other.key.as_dict(private=False)})
    with pytest.raises(AssertionRefused):
        read(one, embedded)
    public = json.dumps(one.key.as_dict(private=False))
    symmetric = jwt.encode({"alg": "HS256"}, {"sub": one.application.id}, OctKey.import_key(public))
    with pytest.raises(AssertionRefused):
        read(one, symmetric)
    with pytest.raises(AssertionRefused):
        read(one, one.assertion(SetClock(), header={"crit": ["b64"], "b64": False}))


def test_an_unsigned_or_broken_assertion_is_refused() -> None:
    one = program()
    head, body, signature = one.assertion(SetClock()).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    for text in (
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{head}.{body}.{changed}",
        f"{head}.{body}",
    ):
        with pytest.raises(AssertionRefused):
            read(one, text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "x" * 4097, "é.é.é", "\ud800", "W10.W10.W10", "eyJhbGciOiJFUzI1NiJ9.W10.AA"],
)
def test_what_is_no_assertion_names_no_client(text: str) -> None:
    with pytest.raises(AssertionRefused):
        claimed_client(text)


def test_a_deeply_nested_payload_is_refused() -> None:
    nested = base64.urlsafe_b64encode(b"[" * 2900).rstrip(b"=").decode()
    with pytest.raises(AssertionRefused):
        claimed_client(f"eyJhbGciOiJFUzI1NiJ9.{nested}.AA")
