"""What pyHanko signs, we call valid: every level and suite, visible, certified, one after the other and after ours."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from io import BytesIO

import pytest
from asn1crypto import keys, x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import SimpleSigner
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
)
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from tests.support.level_cases import KNOWN_TO_JUDGES, SAMPLES
from tests.support.pdf_levels import seal_at
from tests.support.pdfs import FIRST_PAGE, LOWER_RIGHT, Kind, append, build_pdf, seal
from tests.support.pki import TestPki
from tests.support.pyhanko_levels import peer_signs_at
from tests.support.pyhanko_peer import SharedKey, shared_key
from trust.crypto.suites import SoftwareSigner, Suite
from trust.documents.pdf import DocumentForbidsChanges, Level, validate
from trust.kernel.report import Indication, Report
from trust.pki.profiles import PROFILES, ProfileName

BOX = (60, 60, 180, 160)
LASTING = (Level.B_T, Level.B_LT, Level.B_LTA)


@pytest.fixture(scope="module")
def pki() -> TestPki:
    # pyHanko looks at the certificates with its own clock before it signs.
    return TestPki(now=datetime.now(UTC))


@pytest.fixture(scope="module")
def key_of(pki: TestPki) -> Callable[[Suite], SharedKey]:
    return cache(lambda suite: shared_key(pki, suite))


@pytest.fixture(scope="module")
def key(key_of: Callable[[Suite], SharedKey]) -> SharedKey:
    return key_of(Suite.P256_SHA256)


def judged(document: bytes, pki: TestPki) -> Report:
    return validate(document, trust=pki.trust_store(), at=datetime.now(UTC))


def kinds_of(report: Report) -> list[str]:
    return ["timestamp" if "timestamp" in part.kind else part.subject for part in report.parts]


@pytest.mark.parametrize(
    ("level", "suite"),
    [
        *((Level.B_LTA, suite) for suite in KNOWN_TO_JUDGES),
        *(
            (level, suite)
            for level in Level
            for suite in (Suite.P256_SHA256, Suite.ED25519)
            if level != "B-LTA"
        ),
    ],
)
def test_its_signature_of_every_level_and_suite_is_valid(
    pki: TestPki, key_of: Callable[[Suite], SharedKey], level: Level, suite: Suite
) -> None:
    signed = peer_signs_at(level, build_pdf(), key_of(suite), pki=pki)
    report = judged(signed, pki)
    assert report.indication is Indication.VALID, report.reasons()
    assert kinds_of(report) == ["Signature", "timestamp"][: 2 if level is Level.B_LTA else 1]
    # Told one from another by what was there to be checked, not by what the file claims.
    assert (report.parts[0].facts["signing_time"] is not None) is (level in LASTING)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_its_signature_by_the_older_sub_filter_and_other_digests_is_valid(
    pki: TestPki, key_of: Callable[[Suite], SharedKey], digest: str
) -> None:
    """adbe.pkcs7.detached with a signing time, revocation data within, and RSA by each digest."""
    signed = peer_signs_at(
        Level.B_LT,
        build_pdf(),
        key_of(Suite.RSA2048_SHA256),
        pki=pki,
        subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
        md_algorithm=digest,
    )
    report = judged(signed, pki)
    assert report.parts[0].facts["sub_filter"] == "adbe.pkcs7.detached"
    assert report.indication is Indication.VALID, report.reasons()


def test_its_pss_with_the_longest_salt_is_valid(pki: TestPki, key_of: Callable[[Suite], SharedKey]) -> None:
    key = key_of(Suite.RSA2048_SHA256)
    signer = SimpleSigner(
        signing_cert=key.peer.signing_cert,
        signing_key=key.peer.signing_key,
        cert_registry=key.peer.cert_registry,
        prefer_pss=True,
    )
    signed = peer_signs_at(Level.B_T, build_pdf(), SharedKey(leaf=key.leaf, peer=signer), pki=pki)
    report = judged(signed, pki)
    assert report.indication is Indication.VALID, report.reasons()


@pytest.mark.parametrize("action", FieldMDPAction)
def test_its_lock_of_fields_leaves_room_for_further_signatures(
    pki: TestPki, key: SharedKey, action: FieldMDPAction
) -> None:
    fields = None if action is FieldMDPAction.ALL else ["X"]
    locked = SigFieldSpec(
        "A",
        on_page=0,
        field_mdp_spec=FieldMDPSpec(action, fields=fields),
        doc_mdp_update_value=MDPPerm.FILL_FORMS,
    )
    writer = IncrementalPdfFileWriter(BytesIO(build_pdf()))
    append_signature_field(writer, locked)
    prepared = BytesIO()
    writer.write(prepared)
    document = peer_signs_at(Level.B_LT, prepared.getvalue(), key, pki=pki, field_name="A")
    document = peer_signs_at(Level.B_T, document, key, pki=pki, field_name="B")
    document = seal(document, pki.leaf(), pki=pki)
    report = judged(document, pki)
    assert report.indication is Indication.VALID, report.reasons()
    assert kinds_of(report) == ["A", "B", "Seal1"]


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.STREAM])
@pytest.mark.parametrize("certifies", [None, MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE], ids=str)
def test_it_and_we_sign_in_turns_at_every_level_and_all_stay_valid(
    pki: TestPki, key: SharedKey, kind: Kind, certifies: MDPPerm | None
) -> None:
    document = peer_signs_at(
        Level.B_LTA, build_pdf(kind=kind), key, pki=pki, field_name="A", certifies=certifies, box=BOX
    )
    document = peer_signs_at(Level.B_B, document, key, pki=pki, field_name="B")
    # On a certified document nothing may come to sight where no field was prepared for it.
    where = LOWER_RIGHT if certifies is None else None
    document = seal(document, pki.leaf(), pki=pki, placement=where)
    box = BOX if certifies is None else (0, 0, 0, 0)
    document = peer_signs_at(Level.B_LT, document, key, pki=pki, field_name="C", box=box)
    document = seal_at(Level.B_LTA, document, pki.leaf(suite=Suite.ED25519), pki=pki, placement=where)
    document = peer_signs_at(Level.B_LTA, document, key, pki=pki, field_name="D")
    report = judged(document, pki)
    assert report.indication is Indication.VALID, report.reasons()
    # Ours extends B as well, which had no time: one timestamp for that, one over all the data.
    ours = ["Seal2", "timestamp", "timestamp"]
    assert kinds_of(report) == ["A", "timestamp", "B", "Seal1", "C", *ours, "D", "timestamp"]


@pytest.mark.parametrize("level", LASTING)
def test_its_certification_against_every_change_leaves_its_own_additions_valid_and_refuses_ours(
    pki: TestPki, key: SharedKey, level: Level
) -> None:
    signed = peer_signs_at(level, build_pdf(), key, pki=pki, certifies=MDPPerm.NO_CHANGES, box=BOX)
    assert judged(signed, pki).indication is Indication.VALID
    with pytest.raises(DocumentForbidsChanges):
        seal(signed, pki.leaf(), pki=pki)


def test_a_page_changed_after_its_signatures_makes_them_invalid(pki: TestPki, key: SharedKey) -> None:
    for certifies in (None, MDPPerm.ANNOTATE):
        signed = peer_signs_at(Level.B_LTA, build_pdf(), key, pki=pki, certifies=certifies)
        changed = append(signed, {FIRST_PAGE: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] >>"})
        report = judged(changed, pki)
        assert report.indication is Indication.INVALID
        assert all("later-changes" in part.reasons() for part in report.parts)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample documents under {SAMPLES} (YINXIN_SAMPLES)")
@pytest.mark.parametrize(
    "name", ["notice-beijing-2009.pdf", "pdfsign-testfile17.pdf", "pdfsign-testfile20.pdf"]
)
def test_its_signature_of_a_sample_is_valid(pki: TestPki, key: SharedKey, name: str) -> None:
    signed = peer_signs_at(Level.B_LTA, (SAMPLES / name).read_bytes(), key, pki=pki, box=BOX)
    report = judged(signed, pki)
    assert report.indication is Indication.VALID, report.reasons()


def test_its_own_timestamps_are_left_open_for_they_bind_their_certificate_by_sha_1_alone(
    pki: TestPki, key: SharedKey
) -> None:
    """RFC 2634's signing-certificate, as its authority for tests writes it; everything else about them holds."""
    private = rsa.generate_private_key(65537, 2048)
    certificate = pki.certify(
        pki.issuing,
        PROFILES[ProfileName.TIMESTAMP],
        subject={"C": "CN", "O": "武汉市测试局", "CN": "时间戳"},
        signer=SoftwareSigner(private),
    )
    encoded = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    stamping = DummyTimeStamper(
        x509.Certificate.load(certificate),
        keys.PrivateKeyInfo.load(encoded),
        certs_to_embed=[x509.Certificate.load(pki.issuing.certificate)],
    )
    signed = peer_signs_at(Level.B_LTA, build_pdf(), key, pki=pki, timestamps=stamping)
    report = judged(signed, pki)
    assert report.indication is Indication.CANNOT_TELL
    assert set(report.reasons()) == {"signing-certificate"}
