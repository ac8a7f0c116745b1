"""Looking events up: by what an auditor asks for, page by page, and never beyond the own agency."""

from datetime import timedelta

import pytest

from tests.support.ledger import A_MONDAY, LedgerRoom, event
from trust.ledger.errors import CursorRefused, EventNotFound
from trust.ledger.model import Actor, EventId, EventOutcome
from trust.ledger.search import MAX_PAGE, EventQuery, EventQueryRefused, EventScope, find_event, search

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
    ],
)
def test_a_question_that_no_event_can_answer_is_refused(query):
    with pytest.raises(EventQueryRefused):
        EventQuery(scope=EVERYTHING, **query)


def test_a_cursor_nobody_gave_out_is_refused(room):
    room.record(event())
    with room.ledger.read() as work, pytest.raises(CursorRefused):
        search(work, EventQuery(scope=EVERYTHING, after=EventId("event_" + "0" * 32)))
