"""Preparing a document for a signature, without any key: everything that can be refused is refused here.

    prepared = prepare(document, placement=…, impression=…, field_name=None, signer_name="…", reserved=…, at=now)
    sealed = embed(prepared, cms_over(prepared.digest))

The update holds a signature dictionary for PAdES (ETSI EN 319 142-1 §5.3: SubFilter ETSI.CAdES.detached), its
field with the widget, and for a visible seal the picture; every rewritten object keeps its other entries octet
for octet. The same input gives the same octets.
"""

from datetime import UTC, datetime

from trust.crypto.digests import Digest
from trust.documents.pdf.appearance import (
    Impression,
    picture_of,
    written_colours,
    written_coverage,
    written_form,
)
from trust.documents.pdf.archival import picture_rules
from trust.documents.pdf.catalog import Extension, declared, put_in_catalog
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import (
    DocumentDynamicForm,
    DocumentFieldName,
    DocumentFieldTaken,
    DocumentForbidsChanges,
    DocumentMalformed,
    DocumentTooLarge,
    ImpressionRefused,
    reading_a_strangers_file,
)
from trust.documents.pdf.fields import Field, fields_of, form_of
from trust.documents.pdf.limits import MAX_CONTENTS_BYTES, MAX_SIGNATURES_PER_FILE
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.pages import Page, find_page
from trust.documents.pdf.permissions import Allowed, permissions_of
from trust.documents.pdf.placement import Placement, Spot, locate
from trust.documents.pdf.prepared import PreparedDocument, finish, signature_dictionary
from trust.documents.pdf.revision import Revision
from trust.documents.pdf.syntax import (
    Dictionary,
    Reference,
    Value,
    read_value,
    with_entries,
    written_array,
    written_number,
    written_text,
)
from trust.kernel.text import line

_AUTOMATIC_NAME = "Seal{number}"
_TIMESTAMP_NAME = "Timestamp{number}"
_MAX_FIELD_NAME_CHARACTERS = 100
# Print (3) and Locked (8): printed with the page, and viewers do not offer to move it (Table 165).
_WIDGET_FLAGS = 4 | 128
# SignaturesExist and AppendOnly (Table 219).
_SIGNATURE_FLAGS = 1 | 2
_SIGNATURE = b"/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
_TIMESTAMP = b"/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161"


def prepare(
    document: Octets,
    *,
    placement: Placement | None,
    impression: Impression | None,
    field_name: str | None,
    signer_name: str,
    reserved: int,
    at: datetime,
    digest_algorithm: Digest = Digest.SHA256,
    declares_iso_32002: bool = False,
) -> PreparedDocument:
    """Lays out the update for one signature; invisible where `placement` is None.

    `document` is in memory or mapped (`octets.mapped`); `field_name` None takes the first free of Seal1, Seal2,
    …; `reserved` is the largest CMS, in octets; `at` is the claimed signing time (/M); `digest_algorithm` is the
    signer's (`CmsIdentity.digest`); `declares_iso_32002` tells readers of an algorithm that ISO 32000-2 does not
    name (Ed25519: ISO/TS 32002 §5). Raises DocumentRefused (see `errors`), ImpressionRefused and PlacementOffPage.
    """
    _require_room(reserved)
    signer_name = line(signer_name, what="signer name")
    with reading_a_strangers_file():
        # 1. Read the document and find out whether it may be signed at all.
        source = Document(document)
        fields = fields_of(source)
        _require_signable(source, fields)
        name = _choose_name(fields, field_name)

        # 2. Find the page and the spot.
        page = find_page(source, placement.page if placement is not None else 1)
        spot = _spot(page, placement, impression)

        # 3. The signature, its field, its appearance.
        revision = Revision(source)
        moment = at.astimezone(UTC).strftime("D:%Y%m%d%H%M%SZ").encode("ascii")
        signature = signature_dictionary(
            head=_SIGNATURE,
            reserved=reserved,
            tail=b" /M (%b) /Name %b" % (moment, written_text(signer_name)),
        )
        signature_reference = revision.add(signature.body)
        form = _add_appearance(revision, source, spot, impression) if spot and impression else None
        field = revision.add(_field(name, page, spot, signature_reference, form))

        # 4. The page and the form learn of the field.
        _add_to_page(revision, source, page, field)
        entries = _add_to_form(revision, source, field)
        if declares_iso_32002:
            entries |= declared(source, Extension.ISO_32002)
        put_in_catalog(revision, source, entries)

        # 5. Lay it out; then the ranges are known, and what they digest to.
        return finish(source, revision, signature, signature_reference, name=name, algorithm=digest_algorithm)


