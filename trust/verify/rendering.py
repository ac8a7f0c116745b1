"""A report as readable text, for a terminal or a mail: marks, words and indentation, never colour alone."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from trust.kernel.report import Check, Indication, Outcome, Report
from trust.verify.texts import (
    Language,
    check_text,
    fact_text,
    indication_text,
    kind_text,
    outcome_text,
    reason_text,
)

_MARKS: Mapping[Indication | Outcome, str] = {
    Indication.VALID: "[+]",
    Indication.INVALID: "[x]",
    Indication.CANNOT_TELL: "[?]",
    Outcome.PASSED: "+",
    Outcome.FAILED: "x",
    Outcome.UNKNOWN: "?",
}
# What the technical names of a credential are; they are in the report, not in the text for people.
_PROTOCOL_CLAIMS = frozenset({"iss", "iat", "nbf", "exp", "vct", "cnf", "status", "sub", "jti"})
_HIDDEN_FACTS = frozenset({"disclosed"})
# Text of a stranger's file, cut so that one fact cannot bury the outcome.
_MAX_VALUE_CHARACTERS = 200
_INDENT = "  "


def render_text(report: Report, language: Language | str) -> str:
    """The report as lines of text, ending in a newline; raises ValueError on a language not spoken here."""
    return "".join(f"{line}\n" for line in _lines(report, Language(language), ""))


def _lines(report: Report, language: Language, indent: str) -> Iterator[str]:
    word = indication_text(report.indication, language)
    subject = f" {_plain(report.subject)}" if report.subject else ""
    yield f"{indent}{_MARKS[report.indication]} {word} - {kind_text(report.kind, language)}{subject}"
    inner = indent + _INDENT
    for name, value in report.facts.items():
        if name not in _HIDDEN_FACTS and value is not None:
            yield from _fact(name, value, language, inner)
    for check in report.checks:
        yield inner + _check(check, language)
    for part in report.parts:
        yield from _lines(part, language, inner)


def _check(check: Check, language: Language) -> str:
    colon, opening, closing = ("：", "（", "）") if language is Language.ZH else (": ", " (", ")")
    outcome = outcome_text(check.outcome, language)
    line = f"{_MARKS[check.outcome]} {check_text(check.code, language)}{colon}{outcome}"
    if check.outcome is Outcome.PASSED:
        return line
    if check.sub_indication:
        line += f"{opening}{reason_text(check.sub_indication, language)}{closing}"
    return line + (f" - {_plain(check.detail)}" if check.detail else "")


def _fact(name: str, value: Any, language: Language, indent: str) -> Iterator[str]:
    colon = "：" if language is Language.ZH else ": "
    title = fact_text(name, language)
    if isinstance(value, Mapping):
        shown = {key: item for key, item in value.items() if key not in _PROTOCOL_CLAIMS}
        if shown:
            yield f"{indent}{title}{colon}".rstrip()
            for key, item in shown.items():
                yield f"{indent}{_INDENT}{_plain(key)}{colon}{_value(item, language)}"
        return
    yield f"{indent}{title}{colon}{_value(value, language)}"


def _value(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        yes, no = ("是", "否") if language is Language.ZH else ("yes", "no")
        return yes if value else no
    if isinstance(value, Mapping):
        return "; ".join(f"{_plain(key)} {_value(item, language)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_value(item, language) for item in value)
    return _plain(value)


def _plain(value: Any) -> str:
    """A stranger's text on one line: no control or direction-changing characters, of bounded length."""
    text = "".join(
        character if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else " "
        for character in str(value)[: _MAX_VALUE_CHARACTERS + 1]
    )
    return text if len(text) <= _MAX_VALUE_CHARACTERS else text[:_MAX_VALUE_CHARACTERS] + "…"
