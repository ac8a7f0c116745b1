"""What a certificate profile says: what a kind of certificate is for, holds, and how long it lasts."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from trust.pki.usages import ExtendedKeyUsage, KeyUsage


class ProfileName(StrEnum):
    """The kinds of certificates this house issues."""

    ROOT = "root"
    ISSUING_AUTHORITY = "issuing-authority"
    CROSS = "cross"  # one key of a root certified by another of the same root (RFC 4210 §4.4)
    CITIZEN = "citizen"
    LEGAL_PERSON = "legal-person"
    ORGANISATION = "organisation"
    STAFF = "staff"
    APPLICATION = "application"
    SEAL = "seal"
    LICENCE = "licence"
    TIMESTAMP = "timestamp"
    SERVICE = "service"
    OCSP = "ocsp"
    LEDGER = "ledger"


class RenewalKey(StrEnum):
    """Which key a renewed certificate is for."""

    SAME = "same"  # whoever holds the key keeps it
    NEW = "new"  # made anew each time; the old one signs no more


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """When a certificate is renewed, counted back from its end, and for which key."""

    before: timedelta
    key: RenewalKey


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of certificate.

    `path_length` is set for authorities only. `critical_extended_key_usage` is what RFC 3161 §2.3 asks of
    timestamp authorities, `ocsp_no_check` is RFC 6960 §4.2.2.2.1. `required` and `allowed` are short subject
    attribute names; `validity` the longest time from not-before to not-after; `policy` the certificate policy OID,
    None for the root; `further_policies` are a deployment's own; `cps` the address of its practice statement,
    written as a qualifier of `policy`.
    """

    name: ProfileName
    key_usage: frozenset[KeyUsage]
    extended_key_usage: tuple[ExtendedKeyUsage, ...] = ()
    critical_extended_key_usage: bool = False
    ocsp_no_check: bool = False
    is_authority: bool = False
    path_length: int | None = None
    validity: timedelta
    policy: str | None
    further_policies: tuple[str, ...] = ()
    cps: str | None = None
    required: frozenset[str] = frozenset({"C", "CN"})
    allowed: frozenset[str] = frozenset()
    renewal: Renewal = Renewal(before=timedelta(days=60), key=RenewalKey.SAME)

    @property
    def subject_attributes(self) -> frozenset[str]:
        """Every attribute a subject may have."""
        return self.required | self.allowed

    @property
    def policies(self) -> tuple[str, ...]:
        """Every policy a certificate names, ours first; none for the root."""
        return () if self.policy is None else (self.policy, *self.further_policies)
