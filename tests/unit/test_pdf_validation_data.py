"""Validation data is appended once, wherever the document keeps it, and leaves its signatures valid."""

import pytest

from tests.support.pdfs import CATALOG, Kind, append, build_pdf, seal, stream
from tests.support.pki import TestPki
from trust.documents.pdf import (
    DocumentMalformed,
    DocumentTooLarge,
    ValidationData,
    add_validation_data,
    validate,
)
from trust.documents.pdf import validation_data as module
from trust.documents.pdf.document import Document
from trust.documents.pdf.syntax import Reference


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def data(pki):
    return ValidationData(
        certificates=(pki.root.certificate, pki.issuing.certificate), crls=(pki.crl(), pki.crl(pki.root))
    )


def held(document: bytes) -> ValidationData:
    """What the store holds, read by its references."""
    source = Document(document)
    store = source.dictionary(source.catalog().get("DSS"))
    items = {
        key: tuple(source.stream(each) for each in source.array(store.get(key)) or [])
        for key in ("Certs", "CRLs", "OCSPs")
    }
    return ValidationData(certificates=items["Certs"], crls=items["CRLs"], ocsps=items["OCSPs"])


@pytest.mark.parametrize("kind", Kind)
def test_it_is_held_after_it_was_added_and_the_signature_stays_valid(pki, data, kind):
    sealed = seal(build_pdf(kind=kind), pki.leaf(), pki=pki)
    update = add_validation_data(sealed, data)
    assert held(sealed + update) == data
    assert b"/ESIC << /BaseVersion /1.7 /ExtensionLevel 1 >>" in update
    validate(sealed + update, trust=pki.trust_store(), at=pki.now).require_valid()


def test_what_is_there_is_not_written_again_and_the_rest_is_added(pki, data):
    sealed = seal(build_pdf(), pki.leaf(), pki=pki)
    first = ValidationData(certificates=data.certificates[:1], crls=data.crls[:1])
    document = sealed + add_validation_data(sealed, first)
    document += add_validation_data(document, data)
    assert held(document) == data
    assert add_validation_data(document, data) == b""
    assert document.count(b"/ESIC") == 1
    validate(document, trust=pki.trust_store(), at=pki.now).require_valid()


def test_nothing_to_add_is_nothing_added():
    assert add_validation_data(build_pdf(), ValidationData()) == b""


@pytest.mark.parametrize(
    "entry",
    [b"/DSS << /Certs [40 0 R] >>", b"/DSS << /Certs 41 0 R >>", b"/DSS 42 0 R"],
    ids=["direct", "list", "own"],
)
def test_a_store_of_another_writer_is_extended_where_it_stands(data, entry):
    objects = {
        40: stream(b"another's certificate"),
        41: b"[40 0 R]",
        42: b"<< /Certs [40 0 R] /Another (entry) >>",
    }
    document = build_pdf(catalog_entries=entry, objects=objects)
    update = add_validation_data(document, data)
    assert held(document + update) == ValidationData(
        certificates=(b"another's certificate", *data.certificates), crls=data.crls
    )
    if entry == b"/DSS 42 0 R":
        assert b"/Another (entry)" in update


def test_extensions_that_are_declared_already_stay_as_they_are(data):
    for entry, count in (
        (b"/Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>", 1),
        (b"/Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 5 >> >>", 0),
    ):
        document = build_pdf(catalog_entries=entry)
        update = add_validation_data(document, data)
        assert update.count(b"/ESIC << /BaseVersion /1.7 /ExtensionLevel 1 >>") == count
        assert (b"/ADBE" in update) is (b"/ADBE" in entry) or count == 0
    assert b"/ESIC" not in add_validation_data(b"%PDF-2.0" + build_pdf()[8:], data)


def test_a_store_that_is_none_is_refused(data):
    with pytest.raises(DocumentMalformed):
        add_validation_data(build_pdf(catalog_entries=b"/DSS << /Certs [(text)] >>"), data)
    catalog = Reference(CATALOG.number, 0)
    with pytest.raises(DocumentMalformed):
        add_validation_data(
            append(build_pdf(), {catalog: b"<< /DSS << /Certs [99 0 R] >> /Pages 2 0 R >>"}), data
        )


def test_more_than_a_document_should_hold_is_refused(data, monkeypatch):
    monkeypatch.setattr(module, "MAX_VALIDATION_DATA_ITEMS", 1)
    with pytest.raises(DocumentTooLarge):
        add_validation_data(build_pdf(), data)
    monkeypatch.setattr(module, "MAX_VALIDATION_DATA_ITEMS", 10)
    monkeypatch.setattr(module, "MAX_VALIDATION_DATA_BYTES", 100)
    with pytest.raises(DocumentTooLarge):
        add_validation_data(build_pdf(), data)
