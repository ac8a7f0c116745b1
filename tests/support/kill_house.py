"""A whole house of real processes whose server dies by kill -9 at a named step of a procedure, and comes back."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from api.cli.journal_comparing import journal_report
from api.demo.parties import Person, Program
from api.demo.story import PERMIT_ITEM, Agency, Story, in_days, invented_uscc
from api.house_trust import HouseTrust
from api.settings import Settings
from api.supervisor import Supervisor, free_port
from api.wiring import build_services
from identity.caller import Scope
from tests.support.killing import SIGKILLED, KillPoint, Launcher
from trust.evidence.tlog import VerifierKey
from trust.kernel.clock import SystemClock
from trust.kernel.report import Indication, Report
from trust.keys.client import SignerClient
from trust.keys.key_client import KeyClient
from trust.ledger.verify import verify_ledger
from trust.pki.trust_store import TrustStore
from trust.storage.database import Database
from trust.storage.jobs import libpq_url
from trust.storage.objects import FolderStore

# What a crash leaves is held this long, at least: on a loaded machine as long as it takes to start a server and
# half as long again, so that a request reaches the step where it is to die before its lease has run out.
LEASE_SECONDS = 2.0
LEASE_TO_START = 1.5
# Where nothing is to die, no lease runs out either.
UNHURRIED_LEASE_SECONDS = 60.0
# How long the worker may take, on a loaded machine, for what several crashes left.
RESOLVING_SECONDS = 120.0
Asked = ParamSpec("Asked")


@dataclass(kw_only=True)
class KillHouse:
    """PostgreSQL, signer, worker and server as processes, one agency with its people and its approval system."""

    supervisor: Supervisor
    launcher: Launcher
    story: Story
    agency: Agency
    lease: float = LEASE_SECONDS

    @property
    def program(self) -> Program:
        """The agency's approval system."""
        return self.agency.system()

    def start_server(self, kill: KillPoint | None = None, *, lease: float = UNHURRIED_LEASE_SECONDS) -> None:
        """A new server process in place of the present one, dead or alive; it kills itself at `kill`."""
        present = self.supervisor.children["serve"]
        present.kill()
        present.wait(10)
        self.launcher.kill = kill
        self.supervisor.settings = replace(self.supervisor.settings, lease_seconds=lease)
        began = time.monotonic()
        self.supervisor.start_child("serve")
        self.lease = max(self.lease, LEASE_TO_START * (time.monotonic() - began))

    def die_at(
        self,
        kill: KillPoint,
        request: Callable[Concatenate["KillHouse", Asked], object],
        *asked: Asked.args,
        **more: Asked.kwargs,
    ) -> None:
        """Starts a server that kills itself at this point and sends it the request, which nobody answers."""
        self.start_server(kill, lease=self.lease)
        with pytest.raises(httpx.TransportError):
            request(self, *asked, **more)
        status = self.supervisor.children["serve"].wait(10)
        assert status == SIGKILLED, f"{kill}: the server ended with {status}"

    def come_back(self) -> None:
        """Starts the plain server, and waits until the worker has resolved what the crashes left."""
        self.start_server()
        self.wait_until_resolved()

    def wait_until_resolved(self) -> None:
        """Until no intent is without an outcome and the ledger has sequenced every event."""
        until = time.monotonic() + RESOLVING_SECONDS
        while left := self.unresolved():
            assert time.monotonic() < until, f"after {RESOLVING_SECONDS} s there is still {left}"
            time.sleep(0.1)

    def unresolved(self) -> dict[str, list[str]]:
        """What has begun and has no end, by kind."""
        found = {
            kind: [str(row["id"]) for row in self.rows(query)] for kind, query in _UNRESOLVED.items()
        }  # fmt: skip
        return {kind: ids for kind, ids in found.items() if ids}

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """Rows as the database's owner sees them; `query` names its values `%(name)s`."""
        with psycopg.connect(
            libpq_url(self.supervisor.settings.database_owner_url), row_factory=dict_row
        ) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def row(self, query: str, **values: object) -> dict[str, Any]:
        """The one row there is."""
        found = self.rows(query, **values)
        assert len(found) == 1, f"{len(found)} rows: {query} {values}"
        return found[0]

    def acts(self, subject: str) -> Counter[str]:
        """What the ledger says was done with this subject: how often which act, refusals as `act!reason`."""
        rows = self.rows("SELECT act, reason FROM ledger.events WHERE subject = %(subject)s", subject=subject)
        return Counter(
            row["act"] if row["reason"] is None else f"{row['act']}!{row['reason']}" for row in rows
        )

    def subject_of(self, act: str, key: str) -> str:
        """What the idempotency key of the approval system made."""
        found = self.row(
            "SELECT subject FROM trust.idempotency_keys WHERE caller = %(caller)s AND act = %(act)s AND key = %(key)s",
            caller=self.program.id, act=act, key=key,
        )  # fmt: skip
        return str(found["subject"])

    def trust(self) -> TrustStore:
        """What a stranger would trust now."""
        with self.database() as database:
            settings = self.supervisor.settings
            return HouseTrust(database=database, clock=SystemClock(), origin=settings.origin).current()

    def journal_report(self) -> Report:
        """The signer's journal against intents, outcomes and events, and its keys' counters."""
        settings = self.supervisor.settings

        def counted() -> dict[str, int]:
            with closing(SignerClient(settings.socket_path)) as signer:
                return {str(key["key_id"]): int(key["uses"]) for key in KeyClient(signer).every()}

        with self.database() as database:
            return journal_report(database, counted)

    def ledger_report(self) -> Report:
        """The whole ledger recomputed."""
        keys = [VerifierKey.parse(text) for text in self.trust().ledger_keys]
        with self.database() as database:
            store = FolderStore(self.supervisor.settings.objects_folder)
            return verify_ledger(database, store, keys, at=SystemClock().now())

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Units of work as the service has them."""
        settings = self.supervisor.settings
        with closing(Database(settings.database_url, settings.database_read_url)) as database:
            yield database


# Everything that begins in one transaction and ends in another.
_UNRESOLVED = {
    "intents": "SELECT subject AS id FROM trust.intents EXCEPT SELECT subject FROM trust.intent_outcomes",
    "seal uses": "SELECT id FROM seals.seal_uses EXCEPT SELECT use_id FROM seals.seal_use_outcomes",
    "licences": "SELECT version_id AS id FROM licences.issuing",
    "records": "SELECT id FROM archive.records EXCEPT SELECT record_id FROM archive.record_outcomes",
    "events without an index": "SELECT event_id AS id FROM ledger.waiting",
}


def require_settled(house: KillHouse) -> None:
    """Nothing is left open, the whole ledger is valid, and the signer's journal agrees with it."""
    house.wait_until_resolved()
    report = house.ledger_report()
    assert report.indication is Indication.VALID, report.to_json()
    journal = house.journal_report()
    assert journal.indication is Indication.VALID, journal.to_json()


