"""Finding objects in every kind of file, and refusing files that say one thing here and another there."""

import re
import zlib

import pytest

from tests.support.pdfs import CATALOG, CONTENTS, INFO, Kind, append, build_pdf, stream
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import (
    DocumentEncrypted,
    DocumentMalformed,
    DocumentNotPdf,
    DocumentRefused,
    DocumentTooLarge,
    DocumentTruncated,
)
from trust.documents.pdf.limits import MAX_BYTES_AFTER_EOF
from trust.documents.pdf.syntax import Dictionary, Reference


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_file_gives_the_same_objects(kind):
    document = Document(build_pdf(kind=kind))
    assert document.catalog()["Type"] == "Catalog"
    assert document.dictionary(INFO) == {"Producer": b"test"}
    contents = document.indirect(CONTENTS)
    assert contents is not None
    assert contents.stream is not None


@pytest.mark.parametrize("kind", Kind)
def test_an_update_is_read_and_is_of_the_documents_own_kind(kind):
    original = build_pdf(kind=kind)
    updated = append(original, {INFO: b"<< /Producer (second) >>", Reference(90, 0): b"(new)"})
    assert updated.startswith(original)
    document = Document(updated)
    assert document.dictionary(INFO) == {"Producer": b"second"}
    assert document.resolve(Reference(90, 0)) == b"new"
    assert len(document.cross_references.sections) == 2
    assert document.cross_references.newest.is_stream is (kind is Kind.STREAM)


def test_an_object_that_is_not_there_or_has_another_generation_is_null():
    document = Document(build_pdf())
    assert document.resolve(Reference(999, 0)) is None
    assert document.resolve(Reference(CATALOG.number, 1)) is None


def test_an_update_begins_on_a_line_of_its_own_where_the_file_does_not_end_with_one():
    original = build_pdf(trailing=b"")
    updated = append(original, {INFO: b"<<>>"})
    assert updated[len(original) :].startswith(b"\n6 0 obj")
    assert Document(updated).dictionary(INFO) == {}


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (b"", DocumentNotPdf),
        (b"PK\3\4 an archive", DocumentNotPdf),
        (b"\xff\xd8\xff\xe0" * 1000, DocumentNotPdf),
        (b"%PDF-1.7\n", DocumentTruncated),
        (b"\n" + build_pdf(), DocumentMalformed),
        (build_pdf()[:-200], DocumentTruncated),
        (build_pdf() + b"\0" * (MAX_BYTES_AFTER_EOF + 1), DocumentTruncated),
        (build_pdf().replace(b"startxref\n", b"startxref\n9"), DocumentTruncated),
        (build_pdf().replace(b"startxref\n", b"startxref\n-"), DocumentMalformed),
        (build_pdf().replace(b"xref\n0", b"xreX\n0"), DocumentMalformed),
        (build_pdf().replace(b"4 0 obj", b"7 0 obj"), DocumentMalformed),
        (build_pdf().replace(b"/Root 1 0 R", b"/Root 9 0 R"), DocumentMalformed),
        (build_pdf().replace(b"/Root 1 0 R", b"/Root (bad)"), DocumentMalformed),
        (build_pdf().replace(b"/Info 6 0 R", b"/Encrypt 6 0 R"), DocumentEncrypted),
        (build_pdf(kind=Kind.STREAM).replace(b"/Columns 5", b"/Columns 0"), DocumentMalformed),
        (build_pdf(kind=Kind.STREAM).replace(b"/W [1 3 1]", b"/W [0 0 0]"), DocumentMalformed),
        (build_pdf(kind=Kind.STREAM).replace(b"/W [1 3 1]", b"/W [1 9 1]"), DocumentMalformed),
    ],
)
def test_a_file_that_is_wrong_is_refused_for_its_own_reason(octets, error):
    def read() -> None:
        document = Document(octets)
        document.catalog()
        document.indirect(CONTENTS)

    with pytest.raises(DocumentRefused) as refused:
        read()
    assert type(refused.value) is error


def test_revisions_that_run_in_a_circle_are_refused():
    document = build_pdf()
    start = int(re.findall(rb"startxref\n(\d+)", document)[-1])
    with pytest.raises(DocumentMalformed, match="circle"):
        Document(document.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % start))


def test_a_reference_that_leads_to_itself_is_refused():
    document = Document(build_pdf(objects={8: b"9 0 R", 9: b"8 0 R"}))
    with pytest.raises(DocumentMalformed, match="reference leads on"):
        document.resolve(Reference(8, 0))


def test_a_stream_that_promises_endless_objects_costs_nothing():
    head = b"%PDF-1.7\n"
    entries = b"/Type /XRef /W [1 1 1] /Index [0 999999999] /Size 5 /Root 1 0 R"
    bomb = head + b"1 0 obj\n" + stream(b"", entries) + b"\nendobj\nstartxref\n9\n%%EOF"
    with pytest.raises(DocumentTooLarge):
        Document(bomb)


def test_a_stream_that_decompresses_without_end_is_stopped():
    zeros = zlib.compress(bytes(80 << 20), 9)
    entries = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode"
    document = Document(build_pdf(kind=Kind.STREAM, objects={8: stream(zeros, entries)}))
    with pytest.raises(DocumentTooLarge):
        document.stream(Reference(8, 0))


def test_png_predictors_are_undone():
    # Rows of four octets in each filter type, against values worked out by hand.
    rows = b"\0\1\2\3\4" + b"\1\1\1\1\1" + b"\2\1\1\1\1" + b"\3\1\1\1\1" + b"\4\1\1\1\1"
    entries = b"/Filter [/FlateDecode] /DecodeParms [<< /Predictor 15 /Columns 4 >>]"
    document = Document(build_pdf(objects={8: stream(zlib.compress(rows), entries)}))
    assert document.stream(Reference(8, 0)) == bytes(
        [1, 2, 3, 4, 1, 2, 3, 4, 2, 3, 4, 5, 2, 3, 4, 5, 3, 4, 5, 6]
    )


def test_a_dictionary_is_not_taken_for_an_object_of_another_number_in_an_object_stream():
    document = build_pdf(kind=Kind.STREAM)
    packed = re.search(rb"/N (\d) /First", document)
    assert packed is not None
    with pytest.raises(DocumentMalformed, match="fewer objects"):
        Document(document.replace(packed[0], packed[0].replace(packed[1], b"9"))).catalog()


def test_a_hidden_object_of_a_hybrid_file_is_seen_and_one_that_was_freed_later_is_not():
    document = Document(build_pdf(kind=Kind.HYBRID))
    assert isinstance(document.resolve(CATALOG), Dictionary)
    freed = build_pdf()
    start = int(re.findall(rb"startxref\n(\d+)", freed)[-1])
    tail = b"xref\n6 1\n0000000000 00001 f\r\ntrailer\n<< /Size 7 /Root 1 0 R /Prev %d >>\n" % start
    document = Document(freed + tail + b"startxref\n%d\n%%%%EOF\n" % len(freed))
    assert document.resolve(INFO) is None
