"""Alert rules: what a deployment wants to be told of, as data that knows no domain but by its acts' names.

A rule file is JSON, `yinxin-alert-rules/v1`: calendars by name, and rules. Every rule has a `name`, a `kind`,
`acts` (an act, or with a dot at its end every act that begins so, or `*`), `per` (whom a count is kept for) and a
`severity`; docs/supervision.md says what each kind needs besides. What is unknown is refused, not passed over: a
rule with a misspelt limit would never fire, and nobody would notice.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from trust.kernel.canonical import canonical_json
from trust.kernel.errors import InvalidInput
from trust.ledger.model import EventOutcome

FORMAT: Final = "yinxin-alert-rules/v1"
# A page of rules is written by people; a hundred rules with their words are a tenth of this.
MAX_FILE_OCTETS: Final = 262_144
MAX_RULES: Final = 200
MAX_ACTS: Final = 50
MAX_DAYS_LISTED: Final = 2_000
# A count is kept by reading what lies in the window again: a day of it is as far as that goes.
LONGEST_WINDOW: Final = timedelta(days=1)
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_ACT: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.?\Z|\*\Z")
_PER: Final = re.compile(r"(?:actor|subject|agency|content\.[a-z0-9_]{1,60})\Z")
_CONTENT: Final = re.compile(r"content\.[a-z0-9_]{1,60}\Z")
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])\Z")
_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class AlertRulesRefused(InvalidInput):
    """The rule file cannot be used; the message says where and why."""

    code = "alert-rules-refused"


class RuleKind(StrEnum):
    """What a rule looks for."""

    OUT_OF_HOURS = "out-of-hours"  # an act at a time when nobody works
    BURST = "burst"  # more acts in a window than anybody does by hand
    LIMIT_NEAR = "limit-near"  # of what was granted, little is left
    DORMANT = "dormant"  # what was not used for long is used


class Severity(StrEnum):
    """How soon somebody should look."""

    NOTICE = "notice"
    WARNING = "warning"
    URGENT = "urgent"


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Working hours: spans of local time by weekday (0 is Monday), days that are off or on against the week."""

    zone: ZoneInfo
    hours: Mapping[int, tuple[tuple[int, int], ...]]
    holidays: frozenset[date]
    working_days: frozenset[date]

    def local(self, moment: datetime) -> datetime:
        """The moment as the clock on the wall shows it."""
        return moment.astimezone(self.zone)

    def works_at(self, moment: datetime) -> bool:
        """Whether somebody works at this moment; a day worked in exchange has the hours of a Monday."""
        local = self.local(moment)
        day = local.date()
        if day in self.holidays:
            return False
        weekday = 0 if day in self.working_days else local.weekday()
        minute = local.hour * 60 + local.minute
        return any(begin <= minute < end for begin, end in self.hours.get(weekday, ()))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule. Which of the parts below the first line are there is for the kind to say."""

    name: str
    kind: RuleKind
    acts: tuple[str, ...]
    per: str
    severity: Severity
    title: Mapping[str, str]
    outcome: EventOutcome | None
    digest: bytes
    calendar: Calendar | None = None
    more_than: int = 0
    within: timedelta = timedelta()
    weight: str | None = None
    granted_by: tuple[str, ...] = ()
    allowed: str = ""
    until: str | None = None
    percent: int = 100
    days: int = 0

    @property
    def remembers(self) -> bool:
        """Whether it keeps something of every key, and so must have read the whole log."""
        return self.kind in (RuleKind.LIMIT_NEAR, RuleKind.DORMANT)


@dataclass(frozen=True, kw_only=True)
class RuleBook:
    """The rules of a deployment, by name."""

    rules: Mapping[str, Rule]

    @classmethod
    def read(cls, octets: bytes) -> "RuleBook":
        """Reads a rule file; raises AlertRulesRefused."""
        if len(octets) > MAX_FILE_OCTETS:
            raise AlertRulesRefused(f"a rule file has at most {MAX_FILE_OCTETS} octets")
        try:
            document = json.loads(octets.decode("utf-8"), object_pairs_hook=_once)
        except (ValueError, RecursionError) as fault:
            raise AlertRulesRefused(f"the rule file is not JSON in UTF-8: {fault}") from fault
        top = _Part(document, "the file")
        if top.take("format", str) != FORMAT:
            raise AlertRulesRefused(f"the file's format is not {FORMAT}")
        calendars = {
            name: _calendar(_Part(part, f"the calendar {name}"))
            for name, part in top.take("calendars", dict, {}).items()
        }
        listed = top.take("rules", list)
        top.finish()
        if not 0 < len(listed) <= MAX_RULES:
            raise AlertRulesRefused(f"a rule file has 1 to {MAX_RULES} rules")
        # Canonical: the same rule, however it is laid out, keeps its place in the log.
        rules = [_rule(item, number, calendars, document) for number, item in enumerate(listed, 1)]
        if len({rule.name for rule in rules}) != len(rules):
            raise AlertRulesRefused("two rules have one name")
        return cls(rules=MappingProxyType({rule.name: rule for rule in rules}))


class _Part:
    """A JSON object of which every name must be taken: what is left over is refused."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, dict):
            raise AlertRulesRefused(f"{what} is a JSON object")
        self._left = dict(value)
        self.what = what

    def take(self, name: str, kind: type, default: Any = None) -> Any:
        value = self._left.pop(name, default)
        if value is None:
            raise AlertRulesRefused(f"{self.what} lacks {name}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise AlertRulesRefused(f"{self.what}: {name} is not of the kind it must be")
        return value

    def code(self, name: str, pattern: re.Pattern[str], default: str | None = None) -> str:
        text = str(self.take(name, str, default))
        if len(text) > 100 or not pattern.match(text):
            raise AlertRulesRefused(f"{self.what}: {name} cannot be {text[:100]!r}")
        return text

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        value = int(self.take(name, int, default))
        if not least <= value <= most:
            raise AlertRulesRefused(f"{self.what}: {name} is from {least} to {most}")
        return value

    def acts(self, name: str) -> tuple[str, ...]:
        listed = self.take(name, list)
        if not 0 < len(listed) <= MAX_ACTS:
            raise AlertRulesRefused(f"{self.what}: {name} names 1 to {MAX_ACTS} acts")
        for act in listed:
            if not isinstance(act, str) or len(act) > 100 or not _ACT.match(act):
                raise AlertRulesRefused(
                    f"{self.what}: {str(act)[:100]!r} is no act, nor the beginning of one"
                )
        return tuple(listed)

    def has(self, name: str) -> bool:
        return name in self._left

    def finish(self) -> None:
        if self._left:
            raise AlertRulesRefused(
                f"{self.what} has what is not known here: {', '.join(sorted(self._left))[:200]}"
            )


def _rule(item: Any, number: int, calendars: Mapping[str, Calendar], document: Mapping[str, Any]) -> Rule:
    part = _Part(item, f"rule {number}")
    name = part.code("name", _NAME)
    part.what = f"the rule {name}"
    try:
        kind = RuleKind(part.take("kind", str))
        severity = Severity(part.take("severity", str, Severity.WARNING.value))
        outcome = EventOutcome(part.take("outcome", str)) if part.has("outcome") else None
    except ValueError as fault:
        raise AlertRulesRefused(f"{part.what}: {fault}") from fault
    given: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "acts": part.acts("acts"),
        "per": part.code("per", _PER),
        "severity": severity,
        "title": _title(part),
        "outcome": outcome,
    }
    hashed: dict[str, Any] = {"rule": item}
    if kind is RuleKind.OUT_OF_HOURS:
        calendar = str(part.take("calendar", str))
        if calendar not in calendars:
            raise AlertRulesRefused(f"{part.what}: there is no calendar {calendar[:100]!r}")
        given["calendar"] = calendars[calendar]
        hashed["calendar"] = document["calendars"][calendar]
    elif kind is RuleKind.BURST:
        given["more_than"] = part.number("more_than", 1, 1_000_000)
        given["within"] = timedelta(
            minutes=part.number("within_minutes", 1, int(LONGEST_WINDOW / timedelta(minutes=1)))
        )
        if part.has("weight"):
            given["weight"] = part.code("weight", _CONTENT).removeprefix("content.")
    elif kind is RuleKind.LIMIT_NEAR:
        given["granted_by"] = part.acts("granted_by")
        given["allowed"] = part.code("allowed", _CONTENT).removeprefix("content.")
        given["percent"] = part.number("percent", 1, 100, 90)
        if part.has("until"):
            given["until"] = part.code("until", _CONTENT).removeprefix("content.")
            given["days"] = part.number("days", 1, 3_650)
    else:
        given["days"] = part.number("days", 1, 3_650)
        given["granted_by"] = part.acts("granted_by") if part.has("granted_by") else ()
    part.finish()
    try:
        digest = hashlib.sha256(canonical_json(hashed)).digest()
    except ValueError as fault:
        raise AlertRulesRefused(f"{part.what} holds what is no text and no whole number") from fault
    return Rule(**given, digest=digest)


