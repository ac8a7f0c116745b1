"""Incremental saving: what is signed stays as it is, and a later revision shows something else.

Here each change is written as any program would write it; how its revision can lie is in `pointers`.
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
    changed,
    field_reference,
    form_with,
    rewritten,
)
from tests.support.pdfs import CATALOG, CONTENTS, FIRST_PAGE, FONT, INFO, PAGES, append, stream
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
