"""Seals by every suite that the policy has for them, through the whole service; and what a deployment decides."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.settings import SettingRefused, Settings
from api.wiring import build_services
from seals.model import SignatureLevel
from seals.uses.sign_digests import DigestsRequest
from tests.support.house import ITEM, House, SealingAgency
from tests.support.pdfs import build_pdf
from trust.authority.issuance import new_key_binding
from trust.authority.model import LEDGER_LABEL, LEDGER_LONG_TERM_LABEL, Authority
from trust.crypto import suites
from trust.crypto.digests import Digest, digest_of, sha256
from trust.crypto.errors import PolicyBroken, SuiteNotAccepted
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.policy import shipped_policy
from trust.crypto.suites import SoftwareSigner, Suite, definition
from trust.documents import pdf
from trust.evidence.tlog import SignedNote, VerifierKey, open_checkpoint
from trust.kernel.report import Indication, Report
from trust.keys.model import KeyPurpose
from trust.keys.repository import KeyBindings
from trust.ledger.model import Actor
from trust.ledger.tiles import CHECKPOINT_KEY
from trust.pki.certificate import read_certificate
from trust.pki.profiles import ProfileName


@pytest.fixture
def house(shared_house: House) -> House:
    """One for the file: every test makes an agency of its own."""
    return shared_house


@pytest.fixture
def with_settings(house: House) -> Iterator[object]:
    """The same house joined anew under other settings."""
    opened = []

    def joined(**changes: object) -> House:
        # Making an RSA key on a loaded machine takes longer than the short leases of tests.
        patient = replace(house.services.settings, lease_seconds=120.0)
        services = build_services(replace(patient, **changes))  # type: ignore[arg-type]  # by name
        opened.append(services)
        return House(services=services, signer=house.signer, room=house.room)

    yield joined
    for services in opened:
        services.close()


def _judged(desk: SealingAgency, document: bytes) -> Report:
    services = desk.house.services
    return pdf.validate(document, trust=services.trust.current(), at=services.clock.now())


@pytest.mark.parametrize("suite", [Suite.P384_SHA384, Suite.RSA3072_SHA256, Suite.ED25519, Suite.SM2_SM3])
def test_a_seal_of_each_suite_seals_documents_and_digests(with_settings, suite: Suite) -> None:
    desk = with_settings(seal_suite=suite.value).sealing_agency(digests=True)
    assert read_certificate(desk.seal.certificate).suite is suite

    # 1. A document, once more over the first signature, and at the level that lasts.
    once = desk.seal_document(build_pdf()).document
    twice = desk.seal_document(once, level=SignatureLevel.B_LTA).document
    report = _judged(desk, twice)
    assert report.indication is Indication.VALID, report.reasons()
    assert {part.facts.get("level") for part in report.parts[:2]} <= {"B-T", "B-LT", "B-LTA"}
    assert len(report.parts) >= 2
    altered = twice.replace(b"MediaBox", b"MediaBoy", 1)
    assert _judged(desk, altered).indication is not Indication.VALID

    # 2. A digest of a document prepared elsewhere.
    digest = digest_of(b"prepared elsewhere", definition(suite).cms_digest)
    asked = DigestsRequest(
        digests=(digest,), item_code=ITEM, idempotency_key="once", body_digest=sha256(digest)
    )
    answer = desk.house.services.seals.sign_digests(asked, desk.application)
    (message,) = answer.signatures.values()
    parsed = ParsedCms.parse(message)
    assert (parsed.message_digest, parsed.scheme) == (digest, definition(suite).scheme)
    spki = read_certificate(desk.seal.certificate).spki
    suites.verify(spki, parsed.signature, parsed.signed_attrs, suite)


def test_seals_from_before_the_change_of_suite_go_on_sealing(house: House, with_settings) -> None:
    before = house.sealing_agency()
    after = with_settings(seal_suite="sm2-sm3")
    sealed = after.services.seals
    assert sealed is not before.house.services.seals
    document = replace(before, house=after).seal_document(build_pdf()).document
    assert _judged(before, document).indication is Indication.VALID


@pytest.mark.parametrize("name", ["p521", "ml-dsa-65", "rsa2048-sha256", ""])
def test_a_suite_that_is_not_for_seals_is_refused_at_the_start(house: House, name: str) -> None:
    with pytest.raises(SettingRefused, match=r"YINXIN_SEAL_SUITE is one of .*sm2-sm3"):
        build_services(replace(house.services.settings, seal_suite=name))
    assert Settings.from_environment({"YINXIN_SEAL_SUITE": "sm2-sm3"}).seal_suite == "sm2-sm3"


def test_what_the_policy_has_not_certified_is_certified_for_nobody(house: House) -> None:
    services = house.services
    for suite, profile in ((Suite.RSA2048_SHA256, ProfileName.SEAL), (Suite.ML_DSA_65, ProfileName.CITIZEN)):
        with pytest.raises(SuiteNotAccepted, match=f"not of {suite}"):
            services.certificates.issue(
                authority=Authority.SEALS,
                profile=profile,
                subject={"C": "CN", "O": "x", "CN": "x"},
                spki=SoftwareSigner.generate(suite).spki,
                owner="nobody",
                agency=None,
                actor=Actor(kind="test", id="test"),
            )


def test_a_policy_of_ones_own_is_what_verdicts_are_made_by(
    house: House, with_settings, tmp_path: Path
) -> None:
    document = house.sealing_agency().seal_document(build_pdf()).document
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    fallen = shipped_policy().with_digest(Digest.SHA256, until=past)
    file = tmp_path / "policy.json"
    file.write_bytes(fallen.encode())
    drilled = with_settings(algorithm_policy_file=str(file)).services
    assert not drilled.trust.current().policy.trusts_digest(Digest.SHA256, drilled.clock.now())
    for store in (drilled.trust.current(), drilled.trust.with_status()):
        report = pdf.validate(document, trust=store, at=drilled.clock.now())
        assert report.indication is Indication.CANNOT_TELL
        assert "algorithm" in {check.code for check in report.all_checks() if check.sub_indication}
    judged, _moment = drilled.verification.verify(lambda: document, name="a.pdf", address="192.0.2.1")
    assert judged.indication is Indication.CANNOT_TELL  # the worker has the same policy


def test_a_policy_file_that_is_not_one_is_refused_at_the_start(house: House, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"version": "1"}))
    for given in (file, tmp_path / "missing.json"):
        with pytest.raises(PolicyBroken, match=given.name):
            build_services(replace(house.services.settings, algorithm_policy_file=str(given)))


def test_a_key_for_the_long_term_signs_checkpoints_beside_the_ledgers_own(
    house: House, with_settings
) -> None:
    services = house.services
    info = services.signer.create_key(KeyPurpose.LEDGER, Suite.ML_DSA_65)
    with services.ledger.work() as work:
        KeyBindings(work).bind(new_key_binding(info, label=LEDGER_LONG_TERM_LABEL), at=services.clock.now())
    joined = with_settings().services
    keys = [VerifierKey.parse(text) for text in joined.trust.current().ledger_keys]
    assert [key.algorithm for key in keys] == ["ed25519", "ml-dsa-65"]
    joined.sequencer.catch_up()
    note = joined.objects.get(CHECKPOINT_KEY).decode()
    assert len(SignedNote.parse(note).signatures) == 2
    sizes = {open_checkpoint(note, [key]).size for key in keys}
    assert len(sizes) == 1
    with joined.database.read() as work:
        assert KeyBindings(work).require(LEDGER_LABEL).suite == "ed25519"
