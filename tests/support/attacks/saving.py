"""Incremental saving: what is signed stays as it is, and a later revision shows something else.

From the plain change of an object to cross-references that lead readers astray.
"""

from tests.support.attacks.victim import (
    A4,
    ACTION,
    EVIL,
    LINK,
    SPARE,
    TEXT_FIELD,
    TEXT_LOOK,
    Victim,
    annotations_with,
    appended_by_hand,
    at,
    changed,
    field_reference,
    form_with,
    previous,
    revision_of,
    rewritten,
    text_of,
)
from tests.support.pdfs import CATALOG, CONTENTS, FIRST_PAGE, FONT, INFO, PAGES, append, seal, stream
from trust.documents.pdf.document import Document
from trust.documents.pdf.syntax import Reference

_PAGE = b"<< /Type /Page /Parent 2 0 R " + A4 + b" /Contents 190 0 R /Resources << >> >>"
_OVERLAY = b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 595 842] /DA (/F1 40 Tf) /Contents (Refused) >>"
_SECOND = Reference(191, 0)


def contents_replaced(victim: Victim) -> bytes:
    """The page shows other contents."""
    return append(victim.sealed, {CONTENTS: EVIL})


def page_led_to_other_contents(victim: Victim) -> bytes:
    """The page refers to a new stream."""
    return append(
        victim.sealed,
        {SPARE: EVIL, FIRST_PAGE: rewritten(victim.sealed, FIRST_PAGE, Contents=SPARE.written())},
    )


def contents_appended(victim: Victim) -> bytes:
    """A second stream is drawn over the first."""
    led = rewritten(victim.sealed, FIRST_PAGE, Contents=b"[4 0 R 190 0 R]")
    return append(victim.sealed, {SPARE: EVIL, FIRST_PAGE: led})


def page_appended(victim: Victim) -> bytes:
    """A page more at the end."""
    tree = b"<< /Type /Pages /Count 2 /Kids [3 0 R 191 0 R] >>"
    return append(victim.sealed, {PAGES: tree, SPARE: EVIL, _SECOND: _PAGE})


def page_before_the_first(victim: Victim) -> bytes:
    """A page more at the beginning: the signed one is the second."""
    tree = b"<< /Type /Pages /Count 2 /Kids [191 0 R 3 0 R] >>"
    return append(victim.sealed, {PAGES: tree, SPARE: EVIL, _SECOND: _PAGE})


def page_exchanged(victim: Victim) -> bytes:
    """The page tree names another page."""
    tree = b"<< /Type /Pages /Count 1 /Kids [191 0 R] >>"
    return append(victim.sealed, {PAGES: tree, SPARE: EVIL, _SECOND: _PAGE})


def pages_removed(victim: Victim) -> bytes:
    """The page tree is empty."""
    return append(victim.sealed, {PAGES: b"<< /Type /Pages /Count 0 /Kids [] >>"})


def catalog_led_to_other_pages(victim: Victim) -> bytes:
    """The catalog names another page tree."""
    tree = b"<< /Type /Pages /Count 1 /Kids [191 0 R] >>"
    led = rewritten(victim.sealed, CATALOG, Pages=b"192 0 R")
    return append(victim.sealed, {CATALOG: led, SPARE: EVIL, _SECOND: _PAGE, Reference(192, 0): tree})


def page_turned(victim: Victim) -> bytes:
    """The page stands on its head."""
    return changed(victim.sealed, FIRST_PAGE, Rotate=b"180")


def page_cropped(victim: Victim) -> bytes:
    """Only a part of the page is shown."""
    return changed(victim.sealed, FIRST_PAGE, CropBox=b"[0 0 595 400]")


def page_enlarged(victim: Victim) -> bytes:
    """The page has other measures."""
    return changed(victim.sealed, FIRST_PAGE, UserUnit=b"10")


def resources_replaced(victim: Victim) -> bytes:
    """The page's resources name another font."""
    return changed(victim.sealed, FIRST_PAGE, Resources=b"<< /Font << /F1 << /BaseFont /Symbol >> >> >>")


def resources_inherited(victim: Victim) -> bytes:
    """The page tree gives its pages something to inherit."""
    return changed(victim.sealed, PAGES, Rotate=b"90")


