"""Licences, their versions and standing: what they are and which state may follow which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final

from trust.kernel.states import Transitions

# Licences begin and end with days, and the days of a licence are those of China (no summer time since 1991).
CHINA_TIME: Final = timezone(timedelta(hours=8), "UTC+08:00")


class LicenceState(StrEnum):
    """Where one version of a licence stands."""

    ISSUING = "issuing"  # the request acts next; when its lease has expired, the worker
    VALID = "valid"  # holder and recipients use it; the issuing agency may act on it
    SUSPENDED = "suspended"  # the issuing agency acts next: reinstates or cancels
    CANCELLED = "cancelled"  # nobody: final (注销)
    REPLACED = "replaced"  # nobody: final, a later version stands in its place (变更)
    ABANDONED = "abandoned"  # nobody: final, it could not be issued and never was
    LAPSED = "lapsed"  # nobody: derived from the last day of a valid or suspended one, never stored


LICENCE_STEPS: Final = Transitions(
    {
        LicenceState.ISSUING: frozenset({LicenceState.VALID, LicenceState.ABANDONED}),
        LicenceState.VALID: frozenset(
            {LicenceState.SUSPENDED, LicenceState.CANCELLED, LicenceState.REPLACED}
        ),
        LicenceState.SUSPENDED: frozenset({LicenceState.VALID, LicenceState.CANCELLED}),
    }
)


class HolderKind(StrEnum):
    """Who may hold a licence (持证主体); the values are those of the types' `HolderKind`."""

    CITIZEN = "citizen"
    LEGAL_PERSON = "legal_person"
    ORGANISATION = "organisation"


@dataclass(frozen=True, kw_only=True)
class LicenceHolder:
    """The holder as named on the licence: a resident id number for citizens, a USCC for all others."""

    kind: HolderKind
    name: str
    code: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AgencyRows:
    """The scope of an agency: the licences it issued."""

    agency_id: str


@dataclass(frozen=True, kw_only=True)
class HolderRows:
    """The scope of a holder: the licences that bear the holder's number, by its blind index."""

    holder_index: bytes


@dataclass(frozen=True, kw_only=True)
class EveryRow:
    """No bounds: the worker, and look-ups by a secret that is itself the right to see."""


LicenceScope = AgencyRows | HolderRows | EveryRow


@dataclass(frozen=True, kw_only=True)
class LicenceContent:
    """What is personal in one version; kept sealed, and erasable.

    `payload` and `disclosures` are those of the SD-JWT VC, made once so that every attempt signs the same.
    """

    holder: LicenceHolder
    issuer_name: str
    number: str
    fields: Mapping[str, Any]
    payload: Mapping[str, Any]
    disclosures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LicenceVersion:
    """One version of a licence, without anything personal but the masked name of its holder.

    `current` says that no later issued version stands in its place. `valid_until` (inclusive) None is without
    end. `requested_by` is the account that asked, `item_code` and `case_number` what it was issued in.
    """

    version_id: str
    licence_id: str
    agency_id: str
    type_code: str
    issuer_code: str
    version: int
    identifier: str
    replaces: str | None
    holder_kind: HolderKind
    holder_index: bytes = field(repr=False)
    masked_holder: str
    status_list_id: str
    status_index: int
    public_token: str = field(repr=False)
    issued_on: date
    valid_from: date
    valid_until: date | None
    item_code: str
    case_number: str | None
    key_id: str
    requested_by: str
    created_at: datetime
    stored_state: LicenceState
    step: int

    def state_on(self, day: date) -> LicenceState:
        """The state on a day of China: as stored, or lapsed where the last day is over."""
        living = self.stored_state in {LicenceState.VALID, LicenceState.SUSPENDED}
        if living and self.valid_until is not None and day > self.valid_until:
            return LicenceState.LAPSED
        return self.stored_state


@dataclass(frozen=True, kw_only=True)
class LicenceOutput:
    """Where an issued version's document lies, and the seal use that sealed it."""

    document_key: str
    document_version: str
    document_sha256: bytes
    document_size: int
    seal_use_id: str
    issued_at: datetime


@dataclass(frozen=True, kw_only=True)
class Licence:
    """A licence as its holder and its issuer see it: facts, standing today and content.

    `public_url` is what its QR code says.
    """

    version: LicenceVersion
    state: LicenceState
    content: LicenceContent
    output: LicenceOutput | None
    public_url: str


@dataclass(frozen=True, kw_only=True)
class LicenceSummary:
    """A licence in a list; the type's key is for finding its names."""

    version: LicenceVersion
    state: LicenceState
    type_key: str


@dataclass(frozen=True, kw_only=True)
class PublicLicence:
    """What anybody may know who has the token printed on a licence: standing and a masked name."""

    state: LicenceState
    masked_holder: str
    type_name_zh: str
    type_name_en: str
    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class IssueRequest:
    """What an application or officer asks to be issued.

    `valid_from` None is today. `valid_until` only where the type says that the issuer states it.
    """

    type_code: str
    holder: LicenceHolder
    fields: Mapping[str, Any]
    valid_from: date | None = None
    valid_until: date | None = None
    case_number: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeRequest:
    """What a licence is to say from now on (变更). The holder's number stays; a None leaves what is there."""

    licence_id: str
    reason: str
    holder_name: str | None = None
    fields: Mapping[str, Any] | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    case_number: str | None = None


def day_in_china(moment: datetime) -> date:
    """The date in China at that moment."""
    return moment.astimezone(CHINA_TIME).date()


def first_moment(day: date) -> datetime:
    """The beginning of that day in China, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA_TIME).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The first moment after that day in China, in UTC; raises OverflowError beyond the year 9999."""
    return first_moment(day + timedelta(days=1))


def masked_name(kind: HolderKind, name: str) -> str:
    """A name that its bearer knows again and a stranger does not learn.

    Citizens: all but the last character hidden (张三丰 → **丰). Others: two characters at each end shown.
    """
    if kind is HolderKind.CITIZEN:
        return "*" * max(len(name) - 1, 1) + (name[-1] if len(name) > 1 else "")
    shown = 2 if len(name) > 5 else 1
    hidden = max(len(name) - 2 * shown, 1)
    return name[:shown] + "*" * hidden + (name[-shown:] if len(name) > 2 * shown else "")
