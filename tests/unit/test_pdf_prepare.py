"""Preparing and embedding: only ever appended, nothing rewritten, everything refused before a key is touched."""

import hashlib
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from tests.support.pdfs import (
    FIRST_PAGE,
    INFO,
    LOWER_RIGHT,
    Kind,
    append,
    build_pdf,
    impression,
    prepared_for,
    seal,
    stream,
)
from tests.support.pki import TestPki
from tests.support.rendering import render
from trust.documents.pdf import (
    MAX_DOCUMENT_BYTES,
    ContentsTooSmall,
    DocumentEncrypted,
    DocumentFieldTaken,
    DocumentForbidsChanges,
    DocumentMalformed,
    DocumentNotPdf,
    DocumentNotSigned,
    DocumentTooLarge,
    DocumentTruncated,
    Impression,
    embed,
    prepare,
    read_back,
)
from trust.documents.pdf.archival import picture_rules
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentDynamicForm, DocumentFieldName
from trust.documents.pdf.fields import fields_of, form_of
from trust.documents.pdf.syntax import Dictionary, Reference
from trust.kernel.errors import InvalidInput, YinxinError

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


def prepare_plainly(document, **changes):
    arguments = {
        "placement": LOWER_RIGHT,
        "impression": impression(),
        "field_name": None,
        "signer_name": "武汉市测试局",
        "reserved": 3000,
        "at": AT,
    }
    return prepare(document, **(arguments | changes))


@pytest.mark.parametrize("kind", Kind)
def test_the_document_is_only_appended_to_and_the_digest_covers_all_but_the_contents(kind):
    original = build_pdf(kind=kind)
    prepared = prepare_plainly(original)
    assert prepared.data.startswith(original)
    first, length, second, rest = prepared.byte_range
    assert first == 0
    assert second + rest == len(prepared.data)
    assert prepared.data[length:second] == b"<" + b"0" * 6000 + b">"
    covered = prepared.data[:length] + prepared.data[second:]
    assert prepared.digest == hashlib.sha256(covered).digest()
    assert b"/ByteRange [%d %d %d %d" % prepared.byte_range in prepared.data
    assert b"/SubFilter /ETSI.CAdES.detached" in prepared.data
    assert b"/M (D:20261122080000Z)" in prepared.data


def test_the_same_input_gives_the_same_octets():
    assert prepare_plainly(build_pdf()).data == prepare_plainly(build_pdf()).data


def test_the_contents_are_lower_case_hexadecimal_padded_with_zeros():
    prepared = prepare_plainly(build_pdf(), reserved=8)
    sealed = embed(prepared, bytes.fromhex("30abcdef"))
    _, length, second, _ = prepared.byte_range
    assert sealed[length:second] == b"<30abcdef00000000>"
    assert sealed[:length] + sealed[second:] == prepared.data[:length] + prepared.data[second:]


def test_a_message_that_fits_exactly_is_taken_and_one_octet_more_is_not():
    prepared = prepare_plainly(build_pdf(), reserved=8)
    embed(prepared, bytes(8))
    with pytest.raises(ContentsTooSmall) as refused:
        embed(prepared, bytes(9))
    assert refused.value.code == "contents-too-small"


def test_an_output_can_be_told_to_be_the_prepared_one(pki, leaf):
    prepared = prepared_for(build_pdf(), leaf, pki=pki)
    message = leaf.sign_detached(b"")
    found = read_back(embed(prepared, message))
    assert (found.field_name, found.byte_range) == (prepared.field_name, prepared.byte_range)
    assert found.digest == prepared.digest
    assert found.contents.rstrip(b"\0") == message.rstrip(b"\0")


def test_a_document_that_does_not_end_with_a_signature_has_nothing_to_read_back(pki, leaf):
    sealed = seal(build_pdf(), leaf, pki=pki)
    for document in (build_pdf(), sealed + b"\n", append(sealed, {INFO: b"<<>>"})):
        with pytest.raises(DocumentNotSigned):
            read_back(document)


def test_an_invisible_signature_has_an_empty_box_and_draws_nothing():
    prepared = prepare_plainly(build_pdf(), placement=None, impression=None)
    assert b"/Rect [0 0 0 0]" in prepared.data
    assert b"/AP" not in prepared.data


