"""Shadow attacks: the forger writes the document before it is signed and plants what is shown after.

Hide, replace, and hide-and-replace (Mainka et al., "Shadow Attacks"). The signer honestly signs what is shown; a
later revision that looks harmless wakes up what was planted.
"""

import zlib

from tests.support.attacks.victim import (
    A4,
    EVIL,
    SPARE,
    Victim,
    appended_by_hand,
    at,
    changed,
    clean_document,
    draft,
    form_with,
    previous,
    redigested,
    rewritten,
    signed,
)
from tests.support.longterm import add_store
from tests.support.pdfs import (
    CATALOG,
    FIRST_PAGE,
    INFO,
    Kind,
    append,
    build_pdf,
    prepared_for,
    seal,
    signed_message,
    stream,
)
from trust.documents.pdf import Placement, embed
from trust.documents.pdf.syntax import Reference

_METADATA = b"/Type /Metadata /Subtype /XML"
_PLANTED = Reference(60, 0)
_FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842]"


def _sealed(victim: Victim, document: bytes) -> bytes:
    return seal(document, victim.leaf, pki=victim.pki)


def _planted(victim: Victim, objects: dict[int, bytes], *, page: bytes = b"", catalog: bytes = b"") -> bytes:
    """A document with the forger's objects, sealed by the honest signer."""
    document = build_pdf(kind=victim.kind, page_entries=A4 + page, catalog_entries=catalog, objects=objects)
    return _sealed(victim, document)


# --- Hide: something that covers the content when signed is taken away afterwards.


def cover_taken_away(victim: Victim) -> bytes:
    """A picture covered the text; its object is freed."""
    cover = stream(b"1 g 0 0 595 842 re f", _FORM)
    sealed = _planted(victim, {60: cover}, page=b" /Private 60 0 R")
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d" % previous(sealed)
    return appended_by_hand(sealed, b"", lambda _: b"60 1\n0000000000 00001 f\r\n", trailer)


