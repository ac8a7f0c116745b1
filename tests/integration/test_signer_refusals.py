"""The signer asked for what it must refuse, over its real socket; and what bad frames do to it."""

import contextlib
import itertools
import json
import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from psycopg import sql
from sqlalchemy import update
from structlog.testing import LogCapture

from api.signer_process import build_signer
from tests.conftest import CeremonyTemplate
from tests.support.house import House, opened_house
from tests.support.tokens import SoftToken, softhsm_there
from trust.authority.issuance import new_key_binding
from trust.authority.model import AUTHORITY_LABEL, LEDGER_LABEL, TIMESTAMP_LABEL, Authority, IssuedCertificate
from trust.crypto import suites
from trust.crypto.cms import ParsedCms
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import SystemClock
from trust.keys import wire
from trust.keys.certificates import CertificatePayload
from trust.keys.client import SignerClient
from trust.keys.errors import (
    KeyLimitReached,
    KeyNotUsable,
    SignerAway,
    SignerRefused,
    SigningLeaseOver,
    WrappedKeyBroken,
)
from trust.keys.key_client import KeyClient
from trust.keys.model import Intent, IntentKind, KeyAct, KeyBinding, KeyId, KeyInfo, KeyPurpose
from trust.keys.operations import Operations
from trust.keys.repository import Intents, KeyBindings, WrappedKeys
from trust.keys.server import MAX_BATCH, SignerServer
from trust.keys.stamping_client import WantedToken
from trust.keys.tables import keys
from trust.keys.wrapping import read_key_encryption_key
from trust.ledger.model import Actor
from trust.pki.profiles import TIMESTAMP_POLICY, ProfileName
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls
from trust.storage.jobs import libpq_url
from trust.timestamp.tokens import parse_token

DIGEST = sha256(b"the prepared document")
_used = itertools.count(1)
TESTER = Actor(kind="test", id="test")
SUBJECT = {"C": "CN", "O": "江城市自然资源和规划局", "CN": "规划局公章"}


@dataclass(kw_only=True)
class Room:
    """The signer's client, and everything a domain may commit before it asks."""

    house: House

    @property
    def client(self) -> SignerClient:
        return self.house.services.signer

    @property
    def database(self) -> Database:
        return self.house.services.database

    def binding(self, label: str) -> KeyBinding:
        with self.database.read() as work:
            return KeyBindings(work).require(label)

    def sealing_key(self, label: str) -> tuple[KeyInfo, IssuedCertificate]:
        """A seal's key with a certificate of its own."""
        key = self.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
        return key, self.certify(key, label)

    def certify(self, key: KeyInfo, label: str) -> IssuedCertificate:
        return self.house.services.certificates.issue(
            authority=Authority.SEALS,
            profile=ProfileName.SEAL,
            subject=SUBJECT,
            spki=key.spki,
            owner=label,
            agency=None,
            actor=TESTER,
            bind=new_key_binding(key, label=f"seal/{label}"),
        )

    def intend(
        self,
        subject: str,
        key_id: KeyId,
        *,
        kind: IntentKind = IntentKind.SEAL_USE,
        digest: bytes = DIGEST,
        lease: float = 30,
    ) -> None:
        now = SystemClock().now()
        intent = Intent(
            subject=subject, key_id=key_id, kind=kind, digest=digest,
            lease_until=now + timedelta(seconds=lease),
        )  # fmt: skip
        with self.database.work() as work:
            Intents(work).record(intent, at=now)

    def bind(self, key: KeyInfo, *, label: str, spki: bytes, certificate: bytes) -> None:
        made = KeyBinding(
            key_id=key.key_id, label=label, purpose=key.purpose, suite=key.suite, spki=spki,
            certificate=certificate, chain=(),
        )  # fmt: skip
        with self.database.work() as work:
            KeyBindings(work).bind(made, at=SystemClock().now())

    def certificate_intent(self, name: str) -> tuple[str, dict[str, Any]]:
        """An intent to issue a seal certificate for somebody's key, and its payload."""
        now = SystemClock().now().replace(microsecond=0)
        payload = CertificatePayload(
            profile=ProfileName.SEAL,
            subject=SUBJECT,
            spki=self.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256).spki,
            serial=(1 << 100) + 7,
            not_before=now,
            not_after=now + timedelta(days=30),
            crl_url="http://127.0.0.1:8460/crl/seals.crl",
            ca_url="http://127.0.0.1:8460/ca/seals.cer",
        )
        authority = self.binding(f"{AUTHORITY_LABEL}{Authority.SEALS}")
        self.intend(name, authority.key_id, kind=IntentKind.CERTIFICATE, digest=payload.digest())
        return name, payload.to_json()