def prepare_document_timestamp(document: Octets, *, reserved: int) -> PreparedDocument:
    """Lays out the update for a document timestamp (ETSI EN 319 142-1 §5.4.3): what is to be stamped is `digest`.

    The token goes in by `embed`, as a CMS does. Raises DocumentRefused.
    """
    _require_room(reserved)
    with reading_a_strangers_file():
        source = Document(document)
        fields = fields_of(source)
        _require_readable(source, fields)
        revision = Revision(source)
        signature = signature_dictionary(head=_TIMESTAMP, reserved=reserved, tail=b"")
        reference = revision.add(signature.body)
        page = find_page(source, 1)
        name = _choose_name(fields, None, automatic=_TIMESTAMP_NAME)
        field = revision.add(_field(name, page, None, reference, None))
        _add_to_page(revision, source, page, field)
        put_in_catalog(revision, source, _add_to_form(revision, source, field))
        return finish(source, revision, signature, reference, name=name, algorithm=Digest.SHA256)


def _require_room(reserved: int) -> None:
    if not 0 < reserved <= MAX_CONTENTS_BYTES:
        raise DocumentTooLarge(f"{reserved} octets cannot be reserved; from 1 to {MAX_CONTENTS_BYTES} can")


def _require_signable(source: Document, fields: tuple[Field, ...]) -> None:
    _require_readable(source, fields)
    if permissions_of(source, fields).allowed is Allowed.NOTHING:
        raise DocumentForbidsChanges(
            "a signature in the document forbids every change; seal the unsigned original"
        )


def _require_readable(source: Document, fields: tuple[Field, ...]) -> None:
    form = form_of(source)
    if form is not None and source.resolve(form.get("XFA")) is not None:
        raise DocumentDynamicForm("the document is an XFA form; print it to PDF first, then seal that")
    signatures = sum(field.kind == "Sig" and field.dictionary.get("V") is not None for field in fields)
    if signatures >= MAX_SIGNATURES_PER_FILE:
        raise DocumentTooLarge(f"the document has {signatures} signatures; no more are added to it")


def _choose_name(fields: tuple[Field, ...], asked: str | None, *, automatic: str = _AUTOMATIC_NAME) -> str:
    taken = {field.name for field in fields} | {field.name.split(".")[0] for field in fields}
    if asked is None:
        number = 1
        while automatic.format(number=number) in taken:
            number += 1
        return automatic.format(number=number)
    name = line(asked, what="field name", limit=_MAX_FIELD_NAME_CHARACTERS)
    if "." in name:
        raise DocumentFieldName("a field name may not hold a full stop: it separates the levels of a form")
    if name in taken:
        raise DocumentFieldTaken(f"the document has a field {name!r} already; choose another name, or none")
    return name


def _spot(page: Page, placement: Placement | None, impression: Impression | None) -> Spot | None:
    if placement is None:
        return None
    if impression is None:
        raise ImpressionRefused("a placement was given without an impression to put there")
    return locate(
        page,
        placement,
        width_mm=impression.width_mm if placement.width_mm is None else placement.width_mm,
        height_mm=impression.height_mm if placement.height_mm is None else placement.height_mm,
    )


def _add_appearance(revision: Revision, source: Document, spot: Spot, impression: Impression) -> Reference:
    rules = picture_rules(source)
    picture = picture_of(impression.png, opaque=rules.opaque)
    coverage = revision.add(written_coverage(picture)) if picture.coverage is not None else None
    image = revision.add(written_colours(picture, coverage=coverage, calibrated=rules.calibrated))
    return revision.add(written_form(spot, image))