def test_fields_are_named_in_order_and_around_names_that_are_taken(pki, leaf):
    first = seal(build_pdf(), leaf, pki=pki)
    second = seal(first, leaf, pki=pki, field_name="Seal3")
    third = seal(second, leaf, pki=pki)
    fourth = seal(third, leaf, pki=pki)
    names = [field.name for field in fields_of(Document(fourth))]
    assert names == ["Seal1", "Seal3", "Seal2", "Seal4"]


def test_a_name_that_is_taken_is_refused_also_by_a_field_that_is_no_signature():
    form = b"/AcroForm << /Fields [8 0 R] >>"
    parent = b"<< /T (office) /Kids [9 0 R] >>"
    child = b"<< /T <FEFF5370> /FT /Tx /Parent 8 0 R >>"
    document = build_pdf(catalog_entries=form, objects={8: parent, 9: child})
    assert [field.name for field in fields_of(Document(document))] == ["office", "office.印"]
    with pytest.raises(DocumentFieldTaken) as refused:
        prepare_plainly(document, field_name="office")
    assert refused.value.code == "document-field-taken"
    assert prepare_plainly(document, field_name="印").field_name == "印"


@pytest.mark.parametrize("name", ["a.b", "", "x" * 101, "a\nb", "\ud800"])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(InvalidInput) as refused:
        prepare_plainly(build_pdf(), field_name=name)
    assert isinstance(refused.value, DocumentFieldName) or refused.value.code == "invalid-input"


