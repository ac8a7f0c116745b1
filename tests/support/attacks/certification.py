"""Attacks on certified documents: evil annotations, sneaky signatures, and locks that are picked.

A certification (DocMDP) says what may follow: 1 nothing, 2 forms and signatures, 3 annotations too; a lock
(FieldMDP) names fields that may not. (Mladenov et al., "Breaking the Specification: PDF Certification".)
"""

from tests.support.attacks.victim import (
    EVIL,
    SPARE,
    TEXT_FIELD,
    TEXT_LOOK,
    Victim,
    annotations_with,
    certified,
    changed,
    clean_document,
    docmdp,
    document_timestamp,
    draft,
    field_reference,
    form_with,
    redigested,
    rewritten,
    signature_reference,
    signed,
    text_of,
)
from tests.support.pdfs import CATALOG, CONTENTS, FIRST_PAGE, append, seal, stream
from tests.support.pki import Leaf
from trust.documents.pdf import Placement, PreparedDocument, embed
from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import fields_of
from trust.documents.pdf.syntax import Reference

_OVERLAY = b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 595 842] /DA (/F1 40 Tf) /Contents (Refused) >>"
_FIELD = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (reason) /Rect [72 500 300 520] /P 3 0 R"
_EVERYWHERE = Placement(page=1, x_mm=5, y_mm=5, width_mm=190, height_mm=280)
_LOCK_ALL = b"/Lock << /Type /SigFieldLock /Action /All >>"
_LOCK_ONE = b"/Lock << /Type /SigFieldLock /Action /Include /Fields [(reason)] >>"


def _annotated(document: bytes, annotation: bytes) -> bytes:
    page = rewritten(document, FIRST_PAGE, Annots=annotations_with(document, SPARE.written()))
    return append(document, {SPARE: annotation, FIRST_PAGE: page})


def _certification_name(document: bytes) -> str:
    return next(field.name for field in fields_of(Document(document)) if field.kind == "Sig")


def _with_field(document: bytes, field: bytes) -> bytes:
    page = rewritten(document, FIRST_PAGE, Annots=annotations_with(document, SPARE.written()))
    catalog = rewritten(document, CATALOG, AcroForm=form_with(document, SPARE.written()))
    return append(document, {SPARE: field, FIRST_PAGE: page, CATALOG: catalog})


def evil_annotation_at_1(victim: Victim) -> bytes:
    """A free text over a page certified to change in nothing."""
    return _annotated(certified(victim, 1), _OVERLAY)


def evil_annotation_at_2(victim: Victim) -> bytes:
    """A free text over a page whose forms may be filled in."""
    return _annotated(certified(victim, 2), _OVERLAY)


def evil_stamp_at_2(victim: Victim) -> bytes:
    """A stamp with a look of its own."""
    stamp = b"<< /Type /Annot /Subtype /Stamp /Rect [0 0 595 842] /AP << /N 4 0 R >> >>"
    return _annotated(certified(victim, 2), stamp)


def evil_redaction_at_3(victim: Victim) -> bytes:
    """A redaction at level 3: it takes away what was certified when applied."""
    return _annotated(certified(victim, 3), b"<< /Type /Annot /Subtype /Redact /Rect [0 0 595 842] >>")


def evil_annotation_at_3(victim: Victim) -> bytes:
    """A free text that covers the whole page at level 3: the standard lets it pass, the short list does not."""
    return _annotated(certified(victim, 3), _OVERLAY)


def _shape_with_a_look(victim: Victim, kind: bytes) -> bytes:
    look = stream(
        b"1 g 0 0 595 842 re f 0 g BT /F1 40 Tf 72 500 Td (Refused) Tj ET",
        b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >>",
    )
    shape = b"<< /Type /Annot /Subtype /%b /Rect [0 0 595 842] /F 4 /AP << /N 191 0 R >> >>" % kind
    document = certified(victim, 3)
    page = rewritten(document, FIRST_PAGE, Annots=annotations_with(document, SPARE.written()))
    return append(document, {SPARE: shape, Reference(191, 0): look, FIRST_PAGE: page})


