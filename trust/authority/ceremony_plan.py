"""What a ceremony would do: the steps from what is on record to what the file asks for, made without doing any.

`plan` reads and nothing else; `ceremony.hold_ceremony` does exactly the steps that it gives, in this order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trust.authority.ceremony_file import RETIRED_ISSUES, SERVICES, Ceremony, Part
from trust.authority.ceremony_repository import Bridges, Requests
from trust.authority.errors import CeremonyRefused
from trust.authority.issuers import Issuer, Issuers
from trust.authority.model import AUTHORITY_LABEL, LEDGER_LABEL, Authority
from trust.keys.model import KeyBinding, KeyPurpose
from trust.keys.repository import IssuingPermissions, KeyBindings
from trust.pki.certificate import read_certificate
from trust.storage.database import ReadWork

SERVICE_LABEL: Final = "service/"


class StepKind(StrEnum):
    """What a step does."""

    KEEP = "keep"  # nothing: it is there already
    ROOT = "root-made"  # a key and its self-signed certificate
    BRIDGE = "bridge-made"  # the older key certifies the newer one, and the other way round
    AUTHORITY = "authority-made"  # a key and its certificate by the root
    REQUEST = "request-made"  # a key and the request that somebody else certifies
    WAIT = "waits"  # nothing: an answer from elsewhere is missing
    PERMIT = "permitted"  # what a key issues is recorded
    RETIRE = "retired"  # an older generation issues no more
    LEDGER = "ledger-key-made"
    SERVICE = "service-made"  # a key (or the one that is there) and its certificate


IDLE: Final = frozenset({StepKind.KEEP, StepKind.WAIT})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what it does to which label, for which part of the file, and why in a few words."""

    kind: StepKind
    label: str
    part: Part | None = None
    said: str

    @property
    def changes(self) -> bool:
        """Whether it does anything."""
        return self.kind not in IDLE

    def line(self) -> str:
        return f"{self.label}: {self.said}"


def plan(ceremony: Ceremony, work: ReadWork) -> tuple[Step, ...]:
    """The steps; raises CeremonyRefused where the file asks for a generation that cannot come next."""
    bindings, issuers = KeyBindings(work), Issuers(work)
    steps: list[Step] = []
    for part in ceremony.authorities:
        generations = issuers.of(part.name)
        if part.generation > len(generations) + 1:
            raise CeremonyRefused(
                f"{part.name} has {len(generations)} generations; the next is {len(generations) + 1}"
            )
        if len(generations) >= part.generation:
            steps.extend(_kept(part, generations, work))
        else:
            steps.extend(_made(part, ceremony, generations, issuers, work))
    if ceremony.ledger:
        found = bindings.find(LEDGER_LABEL)
        steps.append(
            Step(kind=StepKind.LEDGER, label=LEDGER_LABEL, said="a key is made")
            if found is None
            else _keep(LEDGER_LABEL)
        )
    steps.extend(_service(part, bindings, ceremony, issuers) for part in ceremony.services)
    return tuple(steps)


def _kept(part: Part, generations: tuple[Issuer, ...], work: ReadWork) -> Iterator[Step]:
    label, newest = f"{AUTHORITY_LABEL}{part.name}", generations[-1]
    permitted = None if newest.offline else IssuingPermissions(work).of(newest.key_id)
    yield _keep(label)
    if newest.offline:
        return
    if permitted is None or (part.issues is not None and permitted != part.may_issue):
        yield _permit(label, part)
    if part.is_root and len(generations) > 1:
        # A ceremony that ended between a new root and its bridges is finished by the next one.
        yield from _bridges(part, generations, work)
    for older in generations[:-1]:
        if not older.offline and (IssuingPermissions(work).of(older.key_id) or frozenset()) - RETIRED_ISSUES:
            yield _retire(label, part)
            return


