"""Witnesses: they cosign what continues what they have seen, and nothing else; a fork does not get past them."""

import socket
import threading
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy import select

from tests.support.ledger import LedgerRoom, event
from tests.support.witness import Cosigner, running_witness
from trust.evidence.cosignatures import CosignerKey, cosignatures_on
from trust.evidence.notes import verify_checkpoint, verify_proof
from trust.evidence.tlog import SignedNote, TlogProof, open_checkpoint
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.clock import SystemClock
from trust.kernel.report import Indication
from trust.ledger.checkpoints import Checkpoints
from trust.ledger.cosigning import WITNESS_DISAGREED, Cosigning, WitnessState
from trust.ledger.search import EventScope
from trust.ledger.tables import cosignatures, events
from trust.ledger.tiles import CHECKPOINT_KEY, WITNESSED_KEY
from trust.ledger.witness_lines import HttpWitnessLine, WitnessAnswer
from trust.storage.jobs import libpq_url
from trust.storage.objects.errors import ObjectMissing


@pytest.fixture
def room(database, tmp_path):
    return LedgerRoom.open(database, tmp_path / "store")


@pytest.fixture
def witness(room, tmp_path):
    with running_witness(tmp_path, room.signer.key.encode()) as running:
        yield running


def policy_of(*witnesses, needed="all"):
    lines = [f"witness w{number} {each.vkey} {each.url}" for number, each in enumerate(witnesses)]
    names = " ".join(f"w{number}" for number in range(len(witnesses)))
    return WitnessPolicy.parse("\n".join([*lines, f"group enough {needed} {names}", "quorum enough"]))


def cosigning(room, policy, line=None):
    return Cosigning(
        ledger=room.ledger,
        store=room.store,
        policy=policy,
        line=line or HttpWitnessLine(seconds=2),
        keys=[room.signer.key],
        clock=room.clock,
    )


def grow(room, count):
    receipts = room.record_many(count)
    room.sequencer().catch_up()
    return receipts


def now(room):
    """The witness signs with the machine's time; the ledger's clock is set to it."""
    room.clock.moment = SystemClock().now()


def alarms(room):
    with room.ledger.read() as work:
        return work.execute(select(events).where(events.c.act == WITNESS_DISAGREED)).all()


def rolled_back(postgres, size):
    """The database as a backup from when the tree had `size` leaves: what came later was never heard of."""
    with psycopg.connect(libpq_url(postgres.superuser)) as connection:
        connection.execute("SET session_replication_role = replica")
        later = f"(SELECT event_id FROM ledger.sequence WHERE index >= {size})"
        for statement in (
            f"DELETE FROM ledger.events WHERE event_id IN {later}",
            f"DELETE FROM ledger.event_contents WHERE event_id IN {later}",
            f"DELETE FROM ledger.sequence WHERE index >= {size}",
            f"DELETE FROM ledger.cosignatures WHERE size > {size}",
            f"DELETE FROM ledger.checkpoints WHERE size > {size}",
            f"UPDATE ledger.head SET size = {size}, root = (SELECT root FROM ledger.checkpoints WHERE size = {size})",
        ):
            connection.execute(statement.encode())


def wipe_store(room):
    """The store restored to before anything was put there."""
    for item in list(room.store.list("ledger/")):
        for version in room.store.versions(item.key):
            room.store.delete(item.key, version.version_id)


@pytest.mark.parametrize(
    "kind", [4, pytest.param(6, marks=pytest.mark.stranger)], ids=["Ed25519", "ML-DSA-44"]
)
def test_a_witness_cosigns_each_checkpoint_and_its_line_is_published(room, tmp_path, kind):
    now(room)
    with running_witness(tmp_path, room.signer.key.encode(), kind=kind) as witness:
        policy = policy_of(witness)
        work = cosigning(room, policy)
        assert work.collect() == ()
        for count in (3, 253, 1, 300):
            grow(room, count)
            (asked,) = work.collect()
            assert asked.state is WitnessState.COSIGNED, asked
            note = room.store.get(CHECKPOINT_KEY)
            assert note == room.store.get(WITNESSED_KEY)
            (cosigned,) = cosignatures_on(SignedNote.parse(note), policy.keys)
            assert cosigned.cosigner == "witness.example/w1"
            report = verify_checkpoint(note, keys=[room.signer.key], policy=policy)
            assert report.indication is Indication.VALID
            assert report.facts["cosigned_by"][0]["witness"] == "witness.example/w1"
        assert work.collect() == ()
    room.verify().require_valid()