def evil_square_at_3(victim: Victim) -> bytes:
    """A square whose own picture covers the page."""
    return _shape_with_a_look(victim, b"Square")


def evil_note_at_3(victim: Victim) -> bytes:
    """A note whose icon covers the page."""
    return _shape_with_a_look(victim, b"Text")


def evil_highlight_at_3(victim: Victim) -> bytes:
    """A highlight whose own picture covers the page."""
    return _shape_with_a_look(victim, b"Highlight")


def filled_square_at_3(victim: Victim) -> bytes:
    """A square over the page filled with white, which readers draw themselves."""
    square = b"<< /Type /Annot /Subtype /Square /Rect [0 0 595 842] /C [1 1 1] /IC [1 1 1] >>"
    return _annotated(certified(victim, 3), square)


def wide_line_at_3(victim: Victim) -> bytes:
    """A white line as wide as the page is high."""
    line = b"<< /Type /Annot /Subtype /Line /Rect [0 0 595 842] /L [0 421 595 421] /C [1 1 1] /BS << /W 842 >> >>"
    return _annotated(certified(victim, 3), line)


def wide_border_at_3(victim: Victim) -> bytes:
    """The same as a border."""
    square = b"<< /Type /Annot /Subtype /Square /Rect [0 0 595 842] /C [1 1 1] /Border [0 0 600] >>"
    return _annotated(certified(victim, 3), square)


def comment_given_a_look_at_3(victim: Victim) -> bytes:
    """A harmless comment is given a picture that covers the page."""
    harmless = _annotated(certified(victim, 3), b"<< /Type /Annot /Subtype /Square /Rect [9 9 99 99] >>")
    return changed(harmless, SPARE, Rect=b"[0 0 595 842]", AP=b"<< /N 9 0 R >>")


def evil_widget_at_3(victim: Victim) -> bytes:
    """At level 3 a text field is added as if it were an annotation."""
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (more) /V (Refused) /Rect [0 0 595 842] /P 3 0 R >>"
    return _with_field(certified(victim, 3), field)


def contents_replaced_at_1(victim: Victim) -> bytes:
    """The page is replaced at level 1."""
    return append(certified(victim, 1), {CONTENTS: EVIL})


def contents_replaced_at_2(victim: Victim) -> bytes:
    """The page is replaced at level 2."""
    return append(certified(victim, 2), {CONTENTS: EVIL})


def contents_replaced_at_3(victim: Victim) -> bytes:
    """The page is replaced at level 3."""
    return append(certified(victim, 3), {CONTENTS: EVIL})


def form_filled_in_at_1(victim: Victim) -> bytes:
    """A field is filled in although nothing may change."""
    return changed(certified(victim, 1), TEXT_FIELD, V=b"(because)")


def field_moved_at_2(victim: Victim) -> bytes:
    """A field is moved over the page while it is filled in."""
    return changed(certified(victim, 2), TEXT_FIELD, V=b"(because)", Rect=b"[0 0 595 842]")


def field_given_an_action_at_2(victim: Victim) -> bytes:
    """A field brings a script while it is filled in."""
    action = b"<< /F << /S /JavaScript /JS (app.alert(1)) >> >>"
    return changed(certified(victim, 2), TEXT_FIELD, V=b"(because)", AA=action)


def field_given_another_kind_at_2(victim: Victim) -> bytes:
    """A text field becomes a button."""
    return changed(certified(victim, 2), TEXT_FIELD, FT=b"/Btn")


def field_unlocked_at_2(victim: Victim) -> bytes:
    """A read-only field is made writable and filled in."""
    document = certified(victim, 2, field=b"/Ff 1")
    return changed(document, TEXT_FIELD, Ff=b"0", V=b"(because)")


def read_only_field_filled_in_at_2(victim: Victim) -> bytes:
    """A read-only field is filled in."""
    return changed(certified(victim, 2, field=b"/Ff 1"), TEXT_FIELD, V=b"(because)")


def locked_field_filled_in_at_2(victim: Victim) -> bytes:
    """The certification's field locks all fields; one is filled in."""
    return changed(certified(victim, 2, lock=_LOCK_ALL), TEXT_FIELD, V=b"(because)")


