"""Certificate profiles as data: what each kind of certificate is for, holds, and how long it lasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from trust.crypto.policy import KeyUse
from trust.pki.usages import YINXIN_ARC, ExtendedKeyUsage, KeyUsage


class ProfileName(StrEnum):
    """The kinds of certificates this house issues."""

    ROOT = "root"
    ISSUING_AUTHORITY = "issuing-authority"
    CITIZEN = "citizen"
    LEGAL_PERSON = "legal-person"
    ORGANISATION = "organisation"
    STAFF = "staff"
    APPLICATION = "application"
    SEAL = "seal"
    LICENCE = "licence"
    TIMESTAMP = "timestamp"
    SERVICE = "service"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of certificate.

    `path_length` is set for authorities only. `critical_extended_key_usage` is what RFC 3161 §2.3 asks of
    timestamp authorities. `required` and `allowed` are short subject attribute names; `validity` the longest
    time from not-before to not-after; `policy` the certificate policy OID, None for the root.
    """

    name: ProfileName
    key_usage: frozenset[KeyUsage]
    extended_key_usage: tuple[ExtendedKeyUsage, ...] = ()
    critical_extended_key_usage: bool = False
    is_authority: bool = False
    path_length: int | None = None
    validity: timedelta
    policy: str | None
    required: frozenset[str] = frozenset({"C", "CN"})
    allowed: frozenset[str] = frozenset()

    @property
    def subject_attributes(self) -> frozenset[str]:
        """Every attribute a subject may have."""
        return self.required | self.allowed


_YEAR = timedelta(days=366)
_SIGNING = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.CONTENT_COMMITMENT})
_DIGITAL = frozenset({KeyUsage.DIGITAL_SIGNATURE})
_AUTHORITY = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})
_PARTY = (ExtendedKeyUsage.CLIENT_AUTHENTICATION, ExtendedKeyUsage.DOCUMENT_SIGNING)
_ADDRESS = frozenset({"ST", "L"})
_ORGANISED = frozenset({"C", "O", "CN"})
_UNITS = frozenset({"OU", "organizationIdentifier", "serialNumber"}) | _ADDRESS


def _policy(number: int) -> str:
    return f"{YINXIN_ARC}.1.{number}"


# An authority outlives what it issues: root 20 years, issuing 10, and at most 5 below them.
PROFILES: Mapping[ProfileName, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                name=ProfileName.ROOT,
                key_usage=_AUTHORITY,
                is_authority=True,
                path_length=1,
                validity=20 * _YEAR,
                policy=None,
                required=_ORGANISED,
                allowed=frozenset({"OU"}) | _ADDRESS,
            ),
            Profile(
                name=ProfileName.ISSUING_AUTHORITY,
                key_usage=_AUTHORITY,
                is_authority=True,
                path_length=0,
                validity=10 * _YEAR,
                policy=_policy(1),
                required=_ORGANISED,
                allowed=frozenset({"OU"}) | _ADDRESS,
            ),
            Profile(
                name=ProfileName.CITIZEN,
                key_usage=_SIGNING,
                extended_key_usage=_PARTY,
                validity=5 * _YEAR,
                policy=_policy(2),
                required=frozenset({"C", "CN", "serialNumber"}),
                allowed=frozenset({"SN", "GN"}),
            ),
            Profile(
                name=ProfileName.LEGAL_PERSON,
                key_usage=_SIGNING,
                extended_key_usage=_PARTY,
                validity=5 * _YEAR,
                policy=_policy(3),
                required=frozenset({"C", "O", "organizationIdentifier", "CN"}),
                allowed=_UNITS,
            ),
            Profile(
                name=ProfileName.ORGANISATION,
                key_usage=_SIGNING,
                extended_key_usage=_PARTY,
                validity=5 * _YEAR,
                policy=_policy(4),
                required=_ORGANISED,
                allowed=_UNITS,
            ),
            Profile(
                name=ProfileName.STAFF,
                key_usage=_SIGNING,
                extended_key_usage=_PARTY,
                validity=3 * _YEAR,
                policy=_policy(5),
                required=frozenset({"C", "O", "CN", "serialNumber"}),
                allowed=frozenset({"OU", "title", "SN", "GN", "organizationIdentifier"}),
            ),
            Profile(
                name=ProfileName.APPLICATION,
                key_usage=_DIGITAL,
                extended_key_usage=(ExtendedKeyUsage.CLIENT_AUTHENTICATION,),
                validity=2 * _YEAR,
                policy=_policy(6),
                required=_ORGANISED,
                allowed=_UNITS,
            ),
            Profile(
                name=ProfileName.SEAL,
                key_usage=_SIGNING,
                extended_key_usage=(ExtendedKeyUsage.DOCUMENT_SIGNING,),
                validity=5 * _YEAR,
                policy=_policy(7),
                required=_ORGANISED,
                allowed=_UNITS,
            ),
            Profile(
                name=ProfileName.LICENCE,
                key_usage=_SIGNING,
                extended_key_usage=(ExtendedKeyUsage.CREDENTIAL_SIGNING,),
                validity=5 * _YEAR,
                policy=_policy(8),
                required=_ORGANISED,
                allowed=_UNITS,
            ),
            Profile(
                name=ProfileName.TIMESTAMP,
                key_usage=_DIGITAL,
                extended_key_usage=(ExtendedKeyUsage.TIMESTAMPING,),
                critical_extended_key_usage=True,
                validity=5 * _YEAR,
                policy=_policy(9),
                required=_ORGANISED,
                allowed=_UNITS,
            ),
            Profile(
                name=ProfileName.SERVICE,
                key_usage=_DIGITAL,
                extended_key_usage=(ExtendedKeyUsage.STATUS_SIGNING,),
                validity=2 * _YEAR,
                policy=_policy(10),
                required=_ORGANISED,
                allowed=_UNITS,
            ),
        )
    }
)

# The policy under which our timestamp authority works, where a deployment names none of its own.
TIMESTAMP_POLICY = f"{YINXIN_ARC}.2.1"


_USES: Mapping[ProfileName, KeyUse] = MappingProxyType(
    {
        ProfileName.ROOT: KeyUse.AUTHORITY,
        ProfileName.ISSUING_AUTHORITY: KeyUse.AUTHORITY,
        ProfileName.SEAL: KeyUse.SEAL,
        ProfileName.LICENCE: KeyUse.SERVICE,
        ProfileName.TIMESTAMP: KeyUse.SERVICE,
        ProfileName.SERVICE: KeyUse.SERVICE,
    }
)


def key_use(profile: ProfileName) -> KeyUse:
    """What a key of this profile is for, as the algorithm policy has it; whoever is not named is a party."""
    return _USES.get(profile, KeyUse.PARTY)


def profile_of_policies(policies: tuple[str, ...]) -> ProfileName | None:
    """The profile that a certificate's policies name; None where it is not one of ours."""
    by_policy = {profile.policy: name for name, profile in PROFILES.items() if profile.policy}
    return next((by_policy[policy] for policy in policies if policy in by_policy), None)
