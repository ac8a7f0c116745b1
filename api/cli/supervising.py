"""`yinxin events`: exporting events on the host, and checking a file of alert rules."""

import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api.cli.running_house import on_running_house
from api.settings import Settings
from api.supervision.desk import read_rules
from api.supervision.reading import Wanted
from api.wiring import Services, build_services
from identity.caller import Caller, CallerKind, Role
from trust.kernel.clock import parse_rfc3339
from trust.kernel.errors import InvalidInput, Unavailable
from trust.ledger.model import EventOutcome
from trust.ledger.supervision.exports import Export

# Whoever has the service's settings can read its database anyway; the ledger names the host.
HOST: Final = Caller(kind=CallerKind.WORKER, account_id="host-command", roles=frozenset({Role.SUPERVISOR}))
_LONGEST_SECONDS: Final = 900.0
_POLL_SECONDS: Final = 0.2


class ExportNotMade(Unavailable):
    """The export was asked for and is not there: does a worker sequence the ledger?"""

    code = "event-export-not-made"


class MomentMalformed(InvalidInput):
    """A moment is not RFC 3339."""

    code = "moment-malformed"


def check_rules(path: Path) -> list[dict[str, Any]]:
    """The rules of a file as a list of facts; raises AlertRulesRefused."""
    return [
        {
            "name": rule.name,
            "kind": rule.kind.value,
            "severity": rule.severity.value,
            "acts": list(rule.acts),
            "per": rule.per,
            "title": dict(rule.title),
        }
        for rule in read_rules(path).rules.values()
    ]


def export_events(settings: Settings, output: Path, wanted: dict[str, str | None]) -> dict[str, Any]:
    """Asks for an export, makes it here or waits for the worker, and writes the file. Raises ExportNotMade."""
    asked = Wanted(
        **{
            name: value
            for name, value in wanted.items()
            if value is not None and name not in ("since", "until", "outcome")
        },
        outcome=None if wanted.get("outcome") is None else _outcome(str(wanted["outcome"])),
        since=_moment(wanted.get("since")),
        until=_moment(wanted.get("until")),
    )
    with closing(build_services(on_running_house(settings))) as services:
        export = services.supervision.exports.ask_on_host(HOST, asked)
        done = _made(services, export)
        octets = services.supervision.exports.file_on_host(HOST, done)
    output.write_bytes(octets)
    outcome = done.outcome
    return {
        "file": str(output),
        "export_id": export.id,
        "events": None if outcome is None else outcome.events,
        "tree_size": None if outcome is None else outcome.tree_size,
        "octets": len(octets),
    }


def _made(services: Services, export: Export) -> Export:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    until = time.monotonic() + _LONGEST_SECONDS
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("events", total=None)
        while time.monotonic() < until:
            services.sequencer.catch_up()
            services.supervision.making.make_all()
            standing = services.supervision.exports.standing_on_host(HOST, export.id)
            progress.update(task, total=standing.total or None, completed=standing.done)
            if standing.outcome is not None:
                if standing.outcome.failed is not None:
                    raise ExportNotMade(f"the export could not be made: {standing.outcome.failed}")
                return standing
            time.sleep(_POLL_SECONDS)
    raise ExportNotMade("the export is not made yet; ask for a shorter period, or look at the worker")


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError as fault:
        raise MomentMalformed(f"{text} is no moment: write 2026-11-26T00:00:00Z") from fault


def _outcome(text: str) -> EventOutcome:
    try:
        return EventOutcome(text)
    except ValueError as fault:
        raise InvalidInput("an outcome is done or refused") from fault
