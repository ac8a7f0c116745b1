"""A report on the terminal: marks, words and indentation; or as JSON."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trust.kernel.report import Check, Indication, Outcome, Report
from trust.verify.texts import (
    Language,
    change_text,
    check_text,
    fact_text,
    indication_text,
    kind_text,
    outcome_text,
    reason_text,
)

_MARKS: Final = {
    Indication.VALID: ("✓", "green"),
    Indication.INVALID: ("✗", "red"),
    Indication.CANNOT_TELL: ("?", "yellow"),
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.UNKNOWN: ("?", "yellow"),
}
# What is asked first, in this order; the others are in the JSON. A claimed time only where none is proven.
_SHOWN_FACTS: Final = (
    "signer",
    "authority",
    "subject",
    "issuer",
    "signing_time",
    "claimed_time",
    "gen_time",
    "level",
    "covers_whole_file",
    "status",
    "valid_from",
    "valid_until",
    "this_update",
    "next_update",
    "entries",
    "cosigned_by",
)


def print_report(report: Report, language: Language, *, as_json: bool) -> None:
    """Prints it on standard output."""
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
    yield depth, (title, word, Text(plain(report.subject)))
    for name in _SHOWN_FACTS:
        value = report.facts.get(name)
        if value is None or value == [] or (name == "claimed_time" and report.facts.get("signing_time")):
            continue
        fact = Text(fact_text(name, language), style="dim")
        yield depth + 1, (fact, Text(), Text(_value(value, language)))
    for later in report.facts.get("later_revisions") or ():
        yield depth + 1, _later(later, language)
    for check in report.checks:
        yield depth + 1, _check(check, language)
    for part in report.parts:
        yield from _lines(part, depth + 1, language)


def _value(value: object, language: Language) -> str:
    if isinstance(value, bool):
        yes, no = ("是", "否") if language is Language.ZH else ("yes", "no")
        return yes if value else no
    if isinstance(value, list):  # who cosigned and when, and the like: facts of facts
        return plain("; ".join(" ".join(map(str, each.values())) for each in value))
    return plain(value)


def _later(later: Mapping[str, Any], language: Language) -> tuple[Text, Text, Text]:
    """One revision after a signature: what it was for, whether the signature has room for it, what it did."""
    outcome = Outcome.PASSED if later["allowed"] else Outcome.FAILED
    mark, colour = _MARKS[outcome]
    number = f"第 {later['number']} 次修订" if language is Language.ZH else f"Revision {later['number']}"
    words = {True: ("允许", "allowed"), False: ("不允许", "not allowed")}[outcome is Outcome.PASSED]
    title = Text(f"{mark} {number}")
    title.stylize(colour, 0, 1)
    said = Text(words[0] if language is Language.ZH else words[1], style=colour)
    what = "; ".join((*(change_text(kind, language) for kind in later["kinds"]), *later["changes"]))
    return title, said, Text(plain(what))


def _check(check: Check, language: Language) -> tuple[Text, Text, Text]:
    mark, colour = _MARKS[check.outcome]
    title = Text(f"{mark} {check_text(check.code, language)}")
    title.stylize(colour, 0, 1)
    outcome = Text(outcome_text(check.outcome, language), style=colour)
    if check.outcome is Outcome.PASSED:
        return title, outcome, Text()
    reason = reason_text(check.sub_indication, language) if check.sub_indication else ""
    return title, outcome, Text(" - ".join(filter(None, (reason, plain(check.detail)))))


def plain(value: object) -> str:
    """A stranger's text on one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value)[:500])