def cover_made_small(victim: Victim) -> bytes:
    """A form that covered the text is replaced by an empty one."""
    cover = stream(b"1 g 0 0 595 842 re f", _FORM)
    sealed = _planted(victim, {60: cover}, page=b" /Private 60 0 R")
    return append(sealed, {_PLANTED: stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]")})


def annotation_that_covered_hidden(victim: Victim) -> bytes:
    """An annotation that covered the text gets the flag Hidden."""
    cover = b"<< /Type /Annot /Subtype /Square /Rect [0 0 595 842] /F 4 >>"
    sealed = _planted(victim, {60: cover}, page=b" /Annots [60 0 R]")
    return changed(sealed, _PLANTED, F=b"2")


def layer_turned_off(victim: Victim) -> bytes:
    """The state of optional content is changed in the catalog's own object for it."""
    layers = b"<< /OCGs [61 0 R] /D << /ON [61 0 R] >> >>"
    objects = {60: layers, 61: b"<< /Type /OCG /Name (Cover) >>"}
    sealed = _planted(victim, objects, catalog=b"/OCProperties 60 0 R ")
    return append(sealed, {_PLANTED: b"<< /OCGs [61 0 R] /D << /OFF [61 0 R] >> >>"})


def awaited_object_brought(victim: Victim) -> bytes:
    """The signed page refers to an object that is not there; a later revision brings it."""
    sealed = _planted(victim, {}, page=b" /Annots [50 0 R]")
    return append(sealed, {Reference(50, 0): b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 595 842] >>"})


def awaited_object_brought_as_validation_data(victim: Victim) -> bytes:
    """The same, dressed as the validation data that may be added."""
    sealed = _planted(victim, {}, page=b" /Private 50 0 R")
    return append(
        sealed,
        {Reference(50, 0): b"<< /Certs [] >>", CATALOG: rewritten(sealed, CATALOG, DSS=b"50 0 R")},
    )


def awaited_object_brought_as_metadata(victim: Victim) -> bytes:
    """The same, dressed as the metadata that may be added."""
    sealed = _planted(victim, {}, page=b" /Private 50 0 R")
    metadata = stream(b"<x/>", _METADATA)
    return append(
        sealed, {Reference(50, 0): metadata, CATALOG: rewritten(sealed, CATALOG, Metadata=b"50 0 R")}
    )


def awaited_object_brought_as_a_signature(victim: Victim) -> bytes:
    """The same, as the parts of a second seal: their numbers are those that were awaited."""
    first = _planted(victim, {}, page=b" /Private [12 0 R 13 0 R 14 0 R 15 0 R 16 0 R]")
    return seal(first, victim.pki.leaf(), pki=victim.pki)


# --- Replace: something whose change is thought harmless is what is shown.


def information_replaced_by_the_font(victim: Victim) -> bytes:
    """The trailer's /Info leads to the font afterwards."""
    sealed = _sealed(victim, clean_document(victim.kind))
    body = b"5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Symbol /ModDate (D:2026) >>\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Info 5 0 R /Prev %d" % previous(sealed)
    return appended_by_hand(sealed, body, lambda offset: at(5, offset), trailer)


def metadata_that_is_a_glyph(victim: Victim) -> bytes:
    """The metadata is a letter of a Type 3 font."""
    glyphs = b"<< /Type /Font /Subtype /Type3 /CharProcs << /A 60 0 R >> >>"
    sealed = _planted(
        victim, {5: glyphs, 60: stream(b"0 0 9 9 re f", _METADATA)}, catalog=b"/Metadata 60 0 R "
    )
    return append(sealed, {_PLANTED: stream(b"0 0 1 1 re f", _METADATA)})


def metadata_that_is_the_page(victim: Victim) -> bytes:
    """The metadata is the page's contents."""
    text = stream(b"BT /F1 24 Tf (Approved) Tj ET", _METADATA)
    document = build_pdf(
        kind=victim.kind, page_entries=A4, catalog_entries=b"/Metadata 4 0 R ", objects={4: text}
    )
    return append(_sealed(victim, document), {Reference(4, 0): stream(b"(Refused) Tj", _METADATA)})


def _page(contents: bytes, resources: bytes = b"", more: bytes = b"") -> bytes:
    """The one page, drawing these contents with these resources."""
    return b"<< /Type /Page /Parent 2 0 R %b /Contents %b /Resources << /Font << /F1 5 0 R >> %b >> %b >>" % (
        A4,
        contents,
        resources,
        more,
    )


def validation_data_that_is_the_page(victim: Victim) -> bytes:
    """The list of certificates is the page's list of contents; it may grow."""
    objects = {3: _page(b"60 0 R"), 60: b"[4 0 R]", 61: b"<< /Certs 60 0 R >>"}
    sealed = _planted(victim, objects, catalog=b"/DSS 61 0 R ")
    return append(sealed, {_PLANTED: b"[4 0 R 190 0 R]", SPARE: EVIL})


def validation_data_that_is_the_crop_box(victim: Victim) -> bytes:
    """The list of certificates is the page's crop box: its numbers stay, their order does not."""
    objects = {
        3: _page(b"4 0 R", more=b"/CropBox 60 0 R"),
        60: b"[0 400 595 842]",
        61: b"<< /Certs 60 0 R >>",
    }
    sealed = _planted(victim, objects, catalog=b"/DSS 61 0 R ")
    return append(sealed, {_PLANTED: b"[842 0 400 595]"})


def validation_data_that_are_the_resources(victim: Victim) -> bytes:
    """The store is the page's dictionary of pictures, and what the page draws is called /Certs."""
    objects = {
        3: _page(b"4 0 R", b"/XObject 61 0 R"),
        4: stream(b"/Certs Do"),
        60: stream(b"0 0 90 90 re f", _FORM),
        61: b"<< /Certs 60 0 R >>",
    }
    sealed = _planted(victim, objects, catalog=b"/DSS 61 0 R ")
    return append(
        sealed, {Reference(61, 0): b"<< /Certs 190 0 R >>", SPARE: stream(b"0 0 300 300 re f", _FORM)}
    )


def catalog_that_is_the_resources(victim: Victim) -> bytes:
    """The catalog is the page's dictionary of pictures, and what the page draws is called /Extensions."""
    objects = {
        3: _page(b"4 0 R", b"/XObject 1 0 R"),
        4: stream(b"/Extensions Do"),
        60: stream(b"0 0 90 90 re f", _FORM),
    }
    sealed = _planted(victim, objects, catalog=b"/Extensions 60 0 R ")
    catalog = rewritten(sealed, CATALOG, Extensions=b"190 0 R")
    return append(sealed, {CATALOG: catalog, SPARE: stream(b"0 0 300 300 re f", _FORM)})


def catalog_that_is_the_resources_by_its_store(victim: Victim) -> bytes:
    """The same with a picture that the catalog calls its validation data."""
    objects = {
        3: _page(b"4 0 R", b"/XObject 1 0 R"),
        4: stream(b"/DSS Do"),
        60: stream(b"0 0 90 90 re f", _FORM),
    }
    sealed = _planted(victim, objects, catalog=b"/DSS 60 0 R ")
    catalog = rewritten(sealed, CATALOG, DSS=b"190 0 R")
    return append(sealed, {CATALOG: catalog, SPARE: stream(b"0 0 300 300 re f", _FORM)})


def information_that_is_the_resources(victim: Victim) -> bytes:
    """The document information is the page's dictionary of pictures; the cover it draws is called /Producer."""
    objects = {
        3: _page(b"4 0 R", b"/XObject 6 0 R"),
        4: stream(b"0 0 90 90 re f /Producer Do"),
        6: b"<< /Producer 60 0 R >>",
        60: stream(b"1 g 0 0 595 842 re f", _FORM),
    }
    return changed(_planted(victim, objects), INFO, Producer=b"(no cover)")


def form_that_is_the_resources(victim: Victim) -> bytes:
    """The form is the page's dictionary of pictures, and what the page draws is called /SigFlags."""
    objects = {3: _page(b"4 0 R", b"/XObject 61 0 R"), 4: stream(b"/SigFlags Do"), 61: b"<< /Fields [] >>"}
    sealed = _planted(victim, objects, catalog=b"/AcroForm 61 0 R ")
    form = rewritten(sealed, Reference(61, 0), SigFlags=b"190 0 R")
    return append(sealed, {Reference(61, 0): form, SPARE: stream(b"0 0 300 300 re f", _FORM)})


def annotations_that_are_the_contents(victim: Victim) -> bytes:
    """The list of annotations is at once the page's contents; a second seal makes it grow."""
    first = _planted(victim, {3: _page(b"60 0 R", more=b"/Annots 60 0 R"), 60: b"[4 0 R]"})
    return seal(first, victim.pki.leaf(), pki=victim.pki)


def fields_that_are_the_pages(victim: Victim) -> bytes:
    """The form's list of fields is the page tree's list of pages; a second seal makes it grow."""
    document = build_pdf(
        kind=Kind.TABLE,
        objects={60: b"[3 0 R]", 2: b"<< /Type /Pages /Count 1 /Kids 60 0 R >>"},
        catalog_entries=b"/AcroForm << /Fields 60 0 R >> ",
    )
    return seal(_sealed(victim, document), victim.pki.leaf(), pki=victim.pki)


def empty_signature_field_drawn_on(victim: Victim) -> bytes:
    """A signature field that waits for its signature gets an appearance and no signature."""
    waiting = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (office) /Rect [0 0 595 842] /F 4 /P 3 0 R >>"
    sealed = _planted(
        victim, {60: waiting}, page=b" /Annots [60 0 R]", catalog=b"/AcroForm << /Fields [60 0 R] >> "
    )
    look = stream(b"(Refused) Tj", _FORM)
    return append(sealed, {SPARE: look, _PLANTED: rewritten(sealed, _PLANTED, AP=b"<< /N 190 0 R >>")})


def empty_signature_field_filled_with_a_text(victim: Victim) -> bytes:
    """A signature field that waits for its signature becomes a text."""
    waiting = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (office) /Rect [0 0 595 842] /F 4 /P 3 0 R >>"
    sealed = _planted(
        victim, {60: waiting}, page=b" /Annots [60 0 R]", catalog=b"/AcroForm << /Fields [60 0 R] >> "
    )
    return changed(sealed, _PLANTED, V=b"(Refused)")


def state_of_a_box_switched(victim: Victim) -> bytes:
    """A tick box has two planted looks; /AS switches from one to the other."""
    box = (
        b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (box) /Rect [0 0 595 842] /F 4 /P 3 0 R"
        b" /V /Off /AS /Off /AP << /N << /Off 61 0 R /On 62 0 R >> >> >>"
    )
    sealed = _planted(
        victim,
        {60: box, 61: stream(b"", _FORM), 62: stream(b"(Refused) Tj", _FORM)},
        page=b" /Annots [60 0 R]",
        catalog=b"/AcroForm << /Fields [60 0 R] >> ",
    )
    return changed(sealed, _PLANTED, V=b"/On", AS=b"/On")


# --- Hide and replace: a whole second document is planted, and a pointer is turned.


_SECOND_DOCUMENT = {
    60: b"<< /Type /Catalog /Pages 61 0 R >>",
    61: b"<< /Type /Pages /Count 1 /Kids [62 0 R] >>",
    62: b"<< /Type /Page /Parent 61 0 R "
    + A4
    + b" /Contents 63 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    63: EVIL,
}


def planted_catalog_woken(victim: Victim) -> bytes:
    """A second catalog with other pages was signed along; the trailer is led to it."""
    sealed = _planted(victim, _SECOND_DOCUMENT)
    trailer = b"/Size 200 /Root 60 0 R /Info 6 0 R /Prev %d" % previous(sealed)
    return appended_by_hand(sealed, b"", lambda _: b"0 1\n0000000000 65535 f\r\n", trailer)


def planted_catalog_named_second(victim: Victim) -> bytes:
    """The same with both catalogs in the trailer: /Root stands there twice, and readers disagree which counts."""
    sealed = _planted(victim, _SECOND_DOCUMENT)
    trailer = b"/Size 200 /Root 1 0 R /Root 60 0 R /Info 6 0 R /Prev %d" % previous(sealed)
    return appended_by_hand(sealed, b"", lambda _: b"0 1\n0000000000 65535 f\r\n", trailer)


def planted_pages_woken(victim: Victim) -> bytes:
    """A second page tree was signed along; the catalog is led to it."""
    return changed(_planted(victim, _SECOND_DOCUMENT), CATALOG, Pages=b"61 0 R")


def planted_object_woken_by_a_table(victim: Victim) -> bytes:
    """A second object with the number of the contents was signed along; only a table is added that lists it."""
    document = clean_document(Kind.TABLE)
    twin = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    start = document.rindex(b"xref\n0")
    table = document[start : document.rindex(b"startxref")]
    document = document[:start] + twin + table + b"startxref\n%d\n%%%%EOF\n" % (start + len(twin))
    sealed = _sealed(victim, document)
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d" % previous(sealed)
    return appended_by_hand(sealed, b"", lambda _: at(4, start), trailer)


def planted_object_in_a_comment_woken(victim: Victim) -> bytes:
    """The twin is hidden inside the data of an unused stream, and a table lists it."""
    twin = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    sealed = _planted(victim, {60: stream(twin)})
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d" % previous(sealed)
    return appended_by_hand(sealed, b"", lambda _: at(4, sealed.index(twin)), trailer)


def planted_object_stream_woken(victim: Victim) -> bytes:
    """An object stream with another first page was signed along; a cross-reference stream lists it."""
    page = b"<< /Type /Page /Parent 2 0 R " + A4 + b" /Contents 61 0 R /Annots [] >>"
    packed = stream(zlib.compress(b"3 0 " + page), b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")
    sealed = _planted(victim, {60: packed, 61: EVIL})
    start = len(sealed)
    rows = b"\2" + (60).to_bytes(4, "big") + b"\0" + b"\1" + start.to_bytes(4, "big") + b"\0"
    entries = b"/Type /XRef /W [1 4 1] /Index [3 1 192 1] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % previous(sealed))
    return sealed + section + b"startxref\n%d\n%%%%EOF\n" % start


def planted_table_woken(victim: Victim) -> bytes:
    """A second table that shows other contents was signed along; one startxref wakes it up."""
    first = clean_document(Kind.TABLE)
    planted = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    table = b"xref\n4 1\n%010d 00000 n\r\ntrailer\n<< /Size 190 /Root 1 0 R /Prev 0000000000 >>\n"
    body = first[: first.rindex(b"xref\n0")]
    where = len(body) + len(planted)
    document = body + planted + table % len(body)
    start = len(document)
    document += first[first.rindex(b"xref\n0") : first.rindex(b"startxref")]
    document += b"startxref\n%d\n%%%%EOF\n" % start
    prepared = draft(victim, document)
    newest = previous(prepared.data)
    data = prepared.data.replace(b"/Prev 0000000000", b"/Prev %010d" % newest, 1)
    sealed = signed(redigested(prepared, data), victim.leaf)
    return sealed + b"startxref\n%d\n%%%%EOF\n" % where


def planted_hidden_stream_woken(victim: Victim) -> bytes:
    """A cross-reference stream that shows other contents was signed along; a later hybrid table names it."""
    evil = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    # Both stand in the data of an unused stream, the rows with the place of the twin.
    document = clean_document(Kind.TABLE)
    base = document.rindex(b"xref\n0")
    rows = b"\1" + base.to_bytes(4, "big") + b"\0"
    hidden = b"191 0 obj\n%b\nendobj\n" % stream(
        rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 192 /Root 1 0 R"
    )
    table = document[base : document.rindex(b"startxref")]
    document = document[:base] + evil + hidden + table
    document += b"startxref\n%d\n%%%%EOF\n" % (base + len(evil) + len(hidden))
    sealed = _sealed(victim, document)
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d /XRefStm %d" % (
        previous(sealed),
        base + len(evil),
    )
    return appended_by_hand(sealed, b"", lambda _: b"0 1\n0000000000 65535 f\r\n", trailer)


def planted_contents_switched_by_a_second_seal(victim: Victim) -> bytes:
    """The second seal's revision also turns the page to contents signed along."""
    sealed = _planted(victim, {3: _page(b"60  0 R"), 60: EVIL, 61: EVIL})
    second = prepared_for(sealed, victim.leaf, pki=victim.pki)
    update = second.data[len(sealed) :]
    assert update.count(b"/Contents 60  0 R") == 1
    ready = redigested(second, sealed + update.replace(b"/Contents 60  0 R", b"/Contents 61  0 R"))
    return embed(ready, signed_message(ready, victim.leaf, pki=victim.pki))


def appearance_shared_with_the_page(victim: Victim) -> bytes:
    """A second seal replaces the object that the page draws, calling it its own appearance."""
    look = stream(b"(Approved) Tj", b"/Type /XObject /Subtype /Form /BBox [0 0 90 90]")
    sealed = _planted(victim, {60: look}, page=b" /Private 60 0 R")
    second = seal(sealed, victim.pki.leaf(), pki=victim.pki, placement=Placement(page=1, x_mm=20, y_mm=20))
    evil = stream(b"(Refused) Tj", b"/Type /XObject /Subtype /Form /BBox [0 0 90 90]")
    return append(second, {_PLANTED: evil})


def list_of_fields_with_a_planted_one(victim: Victim) -> bytes:
    """A field with a text over the page was signed along, in no form; afterwards the form lists it."""
    hidden = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (h) /V (Refused) /Rect [0 0 595 842] /P 3 0 R >>"
    sealed = _planted(victim, {60: hidden})
    return changed(sealed, CATALOG, AcroForm=form_with(sealed, b"60 0 R"))


def annotation_planted_and_listed(victim: Victim) -> bytes:
    """An annotation over the page was signed along, on no page; afterwards the page lists it."""
    hidden = b"<< /Type /Annot /Subtype /FreeText /Contents (Refused) /Rect [0 0 595 842] >>"
    sealed = _planted(victim, {60: hidden}, page=b" /Annots []")
    annotations = b"[60 0 R]"
    return changed(sealed, FIRST_PAGE, Annots=annotations)


def producer_that_is_a_stream(victim: Victim) -> bytes:
    """The document information may change its producer; here it becomes a reference to a new stream."""
    sealed = _sealed(victim, clean_document(victim.kind))
    return append(sealed, {INFO: rewritten(sealed, INFO, Producer=b"190 0 R"), SPARE: EVIL})


# --- Objects that go on in what comes later, and hide their end behind a word that is none.


def _running_on(victim: Victim, entries: bytes) -> bytes:
    """The page's contents reach into a revocation list added later, which is no list but draws."""
    more = b"\nBT /F1 40 Tf 72 500 Td (Refused) Tj ET\n"

    def sealed(length: int) -> bytes:
        drawn = b"BT /F1 24 Tf 72 700 Td (Approved) Tj ET\n"
        contents = b"<< %b /Length %08d >>\nstream\n%b\nendstream" % (entries, length, drawn)
        return _planted(victim, {4: contents})

    first = sealed(0)
    begun = first.index(b"stream\n", first.index(b"4 0 obj")) + len(b"stream\n")
    end = add_store(first, crls=[more]).index(more, len(first)) + len(more)
    attacked = add_store(sealed(end - begun), crls=[more])
    assert attacked.index(more, len(first)) + len(more) == end
    return attacked


def contents_that_run_on(victim: Victim) -> bytes:
    """The length of the contents is too large, and that is all."""
    return _running_on(victim, b"")


def contents_that_run_on_behind_a_name(victim: Victim) -> bytes:
    """The same behind a name that spells the end of an object."""
    return _running_on(victim, b"/K /endobj")


def contents_that_run_on_behind_a_longer_name(victim: Victim) -> bytes:
    """The same behind a name that ends as an object does."""
    return _running_on(victim, b"/K /xendobj")


def contents_that_run_on_behind_a_name_in_brackets(victim: Victim) -> bytes:
    """The same behind a name in an array."""
    return _running_on(victim, b"/K [/endobj]")


def contents_that_run_on_behind_a_misplaced_end(victim: Victim) -> bytes:
    """The same behind the word itself, which readers that are not strict take for a value."""
    return _running_on(victim, b"/K endobj")


def contents_that_run_on_behind_a_closed_array(victim: Victim) -> bytes:
    """The same behind the word itself, right after a bracket."""
    return _running_on(victim, b"/K [] endobj")


def contents_that_run_on_behind_a_closed_dictionary(victim: Victim) -> bytes:
    """The same behind the word itself, right after a dictionary."""
    return _running_on(victim, b"/K << >> endobj")
