"""Witness policies and cosignatures: what is read, what is refused, and what is enough."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.verification.frames import decode_trust, encode_trust
from tests.support.bundles import BundleParts, anchors_of
from tests.support.event_exports import ExportSigner, small_export
from tests.support.ledger import NoteSigner
from tests.support.pdfs import build_pdf, seal
from tests.support.pki import MOMENT, TestPki
from tests.support.witness import Cosigner
from trust.evidence.cosignatures import CosignerKey, cosignatures_on
from trust.evidence.notes import verify_checkpoint
from trust.evidence.tlog import (
    Checkpoint,
    NoteMalformed,
    NoteSignatureInvalid,
    SignedNote,
    VerifierKey,
    sign_note,
)
from trust.evidence.witness_policy import MAX_NAMES, WitnessPolicy, WitnessPolicyRefused
from trust.kernel.report import Indication, Outcome
from trust.pki.trust_store import WITNESS_POLICY, TrustStore
from trust.verify.verifier import verify_bytes

# The example of c2sp.org/tlog-cosignature, with its shape alone: its keys are not given there.
LOG = VerifierKey(name="example.com/behind-the-sofa", public_key=bytes(32))
COSIGNERS = {
    name: Cosigner(f"{name}.example", kind, bytes([number]) * 32)
    for number, (name, kind) in enumerate(
        [("X1", 4), ("X2", 6), ("X3", 4), ("Y1", 4), ("Y2", 6), ("Y3", 4)], 1
    )
}
GROUPS = """
# two of X and any of Y
group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3
  group X-and-Y all X-witnesses\tY-witnesses
