"""Presentations, redemptions and the usage log: what they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

# A code is for the counter or for an application filled in at home; longer than a day it would be a standing leave.
MAX_MINUTES: Final = 24 * 60
DEFAULT_MINUTES: Final = 15
MAX_PURPOSE: Final = 200


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who may redeem: any application of the agency with the scope, or one application of it alone."""

    agency_id: str
    application_id: str | None = None

    def includes(self, *, agency_id: str | None, application_id: str) -> bool:
        """Whether this application of this agency was meant."""
        return agency_id == self.agency_id and self.application_id in {None, application_id}


@dataclass(frozen=True, kw_only=True)
class PresentRequest:
    """What a holder chooses: which licence, for whom, what for, which fields, for how many minutes."""

    licence_id: str
    recipient: Recipient
    purpose: str
    fields: tuple[str, ...]
    minutes: int = DEFAULT_MINUTES


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """A holder's leave. `agency_id` is the agency that issued the licence."""

    presentation_id: str
    licence_id: str
    version_id: str
    agency_id: str
    holder_index: bytes = field(repr=False)
    recipient: Recipient
    purpose: str
    fields: tuple[str, ...]
    presented_by: str
    created_at: datetime
    expires_at: datetime
    redeemed: bool


@dataclass(frozen=True, kw_only=True)
class PresentationCode:
    """What the holder hands over; the code exists nowhere else, only its digest is kept."""

    presentation_id: str
    code: str = field(repr=False)
    qr_payload: str = field(repr=False)
    fields: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class RedeemRequest:
    """What the recipient sends. Item and case say in which matter; `operator` who is at work there."""

    code: str = field(repr=False)
    item_code: str | None = None
    case_number: str | None = None
    operator: str | None = None


@dataclass(frozen=True, kw_only=True)
class Redemption:
    """What the recipient gets: the credential with the agreed disclosures alone, its report, and those fields."""

    redemption_id: str
    presentation_id: str
    licence_id: str
    type_code: str
    purpose: str
    fields: Mapping[str, Any] = field(repr=False)
    report: Mapping[str, Any] = field(repr=False)
    credential: str = field(repr=False)
    redeemed_at: datetime


class UsageAct(StrEnum):
    """What was done with a licence."""

    PRESENTED = "presented"  # the holder made a code
    REDEEMED = "redeemed"  # the recipient was shown the fields
    REFUSED = "refused"  # somebody tried to redeem and was refused
    DOWNLOADED = "downloaded"  # the document or credential was read, by the holder or the issuer


@dataclass(frozen=True, kw_only=True)
class UsageEntry:
    """One attempt: names of fields, never their values. `by_agency` is the agency the actor belongs to."""

    entry_id: str
    licence_id: str
    version_id: str
    presentation_id: str | None
    act: UsageAct
    reason_code: str | None
    actor_kind: str
    actor_id: str
    by_agency: str | None
    recipient: Recipient | None
    purpose: str | None
    item_code: str | None
    case_number: str | None
    requested_fields: tuple[str, ...]
    shown_fields: tuple[str, ...]
    at: datetime