FORMS = {
    "none": (b"", {}),
    "null": (b"/AcroForm null", {}),
    "direct": (b"/AcroForm << /DA (/Helv 0 Tf) /Fields [9 0 R] >>", {}),
    "direct without fields": (b"/AcroForm << /DA (/Helv 0 Tf) >>", {}),
    "direct with a list of its own": (b"/AcroForm << /Fields 10 0 R >>", {10: b"[ 9 0 R ]"}),
    "indirect": (
        b"/AcroForm 8 0 R",
        {8: b"<< /Fields [9 0 R] /SigFlags 1 /DR << /Font << /#CB#CE 5 0 R >> >> >>"},
    ),
    "indirect with a list of its own": (b"/AcroForm 8 0 R", {8: b"<</Fields 10 0 R>>", 10: b"[9 0 R]"}),
    "dangling": (b"/AcroForm 88 0 R", {}),
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("form", FORMS)
def test_every_shape_of_form_keeps_what_it_had_and_gains_the_field(kind, form):
    entries, objects = FORMS[form]
    text_field = b"<< /T (old) /FT /Tx /V (kept) >>"
    document = build_pdf(kind=kind, catalog_entries=entries, objects={9: text_field, **objects})
    before = form_of(Document(document)) or Dictionary()
    prepared = prepare_plainly(document)
    after = Document(prepared.data)
    now = form_of(after)
    assert now is not None
    assert now["SigFlags"] == 3
    kept = {key: value for key, value in before.items() if key not in ("Fields", "SigFlags")}
    assert kept.items() <= now.items()
    names = [field.name for field in fields_of(after)]
    assert names == [field.name for field in fields_of(Document(document))] + ["Seal1"]


ANNOTATIONS = {
    "none": (b"", {}),
    "null": (b"/Annots null", {}),
    "direct": (b"/Annots[9 0 R%comment ]\n]", {}),
    "indirect": (b"/Annots 8 0 R", {8: b"\n[ 9 0 R\n]"}),
    "empty": (b"/Annots []", {}),
    "dangling": (b"/Annots 88 0 R", {}),
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("annotations", ANNOTATIONS)
def test_every_shape_of_annotations_keeps_what_it_had_and_gains_the_widget(kind, annotations):
    entries, objects = ANNOTATIONS[annotations]
    link = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>"
    page = b"/MediaBox [0 0 595 842] " + entries
    document = build_pdf(kind=kind, page_entries=page, objects={9: link, **objects})
    prepared = prepare_plainly(document)
    after = Document(prepared.data)
    now = after.dictionary(FIRST_PAGE)
    assert now is not None
    listed = after.array(now["Annots"])
    assert listed is not None
    assert listed[:-1] == ([Reference(9, 0)] if annotations in ("direct", "indirect") else [])
    widget = after.dictionary(listed[-1])
    assert widget is not None
    assert widget["P"] == FIRST_PAGE


def test_names_in_other_encodings_and_odd_numbers_of_a_page_stay_octet_for_octet():
    odd = b"/MediaBox [0 0 595.0 842.] /Resources << /Font << /#CB#CE#cc#0a 5 0 R >> >> /Tiny 0.0000000001"
    prepared = prepare_plainly(build_pdf(page_entries=odd.replace(b"/Resources", b"/Private")))
    assert prepared.data.count(b"<< /Font << /#CB#CE#cc#0a 5 0 R >> >>") == 2
    assert prepared.data.count(b"/Tiny 0.0000000001") == 2


def test_a_new_object_takes_no_number_that_is_used_even_where_the_trailer_counts_too_few():
    document = build_pdf(objects={70: b"(not to be replaced)"})
    document = document.replace(b"/Size 72", b"/Size 5 ")
    prepared = prepare_plainly(document)
    assert Document(prepared.data).resolve(Reference(70, 0)) == b"not to be replaced"


def _archival(part: bytes, output_intent: bytes = b"") -> bytes:
    packet = b"<x:xmpmeta><pdfaid:part>" + part + b"</pdfaid:part></x:xmpmeta>"
    return build_pdf(
        catalog_entries=b"/Metadata 8 0 R " + output_intent,
        objects={
            8: stream(packet, b"/Type /Metadata /Subtype /XML"),
            9: b"<< /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile 10 0 R >>",
            10: stream(b"profile", b"/N 3"),
        },
    )


@pytest.mark.parametrize(
    ("document", "mask", "space"),
    [
        (build_pdf(), True, b"/DeviceRGB"),
        (_archival(b"2", b"/OutputIntents [9 0 R]"), True, b"/DeviceRGB"),
        (_archival(b"1", b"/OutputIntents [9 0 R]"), False, b"/DeviceRGB"),
        (_archival(b"3"), False, b"/CalRGB"),
    ],
    ids=["plain", "2 with RGB", "1 with RGB", "3 without intent"],
)
def test_the_picture_keeps_to_what_an_archival_document_may_hold(document, mask, space):
    data = prepare_plainly(document).data
    assert (b"/SMask" in data) is mask
    assert b"/ColorSpace " + space in data or b"/ColorSpace [" + space in data


def test_a_picture_in_a_document_without_transparency_leaves_what_is_below_to_be_seen():
    """The text crosses the ring's clear middle; the bar of the picture covers what is below it."""
    words = stream(b"BT /F1 12 Tf 350 145 Td (MMMMMMMM) Tj ET")
    archival = Document(_archival(b"1", b"/OutputIntents [9 0 R]"))
    assert picture_rules(archival).opaque
    shown = []
    for packet in (b"<pdfaid:part>1</pdfaid:part>", b""):
        document = build_pdf(
            catalog_entries=b"/Metadata 8 0 R",
            objects={4: words, 8: stream(packet, b"/Type /Metadata /Subtype /XML")},
        )
        data = prepare_plainly(document, placement=LOWER_RIGHT).data
        assert (b"/ImageMask true" in data) is bool(packet)
        shown.append(render(data, scale=2)[0])
    cut, soft = (page.crop((700, 2 * 842 - 310, 830, 2 * 842 - 280)).convert("L") for page in shown)
    assert min(soft.tobytes()) < 60, "the text is there"
    apart = ImageChops.difference(cut, soft).point(lambda value: 255 if value > 100 else 0)
    assert sum(apart.histogram()[255:]) < 0.02 * cut.width * cut.height


def test_faint_ink_that_a_stencil_would_lose_is_laid_on_white():
    faint = BytesIO()
    Image.new("RGBA", (9, 9), (200, 0, 0, 20)).save(faint, "PNG")
    picture = Impression(png=faint.getvalue(), width_mm=40, height_mm=40)
    data = prepare_plainly(_archival(b"1"), impression=picture).data
    assert b"Mask" not in data[len(_archival(b"1")) :]


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", DocumentNotPdf),
        (b"<html>", DocumentNotPdf),
        (build_pdf()[:300], DocumentTruncated),
        (build_pdf().replace(b"/Info 6 0 R", b"/Encrypt 6 0 R"), DocumentEncrypted),
        (build_pdf(catalog_entries=b"/AcroForm << /XFA [] /Fields [] >>"), DocumentDynamicForm),
        (build_pdf(catalog_entries=b"/AcroForm []"), DocumentMalformed),
        (build_pdf(catalog_entries=b"/AcroForm << /Fields 5 0 R >>"), DocumentMalformed),
        (build_pdf(page_entries=b""), DocumentMalformed),
        (build_pdf(page_entries=b"/MediaBox [0 0 9 9] /Rotate 45"), DocumentMalformed),
        (build_pdf(page_entries=b"/MediaBox [0 0 900 900] /Annots 5 0 R"), DocumentMalformed),
        (build_pdf(page_entries=b"/MediaBox [0 0 900 900] /Annots [] /Annots []"), DocumentMalformed),
        (build_pdf(objects={2: b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>"}), DocumentMalformed),
        (build_pdf(objects={2: b"<< /Type /Pages /Count 0 /Kids [] >>"}), DocumentMalformed),
    ],
)
def test_a_document_that_cannot_be_sealed_is_refused_for_its_own_reason(document, error):
    with pytest.raises(error) as refused:
        prepare_plainly(document)
    assert type(refused.value) is error


def test_a_document_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(DocumentTooLarge):
        prepare_plainly(bytes(MAX_DOCUMENT_BYTES + 1))


def _certified(permission: bytes) -> bytes:
    reference = b"<< /TransformMethod /DocMDP /TransformParams << /P %b /V /1.2 >> >>" % permission
    signature = b"<< /Type /Sig /Reference [%b] /ByteRange [0 1 2 3] /Contents <00> >>" % reference
    field = b"<< /T (c) /FT /Sig /V 8 0 R >>"
    entries = b"/Perms << /DocMDP 8 0 R >> /AcroForm << /Fields [9 0 R] >>"
    return build_pdf(catalog_entries=entries, objects={8: signature, 9: field})


def test_a_certified_document_is_sealed_only_where_its_certification_allows_signing():
    with pytest.raises(DocumentForbidsChanges) as refused:
        prepare_plainly(_certified(b"1"))
    assert refused.value.code == "document-forbids-changes"
    with pytest.raises(DocumentForbidsChanges):
        prepare_plainly(_certified(b"(what)"))
    for permission in (b"2", b"3"):
        prepare_plainly(_certified(permission), placement=None, impression=None)
        # What a seal shows where no field was prepared for it is more than filling in forms and signing.
        with pytest.raises(DocumentForbidsChanges, match="invisibly"):
            prepare_plainly(_certified(permission))


def test_a_lock_of_a_signed_field_is_honoured():
    field = b"<< /T (c) /FT /Sig /V << /Type /Sig >> /Lock << /Action /All /P 1 >> >>"
    locked = build_pdf(catalog_entries=b"/AcroForm << /Fields [9 0 R] >>", objects={9: field})
    with pytest.raises(DocumentForbidsChanges):
        prepare_plainly(locked)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_damaged_document_is_prepared_or_refused_and_never_anything_else(data):
    kind = data.draw(st.sampled_from(Kind))
    octets = bytearray(build_pdf(kind=kind, catalog_entries=b"/AcroForm << /Fields [9 0 R] >>"))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets) - 1))
        octets[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        prepared = prepare_plainly(bytes(octets))
    except YinxinError:
        return
    assert prepared.data.startswith(bytes(octets))


@pytest.mark.parametrize(
    "document",
    [
        build_pdf(catalog_entries=b"/Pages 2 0 R"),
        build_pdf(page_entries=b"/MediaBox [0 0 595 842] /MediaBox [0 0 100 100]"),
        build_pdf(catalog_entries=b"/AcroForm << /Fields [] /Fields [] >>"),
    ],
    ids=["catalog", "page", "form"],
)
def test_a_document_that_says_a_key_twice_is_refused_before_it_is_sealed(document):
    with pytest.raises(DocumentMalformed):
        prepare_plainly(document)
