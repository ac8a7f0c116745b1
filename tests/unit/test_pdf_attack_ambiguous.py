"""Documents that say two things before anybody signs: what two readers show differently is neither sealed nor valid.

No later revision is needed here, the forger only lets the office seal one of two documents in one file.
"""

import pytest

from tests.support.attacks.victim import EVIL, at
from tests.support.pdfs import Kind, build_pdf, seal, stream
from tests.support.pki import TestPki
from trust.documents.pdf import validate
from trust.documents.pdf.errors import DocumentRefused
from trust.kernel.report import Indication

_SECOND = {
    60: b"<< /Type /Catalog /Pages 61 0 R >>",
    61: b"<< /Type /Pages /Count 1 /Kids [62 0 R] >>",
    62: b"<< /Type /Page /Parent 61 0 R /MediaBox [0 0 595 842] /Contents 63 0 R"
    b" /Resources << /Font << /F1 5 0 R >> >> >>",
    63: EVIL,
}


def _two_catalogs() -> bytes:
    """/Root stands twice in the trailer."""
    return build_pdf(objects=_SECOND).replace(b"/Root 1 0 R", b"/Root 1 0 R /Root 60 0 R")


def _two_catalogs_in_a_stream() -> bytes:
    """/Root stands twice in the dictionary of the cross-reference stream."""
    return build_pdf(kind=Kind.STREAM, objects=_SECOND).replace(
        b"/Root 1 0 R /Info 6 0 R", b"/Root 1 0 R /Root 60 0 R /Info 6 0 R"
    )


def _two_page_trees() -> bytes:
    """/Pages stands twice in the catalog; pdfium and poppler take the last."""
    return build_pdf(objects=_SECOND, catalog_entries=b"/Pages 61 0 R")


def _two_contents_of_the_page() -> bytes:
    """/Contents stands twice in the page; pdfium and poppler take the last."""
    return build_pdf(objects=_SECOND, page_entries=b"/MediaBox [0 0 595 842] /Contents 63 0 R")


def _two_places_of_the_contents() -> bytes:
    """The table lists the contents twice."""
    document = build_pdf(objects=_SECOND)
    twin = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    start = document.rindex(b"xref\n0")
    table = document[start : document.rindex(b"startxref")].replace(b"xref\n", b"xref\n" + at(4, start), 1)
    return document[:start] + twin + table + b"startxref\n%d\n%%%%EOF\n" % (start + len(twin))


def _two_places_in_a_hybrid() -> bytes:
    """The table says one place for the contents, the hidden stream another."""
    document = build_pdf(objects=_SECOND)
    start = document.rindex(b"xref\n0")
    twin = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    rows = b"\1" + start.to_bytes(4, "big") + b"\0"
    hidden = b"70 0 obj\n%b\nendobj\n" % stream(rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 71")
    table = document[start : document.rindex(b"startxref")]
    table = table.replace(b"/Root 1 0 R", b"/Root 1 0 R /XRefStm %d" % (start + len(twin)))
    end = b"startxref\n%d\n%%%%EOF\n" % (start + len(twin) + len(hidden))
    return document[:start] + twin + hidden + table + end


@pytest.mark.parametrize(
    "ambiguous",
    [
        _two_catalogs,
        _two_catalogs_in_a_stream,
        _two_page_trees,
        _two_contents_of_the_page,
        _two_places_of_the_contents,
        _two_places_in_a_hybrid,
    ],
    ids=lambda make: make.__name__.strip("_"),
)
def test_a_document_of_two_meanings_is_not_sealed_or_at_least_not_valid(ambiguous):
    pki = TestPki()
    try:
        sealed = seal(ambiguous(), pki.leaf(), pki=pki)
    except DocumentRefused:
        return
    report = validate(sealed, trust=pki.trust_store(), at=pki.now)
    assert report.indication is not Indication.VALID, ambiguous.__doc__