def font_replaced(victim: Victim) -> bytes:
    """The same codes show other letters."""
    return append(victim.sealed, {FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"})


def page_acts_on_opening(victim: Victim) -> bytes:
    """The page brings an action."""
    return changed(victim.sealed, FIRST_PAGE, AA=b"<< /O << /S /JavaScript /JS (app.alert(1)) >> >>")


def document_acts_on_opening(victim: Victim) -> bytes:
    """The document brings an action."""
    return changed(victim.sealed, CATALOG, OpenAction=b"<< /S /JavaScript /JS (app.alert(1)) >>")


def document_brings_scripts(victim: Victim) -> bytes:
    """Named scripts run on opening."""
    names = b"<< /JavaScript << /Names [(a) << /S /JavaScript /JS (app.alert(1)) >>] >> >>"
    return changed(victim.sealed, CATALOG, Names=names)


def document_brings_a_file(victim: Victim) -> bytes:
    """An attachment is added."""
    names = b"<< /EmbeddedFiles << /Names [(a) << /Type /Filespec /F (a.exe) >>] >> >>"
    return changed(victim.sealed, CATALOG, Names=names)


def layers_added(victim: Victim) -> bytes:
    """Optional content that hides something."""
    return changed(victim.sealed, CATALOG, OCProperties=b"<< /OCGs [] /D << /BaseState /OFF >> >>")


def permissions_added(victim: Victim) -> bytes:
    """The catalog names a certification after the fact."""
    return changed(victim.sealed, CATALOG, Perms=b"<< >>")


def structure_added(victim: Victim) -> bytes:
    """A structure tree tells a reader for the blind another text."""
    tree = b"<< /Type /StructTreeRoot /K << /S /P /ActualText (Refused) >> >>"
    return changed(victim.sealed, CATALOG, StructTreeRoot=tree, MarkInfo=b"<< /Marked true >>")


def page_labels_changed(victim: Victim) -> bytes:
    """The pages are counted otherwise."""
    return changed(victim.sealed, CATALOG, PageLabels=b"<< /Nums [0 << /S /D /St 7 >>] >>")


def language_changed(victim: Victim) -> bytes:
    """The catalog says another language."""
    return changed(victim.sealed, CATALOG, Lang=b"(en)")


def catalog_key_removed(victim: Victim) -> bytes:
    """The catalog loses its form, and with it the signature."""
    return append(victim.sealed, {CATALOG: b"<< /Type /Catalog /Pages 2 0 R >>"})


def title_changed(victim: Victim) -> bytes:
    """The document has another title."""
    return changed(victim.sealed, INFO, Title=b"(Refusal)")


def annotation_over_the_text(victim: Victim) -> bytes:
    """A free text annotation covers the page."""
    return append(
        victim.sealed,
        {
            SPARE: _OVERLAY,
            FIRST_PAGE: rewritten(
                victim.sealed, FIRST_PAGE, Annots=annotations_with(victim.sealed, SPARE.written())
            ),
        },
    )


def annotation_written_in_place(victim: Victim) -> bytes:
    """An annotation that is no object of its own."""
    return changed(victim.sealed, FIRST_PAGE, Annots=annotations_with(victim.sealed, _OVERLAY))


def annotations_removed(victim: Victim) -> bytes:
    """The page shows neither seal nor field."""
    return changed(victim.sealed, FIRST_PAGE, Annots=b"[]")


def annotations_reordered(victim: Victim) -> bytes:
    """The seal is drawn below what was below it."""
    known = annotations_with(victim.sealed)[1:-1].split(b" R")[:-1]
    return changed(
        victim.sealed, FIRST_PAGE, Annots=b"[" + b" ".join(each + b" R" for each in reversed(known)) + b"]"
    )


def link_led_elsewhere(victim: Victim) -> bytes:
    """The link on the page leads to somebody else."""
    return append(victim.sealed, {ACTION: b"<< /S /URI /URI (https://evil.example.test/) >>"})


def link_moved(victim: Victim) -> bytes:
    """The link covers the page."""
    return changed(victim.sealed, LINK, Rect=b"[0 0 595 842]")


def seal_moved(victim: Victim) -> bytes:
    """The seal stands somewhere else."""
    return changed(victim.sealed, field_reference(victim.sealed), Rect=b"[0 0 90 90]")


def seal_hidden(victim: Victim) -> bytes:
    """The seal is not shown."""
    return changed(victim.sealed, field_reference(victim.sealed), F=b"2")


def seal_with_another_look(victim: Victim) -> bytes:
    """The seal's field shows other contents."""
    look = stream(b"1 0 0 rg 0 0 9 9 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]")
    field = rewritten(victim.sealed, field_reference(victim.sealed), AP=b"<< /N 190 0 R >>")
    return append(victim.sealed, {SPARE: look, field_reference(victim.sealed): field})


def seal_picture_replaced(victim: Victim) -> bytes:
    """The form that the seal's field shows is replaced."""
    field = Document(victim.sealed).dictionary(field_reference(victim.sealed))
    assert field is not None
    look = Document(victim.sealed).dictionary(field["AP"])
    assert look is not None
    reference = look["N"]
    assert isinstance(reference, Reference)
    return append(victim.sealed, {reference: stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]")})


def seal_field_renamed(victim: Victim) -> bytes:
    """The field has another name."""
    return changed(victim.sealed, field_reference(victim.sealed), T=b"(Seal9)")


def seal_field_made_a_text(victim: Victim) -> bytes:
    """The field is no signature field any more."""
    return changed(victim.sealed, field_reference(victim.sealed), FT=b"/Tx")


def seal_field_emptied(victim: Victim) -> bytes:
    """The field has no signature any more."""
    return changed(victim.sealed, field_reference(victim.sealed), V=b"null")


def seal_field_taken_out(victim: Victim) -> bytes:
    """The form does not list the field."""
    return changed(victim.sealed, CATALOG, AcroForm=b"<< /Fields [8 0 R] /DA (/F1 12 Tf) /SigFlags 3 >>")


def signatures_denied(victim: Victim) -> bytes:
    """The form says that there are no signatures."""
    form = form_with(victim.sealed).replace(b"/SigFlags 3", b"/SigFlags 0")
    return changed(victim.sealed, CATALOG, AcroForm=form)


def text_filled_in(victim: Victim) -> bytes:
    """A field is filled in although no certification allows it."""
    return changed(victim.sealed, TEXT_FIELD, V=b"(because)")


def text_look_replaced(victim: Victim) -> bytes:
    """A field's appearance is replaced, its value stays."""
    look = b"/Type /XObject /Subtype /Form /BBox [0 0 228 20]"
    return append(victim.sealed, {TEXT_LOOK: stream(b"BT /F1 12 Tf (all) Tj ET", look)})


def text_field_added(victim: Victim) -> bytes:
    """A field is added that shows a text."""
    added = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (more) /V (Refused) /Rect [0 0 595 842] /P 3 0 R >>"
    page = rewritten(victim.sealed, FIRST_PAGE, Annots=annotations_with(victim.sealed, SPARE.written()))
    form = rewritten(victim.sealed, CATALOG, AcroForm=form_with(victim.sealed, SPARE.written()))
    return append(victim.sealed, {SPARE: added, FIRST_PAGE: page, CATALOG: form})


def appearances_asked_anew(victim: Victim) -> bytes:
    """The form asks readers to draw its fields themselves."""
    form = form_with(victim.sealed, entries=b"/NeedAppearances true")
    return changed(victim.sealed, CATALOG, AcroForm=form)


def form_made_dynamic(victim: Victim) -> bytes:
    """An XFA form is added, which some readers show in place of the pages."""
    form = form_with(victim.sealed, entries=b"/XFA (<xdp/>)")
    return changed(victim.sealed, CATALOG, AcroForm=form)


def calculation_added(victim: Victim) -> bytes:
    """The form computes its fields."""
    return changed(victim.sealed, CATALOG, AcroForm=form_with(victim.sealed, entries=b"/CO [8 0 R]"))


def unused_object_added(victim: Victim) -> bytes:
    """An object that nothing uses yet."""
    return append(victim.sealed, {SPARE: EVIL})


def change_of_old_kind_hidden_by_an_allowed_one(victim: Victim) -> bytes:
    """A replaced page's contents, and after it an honest change of the date."""
    attacked = append(victim.sealed, {CONTENTS: EVIL})
    return changed(attacked, INFO, ModDate=b"(D:20261122090000Z)")


# --- Octets that are no revision, or hardly one.


def octets_after_the_end(victim: Victim) -> bytes:
    """A line break too many."""
    return victim.sealed + b"\n\n"


def comment_after_the_end(victim: Victim) -> bytes:
    """A second %%EOF."""
    return victim.sealed + b"%%EOF\n"


def markup_after_the_end(victim: Victim) -> bytes:
    """Another kind of file follows."""
    return victim.sealed + b"<html><body>Refused</body></html>\n%%EOF\n"


def pointer_repeated(victim: Victim) -> bytes:
    """The last startxref once more."""
    return victim.sealed + victim.sealed[victim.sealed.rindex(b"startxref") :]


def objects_without_cross_references(victim: Victim) -> bytes:
    """A new object for the contents, and the old startxref: readers that rebuild the table show it."""
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    return victim.sealed + body + victim.sealed[victim.sealed.rindex(b"startxref") :]


def objects_with_a_pointer_to_nowhere(victim: Victim) -> bytes:
    """The new startxref leads into the void, so readers rebuild."""
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    return victim.sealed + body + b"startxref\n0\n%%EOF\n"


def objects_without_anything(victim: Victim) -> bytes:
    """Only objects, not even a %%EOF."""
    return victim.sealed + b"4 0 obj\n" + EVIL + b"\nendobj\n"


def trailer_without_a_table(victim: Victim) -> bytes:
    """A trailer without cross-references before it."""
    trailer = b"trailer\n<< /Size 200 /Root 1 0 R /Prev %d >>\n" % previous(victim.sealed)
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    return victim.sealed + body + trailer + b"startxref\n%d\n%%%%EOF\n" % (len(victim.sealed) + len(body))


def table_without_a_trailer(victim: Victim) -> bytes:
    """Cross-references without a trailer after them."""
    body = b"4 0 obj\n" + EVIL + b"\nendobj\n"
    table = b"xref\n" + at(4, len(victim.sealed))
    return victim.sealed + body + table + b"startxref\n%d\n%%%%EOF\n" % (len(victim.sealed) + len(body))


# --- Cross-references that lead astray.


def _tabled(victim: Victim, body: bytes, table: bytes, trailer: bytes = b"") -> bytes:
    entries = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d %b" % (previous(victim.sealed), trailer)
    return appended_by_hand(victim.sealed, body, lambda _: table, entries)


def _evil_at_end(victim: Victim) -> tuple[bytes, int]:
    return b"4 0 obj\n" + EVIL + b"\nendobj\n", len(victim.sealed)


def table_only(victim: Victim) -> bytes:
    """Nothing but cross-references, which lead the font to the contents."""
    return _tabled(victim, b"", at(5, victim.sealed.index(b"\n4 0 obj") + 1))


def table_only_that_frees_the_seal(victim: Victim) -> bytes:
    """Nothing but cross-references, which call the seal's field free."""
    number = field_reference(victim.sealed).number
    return _tabled(victim, b"", b"%d 1\n0000000000 00001 f\r\n" % number)


def table_that_frees_the_contents(victim: Victim) -> bytes:
    """The contents are removed."""
    return _tabled(victim, b"", b"4 1\n0000000000 00001 f\r\n")


def table_that_names_an_object_twice(victim: Victim) -> bytes:
    """Two entries for the contents, the old place and the new: readers disagree which counts."""
    body, offset = _evil_at_end(victim)
    old = victim.sealed.index(b"\n4 0 obj") + 1
    return _tabled(victim, body, at(4, offset) + at(4, old))


def table_that_names_an_object_twice_the_other_way(victim: Victim) -> bytes:
    """The same with the new place last."""
    body, offset = _evil_at_end(victim)
    old = victim.sealed.index(b"\n4 0 obj") + 1
    return _tabled(victim, body, at(4, old) + at(4, offset))


def table_that_frees_and_uses_an_object(victim: Victim) -> bytes:
    """One entry says free, the other says where."""
    body, offset = _evil_at_end(victim)
    return _tabled(victim, body, b"4 1\n0000000000 00001 f\r\n" + at(4, offset))


def table_with_another_generation(victim: Victim) -> bytes:
    """The contents come back as generation 1."""
    body = b"4 1 obj\n" + EVIL + b"\nendobj\n"
    return _tabled(victim, body, at(4, len(victim.sealed), 1))


def table_without_a_way_back(victim: Victim) -> bytes:
    """No /Prev: the new table is all there is."""
    body, offset = _evil_at_end(victim)
    trailer = b"/Size 200 /Root 1 0 R"
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_of_all_without_a_way_back(victim: Victim) -> bytes:
    """No /Prev, but every object named where it stands, with other contents."""
    body, offset = _evil_at_end(victim)
    places = Document(victim.sealed).cross_references.locations
    lines = {number: place.offset for number, place in places.items() if place and hasattr(place, "offset")}
    lines[4] = offset
    table = b"".join(at(number, place) for number, place in sorted(lines.items()))
    return appended_by_hand(victim.sealed, body, lambda _: table, b"/Size 200 /Root 1 0 R /Info 6 0 R")


def table_that_leads_to_itself(victim: Victim) -> bytes:
    """/Prev is the table itself."""
    body, offset = _evil_at_end(victim)
    start = len(victim.sealed) + len(body)
    trailer = b"/Size 200 /Root 1 0 R /Prev %d" % start
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def tables_that_lead_to_each_other(victim: Victim) -> bytes:
    """Two tables with /Prev in a circle."""
    body, offset = _evil_at_end(victim)
    first = len(victim.sealed) + len(body)
    trailer = b"/Size 200 /Root 1 0 R /Prev %010d"
    section = b"xref\n%btrailer\n<< %b >>\n" % (at(4, offset), trailer)
    second = first + len(section) - len(b"%010d") + 10
    written = victim.sealed + body + section % second
    return written + section % first + b"startxref\n%d\n%%%%EOF\n" % second


def table_that_skips_the_newest(victim: Victim) -> bytes:
    """/Prev leads past the signed revision to the one before it."""
    body, offset = _evil_at_end(victim)
    older = Document(victim.sealed).cross_references.sections[0].start
    trailer = b"/Size 200 /Root 1 0 R /Prev %d" % older
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_with_a_previous_of_a_real_number(victim: Victim) -> bytes:
    """/Prev is not an integer, so readers disagree whether it counts."""
    body, offset = _evil_at_end(victim)
    trailer = b"/Size 200 /Root 1 0 R /Prev %d.0" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_with_two_ways_back(victim: Victim) -> bytes:
    """/Prev twice: the signed revision, and the one before it."""
    body, offset = _evil_at_end(victim)
    older = Document(victim.sealed).cross_references.sections[0].start
    trailer = b"/Size 200 /Root 1 0 R /Prev %d /Prev %d" % (previous(victim.sealed), older)
    return appended_by_hand(victim.sealed, body, lambda _: at(4, offset), trailer)


def table_with_two_ways_back_and_no_change(victim: Victim) -> bytes:
    """/Prev twice in a revision that only brings the date up to date: readers may see the older file."""
    older = Document(victim.sealed).cross_references.sections[0].start
    body = b"6 0 obj\n" + rewritten(victim.sealed, INFO, ModDate=b"(D:20261122090000Z)") + b"\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Info 6 0 R /Prev %d /Prev %d" % (previous(victim.sealed), older)
    return appended_by_hand(victim.sealed, body, lambda offset: at(6, offset), trailer)


def table_with_two_catalogs(victim: Victim) -> bytes:
    """/Root twice: the signed catalog, and one of the forger's."""
    copy = b"190 0 obj\n<< /Type /Catalog /Pages 192 0 R >>\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Root 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, copy, lambda offset: at(190, offset), trailer)


def table_with_another_catalog(victim: Victim) -> bytes:
    """/Root names a copy of the catalog."""
    copy = b"190 0 obj\n" + text_of(victim.sealed, CATALOG) + b"\nendobj\n"
    trailer = b"/Size 200 /Root 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, copy, lambda offset: at(190, offset), trailer)


def table_with_a_hidden_stream(victim: Victim) -> bytes:
    """A hybrid update: the table is empty, its /XRefStm replaces the contents."""
    body, offset = _evil_at_end(victim)
    rows = b"\1" + offset.to_bytes(4, "big") + b"\0"
    start = len(victim.sealed) + len(body)
    hidden = b"191 0 obj\n%b\nendobj\n" % stream(
        rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 200 /Root 1 0 R"
    )
    return _tabled(victim, body + hidden, b"0 1\n0000000000 65535 f\r\n", b"/XRefStm %d" % start)


def table_that_says_free_and_a_hidden_stream_that_does_not(victim: Victim) -> bytes:
    """A hybrid update: readers without streams see no contents, the others see the forger's."""
    body, offset = _evil_at_end(victim)
    rows = b"\1" + offset.to_bytes(4, "big") + b"\0"
    start = len(victim.sealed) + len(body)
    hidden = b"191 0 obj\n%b\nendobj\n" % stream(
        rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 200 /Root 1 0 R"
    )
    return _tabled(victim, body + hidden, b"4 1\n0000000000 00000 f\r\n", b"/XRefStm %d" % start)


def table_that_repeats_and_a_hidden_stream_that_replaces(victim: Victim) -> bytes:
    """A hybrid update: the table leaves the contents where they are, its hidden stream leads to others."""
    body, offset = _evil_at_end(victim)
    rows = b"\1" + offset.to_bytes(4, "big") + b"\0"
    start = len(victim.sealed) + len(body)
    hidden = b"191 0 obj\n%b\nendobj\n" % stream(
        rows, b"/Type /XRef /W [1 4 1] /Index [4 1] /Size 200 /Root 1 0 R"
    )
    table = at(4, victim.sealed.index(b"\n4 0 obj") + 1)
    return _tabled(victim, body + hidden, table, b"/XRefStm %d" % start)


def stream_that_names_an_object_twice(victim: Victim) -> bytes:
    """A cross-reference stream lists the contents in a new place and then where they are."""
    body, offset = _evil_at_end(victim)
    old, start = victim.sealed.index(b"\n4 0 obj") + 1, len(victim.sealed) + len(body)
    rows = b"".join(b"\1" + place.to_bytes(4, "big") + b"\0" for place in (offset, old, start))
    entries = b"/Type /XRef /W [1 4 1] /Index [4 1 4 1 192 1] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % previous(victim.sealed))
    return victim.sealed + body + section + b"startxref\n%d\n%%%%EOF\n" % start


def stream_after_a_table(victim: Victim) -> bytes:
    """A cross-reference stream continues the file and replaces the contents from an object stream."""
    packed = stream(b"4 0 << /Length 0 >>", b"/Type /ObjStm /N 1 /First 4")
    body = b"191 0 obj\n" + packed + b"\nendobj\n"
    offset, start = len(victim.sealed), len(victim.sealed) + len(body)
    rows = (
        b"\2\0\0\0\xbf\0"
        + b"\1"
        + offset.to_bytes(4, "big")
        + b"\0"
        + b"\1"
        + start.to_bytes(4, "big")
        + b"\0"
    )
    entries = b"/Type /XRef /W [1 4 1] /Index [4 1 191 2] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % previous(victim.sealed))
    return victim.sealed + body + section + b"startxref\n%d\n%%%%EOF\n" % start


def stream_with_entries_of_an_unknown_type(victim: Victim) -> bytes:
    """A cross-reference stream calls the contents an entry of type 7, which readers may ignore or take as null."""
    start = len(victim.sealed)
    rows = b"\7\0\0\0\0\0" + b"\1" + start.to_bytes(4, "big") + b"\0"
    entries = b"/Type /XRef /W [1 4 1] /Index [4 1 192 1] /Size 200 /Root 1 0 R /Info 6 0 R /Prev %d"
    section = b"192 0 obj\n%b\nendobj\n" % stream(rows, entries % previous(victim.sealed))
    return victim.sealed + section + b"startxref\n%d\n%%%%EOF\n" % start


def encryption_added(victim: Victim) -> bytes:
    """The trailer says that all is encrypted."""
    body = b"190 0 obj\n<< /Filter /Standard /V 1 /R 2 /O () /U () /P -4 >>\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Encrypt 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, body, lambda offset: at(190, offset), trailer)


def information_replaced_by_another_object(victim: Victim) -> bytes:
    """/Info names a new object with another title."""
    body = b"190 0 obj\n<< /Title (Refusal) >>\nendobj\n"
    trailer = b"/Size 200 /Root 1 0 R /Info 190 0 R /Prev %d" % previous(victim.sealed)
    return appended_by_hand(victim.sealed, body, lambda offset: at(190, offset), trailer)


def another_document_after_it(victim: Victim) -> bytes:
    """A whole second file follows, which refers to nothing of the first."""
    evil = append(victim.sealed, {CONTENTS: EVIL})
    return victim.sealed + evil


def another_document_before_it(victim: Victim) -> bytes:
    """A whole other file stands before it."""
    return append(victim.sealed, {CONTENTS: EVIL}) + victim.sealed


def octets_before_the_header(victim: Victim) -> bytes:
    """A line stands before the header; readers that are lenient count offsets from it."""
    return b"#!/bin/sh\n" + victim.sealed


def second_revision_of_a_forger_sealed_honestly(victim: Victim) -> bytes:
    """Contents replaced, and the whole sealed by a second, honest signer: the first must be lost."""
    return seal(append(victim.sealed, {CONTENTS: EVIL}), victim.pki.leaf(), pki=victim.pki)


def revision_cut_off(victim: Victim) -> bytes:
    """The last octets of an added revision are missing."""
    return victim.sealed + revision_of(victim.sealed, {INFO: b"<< /ModDate (D:2026) >>"})[:-7]


def signed_revision_cut_off(victim: Victim) -> bytes:
    """The signed revision is removed: what is left has no signature."""
    return victim.sealed[: victim.sealed.index(b"%%EOF") + 6]
