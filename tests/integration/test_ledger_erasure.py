"""Personal content erased on order: the tree still proves, the event verifies as redacted, and who did it is told."""

import json

import pytest
from sqlalchemy import select

from tests.support.ledger import LedgerRoom, event
from tests.support.served_log import served_log
from tests.support.tlog_client import TlogClient
from trust.evidence.notes import verify_proof
from trust.evidence.tlog import TlogProof
from trust.kernel.report import Indication
from trust.ledger.erasure import CONTENT_ERASED, ContentErasure, ErasureReason, Ordering, SecondPersonNeeded
from trust.ledger.errors import EventNotFound
from trust.ledger.headers import header_of_row
from trust.ledger.model import Actor, EventId
from trust.ledger.search import EventScope, find_event
from trust.ledger.tables import event_contents, events
from trust.ledger.verify_tiles import verify_tiles

EVERYTHING = EventScope.everything()
FIRST = Ordering(actor=Actor(kind="staff", id="staff_1"), person_id="person_1")
SECOND = Ordering(actor=Actor(kind="staff", id="staff_2"), person_id="person_2")
# The same person with another account is still the same person.
FIRST_AGAIN = Ordering(actor=Actor(kind="staff", id="staff_9"), person_id="person_1")


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


def erase(room, event_id, **changes):
    given = {
        "scope": EVERYTHING,
        "reason": ErasureReason.DATA_SUBJECT_REQUEST,
        "ordered_by": FIRST,
        "confirmed_by": SECOND,
    }
    return ContentErasure(room.ledger)(event_id, **{**given, **changes})


def proof_of(room, receipt):
    with room.ledger.read() as work:
        return room.proofs().inclusion(work, receipt.event_id, scope=EVERYTHING)


def test_an_erased_event_is_proved_as_before_and_verifies_as_redacted(room):
    receipts = room.record(*(event(f"use_{n}", content={"name": "张三", "n": n}) for n in range(300)))
    room.sequencer().catch_up()
    before = TlogProof.parse(proof_of(room, receipts[7]))
    erased = erase(room, receipts[7].event_id)
    room.sequencer().catch_up()

    # In the ledger: valid, with one redacted.
    report = room.verify()
    assert (report.indication, report.facts["redacted"], report.facts["size"]) == (Indication.VALID, 1, 301)

    # In its proof, old and new, offline.
    for proof in (before.encode(), proof_of(room, receipts[7])):
        report = verify_proof(proof.encode(), keys=[room.signer.key])
        assert report.indication is Indication.VALID
        assert report.facts["leaf_hash"] == receipts[7].leaf_hash.hex()

    # From the tiles alone, by us and by a stranger.
    verify_tiles(room.store, [room.signer.key]).require_valid()
    with served_log(room.store) as url:
        log = TlogClient(url, room.signer.key.encode())
        assert receipts[7].leaf_hash in log.audit(log.checkpoint())

    # The name is nowhere any more: neither in the rows of this event nor in what the store holds of it.
    with room.ledger.read() as work:
        assert find_event(work, receipts[7].event_id, scope=EVERYTHING).redacted
        said = find_event(work, erased.event_id, scope=EVERYTHING)
        left = work.execute(select(events).where(events.c.event_id == receipts[7].event_id)).one()
        assert "张三".encode() not in header_of_row(left).encode()
        gone = select(event_contents).where(event_contents.c.event_id == receipts[7].event_id)
        assert work.execute(gone).one_or_none() is None
    assert (said.act, said.subject, said.reason) == (
        CONTENT_ERASED, receipts[7].event_id, "data-subject-request",
    )  # fmt: skip
    assert said.content == {"ordered_by": "staff_1", "confirmed_by": "staff_2"}
    assert "张三" not in json.dumps(dict(said.content), ensure_ascii=False)


def test_an_event_erased_before_it_has_its_place_gets_it_like_any_other(room):
    receipts = room.record_many(3)
    erase(room, receipts[1].event_id)
    room.sequencer().catch_up()
    assert room.verify().facts["redacted"] == 1
    verify_proof(proof_of(room, receipts[1]).encode(), keys=[room.signer.key]).require_valid()


def test_one_person_alone_erases_nothing_whatever_accounts_they_have(room):
    (receipt,) = room.record_many(1)
    for other in (FIRST, FIRST_AGAIN):
        with pytest.raises(SecondPersonNeeded):
            erase(room, receipt.event_id, confirmed_by=other)
    with room.ledger.read() as work:
        assert not find_event(work, receipt.event_id, scope=EVERYTHING).redacted
        refused = work.execute(select(events).where(events.c.act == CONTENT_ERASED)).all()
    assert [(row.outcome, row.reason) for row in refused] == [("refused", "second-person-needed")] * 2


def test_another_agencys_event_an_unknown_one_and_one_erased_already_are_not_found(room):
    (receipt,) = room.record_many(1)
    with pytest.raises(EventNotFound):
        erase(room, receipt.event_id, scope=EventScope.of_agency("agency_2"))
    with pytest.raises(EventNotFound):
        erase(room, EventId("event_" + "0" * 32))
    erase(room, receipt.event_id, scope=EventScope.of_agency("agency_1"))
    with pytest.raises(EventNotFound):
        erase(room, receipt.event_id)