def _field(
    name: str, page: Page, spot: Spot | None, signature: Reference, appearance: Reference | None
) -> bytes:
    corners = (spot.left, spot.bottom, spot.right, spot.top) if spot else (0, 0, 0, 0)
    parts = [
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T " + written_text(name),
        b"/V " + signature.written(),
        b"/P " + page.reference.written(),
        b"/F %d" % _WIDGET_FLAGS,
        b"/Rect " + written_array(map(written_number, corners)),
    ]
    if appearance is not None:
        parts.append(b"/AP << /N " + appearance.written() + b" >>")
    if spot is not None and spot.rotation:
        parts.append(b"/MK << /R %d >>" % spot.rotation)
    return b" ".join(parts) + b" >>"


def _add_to_page(revision: Revision, source: Document, page: Page, widget: Reference) -> None:
    annotations = page.dictionary.get("Annots")
    array = source.indirect(annotations) if isinstance(annotations, Reference) else None
    if isinstance(annotations, Reference) and array is not None and array.value is not None:
        revision.put(annotations, _appended(array.text(), array.value, widget, what="annotations"))
        return
    if annotations is None or isinstance(annotations, Reference):
        appended = written_array((widget.written(),))
    else:
        written = _entry(page.indirect.source, page.dictionary, "Annots")
        appended = _appended(written, annotations, widget, what="annotations")
    revision.put(page.reference, with_entries(page.indirect.source, page.dictionary, {"Annots": appended}))


def _add_to_form(revision: Revision, source: Document, field: Reference) -> dict[str, bytes]:
    """Adds the field to the form; gives the entries of the catalog that change with it."""
    catalog = source.indirect(source.root)
    if catalog is None or not isinstance(catalog.value, Dictionary):
        raise DocumentMalformed("the document has no catalog")
    place = catalog.value.get("AcroForm")
    found = source.indirect(place) if isinstance(place, Reference) else None
    if isinstance(place, Reference) and found is not None and isinstance(found.value, Dictionary):
        body = _form_with(revision, source, found.source, found.value, field)
        revision.put(place, body)
        return {}
    if isinstance(place, Dictionary):
        form = _form_with(revision, source, catalog.source, place, field)
    elif source.resolve(place) is None:
        form = b"<< /Fields [%b] /SigFlags %d >>" % (field.written(), _SIGNATURE_FLAGS)
    else:
        raise DocumentMalformed("the document's form is not a dictionary")
    return {"AcroForm": form}


def _form_with(
    revision: Revision, source: Document, text: Octets, form: Dictionary, field: Reference
) -> bytes:
    flags = source.resolve(form.get("SigFlags"))
    replaced = {"SigFlags": b"%d" % ((flags if isinstance(flags, int) else 0) | _SIGNATURE_FLAGS)}
    fields = form.get("Fields")
    if isinstance(fields, Reference) and (array := source.indirect(fields)) is not None:
        revision.put(fields, _appended(array.text(), array.value, field, what="fields"))
    elif isinstance(fields, list):
        replaced["Fields"] = _appended(_entry(text, form, "Fields"), fields, field, what="fields")
    elif source.resolve(fields) is None:
        replaced["Fields"] = written_array((field.written(),))
    else:
        raise DocumentMalformed("the form's fields are not an array")
    return with_entries(text, form, replaced)


def _entry(text: Octets, dictionary: Dictionary, key: str) -> bytes:
    """The value of an entry that is there, as its author wrote it."""
    entry = next(entry for entry in dictionary.entries if entry.key == key)
    return text[entry.value : entry.end]


def _appended(written: bytes, value: Value, reference: Reference, *, what: str) -> bytes:
    """An array as its author wrote it, with one reference more."""
    if not isinstance(value, list):
        raise DocumentMalformed(f"the {what} are not an array")
    _, end = read_value(written, 0)
    return written[: end - 1] + b" " + reference.written() + b"]"
