"""Supervision put together: what routes, worker and command line reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.supervision.alerts import AlertDesk
from api.supervision.attempts import Attempts
from api.supervision.erasures import ErasureDesk
from api.supervision.exports import EventExports, query_of
from api.supervision.reading import EventReading
from identity.directory import Directory
from trust.evidence.tlog import VerifierKey
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger
from trust.ledger.supervision.exports import ExportMaking, NoteSigner
from trust.ledger.supervision.rules import MAX_FILE_OCTETS, AlertRulesRefused, RuleBook
from trust.ledger.supervision.watch import AlertWatch
from trust.storage.objects.port import ObjectStore

SHIPPED_RULES: Final = Path(__file__).with_name("rules.json")


@dataclass(frozen=True, kw_only=True)
class SupervisionDesk:
    """Everything that can be done by whoever supervises, and what the worker does for them."""

    events: EventReading
    exports: EventExports
    alerts: AlertDesk
    erasures: ErasureDesk
    attempts: Attempts
    watch: AlertWatch
    making: ExportMaking


def read_rules(path: Path) -> RuleBook:
    """The rules of a file; raises AlertRulesRefused."""
    try:
        with path.open("rb") as file:
            return RuleBook.read(file.read(MAX_FILE_OCTETS + 1))
    except OSError as fault:
        raise AlertRulesRefused(f"the rule file cannot be read: {fault.strerror}") from fault


def build_supervision(
    *,
    ledger: Ledger,
    objects: ObjectStore,
    directory: Directory,
    signer: NoteSigner,
    origin: str,
    keys: Sequence[VerifierKey],
    rules_file: str,
    clock: Clock,
    ids: Ids,
) -> SupervisionDesk:
    """Joins the parts; a rule file that cannot be used stops the process that reads it. Raises AlertRulesRefused."""
    rules = read_rules(Path(rules_file) if rules_file else SHIPPED_RULES)
    return SupervisionDesk(
        events=EventReading(ledger=ledger),
        exports=EventExports(ledger=ledger, objects=objects, clock=clock, ids=ids),
        alerts=AlertDesk(ledger=ledger, directory=directory, rules=rules, clock=clock),
        erasures=ErasureDesk(ledger=ledger, directory=directory, clock=clock, ids=ids),
        attempts=Attempts(ledger=ledger, clock=clock),
        watch=AlertWatch(ledger=ledger, rules=rules, clock=clock, ids=ids),
        making=ExportMaking(
            ledger=ledger,
            store=objects,
            signer=signer,
            origin=origin,
            keys=keys,
            query_of=query_of,
            clock=clock,
        ),
    )