def locked_field_filled_in_by_its_name(victim: Victim) -> bytes:
    """The certification's field locks this one field; it is filled in."""
    return changed(certified(victim, 2, lock=_LOCK_ONE), TEXT_FIELD, V=b"(because)")


def field_locked_by_a_transform_filled_in(victim: Victim) -> bytes:
    """A second signature's FieldMDP locks all fields; one is filled in."""
    entry = b"/Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /All /V /1.2 >> >>]"
    first = certified(victim, 2)
    leaf = victim.pki.leaf()
    return changed(signed(draft(victim, first, leaf=leaf, signature=entry), leaf), TEXT_FIELD, V=b"(x)")


def field_locked_by_a_transform_with_its_name_filled_in(victim: Victim) -> bytes:
    """A second signature's FieldMDP names the field; it is filled in."""
    entry = (
        b"/Reference [<< /TransformMethod /FieldMDP"
        b" /TransformParams << /Action /Include /Fields [(reason)] /V /1.2 >> >>]"
    )
    first = certified(victim, 2)
    leaf = victim.pki.leaf()
    return changed(signed(draft(victim, first, leaf=leaf, signature=entry), leaf), TEXT_FIELD, V=b"(x)")


def look_of_a_field_drawn_over_the_page_at_2(victim: Victim) -> bytes:
    """The stream that a field shows is replaced by one that the page's own resources draw too."""
    document = certified(victim, 2)
    look = stream(b"(Refused) Tj", b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Matrix [9 0 0 9 0 0]")
    filled = rewritten(document, TEXT_FIELD, V=b"(because)", AP=b"<< /N 4 0 R >>")
    return append(document, {TEXT_FIELD: filled, TEXT_LOOK: look, CONTENTS: EVIL})


def field_that_is_the_resources_at_2(victim: Victim) -> bytes:
    """A text field is the page's dictionary of pictures, and what the page draws is called /V."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842]"
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [8 0 R 10 0 R] /Contents 4 0 R"
        b" /Resources << /XObject 8 0 R >> >>"
    )
    objects = {3: page, 4: stream(b"/V Do"), 60: stream(b"0 0 90 90 re f", form)}
    field = _FIELD + b" /V 60 0 R >>"
    document = certified(victim, 2, objects=objects | {8: field})
    return append(
        document,
        {SPARE: stream(b"0 0 300 300 re f", form), TEXT_FIELD: rewritten(document, TEXT_FIELD, V=b"190 0 R")},
    )


def _unasked(victim: Victim, first: bytes) -> tuple[bytes, Leaf]:
    """A second seal on a document certified at level 1, by a signer whose program does not ask."""
    leaf = victim.pki.leaf()
    lenient = first.replace(b"/P 1 /V", b"/P 2 /V")
    assert lenient != first
    prepared = draft(victim, lenient, leaf=leaf)
    strict = prepared.data.replace(b"/P 2 /V", b"/P 1 /V")
    return signed(redigested(prepared, strict), leaf), leaf


def _prepared_unasked(
    victim: Victim,
    first: bytes,
    leaf: Leaf,
    where: Placement,
    edits: tuple[tuple[bytes, bytes], ...] = (),
) -> PreparedDocument:
    """Prepared to be shown by a program that does not ask whether the document is certified."""
    hidden = first.replace(b"/Perms", b"/Permz")
    prepared = draft(victim, hidden, leaf=leaf, placement=where, edits=edits)
    return redigested(prepared, prepared.data.replace(b"/Permz", b"/Perms"))


def _shown_unasked(victim: Victim, first: bytes, leaf: Leaf, where: Placement) -> bytes:
    return signed(_prepared_unasked(victim, first, leaf, where), leaf)


def _stamped_in_sight(victim: Victim, first: bytes, *edits: tuple[bytes, bytes]) -> bytes:
    every = ((b"/ETSI.CAdES.detached", b"/ETSI.RFC3161"), *edits)
    prepared = _prepared_unasked(victim, first, victim.leaf, _EVERYWHERE, every)
    return embed(prepared, victim.pki.token(prepared.digest))


def second_signature_at_1(victim: Victim) -> bytes:
    """A sound, trusted second seal on a document certified to change in nothing."""
    return _unasked(victim, certified(victim, 1))[0]


def sneaky_signature_at_2(victim: Victim) -> bytes:
    """A stranger's signature whose picture covers the page."""
    leaf = victim.stranger.leaf()
    return _shown_unasked(victim, certified(victim, 2), leaf, _EVERYWHERE)


def seal_in_sight_at_2(victim: Victim) -> bytes:
    """A trusted second seal over the page, where the certification knew of no field for it."""
    return _shown_unasked(victim, certified(victim, 2), victim.pki.leaf(), _EVERYWHERE)


def seal_in_sight_at_3(victim: Victim) -> bytes:
    """The same where comments may be written."""
    return _shown_unasked(victim, certified(victim, 3), victim.pki.leaf(), _EVERYWHERE)


def timestamp_in_sight_at_1(victim: Victim) -> bytes:
    """A trusted document timestamp, which may always follow, with a picture over the page."""
    return _stamped_in_sight(victim, certified(victim, 1))


def timestamp_in_sight_at_2(victim: Victim) -> bytes:
    """The same where forms may be filled in."""
    return _stamped_in_sight(victim, certified(victim, 2))


def timestamp_in_sight_on_a_seal(victim: Victim) -> bytes:
    """The same on a document without a certification."""
    return _stamped_in_sight(victim, victim.sealed)


def timestamp_in_sight_without_a_picture(victim: Victim) -> bytes:
    """A document timestamp's field takes up room and leaves it to viewers what to draw there."""
    return _stamped_in_sight(victim, victim.sealed, (b"/AP <<", b"/MK <<"))


def timestamp_hidden_for_now(victim: Victim) -> bytes:
    """A document timestamp's field over the page is hidden, which some readers heed and some do not."""
    return _stamped_in_sight(victim, victim.sealed, (b"/F 132", b"/F 2"))


def sneaky_signature_on_a_seal(victim: Victim) -> bytes:
    """The same on a document without a certification."""
    return seal(victim.sealed, victim.stranger.leaf(), pki=victim.stranger, placement=_EVERYWHERE)


def sneaky_signature_with_an_action(victim: Victim) -> bytes:
    """A trusted second signature whose field acts when it is clicked."""
    leaf = victim.pki.leaf()
    action = b"/A << /S /URI /URI (https://evil.example.test/) >>"
    return signed(draft(victim, certified(victim, 2), leaf=leaf, field=action), leaf)


def sneaky_signature_with_scripts(victim: Victim) -> bytes:
    """A trusted second signature whose field has additional actions."""
    leaf = victim.pki.leaf()
    action = b"/AA << /E << /S /JavaScript /JS (app.alert(1)) >> >>"
    return signed(draft(victim, certified(victim, 2), leaf=leaf, field=action), leaf)


def sneaky_signature_that_is_no_widget(victim: Victim) -> bytes:
    """A trusted second signature whose field is shown as another kind of annotation."""
    leaf = victim.pki.leaf()
    edits = ((b"/Subtype /Widget", b"/Subtype /Stamp"),)
    return signed(draft(victim, certified(victim, 2), leaf=leaf, edits=edits), leaf)


def sneaky_signature_field_without_a_signature(victim: Victim) -> bytes:
    """A signature field over the page, with a look and no signature."""
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (more) /Rect [0 0 595 842] /F 4 /P 3 0 R"
        b" /AP << /N 4 0 R >> >>"
    )
    return _with_field(certified(victim, 2), field)


