"""An identity desk to test with: agencies, staff, citizens and applications in one line each."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import text

from api.wiring import Services
from identity.caller import Caller, Role, Scope
from identity.desk import IdentityDesk, IdentitySettings, build_identity
from identity.ids import AgencyId, OrganisationId
from identity.model import Agency, Application, Organisation, OrganisationKind
from identity.numbers import ResidentIdNumber, resident_check_character, uscc_check_character
from identity.ports import IssuedCertificate
from identity.signin.access_tokens import ASSERTION_TYPE, GRANT_TYPE, TokenRequest
from identity.signin.enrolments import NamedPerson
from identity.signin.passwords import HashCost
from identity.signin.sessions import SignedIn
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.ledger.ledger import Ledger
from trust.storage.database import Database

ISSUER = "https://yinxin.example"
PASSWORD = "correct horse battery"
KEY = bytes(range(32))
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def resident_number(sequence: int) -> str:
    """A well-formed resident id number for tests, by sequence."""
    body = f"420102{1950 + sequence // 1000 % 60}0101{sequence % 1000:03d}"
    return body + resident_check_character(body)


def uscc(sequence: int, head: str = "91") -> str:
    """A well-formed unified social credit code, by sequence."""
    body = f"{head}420100{sequence:09d}"
    return body + uscc_check_character(body)


class SetClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass(kw_only=True)
class PaperAuthority:
    """Issues real certificates under one key of its own, without any of the authority's procedure."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    issued: list[dict[str, Any]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    revoked: dict[str, str] = field(default_factory=dict)
    before_answering: Any = None

    def issue(
        self, *, profile: str, subject: Mapping[str, str], csr: bytes, owner: str, agency: str | None
    ) -> IssuedCertificate:
        request = x509.load_pem_x509_csr(csr)
        serial = x509.random_serial_number()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject["CN"])])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Paper")]))
            .public_key(request.public_key())
            .serial_number(serial)
            .not_valid_before(NOON)
            .not_valid_after(NOON + timedelta(days=365))
            .sign(self.key, SHA256())
        )
        self.issued.append({"profile": profile, "subject": dict(subject), "owner": owner, "agency": agency})
        if self.before_answering is not None:
            self.before_answering()
        return IssuedCertificate(
            serial=f"{serial:x}", certificate=certificate.public_bytes(Encoding.DER), chain=()
        )

    def hold(self, serial: str) -> None:
        self.held.add(serial)

    def release(self, serial: str) -> None:
        self.held.discard(serial)

    def revoke(self, serial: str, reason: str) -> None:
        self.revoked.setdefault(serial, reason)