def _made(
    part: Part, ceremony: Ceremony, generations: tuple[Issuer, ...], issuers: Issuers, work: ReadWork
) -> Iterator[Step]:
    label = f"{AUTHORITY_LABEL}{part.name}"
    which = f"generation {part.generation}, {part.suite}"
    if part.is_root and part.offline:
        yield Step(
            kind=StepKind.WAIT, label=label, part=part, said="waits for the offline root to be imported"
        )
        return
    if part.is_root:
        yield Step(kind=StepKind.ROOT, label=label, part=part, said=f"a key and its own certificate, {which}")
        yield _permit(label, part)
        if generations and not generations[-1].offline:
            yield Step(kind=StepKind.BRIDGE, label=label, part=part, said="old and new certify each other")
            yield _retire(label, part)
        return
    root = issuers.of(Authority.ROOT)
    offline = (ceremony.root is not None and ceremony.root.offline) or (bool(root) and root[-1].offline)
    if part.external or offline:
        whom = "somebody else" if part.external else "the offline root"
        if Requests(work).open(label):
            yield Step(
                kind=StepKind.WAIT, label=label, part=part, said=f"waits for its certificate by {whom}"
            )
            return
        yield Step(
            kind=StepKind.REQUEST, label=label, part=part, said=f"a key and a request to {whom}, {which}"
        )
        yield _permit(label, part)
        return
    yield Step(
        kind=StepKind.AUTHORITY,
        label=label,
        part=part,
        said=f"a key and its certificate by the root, {which}",
    )
    yield _permit(label, part)
    if generations:
        yield _retire(label, part)


def _bridges(part: Part, generations: tuple[Issuer, ...], work: ReadWork) -> Iterator[Step]:
    older, newest = generations[-2:]
    if older.offline or newest.offline:
        return
    made = {(read.spki, read.authority_key_id) for read in map(read_certificate, Bridges(work).all())}
    if len(
        made
        & {
            (newest.spki, read_certificate(older.certificate).subject_key_id),
            (older.spki, read_certificate(newest.certificate).subject_key_id),
        }
    ) < len(("new by old", "old by new")):
        yield Step(
            kind=StepKind.BRIDGE,
            label=f"{AUTHORITY_LABEL}{part.name}",
            part=part,
            said="old and new certify each other",
        )


def _service(part: Part, bindings: KeyBindings, ceremony: Ceremony, issuers: Issuers) -> Step:
    label = f"{SERVICE_LABEL}{part.name}"
    found = bindings.find(label)
    if found is not None and found.certificate is not None:
        return _keep(label)
    above = ceremony.issuer_of(part.profile)
    if (
        above is not None
        and (above.external or _is_offline(ceremony, issuers))
        and not issuers.of(above.name)
    ):
        return Step(
            kind=StepKind.WAIT, label=label, part=part, said=f"waits for {AUTHORITY_LABEL}{above.name}"
        )
    made = "a certificate for the key that is there" if _has_key(found, part) else "a key and its certificate"
    return Step(kind=StepKind.SERVICE, label=label, part=part, said=f"{made}, {part.suite}")


def _is_offline(ceremony: Ceremony, issuers: Issuers) -> bool:
    generations = issuers.of(Authority.ROOT)
    return (ceremony.root is not None and ceremony.root.offline) or (
        bool(generations) and generations[-1].offline
    )


def _has_key(found: KeyBinding | None, part: Part) -> bool:
    return found is not None or SERVICES[part.name][0] is KeyPurpose.LEDGER


def _keep(label: str) -> Step:
    return Step(kind=StepKind.KEEP, label=label, said="is there already")


def _permit(label: str, part: Part) -> Step:
    names = ", ".join(sorted(part.may_issue))
    return Step(kind=StepKind.PERMIT, label=label, part=part, said=f"issues {names}")


def _retire(label: str, part: Part) -> Step:
    return Step(kind=StepKind.RETIRE, label=label, part=part, said="the generation before issues no more")


def as_facts(steps: tuple[Step, ...]) -> list[Mapping[str, object]]:
    """The steps for a machine to read."""
    return [
        {
            "kind": step.kind.value,
            "label": step.label,
            "changes": step.changes,
            "said": step.said,
            **(
                {}
                if step.part is None
                else {
                    "generation": step.part.generation,
                    "suite": step.part.suite.value,
                    "subject": dict(step.part.subject),
                    "validity_days": step.part.validity.days,
                }
            ),
        }
        for step in steps
    ]