def sneaky_signature_field_with_an_empty_signature(victim: Victim) -> bytes:
    """A signature field over the page whose signature dictionary is empty."""
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (more) /Rect [0 0 595 842] /F 4 /P 3 0 R"
        b" /V << /Type /Sig /Filter /Adobe.PPKLite >> /AP << /N 4 0 R >> >>"
    )
    return _with_field(certified(victim, 2), field)


def sneaky_signature_field_with_a_borrowed_signature(victim: Victim) -> bytes:
    """A signature field over the page that refers to the certification."""
    document = certified(victim, 2)
    borrowed = signature_reference(document, _certification_name(document))
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (more) /Rect [0 0 595 842] /F 4 /P 3 0 R /V "
        + borrowed.written()
        + b" >>"
    )
    return _with_field(document, field)


def second_certification(victim: Victim) -> bytes:
    """A later signature that calls itself the certification, at a laxer level; the catalog follows it."""
    document = certified(victim, 1)
    later, _ = _unasked(victim, document)
    name = [field.name for field in fields_of(Document(later)) if field.kind == "Sig"][-1]
    perms = b"<< /DocMDP %b >>" % signature_reference(later, name).written()
    return changed(later, CATALOG, Perms=perms)


def certification_forgotten_by_the_catalog(victim: Victim) -> bytes:
    """The catalog does not name the certification any more, and a field is filled in."""
    document = certified(victim, 1)
    catalog = rewritten(document, CATALOG, Perms=b"null")
    field = rewritten(document, TEXT_FIELD, V=b"(because)")
    return append(document, {CATALOG: catalog, TEXT_FIELD: field})


