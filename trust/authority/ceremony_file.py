"""The file of a ceremony: which authorities, services and ledger key a house has, as data that is read aloud.

    authorities:
      - name: root                     # the root first; the others are named as you like
        subject: {C: CN, O: …, CN: …}  # short X.500 names
        validity_years: 20
        suite: p384-sha384             # optional, p256-sha256 otherwise
        offline: true                  # optional: its key lies on another machine (`yinxin ceremony offline-root`)
      - name: seals
        subject: …
        validity_years: 10
        generation: 2                  # optional: the next key of an authority that is there already
        issues: [seal, licence]        # what it issues; the shipped names have theirs
        external: true                 # optional: certified by somebody else, by request
    services:
      - {name: timestamp, profile: timestamp, subject: …, validity_years: 5}
    ledger: true

An unknown key, an unknown profile and a profile that no authority issues are refused before anything is made.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from trust.authority.errors import CeremonyRefused
from trust.authority.issuers import ISSUER_NAME
from trust.authority.model import Authority
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.keys.model import KeyPurpose
from trust.pki.errors import NameRefused
from trust.pki.names import encode_name
from trust.pki.profiles import PROFILES, ProfileName

SHIPPED: Final = Path(__file__).with_name("ceremony.yaml")
SERVICES: Final[Mapping[str, tuple[KeyPurpose, ProfileName]]] = {
    "timestamp": (KeyPurpose.TIMESTAMP, ProfileName.TIMESTAMP),
    "status-list": (KeyPurpose.STATUS_LIST, ProfileName.SERVICE),
    "ledger": (KeyPurpose.LEDGER, ProfileName.LEDGER),
}
# What a root's key is for; every authority besides has its own answers about status signed.
ROOT_ISSUES: Final = frozenset({ProfileName.ISSUING_AUTHORITY, ProfileName.CROSS, ProfileName.OCSP})
# An older generation answers about what it issued, and issues no more.
RETIRED_ISSUES: Final = frozenset({ProfileName.OCSP})
_USUAL_ISSUES: Final[Mapping[str, frozenset[ProfileName]]] = {
    Authority.IDENTITY: frozenset(
        {
            ProfileName.CITIZEN,
            ProfileName.LEGAL_PERSON,
            ProfileName.ORGANISATION,
            ProfileName.STAFF,
            ProfileName.APPLICATION,
        }
    ),
    Authority.SEALS: frozenset({ProfileName.SEAL, ProfileName.LICENCE}),
    Authority.SERVICE: frozenset({ProfileName.TIMESTAMP, ProfileName.SERVICE, ProfileName.LEDGER}),
}
_LEAVES: Final = frozenset(name for name, profile in PROFILES.items() if not profile.is_authority)
# A ceremony file is read aloud; nobody reads more than this.
_MAX_FILE_OCTETS: Final = 64 * 1024
_MAX_GENERATIONS: Final = 99
_YEAR: Final = timedelta(days=365)
_NEEDED: Final = frozenset({"name", "subject", "validity_years"})
_OF_AUTHORITIES: Final = _NEEDED | {"suite", "generation", "issues", "external", "offline"}
_OF_SERVICES: Final = _NEEDED | {"profile", "suite"}
# `identity-2` is the second generation of `identity` in URLs; no authority is named like one.
_LIKE_A_GENERATION: Final = re.compile(r".*-\d+")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One certificate of the ceremony; `issues` is None where the file does not say what the authority issues."""

    name: str
    profile: ProfileName
    subject: Mapping[str, str]
    validity: timedelta
    suite: Suite = Suite.P256_SHA256
    generation: int = 1
    issues: frozenset[ProfileName] | None = None
    external: bool = False
    offline: bool = False

    @property
    def is_root(self) -> bool:
        return self.profile is ProfileName.ROOT

    @property
    def may_issue(self) -> frozenset[ProfileName]:
        """Everything its key may sign certificates of."""
        if self.is_root:
            return ROOT_ISSUES
        issues = self.issues if self.issues is not None else _USUAL_ISSUES.get(self.name, frozenset())
        return issues | {ProfileName.OCSP}


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """What the file asks for, checked; `digest` is the SHA-256 of its octets."""

    authorities: tuple[Part, ...]
    services: tuple[Part, ...]
    ledger: bool
    digest: bytes

    @property
    def root(self) -> Part | None:
        return next((part for part in self.authorities if part.is_root), None)

    @classmethod
    def read(cls, path: Path) -> "Ceremony":
        """Raises CeremonyRefused on whatever is not complete, not known, or nobody's to issue."""
        try:
            octets = path.read_bytes()
        except OSError as fault:
            raise CeremonyRefused(f"the ceremony file cannot be read: {fault.strerror}") from fault
        return cls.parse(octets)

    @classmethod
    def parse(cls, octets: bytes) -> "Ceremony":
        """As `read`, of the file's octets."""
        if len(octets) > _MAX_FILE_OCTETS:
            raise CeremonyRefused(f"a ceremony file has at most {_MAX_FILE_OCTETS} octets")
        try:
            given = yaml.safe_load(octets)
        except (yaml.YAMLError, RecursionError, ValueError) as fault:
            raise CeremonyRefused(f"the ceremony file is not YAML: {type(fault).__name__}") from fault
        if not isinstance(given, dict) or given.keys() != {"authorities", "services", "ledger"}:
            raise CeremonyRefused("a ceremony has authorities, services and ledger, and nothing else")
        if not isinstance(given["authorities"], list) or not isinstance(given["services"], list):
            raise CeremonyRefused("authorities and services are lists")
        if not isinstance(given["ledger"], bool):
            raise CeremonyRefused("ledger is true or false")
        read = cls(
            authorities=tuple(map(_authority, given["authorities"])),
            services=tuple(map(_service, given["services"])),
            ledger=given["ledger"],
            digest=sha256(octets),
        )
        read.require_whole()
        return read

    def require_whole(self) -> None:
        """Raises CeremonyRefused where the parts do not make a house together."""
        names = [part.name for part in self.authorities]
        if not names or len(set(names)) != len(names):
            raise CeremonyRefused("authorities are at least one, each named once")
        inside = [part for part in self.authorities if not part.external]
        if inside and not self.authorities[0].is_root:
            raise CeremonyRefused("the root comes first: it certifies the authorities that are not external")
        kinds = [part.name for part in self.services]
        if len(set(kinds)) != len(kinds):
            raise CeremonyRefused("each service is named once")
        if "ledger" in kinds and not self.ledger:
            raise CeremonyRefused("the ledger's certificate needs the ledger's key: ledger: true")
        for part in self.services:
            if self.issuer_of(part.profile) is None:
                raise CeremonyRefused(f"no authority of the file issues {part.profile} certificates")

    def issuer_of(self, profile: ProfileName) -> Part | None:
        """The first authority of the file that issues this profile."""
        return next((part for part in self.authorities if profile in part.may_issue), None)


