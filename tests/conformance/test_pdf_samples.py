"""Real documents sealed by us, judged by strangers: poppler's pdfsig, pyHanko, and the eye (pypdfium2)."""

import os
import re
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from tests.support.pdfs import Kind, build_pdf, impression, prepared_for, seal, stream
from tests.support.pki import TestPki
from tests.support.pyhanko_peer import peer_judges, peer_signs, shared_key
from tests.support.rendering import box_in_pixels, difference, render
from trust.documents.pdf import DocumentForbidsChanges, Placement, embed, prepare, validate
from trust.kernel.report import Indication

SAMPLES = Path(os.environ.get("YINXIN_SAMPLES", "../shared/samples"))
# Its own signature locks the whole document (FieldMDP All with P 1; pyHanko reads NO_CHANGES there too).
FORBIDS_CHANGES = "pdfsign-testfile30.pdf"
PLACEMENT = Placement(page=1, x_mm=110, y_mm=20, width_mm=42, height_mm=42)


def samples() -> list[str]:
    return sorted(path.name for path in SAMPLES.glob("*.pdf"))


needs_samples = pytest.mark.skipif(
    not samples(), reason=f"no sample documents under {SAMPLES} (YINXIN_SAMPLES)"
)
needs_pdfsig = pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler's pdfsig is not installed")


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def trust(pki):
    return pki.trust_store()


@pytest.fixture(scope="module")
def sealed_sample(pki):
    """Each sample sealed once, for all tests."""
    leaf = pki.leaf()
    made: dict[str, bytes] = {}

    def sealed(name: str) -> bytes:
        if name not in made:
            made[name] = seal((SAMPLES / name).read_bytes(), leaf, pki=pki, placement=PLACEMENT)
        return made[name]

    return sealed


sealable = [name for name in samples() if name != FORBIDS_CHANGES]


@needs_samples
@pytest.mark.parametrize("name", sealable)
def test_a_sample_is_sealed_and_verifies(sealed_sample, trust, pki, name):
    report = validate(sealed_sample(name), trust=trust, at=pki.now)
    assert report.indication is Indication.VALID, report.reasons()


@needs_samples
@pytest.mark.parametrize("name", sealable)
def test_a_sample_renders_as_before_outside_the_impression_and_differs_inside(sealed_sample, name):
    before, after = render((SAMPLES / name).read_bytes()), render(sealed_sample(name))
    assert [difference(*pages) for pages in zip(before[1:], after[1:], strict=True)] == [None] * (
        len(before) - 1
    )
    box = box_in_pixels(before[0], x_mm=110, y_mm=20, width_mm=42, height_mm=42)
    found = difference(before[0], after[0])
    assert found is not None, "the impression is not to be seen"
    assert box[0] <= found[0] < found[2] <= box[2]
    assert box[1] <= found[1] < found[3] <= box[3]


@needs_samples
def test_a_sample_whose_signature_locks_it_is_refused_with_that_reason(pki):
    document = (SAMPLES / FORBIDS_CHANGES).read_bytes()
    with pytest.raises(DocumentForbidsChanges):
        prepare(
            document,
            placement=PLACEMENT,
            impression=impression(),
            field_name=None,
            signer_name="x",
            reserved=3000,
            at=pki.now,
        )


@needs_samples
def test_a_strangers_old_signature_is_reported_with_what_speaks_against_it(trust, pki):
    report = validate((SAMPLES / FORBIDS_CHANGES).read_bytes(), trust=trust, at=pki.now)
    (signature,) = report.parts
    assert signature.facts["sub_filter"] == "adbe.pkcs7.detached"
    assert "structure" not in signature.reasons()
    assert report.indication is not Indication.VALID


def pdfsig(document: bytes, folder: Path) -> str:
    path = folder / "document.pdf"
    path.write_bytes(document)
    ran = subprocess.run(
        ["pdfsig", "-nocert", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    return ran.stdout


@needs_samples
@needs_pdfsig
@pytest.mark.stranger
@pytest.mark.parametrize("name", sealable)
def test_pdfsig_calls_a_sealed_sample_valid(sealed_sample, tmp_path, name):
    said = pdfsig(sealed_sample(name), tmp_path)
    assert said.count("Signature Validation: Signature is Valid.") == 1
    assert "Total document signed" in said
    assert "Signature Type: ETSI.CAdES.detached" in said


@needs_pdfsig
@pytest.mark.stranger
@pytest.mark.parametrize("kind", Kind)
def test_pdfsig_calls_every_one_of_three_seals_valid(pki, tmp_path, kind):
    document = build_pdf(kind=kind)
    for _ in range(3):
        document = seal(document, pki.leaf(), pki=pki)
    said = pdfsig(document, tmp_path)
    assert said.count("Signature Validation: Signature is Valid.") == 3
    assert len(re.findall(r"\bTotal document signed", said)) == 1


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.STREAM])
def test_pyhanko_finds_two_seals_intact_and_the_second_harmless_to_the_first(pki, kind):
    document = seal(seal(build_pdf(kind=kind), pki.leaf(), pki=pki), pki.leaf(), pki=pki)
    first, second = peer_judges(document, pki)
    for status in (first, second):
        assert status.intact
        assert status.valid
        assert status.docmdp_ok
    assert second.coverage.name == "ENTIRE_FILE"
    assert first.modification_level.name == "FORM_FILLING"


@needs_samples
@pytest.mark.parametrize("name", ["notice-beijing-2009.pdf", "pdfsign-testfile17.pdf"])
def test_pyhanko_reads_a_sealed_sample_strictly(sealed_sample, pki, name):
    (status,) = peer_judges(sealed_sample(name), pki)
    assert status.intact
    assert status.valid
    assert status.coverage.name == "ENTIRE_FILE"


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.STREAM])
def test_a_signature_that_pyhanko_adds_leaves_ours_valid(pki, trust, kind):
    sealed = seal(build_pdf(kind=kind), pki.leaf(), pki=pki)
    signed = peer_signs(sealed, shared_key(pki).peer, field_name="Other")
    report = validate(signed, trust=trust, at=pki.now)
    ours, theirs = report.parts
    assert ours.indication is Indication.VALID, ours.reasons()
    assert theirs.subject == "Other"
    assert theirs.indication is Indication.VALID, theirs.reasons()


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.STREAM])
def test_our_seal_leaves_a_signature_that_pyhanko_made_valid(pki, trust, kind):
    signed = peer_signs(build_pdf(kind=kind), shared_key(pki).peer)
    sealed = seal(signed, pki.leaf(), pki=pki)
    assert validate(sealed, trust=trust, at=pki.now).indication is Indication.VALID
    assert [status.docmdp_ok for status in peer_judges(sealed, pki)] == [True, True]


def test_a_document_of_many_megabytes_is_sealed_within_moments_and_a_copy_or_two(pki, trust):
    size = 40 << 20
    document = build_pdf(objects={8: stream(os.urandom(1 << 20) * 40)})
    assert len(document) > size
    leaf = pki.leaf()
    tracemalloc.start()
    prepared = prepared_for(document, leaf, pki=pki)
    sealed = embed(prepared, leaf.sign_detached(b""))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sealed) > size
    assert peak < 2.5 * size
