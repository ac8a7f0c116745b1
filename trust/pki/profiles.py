"""Certificate profiles as data: `profiles.json`, read once through the reader that knows the hard rules."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from trust.crypto.policy import KeyUse
from trust.pki.profile_model import Profile, ProfileName, Renewal, RenewalKey
from trust.pki.profile_reading import read_profiles
from trust.pki.usages import YINXIN_ARC

__all__ = [
    "PROFILES",
    "TIMESTAMP_POLICY",
    "Profile",
    "ProfileName",
    "Renewal",
    "RenewalKey",
    "key_use",
    "profile_of_policies",
]

SHIPPED: Final = Path(__file__).with_name("profiles.json")
# An authority outlives what it issues: root 20 years, issuing 10, and at most 5 below them.
PROFILES: Final[Mapping[ProfileName, Profile]] = read_profiles(SHIPPED)

# The policy under which our timestamp authority works, where a deployment names none of its own.
TIMESTAMP_POLICY: Final = f"{YINXIN_ARC}.2.1"


_USES: Mapping[ProfileName, KeyUse] = MappingProxyType(
    {
        ProfileName.ROOT: KeyUse.AUTHORITY,
        ProfileName.ISSUING_AUTHORITY: KeyUse.AUTHORITY,
        ProfileName.SEAL: KeyUse.SEAL,
        ProfileName.LICENCE: KeyUse.SERVICE,
        ProfileName.TIMESTAMP: KeyUse.SERVICE,
        ProfileName.SERVICE: KeyUse.SERVICE,
        ProfileName.OCSP: KeyUse.SERVICE,
        ProfileName.LEDGER: KeyUse.LEDGER,
    }
)


def key_use(profile: ProfileName) -> KeyUse:
    """What a key of this profile is for, as the algorithm policy has it; whoever is not named is a party."""
    return _USES.get(profile, KeyUse.PARTY)


def profile_of_policies(policies: tuple[str, ...]) -> ProfileName | None:
    """The profile that a certificate's policies name; None where it is not one of ours."""
    by_policy = {profile.policy: name for name, profile in PROFILES.items() if profile.policy}
    return next((by_policy[policy] for policy in policies if policy in by_policy), None)