def test_a_proof_is_against_the_newest_checkpoint_that_a_quorum_has_cosigned(room, witness):
    now(room)
    policy = policy_of(witness)
    receipts = grow(room, 5)
    cosigning(room, policy).collect()
    late = grow(room, 5)
    proofs = type(room.proofs())(room.store, policy=policy)
    with room.ledger.read() as work:
        early = proofs.inclusion(work, receipts[2].event_id, scope=EventScope.everything())
        plain = proofs.inclusion(work, late[2].event_id, scope=EventScope.everything())
    assert open_checkpoint(TlogProof.parse(early).checkpoint, [room.signer.key]).size == 5
    assert verify_proof(early.encode(), keys=[], policy=policy).indication is Indication.CANNOT_TELL
    report = verify_proof(early.encode(), keys=[room.signer.key], policy=policy)
    assert report.indication is Indication.VALID
    # Nobody has cosigned over the later event yet: proved, but whether all see the same log is open.
    report = verify_proof(plain.encode(), keys=[room.signer.key], policy=policy)
    assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("cosignatures",))


@pytest.mark.stranger
def test_of_three_witnesses_two_are_a_quorum_and_the_third_is_asked_again(room, tmp_path):
    now(room)
    vkey = room.signer.key.encode()
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(running_witness(tmp_path, vkey, name=f"w{n}.example")) for n in (1, 2)
        )
        with running_witness(tmp_path, vkey, name="w3.example") as third:
            policy = policy_of(first, second, third, needed="2")
        grow(room, 4)  # the third is down
        states = {asked.witness.name: asked.state for asked in cosigning(room, policy).collect()}
        assert states == {"w0": "cosigned", "w1": "cosigned", "w2": "away"}
        assert len(SignedNote.parse(room.store.get(WITNESSED_KEY)).signatures) == 3
        third = stack.enter_context(running_witness(tmp_path, vkey, name="w3.example"))
        policy = policy_of(first, second, third, needed="2")
        (asked,) = cosigning(room, policy).collect()
        assert asked.state is WitnessState.COSIGNED
        assert len(SignedNote.parse(room.store.get(CHECKPOINT_KEY)).signatures) == 4


