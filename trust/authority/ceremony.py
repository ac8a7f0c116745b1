"""The ceremony: one reviewed YAML file makes the root, the issuing authorities and the service keys.

It can be held again at any time: what is bound already is left as it is, what is missing is made. Asked for the next
generation of an authority, it makes the new key, lets old and new roots certify each other (RFC 4210 §4.4), and ends
the issuing of the older one, which goes on answering for what it issued.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from trust.authority.ceremony_file import RETIRED_ISSUES, SERVICES, SHIPPED, Ceremony, Part
from trust.authority.ceremony_plan import SERVICE_LABEL, Step, StepKind, plan
from trust.authority.ceremony_repository import Requests
from trust.authority.errors import CeremonyRefused
from trust.authority.issuance import CertificateAuthority, new_key_binding
from trust.authority.issuers import Issuer, Issuers
from trust.authority.model import AUTHORITY_LABEL, LEDGER_LABEL, Authority
from trust.authority.requests import OFFLINE_ROOT, CertificateRequests
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.evidence.ceremony_log import LoggedStep
from trust.kernel.clock import Clock
from trust.keys.client import SignerClient
from trust.keys.model import KeyId, KeyInfo, KeyPurpose
from trust.keys.repository import IssuingPermissions, KeyBindings
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Actor, Event
from trust.pki.certificate import read_certificate
from trust.pki.profiles import ProfileName

__all__ = ["ACTS", "CEREMONY_HELD", "SHIPPED", "Ceremony", "CeremonyTable", "hold_ceremony"]

CEREMONY_HELD: Final = "ceremony.held"
ACTS: Final[Mapping[str, str]] = {
    CEREMONY_HELD: "The ceremony made an authority, a service key or the ledger's key."
}
ACTOR: Final = Actor(kind="ceremony", id="ceremony")

Said = Callable[[str], None]
Logged = Callable[[LoggedStep], None]


@dataclass(frozen=True, kw_only=True)
class CeremonyTable:
    """What lies on the table: the parts of the house that a ceremony uses."""

    ledger: Ledger
    signer: SignerClient
    authority: CertificateAuthority
    clock: Clock
    requests: CertificateRequests | None = None


def hold_ceremony(
    ceremony: Ceremony,
    *,
    ledger: Ledger,
    signer: SignerClient,
    authority: CertificateAuthority,
    clock: Clock,
    requests: CertificateRequests | None = None,
    said: Said = lambda _line: None,
    logged: Logged = lambda _step: None,
) -> int:
    """Makes what is missing, in the file's order; `said` hears a line for each step, `logged` what was made.

    Returns how many things were made. Raises CeremonyRefused where the file cannot be followed from here.
    """
    table = CeremonyTable(ledger=ledger, signer=signer, authority=authority, clock=clock, requests=requests)
    with ledger.work() as holding:
        holding.advisory_lock("ceremony")  # two at once: the second waits, and finds everything made
        with ledger.read_primary() as work:
            steps = plan(ceremony, work)
        made = 0
        for step in steps:
            done = _DOING[step.kind](step, table) if step.changes else None
            said(f"{step.label}: made, {done.said}" if done else step.line())
            if done is not None:
                logged(done)
                made += step.kind in _MAKING
        return made


def _make_root(step: Step, table: CeremonyTable) -> LoggedStep:
    part = _part(step)
    info = table.signer.create_key(KeyPurpose.AUTHORITY, part.suite)
    issued = table.authority.issue(
        authority=part.name,
        profile=ProfileName.ROOT,
        subject=part.subject,
        spki=info.spki,
        owner=step.label,
        agency=None,
        actor=ACTOR,
        bind=new_key_binding(info, label=step.label),
        validity=part.validity,
        issuing_key=info,
    )
    return _logged(step, issued.certificate, f"serial {issued.serial}, generation {part.generation}")


def _make_authority(step: Step, table: CeremonyTable) -> LoggedStep:
    part = _part(step)
    info = table.signer.create_key(KeyPurpose.AUTHORITY, part.suite)
    issued = table.authority.issue(
        authority=Authority.ROOT,
        profile=ProfileName.ISSUING_AUTHORITY,
        subject=part.subject,
        spki=info.spki,
        owner=step.label,
        agency=None,
        actor=ACTOR,
        bind=new_key_binding(info, label=step.label),
        validity=part.validity,
    )
    return _logged(step, issued.certificate, f"serial {issued.serial}, generation {part.generation}")


def _make_bridges(step: Step, table: CeremonyTable) -> LoggedStep:
    """New with old for those who know the old root alone, old with new for those who know the new one alone."""
    older, newest = _generations(step, table)[-2:]
    part = _part(step)
    made = []
    for issuer, certified in ((older, newest), (newest, older)):
        made.append(
            table.authority.issue(
                profile=ProfileName.CROSS,
                subject=part.subject,
                spki=certified.spki,
                owner=step.label,
                agency=None,
                actor=ACTOR,
                issuer=issuer,
                # RFC 4210 §4.4.1: from when the certified key was made, or what it signed before would be orphaned.
                not_before=read_certificate(certified.certificate).not_before,
                validity=_remaining(certified, table.clock),
            )
        )
    serials = " and ".join(each.serial for each in made)
    return _logged(step, b"".join(each.certificate for each in made), f"serials {serials}")


def _make_request(step: Step, table: CeremonyTable) -> LoggedStep:
    part = _part(step)
    if table.requests is None:
        raise CeremonyRefused("this ceremony needs requests to others; hold it by `yinxin ceremony hold`")
    info = table.signer.create_key(KeyPurpose.AUTHORITY, part.suite)
    asked = table.requests.ask(
        label=step.label,
        profile=ProfileName.ISSUING_AUTHORITY,
        subject=part.subject,
        owner=step.label,
        agency=None,
        actor=ACTOR,
        key=info,
        noted={} if part.external else {"to": OFFLINE_ROOT, "validity_days": part.validity.days},
    )
    return _logged(step, asked.csr, f"request {asked.id}, generation {part.generation}")


def _permit(step: Step, table: CeremonyTable) -> LoggedStep:
    part = _part(step)
    profiles = sorted(part.may_issue)
    with table.ledger.work() as work:
        IssuingPermissions(work).record(_newest_key(step, table), profiles, at=table.clock.now())
        _record(step.label, work, {"issues": profiles})
    return _logged(step, ",".join(profiles).encode(), f"issues {', '.join(profiles)}")


def _retire(step: Step, table: CeremonyTable) -> LoggedStep:
    older = [issuer for issuer in _generations(step, table)[:-1] if not issuer.offline]
    with table.ledger.work() as work:
        for issuer in older:
            IssuingPermissions(work).record(issuer.key_id, sorted(RETIRED_ISSUES), at=table.clock.now())
        _record(step.label, work, {"retired": [issuer.name for issuer in older]})
    names = ", ".join(issuer.name for issuer in older)
    return _logged(step, names.encode(), f"{names} issues no more and answers for what it issued")


def _make_ledger_key(step: Step, table: CeremonyTable) -> LoggedStep:
    info = table.signer.create_key(KeyPurpose.LEDGER, Suite.ED25519)
    with table.ledger.work() as work:
        KeyBindings(work).bind(new_key_binding(info, label=LEDGER_LABEL), at=table.clock.now())
        work.record(Event(act=CEREMONY_HELD, actor=ACTOR, subject=LEDGER_LABEL, agency=None))
    return _logged(step, info.spki, "the ledger's key")


def _make_service(step: Step, table: CeremonyTable) -> LoggedStep:
    part = _part(step)
    with table.ledger.read_primary() as work:
        bound = KeyBindings(work).find(f"{SERVICE_LABEL}{part.name}")
    if bound is None:
        info = table.signer.create_key(SERVICES[part.name][0], part.suite)
    else:
        info = KeyInfo(key_id=bound.key_id, purpose=bound.purpose, suite=bound.suite, spki=bound.spki)
    issued = table.authority.issue(
        profile=part.profile,
        subject=part.subject,
        spki=info.spki,
        owner=step.label,
        agency=None,
        actor=ACTOR,
        bind=new_key_binding(info, label=step.label),
        validity=part.validity,
    )
    return _logged(step, issued.certificate, f"serial {issued.serial}")


_DOING: Final[Mapping[StepKind, Callable[[Step, CeremonyTable], LoggedStep]]] = {
    StepKind.ROOT: _make_root,
    StepKind.AUTHORITY: _make_authority,
    StepKind.BRIDGE: _make_bridges,
    StepKind.REQUEST: _make_request,
    StepKind.PERMIT: _permit,
    StepKind.RETIRE: _retire,
    StepKind.LEDGER: _make_ledger_key,
    StepKind.SERVICE: _make_service,
}
_MAKING: Final = frozenset(_DOING) - {StepKind.PERMIT, StepKind.RETIRE}


def _part(step: Step) -> Part:
    if step.part is None:
        raise CeremonyRefused(f"the step for {step.label} has no part of the file")
    return step.part


def _generations(step: Step, table: CeremonyTable) -> tuple[Issuer, ...]:
    with table.ledger.read_primary() as work:
        return Issuers(work).of(step.label.removeprefix(AUTHORITY_LABEL))


def _newest_key(step: Step, table: CeremonyTable) -> KeyId:
    """The key that the step is about: of the open request where one waits, of the newest generation otherwise."""
    with table.ledger.read_primary() as work:
        waiting = Requests(work).open(step.label)
        if waiting:
            return KeyId(waiting[-1].key_id)
        return Issuers(work).current(step.label.removeprefix(AUTHORITY_LABEL)).key_id


def _remaining(issuer: Issuer, clock: Clock) -> timedelta:
    """How long the newest certificate of an issuer lasts from now, in whole seconds."""
    return read_certificate(issuer.certificate).not_after - clock.now().replace(microsecond=0)


def _record(label: str, work: RecordedWork, content: Mapping[str, Any]) -> None:
    work.record(Event(act=CEREMONY_HELD, actor=ACTOR, subject=label, agency=None, content=content))


def _logged(step: Step, made: bytes, said: str) -> LoggedStep:
    return LoggedStep(kind=step.kind.value, label=step.label, digest=sha256(made), said=said)
