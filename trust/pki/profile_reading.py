"""Reads profiles from JSON and holds them against the rules that no file may bend.

The shipped file says everything about every profile. A deployment's own file may say, of any profile, how long its
certificates last, which attributes they may have besides, which policies they name besides and where the practice
statement lies; what a key may be used for is not a deployment's to say. An unknown key is refused.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from trust.pki.errors import ProfilesRefused
from trust.pki.names import SHORT_NAMES
from trust.pki.profile_model import Profile, ProfileName, Renewal, RenewalKey
from trust.pki.usages import ExtendedKeyUsage, KeyUsage

# Thirteen profiles take 5 KiB.
_MAX_FILE_OCTETS: Final = 256 * 1024
_MAX_FURTHER_POLICIES: Final = 8
_MAX_URI_CHARACTERS: Final = 200
_DAY: Final = timedelta(days=1)
# Beyond these nobody can say that an algorithm still holds; an answer's signer that nobody asks about (RFC 6960
# §4.2.2.2.1) must be short-lived.
_LONGEST: Final[Mapping[ProfileName, int]] = {
    ProfileName.ROOT: 30 * 366,
    ProfileName.CROSS: 30 * 366,
    ProfileName.ISSUING_AUTHORITY: 15 * 366,
    ProfileName.OCSP: 90,
}
_LONGEST_LEAF: Final = 10 * 366
_KEY_USAGES: Final[Mapping[str, KeyUsage]] = {
    "digitalSignature": KeyUsage.DIGITAL_SIGNATURE,
    "contentCommitment": KeyUsage.CONTENT_COMMITMENT,
    "keyCertSign": KeyUsage.KEY_CERT_SIGN,
    "cRLSign": KeyUsage.CRL_SIGN,
}
_EXTENDED: Final[Mapping[str, ExtendedKeyUsage]] = {
    "clientAuthentication": ExtendedKeyUsage.CLIENT_AUTHENTICATION,
    "documentSigning": ExtendedKeyUsage.DOCUMENT_SIGNING,
    "timestamping": ExtendedKeyUsage.TIMESTAMPING,
    "ocspSigning": ExtendedKeyUsage.OCSP_SIGNING,
    "credentialSigning": ExtendedKeyUsage.CREDENTIAL_SIGNING,
    "statusSigning": ExtendedKeyUsage.STATUS_SIGNING,
    "ledgerSigning": ExtendedKeyUsage.LEDGER_SIGNING,
}
_AUTHORITY_BITS: Final = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})
# Whoever holds one of these says something about others' certificates or moments, and nothing else.
_ALONE: Final = frozenset({ExtendedKeyUsage.OCSP_SIGNING, ExtendedKeyUsage.TIMESTAMPING})
_NEEDED: Final = frozenset({"policy", "key_usage", "validity_days", "required", "allowed", "renewal"})
_POSSIBLE: Final = _NEEDED | {
    "authority",
    "any_policy",
    "extended_key_usage",
    "critical_extended_key_usage",
    "ocsp_no_check",
}
_OWN: Final = frozenset({"validity_days", "further_policies", "further_attributes", "cps", "renewal"})
_OID: Final = re.compile(r"[0-2](\.(0|[1-9]\d{0,39})){2,20}")
ANY_POLICY: Final = "2.5.29.32.0"
_URI: Final = re.compile(r"https?://[\x21-\x7e]+")


def read_profiles(path: Path) -> Mapping[ProfileName, Profile]:
    """Every profile, from a file that describes them all; raises ProfilesRefused with what is wrong in it."""
    rows = _rows(path)
    missing = set(ProfileName) - rows.keys()
    if missing:
        raise ProfilesRefused(f"{path.name}: nothing is said about {', '.join(sorted(missing))}")
    return _judged(path, {name: _profile(path, name, row) for name, row in rows.items()})


def read_own_profiles(path: Path, shipped: Mapping[ProfileName, Profile]) -> Mapping[ProfileName, Profile]:
    """The shipped profiles with what a deployment's own file says of some; raises ProfilesRefused."""
    rows = _rows(path)
    changed = {name: _changed(path, shipped[name], row) for name, row in rows.items()}
    return _judged(path, {**shipped, **changed})


