"""What identity keeps, as its services and callers see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from typing import Final, Generic, TypeVar

from identity.caller import ADMINISTRATORS, SEAL_ROLES, Role, Scope
from identity.ids import (
    AgencyId,
    AgentId,
    ApplicationId,
    CertificateRequestId,
    CitizenId,
    OrganisationId,
    PersonId,
    ServiceItemId,
    SessionId,
    StaffId,
)
from trust.kernel.states import Transitions

ItemT = TypeVar("ItemT")


class EveryAgency(Enum):
    """The scope of a query that is not bound to one agency; only a platform administrator's."""

    EVERY = "every"


AgencyScope = AgencyId | EveryAgency


class AssuranceLevel(IntEnum):
    """How surely an account belongs to the person it names (实名等级)."""

    SELF_ASSERTED = 2  # name and number given by the person, the number's form checked
    MATCHED = 3  # two factors matched with the base register
    DOCUMENT_SEEN = 4  # person, name and document checked together
    COUNTER = 5  # by certificate or at a counter


@dataclass(frozen=True, kw_only=True)
class Page(Generic[ItemT]):
    """One page of a list; `next` is the cursor of the following page, None on the last."""

    items: tuple[ItemT, ...]
    next: str | None = None

    @classmethod
    def of(cls, rows: Sequence[ItemT], limit: int, cursor: Callable[[ItemT], str]) -> "Page[ItemT]":
        """A page of at most `limit` items from a query that asked for one more."""
        if len(rows) <= limit:
            return cls(items=tuple(rows))
        return cls(items=tuple(rows[:limit]), next=cursor(rows[limit - 1]))


# A page is read by a person or a program in one go; more is asked for by the cursor.
MAX_PAGE_ITEMS: Final = 100


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """Where a page begins (after the item of this id, None for the first) and how long it may be."""

    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, kw_only=True)
class Agency:
    """A government agency; `code` is its short name in codes and paths, `uscc` its GB 32100 code."""

    id: AgencyId
    uscc: str
    code: str
    name_zh: str
    name_en: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class ServiceItem:
    """A kind of matter an agency handles (事项); `code` is unique within the agency."""

    id: ServiceItemId
    agency_id: AgencyId
    code: str
    name_zh: str
    name_en: str
    created_at: datetime


class StaffState(StrEnum):
    """Where a member of staff's account stands."""

    INVITED = "invited"  # the invited person acts next: redeems the link
    ACTIVE = "active"  # the person works; an administrator may deactivate
    DEACTIVATED = "deactivated"  # nobody: final, a return is a new invitation


STAFF_STATES: Final = Transitions(
    {
        StaffState.INVITED: frozenset({StaffState.ACTIVE, StaffState.DEACTIVATED}),
        StaffState.ACTIVE: frozenset({StaffState.DEACTIVATED}),
    }
)


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """A person's account at one agency; `agency_id` is None for platform administrators alone."""

    id: StaffId
    agency_id: AgencyId | None
    person_id: PersonId
    name: str
    roles: frozenset[Role]
    state: StaffState
    invited_at: datetime

    @property
    def administers(self) -> bool:
        """Whether the account holds an administrator's role."""
        return bool(self.roles & ADMINISTRATORS)


def roles_conflict(roles: frozenset[Role]) -> bool:
    """Whether roles stand together that one person may not hold: administering and sealing."""
    return bool(roles & ADMINISTRATORS) and bool(roles & SEAL_ROLES)


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """A citizen's account. The resident id number is known masked only; see `identity.personal`."""

    id: CitizenId
    person_id: PersonId
    name: str
    masked_number: str
    assurance_level: AssuranceLevel
    registered_at: datetime


class OrganisationKind(StrEnum):
    """What an organisation is in law; decides its certificate profile."""

    LEGAL_PERSON = "legal-person"
    OTHER = "organisation"


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """A legal person or other organisation (法人、其他组织), known by its GB 32100 code."""

    id: OrganisationId
    uscc: str
    kind: OrganisationKind
    name: str
    assurance_level: AssuranceLevel
    registered_at: datetime


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A citizen's authorisation to act for an organisation (经办人), from `valid_from` until `valid_until`.

    `valid_until` is exclusive; None, for the registering agent alone, means until withdrawn.
    `may_authorise` says whether the agent may authorise and withdraw others.
    """

    id: AgentId
    organisation_id: OrganisationId
    citizen_id: CitizenId
    valid_from: datetime
    valid_until: datetime | None
    may_authorise: bool
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Application:
    """A program that acts for an agency, such as an approval system; known by its public key (RFC 7517)."""

    id: ApplicationId
    agency_id: AgencyId
    name: str
    public_jwk: Mapping[str, str]
    scopes: frozenset[Scope]
    registered_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What an account signs in with. The hash is a PHC string of argon2id, kept out of every representation."""

    account_id: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A person's sign-in; `organisation_id` names whom an agent acts for during it."""

    id: SessionId
    account_id: str
    organisation_id: OrganisationId | None
    opened_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class RevocationReason(StrEnum):
    """Why a certificate is revoked: the reasons of RFC 5280 §5.3.1 that a person may give."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation-of-operation"
    PRIVILEGE_WITHDRAWN = "privilege-withdrawn"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate issued to a party: DER, with the chain that issued it.

    `owner` is the account or organisation it was issued to, `agency_id` the agency of a staff or application
    owner. `suspended_at` and `suspended_by` are there while it is on hold; `suspensions` counts holds and releases.
    """

    request_id: CertificateRequestId
    serial: str
    profile: str
    owner: str
    agency_id: AgencyId | None
    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)
    not_before: datetime
    not_after: datetime
    issued_at: datetime
    suspensions: int = 0
    suspended_at: datetime | None = None
    suspended_by: str | None = None
    revoked_at: datetime | None = None
    revocation_reason: RevocationReason | None = None


@dataclass(frozen=True, kw_only=True)
class Me:
    """What a signed-in caller is told about themselves; the resident id number masked."""

    kind: str
    account_id: str
    name: str
    person_id: PersonId | None = None
    masked_number: str | None = None
    assurance_level: AssuranceLevel | None = None
    agency: Agency | None = None
    organisation: Organisation | None = None
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()
