"""A mapped file is signed as the same octets in memory are, and costs a fraction of its size in memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pdfs import Kind, build_pdf, impression, prepared_for, signed_message, stream
from tests.support.pki import TestPki
from trust.documents.pdf import DocumentNotPdf, Placement, embed, embed_to_file, mapped, prepare, validate

# One part of the promise for a gigabyte (below 200 MB); the whole of it is measured by the benchmark.
_MEGABYTE = 1 << 20
_FILE_MEGABYTES = 96
_ALLOWED_MEGABYTES = 32


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.mark.parametrize("kind", Kind)
def test_a_mapped_file_gives_the_same_octets_as_memory(pki, tmp_path, kind):
    leaf = pki.leaf()
    path, target = tmp_path / "document.pdf", tmp_path / "sealed.pdf"
    path.write_bytes(build_pdf(kind=kind, objects={50: stream(bytes(9 << 20))}))
    in_memory = prepared_for(path.read_bytes(), leaf, pki=pki)
    with mapped(path) as document:
        prepared = prepared_for(document, leaf, pki=pki)
        assert (prepared.digest, prepared.update) == (in_memory.digest, in_memory.update)
        message = signed_message(prepared, leaf, pki=pki)
        embed_to_file(prepared, message, target)
    assert target.read_bytes() == embed(in_memory, message)
    validate(target.read_bytes(), trust=pki.trust_store(), at=pki.now).require_valid()


def test_a_file_that_exists_is_not_written_over(pki, tmp_path):
    leaf, target = pki.leaf(), tmp_path / "sealed.pdf"
    target.write_bytes(b"somebody's")
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    with pytest.raises(FileExistsError):
        embed_to_file(prepared, signed_message(prepared, leaf, pki=pki), target)
    assert target.read_bytes() == b"somebody's"


def test_an_empty_file_is_no_document(tmp_path):
    path = tmp_path / "empty.pdf"
    path.touch()
    with pytest.raises(DocumentNotPdf), mapped(path):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is counted in other units elsewhere")
def test_signing_a_large_file_does_not_hold_it_in_memory(tmp_path: Path):
    source = tmp_path / "large.pdf"
    source.with_suffix(".small").write_bytes(build_pdf())
    source.write_bytes(build_pdf(objects={50: stream(bytes(_FILE_MEGABYTES * _MEGABYTE))}))
    target = tmp_path / "sealed.pdf"
    peaks = [_peak_of_signing(document, target) for document in (source.with_suffix(".small"), source)]
    assert peaks[1] - peaks[0] < _ALLOWED_MEGABYTES


def _peak_of_signing(source: Path, target: Path) -> int:
    """The peak of memory, in megabytes, of a process of its own."""
    command = [sys.executable, "-m", "tests.bench.sign_one_file", str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert target.stat().st_size >= source.stat().st_size
    target.unlink()
    peak = json.loads(done.stdout)["peak_mb"]
    assert isinstance(peak, int)
    return peak


def test_the_placement_of_a_mapped_file_is_looked_at_too(pki, tmp_path):
    path = tmp_path / "document.pdf"
    path.write_bytes(build_pdf(pages=3))
    with mapped(path) as document:
        prepared = prepare(
            document,
            placement=Placement(page=3, x_mm=10, y_mm=10),
            impression=impression(),
            field_name="Third",
            signer_name="x",
            reserved=4000,
            at=pki.now,
        )
    assert prepared.field_name == "Third"
