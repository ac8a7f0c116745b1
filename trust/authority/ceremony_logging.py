"""A ceremony held before people, with its log: signed by the ledger's key and by the root's, and kept.

The log is written when the last step is done. Should the machine fail in between, every step that was done has its own
events in the ledger; held again, the ceremony goes on where it ended, and the log says what was done from there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trust.authority.ceremony import ACTOR, CeremonyTable, hold_ceremony
from trust.authority.ceremony_file import Ceremony
from trust.authority.ceremony_repository import CeremonyLogs
from trust.authority.errors import CeremonyRefused
from trust.authority.issuers import Issuers
from trust.authority.model import LEDGER_LABEL, Authority
from trust.crypto.digests import sha256
from trust.evidence.ceremony_log import CeremonyLog, LoggedStep, Present, parse_present
from trust.evidence.tlog import NoteMalformed
from trust.kernel.ids import Id, Ids
from trust.keys.repository import KeyBindings
from trust.ledger.model import Event

CEREMONY_LOGGED: Final = "ceremony.logged"
ACTS: Final[Mapping[str, str]] = {
    CEREMONY_LOGGED: "The signed log of a ceremony was kept; its digest is in the event."
}
# Nobody holds a ceremony alone: one acts, one looks.
MIN_PEOPLE: Final = 2


class CeremonyId(Id):
    """A ceremony that was held."""

    prefix = "ceremony"


@dataclass(frozen=True, kw_only=True)
class HeldCeremony:
    """What came of it: how many things were made, and the signed log (None where nothing was to be done)."""

    made: int
    note: str | None


def hold_before_people(
    ceremony: Ceremony,
    *,
    table: CeremonyTable,
    ids: Ids,
    origin: str,
    present: Sequence[Present],
    said: Callable[[str], None] = lambda _line: None,
) -> HeldCeremony:
    """Holds the ceremony and keeps its log.

    Raises CeremonyRefused where fewer than two people are there, one of them twice, or no ledger signs the log.
    """
    _require_people(present)
    if not ceremony.ledger and not _has_ledger(table):
        raise CeremonyRefused("the log is signed by the ledger's key, and there is none: ledger: true")
    begun = table.clock.now()
    steps: list[LoggedStep] = []
    made = hold_ceremony(
        ceremony,
        ledger=table.ledger,
        signer=table.signer,
        authority=table.authority,
        clock=table.clock,
        requests=table.requests,
        said=said,
        logged=steps.append,
    )
    if not steps:
        return HeldCeremony(made=made, note=None)
    log = CeremonyLog(
        origin=origin,
        ceremony_id=ids.new(CeremonyId),
        file_sha256=ceremony.digest,
        begun=begun.replace(microsecond=begun.microsecond // 1000 * 1000),
        ended=(ended := table.clock.now()).replace(microsecond=ended.microsecond // 1000 * 1000),
        present=tuple(present),
        steps=tuple(steps),
    )
    with table.ledger.read_primary() as reading:
        ledger_key = KeyBindings(reading).require(LEDGER_LABEL).key_id
        roots = [issuer for issuer in Issuers(reading).of(Authority.ROOT) if not issuer.offline]
    note = table.signer.sign_ceremony_log(
        log.text(), ledger_key=ledger_key, root_key=roots[-1].key_id if roots else None
    )
    with table.ledger.work() as work:
        CeremonyLogs(work).add(log.ceremony_id, file_sha256=log.file_sha256, note=note, at=table.clock.now())
        work.record(
            Event(
                act=CEREMONY_LOGGED,
                actor=ACTOR,
                subject=log.ceremony_id,
                agency=None,
                content={"sha256": sha256(note.encode()).hex(), "steps": len(steps)},
            )
        )
    return HeldCeremony(made=made, note=note)


def read_present(parts: Sequence[str], witnesses: Sequence[str]) -> tuple[Present, ...]:
    """People as they are given: `operator: 王安` each, and witnesses by name; raises CeremonyRefused."""
    found = []
    for text in parts:
        part, separator, name = text.partition(":")
        if not separator:
            raise CeremonyRefused(f"say in which part somebody is there, as `operator: 王安`, not {text!r}")
        found.append(Present(name=name.strip(), part=part.strip()))
    return (*found, *(Present(name=name.strip()) for name in witnesses))


def _require_people(present: Sequence[Present]) -> None:
    names = [each.name for each in present]
    if len(set(names)) != len(names):
        raise CeremonyRefused("each person is in one part only")
    if len(names) < MIN_PEOPLE or not any(each.part is None for each in present):
        raise CeremonyRefused(f"a ceremony has at least {MIN_PEOPLE} people, and a witness among them")
    try:
        readable = all(parse_present(each.line()) == each for each in present)
    except NoteMalformed:
        readable = False
    if not readable:
        raise CeremonyRefused("a name, and a part, is one short line of text")


def _has_ledger(table: CeremonyTable) -> bool:
    with table.ledger.read_primary() as work:
        return KeyBindings(work).find(LEDGER_LABEL) is not None
