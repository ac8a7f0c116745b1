"""The clock that timestamps are made by: what a step does to it, within the signer and across a restart."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.cli.doctoring import examine
from api.cli.timestamps import ResumeReasonRefused, resume_by_operator
from api.timestamping.events import CLOCK_RESUMED, CLOCK_STOPPED, CLOCK_TRUSTED
from tests.support.house import House
from tests.support.house_edge import HouseEdge
from trust.crypto.digests import sha256
from trust.kernel.errors import Unavailable
from trust.keys.errors import TimeNotTrusted
from trust.keys.stamping.clock import StampingClock
from trust.keys.stamping.model import ClockChange, ClockState
from trust.keys.stamping.repository import Mark, StampingMarks
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls
from trust.timestamp.errors import FailInfo
from trust.timestamp.requests import make_request
from trust.timestamp.responses import rejected
from trust.timestamp.tokens import parse_token

MOMENT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ACCURACY = timedelta(seconds=1)
BACK = ClockState.STEPPED_BACK
AHEAD = ClockState.JUMPED_AHEAD


@dataclass(kw_only=True)
class Watch:
    """A clock that can be set, beside one that only runs."""

    moment: datetime = MOMENT
    run: float = 1000.0

    def now(self) -> datetime:
        return self.moment

    def elapsed(self) -> float:
        return self.run

    def passes(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.run += seconds

    def is_set(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass(kw_only=True)
class Paper:
    """Marks as they are kept, without a database."""

    mark: Mark | None = None
    written: list[ClockChange] = field(default_factory=list)

    def newest(self) -> Mark | None:
        return self.mark

    def open(self, moment: datetime, *, resumed: bool) -> Mark:
        self.mark = Mark(era=1 if self.mark is None else self.mark.era + 1, highest=moment)
        if resumed:
            self.changed(ClockState.RESUMED, clock_at=moment, expected_at=moment)
        return self.mark

    def raise_to(self, era: int, moment: datetime) -> None:
        assert self.mark is not None
        assert moment >= self.mark.highest
        self.mark = Mark(era=era, highest=moment)

    def changed(self, state: ClockState, *, clock_at: datetime, expected_at: datetime) -> None:
        self.written.append(
            ClockChange(
                position=len(self.written) + 1, state=state, clock_at=clock_at, expected_at=expected_at
            )
        )

    def last_change(self) -> ClockChange | None:
        return self.written[-1] if self.written else None

    def changes(self, *, after: int) -> tuple[ClockChange, ...]:
        return tuple(self.written[after:])


def guarded(watch: Watch, paper: Any, accuracy: timedelta = ACCURACY) -> StampingClock:
    return StampingClock(clock=watch, marks=paper, accuracy=accuracy, elapsed=watch.elapsed)


def states(paper: Paper) -> list[ClockState]:
    return [each.state for each in paper.written]


def test_steps_within_the_accuracy_are_what_the_accuracy_states() -> None:
    watch, paper = Watch(), Paper()
    clock = guarded(watch, paper)
    for step in (0.9, -0.9, -0.1, 1.0, -1.0):
        assert clock.now() == watch.moment
        watch.passes(10)
        watch.is_set(step)
    assert clock.now() == watch.moment
    assert not paper.written


def test_a_step_back_stops_the_authority_until_the_clock_is_past_where_it_was() -> None:
    watch, paper = Watch(), Paper()
    clock = guarded(watch, paper)
    clock.now()
    watch.passes(5)
    watch.is_set(-1.001)
    with pytest.raises(TimeNotTrusted, match="stepped back"):
        clock.now()
    watch.passes(1)
    with pytest.raises(TimeNotTrusted):
        clock.now()
    watch.passes(0.001)
    assert clock.now() == watch.moment
    assert states(paper) == [BACK, ClockState.TRUSTED]


def test_a_step_back_after_an_idle_hour_is_seen_though_nothing_later_was_stamped() -> None:
    watch, paper = Watch(), Paper()
    clock = guarded(watch, paper)
    clock.now()
    watch.passes(3600)
    watch.is_set(-60)
    assert clock.standing().state is BACK
    watch.passes(59)
    assert clock.standing().state is BACK
    watch.passes(1)
    assert clock.standing().trusted


def test_many_small_steps_back_do_not_go_behind_what_was_stamped() -> None:
    watch, paper = Watch(), Paper()
    clock = guarded(watch, paper)
    clock.now()
    watch.is_set(-0.6)
    clock.now()
    watch.is_set(-0.6)
    with pytest.raises(TimeNotTrusted):
        clock.now()


def test_a_jump_ahead_stops_the_authority_until_the_clock_is_back_where_it_must_be() -> None:
    watch, paper = Watch(), Paper()
    clock = guarded(watch, paper)
    clock.now()
    watch.passes(1)
    watch.is_set(86_400)
    with pytest.raises(TimeNotTrusted, match="jumped ahead"):
        clock.now()
    assert paper.mark is not None
    assert paper.mark.highest < MOMENT + timedelta(seconds=5), "a time that is not trusted raises no mark"
    watch.passes(30)
    watch.is_set(-86_400)
    assert clock.now() == watch.moment
    assert states(paper) == [AHEAD, ClockState.TRUSTED]


def test_an_operator_may_say_that_the_clock_is_right_after_a_step_either_way() -> None:
    for step in (-3600, 3600):
        watch, paper = Watch(), Paper()
        clock = guarded(watch, paper)
        clock.now()
        watch.is_set(step)
        with pytest.raises(TimeNotTrusted):
            clock.now()
        clock.resume()
        assert clock.now() == watch.moment
        # And whoever starts later goes by the operator's word too.
        watch.passes(1)
        assert guarded(watch, paper).now() == watch.moment


@pytest.mark.parametrize("step", [-3.0, 3600.0])
def test_a_restart_does_not_forgive_a_step(step: float) -> None:
    watch, paper = Watch(), Paper()
    clock = guarded(watch, paper)
    clock.now()
    watch.is_set(step)
    with pytest.raises(TimeNotTrusted):
        clock.now()
    with pytest.raises(TimeNotTrusted):
        guarded(watch, paper).now()


def test_a_clock_that_was_set_back_while_the_signer_was_down_is_seen_when_it_starts() -> None:
    watch, paper = Watch(), Paper()
    guarded(watch, paper).now()
    watch.passes(100)
    watch.is_set(-102.5)
    watch.run = 1.0  # the machine was started again, and its other clock with it
    after = guarded(watch, paper)
    with pytest.raises(TimeNotTrusted):
        after.now()
    watch.passes(4)
    assert after.now() == watch.moment


@given(
    accuracy=st.integers(100, 5000).map(lambda each: timedelta(milliseconds=each)),
    steps=st.lists(st.tuples(st.floats(0, 3), st.floats(-4, 4), st.booleans()), max_size=30),
)
def test_nothing_is_stamped_behind_what_was_stamped_by_more_than_the_accuracy(
    accuracy: timedelta, steps: list[tuple[float, float, bool]]
) -> None:
    """Whatever the clock does, and however often the signer is killed."""
    watch, paper = Watch(), Paper()
    clock = guarded(watch, paper, accuracy)
    stamped = [clock.now()]
    for passes, is_set, killed in steps:
        watch.passes(passes)
        watch.is_set(is_set)
        if killed:
            clock = guarded(watch, paper, accuracy)
        try:
            moment = clock.now()
        except TimeNotTrusted:
            continue
        assert moment >= max(stamped) - accuracy
        assert paper.mark is not None
        assert moment <= paper.mark.highest
        stamped.append(moment)


def test_a_signer_that_is_killed_and_started_at_once_gives_tokens_at_once() -> None:
    watch, paper = Watch(), Paper()
    for accuracy in (timedelta(milliseconds=100), ACCURACY, timedelta(minutes=1)):
        for _ in range(5):
            assert guarded(watch, paper, accuracy).now() == watch.moment
            watch.passes(0.001)


def test_the_database_itself_lets_the_mark_rise_and_never_fall(postgres: DatabaseUrls) -> None:
    with closing(Database(postgres.signer)) as signer:
        marks = StampingMarks(signer)
        mark = marks.open(MOMENT, resumed=False)
        marks.raise_to(mark.era, MOMENT + timedelta(seconds=2))
        marks.raise_to(mark.era, MOMENT)  # another signer had been further
        kept = marks.newest()
        assert kept is not None
        assert kept.highest == MOMENT + timedelta(seconds=2)
        for statement in (
            "UPDATE trust.stamping_marks SET highest = '2000-01-01'",
            "UPDATE trust.stamping_marks SET opened_at = '2000-01-01'",
            "DELETE FROM trust.stamping_marks",
            "DELETE FROM trust.stamping_clock_changes",
            "UPDATE trust.stamping_clock_changes SET state = 'trusted'",
        ):
            with pytest.raises(DBAPIError), signer.work() as work:
                work.execute(text(statement))
    with closing(Database(postgres.owner)) as owner:
        for statement in (
            "UPDATE trust.stamping_marks SET highest = '2000-01-01'",
            "DELETE FROM trust.stamping_marks",
            "TRUNCATE trust.stamping_marks",
        ):
            with pytest.raises(DBAPIError, match="rises and never falls"), owner.work() as work:
                work.execute(text(statement))


def test_a_house_whose_clock_steps_back_stops_its_timestamps_says_so_everywhere_and_goes_on_by_an_operators_word(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    services, edge, watch = house.services, HouseEdge(house), Watch()
    query = {
        "content": make_request(sha256(b"x")),
        "headers": {"Content-Type": "application/timestamp-query"},
    }
    house.signer.stop()
    house.signer.start(clock=watch, elapsed=watch.elapsed)
    assert parse_token(services.timestamps.token(sha256(b"x")))[1].gen_time == MOMENT
    assert edge.get("/readyz").json() == {"status": "ok", "away": []}
    with closing(Database(services.settings.database_signer_url)) as signer:
        kept = StampingMarks(signer).newest()
        assert kept is not None
        assert kept.highest > MOMENT, "the mark is committed before the token is there"

    # 1. It steps back, and the signer is started again.
    watch.is_set(-30)
    house.signer.stop()
    house.signer.start(clock=watch, elapsed=watch.elapsed)

    # 2. Nobody gets a token, inside the house or outside.
    for ask in (services.timestamps.token, lambda imprint: services.timestamps.tokens([imprint])):
        with pytest.raises(TimeNotTrusted):
            ask(sha256(b"x"))
    with pytest.raises(Unavailable):
        services.timestamps.require_there()
    refused = edge.post("/tsa", **query)
    assert refused.status_code == 200
    expected = rejected(FailInfo.TIME_NOT_AVAILABLE, "")
    assert refused.content[-4:] == expected[-4:]

    # 3. The alarm is an event, once; readiness and the doctor show it.
    assert (services.report_clock(), services.report_clock()) == (1, 0)
    (alarm,) = house.room.events(CLOCK_STOPPED)
    assert alarm["reason"] == "stepped-back"
    ready = edge.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "limited", "away": ["timestamps"]})
    capsys.readouterr()
    assert examine(services.settings, as_json=True) == 1
    assert "stepped-back: the signer's clock says 2026-11-22T07:59:30.000Z" in capsys.readouterr().out

    # 4. Only with a reason does an operator have it go on, and that is an event before it is done.
    with pytest.raises(ResumeReasonRefused):
        resume_by_operator(services.settings, reason=" ")
    resume_by_operator(services.settings, reason="the clock ran fast until NTP set it back")
    (resumed,) = house.room.events(CLOCK_RESUMED)
    assert resumed["content"]["reason"] == "the clock ran fast until NTP set it back"
    assert parse_token(services.timestamps.token(sha256(b"x")))[1].gen_time == watch.moment
    assert services.report_clock() == 1
    assert [each["reason"] for each in house.room.events(CLOCK_TRUSTED)] == ["resumed"]
    assert edge.post("/tsa", **query).content[:20] != refused.content[:20]
