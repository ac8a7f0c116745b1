"""`yinxin verify` and `yinxin ledger verify`: a report on the terminal, and what it came to as the exit code."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.running_house import on_running_house
from api.settings import Settings
from api.wiring import build_objects
from trust.authority.model import LEDGER_LABEL
from trust.evidence.tlog import VerifierKey
from trust.kernel.clock import SystemClock, parse_rfc3339
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Check, Indication, Outcome, Report
from trust.keys.repository import KeyBindings
from trust.ledger.verify import verify_ledger
from trust.packages import bagit
from trust.pki.trust_store import TrustStore
from trust.storage.database import Database
from trust.verify.formats import Format, format_of
from trust.verify.texts import (
    Language,
    check_text,
    fact_text,
    indication_text,
    kind_text,
    outcome_text,
    reason_text,
)
from trust.verify.verifier import verify_bytes, verify_directory

EXIT_CODES: Final = {Indication.VALID: 0, Indication.INVALID: 1, Indication.CANNOT_TELL: 2}
# Packages are read as streams; everything else is held in memory, where a document of this size still fits.
MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_HEAD_BYTES: Final = 4096
_MARKS: Final = {
    Indication.VALID: ("✓", "green"),
    Indication.INVALID: ("✗", "red"),
    Indication.CANNOT_TELL: ("?", "yellow"),
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.UNKNOWN: ("?", "yellow"),
}
# What is asked first, in this order; the others are in the JSON.
_SHOWN_FACTS: Final = (
    "signer",
    "authority",
    "signing_time",
    "gen_time",
    "level",
    "covers_whole_file",
    "status",
)


class UsageRefused(InvalidInput):
    """The command was not given what it needs (exit code 3)."""

    code = "usage-refused"


def verify_path(path: Path, *, trust: Path | None, at: str | None, language: str, as_json: bool) -> int:
    """Verifies a file, or a folder that is an OCFL object or storage root, and prints the report.

    Returns 0 valid, 1 invalid, 2 cannot tell. Raises UsageRefused and TrustStoreRefused, which the command
    ends with 3.
    """
    spoken, moment = _language(language), _moment(at)
    store = TrustStore() if trust is None else TrustStore.load(trust)
    if path.is_dir():
        report = verify_directory(path)
    elif path.is_file():
        report = _verify_file(path, store, moment)
    else:
        raise UsageRefused(f"{path} is neither a file nor a folder")
    _print(report, spoken, as_json=as_json)
    if trust is None and not as_json and report.indication is Indication.CANNOT_TELL:
        Console(stderr=True).print("Nothing is trusted without --trust FOLDER (anchors, CRLs, status lists).")
    return EXIT_CODES[report.indication]


def verify_own_ledger(settings: Settings, *, as_json: bool, language: str) -> int:
    """Recomputes our own ledger from database and tiles, prints the report, returns 0, 1 or 2.

    The keys are those bound in the database: whoever does not trust it takes the published ones and
    verifies what the ledger publishes. Raises UsageRefused where no database is set or runs.
    """
    spoken = _language(language)
    settings = on_running_house(settings)
    if settings.embedded:
        raise UsageRefused("no database: set YINXIN_DATABASE_URL, or have `yinxin serve` running")
    with closing(Database(settings.database_url, settings.database_read_url or None)) as database:
        with database.read() as work:
            keys = [
                VerifierKey(name=settings.origin, public_key=binding.spki[-32:])
                for binding in KeyBindings(work).labelled(LEDGER_LABEL)
            ]
        report = verify_ledger(database, build_objects(settings), keys, at=SystemClock().now())
    _print(report, spoken, as_json=as_json)
    return EXIT_CODES[report.indication]


def _verify_file(path: Path, trust: TrustStore, at: datetime) -> Report:
    try:
        with path.open("rb") as stream:
            if format_of(stream.read(_HEAD_BYTES), path.name) is Format.PACKAGE:
                return bagit.validate(stream, subject=path.name)
            stream.seek(0)
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as fault:
        raise UsageRefused(f"{path} cannot be read: {fault.strerror}") from fault
    if len(data) > MAX_FILE_BYTES:
        raise UsageRefused(f"{path} has more than the {MAX_FILE_BYTES} octets read at once")
    return verify_bytes(data, name=path.name, trust=trust, at=at)


def _language(text: str) -> Language:
    try:
        return Language(text)
    except ValueError as fault:
        raise UsageRefused(f"--language is one of {', '.join(Language)}") from fault


def _moment(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        return parse_rfc3339(text)
    except ValueError as fault:
        raise UsageRefused(
            "--at is a moment with its zone, such as 2026-11-22T08:00:00Z (RFC 3339)"
        ) from fault


def _print(report: Report, language: Language, *, as_json: bool) -> None:
    if as_json:
        # ASCII alone: what a stranger's file says cannot reach the terminal as anything but text.
        print(json.dumps(report.to_json(), indent=2, default=str))
        return
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for depth, line in _lines(report, 0, language):
        first, *rest = line
        table.add_row(Text("  " * depth).append_text(first), *rest)
    Console().print(table)


def _lines(report: Report, depth: int, language: Language) -> Iterator[tuple[int, tuple[Text, Text, Text]]]:
    mark, colour = _MARKS[report.indication]
    title = Text(f"{mark} {kind_text(report.kind, language)}", style=f"bold {colour}")
    word = Text(indication_text(report.indication, language), style=f"bold {colour}")
    yield depth, (title, word, Text(_plain(report.subject)))
    for name in _SHOWN_FACTS:
        if report.facts.get(name) is not None:
            fact = Text(fact_text(name, language), style="dim")
            yield depth + 1, (fact, Text(), Text(_plain(report.facts[name])))
    for check in report.checks:
        yield depth + 1, _check(check, language)
    for part in report.parts:
        yield from _lines(part, depth + 1, language)


def _check(check: Check, language: Language) -> tuple[Text, Text, Text]:
    mark, colour = _MARKS[check.outcome]
    title = Text(f"{mark} {check_text(check.code, language)}")
    title.stylize(colour, 0, 1)
    outcome = Text(outcome_text(check.outcome, language), style=colour)
    if check.outcome is Outcome.PASSED:
        return title, outcome, Text()
    reason = reason_text(check.sub_indication, language) if check.sub_indication else ""
    return title, outcome, Text(" - ".join(filter(None, (reason, _plain(check.detail)))))


def _plain(value: object) -> str:
    """A stranger's text on one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value)[:500])
