"""Certificates as the authorities keep them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from trust.kernel.ids import Id
from trust.kernel.states import Transitions


class CertificateIntentId(Id):
    """The intent to issue one certificate."""

    prefix = "certintent"


class Authority(StrEnum):
    """The authorities of the house; the label of each one's key is `authority/…`."""

    ROOT = "root"
    IDENTITY = "identity"  # citizens, legal persons, staff, applications
    SEALS = "seals"  # seals and licences' credential keys
    SERVICE = "service"  # timestamps and status lists


AUTHORITY_LABEL: Final = "authority/"
TIMESTAMP_LABEL: Final = "service/timestamp"
STATUS_LIST_LABEL: Final = "service/status-list"
# One responder for each issuer, under the issuer's name: it is certified by the key it answers for (RFC 6960 §4.2.2.2).
OCSP_LABEL: Final = "service/ocsp/"
LEDGER_LABEL: Final = "service/ledger"


class RevocationAct(StrEnum):
    """What is done to a certificate's standing."""

    HOLD = "hold"
    RELEASE = "release"
    REVOKE = "revoke"


class CertificateStanding(StrEnum):
    """Where a certificate stands, derived from the acts upon it."""

    GOOD = "good"  # nobody, until it ends
    HELD = "held"  # whoever put it on hold: it is released or revoked
    REVOKED = "revoked"  # nobody: final


STANDING_STEPS: Final = Transitions(
    {
        CertificateStanding.GOOD: frozenset({CertificateStanding.HELD, CertificateStanding.REVOKED}),
        CertificateStanding.HELD: frozenset({CertificateStanding.GOOD, CertificateStanding.REVOKED}),
        CertificateStanding.REVOKED: frozenset(),
    }
)
BECOMES: Final = {
    RevocationAct.HOLD: CertificateStanding.HELD,
    RevocationAct.RELEASE: CertificateStanding.GOOD,
    RevocationAct.REVOKE: CertificateStanding.REVOKED,
}
# RFC 5280 §5.3.1: the reason of whatever is on hold.
HOLD_REASON: Final = "certificate-hold"


@dataclass(frozen=True, kw_only=True)
class ActRecord:
    """One act upon a certificate: the `step`-th upon this serial, at a moment of whole seconds."""

    serial: str
    step: int
    act: RevocationAct
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a certificate stands after `steps` acts; `since` and `reason` are of a held or revoked one.

    Of a certificate that was on hold when it was revoked, `since` is when it was put on hold (X.509):
    whoever could not rely on it yesterday need not rely on it for yesterday today.
    """

    state: CertificateStanding = CertificateStanding.GOOD
    since: datetime | None = None
    reason: str | None = None
    steps: int = 0

    def after(self, act: ActRecord) -> "Standing":
        """The standing after one more act; one that does not lead anywhere from here changes nothing but the count."""
        following = BECOMES[act.act]
        if not STANDING_STEPS.allows(self.state, following):
            return replace(self, steps=act.step)
        if following is CertificateStanding.GOOD:
            return Standing(steps=act.step)
        return Standing(state=following, since=self.since or act.at, reason=act.reason, steps=act.step)


@dataclass(frozen=True, kw_only=True)
class CertificateRecord:
    """An issued certificate; `serial` is lower-case hex, `certificate` DER, `owner` the id of whose it is.

    `issuer_key` is the key id of the issuer, that is of one generation of `authority`.
    """

    serial: str
    authority: str
    issuer_key: str
    profile: str
    owner: str
    agency: str | None
    certificate: bytes
    not_before: datetime
    not_after: datetime
    standing: Standing = Standing()

    @property
    def revoked_at(self) -> datetime | None:
        """Since when it is revoked for good."""
        return self.standing.since if self.standing.state is CertificateStanding.REVOKED else None

    @property
    def revocation_reason(self) -> str | None:
        """Why it is revoked for good."""
        return self.standing.reason if self.standing.state is CertificateStanding.REVOKED else None


@dataclass(frozen=True, kw_only=True)
class IssuedCertificate:
    """A certificate fresh from its authority with the chain above it (nearest first, anchor last)."""

    serial: str
    certificate: bytes
    chain: tuple[bytes, ...]
    not_before: datetime
    not_after: datetime
