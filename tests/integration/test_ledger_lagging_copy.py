"""A reader's URL that names a copy which lags: what it answers is old, never wrong, and nothing is signed from it.

The copy is the database as it was a while ago, restored beside it, as a replica that has stopped applying is.
"""

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select

from tests.support.ledger import LedgerRoom
from tests.support.witness import running_witness
from trust.evidence.tlog import TlogProof, open_checkpoint
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.clock import SystemClock
from trust.ledger.cosigning import Cosigning, WitnessState
from trust.ledger.errors import EventNotFound, EventNotIncludedYet
from trust.ledger.search import EventScope
from trust.ledger.tables import sequence
from trust.ledger.tiles import CHECKPOINT_KEY
from trust.ledger.witness_lines import HttpWitnessLine
from trust.storage.database import Database
from trust.storage.jobs import libpq_url

EVERYTHING = EventScope.everything()


@pytest.fixture
def lagging(postgres_server, postgres, tmp_path):
    """A room whose reading copy stopped at 10 leaves and one event that waited; by now there are 300."""
    name = postgres.service.rsplit("/", 1)[1].split("?")[0]
    before = Database(postgres.service, postgres.reader)
    room = LedgerRoom.open(before, tmp_path / "store")
    room.record_many(10)
    room.sequencer().catch_up()
    (waited,) = room.record_many(1)
    before.close()
    with psycopg.connect(libpq_url(postgres_server.named("postgres").superuser), autocommit=True) as server:
        copy = sql.Identifier(f"{name}_copy")
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, sql.Identifier(name)))
        database = Database(postgres.service, postgres_server.named(f"{name}_copy").reader)
        room.database = database
        room.ledger._database = database
        room.sequencer().catch_up()
        receipts = room.record_many(289)
        room.sequencer().catch_up()
        yield room, waited, receipts
        database.close()
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(copy))


def size_of(proof, room):
    return open_checkpoint(TlogProof.parse(proof).checkpoint, [room.signer.key]).size


def test_the_copy_is_behind(lagging):
    room, waited, receipts = lagging
    with room.ledger.read() as work:
        with pytest.raises(EventNotIncludedYet):
            room.proofs().inclusion(work, waited.event_id, scope=EVERYTHING)
        with pytest.raises(EventNotFound):
            room.proofs().inclusion(work, receipts[0].event_id, scope=EVERYTHING)


def test_what_the_copy_covers_is_proved_against_its_smaller_tree(lagging):
    room, _, _ = lagging
    with room.ledger.read() as work:
        from_copy = work.execute(_first_event()).scalar_one()
        proof = room.proofs().inclusion(work, from_copy, scope=EVERYTHING)
    assert size_of(proof, room) == 10
    assert TlogProof.parse(proof).verify_extra([room.signer.key]).size == 10


def test_what_the_copy_does_not_know_yet_is_proved_from_the_database_itself(lagging):
    room, waited, receipts = lagging
    for receipt in (waited, receipts[0], receipts[-1]):
        proof = room.proofs().inclusion_now(room.ledger, receipt.event_id, scope=EVERYTHING)
        assert size_of(proof, room) == 300
        assert TlogProof.parse(proof).verify(receipt.leaf_hash, [room.signer.key]).size == 300
    (late,) = room.record_many(1)
    with pytest.raises(EventNotIncludedYet):
        room.proofs().inclusion_now(room.ledger, late.event_id, scope=EVERYTHING)


def test_the_sequencer_signs_nothing_from_the_copy_and_goes_on(lagging):
    room, _, _ = lagging
    room.record_many(50)
    assert room.sequencer().run_round().size == 350
    assert open_checkpoint(room.store.get(CHECKPOINT_KEY), [room.signer.key]).size == 350


def test_the_whole_ledger_verifies_although_the_copy_lags(lagging):
    room, _, _ = lagging
    room.verify().require_valid()
    assert room.verify().facts["size"] == 300


@pytest.mark.stranger
def test_witnesses_are_asked_about_the_newest_tree_and_none_is_alarmed(lagging, tmp_path):
    room, _, _ = lagging
    room.clock.moment = SystemClock().now()
    with running_witness(tmp_path, room.signer.key.encode()) as witness:
        policy = WitnessPolicy.parse(f"witness w {witness.vkey} {witness.url}\nquorum w")
        cosigning = Cosigning(
            ledger=room.ledger,
            store=room.store,
            policy=policy,
            line=HttpWitnessLine(),
            keys=[room.signer.key],
            clock=room.clock,
        )
        for size in (300, 307):
            (asked,) = cosigning.collect()
            assert asked.state is WitnessState.COSIGNED
            assert open_checkpoint(room.store.get(CHECKPOINT_KEY), [room.signer.key]).size == size
            room.record_many(7)
            room.sequencer().catch_up()


def _first_event():
    return select(sequence.c.event_id).where(sequence.c.index == 3)
