"""The ceremony: one reviewed YAML file makes the root, the issuing authorities and the service keys.

It can be held again at any time: what is bound already is left as it is, what is missing is made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from trust.authority.errors import CeremonyRefused
from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.model import AUTHORITY_LABEL, LEDGER_LABEL, Authority
from trust.crypto.suites import Suite
from trust.kernel.clock import Clock
from trust.keys.client import SignerClient
from trust.keys.model import KeyPurpose
from trust.keys.repository import KeyBindings
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event
from trust.pki.errors import NameRefused
from trust.pki.names import encode_name
from trust.pki.profiles import PROFILES, ProfileName

CEREMONY_HELD: Final = "ceremony.held"
ACTS: Final[Mapping[str, str]] = {
    CEREMONY_HELD: "The ceremony made an authority, a service key or the ledger's key."
}
SHIPPED: Final = Path(__file__).with_name("ceremony.yaml")
_YEAR: Final = timedelta(days=365)
_ACTOR: Final = Actor(kind="ceremony", id="ceremony")
_SERVICES: Final = {
    "timestamp": (KeyPurpose.TIMESTAMP, ProfileName.TIMESTAMP),
    "status-list": (KeyPurpose.STATUS_LIST, ProfileName.SERVICE),
}
# A ceremony file is read aloud; nobody reads more than this.
_MAX_FILE_OCTETS: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Part:
    """One certificate of the ceremony."""

    name: str
    profile: ProfileName
    subject: Mapping[str, str]
    validity: timedelta


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """What the file asks for, checked."""

    authorities: tuple[Part, ...]
    services: tuple[Part, ...]
    ledger: bool

    @classmethod
    def read(cls, path: Path) -> "Ceremony":
        """Raises CeremonyRefused on an unknown key, a missing root, an unknown service or authority."""
        try:
            octets = path.read_bytes()
        except OSError as fault:
            raise CeremonyRefused(f"the ceremony file cannot be read: {fault.strerror}") from fault
        if len(octets) > _MAX_FILE_OCTETS:
            raise CeremonyRefused(f"a ceremony file has at most {_MAX_FILE_OCTETS} octets")
        try:
            given = yaml.safe_load(octets)
        except yaml.YAMLError as fault:
            raise CeremonyRefused(f"the ceremony file is not YAML: {fault}") from fault
        if not isinstance(given, dict) or given.keys() != {"authorities", "services", "ledger"}:
            raise CeremonyRefused("a ceremony has authorities, services and ledger, and nothing else")
        if not isinstance(given["authorities"], list) or not isinstance(given["services"], list):
            raise CeremonyRefused("authorities and services are lists")
        if not isinstance(given["ledger"], bool):
            raise CeremonyRefused("ledger is true or false")
        authorities = tuple(_part(item, None) for item in given["authorities"])
        services = tuple(_part(item, _service_profile(item)) for item in given["services"])
        names = [part.name for part in authorities]
        if names[:1] != [Authority.ROOT] or len(set(names)) != len(names) or not set(names) <= set(Authority):
            raise CeremonyRefused(f"authorities are the root first, then any of {', '.join(Authority)}")
        kinds = [part.name for part in services]
        if len(set(kinds)) != len(kinds) or not set(kinds) <= _SERVICES.keys():
            raise CeremonyRefused(f"services are any of {', '.join(_SERVICES)}, each once")
        if services and Authority.SERVICE not in names:
            raise CeremonyRefused("services need the authority that certifies them: service")
        return cls(authorities=authorities, services=services, ledger=given["ledger"])


def hold_ceremony(
    ceremony: Ceremony,
    *,
    ledger: Ledger,
    signer: SignerClient,
    authority: CertificateAuthority,
    clock: Clock,
    said: Callable[[str], None] = lambda _line: None,
) -> int:
    """Makes what is missing, in the file's order; `said` hears a line for each. Returns how many were made."""
    with ledger.work() as holding:
        holding.advisory_lock("ceremony")  # two at once: the second waits, and finds everything made
        return _make_all(ceremony, ledger=ledger, signer=signer, authority=authority, clock=clock, said=said)


