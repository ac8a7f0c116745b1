"""Watching the log: every rule reads every event once, in the log's order, and says what it found once.

A turn is one transaction: the positions are locked, a page of events is read from where the rules stand, what they
remember is changed, alerts are inserted, positions moved on. A worker killed in the middle has done nothing; two
workers cannot take the same turn; and an alert has a unique key besides, should all that ever fail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Actor, Event
from trust.ledger.search import RecordedEvent, sequenced
from trust.ledger.supervision.judging import Finding, Judgement, Memory, concerns, judge, key_of
from trust.ledger.supervision.model import AlertId
from trust.ledger.supervision.rules import Rule, RuleBook
from trust.ledger.supervision.tables import alert_memory, alert_positions, alerts
from trust.ledger.tables import sequence

ALERT_RAISED: Final = "alert.raised"
ALERT_ACKNOWLEDGED: Final = "alert.acknowledged"
ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ALERT_RAISED: "A rule found something that a supervisor or auditor should look at.",
        ALERT_ACKNOWLEDGED: "Somebody looked at an alert and said what came of it, or was refused.",
    }
)

# One turn: a fraction of a second, so that the lock is short and a stop is soon.
PAGE_EVENTS: Final = 500
# A backlog larger than this is left to the next call, so that a worker can be told to stop.
MAX_TURNS: Final = 200
_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended('ledger.alerts', 0))")
_WORKER: Final = Actor(kind="worker", id="worker")


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where some rules stand, and up to where they read now."""

    rules: tuple[Rule, ...]
    alerts_from: Mapping[str, int]
    begin: int
    end: int


