"""Rules over the log: each fires when it should and not when it should not, once, whatever happens to the worker."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.support.ledger import LedgerRoom, Struck, event
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.ledger.model import Actor, EventOutcome
from trust.ledger.search import EventScope
from trust.ledger.supervision.alerts import AlertQuery, Alerts
from trust.ledger.supervision.rules import RuleBook
from trust.ledger.supervision.tables import alert_memory, alert_positions
from trust.ledger.supervision.watch import AlertWatch

TITLE = {"zh-Hans": "规则", "en": "A rule"}
SEAL, OTHER_SEAL = "seal_" + "1" * 32, "seal_" + "2" * 32
GRANT = "sealauth_" + "3" * 32
CALENDARS = {
    "office": {
        "time_zone": "Asia/Shanghai",
        "hours": {day: ["08:00-12:00", "14:00-18:00"] for day in ("monday", "tuesday", "wednesday")},
        "holidays": ["2026-11-24"],
        "working_days": ["2026-11-28"],
    }
}
OUT_OF_HOURS = {"kind": "out-of-hours", "calendar": "office", "acts": ["seal-use."], "per": "content.seal"}
BURST = {
    "kind": "burst", "acts": ["seal-use.intended"], "per": "content.seal", "more_than": 3, "within_minutes": 10,
}  # fmt: skip
REFUSALS = {
    "kind": "burst", "acts": ["*"], "outcome": "refused", "per": "actor", "more_than": 2, "within_minutes": 5,
}  # fmt: skip
LIMIT = {
    "kind": "limit-near", "acts": ["seal-use.intended"], "per": "content.authorisation",
    "granted_by": ["seal-authorisation.granted"], "allowed": "content.uses_allowed", "percent": 80,
    "until": "content.valid_until", "days": 7,
}  # fmt: skip
DORMANT = {
    "kind": "dormant", "acts": ["seal-use.intended"], "per": "content.seal", "granted_by": ["seal.made"], "days": 90,
}  # fmt: skip


def book(**rule):
    made = {"name": "a-rule", "title": TITLE, **rule}
    document = {"format": "yinxin-alert-rules/v1", "calendars": CALENDARS, "rules": [made]}
    return RuleBook.read(json.dumps(document).encode())


class WatchedRoom:
    """A ledger, one rule over it, and what it raised."""

    def __init__(self, room):
        self.room = room
        self.clock = room.clock

    def watch(self, rules, **changes):
        ids = Ids(self.clock, SystemRandomness())
        return AlertWatch(ledger=self.room.ledger, rules=rules, clock=self.clock, ids=ids, **changes)

    def begin(self, **rule):
        """The rule stands at the end of the log."""
        self.rules = book(**rule)
        self.room.sequencer().catch_up()
        self.watch(self.rules).catch_up()

    def use(self, at=None, *, seal=SEAL, **changes):
        if at is not None:
            self.clock.moment = at
        content = {"seal": seal, "authorisation": GRANT}
        return self.room.record(event("use", **{"content": content, **changes}))[0]

    def raised(self):
        self.room.sequencer().catch_up()
        self.watch(self.rules).catch_up()
        return self.alerts()

    def alerts(self):
        with self.room.ledger.read() as work:
            page = Alerts(work).page(AlertQuery(scope=EventScope.everything(), limit=100))
        return sorted((alert.key, alert.stretch) for alert in page)


@pytest.fixture
def desk(database, tmp_path):
    return WatchedRoom(LedgerRoom.open(database, tmp_path / "store"))


def local(day, hour, minute=0):
    """A time of day in Shanghai, in November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def test_a_use_out_of_hours_is_told_once_a_day_for_each_seal(desk):
    desk.begin(**OUT_OF_HOURS)
    for day, hour, minute in ((23, 8, 0), (23, 11, 59), (23, 17, 59), (25, 14, 0), (28, 9, 0)):
        desk.use(local(day, hour, minute))  # the 28th is a Saturday that is worked in exchange
    assert desk.raised() == []
    desk.use(local(23, 12))
    desk.use(local(23, 20))
    desk.use(local(23, 21), seal=OTHER_SEAL)
    desk.use(local(24, 9))  # a holiday
    desk.use(local(26, 9))  # a Thursday has no hours here
    assert desk.raised() == [
        (SEAL, "2026-11-23"),
        (SEAL, "2026-11-24"),
        (SEAL, "2026-11-26"),
        (OTHER_SEAL, "2026-11-23"),
    ]


def test_a_burst_is_more_than_the_number_within_the_window_for_one_key(desk):
    desk.begin(**BURST)
    start = local(23, 10)
    for minutes in (0, 4, 8, 12, 16, 20, 24):
        desk.use(start + timedelta(minutes=minutes))  # three in any ten minutes
        desk.use(start + timedelta(minutes=minutes), seal=OTHER_SEAL, act="seal-use.completed")
    assert desk.raised() == []
    desk.use(start + timedelta(minutes=25))
    desk.use(start + timedelta(minutes=25))
    assert len(desk.raised()) == 1
    assert desk.raised()[0][0] == SEAL


def test_many_refusals_of_one_account_are_told_and_done_acts_do_not_count(desk):
    desk.begin(**REFUSALS)
    refused = {"outcome": EventOutcome.REFUSED, "reason": "role-missing"}
    for _ in range(5):
        desk.use(act="seal.suspended")
    desk.use(**refused)
    desk.use(**refused)
    desk.use(**refused, actor=Actor(kind="staff", id="staff_2"))
    assert desk.raised() == []
    desk.use(**refused, act="record.intended")
    assert [key for key, _ in desk.raised()] == ["app_1"]


