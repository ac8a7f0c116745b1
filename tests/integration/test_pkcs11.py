"""Keys in a SoftHSM token through the signer's socket: a hundred callers, restarts of the token, and its PIN."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from api.key_stores import key_places
from api.signer_process import build_signer
from tests.support.house import House
from tests.support.keys import KeyRoom
from tests.support.tokens import PIN, SOFTHSM, SoftToken, softhsm_there
from trust.authority.model import TIMESTAMP_LABEL
from trust.crypto import suites
from trust.crypto.cms import ParsedCms
from trust.crypto.digests import digest_of, sha256
from trust.crypto.suites import Suite
from trust.kernel.clock import SystemClock
from trust.kernel.errors import YinxinError
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.keys.errors import (
    KeyKindNotOffered,
    KeyNotUsable,
    KeyStoreAway,
    KeyStoreRefused,
    SignerAway,
    WrappedKeyBroken,
)
from trust.keys.model import KeyAct, KeyId, KeyPurpose
from trust.keys.pkcs11_store import Pkcs11Store
from trust.keys.pkcs11_token import Pkcs11Token, TokenSession
from trust.keys.pkcs11_wrapping import TokenKeyWrap, make_token_key
from trust.keys.wrapping import KeyEncryptionKeyRefused
from trust.storage.jobs import libpq_url

pytestmark = [
    pytest.mark.skipif(not softhsm_there(), reason="SoftHSM or python-pkcs11 is not installed"),
    # python-pkcs11 says on standard error that it could not end a search on a session that is gone.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CALLERS = 100


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> SoftToken:
    return SoftToken.make(tmp_path_factory.mktemp("token") / "softhsm")


@pytest.fixture(scope="module")
def room(shared_house: House, token: SoftToken, tmp_path_factory: pytest.TempPathFactory) -> KeyRoom:
    """A house whose new keys lie in the token; its key-encryption key is at a place of its own."""
    mine = tmp_path_factory.mktemp("kek") / "key-encryption-key"
    mine.write_bytes(shared_house.signer.settings.key_encryption_key.read_bytes())
    mine.chmod(0o600)
    shared_house.signer.stop()
    shared_house.signer.settings = replace(
        shared_house.signer.settings, key_encryption_key_file=str(mine), **token.settings()
    )
    shared_house.signer.start()
    return KeyRoom(house=shared_house)


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    with capture_logs() as kept:
        yield kept


def opened(token: SoftToken, *, pin: str = PIN, sessions: int = 4) -> Pkcs11Token:
    return Pkcs11Token(module=str(SOFTHSM), label=token.label, pin=pin, sessions=sessions)


def objects_in(token: SoftToken) -> str:
    """What another program finds in the token; skips the test where OpenSC is not installed."""
    if shutil.which("pkcs11-tool") is None:
        pytest.skip("pkcs11-tool of OpenSC is not installed")
    return subprocess.run(
        ["pkcs11-tool", "--module", str(SOFTHSM), "--token-label", token.label, "--login", "--pin", PIN, "-O"],
        check=True, capture_output=True, text=True, env={**os.environ, **token.environment()},
    ).stdout  # fmt: skip


def eventually(act: Callable[[], object]) -> None:
    """Tries until the token is looked for again; ten seconds are a fault."""
    until = time.monotonic() + 10
    while True:
        try:
            act()
            return
        except (KeyStoreAway, SignerAway):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("suite", [Suite.P256_SHA256, Suite.P384_SHA384, Suite.RSA2048_SHA256, Suite.ED25519])
def test_every_kind_of_key_is_made_in_the_token_and_cannot_leave_it(token: SoftToken, suite: Suite) -> None:
    inside = opened(token)
    key_id = Ids(SystemClock(), SystemRandomness()).new(KeyId)
    made = Pkcs11Store(inside).make(suite, key_id=key_id, purpose=KeyPurpose.SEAL)
    assert (made.wrapped, made.wrapped_under) == (None, None)
    suites.verify(made.signer.spki, made.signer.sign(b"octets"), b"octets", suite)
    if suite is not Suite.ED25519:
        value = digest_of(b"octets", suites.definition(suite).cms_digest)
        suites.verify_hash(made.signer.spki, made.signer.sign_hash(value), value, suite)
    attribute, kinds = inside.library.Attribute, inside.library.ObjectClass
    kept = inside.run(
        lambda session: [
            session.object(kinds.PRIVATE_KEY, key_id.encode())[name]
            for name in (
                attribute.SENSITIVE,
                attribute.EXTRACTABLE,
                attribute.NEVER_EXTRACTABLE,
                attribute.TOKEN,
            )
        ]
    )
    assert kept == [True, False, True, True]

    def taken_out(session: TokenSession) -> str:
        private = session.object(kinds.PRIVATE_KEY, key_id.encode())
        try:
            private[attribute.PRIVATE_EXPONENT if "rsa" in suite else attribute.VALUE]
        except inside.library.PKCS11Error as refused:
            return type(refused).__name__
        return "taken out"

    assert inside.run(taken_out) == "AttributeSensitive"


def test_a_kind_that_the_token_does_not_make_is_refused_in_words(
    token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = opened(token)
    monkeypatch.setattr(
        inside, "offers", lambda *_mechanisms: False
    )  # as a token without Edwards curves answers
    with pytest.raises(KeyKindNotOffered, match="makes no ed25519 keys"):
        Pkcs11Store(inside).make(Suite.ED25519, key_id=KeyId("key_" + "1" * 32), purpose=KeyPurpose.LEDGER)


def test_a_hundred_callers_at_once_are_each_given_their_own_signature(room: KeyRoom) -> None:
    key = room.sealing_key()
    subjects = room.intend(key, CALLERS * 4)

    def ask(number: int) -> bool:
        first, second, *batch = subjects[number::CALLERS]
        answers = [
            room.client.sign_cms(first),
            room.client.sign_cms(second),
            *room.client.sign_cms_batch(batch),
        ]
        read = [ParsedCms.parse(answer).message_digest for answer in answers if isinstance(answer, bytes)]
        return read == [sha256(each.encode()) for each in (first, second, *batch)]

    with ThreadPoolExecutor(CALLERS) as pool:
        assert all(pool.map(ask, range(CALLERS)))
    assert room.keys.show(key.key_id)["uses"] == CALLERS * 4
    assert sum(row.count for row in room.journal(key.key_id)) == CALLERS * 4


def test_what_the_signer_was_doing_goes_on_when_the_token_is_back(room: KeyRoom, token: SoftToken) -> None:
    key = room.sealing_key()
    subjects = iter(room.intend(key, 200))
    assert room.client.sign_cms(next(subjects))
    token.take_away()
    refused = next(subjects)
    with pytest.raises((KeyStoreAway, SignerAway)):
        room.client.sign_cms(refused)
    assert room.stamp(room.binding(TIMESTAMP_LABEL).key_id)  # a software key needs no token
    token.bring_back()
    eventually(lambda: room.client.sign_cms(refused))
    assert room.client.sign_cms(next(subjects))
    assert room.keys.show(key.key_id)["uses"] == 3  # what failed is not counted


def test_sessions_that_die_under_the_signer_cost_no_signature_and_none_is_counted_twice(
    token: SoftToken, room: KeyRoom
) -> None:
    """The module is finalised behind the signer's back, as when a driver resets: every session and login is gone."""
    key = room.sealing_key()
    subjects = room.intend(key, 60)

    def ask(subject: str) -> int:
        return len(room.client.sign_cms(subject))

    with ThreadPoolExecutor(6) as pool:
        for first in range(0, 60, 20):
            assert all(pool.map(ask, subjects[first : first + 20]))
            opened(token)  # in the same process, and so the same module, begun anew
    assert room.keys.show(key.key_id)["uses"] == 60
    assert sum(row.count for row in room.journal(key.key_id)) == 60


