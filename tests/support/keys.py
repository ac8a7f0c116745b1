"""A house whose keys are looked at: made, intended for, ordered about; the journal read; the owner's hand."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Row, text

from api.settings import Settings
from tests.support.house import House
from trust.authority.issuance import new_key_binding
from trust.authority.key_office import CarriedOut
from trust.authority.model import Authority
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.kernel.clock import SystemClock
from trust.keys.client import SignerClient
from trust.keys.key_client import KeyClient
from trust.keys.model import Intent, IntentKind, KeyAct, KeyBinding, KeyId, KeyInfo, KeyPurpose
from trust.keys.repository import Intents, KeyBindings
from trust.keys.stamping_client import WantedToken
from trust.ledger.model import Actor
from trust.pki.profiles import TIMESTAMP_POLICY, ProfileName
from trust.storage.database import Database
from trust.storage.jobs import libpq_url

_SUBJECT = {"C": "CN", "O": "江城市自然资源和规划局", "CN": "规划局公章"}
_TESTER = Actor(kind="operator", id="tester")


@dataclass(frozen=True, kw_only=True)
class KeyRoom:
    """The signer's client and what may be done about keys around it."""

    house: House
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def settings(self) -> Settings:
        return self.house.signer.settings

    @property
    def client(self) -> SignerClient:
        return self.house.services.signer

    @property
    def keys(self) -> KeyClient:
        return KeyClient(self.client)

    @property
    def earlier_key_file(self) -> Path:
        return self.settings.key_encryption_key.with_name("earlier")

    def binding(self, label: str) -> KeyBinding:
        with self.house.services.database.read() as work:
            return KeyBindings(work).require(label)

    def sealing_key(self, suite: Suite = Suite.P256_SHA256) -> KeyInfo:
        """A seal's key with a certificate of its own."""
        key = self.client.create_key(KeyPurpose.SEAL, suite)
        self.house.services.certificates.issue(
            authority=Authority.SEALS,
            profile=ProfileName.SEAL,
            subject=_SUBJECT,
            spki=key.spki,
            owner=key.key_id,
            agency=None,
            actor=_TESTER,
            bind=new_key_binding(key, label=f"seal/{key.key_id}"),
        )
        return key

    def service_key(self) -> KeyId:
        """A timestamp key of the test's own, with its certificate."""
        key = self.client.create_key(KeyPurpose.TIMESTAMP, Suite.P256_SHA256)
        self.house.services.certificates.issue(
            authority=Authority.SERVICE,
            profile=ProfileName.TIMESTAMP,
            subject=_SUBJECT,
            spki=key.spki,
            owner=key.key_id,
            agency=None,
            actor=_TESTER,
            bind=new_key_binding(key, label=f"tests/{key.key_id}"),
        )
        return key.key_id

    def events(self, act: str, subject: str) -> list[dict[str, Any]]:
        """The events of an act about this key, oldest first."""
        return [event for event in self.house.room.events(act) if event["subject"] == subject]

    def intend(self, key: KeyInfo, count: int) -> list[str]:
        """Commits intents for so many seal uses of the key; their subjects."""
        now = SystemClock().now()
        subjects = [f"{key.key_id}/use_{next(self._numbers)}" for _ in range(count)]
        intents = [
            Intent(
                subject=subject,
                key_id=key.key_id,
                kind=IntentKind.SEAL_USE,
                digest=sha256(subject.encode()),
                lease_until=now + timedelta(minutes=5),
            )
            for subject in subjects
        ]
        with self.house.services.database.work() as work:
            Intents(work).record(*intents, at=now)
        return subjects

    def stamp(self, key_id: KeyId) -> bytes:
        return self.client.stamping.token(key_id, WantedToken(imprint=sha256(b"x"), policy=TIMESTAMP_POLICY))

    def act(
        self,
        act: KeyAct,
        key_id: KeyId,
        *,
        max_uses: int | None = None,
        usable_until: datetime | None = None,
    ) -> CarriedOut:
        """Orders an act and has it carried out."""
        return self.house.services.keys.act(
            act, key_id, actor=_TESTER, reason="为试验", max_uses=max_uses, usable_until=usable_until
        )

    def journal(self, key_id: str) -> list[Row[Any]]:
        """The journal's rows of a key, in the order they were written."""
        with self.house.services.database.read() as work:
            query = text("SELECT * FROM trust.signer_journal WHERE key_id = :key ORDER BY at, chain, number")
            return list(work.execute(query, {"key": key_id}))

    @contextmanager
    def signer_database(self) -> Iterator[Database]:
        """Units of work as the signer's role."""
        database = Database(self.settings.database_signer_url)
        try:
            yield database
        finally:
            database.close()

    def as_owner(self, statement: str, parameter: object) -> None:
        change_as_owner(self.settings.database_owner_url, statement, parameter)

    def replace_key_encryption_key(self, fresh: Path) -> None:
        """As the runbook says: the old key is kept beside, the new one takes its place in one step."""
        current = self.settings.key_encryption_key
        self.earlier_key_file.write_bytes(current.read_bytes())
        self.earlier_key_file.chmod(0o600)
        fresh.rename(current)


def change_as_owner(owner_url: str, statement: str, parameter: object = None) -> None:
    """What whoever owns the database can do to it: the guards are switched off for it."""
    guarded = ("trust.signer_journal", "trust.intents", "trust.intent_outcomes", "ledger.events")
    with psycopg.connect(libpq_url(owner_url)) as connection:
        for table in guarded:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        connection.execute(statement.encode(), None if parameter is None else (parameter,))
        for table in guarded:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())
