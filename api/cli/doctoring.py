"""`yinxin doctor`: looks at what is really there and says, line by line, whether it is as it must be."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli import examination
from api.cli.database_examination import database_findings
from api.cli.examination import Finding, Level
from api.cli.running_house import on_running_house
from api.cli.timestamps import clock_findings
from api.settings import Settings
from trust.kernel.errors import YinxinError

_MARKS: Final = {Level.OK: ("✓", "green"), Level.WARN: ("!", "yellow"), Level.FAIL: ("✗", "red")}


def examine(settings: Settings, *, as_json: bool) -> int:
    """Prints a table (or JSON) of findings; returns 1 where one is `fail`, else 0."""
    findings = list(_findings(on_running_house(settings)))
    failed = any(finding.level is Level.FAIL for finding in findings)
    if as_json:
        print(json.dumps({"ok": not failed, "findings": [asdict(finding) for finding in findings]}, indent=2))
        return int(failed)
    table = Table("", "what", "finding", show_edge=False, pad_edge=False)
    for finding in findings:
        mark, colour = _MARKS[finding.level]
        table.add_row(Text(f"{mark} {finding.level}", style=colour), finding.subject, Text(finding.detail))
    Console().print(table)
    return int(failed)


def _findings(settings: Settings) -> Iterator[Finding]:
    # 1. What is installed here.
    yield examination.python()
    yield from examination.packages()
    yield from examination.key_files(settings)

    # 2. The object store needs no database.
    yield from _asked("object store", lambda: examination.object_store(settings))

    # 3. Everything that runs.
    if settings.embedded:
        detail = "embedded, and not running now: start `yinxin serve` to have it looked at"
        yield Finding(subject="database", level=Level.WARN, detail=detail)
        return
    yield from _asked("signer", lambda: examination.signer(settings))
    yield from _asked("timestamp clock", lambda: clock_findings(settings))
    yield from database_findings(settings)
    yield from _asked("authorities", lambda: examination.authorities(settings))


def _asked(subject: str, ask: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings, or the one that the part is away."""
    try:
        yield from ask()
    except (YinxinError, OSError) as away:
        said = away.message if isinstance(away, YinxinError) else away.strerror or type(away).__name__
        yield Finding(subject=subject, level=Level.FAIL, detail=said)
