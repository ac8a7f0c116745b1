"""What a rule makes of one event, given what it remembers of the event's key: pure, the same whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.ledger.model import MAX_NAME_CHARACTERS
from trust.ledger.search import RecordedEvent
from trust.ledger.supervision.rules import Rule, RuleKind

Memory = Mapping[str, Any]
# What the alerts themselves record: a rule over everything must not be set off by what it has set off.
OWN_ACTS: Final = "alert."


@dataclass(frozen=True, kw_only=True)
class Finding:
    """That the rule fires: once for the key and the stretch, with the figures behind it."""

    stretch: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the rule remembers from now on (None: as before), until when, and what it found."""

    memory: Memory | None = None
    forget_at: datetime | None = None
    findings: tuple[Finding, ...] = ()


def concerns(rule: Rule, event: RecordedEvent) -> bool:
    """Whether the rule looks at this event at all."""
    if event.act.startswith(OWN_ACTS):
        return False
    if _is_one_of(event.act, rule.granted_by):
        return event.outcome.value == "done"
    wanted = rule.outcome is None or event.outcome is rule.outcome
    return wanted and _is_one_of(event.act, rule.acts)


def key_of(rule: Rule, event: RecordedEvent) -> str | None:
    """Whom the rule counts this event for; None where the event does not say."""
    if _is_one_of(event.act, rule.granted_by):
        return event.subject
    if rule.per == "actor":
        return event.actor.id
    if rule.per == "subject":
        return event.subject
    if rule.per == "agency":
        return event.agency
    value = (event.content or {}).get(rule.per.removeprefix("content."))
    usable = isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARACTERS and value.isprintable()
    return value if usable else None


def judge(rule: Rule, event: RecordedEvent, memory: Memory | None) -> Judgement:
    """The event under the rule; `memory` is what the rule remembers of its key."""
    return _JUDGES[rule.kind](rule, event, memory or {})


def _out_of_hours(rule: Rule, event: RecordedEvent, _memory: Memory) -> Judgement:
    calendar = rule.calendar
    if calendar is None or calendar.works_at(event.at):
        return Judgement()
    local = calendar.local(event.at)
    finding = Finding(
        stretch=local.date().isoformat(), facts={"local_time": local.isoformat(timespec="seconds")}
    )
    return Judgement(findings=(finding,))


def _burst(rule: Rule, event: RecordedEvent, memory: Memory) -> Judgement:
    """Counted in whole minutes: as many numbers as the window has minutes, however much happens in it."""
    minute, span = _minute(event.at), int(rule.within / timedelta(minutes=1))
    minutes = {int(name): int(count) for name, count in memory.get("minutes", {}).items()}
    minutes[minute] = minutes.get(minute, 0) + _weight(rule, event)
    latest = max(minutes)
    minutes = {each: count for each, count in minutes.items() if each > latest - 2 * span}
    count = sum(count for each, count in minutes.items() if minute - span < each <= minute)
    kept: dict[str, Any] = {"minutes": {str(each): minutes[each] for each in sorted(minutes)}}
    told = memory.get("told")
    findings: tuple[Finding, ...] = ()
    # Said once, and again only where it goes on for another whole window.
    if count > rule.more_than and (told is None or minute - told >= span):
        told = minute
        facts = {"count": count, "more_than": rule.more_than, "within_minutes": span}
        findings = (Finding(stretch=f"minute-{minute}", facts=facts),)
    if told is not None:
        kept["told"] = told
    return Judgement(memory=kept, forget_at=event.at + 3 * rule.within, findings=findings)


def _limit_near(rule: Rule, event: RecordedEvent, memory: Memory) -> Judgement:
    content = event.content or {}
    if _is_one_of(event.act, rule.granted_by):
        allowed, until = content.get(rule.allowed), content.get(rule.until or "")
        return Judgement(memory={"used": memory.get("used", 0), "allowed": allowed, "until": until})
    used = int(memory.get("used", 0)) + 1
    findings: list[Finding] = []
    allowed = memory.get("allowed")
    if isinstance(allowed, int) and used * 100 >= rule.percent * allowed:
        findings.append(Finding(stretch="uses", facts={"used": used, "allowed": allowed}))
    until = _moment(memory.get("until"))
    if until is not None and until - event.at <= timedelta(days=rule.days):
        findings.append(Finding(stretch="period", facts={"until": rfc3339(until)}))
    return Judgement(memory={**memory, "used": used}, findings=tuple(findings))


def _dormant(rule: Rule, event: RecordedEvent, memory: Memory) -> Judgement:
    last, kept = _moment(memory.get("last")), {"last": rfc3339(event.at)}
    if last is not None and last > event.at:
        return Judgement()
    if last is None or _is_one_of(event.act, rule.granted_by) or event.at - last < timedelta(days=rule.days):
        return Judgement(memory=kept)
    facts = {"last_used": rfc3339(last), "days": (event.at - last).days}
    return Judgement(memory=kept, findings=(Finding(stretch=event.event_id, facts=facts),))


_JUDGES: Final = {
    RuleKind.OUT_OF_HOURS: _out_of_hours,
    RuleKind.BURST: _burst,
    RuleKind.LIMIT_NEAR: _limit_near,
    RuleKind.DORMANT: _dormant,
}


def _is_one_of(act: str, patterns: tuple[str, ...]) -> bool:
    return any(
        pattern in ("*", act) or (pattern.endswith(".") and act.startswith(pattern)) for pattern in patterns
    )


def _weight(rule: Rule, event: RecordedEvent) -> int:
    """One event is one, unless it says how many attempts it stands for."""
    if rule.weight is None:
        return 1
    value = (event.content or {}).get(rule.weight)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _moment(text: Any) -> datetime | None:
    try:
        return parse_rfc3339(text) if isinstance(text, str) else None
    except ValueError:
        return None
