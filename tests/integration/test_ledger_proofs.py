"""Proofs and receipts, believed by a stranger who has only the log's key."""

import hashlib

import pytest

from tests.support.ledger import ORIGIN, LedgerRoom, NoteSigner, event
from trust.evidence.merkle import ProofRefused, verify_consistency
from trust.evidence.receipts import open_receipt
from trust.evidence.tlog import NoteSignatureInvalid, TlogProof, open_checkpoint
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.errors import EventNotFound, EventNotIncludedYet, LedgerBroken, TreeSizeRefused
from trust.ledger.headers import commit, content_octets
from trust.ledger.receipts import ReceiptDesk
from trust.ledger.search import EventScope
from trust.ledger.tiles import CHECKPOINT_KEY, tile_key

EVERYTHING = EventScope.everything()


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


def test_every_event_proves_itself_to_a_stranger(room):
    receipts = room.record_many(300)
    room.sequencer().catch_up()
    with room.ledger.read() as work:
        for index in (0, 1, 255, 256, 298, 299):
            receipt = receipts[index]
            proof = TlogProof.parse(room.proofs().inclusion(work, receipt.event_id, scope=EVERYTHING))
            header = room.proofs().header(work, receipt.event_id, scope=EVERYTHING)
            assert proof.index == index
            assert proof.verify(receipt.leaf_hash, [room.signer.key]).size == 300
            assert proof.verify_extra([room.signer.key]).size == 300
            assert proof.extra == hashlib.sha256(header).digest()
            with pytest.raises(ProofRefused):
                proof.verify(receipts[index - 1].leaf_hash, [room.signer.key])
            with pytest.raises(NoteSignatureInvalid):
                TlogProof.parse(proof.encode().replace("\n300\n", "\n301\n")).verify_extra([room.signer.key])


def test_an_event_is_proved_only_when_a_checkpoint_covers_it(room):
    room.record_many(1)
    room.sequencer().catch_up()
    (late,) = room.record_many(1)
    with room.ledger.read() as work, pytest.raises(EventNotIncludedYet):
        room.proofs().inclusion(work, late.event_id, scope=EVERYTHING)


def test_another_agencys_event_has_no_proof(room):
    (receipt,) = room.record(event())
    room.sequencer().catch_up()
    with room.ledger.read() as work:
        assert room.proofs().inclusion(work, receipt.event_id, scope=EventScope.of_agency("agency_1"))
        for ask in (room.proofs().inclusion, room.proofs().header):
            with pytest.raises(EventNotFound):
                ask(work, receipt.event_id, scope=EventScope.of_agency("agency_2"))


def test_the_log_was_only_appended_to_between_any_two_checkpoints(room):
    sizes = []
    for count in (1, 2, 253, 1, 300):
        room.record_many(count)
        room.sequencer().catch_up()
        sizes.append(sum(sizes[-1:]) + count)
    with room.ledger.read() as work:
        for size1 in sizes:
            for size2 in (size for size in sizes if size >= size1):
                proof = room.proofs().consistency(work, size1, size2)
                first, second = Checkpoints(work).of_size(size1), Checkpoints(work).of_size(size2)
                verify_consistency(
                    size1=size1,
                    size2=size2,
                    root1=first.tree.root,
                    root2=second.tree.root,
                    proof=proof.hashes,
                )


@pytest.mark.parametrize("sizes", [(0, 3), (3, 2), (1, 3), (3, 4), (-1, 3), (3, 2**70)])
def test_there_is_no_proof_between_sizes_that_were_never_signed(room, sizes):
    room.record_many(3)
    room.sequencer().catch_up()
    with room.ledger.read() as work, pytest.raises(TreeSizeRefused):
        room.proofs().consistency(work, *sizes)


def test_no_false_proof_is_given_out_from_a_changed_tile(room):
    receipts = room.record_many(3)
    room.sequencer().catch_up()
    room.store.put(tile_key(0, 0, 3), bytes(96), immutable=False)
    with room.ledger.read() as work, pytest.raises(LedgerBroken, match="disagree"):
        room.proofs().inclusion(work, receipts[0].event_id, scope=EVERYTHING)


def test_a_receipt_is_the_promise_signed_and_can_be_asked_for_again(room):
    (receipt,) = room.record(event())
    desk = ReceiptDesk(signer=room.signer, origin=ORIGIN, keys=[room.signer.key])
    note = desk.sign(receipt)
    promised = open_receipt(note, [room.signer.key])
    assert (promised.origin, promised.event_id) == (ORIGIN, receipt.event_id)
    assert (promised.leaf_hash, promised.latest_inclusion) == (receipt.leaf_hash, receipt.latest_inclusion)
    assert desk.sign(receipt) == note


def test_a_receipt_signed_by_another_log_is_not_given_out(room):
    (receipt,) = room.record(event())
    desk = ReceiptDesk(signer=NoteSigner(), origin=ORIGIN, keys=[room.signer.key])
    with pytest.raises(LedgerBroken):
        desk.sign(receipt)
    other = ReceiptDesk(signer=room.signer, origin="yinxin.example/other", keys=[room.signer.key])
    with pytest.raises(LedgerBroken, match="another receipt"):
        other.sign(receipt)


def test_content_shown_later_is_proved_by_its_salt(room):
    """Whoever is shown header, salt and content can join them to the leaf; without the salt nobody can guess."""
    content = content_octets({"name": "张三"})
    assert commit(bytes(32), content) == hashlib.sha256(bytes(32) + content).digest()
    first, second = room.record(event(content={"name": "张三"}), event(content={"name": "张三"}))
    with room.ledger.read() as work:
        headers = {room.proofs().header(work, item.event_id, scope=EVERYTHING) for item in (first, second)}
    assert len({header.split(b'"content_commitment":"')[1][:64] for header in headers}) == 2


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_life_of_the_ledger_in_every_kind_of_store(database, tmp_path, kind):
    room = LedgerRoom.open(database, tmp_path / "store", kind=kind)
    receipts = ()
    for count in (3, 253, 10):
        receipts += room.record_many(count)
        room.sequencer().catch_up()
    assert open_checkpoint(room.store.get(CHECKPOINT_KEY), [room.signer.key]).size == 266
    assert len(room.store.versions(CHECKPOINT_KEY)) == 3
    with room.ledger.read() as work:
        proof = TlogProof.parse(room.proofs().inclusion(work, receipts[7].event_id, scope=EVERYTHING))
    assert proof.verify(receipts[7].leaf_hash, [room.signer.key]).size == 266
    room.verify().require_valid()