@contextmanager
def opened_kill_house() -> Iterator[KillHouse]:
    """Starts everything in memory, founds the agency, and ends everything."""
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="yx-kill-", dir=root) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's ordinary user has to reach its own folder inside
        port = free_port()
        settings = Settings(
            data=folder / "data",
            config=folder / "config",
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            signer_socket=str(folder / "signer" / "socket"),
            lease_seconds=LEASE_SECONDS,
        )
        temporary = folder / "temporary"
        temporary.mkdir()
        launcher = stack.enter_context(closing(Launcher(folder / "yinxin.log", temporary=temporary)))
        supervisor = Supervisor(settings, durable=False, log=folder / "yinxin.log", start=launcher)
        stack.callback(supervisor.stop)
        supervisor.start()
        with closing(build_services(supervisor.settings)) as services:
            link = services.identity.enrolments.bootstrap()
        assert link is not None
        story = Story(
            base=settings.public_url, output=folder / "output", enrolment_token=link.token, document=None
        )
        try:
            yield KillHouse(supervisor=supervisor, launcher=launcher, story=story, agency=found_agency(story))
        finally:
            for party in story.parties:
                party.close()


def found_agency(story: Story) -> Agency:
    """One planning bureau: people with roles, an approval system, a seal it may use, a company with its agent."""
    story.platform = story.person("郑首", "platform.admin")
    story.platform.enrol(story.enrolment_token, first=True)
    made = story.platform.post(
        "/v1/agencies",
        {
            "uscc": invented_uscc("11", 1),
            "code": "JC01",
            "name_zh": "江城市规划局",
            "name_en": "Planning Bureau",
        },
    )
    administrator = _invited(
        story, story.platform, "planning.admin", "agency-administrator", agency_id=made["id"]
    )
    agency = Agency(id=made["id"], name=made["name_zh"], administrator=administrator)
    administrator.post(
        f"/v1/agencies/{agency.id}/service-items",
        {"code": PERMIT_ITEM, "name_zh": "建设工程规划许可证核发", "name_en": "Planning permit"},
    )
    for job, roles in {"officer": ("seal-officer", "archivist"), "approver": ("seal-approver",)}.items():
        agency.staff[job] = _invited(story, administrator, f"planning.{job}", *roles)
    agency.program = program = story.system()
    program.id = administrator.post(
        "/v1/applications",
        {"name": "审批系统", "public_jwk": program.public_jwk, "scopes": [scope.value for scope in Scope]},
    )["id"]
    _make_seal(agency, program)
    story.agencies["planning"] = agency
    story.agent = story.person("孙立", "sun.li")
    story.agent.register()
    story.organisation = story.agent.post(
        "/v1/organisations",
        {"uscc": invented_uscc("91", 4711), "name": "江城明日建设有限公司", "kind": "legal-person"},
    )
    story.agent.sign_in(organisation_id=story.organisation["id"])
    return agency


def _invited(story: Story, by: Person, username: str, *roles: str, agency_id: str | None = None) -> Person:
    person = story.person("李文", username)
    body = {"name": person.name, "resident_id_number": person.number, "roles": list(roles)}
    if agency_id is not None:
        body["agency_id"] = agency_id
    person.enrol(by.post("/v1/staff", body)["enrolment_token"])
    return person


def _make_seal(agency: Agency, program: Program) -> None:
    asked = agency.staff["officer"].post(
        "/v1/seal-requests",
        {
            "name": "行政审批专用章",
            "reason": "审批结果用印",
            "impression": {"kind": "round", "text": agency.name, "diameter_mm": 42},
        },
    )
    approver = agency.staff["approver"]
    agency.seal_id = approver.post(f"/v1/seal-requests/{asked['id']}/approvals", {"note": "同意"})["seal_id"]
    approver.post(
        f"/v1/seals/{agency.seal_id}/authorisations",
        {
            "application_id": program.id,
            "item_code": PERMIT_ITEM,
            "valid_from": in_days(-1),
            "valid_until": in_days(90),
            "uses_allowed": 1000,
        },
    )