def csr_pem(key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """A certificate signing request for a fresh key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ignored")])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )


@dataclass(kw_only=True)
class Program:
    """An application with its private key."""

    application: Application
    key: ECKey

    def assertion(
        self, clock: SetClock, *, header: Mapping[str, Any] | None = None, without: str = "", **changes: Any
    ) -> str:
        """A client assertion that holds, or does not by one change."""
        now = int(clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.application.id,
            "sub": self.application.id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": f"jti-{next(_numbers)}",
        } | changes
        claims.pop(without, None)
        return jwt.encode({"alg": "ES256", **(header or {})}, claims, self.key)

    def request(self, clock: SetClock, *, scope: str | None = None, **changes: Any) -> TokenRequest:
        """A whole token request."""
        return TokenRequest(
            grant_type=GRANT_TYPE,
            client_assertion_type=ASSERTION_TYPE,
            client_assertion=self.assertion(clock, **changes),
            scope=scope,
        )


@dataclass(kw_only=True)
class IdentityRoom:
    """The desk with everything around it, on a fresh database."""

    database: Database
    clock: SetClock
    ledger: Ledger
    authority: PaperAuthority
    desk: IdentityDesk
    _administrator: Caller | None = None

    @classmethod
    def open(cls, database: Database) -> "IdentityRoom":
        clock, randomness = SetClock(), SystemRandomness()
        ids = Ids(clock, randomness)
        ledger = Ledger(database, clock=clock, randomness=randomness, ids=ids)
        authority = PaperAuthority()
        desk = build_identity(
            ledger=ledger,
            clock=clock,
            randomness=randomness,
            ids=ids,
            personal_data_key=KEY,
            issuer=authority,
            settings=IdentitySettings(issuer=ISSUER, hash_cost=HashCost(passes=1, memory_kib=8, lanes=1)),
        )
        return cls(database=database, clock=clock, ledger=ledger, authority=authority, desk=desk)

    @classmethod
    def over(cls, services: Services) -> "IdentityRoom":
        """The room over a whole house's own desk."""
        return cls(
            database=services.database,
            clock=SetClock(services.clock.now()),
            ledger=services.ledger,
            authority=PaperAuthority(),
            desk=services.identity,
        )

    def sign_in(self, username: str, *, organisation_id: OrganisationId | None = None) -> SignedIn:
        return self.desk.sessions.sign_in(
            username=username, password=PASSWORD, address="192.0.2.1", organisation_id=organisation_id
        )

    @property
    def administrator(self) -> Caller:
        """The first platform administrator."""
        if self._administrator is None:
            link = self.desk.enrolments.bootstrap()
            assert link is not None
            first = NamedPerson(name="张首", number=ResidentIdNumber.parse(resident_number(next(_numbers))))
            self.desk.enrolments.redeem(token=link.token, username="platform", password=PASSWORD, first=first)
            self._administrator = self.sign_in("platform").caller
        return self._administrator

    def take_over(self, username: str, password: str) -> None:
        """Goes on as a platform administrator who has enrolled otherwise, with numbers of others' left behind."""
        for _ in range(100):
            next(_numbers)
        self._administrator = self.desk.sessions.sign_in(
            username=username, password=password, address="192.0.2.1"
        ).caller

    def agency(self) -> tuple[Agency, Caller]:
        """A new agency and its administrator."""
        number = next(_numbers)
        agency = self.desk.agencies.create(
            self.administrator,
            uscc=uscc(number, "11"),
            code=f"AG{number}",
            name_zh="规划局",
            name_en="Planning Bureau",
        )
        return agency, self.staff(self.administrator, Role.AGENCY_ADMINISTRATOR, agency_id=agency.id)

    def staff(
        self, by: Caller, *roles: Role, agency_id: AgencyId | None = None, number: str | None = None
    ) -> Caller:
        """A member of staff, invited and enrolled; a supervisor by the platform, whoever is named."""
        if Role.SUPERVISOR in roles:
            by, agency_id = self.administrator, None
        username = f"staff{next(_numbers)}"
        invitation = self.desk.staff.invite(
            by,
            name="李办",
            resident_id_number=number or resident_number(next(_numbers)),
            roles=frozenset(roles),
            agency_id=agency_id,
        )
        self.desk.enrolments.redeem(token=invitation.link.token, username=username, password=PASSWORD)
        return self.sign_in(username).caller

    def username_of(self, caller: Caller) -> str:
        """The name that an account signs in by."""
        query = text("SELECT username FROM identity.credentials WHERE account_id = :id")
        with self.database.work() as work:
            return str(work.execute(query, {"id": caller.account_id}).scalar_one())

    def citizen(self, *, number: str | None = None, username: str | None = None) -> Caller:
        """A registered citizen."""
        username = username or f"citizen{next(_numbers)}"
        self.desk.citizens.register(
            name="王民",
            resident_id_number=number or resident_number(next(_numbers)),
            username=username,
            password=PASSWORD,
            address="192.0.2.2",
        )
        return self.sign_in(username).caller

    def company(self, agent: Caller) -> Organisation:
        """A company registered by its first agent."""
        return self.desk.organisations.register(
            agent, uscc=uscc(next(_numbers)), name="武汉某某有限公司", kind=OrganisationKind.LEGAL_PERSON
        )

    def program(self, by: Caller, *scopes: Scope) -> Program:
        """A registered application with its key."""
        key = ECKey.generate_key("P-256")
        application = self.desk.applications.register(
            by,
            name="审批系统",
            public_jwk=key.as_dict(private=False),
            scopes=frozenset(scopes or {Scope.SEAL_USE}),
        )
        return Program(application=application, key=key)

    def events(self, act: str) -> list[dict[str, Any]]:
        """The recorded events of an act, oldest first, each with its content."""
        query = text(
            "SELECT e.*, c.content FROM ledger.events e LEFT JOIN ledger.event_contents c USING (event_id)"
            " WHERE act = :act ORDER BY event_id"
        )
        with self.database.work() as work:
            return [dict(row._mapping) for row in work.execute(query, {"act": act})]

    def everything_written(self) -> str:
        """Every row of identity and ledger as text, to look for what must not be there."""
        with self.database.work() as work:
            tables = work.execute(
                text(
                    "SELECT schemaname || '.' || tablename FROM pg_tables"
                    " WHERE schemaname IN ('identity', 'ledger')"
                )
            ).scalars()
            return "\n".join(
                str(row[0])
                for table in tables
                for row in work.execute(text(f"SELECT t::text FROM {table} t"))
            )
