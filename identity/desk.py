"""Identity put together: the services that routes and workers reach, made once by the wiring."""

from dataclasses import dataclass, field
from datetime import timedelta

from identity.agencies import Agencies
from identity.applications import Applications
from identity.authentication import Authentication
from identity.certificates.service import Certificates
from identity.citizens import Citizens
from identity.directory import Directory
from identity.organisations import Organisations
from identity.people import People
from identity.personal import PersonalDataCipher
from identity.ports import CertificateIssuer
from identity.signin.access_tokens import AccessTokens
from identity.signin.enrolments import Enrolments
from identity.signin.passwords import HashCost, Passwords
from identity.signin.sessions import SessionLimits, Sessions
from identity.signin.throttle import Throttle
from identity.staff import Staff
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.ledger.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class IdentitySettings:
    """What a deployment decides. `issuer` is the service's identifier: the audience of client assertions."""

    issuer: str
    hash_cost: HashCost = field(default_factory=HashCost)
    session_limits: SessionLimits = field(default_factory=SessionLimits)
    enrolment_lifetime: timedelta = timedelta(hours=72)


@dataclass(frozen=True, kw_only=True)
class IdentityDesk:
    """The services of identity."""

    enrolments: Enrolments
    agencies: Agencies
    staff: Staff
    citizens: Citizens
    organisations: Organisations
    applications: Applications
    sessions: Sessions
    access_tokens: AccessTokens
    authentication: Authentication
    certificates: Certificates
    directory: Directory
    people: People


def build_identity(
    *,
    ledger: Ledger,
    clock: Clock,
    randomness: Randomness,
    ids: Ids,
    personal_data_key: bytes,
    issuer: CertificateIssuer,
    settings: IdentitySettings,
) -> IdentityDesk:
    """Makes the services. `personal_data_key` is 32 octets that lie outside the data folder."""
    cipher = PersonalDataCipher(personal_data_key, randomness)
    people = People(cipher=cipher, clock=clock, ids=ids)
    passwords = Passwords(randomness=randomness, cost=settings.hash_cost)
    throttle = Throttle(cipher=cipher, clock=clock)
    limits = settings.session_limits
    enrolments = Enrolments(
        ledger=ledger,
        clock=clock,
        ids=ids,
        randomness=randomness,
        passwords=passwords,
        people=people,
        lifetime=settings.enrolment_lifetime,
    )
    return IdentityDesk(
        enrolments=enrolments,
        agencies=Agencies(ledger=ledger, clock=clock, ids=ids),
        staff=Staff(ledger=ledger, clock=clock, ids=ids, people=people, enrolments=enrolments),
        citizens=Citizens(
            ledger=ledger, clock=clock, ids=ids, people=people, passwords=passwords, throttle=throttle
        ),
        organisations=Organisations(ledger=ledger, clock=clock, ids=ids),
        applications=Applications(ledger=ledger, clock=clock, ids=ids),
        sessions=Sessions(
            ledger=ledger,
            clock=clock,
            ids=ids,
            randomness=randomness,
            passwords=passwords,
            throttle=throttle,
            limits=limits,
        ),
        access_tokens=AccessTokens(ledger=ledger, clock=clock, randomness=randomness, issuer=settings.issuer),
        authentication=Authentication(ledger=ledger, clock=clock, people=people, limits=limits),
        certificates=Certificates(ledger=ledger, clock=clock, ids=ids, issuer=issuer),
        directory=Directory(people=people),
        people=people,
    )
