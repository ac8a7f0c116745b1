"""Signed notes, checkpoints, proof files and receipts: strict to read, and believed only from known keys."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from trust.crypto.suites import SoftwareSigner, Suite
from trust.evidence.merkle import CompactRange, ProofRefused, leaf_hash
from trust.evidence.note_algorithms import NoteAlgorithm
from trust.evidence.receipts import Receipt, open_receipt
from trust.evidence.tlog import (
    Checkpoint,
    NoteKeyUnknown,
    NoteMalformed,
    NoteSignatureInvalid,
    SignedNote,
    TlogProof,
    VerifierKey,
    add_signature,
    open_checkpoint,
    open_note,
    sign_note,
)

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(name="log.example/main", public_key=PRIVATE.public_key().public_bytes_raw())
OTHER_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER = VerifierKey(name="other.example", public_key=OTHER_PRIVATE.public_key().public_bytes_raw())


def signed(text: str) -> str:
    return sign_note(text, key=KEY, sign=PRIVATE.sign)


def test_a_note_signed_here_is_believed_here():
    note = open_note(signed("first\n\nsecond\n"), [OTHER, KEY])
    assert note.text == "first\n\nsecond\n"


def test_the_note_of_the_specification_reads():
    note = SignedNote.parse(
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
        "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQ"
        "U0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    assert note.text.endswith("ed è subito sera.\n")
    assert note.signatures[0].key_id.hex() == "367ba04b"


def test_a_verifier_key_reads_back_and_its_id_is_checked():
    assert VerifierKey.parse(KEY.encode()) == KEY
    name, key_id, octets = KEY.encode().split("+", 2)
    for bad in (
        f"{name}+00000000+{octets}",
        f"{name}+{key_id.upper()}x+{octets}",
        name,
        f"a b+{key_id}+{octets}",
    ):
        with pytest.raises(NoteMalformed):
            VerifierKey.parse(bad)


def test_a_note_by_strangers_alone_is_not_believed():
    with pytest.raises(NoteKeyUnknown):
        open_note(signed("text\n"), [OTHER])


def test_a_known_key_that_does_not_verify_spoils_the_note_whoever_else_signed():
    good = SignedNote.parse(signed("text\n"))
    forged = sign_note("text\n", key=OTHER, sign=lambda _: bytes(64))
    note = SignedNote(text=good.text, signatures=good.signatures + SignedNote.parse(forged).signatures)
    assert open_note(note.encode(), [KEY]).text == "text\n"
    with pytest.raises(NoteSignatureInvalid):
        open_note(note.encode(), [KEY, OTHER])


@pytest.mark.parametrize(
    "bend",
    [
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text[:-1],
        lambda text: text.replace("— ", "- "),
        lambda text: text.replace("text", "te\txt"),
        lambda text: text.replace("text\n", "text\r\n"),
        lambda text: text + "\n",
        lambda text: text.replace("log.example/main ", "log.example/main  "),
        lambda text: text[:-2] + "*\n",
        lambda text: text + text.splitlines(keepends=True)[-1] * 100,
    ],
)
def test_a_note_out_of_form_is_refused(bend):
    with pytest.raises(NoteMalformed):
        open_note(bend(signed("text\n")), [KEY])


def test_base64_with_stray_last_bits_is_refused():
    line = signed("text\n")
    assert line.endswith("=\n")  # 68 octets: two bits of the last character are unused
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    position = len(line) - 3
    bent = line[:position] + alphabet[alphabet.index(line[position]) + 1] + line[position + 1 :]
    with pytest.raises(NoteMalformed, match="canonical"):
        open_note(bent, [KEY])


def test_octets_that_are_not_utf8_are_refused():
    with pytest.raises(NoteMalformed):
        SignedNote.parse(b"\xff\n\n" + signed("text\n").encode())


@pytest.mark.parametrize("text", ["no newline", "\n", "tab\t\n"])
def test_text_that_is_no_notes_text_is_not_signed(text):
    with pytest.raises(NoteMalformed):
        signed(text)


CHECKPOINT = Checkpoint(origin=KEY.name, size=1, root=leaf_hash(b"entry"))


def test_a_checkpoint_reads_back():
    assert open_checkpoint(signed(CHECKPOINT.text()), [KEY]) == CHECKPOINT


def test_a_checkpoint_of_another_log_signed_by_this_key_is_not_believed():
    text = Checkpoint(origin="elsewhere.example", size=1, root=bytes(32)).text()
    with pytest.raises(NoteKeyUnknown):
        open_checkpoint(signed(text), [KEY])


@pytest.mark.parametrize("size", ["01", "-1", "", "1 ", "9223372036854775808", "１"])
def test_a_checkpoint_size_out_of_form_is_refused(size):
    with pytest.raises(NoteMalformed):
        Checkpoint.parse(CHECKPOINT.text().replace("\n1\n", f"\n{size}\n"))


def test_a_checkpoint_origin_with_a_newline_is_never_written():
    with pytest.raises(NoteMalformed):
        Checkpoint(origin="a\nb", size=1, root=bytes(32)).text()


def proof_file() -> TlogProof:
    tree = CompactRange()
    tree.append(leaf_hash(b"entry"))
    checkpoint = Checkpoint(origin=KEY.name, size=1, root=tree.root())
    return TlogProof(index=0, hashes=(), checkpoint=signed(checkpoint.text()), extra=b"entry")


def test_a_proof_file_holds_all_but_the_key():
    proof = TlogProof.parse(proof_file().encode().encode())
    assert proof == proof_file()
    assert proof.verify_extra([KEY]).size == 1


def test_a_proof_file_for_another_entry_is_refused():
    with pytest.raises(ProofRefused):
        proof_file().verify(leaf_hash(b"another"), [KEY])


def test_a_proof_file_without_its_entry_asks_for_it():
    text = proof_file().encode().replace("extra ZW50cnk=\n", "")
    with pytest.raises(ProofRefused, match="does not hold"):
        TlogProof.parse(text).verify_extra([KEY])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 0", "index 00"),
        ("index 0", "index 0\nAAAA"),
        ("index 0\n", ""),
        ("extra ZW50cnk=", "extra ZW50cnl="),
        ("extra ZW50cnk=", "more ZW50cnk="),
    ],
)
def test_a_proof_file_out_of_form_is_refused(old, new):
    with pytest.raises(NoteMalformed):
        TlogProof.parse(proof_file().encode().replace(old, new))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_octets_do_worse_than_malformed(data):
    for read in (SignedNote.parse, TlogProof.parse):
        with pytest.raises(NoteMalformed):
            read(data)


RECEIPT = Receipt(
    origin=KEY.name,
    event_id="evt_" + "0" * 32,
    leaf_hash=leaf_hash(b"entry"),
    latest_inclusion=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
)


def test_a_receipt_reads_back_and_is_never_a_checkpoint():
    note = signed(RECEIPT.text())
    assert open_receipt(note, [KEY]) == RECEIPT
    with pytest.raises(NoteMalformed):
        open_checkpoint(note, [KEY])
    with pytest.raises(NoteMalformed):
        open_receipt(signed(CHECKPOINT.text()), [KEY])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("event evt_", "event "),
        ("leaf ", "leaf  "),
        (".000Z", "Z"),
        (".000Z", "+00:00"),
        ("latest ", "last "),
    ],
)
def test_a_receipt_out_of_form_is_refused(old, new):
    with pytest.raises(NoteMalformed):
        Receipt.parse(RECEIPT.text().replace(old, new))


# Keys for the long term.

LASTING_SIGNER = SoftwareSigner.generate(Suite.ML_DSA_65)
LASTING = VerifierKey.of_spki(KEY.name, LASTING_SIGNER.spki)


def test_a_checkpoint_signed_by_both_kinds_is_believed_by_whoever_knows_either():
    text = Checkpoint(origin=KEY.name, size=7, root=bytes(32)).text()
    note = add_signature(signed(text), key=LASTING, sign=LASTING_SIGNER.sign)
    for keys in ([KEY], [LASTING], [KEY, LASTING]):
        assert open_checkpoint(note, keys).size == 7
    first, second = SignedNote.parse(note).signatures
    assert (first.key_id, second.key_id) == (KEY.key_id, LASTING.key_id)
    assert len(second.signature) == 3309
    alone = sign_note(text, key=LASTING, sign=LASTING_SIGNER.sign)
    assert open_checkpoint(alone, [LASTING]).size == 7
    with pytest.raises(NoteKeyUnknown):
        open_checkpoint(alone, [KEY])


def test_one_wrong_signature_of_a_known_key_refuses_the_note():
    text = Checkpoint(origin=KEY.name, size=7, root=bytes(32)).text()
    good = LASTING_SIGNER.sign(text.encode())
    for wrong in (
        bytes(3309),
        good[:-1] + bytes((good[-1] ^ 1,)),
        good[:-1],
        LASTING_SIGNER.sign(b"other\n"),
    ):
        note = add_signature(signed(text), key=LASTING, sign=lambda _text, wrong=wrong: wrong)
        assert open_checkpoint(note, [KEY]).size == 7
        with pytest.raises(NoteSignatureInvalid):
            open_checkpoint(note, [KEY, LASTING])


def test_a_lasting_key_reads_back_and_other_kinds_sign_no_notes():
    written = LASTING.encode()
    assert VerifierKey.parse(written) == LASTING
    assert LASTING.algorithm is NoteAlgorithm.ML_DSA_65
    name, key_id, encoded = written.split("+", 2)
    octets = base64.b64decode(encoded)
    for bad in (octets[:-1], octets + b"\0", b"\xff" + octets[30:], b"\x06" + octets[1:], b"\xff", b""):
        with pytest.raises(NoteMalformed):
            VerifierKey.parse(f"{name}+{key_id}+{base64.b64encode(bad).decode()}")
    for suite in (Suite.P256_SHA256, Suite.SM2_SM3, Suite.RSA2048_SHA256):
        with pytest.raises(NoteMalformed, match="ml-dsa-65"):
            VerifierKey.of_spki(KEY.name, SoftwareSigner.generate(suite).spki)


def test_the_head_of_each_kind_is_that_of_its_public_keys():
    for suite, algorithm in ((Suite.ED25519, "ed25519"), (Suite.ML_DSA_65, "ml-dsa-65")):
        signer = SoftwareSigner.generate(suite)
        key = VerifierKey.of_spki("log.example", signer.spki)
        assert key.algorithm == algorithm
        assert signer.spki.endswith(key.public_key)
        typed = base64.b64decode(key.encode().split("+", 2)[2])
        assert typed.startswith({"ed25519": b"\x01", "ml-dsa-65": b"\xffyinxin/note-ml-dsa-65/v1"}[algorithm])
        assert key.key_id == hashlib.sha256(b"log.example\n" + typed).digest()[:4]
        assert open_note(sign_note("a\n", key=key, sign=signer.sign), [key]).text == "a\n"
