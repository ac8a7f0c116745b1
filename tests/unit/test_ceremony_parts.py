"""The parts of a ceremony without a database: its log as a note, its people, its printed script."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from api.cli.ceremony_script import script_of, write_script
from tests.support.pki import TestPki
from trust.authority.ceremony_file import SHIPPED, Ceremony
from trust.authority.ceremony_logging import _require_people, read_present
from trust.authority.ceremony_plan import Step, StepKind
from trust.authority.errors import CeremonyRefused
from trust.crypto.suites import Suite
from trust.evidence.ceremony_log import CeremonyLog, LoggedStep, Present, RootSignature, roots_that_signed
from trust.evidence.tlog import NoteMalformed, SignedNote, VerifierKey, sign_note
from trust.kernel.report import Indication, Report
from trust.pki.trust_store import TrustStore
from trust.verify.verifier import verify_bytes

NOW = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
ORIGIN = "pki.example.test/log"
LEDGER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = CeremonyLog(
    origin=ORIGIN,
    ceremony_id="ceremony_" + "0" * 32,
    file_sha256=bytes(32),
    begun=NOW,
    ended=NOW + timedelta(minutes=40),
    present=(Present(name="王安", part="operator"), Present(name="李文")),
    steps=(
        LoggedStep(kind="root-made", label="authority/root", digest=bytes(32), said="serial 1"),
        LoggedStep(kind="permitted", label="authority/root", digest=bytes(32), said="issues cross"),
    ),
)


def key() -> VerifierKey:
    return VerifierKey(name=ORIGIN, public_key=LEDGER.public_key().public_bytes_raw())


def signed(pki: TestPki | None = None, log: CeremonyLog = LOG) -> str:
    """The log with the ledger's signature, and the root's where there is one."""
    note = SignedNote.parse(sign_note(log.text(), key=key(), sign=LEDGER.sign))
    if pki is None:
        return note.encode()
    root = RootSignature(origin=ORIGIN, spki=pki.root.signer.spki)
    return replace(
        note, signatures=(*note.signatures, root.signed(pki.root.signer.sign(log.text().encode())))
    ).encode()


def verified(note: str, *, pki: TestPki | None = None, known: bool = True) -> Report:
    trust = TrustStore(
        anchors=() if pki is None else (pki.root.certificate,),
        ledger_keys=(key().encode(),) if known else (),
    )
    return verify_bytes(note.encode(), name="log", trust=trust, at=NOW)


@pytest.mark.parametrize("suite", [Suite.P256_SHA256, Suite.P384_SHA384, Suite.RSA2048_SHA256, Suite.ED25519])
def test_a_log_signed_by_ledger_and_root_is_valid_and_says_who_signed(suite: Suite) -> None:
    pki = TestPki(suite=suite)
    report = verified(signed(pki), pki=pki)
    assert report.indication is Indication.VALID, report.to_json()
    assert report.facts["roots"] == 1
    assert report.facts["present"] == ["present operator: 王安", "witness: 李文"]
    assert verified(signed(pki), pki=TestPki()).facts["roots"] == 0


def test_a_root_whose_line_stands_twice_is_one_root() -> None:
    pki = TestPki()
    note = SignedNote.parse(signed(pki))
    twice = replace(note, signatures=(*note.signatures, note.signatures[-1]))
    assert verified(twice.encode(), pki=pki).facts["roots"] == 1


def test_without_the_ledgers_key_nobody_can_tell_and_a_changed_word_is_found() -> None:
    pki = TestPki()
    assert verified(signed(pki), known=False).indication is Indication.CANNOT_TELL
    for old, new in (
        ("王安", "王平"),
        ("step 2", "step 3"),
        ("serial 1", "serial 2"),
        ("root-made", "root-kept"),
    ):
        assert verified(signed(pki).replace(old, new, 1), pki=pki).indication is Indication.INVALID


def test_a_root_signature_over_another_text_is_found() -> None:
    pki = TestPki()
    other = SignedNote.parse(signed(pki, replace(LOG, ended=NOW + timedelta(hours=2))))
    note = SignedNote.parse(signed())
    forged = replace(note, signatures=(*note.signatures, other.signatures[-1])).encode()
    assert verified(forged, pki=pki).indication is Indication.INVALID
    assert roots_that_signed(signed(), [pki.root.signer.spki]) == ()


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=60))
def test_whatever_is_said_reads_back_or_is_refused(name: str, part: str, said: str) -> None:
    log = replace(
        LOG,
        present=(Present(name=name, part=part or None),),
        steps=(replace(LOG.steps[0], said=said),),
    )
    try:
        text = log.text()
    except NoteMalformed:
        return
    assert CeremonyLog.parse(text) == log


@given(st.text(max_size=300))
def test_any_text_is_a_log_or_refused(text: str) -> None:
    for candidate in (text, "yinxin-ceremony/v1\n" + text):
        with pytest.raises(NoteMalformed):
            CeremonyLog.parse(candidate)


@pytest.mark.parametrize(
    ("parts", "witnesses"),
    [
        ([], []),
        (["operator: 王安"], []),
        ([], ["李文"]),
        (["operator: 王安", "keeper: 赵平"], []),
        (["operator: 王安"], ["王安"]),
        (["operator: 王安"], [""]),
        (["operator: 王安"], ["李\n文"]),
        (["王安"], ["李文"]),
    ],
)
def test_a_ceremony_is_held_by_two_people_at_least_and_one_of_them_looks(
    parts: list[str], witnesses: list[str]
) -> None:
    with pytest.raises(CeremonyRefused):
        _require_people(read_present(parts, witnesses))


def steps() -> tuple[Step, ...]:
    root = Ceremony.read(SHIPPED).authorities[0]
    return (
        Step(kind=StepKind.ROOT, label="authority/root", part=root, said="a key"),
        Step(kind=StepKind.PERMIT, label="authority/root", part=root, said="issues <cross> & more"),
        Step(kind=StepKind.KEEP, label="service/ledger", said="is there already"),
    )


def test_the_script_says_each_step_in_two_languages_with_room_for_fingerprints(tmp_path: Path) -> None:
    ceremony = Ceremony.read(SHIPPED)
    script = script_of(ceremony, steps(), file_name="ceremony.yaml", at=NOW)
    for ending in ("txt", "html", "pdf"):
        write_script(script, tmp_path / f"script.{ending}", at=NOW)
    text = (tmp_path / "script.txt").read_text(encoding="utf-8")
    page = (tmp_path / "script.html").read_text(encoding="utf-8")
    with pypdfium2.PdfDocument(tmp_path / "script.pdf") as pdf:
        printed = "\n".join(page.get_textpage().get_text_range() for page in pdf)
    for said in (text, page, printed):
        assert "生成根密钥及自签名证书" in said
        assert "Make the root's key" in said.replace("&#x27;", "'")
        assert ceremony.digest.hex()[:4] in said
    assert text.count("____ ____ ____ ____") >= 4
    assert "issues &lt;cross&gt; &amp; more" in page
    assert "<script" not in page


def test_a_script_of_nothing_and_one_of_another_kind_are_refused(tmp_path: Path) -> None:
    ceremony = Ceremony.read(SHIPPED)
    with pytest.raises(CeremonyRefused):
        script_of(ceremony, steps()[2:], file_name="c", at=NOW)
    with pytest.raises(CeremonyRefused):
        write_script(script_of(ceremony, steps(), file_name="c", at=NOW), tmp_path / "script.doc", at=NOW)