@contextmanager
def opened_room(
    postgres_server: DatabaseUrls,
    ceremony_template: CeremonyTemplate,
    folder: Path,
    **settings: Any,
) -> Iterator[Room]:
    """One house for all of these: whatever is refused leaves nothing behind, and each test has its own keys."""
    name = f"refusals_{os.getpid()}_{next(_used)}"
    template = sql.Identifier(ceremony_template.database)
    superuser = libpq_url(postgres_server.named("postgres").superuser)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER yinxin_owner").format(
                sql.Identifier(name), template
            )
        )
    urls = postgres_server.named(name)
    with opened_house(folder, urls, ceremony_template.config) as opened:
        if settings:
            opened.signer.stop()
            opened.signer.settings = replace(opened.signer.settings, **settings)
            opened.signer.start()
        yield Room(house=opened)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def software_room(
    postgres_server: DatabaseUrls,
    ceremony_template: CeremonyTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Room]:
    """Keys in the database, wrapped."""
    with opened_room(postgres_server, ceremony_template, tmp_path_factory.mktemp("refusals")) as opened:
        yield opened


@pytest.fixture(scope="module")
def token_room(
    postgres_server: DatabaseUrls,
    ceremony_template: CeremonyTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Room]:
    """New keys in a token; those of the ceremony stay in the database."""
    if not softhsm_there():
        pytest.skip("SoftHSM or python-pkcs11 is not installed")
    folder = tmp_path_factory.mktemp("token")
    token = SoftToken.make(folder / "softhsm")
    with opened_room(postgres_server, ceremony_template, folder, **token.settings()) as opened:
        yield opened