def _authority(item: Any) -> Part:
    _require_keys(item, _OF_AUTHORITIES, "an authority")
    name = item["name"]
    if (
        not isinstance(name, str)
        or not ISSUER_NAME.fullmatch(name)
        or _LIKE_A_GENERATION.fullmatch(name)
        or (name not in set(Authority) and "issues" not in item)
    ):
        raise CeremonyRefused(
            f"authorities are {', '.join(Authority)}, or have a name of small letters and say what they issue"
        )
    is_root = name == Authority.ROOT
    external, offline = _flag(item, "external"), _flag(item, "offline")
    if is_root and (external or "issues" in item):
        raise CeremonyRefused(
            "the root is its own and issues authorities; it is neither external nor says so"
        )
    if offline and not is_root:
        raise CeremonyRefused("only the root is offline; the others issue day by day")
    generation = item.get("generation", 1)
    if type(generation) is not int or not 1 <= generation <= _MAX_GENERATIONS:
        raise CeremonyRefused(f"generation is a whole number from 1 to {_MAX_GENERATIONS}")
    return _part(
        item,
        ProfileName.ROOT if is_root else ProfileName.ISSUING_AUTHORITY,
        generation=generation,
        issues=None if "issues" not in item else _issues(item["issues"], name),
        external=external,
        offline=offline,
    )


def _service(item: Any) -> Part:
    _require_keys(item, _OF_SERVICES, "a service")
    known = SERVICES.get(str(item["name"]))
    if known is None or item.get("profile") != known[1].value:
        pairs = ", ".join(f"{name} with {profile}" for name, (_purpose, profile) in SERVICES.items())
        raise CeremonyRefused(f"a service names itself and its profile: {pairs}")
    return _part(item, known[1])


def _part(item: Mapping[str, Any], profile: ProfileName, **more: Any) -> Part:
    years = item["validity_years"]
    if type(years) is not int or not 1 <= years <= 30:
        raise CeremonyRefused("validity_years is a whole number from 1 to 30")
    if years * _YEAR > PROFILES[profile].validity:
        most = PROFILES[profile].validity // _YEAR
        raise CeremonyRefused(f"validity_years of {item['name']} is at most {most}, as its profile says")
    if not isinstance(item["subject"], dict):
        raise CeremonyRefused("a subject is short X.500 names with their texts")
    subject = {str(key): str(value) for key, value in item["subject"].items()}
    allowed = PROFILES[profile]
    if not allowed.required <= subject.keys() <= allowed.subject_attributes:
        raise CeremonyRefused(f"the subject of {item['name']} has {', '.join(sorted(allowed.required))}")
    try:
        encode_name(subject)
        suite = Suite(item.get("suite", Suite.P256_SHA256))
    except NameRefused as refused:
        raise CeremonyRefused(f"the subject of {item['name']}: {refused.message}") from refused
    except ValueError as fault:
        raise CeremonyRefused(f"a suite is one of {', '.join(Suite)}") from fault
    return Part(
        name=str(item["name"]),
        profile=profile,
        subject=subject,
        validity=years * _YEAR,
        suite=suite,
        **more,
    )


def _require_keys(item: Any, possible: Collection[str], what: str) -> None:
    if not isinstance(item, dict) or not _NEEDED <= item.keys() <= set(possible):
        raise CeremonyRefused(f"{what} of the ceremony has {', '.join(sorted(possible))}")


def _flag(item: Mapping[str, Any], name: str) -> bool:
    given = item.get(name, False)
    if not isinstance(given, bool):
        raise CeremonyRefused(f"{name} is true or false")
    return given


def _issues(given: Any, name: str) -> frozenset[ProfileName]:
    if not isinstance(given, list) or not given or not all(str(each) in _LEAVES for each in given):
        raise CeremonyRefused(f"{name} issues a list of {', '.join(sorted(_LEAVES))}")
    return frozenset(ProfileName(str(each)) for each in given)