def test_a_signer_that_was_killed_finds_its_keys_in_the_token_again(room: KeyRoom) -> None:
    key = room.sealing_key()
    first, second = room.intend(key, 2)
    assert room.client.sign_cms(first)
    room.house.signer.stop()
    with pytest.raises(SignerAway):
        room.client.sign_cms(second)
    room.house.signer.start()
    assert room.client.sign_cms(second)


def test_a_destroyed_key_is_gone_for_every_program_and_its_statement_says_so(
    room: KeyRoom, token: SoftToken
) -> None:
    key, kept = room.sealing_key(), room.sealing_key()
    subject = room.intend(key, 1)[0]
    assert key.key_id in objects_in(token)
    statement = room.act(KeyAct.DESTROY, key.key_id).statement
    assert (statement["store"], statement["state"]) == ("pkcs11", "destroyed")
    found = objects_in(token)
    assert key.key_id not in found
    assert kept.key_id in found
    with pytest.raises(KeyNotUsable, match="was destroyed"):
        room.client.sign_cms(subject)


def test_a_token_that_is_away_is_no_proof_that_a_key_is_gone(room: KeyRoom, token: SoftToken) -> None:
    key = room.sealing_key()
    token.take_away()
    with pytest.raises(YinxinError):
        room.act(KeyAct.DESTROY, key.key_id)
    assert (
        room.keys.show(key.key_id)["state"] == "retired"
    )  # it signs no more, and is not said to be destroyed
    assert room.events("key.destroyed", key.key_id) == []
    token.bring_back()
    eventually(room.house.services.keys.resume)
    assert room.keys.show(key.key_id)["state"] == "destroyed"
    assert key.key_id not in objects_in(token)