def test_a_limit_is_near_by_uses_and_by_period_and_said_once_each(desk):
    desk.begin(**LIMIT)
    until = "2026-12-31T00:00:00.000Z"
    desk.room.record(
        event(GRANT, act="seal-authorisation.granted", content={"uses_allowed": 5, "valid_until": until})
    )
    for _ in range(3):
        desk.use()
    assert desk.raised() == []
    desk.use()
    desk.use()
    assert desk.raised() == [(GRANT, "uses")]
    desk.use(datetime(2026, 12, 25, tzinfo=UTC))
    assert desk.raised() == [(GRANT, "period"), (GRANT, "uses")]


def test_what_was_not_used_for_long_is_told_by_its_first_use_and_its_making_counts_as_one(desk):
    desk.clock.moment = local(1, 9)
    desk.room.record(event(SEAL, act="seal.made", content={}))
    desk.begin(**DORMANT)  # reads the making although the rule is younger
    desk.use(local(1, 9) + timedelta(days=89))
    assert desk.raised() == []
    desk.use(local(1, 9) + timedelta(days=89 + 90))
    desk.use()
    alerts = desk.raised()
    assert [key for key, _ in alerts] == [SEAL]
    desk.use(seal=OTHER_SEAL)  # never seen before: nobody can say that it slept
    assert desk.raised() == alerts


def test_nobody_is_alerted_of_what_happened_before_the_rule_was_made(desk):
    desk.use(local(1, 23))
    desk.use(local(1, 23) + timedelta(days=400))
    for rule in (OUT_OF_HOURS, DORMANT):
        desk.begin(**rule)
        assert desk.raised() == []
    desk.use(desk.clock.moment + timedelta(days=91))
    assert len(desk.raised()) == 1


def test_a_rule_that_is_changed_begins_anew_and_one_that_is_gone_is_forgotten(desk):
    desk.begin(**BURST)
    for _ in range(4):
        desk.use()
    assert len(desk.raised()) == 1
    desk.begin(**{**BURST, "more_than": 2})
    assert len(desk.raised()) == 1
    desk.watch(desk.rules).forget()
    with desk.room.ledger.read() as work:
        assert len(work.execute(select(alert_positions)).all()) == 1
        assert work.execute(select(alert_memory)).all() == []
    desk.use()
    desk.use()
    desk.use()
    assert len(desk.raised()) == 2


def test_an_alert_is_an_event_and_sets_off_no_further_one(desk):
    desk.begin(kind="burst", acts=["*"], per="agency", more_than=1, within_minutes=10)
    desk.use()
    desk.use()
    for _ in range(3):
        desk.raised()
    assert len(desk.alerts()) == 1
    with desk.room.ledger.read() as work:
        (alert,) = Alerts(work).page(AlertQuery(scope=EventScope.everything()))
        found = work.connection.exec_driver_sql(
            "SELECT subject, agency, content FROM ledger.events JOIN ledger.event_contents USING (event_id)"
            " WHERE act = 'alert.raised'"
        ).all()
    assert [(row.subject, row.agency, row.content["event"]) for row in found] == [
        (alert.id, "agency_1", alert.event_id)
    ]


@pytest.mark.parametrize("page_events", [1, 3, 500])
def test_the_alerts_do_not_depend_on_how_the_log_is_cut_into_pages(desk, page_events):
    desk.begin(**BURST)
    for number in range(12):
        desk.use(local(23, 10) + timedelta(minutes=number), seal=(SEAL, OTHER_SEAL)[number % 2])
    desk.room.sequencer().catch_up()
    desk.watch(desk.rules, page_events=page_events).catch_up()
    assert sorted(key for key, _ in desk.alerts()) == [SEAL, OTHER_SEAL]


def test_a_worker_struck_in_the_middle_has_done_nothing_and_the_next_does_it_all_once(desk, monkeypatch):
    desk.begin(**OUT_OF_HOURS)
    for number in range(4):
        desk.use(local(23, 20), seal=f"seal_{number:032x}")
    desk.room.sequencer().catch_up()
    watch = desk.watch(desk.rules)
    for strike_at in range(4):
        raised, inner = [], watch._raise

        def struck(*given, raised=raised, inner=inner, strike_at=strike_at):
            if len(raised) == strike_at:
                raise Struck
            raised.append(given)
            return inner(*given)

        with monkeypatch.context() as patch:
            patch.setattr(watch, "_raise", struck)
            with pytest.raises(Struck):
                watch.turn()
        assert desk.alerts() == []
    assert len(desk.raised()) == 4
    assert len(desk.raised()) == 4


def test_two_workers_at_once_raise_each_alert_once(desk):
    desk.begin(**OUT_OF_HOURS)
    for number in range(40):
        desk.use(local(23, 20), seal=f"seal_{number:032x}")
    desk.room.sequencer().catch_up()
    watches = [desk.watch(desk.rules, page_events=3) for _ in range(2)]
    stop = threading.Event()

    def work(watch):
        while not stop.is_set() and len(desk.alerts()) < 40:
            watch.turn()

    threads = [threading.Thread(target=work, args=(watch,)) for watch in watches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    stop.set()
    assert len(desk.alerts()) == 40
    with desk.room.ledger.read() as work_:
        raised = work_.connection.exec_driver_sql(
            "SELECT count(*) FROM ledger.events WHERE act = 'alert.raised'"
        ).scalar_one()
    assert raised == 40