@pytest.fixture(params=["software", "token"])
def room(request: pytest.FixtureRequest) -> Room:
    """Each refusal is the same wherever the key lies."""
    found: Room = request.getfixturevalue(f"{request.param}_room")
    return found


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Refusals are logged by design; drawing their tracebacks in colour takes seconds."""
    structlog.configure(processors=[LogCapture()])
    yield
    structlog.reset_defaults()


def use() -> str:
    """The name of a seal use that no other test has."""
    return f"use_{next(_used)}"


def test_an_intended_digest_is_signed_under_the_seals_own_certificate(room: Room) -> None:
    use_1 = use()
    key, issued = room.sealing_key("seal_1")
    room.intend(use_1, key.key_id)
    cms = ParsedCms.parse(room.client.sign_cms(use_1))
    assert cms.message_digest == DIGEST
    assert cms.signer_certificate == issued.certificate


def test_without_a_committed_intent_nothing_is_signed(room: Room) -> None:
    use_1 = use()
    key, _issued = room.sealing_key("seal_1")
    with pytest.raises(SignerRefused, match="no committed intent"):
        room.client.sign_cms(use_1)

    now = SystemClock().now()
    intent = Intent(
        subject=use_1,
        key_id=key.key_id,
        kind=IntentKind.SEAL_USE,
        digest=DIGEST,
        lease_until=now + timedelta(seconds=30),
    )
    with contextlib.suppress(ZeroDivisionError), room.database.work() as work:
        Intents(work).record(intent, at=now)
        with pytest.raises(SignerRefused, match="no committed intent"):
            room.client.sign_cms(use_1)
        raise ZeroDivisionError  # the act ends before it commits
    with pytest.raises(SignerRefused, match="no committed intent"):
        room.client.sign_cms(use_1)


def test_an_intent_of_another_kind_is_no_leave(room: Room) -> None:
    lic_1 = use()
    key, _issued = room.sealing_key("seal_1")
    payload = {"vct": "urn:x"}
    room.intend(lic_1, key.key_id, kind=IntentKind.CREDENTIAL, digest=sha256(canonical_json(payload)))
    with pytest.raises(SignerRefused, match="for a credential, not for a seal-use or a seal-digest"):
        room.client.sign_cms(lic_1)
    with pytest.raises(SignerRefused, match="not for a certificate"):
        room.client.issue_certificate(lic_1, payload)


def test_what_is_concluded_is_not_signed_again(room: Room) -> None:
    use_1 = use()
    key, _issued = room.sealing_key("seal_1")
    room.intend(use_1, key.key_id)
    with room.database.work() as work:
        assert Intents(work).conclude(use_1, "abandoned", at=SystemClock().now())
    with pytest.raises(SignerRefused, match="already concluded: abandoned"):
        room.client.sign_cms(use_1)
    room.intend(use_1, key.key_id)  # nor does a further intent open it again
    with pytest.raises(SignerRefused, match="already concluded"):
        room.client.sign_cms(use_1)


def test_past_its_lease_an_intent_is_no_leave(room: Room) -> None:
    use_1 = use()
    key, _issued = room.sealing_key("seal_1")
    room.intend(use_1, key.key_id, lease=-0.001)
    with pytest.raises(SignerRefused, match="has run out"):
        room.client.sign_cms(use_1)


def test_the_newest_intent_of_a_subject_is_the_one_that_counts(room: Room) -> None:
    use_1 = use()
    key, _issued = room.sealing_key("seal_1")
    room.intend(use_1, key.key_id)
    room.intend(use_1, key.key_id, digest=sha256(b"prepared again"))
    assert ParsedCms.parse(room.client.sign_cms(use_1)).message_digest == sha256(b"prepared again")
    room.intend(use_1, key.key_id, lease=-1)
    with pytest.raises(SignerRefused):
        room.client.sign_cms(use_1)


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload["subject"].update(CN="规划局公草"),
        lambda payload: payload.update(serial=str(int(payload["serial"]) + 1)),
        lambda payload: payload.update(profile="issuing-authority"),
        lambda payload: payload.update(profile="root"),
        lambda payload: payload.update(not_after=payload["not_after"].replace("2", "3", 1)),
        lambda payload: payload.update(crl_url=None),
        lambda payload: payload.update(further="x"),
        lambda payload: payload.pop("ca_url"),
    ],
)
def test_a_payload_changed_by_a_character_is_not_signed(
    room: Room, change: Callable[[dict[str, Any]], object]
) -> None:
    cert_1 = use()
    subject, payload = room.certificate_intent(cert_1)
    changed = json.loads(json.dumps(payload))
    change(changed)
    with pytest.raises(SignerRefused, match="not the one intended"):
        room.client.issue_certificate(subject, changed)
    assert room.client.issue_certificate(subject, payload)


def test_a_certificate_that_its_profile_forbids_is_not_signed_though_it_was_intended(room: Room) -> None:
    cert_1 = use()
    cert_2 = use()
    _subject, payload = room.certificate_intent(cert_1)
    forbidden = {**payload, "subject": {"C": "CN", "CN": "110105194912310021"}, "profile": "citizen"}
    authority = room.binding(f"{AUTHORITY_LABEL}{Authority.SEALS}")
    digest = sha256(canonical_json(forbidden))
    room.intend(cert_2, authority.key_id, kind=IntentKind.CERTIFICATE, digest=digest)
    with pytest.raises(SignerRefused):
        room.client.issue_certificate(cert_2, forbidden)


def test_an_intent_cannot_lend_a_key_to_another_purpose(room: Room) -> None:
    cert_1 = use()
    cert_2 = use()
    use_1 = use()
    use_2 = use()
    key, _issued = room.sealing_key("seal_1")
    authority = room.binding(f"{AUTHORITY_LABEL}{Authority.SEALS}")
    _subject, payload = room.certificate_intent(cert_1)
    digest = sha256(canonical_json(payload))
    room.intend(cert_2, key.key_id, kind=IntentKind.CERTIFICATE, digest=digest)
    with pytest.raises(KeyNotUsable, match="is for seal, not for authority"):
        room.client.issue_certificate(cert_2, payload)
    room.intend(use_1, authority.key_id)
    with pytest.raises(KeyNotUsable, match="is for authority, not for seal"):
        room.client.sign_cms(use_1)
    room.intend(use_2, KeyId("key_" + "0" * 32))
    with pytest.raises(KeyNotUsable, match="holds no key"):
        room.client.sign_cms(use_2)


@pytest.mark.parametrize(
    ("acts", "expected", "says"),
    [
        ((KeyAct.SUSPEND,), KeyNotUsable, "is suspended"),
        ((KeyAct.RETIRE,), KeyNotUsable, "is retired"),
        ((KeyAct.DESTROY,), KeyNotUsable, "was destroyed"),
        ((KeyAct.LIMIT,), KeyLimitReached, "may be used 1 times"),
    ],
)
def test_a_key_that_may_not_be_used_any_more_signs_for_no_intent(
    room: Room, acts: tuple[KeyAct, ...], expected: type[KeyNotUsable], says: str
) -> None:
    first, second, third = use(), use(), use()
    key, _issued = room.sealing_key("seal_1")
    for name in (first, second):
        room.intend(name, key.key_id)
    room.intend(third, key.key_id, kind=IntentKind.SEAL_HASH)
    assert room.client.sign_cms(first)
    for act in acts:
        room.house.services.keys.act(act, key.key_id, actor=TESTER, reason="试验", max_uses=1)
    with pytest.raises(expected, match=says):
        room.client.sign_cms(second)
    (refused,) = room.client.sign_hash_batch([third])
    assert isinstance(refused, expected)
    assert KeyClient(room.client).show(key.key_id)["uses"] == 1


def test_a_service_key_signs_structures_of_its_own_purpose_only(room: Room) -> None:
    seal, _issued = room.sealing_key("seal_1")
    authority = room.binding(f"{AUTHORITY_LABEL}{Authority.SEALS}").key_id
    timestamp = room.binding(TIMESTAMP_LABEL).key_id
    ledger = room.binding(LEDGER_LABEL).key_id
    now = SystemClock().now().replace(microsecond=0)
    client = room.client

    def stamp(key_id: KeyId) -> object:
        return client.stamping.token(key_id, WantedToken(imprint=DIGEST, nonce=1, policy=TIMESTAMP_POLICY))

    def revoke(key_id: KeyId) -> object:
        return client.sign_crl(
            key_id, number=1, this_update=now, next_update=now + timedelta(hours=1), revoked=[]
        )

    def checkpoint(key_id: KeyId) -> object:
        return client.sign_checkpoint(key_id, origin="yinxin.example/log", size=0, root=bytes(32))

    def receipt(key_id: KeyId) -> object:
        return client.sign_receipt(
            key_id, origin="yinxin.example/log", event_id="event_" + "0" * 32, leaf_hash=bytes(32), latest=now
        )

    def status(key_id: KeyId) -> object:
        return client.sign_status_list(key_id, {"status_list": {"bits": 1, "lst": "eNoDAAAAAAE"}})

    own = {stamp: timestamp, revoke: authority, checkpoint: ledger}
    for act in (stamp, revoke, checkpoint, receipt, status):
        for key_id in {seal.key_id, authority, timestamp, ledger} - {own.get(act)}:
            if act is receipt and key_id == ledger:
                continue
            with pytest.raises(KeyNotUsable):
                act(key_id)
    for act, key_id in own.items():
        assert act(key_id)


def test_a_status_list_key_signs_no_credential(room: Room) -> None:
    key_id = room.binding("service/status-list").key_id
    for payload in ({"vct": "urn:x"}, {"status_list": {}, "vct": "urn:x"}, {}):
        with pytest.raises(SignerRefused):
            room.client.sign_status_list(key_id, payload)


def test_a_key_without_a_certificate_seals_nothing(room: Room) -> None:
    use_1 = use()
    key = room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    room.intend(use_1, key.key_id)
    with pytest.raises(KeyNotUsable, match="has no certificate"):
        room.client.sign_cms(use_1)


def test_a_certificate_of_another_key_is_not_signed_under(room: Room) -> None:
    use_1 = use()
    _other, issued = room.sealing_key("seal_1")
    key = room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    room.bind(key, label="seal/mine", spki=key.spki, certificate=issued.certificate)
    room.intend(use_1, key.key_id)
    with pytest.raises(KeyNotUsable, match="for another key"):
        room.client.sign_cms(use_1)


def test_a_binding_that_lies_about_the_key_is_not_signed_under(room: Room) -> None:
    use_1 = use()
    other, issued = room.sealing_key("seal_1")
    key = room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    room.bind(key, label="seal/mine", spki=other.spki, certificate=issued.certificate)
    room.intend(use_1, key.key_id)
    with pytest.raises(KeyNotUsable):
        room.client.sign_cms(use_1)


def test_a_certificate_bound_anew_is_the_one_signed_under(room: Room) -> None:
    use_1 = use()
    use_2 = use()
    key, first = room.sealing_key("seal_1")
    room.intend(use_1, key.key_id)
    assert ParsedCms.parse(room.client.sign_cms(use_1)).signer_certificate == first.certificate
    second = room.certify(key, "seal_1")
    room.intend(use_2, key.key_id)
    assert ParsedCms.parse(room.client.sign_cms(use_2)).signer_certificate == second.certificate


def test_a_batch_is_answered_item_by_item(room: Room) -> None:
    use_1 = use()
    use_2 = use()
    use_3 = use()
    key, _issued = room.sealing_key("seal_1")
    for name in (use_1, use_3):
        room.intend(name, key.key_id)
    first, second, third = room.client.sign_cms_batch([use_1, use_2, use_3])
    assert isinstance(first, bytes)
    assert isinstance(second, SignerRefused)
    assert isinstance(third, bytes)
    assert room.client.sign_cms_batch([]) == []


def test_one_fault_in_a_batch_is_that_items_own(room: Room) -> None:
    """Every way in which an intent can be no leave, side by side with one that is."""
    key, _issued = room.sealing_key("seal_1")
    bare = room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    good, concluded, over, uncertified, hashed = (use() for _ in range(5))
    for name in (good, concluded):
        room.intend(name, key.key_id)
    room.intend(over, key.key_id, lease=-1)
    room.intend(uncertified, bare.key_id)
    room.intend(hashed, key.key_id, kind=IntentKind.SEAL_HASH)
    with room.database.work() as work:
        assert Intents(work).conclude(concluded, "abandoned", at=SystemClock().now())
    asked = [good, concluded, over, uncertified, hashed, "nul\x00", "\u5370", "x" * 5000, good]
    made = room.client.sign_cms_batch(asked)
    assert [type(item) for item in made] == [
        bytes, SignerRefused, SigningLeaseOver, KeyNotUsable, SignerRefused, SignerRefused, SignerRefused,
        SignerRefused, bytes,
    ]  # fmt: skip


def test_a_batch_may_mix_seals_and_each_signs_under_its_own_certificate(room: Room) -> None:
    made = [room.sealing_key("seal_1") for _ in range(3)]
    subjects = [use() for _ in made]
    for (key, _issued), subject in zip(made, subjects, strict=True):
        room.intend(subject, key.key_id, digest=sha256(subject.encode()))
    for (_key, issued), subject, cms in zip(
        made, subjects, room.client.sign_cms_batch(subjects), strict=True
    ):
        assert isinstance(cms, bytes)
        parsed = ParsedCms.parse(cms)
        assert parsed.signer_certificate == issued.certificate
        assert parsed.message_digest == sha256(subject.encode())


def test_a_hash_is_signed_as_it_is_and_only_for_an_intent_of_that_kind(room: Room) -> None:
    hashed, document, digest = use(), use(), use()
    key, _issued = room.sealing_key("seal_1")
    room.intend(hashed, key.key_id, kind=IntentKind.SEAL_HASH)
    room.intend(document, key.key_id)
    room.intend(digest, key.key_id, kind=IntentKind.SEAL_DIGEST)
    signature, *refused = room.client.sign_hash_batch([hashed, document, digest, use()])
    assert isinstance(signature, bytes)
    suites.verify(key.spki, signature, b"the prepared document", Suite.P256_SHA256)
    assert [type(item) for item in refused] == [SignerRefused] * 3
    with pytest.raises(SignerRefused, match="for a seal-hash"):
        room.client.sign_cms(hashed)
    assert ParsedCms.parse(room.client.sign_cms(digest)).message_digest == DIGEST


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33), bytes(48)])
def test_a_hash_of_another_length_is_not_signed(room: Room, digest: bytes) -> None:
    subject = use()
    key, _issued = room.sealing_key("seal_1")
    room.intend(subject, key.key_id, kind=IntentKind.SEAL_HASH, digest=digest)
    (refused,) = room.client.sign_hash_batch([subject])
    assert isinstance(refused, SignerRefused)


def test_a_signer_whose_database_dropped_its_connections_reads_again_on_new_ones(
    room: Room, postgres_server: DatabaseUrls
) -> None:
    subject = use()
    key, _issued = room.sealing_key("seal_1")
    room.intend(subject, key.key_id)
    assert room.client.sign_cms(subject)
    superuser = libpq_url(postgres_server.named("postgres").superuser)
    with psycopg.connect(superuser, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'yinxin_signer'"
        ).fetchall()
    assert ended
    assert room.client.sign_cms(subject)
    (cms,) = room.client.sign_cms_batch([subject])
    assert isinstance(cms, bytes)


def test_callers_who_share_a_client_are_each_given_their_own_answers(room: Room) -> None:
    key, _issued = room.sealing_key("seal_1")
    subjects = [use() for _ in range(40)]
    for subject in subjects:
        room.intend(subject, key.key_id, digest=sha256(subject.encode()))

    def ask(number: int) -> list[str]:
        mine = subjects[number::8]
        answers = [*room.client.sign_cms_batch(mine), *(room.client.sign_cms(each) for each in mine)]
        expected = [sha256(each.encode()) for each in [*mine, *mine]]
        read = [ParsedCms.parse(cms).message_digest for cms in answers if isinstance(cms, bytes)]
        return [] if read == expected else mine

    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(ask, range(8)))


def test_timestamps_in_a_batch_are_each_over_their_own_imprint(software_room: Room) -> None:
    key_id = software_room.binding(TIMESTAMP_LABEL).key_id
    imprints = [sha256(bytes([number])) for number in range(5)]
    wanted = [WantedToken(imprint=imprint, policy=TIMESTAMP_POLICY) for imprint in imprints]
    tokens = software_room.client.stamping.tokens(key_id, wanted)
    read = [parse_token(token)[1] for token in tokens if isinstance(token, bytes)]
    assert [token.imprint for token in read] == imprints
    assert len({token.serial for token in read}) == len(imprints)
    seal, _issued = software_room.sealing_key("seal_1")
    with pytest.raises(KeyNotUsable):
        software_room.client.stamping.tokens(seal.key_id, wanted)
    # One imprint that is none costs the others nothing.
    short = WantedToken(imprint=b"short", policy=TIMESTAMP_POLICY)
    first, refused, last = software_room.client.stamping.tokens(key_id, [wanted[0], short, wanted[1]])
    assert isinstance(refused, SignerRefused)
    assert [type(each) for each in (first, last)] == [bytes, bytes]
    with pytest.raises(SignerRefused, match="at most"):
        software_room.client.stamping.tokens(key_id, [wanted[0]] * (MAX_BATCH + 1))


def test_a_batch_over_the_limit_is_refused_by_name(software_room: Room) -> None:
    with pytest.raises(SignerRefused, match="at most"):
        software_room.client.sign_cms_batch(["use"] * (MAX_BATCH + 1))


@contextmanager
def knocking(software_room: Room) -> Iterator[socket.socket]:
    """A connection of our own to the signer's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(5)
        door.connect(str(software_room.house.services.settings.socket_path))
        yield door


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">I", wire.MAX_FRAME_OCTETS + 1) + b"{}",
        b"\xff\xff\xff\xff",
        framed(b""),
        framed(b"not json"),
        framed(b"\xff\xfe\x00"),
        framed(b'["a", "list"]'),
        pytest.param(
            framed(b"[" * 200_000),
        ),
        framed(b'{"do":"ping"')[:-3],
        b"\x00\x00",
    ],
    ids=[
        "http",
        "over-long",
        "huge",
        "empty",
        "no-json",
        "no-utf8",
        "list",
        "deep",
        "cut-off",
        "half-a-length",
    ],
)
def test_a_bad_frame_ends_its_own_conversation_and_nothing_else(
    software_room: Room, octets: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    with knocking(software_room) as door:
        door.sendall(octets)
        door.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # what was not read is thrown away
            assert door.recv(1) == b""
    software_room.client.ping()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"do": None},
        {"do": "sign"},
        {"do": "__class__"},
        {"do": ["ping"]},
        {"do": "batch", "items": [{"do": "ping"}]},
        {"do": "sign-cms"},
        {"do": "sign-cms", "subject": None},
        {"do": "sign-cms", "subject": {"a": 1}},
        {"do": "sign-cms", "subject": 7},
        {"do": "sign-cms", "subject": "nul\x00"},
        {"do": "sign-cms", "subject": "\ud800"},
        {"do": "sign-cms-batch"},
        {"do": "sign-cms-batch", "subjects": "use_1"},
        {"do": "sign-cms-batch", "subjects": {"use_1": 1}},
        {"do": "sign-hash-batch", "subjects": None},
        {"do": "timestamp-batch", "key_id": "key_1", "items": "x"},
        {"do": "timestamp-batch", "key_id": "key_1", "items": [7]},
        {"do": "timestamp-clock", "changes_after": "x"},
        {"do": "create-key", "purpose": "master", "suite": "p256-sha256"},
        {"do": "create-key", "purpose": "seal", "suite": "rsa"},
        {"do": "timestamp", "key_id": "key_1", "imprint": "no base64!"},
        {"do": "sign-crl", "key_id": 5},
        {"do": "issue-certificate", "subject": "x", "payload": None},
        {"do": "export-key", "key_id": "key_1"},
    ],
    ids=lambda message: json.dumps(message)[:40],
)
def test_a_message_that_makes_no_sense_is_answered_with_an_error(
    software_room: Room, message: dict[str, Any]
) -> None:
    with knocking(software_room) as door:
        wire.send(door, message)
        answer = wire.Reader(door).receive()
        assert answer is not None
        assert isinstance(answer["error"], str)
        wire.send(door, {"do": "ping"})
        assert wire.Reader(door).receive() == {"ok": {}}