def _title(part: _Part) -> Mapping[str, str]:
    title = _Part(part.take("title", dict), f"{part.what}: title")
    said = {language: str(title.take(language, str)) for language in ("zh-Hans", "en")}
    title.finish()
    if any(not 0 < len(text) <= 200 or not text.isprintable() for text in said.values()):
        raise AlertRulesRefused(f"{part.what}: a title has 1 to 200 printable characters")
    return MappingProxyType(said)


def _calendar(part: _Part) -> Calendar:
    try:
        zone = ZoneInfo(part.code("time_zone", re.compile(r"[A-Za-z0-9_+\-/]+\Z")))
    except (OSError, ValueError, KeyError) as fault:
        raise AlertRulesRefused(f"{part.what}: there is no such time zone") from fault
    week = _Part(part.take("hours", dict), f"{part.what}: hours")
    hours = {
        number: tuple(_span(text, week.what) for text in week.take(day, list))
        for number, day in enumerate(_WEEK)
        if week.has(day)
    }
    week.finish()
    calendar = Calendar(
        zone=zone,
        hours=MappingProxyType(hours),
        holidays=_days(part, "holidays"),
        working_days=_days(part, "working_days"),
    )
    part.finish()
    return calendar


def _span(text: Any, what: str) -> tuple[int, int]:
    found = _HOURS.match(text) if isinstance(text, str) else None
    if found is None:
        raise AlertRulesRefused(f"{what}: a span of hours is written 08:30-17:00")
    begin_hour, begin_minute, end_hour, end_minute = map(int, found.groups())
    begin, end = begin_hour * 60 + begin_minute, end_hour * 60 + end_minute
    if not begin < end <= 24 * 60:
        raise AlertRulesRefused(f"{what}: {text} ends before it begins")
    return begin, end


def _days(part: _Part, name: str) -> frozenset[date]:
    listed = part.take(name, list, [])
    if len(listed) > MAX_DAYS_LISTED:
        raise AlertRulesRefused(f"{part.what}: at most {MAX_DAYS_LISTED} days are listed")
    try:
        return frozenset(date.fromisoformat(text) for text in listed)
    except (TypeError, ValueError) as fault:
        raise AlertRulesRefused(f"{part.what}: {name} lists days as 2026-10-01") from fault


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found
