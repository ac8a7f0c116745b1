"""A signer as a process of its own with one sealing key: what is needed to measure how it is asked.

    with opened_signing_room() as room:
        room.client.sign_cms_batch(room.intend(100))

The same key lies in this process as well, so that the raw signature and the work around it can be told apart.
"""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from api.migrations.upgrade import upgrade
from api.settings import Settings
from api.supervisor import Supervisor
from tests.support.house import hold_shipped_ceremony, prepare_keys
from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.model import TIMESTAMP_LABEL, Authority
from trust.crypto.cms import CmsIdentity
from trust.crypto.digests import sha256
from trust.crypto.suites import SoftwareSigner, Suite
from trust.kernel.clock import SystemClock
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.keys.client import SignerClient
from trust.keys.model import Intent, IntentKind, KeyId, KeyPurpose
from trust.keys.repository import Intents, KeyBindings
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor
from trust.pki.profiles import ProfileName
from trust.storage.database import Database
from trust.storage.embedded import EmbeddedPostgres

_SUBJECT = {"C": "CN", "O": "江城市自然资源和规划局", "CN": "规划局公章"}
# Longer than any measurement; a lease that ran out would measure refusals.
_LEASE = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class SigningRoom:
    """The signer's client, a database to commit intents in, and the same work without the signer."""

    settings: Settings
    client: SignerClient
    database: Database
    key_id: KeyId
    timestamp_key_id: KeyId
    identity: CmsIdentity
    local: SoftwareSigner = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def intend(self, count: int, *, kind: IntentKind = IntentKind.SEAL_USE) -> list[str]:
        """Commits intents for so many seal uses; their subjects."""
        now = SystemClock().now()
        subjects = [f"use_{next(self._numbers)}" for _ in range(count)]
        with self.database.work() as work:
            for subject in subjects:
                intent = Intent(
                    subject=subject,
                    key_id=self.key_id,
                    kind=kind,
                    digest=sha256(subject.encode()),
                    lease_until=now + _LEASE,
                )
                Intents(work).record(intent, at=now)
        return subjects

    def sign_locally(self, subject: str) -> bytes:
        """What the signer makes of an intent, in this process: attributes, signature, CMS."""
        attributes = self.identity.signed_attributes(message_digest=sha256(subject.encode()))
        return self.identity.signed_data(signed_attributes=attributes, signature=self.local.sign(attributes))


@contextmanager
def opened_signing_room(suite: Suite = Suite.P256_SHA256) -> Iterator[SigningRoom]:
    """PostgreSQL in memory, the signer as `yinxin signer`, the ceremony held, one certified sealing key."""
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="yx-signer-", dir=root) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's ordinary user has to reach its own folder inside
        given = Settings(
            data=folder / "data", config=folder / "config", signer_socket=str(folder / "signer" / "socket")
        )
        prepare_keys(given)
        postgres = stack.enter_context(EmbeddedPostgres(given.data / "postgres", durable=False))
        supervisor = Supervisor(given.with_urls(postgres.urls), log=folder / "signer.log")
        stack.callback(supervisor.stop)
        yield stack.enter_context(_room(supervisor, suite))


@contextmanager
def _room(supervisor: Supervisor, suite: Suite) -> Iterator[SigningRoom]:
    settings = supervisor.settings
    upgrade(settings.database_owner_url)
    supervisor.start_child("signer")
    hold_shipped_ceremony(settings)
    database = Database(settings.database_url, settings.database_read_url)
    clock, randomness = SystemClock(), SystemRandomness()
    with closing(SignerClient(settings.socket_path)) as client, closing(database):
        key = client.create_key(KeyPurpose.SEAL, suite)
        authority = CertificateAuthority(
            ledger=Ledger(database, clock=clock, randomness=randomness, ids=Ids(clock, randomness)),
            signer=client,
            clock=clock,
            randomness=randomness,
            public_url=settings.public_url,
        )
        issued = authority.issue(
            authority=Authority.SEALS,
            profile=ProfileName.SEAL,
            subject=_SUBJECT,
            spki=key.spki,
            owner="measured",
            agency=None,
            actor=Actor(kind="test", id="test"),
            bind=new_key_binding(key, label="seal/measured"),
        )
        with database.read() as work:
            timestamp = KeyBindings(work).require(TIMESTAMP_LABEL)
        yield SigningRoom(
            settings=settings,
            client=client,
            database=database,
            key_id=key.key_id,
            timestamp_key_id=timestamp.key_id,
            identity=CmsIdentity(certificate=issued.certificate, chain=issued.chain, suite=suite),
            local=SoftwareSigner.generate(suite),
        )