quorum X-and-Y
"""
WITNESSES = "\n".join(f"witness {name} {each.vkey}" for name, each in COSIGNERS.items())
TEXT = Checkpoint(origin=LOG.name, size=20_852_163, root=bytes(range(32))).text()
TIME = 1_679_315_147


@given(spoken=st.sets(st.sampled_from(sorted(COSIGNERS))))
def test_a_quorum_of_groups_is_met_by_exactly_those_that_are_enough(spoken):
    policy = WitnessPolicy.parse(WITNESSES + GROUPS)
    enough = len(spoken & {"X1", "X2", "X3"}) >= 2 and bool(spoken & {"Y1", "Y2", "Y3"})
    assert policy.met_by({COSIGNERS[name].name for name in spoken}) is enough


def test_without_a_quorum_nobody_is_needed():
    policy = WitnessPolicy.parse(f"log {LOG.encode()} https://log.example/\nquorum none\n")
    assert policy.met_by(()) is True
    assert policy.logs == (LOG,)


X1 = COSIGNERS["X1"].vkey


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "exactly one quorum"),
        ("quorum X1", "X1 is not defined before"),
        ("quorum none\nquorum none", "line 2: a policy has one quorum"),
        (f"witness X1 {X1}\nwitness X1 {COSIGNERS['X2'].vkey}\nquorum X1", "X1 is a name already"),
        (f"witness X1 {X1}\nwitness X2 {X1}\nquorum X1", "the same key"),
        (f"witness none {X1}\nquorum none", "none is a name already"),
        (f"witness X1 {X1} https://a https://b\nquorum X1", "a witness is"),
        ("witness X1 nonsense\nquorum X1", "line 1: a cosigner's key is"),
        (f"witness X1 {LOG.encode()}\nquorum X1", "type 0x04"),
        (f"log {X1}\nquorum none", "not of a type taken here"),
        (f"log {LOG.encode()}\nlog {LOG.encode()}\nquorum none", "two logs"),
        (f"witness X1 {X1}\ngroup G 2 X1\nquorum G", "all, any or 1 to 1"),
        (f"witness X1 {X1}\ngroup G 0 X1\nquorum G", "all, any or 1 to 1"),
        (f"witness X1 {X1}\ngroup G 01 X1\nquorum G", "all, any or 1 to 1"),
        (f"witness X1 {X1}\ngroup G all X1 X1\nquorum G", "in a group already"),
        (f"witness X1 {X1}\ngroup G all X1\ngroup H all X1\nquorum G", "in a group already"),
        ("group G all G\nquorum G", "G is not defined"),
        ("group G all\nquorum G", "a group is"),
        ("believe everybody", "line 1: a line begins with"),
        ("quorum none\r\n", "control characters"),
        ("quorum none\0", "control characters"),
        ("#" * 1_100_000, "octets is not read"),
        ("\n".join(f"group g{n} any g{n - 1}" for n in range(1, MAX_NAMES + 5)), "not defined"),
    ],
)
def test_what_is_no_policy_is_refused_by_its_line(text, says):
    with pytest.raises(WitnessPolicyRefused, match=says):
        WitnessPolicy.parse(text)


@given(st.text(max_size=200))
def test_whatever_a_file_holds_it_is_a_policy_or_refused(text):
    try:
        WitnessPolicy.parse(text)
    except WitnessPolicyRefused:
        return


def note_with(*lines):
    signed = sign_note(TEXT, key=LOG, sign=lambda _: bytes(64))
    return SignedNote.parse(signed + "".join(lines))


@pytest.mark.parametrize("name", ["X1", "X2"], ids=["Ed25519", "ML-DSA-44"])
def test_a_cosignature_made_elsewhere_is_believed_with_its_time_and_no_other(name):
    cosigner, key = COSIGNERS[name], CosignerKey.parse(COSIGNERS[name].vkey)
    line = cosigner.line(TEXT, TIME)
    (found,) = cosignatures_on(note_with(line, COSIGNERS["Y1"].line(TEXT, TIME)), [key])
    assert (found.cosigner, found.at.timestamp()) == (cosigner.name, TIME)
    assert found.signature.line() + "\n" == line
    dash, who, octets = line.split(" ")
    raw = bytearray(base64.b64decode(octets))
    for position in (4, 11, 12, -1):  # the time's ends, the signature's ends
        changed = bytearray(raw)
        changed[position] ^= 1
        bad = f"{dash} {who} {base64.b64encode(changed).decode()}\n"
        with pytest.raises(NoteSignatureInvalid):
            cosignatures_on(note_with(bad), [key])
    with pytest.raises(NoteSignatureInvalid):
        cosignatures_on(note_with(f"{dash} {who} {base64.b64encode(raw[:-1]).decode()}\n"), [key])
    assert cosignatures_on(note_with(line.replace(cosigner.name, "other.example")), [key]) == ()


def test_what_we_cosign_is_what_the_specification_says():
    signed = []

    def sign(octets):
        signed.append(octets)
        return bytes(64)

    key = CosignerKey.parse(X1)
    line = key.cosign(TEXT, at=datetime.fromtimestamp(TIME, UTC), sign=sign)
    assert signed == [f"cosignature/v1\ntime {TIME}\n{TEXT}".encode()]
    assert line.signature == TIME.to_bytes(8, "big") + bytes(64)


@pytest.mark.parametrize(
    "vkey",
    [
        "", "w", "w+00000000", "w+00000000+", "w+00000000+AAAA", "w+00000000+!!!!", X1.replace("+", "+0", 1),
        X1[:-2], X1 + "=", " " + X1, X1.replace("X1.", "X 1."), X1.replace("X1.", "Z1."),
    ],
)  # fmt: skip
def test_what_is_no_cosigners_key_is_refused(vkey):
    with pytest.raises(NoteMalformed):
        CosignerKey.parse(vkey)


def test_a_report_says_who_cosigned_and_fails_where_a_cosignature_is_forged(monkeypatch):
    monkeypatch.setattr(
        VerifierKey, "verify", lambda *_: None
    )  # the log's own signature is not the matter here
    policy = WitnessPolicy.parse(
        f"witness X1 {X1}\nwitness X2 {COSIGNERS['X2'].vkey}\ngroup G all X1 X2\nquorum G"
    )
    both = [COSIGNERS["X1"].line(TEXT, TIME), COSIGNERS["X2"].line(TEXT, TIME + 1)]
    report = verify_checkpoint(note_with(*both).encode().encode(), keys=[LOG], policy=policy)
    assert report.indication is Indication.VALID
    assert report.facts["cosigned_by"] == [
        {"witness": "X1.example", "at": "2023-03-20T12:25:47.000Z"},
        {"witness": "X2.example", "at": "2023-03-20T12:25:48.000Z"},
    ]
    report = verify_checkpoint(note_with(both[0]).encode().encode(), keys=[LOG], policy=policy)
    assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("cosignatures",))
    other = COSIGNERS["X1"].line(TEXT.replace("20852163", "20852164"), TIME)
    report = verify_checkpoint(note_with(other, both[1]).encode().encode(), keys=[LOG], policy=policy)
    assert (report.indication, report.reasons()) == (Indication.INVALID, ("cosignatures",))
    # Without a policy nobody is asked for.
    report = verify_checkpoint(note_with(other).encode().encode(), keys=[LOG])
    assert report.indication is Indication.VALID


def test_a_trust_folder_holds_the_policy_and_the_verifying_process_gets_it(tmp_path):
    signer = NoteSigner()
    (tmp_path / "log.vkey").write_text(signer.key.encode() + "\n")
    (tmp_path / WITNESS_POLICY).write_text(f"witness X1 {X1}\nquorum X1\n")
    trust = decode_trust(encode_trust(TrustStore.load(tmp_path)))
    note = signer.sign_checkpoint(signer.key.name, 1, bytes(32))
    at = datetime(2026, 11, 26, tzinfo=UTC)
    report = verify_bytes(note.encode(), name="checkpoint", trust=trust, at=at)
    assert (report.indication, report.reasons()) == (Indication.CANNOT_TELL, ("cosignatures",))
    cosigned = note + COSIGNERS["X1"].line(SignedNote.parse(note).text, TIME)
    assert (
        verify_bytes(cosigned.encode(), name="checkpoint", trust=trust, at=at).indication is Indication.VALID
    )


def test_what_is_brought_inside_a_bundle_or_an_export_needs_the_witnesses_as_well():
    pki, signer = TestPki(), ExportSigner()
    document = seal(build_pdf(text="decision"), pki.leaf(), pki=pki)
    parts = BundleParts(document=document, material=pki.trust_store(), made_at=MOMENT)
    trust = parts.trust(anchors_of(pki))
    files = {"bundle.zip": parts.octets(), "export.zip": small_export(signer)}
    for keys, name in ((trust.ledger_keys, "bundle.zip"), ((signer.key.encode(),), "export.zip")):
        alone = replace(trust, ledger_keys=keys)
        report = verify_bytes(files[name], name=name, trust=alone, at=MOMENT)
        assert report.indication is Indication.VALID, report.reasons()
        witnessed = replace(alone, witness_policy=f"witness X1 {X1}\nquorum X1\n")
        report = verify_bytes(files[name], name=name, trust=witnessed, at=MOMENT)
        assert report.indication is Indication.CANNOT_TELL
        (unmet,) = [each for each in report.all_checks() if each.outcome is not Outcome.PASSED]
        assert unmet.code == "cosignatures"