def test_only_our_own_user_may_reach_the_socket(software_room: Room) -> None:
    path = software_room.house.services.settings.socket_path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == os.geteuid()


def test_a_signer_that_makes_its_own_folder_closes_it_to_others(tmp_path: Path) -> None:
    server = SignerServer(tmp_path / "signer" / "socket", {})
    server._server.server_close()
    assert stat.S_IMODE((tmp_path / "signer").stat().st_mode) == 0o700


def test_a_signer_away_says_so_and_one_that_comes_back_is_found_again(software_room: Room) -> None:
    software_room.client.ping()
    software_room.house.signer.stop()
    with pytest.raises(SignerAway):
        software_room.client.ping()
    software_room.house.signer.start()
    software_room.client.ping()


def test_a_signer_that_hangs_up_in_the_middle_of_an_answer_is_away(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(1)
        client = SignerClient(path, answer_seconds=0.1)
        with pytest.raises(SignerAway):  # nobody answers in time
            client.ping()


def signer_with(software_room: Room, key_encryption_key: bytes) -> Operations:
    """The signer's operations as another process has them, whose memory holds no key yet."""
    settings = software_room.house.services.settings
    return build_signer(replace(settings, key_encryption_key_value=key_encryption_key.hex())).operations


def test_another_key_encryption_key_opens_no_key(software_room: Room) -> None:
    use_1 = use()
    key, _issued = software_room.sealing_key("seal_1")
    software_room.intend(use_1, key.key_id)
    with pytest.raises(WrappedKeyBroken):
        signer_with(software_room, bytes(32)).by_name()["sign-cms"]({"subject": use_1})
    right = read_key_encryption_key(software_room.house.services.settings.key_encryption_key)
    assert signer_with(software_room, right).by_name()["sign-cms"]({"subject": use_1})


@pytest.mark.parametrize("what", ["wrapped", "wrapped and spki", "purpose", "suite", "cut", "empty"])
def test_a_changed_row_of_a_wrapped_key_is_broken_also_over_the_socket(
    software_room: Room, postgres_server: DatabaseUrls, what: str
) -> None:
    use_1 = use()
    key, _issued = software_room.sealing_key("seal_1")
    other = software_room.client.create_key(KeyPurpose.SEAL, Suite.P256_SHA256)
    software_room.intend(use_1, key.key_id)
    software_room.house.signer.stop()
    signer_rows = Database(software_room.house.services.settings.database_signer_url)
    with signer_rows.read() as work:
        found = WrappedKeys(work).find(other.key_id)
        mine = WrappedKeys(work).find(key.key_id)
        assert found is not None
        assert mine is not None
        changed: dict[str, Any] = {
            "wrapped": {"wrapped": found.wrapped},
            "wrapped and spki": {"wrapped": found.wrapped, "spki": found.spki},
            "purpose": {"purpose": "authority"},
            "suite": {"suite": "ed25519"},
            "cut": {"wrapped": (mine.wrapped or b"")[:20]},
            "empty": {"wrapped": b""},
        }[what]
    signer_rows.close()
    # No role of the house may change a key, so it takes the server's superuser.
    name = software_room.house.services.settings.database_url.rpartition("/")[2].partition("?")[0]
    superuser = Database(postgres_server.superuser.replace("/yinxin?", f"/{name}?"))
    with superuser.work() as work:
        work.execute(update(keys).where(keys.c.key_id == key.key_id).values(**changed))
    superuser.close()
    software_room.house.signer.start()
    with pytest.raises(WrappedKeyBroken):
        software_room.client.sign_cms(use_1)
    software_room.client.ping()