def test_the_tokens_own_key_wraps_software_keys_bound_to_what_they_are(token: SoftToken) -> None:
    inside = opened(token)
    with pytest.raises(KeyEncryptionKeyRefused, match="holds no AES key"):
        TokenKeyWrap(inside, label="kek-1", randomness=SystemRandomness())
    make_token_key(inside, "kek-1")
    wrap = TokenKeyWrap(inside, label="kek-1", randomness=SystemRandomness())
    key_id, private = KeyId("key_" + "2" * 32), b"PKCS #8" * 300
    wrapped = wrap.wrap(private, key_id=key_id, purpose=KeyPurpose.SEAL)
    assert wrap.unwrap(wrapped, key_id=key_id, purpose=KeyPurpose.SEAL) == private
    for broken, purpose in (
        (wrapped, KeyPurpose.LEDGER),
        (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), KeyPurpose.SEAL),
    ):
        with pytest.raises(WrappedKeyBroken):
            wrap.unwrap(broken, key_id=key_id, purpose=purpose)


def test_software_keys_are_wrapped_anew_under_the_tokens_key(room: KeyRoom, token: SoftToken) -> None:
    make_token_key(opened(token), "kek-of-the-house")
    room.house.signer.stop()
    old = room.settings.key_encryption_key
    room.house.signer.settings = replace(
        room.settings, key_encryption_key_label="kek-of-the-house", earlier_key_encryption_keys=f"file:{old}"
    )
    room.house.signer.start()
    after = ""
    while (step := room.keys.rewrap(after=after)).last != after:
        after = step.last
    assert set(room.keys.stores()["wrapped_under"]) == {"token:kek-of-the-house"}
    room.house.signer.stop()
    old.unlink()  # the file may go
    room.house.signer.settings = replace(room.settings, earlier_key_encryption_keys="")
    room.house.signer.start()
    assert room.stamp(room.binding(TIMESTAMP_LABEL).key_id)


def test_a_refused_pin_is_said_once_and_never_tried_again(token: SoftToken) -> None:
    with pytest.raises(KeyStoreRefused, match="refused the PIN") as refused:
        opened(token, pin=PIN + "x")
    assert PIN not in str(refused.value)
    inside = opened(token)
    inside._pin = PIN + "x"
    with pytest.raises(KeyStoreRefused, match="refused the PIN"):
        inside.look_again()
    inside._pin = PIN  # even the right one: whoever changed it starts the signer anew
    with pytest.raises(KeyStoreRefused, match="not tried again"):
        inside.look_again()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pkcs11_module": "/nowhere/libnone.so"}, "key-store-refused"),
        ({"pkcs11_token": "another"}, "key-store-away"),
        ({"pkcs11_token": ""}, "key-store-refused"),
        ({"pkcs11_pin_file": ""}, "key-store-refused"),
        ({"pkcs11_pin_file": "/nowhere/pin"}, "key-encryption-key-refused"),
        ({"key_store": "cloud"}, "key-store-refused"),
    ],
)
def test_a_token_that_is_not_set_up_as_it_must_be_is_refused_in_words(
    room: KeyRoom, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(YinxinError) as refused:
        key_places(replace(room.settings, **changes), SystemRandomness())  # type: ignore[arg-type]
    assert refused.value.code == code
    assert PIN not in refused.value.message


def test_without_python_pkcs11_the_extra_is_named(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(KeyStoreRefused, match="extra `pkcs11`"):
        opened(token)


def test_the_pin_is_in_no_log_no_error_and_nowhere_in_the_database(
    room: KeyRoom, token: SoftToken, logs: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Everything that may go wrong around a token is done, and then whatever was written is searched."""
    key = room.sealing_key()
    told: list[str] = []
    for attempt in (
        lambda: opened(token, pin=PIN + "-wrong"),
        lambda: build_signer(replace(room.settings, pkcs11_token="another", pkcs11_pin=PIN)),
        lambda: room.client.create_key(KeyPurpose.SEAL, Suite.P384_SHA384),
        lambda: room.act(KeyAct.DESTROY, key.key_id),
    ):
        try:
            told.append(repr(attempt()))
        except YinxinError as error:
            chain: BaseException | None = error
            while chain is not None:
                told.append(f"{chain!r} {getattr(chain, '__notes__', '')}")
                chain = chain.__cause__ or chain.__context__
    token.take_away()
    with pytest.raises(YinxinError):
        room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    token.bring_back()
    settings = replace(room.settings, pkcs11_pin=PIN)
    told.extend(
        [
            repr(settings),
            str(settings.shown()),
            str(room.keys.stores()),
            str(logs),
            "".join(capfd.readouterr()),
        ]
    )
    with psycopg.connect(libpq_url(room.settings.database_owner_url)) as connection:
        tables = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            told.extend(
                str(row[0]) for row in connection.execute(f"SELECT t::text FROM {table} AS t".encode())
            )
    assert len(told) > 100
    assert logs
    written = "\n".join(told)
    assert PIN not in written
    assert PIN.encode().hex() not in written
