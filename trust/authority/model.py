"""Certificates as the authorities keep them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from trust.kernel.ids import Id


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
LEDGER_LABEL: Final = "service/ledger"
# Signs checkpoints beside the ledger's key, by an algorithm for the long term; published with it.
LEDGER_LONG_TERM_LABEL: Final = "service/ledger/long-term"


@dataclass(frozen=True, kw_only=True)
class CertificateRecord:
    """An issued certificate; `serial` is lower-case hex, `certificate` DER, `owner` the id of whose it is."""

    serial: str
    authority: Authority
    profile: str
    owner: str
    agency: str | None
    certificate: bytes
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None
    revocation_reason: str | None


@dataclass(frozen=True, kw_only=True)
class IssuedCertificate:
    """A certificate fresh from its authority with the chain above it (nearest first, anchor last)."""

    serial: str
    certificate: bytes
    chain: tuple[bytes, ...]
    not_before: datetime
    not_after: datetime
