"""A licences desk to test with: two agencies, a company with an agent, citizens, and faults at will.

room.issue()                                   # a planning permit for the company
code = room.present(licence).code
room.redeem(code)

Database, ledger, store, typesetter, certificates and signatures are real; sealing and the outside are not.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import text

from identity.caller import Caller, CallerKind, Role, Scope
from identity.ids import AgencyId, OrganisationId, PersonId
from licences.desk import LicencesDesk, build_licences
from licences.model import HolderKind, IssueRequest, Licence, LicenceHolder
from licences.ports import AgencyFacts, HolderNumber, SealedResult
from licences.presentations.model import (
    PresentationCode,
    PresentRequest,
    Recipient,
    RedeemRequest,
    Redemption,
)
from licences.render.typesetter import Typesetter
from licences.types.loader import LicenceTypes, load_types
from licences.types.model import SealPlace
from tests.support.identity import SetClock, resident_number, uscc
from tests.support.licence_faces import FIELDS
from tests.support.pki import Leaf, TestPki
from trust.credentials import jws, status_token, vc
from trust.kernel.canonical import canonical_json
from trust.kernel.errors import NotFound, Unavailable, YinxinError
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.kernel.report import Check, Outcome, Report
from trust.keys.errors import SignerRefused
from trust.keys.model import KeyBinding, KeyId, KeyPurpose
from trust.keys.repository import Intents
from trust.ledger.ledger import Ledger
from trust.pki.profiles import ProfileName
from trust.pki.trust_store import TrustStore
from trust.storage.database import Database
from trust.storage.objects.folder import FolderStore

BASE = "https://yinxin.example"
KEY = bytes(range(32))
LEASE = timedelta(seconds=60)
PERMIT = "construction-planning-permit"
BUSINESS_LICENCE = "business-licence"
ResultT = TypeVar("ResultT")


@cache
def _types() -> LicenceTypes:
    """Read once: nobody changes them."""
    return load_types()


class Crash(Exception):
    """Stands for the process being killed at this point: no handler of ours may catch it."""


class Fault(Unavailable):
    """A part that is away for now."""

    code = "part-away"


@dataclass(kw_only=True)
class Switches:
    """Faults by the name of the point; each is thrown as long as it is set."""

    faults: dict[str, BaseException] = field(default_factory=dict)
    visits: list[str] = field(default_factory=list)
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)

    def pass_by(self, point: str) -> None:
        self.visits.append(point)
        hook = self.hooks.pop(point, None)
        if hook is not None:
            hook()
        if point in self.faults:
            raise self.faults[point]

    @contextmanager
    def broken(self, point: str, fault: BaseException) -> Iterator[None]:
        self.faults[point] = fault
        try:
            yield
        finally:
            del self.faults[point]


@dataclass(kw_only=True)
class PlainSealer:
    """Answers with the document unchanged; remembers each subject's first document, as the real one does."""

    switches: Switches
    sealed: dict[str, bytes] = field(default_factory=dict)

    def seal(
        self,
        *,
        agency_id: str,
        item_code: str,
        case_number: str | None,
        document: bytes,
        subject: str,
        place: SealPlace,
        requested_by: str,
    ) -> SealedResult:
        self.switches.pass_by("before sealing")
        first = self.sealed.setdefault(subject, document)
        assert first == document, "another document for the same licence version"
        self.switches.pass_by("after sealing")
        return SealedResult(document=first, seal_use_id=f"sealuse_{subject[-32:]}")


@dataclass(kw_only=True)
class IntentSigner:
    """Signs credentials as the signer process does: only what the newest intent says, while its lease lasts."""

    database: Database
    clock: SetClock
    switches: Switches
    agency: Leaf
    service: Leaf

    def sign_credential(self, subject: str, payload: Mapping[str, Any]) -> str:
        self.switches.pass_by("before signing")
        with self.database.read() as work:
            intent = Intents(work).newest(subject)
            outcome = Intents(work).outcome(subject)
        digest = sha256(canonical_json(dict(payload))).digest()
        if intent is None or outcome is not None or intent.digest != digest:
            raise SignerRefused("no open intent for this credential")
        if self.clock.now() >= intent.lease_until:
            raise SignerRefused("the intent's lease is over")
        octets = vc.signing_input(vc.header((self.agency.certificate, *self.agency.chain)), payload)
        token = jws.attach(octets, self.agency.signer.sign(octets))
        self.switches.pass_by("after signing")
        return token

    def sign_status_list(self, payload: Mapping[str, Any]) -> str:
        self.switches.pass_by("status list")
        octets = jws.signing_input(
            status_token.header((self.service.certificate, *self.service.chain)), payload
        )
        return jws.attach(octets, self.service.signer.sign(octets))