def certification_loosened(victim: Victim) -> bytes:
    """The certification's dictionary says level 3 in a later revision."""
    document = certified(victim, 1)
    reference = signature_reference(document, _certification_name(document))
    loosened = text_of(document, reference).replace(b"/P 1 /V", b"/P 3 /V")
    return append(document, {reference: loosened})


def certification_loosened_in_place(victim: Victim) -> bytes:
    """The certification's level is changed where it stands."""
    return certified(victim, 1).replace(b"/P 1 /V", b"/P 3 /V")


def certification_without_its_lock(victim: Victim) -> bytes:
    """The lock is taken off the field, then the text is filled in."""
    document = certified(victim, 2, lock=_LOCK_ALL)
    name = _certification_name(document)
    unlocked = changed(document, field_reference(document, name), Lock=b"null")
    return changed(unlocked, TEXT_FIELD, V=b"(because)")


def certification_named_by_the_catalog_only_later(victim: Victim) -> bytes:
    """A signed document is certified afterwards by naming its signature, and a field is filled in."""
    leaf = victim.leaf
    document = signed(draft(victim, clean_document(victim.kind), signature=docmdp(2)), leaf)
    name = _certification_name(document)
    perms = b"<< /DocMDP %b >>" % signature_reference(document, name).written()
    catalog = rewritten(document, CATALOG, Perms=perms)
    field = rewritten(document, TEXT_FIELD, V=b"(because)")
    return append(document, {CATALOG: catalog, TEXT_FIELD: field})


def certification_by_nobody(victim: Victim) -> bytes:
    """What the catalog calls a certification was never signed by anybody, and allows to fill in forms."""
    claimed = b"<< /Type /Sig %b >>" % docmdp(3)
    document = clean_document(victim.kind, catalog=b"/Perms << /DocMDP 60 0 R >> ", objects={60: claimed})
    return changed(seal(document, victim.leaf, pki=victim.pki), TEXT_FIELD, V=b"(because)")


def usage_rights_added(victim: Victim) -> bytes:
    """The catalog gets usage rights beside the certification."""
    document = certified(victim, 2)
    name = _certification_name(document)
    reference = signature_reference(document, name).written()
    return changed(document, CATALOG, Perms=b"<< /DocMDP %b /UR3 %b >>" % (reference, reference))


def level_of_an_unknown_number(victim: Victim) -> bytes:
    """A certification of level 9 allows nothing; a field is filled in."""
    return changed(certified(victim, 9), TEXT_FIELD, V=b"(because)")


def change_hidden_before_a_document_timestamp(victim: Victim) -> bytes:
    """At level 1, where only timestamps may follow: the page is replaced, then honestly stamped."""
    attacked = append(certified(victim, 1), {CONTENTS: EVIL}).replace(b"/P 1 /V", b"/P 2 /V")
    return document_timestamp(victim, attacked)