def test_a_witness_whose_answer_was_never_kept_names_its_size_and_is_gone_on_from_there(
    room, witness, postgres
):
    now(room)
    grow(room, 7)
    cosigning(room, policy_of(witness)).collect()
    with psycopg.connect(
        libpq_url(postgres.superuser)
    ) as connection:  # as if we were killed right after its answer
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM ledger.cosignatures")
    (asked,) = cosigning(room, policy_of(witness)).collect()
    assert asked.state is WitnessState.COSIGNED
    with psycopg.connect(libpq_url(postgres.superuser)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM ledger.cosignatures")
    grow(room, 9)
    (asked,) = cosigning(room, policy_of(witness)).collect()
    assert asked.state is WitnessState.COSIGNED
    assert alarms(room) == []


def test_a_database_and_store_restored_together_are_found_by_the_witness_alone(room, witness, postgres):
    """Nothing in the house disagrees any more; only who looked from outside remembers."""
    now(room)
    policy = policy_of(witness)
    grow(room, 5)
    cosigning(room, policy).collect()
    grow(room, 5)
    cosigning(room, policy).collect()
    rolled_back(postgres, 5)
    _restore_store(room, 5)
    room.verify().require_valid()
    (asked,) = cosigning(room, policy).collect() or [None]
    assert asked is None  # the checkpoint of 5 has its cosignature; the next one does not get one
    grow(room, 1)
    (asked,) = cosigning(room, policy).collect()
    assert asked.state is WitnessState.DISAGREED
    assert asked.detail == "larger-tree at size 10"
    assert [(row.subject, row.reason) for row in alarms(room)] == [("witness.example/w1", "larger-tree")]
    grow(room, 8)
    (asked,) = cosigning(room, policy).collect()
    assert asked.detail == "other-tree at size 10"
    assert len(alarms(room)) == 2
    cosigning(room, policy).collect()
    assert len(alarms(room)) == 2  # each told once
    assert "witnesses" in room.verify().reasons()
    assert open_checkpoint(room.store.get(WITNESSED_KEY), [room.signer.key]).size <= 5


def _restore_store(room, size):
    """As it was at `size`, one partial tile: later tiles are gone, and the checkpoint is the one of then."""
    for item in list(room.store.list("ledger/")):
        if not item.key.endswith(f".p/{size}"):
            for version in room.store.versions(item.key):
                room.store.delete(item.key, version.version_id)
    with room.ledger.read() as work:
        note = Checkpoints(work).of_size(size).note
    room.store.publish(CHECKPOINT_KEY, note.encode(), expected_version=None)


def test_two_histories_of_one_size_are_an_alarm(room, witness, postgres):
    now(room)
    policy = policy_of(witness)
    grow(room, 5)
    cosigning(room, policy).collect()
    with psycopg.connect(libpq_url(postgres.superuser)) as connection:
        connection.execute("SET session_replication_role = replica")
        tables = "events, event_contents, sequence, checkpoints, head, cosignatures"
        for table in tables.split(", "):
            connection.execute(f"DELETE FROM ledger.{table}".encode())
    wipe_store(room)
    room.record(*(event(f"other_{number}") for number in range(5)))
    room.sequencer().catch_up()
    (asked,) = cosigning(room, policy).collect()
    assert (asked.state, asked.detail) == (WitnessState.DISAGREED, "other-tree at size 5")
    with pytest.raises(ObjectMissing):
        room.store.get(WITNESSED_KEY)


@pytest.mark.stranger
def test_a_witness_that_does_not_know_the_log_or_its_key_only_stays_silent(room, tmp_path):
    now(room)
    grow(room, 2)
    other = LedgerRoom.open(room.database, tmp_path / "other").signer.key
    for vkey, status in ((other.encode().replace("yinxin", "strange"), None), (other.encode(), 403)):
        folder = tmp_path / str(status)
        folder.mkdir()
        with running_witness(folder, *(() if status is None else (vkey,))) as witness:
            (asked,) = cosigning(room, policy_of(witness)).collect()
            assert asked.state is WitnessState.REFUSED
            assert asked.detail == f"the witness answered {status or 404}"
    assert alarms(room) == []


class _Saying:
    """A witness that answers whatever it was told to."""

    def __init__(self, status, body, media_type="text/plain"):
        self._answer = WitnessAnswer(status=status, media_type=media_type, body=body)

    def add_checkpoint(self, url, body):
        return self._answer


NO_ANSWERS = [
    (200, b""),
    (200, b"\xff\xfe"),
    (200, b"not a line\n"),
    (200, "— witness.example/w1 AAAA\n".encode()),
    (200, ("— witness.example/w1 " + "A" * 96 + "\n").encode()),
    (200, b"x" * 60_000),
    (302, b""),
    (400, b""),
    (500, b"<html>"),
    (409, b""),
    (409, b"-1\n"),
    (409, b"007\n"),
    (409, "٣\n".encode()),
    (409, b"99999999999999999999999999\n"),
]


def test_what_is_no_answer_of_a_witness_is_neither_kept_nor_an_alarm(room):
    now(room)
    grow(room, 2)
    fake = Cosigner("witness.example/w1", 4, bytes(32))
    policy = WitnessPolicy.parse(f"witness w {fake.vkey} http://127.0.0.1:1\nquorum w")
    for status, body in NO_ANSWERS:
        (asked,) = cosigning(room, policy, _Saying(status, body)).collect()
        assert asked.state is WitnessState.REFUSED, (status, body)
    assert alarms(room) == []
    with room.database.read() as read:
        assert read.execute(select(cosignatures)).all() == []


def test_a_cosignature_of_another_checkpoint_or_another_key_is_not_kept(room):
    now(room)
    grow(room, 2)
    text = SignedNote.parse(room.store.get(CHECKPOINT_KEY)).text
    ours, other = Cosigner("witness.example/w1", 4, bytes(32)), Cosigner("witness.example/w1", 4, b"1" * 32)
    policy = WitnessPolicy.parse(f"witness w {ours.vkey} http://127.0.0.1:1\nquorum w")
    moment = int(room.clock.now().timestamp())
    for line in (
        ours.line(text.replace("\n2\n", "\n3\n"), moment),
        other.line(text, moment),
        ours.line(text, moment + 3600),  # its clock is wrong by an hour
    ):
        (asked,) = cosigning(room, policy, _Saying(200, line.encode())).collect()
        assert asked.state is WitnessState.REFUSED
    (asked,) = cosigning(
        room, policy, _Saying(200, (other.line(text, moment) + ours.line(text, moment)).encode())
    ).collect()
    assert asked.state is WitnessState.COSIGNED


@contextmanager
def _mute_server(answer=b""):
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def accept():
            connection, _ = server.accept()
            with connection:
                for octet in answer:
                    if stop.wait(0.05):
                        break
                    try:
                        connection.sendall(bytes([octet]))
                    except OSError:
                        break
                stop.wait(5)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        stop.set()
        thread.join(5)


@pytest.mark.stranger
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500], ids=["silent", "dripping"])
def test_a_witness_that_never_ends_its_answer_is_away(room, answer):
    now(room)
    grow(room, 1)
    fake = Cosigner("witness.example/w1", 4, bytes(32))
    with _mute_server(answer) as url:
        policy = WitnessPolicy.parse(f"witness w {fake.vkey} {url}\nquorum w")
        (asked,) = cosigning(room, policy, HttpWitnessLine(seconds=0.3)).collect()
    assert asked.state is WitnessState.AWAY


def test_a_stored_cosignature_that_was_changed_is_found(room, witness, postgres):
    now(room)
    policy = policy_of(witness)
    grow(room, 3)
    cosigning(room, policy).collect()
    room.verify(policy=policy).require_valid()
    with psycopg.connect(libpq_url(postgres.superuser)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE ledger.cosignatures SET line = replace(line, 'w1 ', 'w1 AAAA')")
    assert room.verify(policy=policy).reasons() == ("cosignatures",)


def test_cosigner_keys_are_read_as_they_are_written():
    for kind in (4, 6):
        vkey = Cosigner("witness.example/w1", kind, bytes(32)).vkey
        assert CosignerKey.parse(vkey).encode() == vkey