class AlertWatch:
    """Lets the rules read what was newly placed in the log."""

    def __init__(
        self, *, ledger: Ledger, rules: RuleBook, clock: Clock, ids: Ids, page_events: int = PAGE_EVENTS
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._clock = clock
        self._ids = ids
        self._page_events = page_events

    def catch_up(self) -> int:
        """Turns until every rule has read the log; answers how many alerts were raised."""
        raised = 0
        for _ in range(MAX_TURNS):
            turn = self.turn()
            if turn is None:
                break
            raised += turn
        return raised

    def turn(self) -> int | None:
        """One turn; the number of alerts raised, None where there is nothing to read or another has the turn."""
        with self._ledger.work() as work:
            # 1. Take the turn, and find the rules that stand furthest back.
            if not work.execute(_TRY_LOCK).scalar_one():
                return None
            place = self._place(work)
            if place is None:
                return None

            # 2. Let each of them read the page; what it remembers is loaded and kept key by key.
            page = sequenced(work, place.begin, place.end)
            raised = 0
            for rule in place.rules:
                raised += self._read(work, rule, page, alerts_from=place.alerts_from[rule.name])

            # 3. Move them on, in the same transaction.
            for rule in place.rules:
                work.execute(_moved(rule, place.end))
        return raised

    def forget(self) -> int:
        """Deletes what rules remember and need no more, and rules that are no longer in the book."""
        known = [rule.digest for rule in self._rules.rules.values()]
        with self._ledger.work() as work:
            gone: int = work.execute(
                delete(alert_memory).where(
                    (alert_memory.c.forget_at < self._clock.now()) | alert_memory.c.rule_digest.not_in(known)
                )
            ).rowcount
            work.execute(delete(alert_positions).where(alert_positions.c.rule_digest.not_in(known)))
        return gone

    def _place(self, work: RecordedWork) -> _Place | None:
        last = work.execute(select(func.max(sequence.c.index))).scalar_one()
        size = 0 if last is None else last + 1
        rules = tuple(self._rules.rules.values())
        for rule in rules:
            work.execute(_begun(rule, size))
        standing = {
            (row.rule, bytes(row.rule_digest)): row for row in work.execute(select(alert_positions)).all()
        }
        at = {rule.name: standing[rule.name, rule.digest] for rule in rules}
        begin = min(row.next_index for row in at.values())
        if begin >= size:
            return None
        others = [row.next_index for row in at.values() if row.next_index > begin]
        return _Place(
            rules=tuple(rule for rule in rules if at[rule.name].next_index == begin),
            alerts_from={name: row.alerts_from for name, row in at.items()},
            begin=begin,
            end=min([size, begin + self._page_events, *others]),
        )

    def _read(
        self, work: RecordedWork, rule: Rule, page: Sequence[RecordedEvent], *, alerts_from: int
    ) -> int:
        found = [(event, key_of(rule, event)) for event in page if concerns(rule, event)]
        keyed = [(event, key) for event, key in found if key is not None]
        if not keyed:
            return 0
        memories = _memories(work, rule, {key for _, key in keyed})
        changed: dict[str, Judgement] = {}
        raised = 0
        for event, key in keyed:
            judgement = judge(rule, event, memories.get(key))
            if judgement.memory is not None:
                memories[key], changed[key] = judgement.memory, judgement
            if event.index is not None and event.index >= alerts_from:
                raised += sum(self._raise(work, rule, key, event, each) for each in judgement.findings)
        _remember(work, rule, changed)
        return raised

    def _raise(
        self, work: RecordedWork, rule: Rule, key: str, event: RecordedEvent, finding: Finding
    ) -> bool:
        now, alert_id = self._clock.now(), self._ids.new(AlertId)
        inserted = work.execute(
            upsert(alerts)
            .values(
                id=alert_id,
                rule=rule.name,
                rule_digest=rule.digest,
                kind=rule.kind.value,
                severity=rule.severity.value,
                key=key,
                stretch=finding.stretch,
                event_id=event.event_id,
                agency=event.agency,
                actor_id=event.actor.id,
                facts=dict(finding.facts),
                raised_at=now,
            )
            .on_conflict_do_nothing()
        ).rowcount
        if inserted:
            work.record(_raised(alert_id, rule, key, event, finding))
        return bool(inserted)


def _raised(alert_id: AlertId, rule: Rule, key: str, event: RecordedEvent, finding: Finding) -> Event:
    return Event(
        act=ALERT_RAISED,
        actor=_WORKER,
        subject=alert_id,
        agency=event.agency,
        reason=rule.name,
        content={
            "kind": rule.kind.value,
            "severity": rule.severity.value,
            "about": key,
            "event": event.event_id,
            "facts": dict(finding.facts),
        },
    )


def _begun(rule: Rule, size: int) -> Any:
    """A new rule begins at the end of the log; one that remembers reads all of it, silently up to there."""
    row = {
        "rule": rule.name,
        "rule_digest": rule.digest,
        "next_index": 0 if rule.remembers else size,
        "alerts_from": size,
    }
    return upsert(alert_positions).values(row).on_conflict_do_nothing()


def _moved(rule: Rule, end: int) -> Any:
    return (
        alert_positions.update()
        .where(alert_positions.c.rule == rule.name, alert_positions.c.rule_digest == rule.digest)
        .values(next_index=end)
    )


def _memories(work: RecordedWork, rule: Rule, keys: set[str]) -> dict[str, Memory]:
    rows = work.execute(
        select(alert_memory.c.key, alert_memory.c.memory).where(
            alert_memory.c.rule == rule.name,
            alert_memory.c.rule_digest == rule.digest,
            alert_memory.c.key.in_(sorted(keys)),
        )
    )
    return {row.key: row.memory for row in rows}


def _remember(work: RecordedWork, rule: Rule, changed: Mapping[str, Judgement]) -> None:
    if not changed:
        return
    statement = upsert(alert_memory)
    work.execute(
        statement.on_conflict_do_update(
            index_elements=["rule", "rule_digest", "key"],
            set_={"memory": statement.excluded.memory, "forget_at": statement.excluded.forget_at},
        ),
        [
            {
                "rule": rule.name,
                "rule_digest": rule.digest,
                "key": key,
                "memory": dict(judgement.memory or {}),
                "forget_at": judgement.forget_at,
            }
            for key, judgement in sorted(changed.items())
        ],
    )
