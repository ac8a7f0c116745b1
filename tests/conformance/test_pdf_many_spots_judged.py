"""Seals shown at many spots, with texts and drawings, as strangers judge and read them: poppler and pyHanko."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.pdfs import LOWER_RIGHT, TOKEN_ROOM, Kind, build_pdf, seal, signed_message
from tests.support.pki import TestPki
from tests.support.placing import DRAWN, prepare_at
from tests.support.pyhanko_peer import peer_judges, peer_signs, shared_key
from trust.crypto.cms import max_signed_data_size
from trust.documents.pdf import (
    Caption,
    CrossPagePlacement,
    PlacementOnAllPages,
    PlacementOnPages,
    embed,
    validate,
)
from trust.kernel.report import Indication

SPOTS = {
    "across": CrossPagePlacement(y_mm=100),
    "all": PlacementOnAllPages(x_mm=20, y_mm=30),
    "some": PlacementOnPages(pages=(1, 3), x_mm=5, y_mm=5),
}
WIDGETS = {"across": 3, "all": 3, "some": 2}
needs_pdfsig = pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler's pdfsig is not installed")
needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")


@pytest.fixture(scope="module")
def pki():
    return TestPki()


def ran(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def sealed_with_text(pki: TestPki, document: bytes) -> bytes:
    leaf = pki.leaf()
    prepared = prepare_at(
        document,
        LOWER_RIGHT,
        at=pki.now,
        impression=DRAWN,
        caption=Caption(lines=("武汉市测试局", "2026年11月26日 16:30")),
        reserved=max_signed_data_size(leaf.identity, TOKEN_ROOM),
    )
    return embed(prepared, signed_message(prepared, leaf, pki=pki))


@needs_pdfsig
@pytest.mark.stranger
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("spots", SPOTS)
def test_pdfsig_calls_a_seal_at_many_spots_valid_at_each_and_those_around_it(
    pki, tmp_path: Path, kind, spots
):
    document = seal(build_pdf(kind=kind, pages=3), pki.leaf(), pki=pki)
    document = seal(document, pki.leaf(), pki=pki, placement=SPOTS[spots])
    document = seal(document, pki.leaf(), pki=pki)
    path = tmp_path / "document.pdf"
    path.write_bytes(document)
    said = ran("pdfsig", "-nocert", str(path))
    assert said.count("Signature Validation: Signature is Valid.") == 2 + WIDGETS[spots]
    assert "not signed" not in said.replace("Not total document signed", "")
    assert len(re.findall(r"\bTotal document signed", said)) == 1


@pytest.mark.parametrize("kind", [Kind.TABLE, Kind.STREAM])
@pytest.mark.parametrize("spots", SPOTS)
def test_pyhanko_finds_a_seal_at_many_spots_intact_and_harmless_to_an_earlier_one(pki, kind, spots):
    document = seal(build_pdf(kind=kind, pages=3), pki.leaf(), pki=pki)
    statuses = peer_judges(seal(document, pki.leaf(), pki=pki, placement=SPOTS[spots]), pki)
    assert [(each.intact, each.valid, each.docmdp_ok) for each in statuses] == [(True, True, True)] * 2
    assert statuses[0].modification_level.name == "FORM_FILLING"
    assert statuses[1].coverage.name == "ENTIRE_FILE"


@pytest.mark.parametrize("spots", SPOTS)
def test_a_signature_that_pyhanko_adds_leaves_a_seal_at_many_spots_valid(pki, spots):
    sealed = seal(build_pdf(pages=3), pki.leaf(), pki=pki, placement=SPOTS[spots])
    signed = peer_signs(sealed, shared_key(pki).peer, field_name="Other")
    report = validate(signed, trust=pki.trust_store(), at=pki.now)
    assert report.indication is Indication.VALID, report.reasons()


def test_pyhanko_finds_a_seal_with_a_drawing_and_a_text_intact(pki):
    document = sealed_with_text(pki, seal(build_pdf(), pki.leaf(), pki=pki))
    for status in peer_judges(document, pki):
        assert (status.intact, status.valid, status.docmdp_ok) == (True, True, True)


@needs_pdftotext
@pytest.mark.stranger
def test_pdftotext_reads_the_text_below_an_impression(pki, tmp_path: Path):
    path = tmp_path / "document.pdf"
    path.write_bytes(sealed_with_text(pki, build_pdf()))
    said = ran("pdftotext", "-layout", str(path), "-")
    assert "武汉市测试局" in said
    assert "2026年11月26日 16:30" in said
    fonts = ran("pdffonts", str(path)).splitlines()
    # Name, type, encoding, and: embedded, a subset, with a way back to text.
    (ours,) = (line for line in fonts if "NotoSansCJKsc" in line)
    assert re.search(r"CID Type 0C\s+Identity-H\s+yes yes yes", ours)