@dataclass(kw_only=True)
class Directory:
    """Agencies, their items and applications, and the numbers of citizens and organisations."""

    facts: dict[str, AgencyFacts]
    items: dict[str, set[str]]
    applications: dict[str, set[str]]
    numbers: dict[str, HolderNumber]

    def agency(self, agency_id: str) -> AgencyFacts:
        if agency_id not in self.facts:
            raise NotFound("there is no such agency")
        return self.facts[agency_id]

    def has_item(self, agency_id: str, item_code: str) -> bool:
        return item_code in self.items.get(agency_id, set())

    def has_application(self, agency_id: str, application_id: str) -> bool:
        return application_id in self.applications.get(agency_id, set())

    def number_of(self, caller: Caller) -> HolderNumber:
        return self.numbers[caller.organisation_id or caller.account_id]


@dataclass(kw_only=True)
class LicenceRoom:
    """The desk and its parties."""

    database: Database
    clock: SetClock
    ledger: Ledger
    objects: FolderStore
    switches: Switches
    sealer: PlainSealer
    signer: IntentSigner
    directory: Directory
    pki: TestPki
    desk: LicencesDesk
    bureau: AgencyId
    other: AgencyId
    system: Caller
    officer: Caller
    agent: Caller
    citizen: Caller
    company_code: str
    citizen_code: str
    key: KeyBinding
    crls: bool = True
    document_outcome: Outcome = Outcome.PASSED
    _keys: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    @classmethod
    def open(
        cls, database: Database, folder: Path, typesetter: Typesetter, *, list_size: int = 64
    ) -> "LicenceRoom":
        clock, randomness, switches = SetClock(), SystemRandomness(), Switches()
        ids = Ids(clock, randomness)
        pki = TestPki(now=clock.now())
        ledger = Ledger(database, clock=clock, randomness=randomness, ids=ids)
        signer = IntentSigner(
            database=database,
            clock=clock,
            switches=switches,
            agency=pki.leaf(ProfileName.LICENCE),
            service=pki.leaf(ProfileName.SERVICE, subject={"CN": "状态服务"}),
        )
        bureau, other = ids.new(AgencyId), ids.new(AgencyId)
        company, person = ids.new(OrganisationId), ids.new(PersonId)
        types = _types()
        directory = Directory(
            facts={
                bureau: AgencyFacts(id=bureau, name="江城市自然资源和规划局", uscc=uscc(1, "11")),
                other: AgencyFacts(id=other, name="江城市住房保障局", uscc=uscc(2, "11")),
            },
            items={bureau: {one.item.code for one in types}, other: set()},
            applications={bureau: {"app_1"}, other: {"app_2", "app_3"}},
            numbers={
                company: HolderNumber(kind=HolderKind.LEGAL_PERSON, code=uscc(7)),
                "citizen_1": HolderNumber(kind=HolderKind.CITIZEN, code=resident_number(1)),
                "citizen_2": HolderNumber(kind=HolderKind.CITIZEN, code=resident_number(2)),
            },
        )
        key = KeyBinding(
            key_id=ids.new(KeyId),
            label=f"credential/{bureau}",
            purpose=KeyPurpose.CREDENTIAL,
            suite=signer.agency.signer.suite.value,
            spki=signer.agency.signer.spki,
            certificate=signer.agency.certificate,
            chain=signer.agency.chain,
        )
        room = cls(
            database=database,
            clock=clock,
            ledger=ledger,
            objects=FolderStore(folder),
            switches=switches,
            sealer=PlainSealer(switches=switches),
            signer=signer,
            directory=directory,
            pki=pki,
            desk=None,  # type: ignore[arg-type]  # built below, it needs the room's own ports
            bureau=bureau,
            other=other,
            system=Caller(
                kind=CallerKind.APPLICATION,
                account_id="app_1",
                agency_id=bureau,
                scopes=frozenset({Scope.LICENCE_ISSUE, Scope.LICENCE_MANAGE}),
            ),
            officer=Caller(
                kind=CallerKind.STAFF,
                account_id="staff_1",
                person_id=person,
                agency_id=bureau,
                roles=frozenset({Role.LICENCE_OFFICER}),
            ),
            agent=Caller(
                kind=CallerKind.CITIZEN,
                account_id="citizen_1",
                person_id=person,
                organisation_id=company,
            ),
            citizen=Caller(kind=CallerKind.CITIZEN, account_id="citizen_1", person_id=person),
            company_code=uscc(7),
            citizen_code=resident_number(1),
            key=key,
        )
        room.desk = build_licences(
            ledger=ledger,
            objects=_PassingStore(room.objects, switches),
            types=types,
            typesetter=_PassingTypesetter(typesetter, switches),  # type: ignore[arg-type]  # passes everything on
            sealer=room.sealer,
            signer=signer,
            status_signer=signer,
            credential_keys=room,
            agencies=directory,
            holders=directory,
            trust=room,
            check_document=room.check_document,
            personal_key=KEY,
            public_base=BASE,
            clock=clock,
            randomness=randomness,
            ids=ids,
            lease=LEASE,
            status_list_size=list_size,
        )
        return room

    # What the desk asks of others.

    def for_agency(self, agency_id: str) -> KeyBinding:
        return self.key

    def current(self) -> TrustStore:
        self.switches.pass_by("trust")
        return self.pki.trust_store(with_crls=self.crls)

    def check_document(self, data: bytes, *, trust: TrustStore, at: Any) -> Report:
        self.switches.pass_by("inspection")
        check = Check(code="signature", outcome=self.document_outcome)
        return Report.conclude(kind="pdf", subject="", checks=(check,))

    # What parties do.

    def request(self, *, type_key: str = PERMIT, **changes: Any) -> IssueRequest:
        """A request for the company's licence of a type."""
        holder = LicenceHolder(
            kind=HolderKind.LEGAL_PERSON, name="江城滨江建设开发有限公司", code=self.company_code
        )
        given: dict[str, Any] = {
            "type_code": self.desk.types.named(type_key).code,
            "holder": holder,
            "fields": FIELDS[type_key],
            "case_number": "2026-0001",
        }
        return IssueRequest(**{**given, **changes})

    def citizens_request(self, **changes: Any) -> IssueRequest:
        holder = LicenceHolder(kind=HolderKind.CITIZEN, name="陈知远", code=self.citizen_code)
        return self.request(holder=holder, **changes)

    def issue(
        self, request: IssueRequest | None = None, *, caller: Caller | None = None, key: str | None = None
    ) -> Licence:
        return self.desk.issue(
            request or self.request(), caller or self.system, idempotency_key=key or self.new_key()
        )

    def present(
        self,
        licence: Licence,
        *,
        fields: tuple[str, ...] = ("number", "holder_name", "project_name"),
        caller: Caller | None = None,
        recipient: Recipient | None = None,
        **changes: Any,
    ) -> PresentationCode:
        request = PresentRequest(
            licence_id=licence.version.licence_id,
            recipient=recipient or Recipient(agency_id=self.other),
            purpose="办理施工许可",
            fields=fields,
            **changes,
        )
        return self.desk.present(request, caller or self.agent)

    def redeem(
        self, code: PresentationCode | str, *, caller: Caller | None = None, key: str | None = None
    ) -> Redemption:
        given = code if isinstance(code, str) else code.code
        request = RedeemRequest(code=given, item_code="000117001000", case_number="2026-0077")
        return self.desk.redeem(request, caller or self.recipient(), idempotency_key=key or self.new_key())

    def recipient(self, *, account: str = "app_2", agency: AgencyId | None = None) -> Caller:
        return Caller(
            kind=CallerKind.APPLICATION,
            account_id=account,
            agency_id=agency or self.other,
            scopes=frozenset({Scope.PRESENTATION_REDEEM}),
        )

    def strangers_officer(self) -> Caller:
        """A licence officer of the other agency."""
        return Caller(
            kind=CallerKind.STAFF,
            account_id="staff_9",
            agency_id=self.other,
            roles=frozenset({Role.LICENCE_OFFICER}),
        )

    def new_key(self) -> str:
        return f"key-{next(self._keys)}"

    # What lies behind.

    def events(self, act: str | None = None) -> list[tuple[str, str, str | None]]:
        """Act, outcome and reason of every event, in order."""
        with self.database.read() as work:
            rows = work.execute(text("SELECT act, outcome, reason FROM ledger.events ORDER BY event_id"))
            return [(row.act, row.outcome, row.reason) for row in rows if act in {None, row.act}]

    def rows_as_text(self) -> str:
        """Every row of licences and of the ledger, to look for what must not be there."""
        with self.database.work() as work:
            tables = work.execute(
                text(
                    "SELECT schemaname || '.' || tablename FROM pg_tables"
                    " WHERE schemaname IN ('licences', 'ledger')"
                )
            ).scalars()
            return "\n".join(
                str(row[0])
                for table in tables
                for row in work.execute(text(f"SELECT t::text FROM {table} t"))
            )

    def status_of(self, licence: Licence) -> str | None:
        """What a stranger reads from the signed list, or why nobody can tell."""
        version = licence.version
        token = self.desk.status_tokens.token(version.status_list_id)
        opened = status_token.open_status_token(token, trust=self.current(), at=self.clock.now())
        assert opened.statuses is not None, opened.report.reasons()
        return {0: "valid", 1: "invalid", 2: "suspended"}[opened.statuses.get(version.status_index)]


class _PassingStore:
    """The store, with points to break at."""

    def __init__(self, inner: FolderStore, switches: Switches) -> None:
        self._inner = inner
        self._switches = switches

    def put(self, *given: Any, **named: Any) -> Any:
        self._switches.pass_by("before storing")
        stored = self._inner.put(*given, **named)
        self._switches.pass_by("after storing")
        return stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _PassingTypesetter:
    """The typesetter, with a point to break at."""

    def __init__(self, inner: Typesetter, switches: Switches) -> None:
        self._inner = inner
        self._switches = switches

    def typeset(self, job: Any) -> bytes:
        self._switches.pass_by("rendering")
        return self._inner.typeset(job)


def in_parallel(count: int, act: Callable[[int], ResultT]) -> list[ResultT | YinxinError]:
    """What each of so many threads came to: its result, or the error it was refused with."""

    def attempt(number: int) -> ResultT | YinxinError:
        try:
            return act(number)
        except YinxinError as refused:
            return refused

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(attempt, range(count)))
