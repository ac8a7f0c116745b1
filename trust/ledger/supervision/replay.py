"""The whole story of one case: from its number, or any id of it, to every event that belongs to it, in order.

Events say what they belong to by the ids they hold: as their subject, or anywhere in their content. The replay
begins with the events that name the case and follows ids from event to event, in rounds, until nothing new is found
or a limit is reached. Which kinds of ids are followed is for the domains to say: everything hangs together by a
seal or an agency, and a story of everything is none. An event that names another case is told (a later case reusing
this one's record) and not followed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from trust.kernel.text import texts_in
from trust.ledger.model import EventId
from trust.ledger.origin import CASE_NUMBER
from trust.ledger.search import (
    EventQuery,
    EventQueryRefused,
    EventScope,
    RecordedEvent,
    matching,
    mentions_any,
    recorded,
)
from trust.ledger.tables import events
from trust.storage.database import ReadWork

# A case with a hundred materials, each sealed, archived and read, has a tenth of this; more is no story any more.
MAX_EVENTS: Final = 2_000
MAX_IDS: Final = 1_000
# From a case to its seal use, the licence, its presentation, the redemption, its record, the reuse: six steps.
MAX_ROUNDS: Final = 10
_IDS_A_QUERY: Final = 50
_ID: Final = re.compile(r"([a-z]+)_[0-9a-f]{32}\Z")


@dataclass(frozen=True, kw_only=True)
class ReplayWords:
    """Kinds of ids by their prefix.

    `along` are followed wherever they are found, `own` only where such a thing is what an event of this very case
    is about, `looked_up` lead to what was done to the thing itself and no further (who signed in, who granted).
    """

    along: frozenset[str]
    own: frozenset[str]
    looked_up: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ReplayStep:
    """One event of the story, and by what it belongs: the case's number (None) or the id that led to it."""

    event: RecordedEvent
    through: str | None


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The story; `case_number` is None where no event names one, `truncated` says that a limit cut it short."""

    about: str
    case_number: str | None
    steps: tuple[ReplayStep, ...]
    truncated: bool


@dataclass(kw_only=True)
class _Search:
    """What is known so far, and what is still to be followed."""

    case_number: str | None
    words: ReplayWords
    steps: dict[EventId, ReplayStep] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)
    looked_up: set[str] = field(default_factory=set)
    to_follow: list[str] = field(default_factory=list)
    to_look_up: list[str] = field(default_factory=list)
    truncated: bool = False

    def take(self, found: Iterable[RecordedEvent], through: str | None) -> None:
        for event in found:
            if event.event_id in self.steps:
                continue
            if len(self.steps) >= MAX_EVENTS:
                self.truncated = True
                return
            self.steps[event.event_id] = ReplayStep(event=event, through=through)
            self._note(event)

    def follow(self, identifier: str) -> None:
        self._queue(identifier, self.followed, self.to_follow)

    def _note(self, event: RecordedEvent) -> None:
        """Which ids of this event lead on."""
        named = (event.content or {}).get(CASE_NUMBER)
        if named is not None and named != self.case_number:
            return
        held = {event.subject, *texts_in(event.content or {})}
        for identifier in sorted(held):
            found = _ID.match(identifier)
            kind = found.group(1) if found else ""
            if kind in self.words.along or (
                kind in self.words.own and identifier == event.subject and named is not None
            ):
                self.follow(identifier)
            elif kind in self.words.looked_up:
                self._queue(identifier, self.looked_up, self.to_look_up)

    def _queue(self, identifier: str, known: set[str], queue: list[str]) -> None:
        if identifier in known:
            return
        if len(self.followed) + len(self.looked_up) >= MAX_IDS:
            self.truncated = True
            return
        known.add(identifier)
        queue.append(identifier)


def replay(
    work: ReadWork, about: str, *, words: ReplayWords, scope: EventScope, agency: str | None = None
) -> Replay:
    """The story of a case number or an id, as far as the scope sees it.

    `agency` says whose case it is where two agencies may have given one number; the story then still goes on in
    others. Raises EventQueryRefused for what is neither. A story without events has none that may be seen.
    """
    # 1. An id says which case it is of; a number is its own answer.
    if _ID.match(about):
        search = _Search(case_number=_case_of(work, about, scope), words=words)
        search.follow(about)
    else:
        search = _Search(case_number=about, words=words)
    if search.case_number is not None:
        whose = scope if agency is None or scope.agency is not None else EventScope.of_agency(agency)
        search.take(_naming(work, search.case_number, whose), None)

    # 2. Follow what the events hold, round by round.
    for _ in range(MAX_ROUNDS):
        if not (search.to_follow or search.to_look_up):
            break
        following, search.to_follow = search.to_follow, []
        looking, search.to_look_up = search.to_look_up, []
        for part in _parts(following):
            search.take(_about(work, part, scope), _through(part))
            search.take(_mentioning(work, part, scope), _through(part))
        for part in _parts(looking):
            search.take(_about(work, part, scope), _through(part))
    search.truncated = search.truncated or bool(search.to_follow)

    # 3. Tell it in the order in which it happened.
    steps = sorted(search.steps.values(), key=lambda step: (step.event.at, step.event.event_id))
    told = tuple(ReplayStep(event=step.event, through=_link(step, search)) for step in steps)
    return Replay(about=about, case_number=search.case_number, steps=told, truncated=search.truncated)


def _case_of(work: ReadWork, identifier: str, scope: EventScope) -> str | None:
    """The case that the first event about this id names."""
    for event in _about(work, [identifier], scope):
        named = (event.content or {}).get(CASE_NUMBER)
        if isinstance(named, str):
            return named
    return None


def _naming(work: ReadWork, case_number: str, scope: EventScope) -> Iterator[RecordedEvent]:
    yield from _rows(work, matching(EventQuery(scope=scope, case_number=case_number)))


def _about(work: ReadWork, ids: list[str], scope: EventScope) -> Iterator[RecordedEvent]:
    yield from _rows(work, matching(EventQuery(scope=scope)).where(events.c.subject.in_(ids)))


def _mentioning(work: ReadWork, ids: list[str], scope: EventScope) -> Iterator[RecordedEvent]:
    yield from _rows(work, matching(EventQuery(scope=scope)).where(mentions_any(ids)))


def _rows(work: ReadWork, statement: Any) -> list[RecordedEvent]:
    """At most one more than a story holds: whoever takes them notices that there are too many."""
    rows = work.execute(statement.order_by(events.c.at, events.c.event_id).limit(MAX_EVENTS + 1)).all()
    return [recorded(row) for row in rows]


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(ids), _IDS_A_QUERY):
        yield ids[begin : begin + _IDS_A_QUERY]


def _through(part: list[str]) -> str | None:
    return part[0] if len(part) == 1 else None


def _link(step: ReplayStep, search: _Search) -> str | None:
    """The id that joins the event to the story: None where it names the case itself."""
    content = step.event.content or {}
    if search.case_number is not None and content.get(CASE_NUMBER) == search.case_number:
        return None
    known = search.followed | search.looked_up
    if step.event.subject in known:
        return step.event.subject
    return next((each for each in sorted(texts_in(content)) if each in known), step.through)


def require_about(text: str) -> str:
    """What a replay can be asked for: a case number or an id; raises EventQueryRefused."""
    if not 0 < len(text) <= 200 or not text.isprintable():
        raise EventQueryRefused("a replay is of a case number or an id: 1 to 200 printable characters")
    return text