def _rows(path: Path) -> dict[ProfileName, Mapping[str, Any]]:
    try:
        octets = path.read_bytes()
    except OSError as fault:
        raise ProfilesRefused(f"{path.name} cannot be read: {fault.strerror}") from fault
    if len(octets) > _MAX_FILE_OCTETS:
        raise ProfilesRefused(f"{path.name} has more than {_MAX_FILE_OCTETS} octets")
    try:
        given = json.loads(octets)
    except (ValueError, RecursionError) as fault:
        raise ProfilesRefused(f"{path.name} is not JSON") from fault
    if not isinstance(given, dict) or given.keys() != {"version", "profiles"}:
        raise ProfilesRefused(f"{path.name} has version and profiles, and nothing else")
    rows = given["profiles"]
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise ProfilesRefused(f"{path.name}: profiles are objects by name")
    unknown = rows.keys() - set(ProfileName)
    if unknown:
        raise ProfilesRefused(f"{path.name}: there is no profile {', '.join(sorted(unknown))}")
    return {ProfileName(name): row for name, row in rows.items()}


def _profile(path: Path, name: ProfileName, row: Mapping[str, Any]) -> Profile:
    if not _NEEDED <= row.keys() <= _POSSIBLE:
        raise ProfilesRefused(f"{path.name}: {name} has {', '.join(sorted(_NEEDED))}, and may have others")
    try:
        authority = row.get("authority")
        return Profile(
            name=name,
            key_usage=frozenset(_KEY_USAGES[bit] for bit in row["key_usage"]),
            extended_key_usage=tuple(_EXTENDED[usage] for usage in row.get("extended_key_usage", ())),
            critical_extended_key_usage=_flag(row, "critical_extended_key_usage"),
            ocsp_no_check=_flag(row, "ocsp_no_check"),
            is_authority=authority is not None,
            path_length=None if authority is None else _whole(authority["path_length"], 0, 8),
            validity=_days(row["validity_days"]),
            policy=None if row["policy"] is None else _oid(row["policy"]),
            further_policies=(ANY_POLICY,) if _flag(row, "any_policy") else (),
            required=_attributes(row["required"]),
            allowed=_attributes(row["allowed"]),
            renewal=_renewal(row["renewal"]),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise ProfilesRefused(f"{path.name}: {name} is not a profile: {fault}") from fault


def _changed(path: Path, profile: Profile, row: Mapping[str, Any]) -> Profile:
    unknown = row.keys() - _OWN
    if unknown:
        raise ProfilesRefused(
            f"{path.name}: of {profile.name} a deployment says {', '.join(sorted(_OWN))}; "
            f"not {', '.join(sorted(unknown))}"
        )
    try:
        return replace(
            profile,
            validity=_days(row["validity_days"]) if "validity_days" in row else profile.validity,
            further_policies=(
                *profile.further_policies,
                *(_oid(policy) for policy in row.get("further_policies", ())),
            ),
            cps=_uri(row["cps"]) if row.get("cps") is not None else None,
            allowed=profile.allowed | _attributes(row.get("further_attributes", ())) - profile.required,
            renewal=_renewal(row["renewal"]) if "renewal" in row else profile.renewal,
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise ProfilesRefused(f"{path.name}: {profile.name}: {fault}") from fault


def _judged(path: Path, profiles: Mapping[ProfileName, Profile]) -> Mapping[ProfileName, Profile]:
    """The same, once no rule is broken by any of them."""
    for profile in profiles.values():
        for holds, rule in _RULES:
            if not holds(profile):
                raise ProfilesRefused(f"{path.name}: {profile.name}: {rule}")
    named = [policy for profile in profiles.values() for policy in profile.policies[:1]]
    if len(set(named)) != len(named):
        raise ProfilesRefused(f"{path.name}: two profiles have the same policy")
    return MappingProxyType(dict(profiles))


def _is_authority(profile: Profile) -> bool:
    return profile.name in (ProfileName.ROOT, ProfileName.CROSS, ProfileName.ISSUING_AUTHORITY)


def _has(profile: Profile, usage: ExtendedKeyUsage) -> bool:
    return usage in profile.extended_key_usage


# What holds of every profile, whoever wrote it down, and what is said where it does not.
_RULES: Final[Sequence[tuple[Callable[[Profile], bool], str]]] = (
    (
        lambda profile: profile.validity <= _LONGEST.get(profile.name, _LONGEST_LEAF) * _DAY,
        "its validity is longer than anybody can vouch for",
    ),
    (
        lambda profile: timedelta(0) < profile.renewal.before < profile.validity,
        "it is renewed before it ends, and not before it begins",
    ),
    (
        lambda profile: (profile.is_authority, profile.path_length is not None)
        == (_is_authority(profile), _is_authority(profile)),
        "root, cross and issuing-authority are authorities, and nothing else is",
    ),
    (
        lambda profile: (
            profile.key_usage == _AUTHORITY_BITS
            if _is_authority(profile)
            else bool(profile.key_usage) and not profile.key_usage & _AUTHORITY_BITS
        ),
        "authorities sign certificates and lists and nothing else, and nothing else signs those",
    ),
    (
        lambda profile: bool(profile.extended_key_usage) is not _is_authority(profile),
        "every certificate but an authority's says by its extended usage what its key is for",
    ),
    (
        lambda profile: len(profile.extended_key_usage) == 1 or not _ALONE & set(profile.extended_key_usage),
        "timestamps and status answers are signed by keys for nothing else",
    ),
    (
        lambda profile: profile.critical_extended_key_usage is _has(profile, ExtendedKeyUsage.TIMESTAMPING),
        "the extended usage of a timestamp authority is critical (RFC 3161 §2.3), and no other",
    ),
    (
        lambda profile: profile.ocsp_no_check is _has(profile, ExtendedKeyUsage.OCSP_SIGNING),
        "about signers of status answers nobody asks (RFC 6960 §4.2.2.2.1), and about all others one does",
    ),
    (
        lambda profile: (profile.policy is None) is (profile.name is ProfileName.ROOT),
        "every certificate but a root names its policy",
    ),
    (
        lambda profile: profile.policy is not None or not (profile.further_policies or profile.cps),
        "a root names no policy and no practice statement",
    ),
    (
        lambda profile: len(set(profile.policies))
        == len(profile.policies)
        <= _MAX_FURTHER_POLICIES + 1,
        f"at most {_MAX_FURTHER_POLICIES} further policies, each once",
    ),
    (
        lambda profile: (ANY_POLICY in profile.policies)
        is (_is_authority(profile) and profile.policy is not None),
        "an authority may issue under any policy (RFC 5280 §4.2.1.4), and nothing else names that",
    ),
    (lambda profile: {"C", "CN"} <= profile.required, "every subject has C and CN"),
)  # fmt: skip


def _flag(row: Mapping[str, Any], name: str) -> bool:
    given = row.get(name, False)
    if not isinstance(given, bool):
        raise TypeError(f"{name} is true or false")
    return given


def _whole(given: object, least: int, most: int) -> int:
    if type(given) is not int or not least <= given <= most:
        raise ValueError(f"{given!r} is not a whole number from {least} to {most}")
    return given


def _days(given: object) -> timedelta:
    return timedelta(days=_whole(given, 1, 30 * 366))


def _oid(given: object) -> str:
    if not isinstance(given, str) or not _OID.fullmatch(given) or given == ANY_POLICY:
        raise ValueError(f"{given!r} is not the OID of a policy")
    return given


def _uri(given: object) -> str:
    if not isinstance(given, str) or len(given) > _MAX_URI_CHARACTERS or not _URI.fullmatch(given):
        raise ValueError("cps is an http or https address of printable ASCII")
    return given


def _attributes(given: object) -> frozenset[str]:
    if not isinstance(given, list | tuple) or not set(map(str, given)) <= set(SHORT_NAMES.values()):
        raise ValueError(f"attributes are a list of {', '.join(SHORT_NAMES.values())}")
    return frozenset(map(str, given))


def _renewal(given: object) -> Renewal:
    if not isinstance(given, dict) or given.keys() != {"days_before", "key"}:
        raise ValueError("renewal has days_before and key")
    return Renewal(before=_days(given["days_before"]), key=RenewalKey(given["key"]))
