"""qpdf checks the structure of what we append: no warning in any kind of file, and linearised ones stay readable."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.level_cases import SAMPLES
from tests.support.pdf_levels import seal_at
from tests.support.pdfs import Kind, build_pdf, seal
from tests.support.pki import TestPki
from tests.support.rendering import difference, render
from trust.documents.pdf import Level, validate
from trust.kernel.report import Indication

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(shutil.which("qpdf") is None, reason="the qpdf command is not installed"),
]

CLEAN = "No syntax or stream encoding errors found"
CHOSEN = [
    name
    for name in (
        "notice-beijing-2009.pdf",
        "pdfsign-testfile14.pdf",
        "pdfsign-testfile17.pdf",
        "pdfsign-testfile20.pdf",
    )
    if (SAMPLES / name).exists()
]


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki()


class Qpdf:
    """The command in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, document: bytes, *arguments: str) -> "subprocess.CompletedProcess[str]":
        (self._folder / "document.pdf").write_bytes(document)
        return subprocess.run(
            ["qpdf", *arguments], cwd=self._folder, capture_output=True, text=True, timeout=60, check=False
        )

    def finds_nothing(self, document: bytes) -> bool:
        ran = self(document, "--check", "document.pdf")
        return ran.returncode == 0 and CLEAN in ran.stdout and "WARNING" not in ran.stderr

    def linearised(self, document: bytes) -> bytes:
        # Warnings about the input (3) are no failure.
        ran = self(document, "--linearize", "document.pdf", "linearised.pdf")
        assert ran.returncode in (0, 3), ran.stderr
        return (self._folder / "linearised.pdf").read_bytes()


@pytest.fixture
def qpdf(tmp_path: Path) -> Qpdf:
    return Qpdf(tmp_path)


def plain(name: str) -> bytes:
    return build_pdf(kind=Kind(name)) if name in set(Kind) else (SAMPLES / name).read_bytes()


@pytest.mark.parametrize("name", [*Kind, *CHOSEN])
def test_qpdf_finds_nothing_wrong_with_two_seals_and_all_that_makes_them_last(
    pki: TestPki, qpdf: Qpdf, name: str
) -> None:
    document = seal_at(Level.B_LTA, seal(plain(name), pki.leaf(), pki=pki), pki.leaf(), pki=pki)
    assert qpdf.finds_nothing(document)
    # It would have found this.
    at = document.rindex(b"startxref\n") + len(b"startxref\n")
    assert not qpdf.finds_nothing(document[:at] + b"0" + document[at + 1 :])


@pytest.mark.parametrize("name", [*Kind, *CHOSEN])
def test_a_linearised_document_is_sealed_and_stays_readable(pki: TestPki, qpdf: Qpdf, name: str) -> None:
    linearised = qpdf.linearised(plain(name))
    assert re.match(rb"%PDF-\d\.\d.{0,80}/Linearized 1", linearised, re.DOTALL)
    sealed = seal(linearised, pki.leaf(), pki=pki, placement=None)
    assert qpdf.finds_nothing(sealed)
    assert validate(sealed, trust=pki.trust_store(), at=pki.now).indication is Indication.VALID
    pages = zip(render(linearised), render(sealed), strict=True)
    assert [difference(before, after) for before, after in pages] == [None] * len(render(linearised))


@pytest.mark.parametrize("name", [*Kind, *CHOSEN])
def test_a_linearised_document_stays_valid_when_more_is_appended(pki: TestPki, qpdf: Qpdf, name: str) -> None:
    """Its two cross-reference sections are one revision: the earlier one alone names no catalog (Annex F.3.4)."""
    document = seal_at(Level.B_LTA, qpdf.linearised(plain(name)), pki.leaf(), pki=pki)
    document = seal(document, pki.leaf(), pki=pki, placement=None)
    assert qpdf.finds_nothing(document)
    report = validate(document, trust=pki.trust_store(), at=pki.now)
    assert report.indication is Indication.VALID, report.reasons()
