"""Recording: in the act's own transaction, refusals kept, content erased, facts left alone."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import InternalError, ProgrammingError

from tests.support.ledger import LedgerRoom, event
from trust.kernel.errors import Forbidden
from trust.kernel.report import Indication
from trust.ledger.erasure import CONTENT_ERASED
from trust.ledger.errors import EventNotFound
from trust.ledger.headers import content_octets, header_of_row
from trust.ledger.model import EventId, EventOutcome, EventRefused
from trust.ledger.search import EventQuery, EventScope, find_event, search
from trust.ledger.tables import checkpoints, event_contents, events, sequence, waiting
from trust.storage.jobs import libpq_url

EVERYTHING = EventScope.everything()


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


def count(room, table):
    with room.ledger.read() as work:
        return work.execute(select(func.count()).select_from(table)).scalar_one()


def act_and_raise(room, error):
    with room.ledger.work() as work:
        work.record(event())
        raise error


def acts(room):
    with room.ledger.read() as work:
        found = search(work, EventQuery(scope=EVERYTHING)).items
        return [(item.act, item.outcome) for item in reversed(found)]


def test_what_is_recorded_reads_back_with_its_receipt(room):
    (receipt,) = room.record(event())
    with room.ledger.read() as work:
        found = find_event(work, receipt.event_id, scope=EVERYTHING)
        row = work.execute(select(events)).one()
    assert found.content == event().content
    assert found.actor == event().actor
    assert (found.at, found.index, found.redacted) == (room.clock.now(), None, False)
    assert found.receipt() == receipt
    assert receipt.latest_inclusion == room.clock.now() + timedelta(minutes=1)
    assert header_of_row(row).leaf_hash() == receipt.leaf_hash


def test_two_events_alike_have_leaves_that_are_not(room):
    first, second = room.record(event(), event())
    assert first.leaf_hash != second.leaf_hash


def test_an_act_that_fails_leaves_no_event(room):
    with pytest.raises(ZeroDivisionError):
        act_and_raise(room, ZeroDivisionError())
    assert (count(room, events), count(room, event_contents), count(room, waiting)) == (0, 0, 0)


def test_a_refused_act_is_rolled_back_and_its_refusal_kept(room):
    refused = event(act="seal-use.refused", outcome=EventOutcome.REFUSED, reason="role-missing")
    with pytest.raises(Forbidden):
        act_and_raise(room, Forbidden("not yours").refused_as(refused))
    assert acts(room) == [("seal-use.refused", EventOutcome.REFUSED)]


def test_a_refusal_that_crosses_two_units_of_work_is_kept_once(room):
    refused = event(outcome=EventOutcome.REFUSED)
    with pytest.raises(Forbidden), room.ledger.work(), room.ledger.work():
        raise Forbidden("not yours").refused_as(refused)
    assert len(acts(room)) == 1


def test_an_error_without_a_refusal_leaves_nothing(room):
    with pytest.raises(Forbidden):
        act_and_raise(room, Forbidden("not yours"))
    assert acts(room) == []


def test_events_of_one_millisecond_keep_their_order(room):
    with room.ledger.work() as work:
        for number in range(50):
            work.record(event(act=f"thing.step-{number}"))
    room.record(*(event(act=f"thing.step-{number}") for number in range(50, 99)))
    assert [act for act, _ in acts(room)] == [f"thing.step-{number}" for number in range(49, 99)]


def test_content_that_cannot_be_kept_refuses_the_whole_act(room):
    with pytest.raises(EventRefused):
        room.record(event(), event(content={"text": "\x00"}))
    assert acts(room) == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"number": 10**40, "negative": -1, "no": None, "yes": True},
        {"中文": "印信", "emoji": "🀄", "escaped": '\\u0000 "quoted" \u2028'},
        {"list": [1, [2, {"deep": "er"}]], "": "an empty name", "z": 1, "a": 2},
    ],
)
def test_content_comes_back_from_the_database_as_it_was_committed_to(room, content):
    (receipt,) = room.record(event(content=content))
    with room.ledger.read() as work:
        kept = find_event(work, receipt.event_id, scope=EVERYTHING).content
    assert kept is not None
    assert content_octets(kept) == content_octets(content)
    assert room.verify().indication is Indication.VALID


def test_erased_content_is_gone_with_its_salt_and_the_log_still_verifies(room):
    (receipt,) = room.record(event())
    with room.ledger.work() as work:
        work.erase_content(
            receipt.event_id, recorded_as=event(receipt.event_id, act=CONTENT_ERASED, content={})
        )
    room.sequencer().catch_up()
    with room.ledger.read() as work:
        found = find_event(work, receipt.event_id, scope=EVERYTHING)
    assert (found.content, found.redacted) == (None, True)
    report = room.verify()
    assert (report.indication, report.facts["redacted"]) == (Indication.VALID, 1)


def test_content_can_be_erased_once(room):
    with pytest.raises(EventNotFound), room.ledger.work() as work:
        work.erase_content(EventId("event_" + "0" * 32), recorded_as=event())
    assert acts(room) == []


@pytest.mark.parametrize("table", [events, sequence, checkpoints], ids=lambda table: table.name)
def test_the_service_can_neither_change_nor_delete_a_fact(room, table):
    room.record(event())
    room.sequencer().catch_up()
    column = next(iter(table.c))
    for statement in (delete(table), update(table).values({column.name: column})):
        with pytest.raises(ProgrammingError, match="permission denied"), room.ledger.work() as work:
            work.execute(statement)


@pytest.mark.parametrize("table", ["events", "sequence", "checkpoints"])
def test_not_even_the_owner_changes_a_fact_by_mistake(room, postgres, table):
    room.record(event())
    room.sequencer().catch_up()
    with psycopg.connect(libpq_url(postgres.owner)) as connection:
        for statement in (f"DELETE FROM ledger.{table}", f"TRUNCATE ledger.{table} CASCADE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="facts"), connection.transaction():
                connection.execute(statement.encode())


def test_whoever_only_reads_cannot_erase(room):
    with pytest.raises(InternalError, match="read-only"), room.database.read() as work:
        work.execute(delete(event_contents))