def _make_all(
    ceremony: Ceremony,
    *,
    ledger: Ledger,
    signer: SignerClient,
    authority: CertificateAuthority,
    clock: Clock,
    said: Callable[[str], None],
) -> int:
    made = 0
    for part in ceremony.authorities:
        made += _make(
            part,
            label=f"{AUTHORITY_LABEL}{part.name}",
            purpose=KeyPurpose.AUTHORITY,
            issuer=Authority.ROOT,
            ledger=ledger, signer=signer, authority=authority, said=said,
        )  # fmt: skip
    for part in ceremony.services:
        made += _make(
            part,
            label=f"service/{part.name}",
            purpose=_SERVICES[part.name][0],
            issuer=Authority.SERVICE,
            ledger=ledger, signer=signer, authority=authority, said=said,
        )  # fmt: skip
    if ceremony.ledger and not _is_bound(ledger, LEDGER_LABEL):
        info = signer.create_key(KeyPurpose.LEDGER, Suite.ED25519)
        with ledger.work() as work:
            KeyBindings(work).bind(new_key_binding(info, label=LEDGER_LABEL), at=clock.now())
            work.record(Event(act=CEREMONY_HELD, actor=_ACTOR, subject=LEDGER_LABEL, agency=None))
        said(f"{LEDGER_LABEL}: made")
        made += 1
    return made


def _make(
    part: Part,
    *,
    label: str,
    purpose: KeyPurpose,
    issuer: Authority,
    ledger: Ledger,
    signer: SignerClient,
    authority: CertificateAuthority,
    said: Callable[[str], None],
) -> int:
    if _is_bound(ledger, label):
        said(f"{label}: is there already")
        return 0
    info = signer.create_key(purpose, Suite.P256_SHA256)
    issued = authority.issue(
        authority=issuer,
        profile=part.profile,
        subject=part.subject,
        spki=info.spki,
        owner=label,
        agency=None,
        actor=_ACTOR,
        bind=new_key_binding(info, label=label),
        validity=part.validity,
        issuing_key=info if part.profile is ProfileName.ROOT else None,
    )
    said(f"{label}: made, serial {issued.serial}")
    return 1


def _is_bound(ledger: Ledger, label: str) -> bool:
    with ledger.read() as work:
        return KeyBindings(work).find(label) is not None


def _service_profile(item: Any) -> ProfileName:
    known = _SERVICES.get(str(item.get("name"))) if isinstance(item, dict) else None
    if known is None or item.get("profile") != known[1].value:
        pairs = ", ".join(f"{name} with {profile}" for name, (_purpose, profile) in _SERVICES.items())
        raise CeremonyRefused(f"a service names itself and its profile: {pairs}")
    return known[1]


def _part(item: Any, profile: ProfileName | None) -> Part:
    expected = {"name", "subject", "validity_years"} | ({"profile"} if profile else set())
    if not isinstance(item, dict) or item.keys() != expected or not isinstance(item["subject"], dict):
        raise CeremonyRefused(f"a part of the ceremony has {', '.join(sorted(expected))}")
    years = item["validity_years"]
    if type(years) is not int or not 1 <= years <= 30:
        raise CeremonyRefused("validity_years is a whole number from 1 to 30")
    if profile is None:
        profile = ProfileName.ROOT if item["name"] == Authority.ROOT else ProfileName.ISSUING_AUTHORITY
    subject = {str(key): str(value) for key, value in item["subject"].items()}
    allowed = PROFILES[profile]
    if not allowed.required <= subject.keys() <= allowed.subject_attributes:
        raise CeremonyRefused(f"the subject of {item['name']} has {', '.join(sorted(allowed.required))}")
    try:
        encode_name(subject)
    except NameRefused as refused:
        raise CeremonyRefused(f"the subject of {item['name']}: {refused.message}") from refused
    return Part(name=str(item["name"]), profile=profile, subject=subject, validity=years * _YEAR)
