"""Looking events up: by what an auditor asks for, page by page, and never beyond the own agency."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from tests.support.ledger import A_MONDAY, LedgerRoom, event
from trust.ledger.errors import CursorRefused, EventNotFound
from trust.ledger.model import Actor, EventId, EventOutcome
from trust.ledger.search import (
    MAX_PAGE,
    EventQuery,
    EventQueryRefused,
    EventScope,
    find_event,
    matching,
    search,
)
from trust.ledger.tables import events

EVERYTHING = EventScope.everything()


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


def found(room, **query):
    with room.ledger.read() as work:
        return [item.subject for item in search(work, EventQuery(**{"scope": EVERYTHING, **query})).items]


def test_every_part_of_a_query_narrows_it(room):
    staff = Actor(kind="staff", id="staff_1")
    room.record(event("use_1"))
    room.clock.advance(timedelta(hours=1))
    room.record(event("use_2", act="seal.suspended", actor=staff))
    room.clock.advance(timedelta(hours=1))
    room.record(event("use_3", outcome=EventOutcome.REFUSED, reason="role-missing", actor=staff))
    hour = timedelta(hours=1)
    assert found(room) == ["use_3", "use_2", "use_1"]
    assert found(room, subject="use_2") == ["use_2"]
    assert found(room, actor_id="staff_1") == ["use_3", "use_2"]
    assert found(room, act="seal-use.intended") == ["use_3", "use_1"]
    assert found(room, outcome=EventOutcome.REFUSED) == ["use_3"]
    assert found(room, since=A_MONDAY + hour) == ["use_3", "use_2"]
    assert found(room, until=A_MONDAY + hour) == ["use_1"]
    assert found(room, since=A_MONDAY + hour, until=A_MONDAY + hour) == []
    assert found(room, actor_id="staff_1", act="seal.suspended", until=A_MONDAY + hour * 2) == ["use_2"]


def test_pages_follow_each_other_without_gap_or_repetition_while_the_log_grows(room):
    room.record_many(7)
    room.clock.advance(timedelta(seconds=1))
    room.record(*(event(f"use_{number}") for number in range(7, 12)))
    seen, after = [], None
    while True:
        with room.ledger.read() as work:
            page = search(work, EventQuery(scope=EVERYTHING, limit=5, after=after))
        room.record(event("use_new"))
        seen += [item.subject for item in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [f"use_{number}" for number in reversed(range(12))]


def test_an_agency_sees_its_own_events_only(room):
    first, second, platform = room.record(
        event("use_1"), event("use_2", agency="agency_2"), event("use_3", agency=None)
    )
    own = EventScope.of_agency("agency_1")
    assert found(room, scope=own) == ["use_1"]
    assert found(room, scope=own, subject="use_2") == []
    assert found(room) == ["use_3", "use_2", "use_1"]
    with room.ledger.read() as work:
        assert find_event(work, first.event_id, scope=own).subject == "use_1"
        for other in (second, platform):
            with pytest.raises(EventNotFound):
                find_event(work, other.event_id, scope=own)
            with pytest.raises(CursorRefused):
                search(work, EventQuery(scope=own, after=other.event_id))


def test_the_index_is_shown_once_the_event_is_placed(room):
    (receipt,) = room.record(event())
    room.sequencer().catch_up()
    with room.ledger.read() as work:
        assert find_event(work, receipt.event_id, scope=EVERYTHING).index == 0


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": MAX_PAGE + 1},
        {"since": A_MONDAY, "until": A_MONDAY - timedelta(seconds=1)},
        {"subject": "a\x00b"},
        {"actor_id": "\ud800"},
        {"act": "\n"},
        {"case_number": "x" * 201},
        {"after": EventId("event_" + "0" * 32), "before": EventId("event_" + "0" * 32)},
    ],
)
def test_a_question_that_no_event_can_answer_is_refused(query):
    with pytest.raises(EventQueryRefused):
        EventQuery(scope=EVERYTHING, **query)


def test_a_cursor_nobody_gave_out_is_refused(room):
    room.record(event())
    with room.ledger.read() as work, pytest.raises(CursorRefused):
        search(work, EventQuery(scope=EVERYTHING, after=EventId("event_" + "0" * 32)))


def test_an_act_is_found_by_its_beginning_and_a_case_by_its_number(room):
    room.record(
        event("use_1", content={"case_number": "2026-001", "seal": "seal_" + "1" * 32}),
        event("use_2", act="seal-user.made", content={"nested": [{"seal": "seal_" + "1" * 32}]}),
        event("use_3", act="seal-use.completed", content={"case_number": "2026-0011"}),
        event("use_4", outcome=EventOutcome.REFUSED, reason="role-missing", content={}),
    )
    assert found(room, act="seal-use.") == ["use_4", "use_3", "use_1"]
    assert found(room, act="seal-use") == []
    assert found(room, case_number="2026-001") == ["use_1"]
    assert found(room, mentions="seal_" + "1" * 32) == ["use_2", "use_1"]
    assert found(room, mentions='" || true') == []
    assert found(room, reason="role-missing") == ["use_4"]
    assert found(room, on_behalf_of="agency_1", outcome=EventOutcome.REFUSED) == ["use_4"]


def test_pages_go_back_and_forth_over_the_same_events(room):
    room.record_many(10)
    with room.ledger.read() as work:
        first = search(work, EventQuery(scope=EVERYTHING, limit=4))
        second = search(work, EventQuery(scope=EVERYTHING, limit=4, after=first.next))
        third = search(work, EventQuery(scope=EVERYTHING, limit=4, after=second.next))
        back = search(work, EventQuery(scope=EVERYTHING, limit=4, before=third.previous))
        start = search(work, EventQuery(scope=EVERYTHING, limit=4, before=back.previous))
    assert first.previous is None
    assert third.next is None
    assert back.items == second.items
    assert start.items == first.items
    assert (start.previous, start.next) == (None, first.next)


QUESTIONS = (
    ({"subject": "use_77"}, "ix_events_subject_at_event_id"),
    ({"actor_id": "app_7"}, "ix_events_actor_id_at_event_id"),
    ({"on_behalf_of": "org_7"}, "ix_events_on_behalf_of_at_event_id"),
    ({"act": "seal-request."}, "ix_events_act_at_event_id"),
    ({"case_number": "case-77"}, "ix_event_contents_content"),
    ({"mentions": "seal_" + "7" * 32}, "ix_event_contents_content"),
    ({"scope": EventScope.of_agency("agency_7")}, "ix_events_agency_at_event_id"),
    ({"outcome": EventOutcome.REFUSED}, "ix_events_refused"),
    ({}, "ix_events_at_event_id"),
)


def test_every_question_goes_by_an_index(seeded):
    """Asked of PostgreSQL itself, on a table large enough that reading it whole is the worse plan."""
    for query, index in QUESTIONS:
        statement = matching(EventQuery(**{"scope": EVERYTHING, **query}))
        statement = statement.order_by(events.c.at.desc(), events.c.event_id.desc()).limit(51)
        with seeded.read() as work:
            compiled = statement.compile(dialect=work.connection.dialect)
            bound = {
                name: json.dumps(value) if isinstance(value, dict) else value
                for name, value in compiled.params.items()
            }
            plan = work.connection.exec_driver_sql(f"EXPLAIN {compiled}", bound).scalars().all()
        assert any(index in line for line in plan), "\n".join(plan)
        assert not any("Seq Scan on events" in line for line in plan), "\n".join(plan)


@pytest.fixture
def seeded(postgres, database):
    """Twenty thousand events of many actors, written as rows: what they say of themselves is not looked at here."""
    engine = create_engine(postgres.owner)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ledger.events SELECT 'event_' || lpad(n\\:\\:text, 32, '0'),"
                " timestamptz '2026-01-01' + n * interval '1 minute',"
                " CASE WHEN n % 500 = 0 THEN 'seal-request.made' ELSE 'seal-use.completed' END, 'application',"
                " 'app_' || n % 300, 'org_' || n % 300, 'use_' || n, 'agency_' || n % 200,"
                " CASE WHEN n % 400 = 0 THEN 'refused' ELSE 'done' END, NULL, '', decode(repeat('00', 32), 'hex'),"
                " now() FROM generate_series(1, 20000) n"
            )
        )
        connection.execute(
            text(
                "INSERT INTO ledger.event_contents SELECT event_id, '',"
                " jsonb_build_object('case_number', 'case-' || substr(subject, 5), 'seal', 'seal_' || md5(subject))"
                " FROM ledger.events"
            )
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE ledger.events, ledger.event_contents"))
    engine.dispose()
    return database
