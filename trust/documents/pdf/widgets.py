"""The signature's field and where it is shown: one widget for each spot, on its page (ISO 32000-1 §12.5.6.19, §12.7).

With one spot, or none, field and widget are one dictionary. With several, the field is their parent: one name, one
signature, and widgets without a name of their own. The widgets repeat the field's value, for poppler takes each of
them for a field and does not look above it: without, its users read of a signature that is not there.

Every rewritten object keeps its other entries octet for octet.
"""

from dataclasses import dataclass

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.pages import Page
from trust.documents.pdf.placement import Spot
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

# Print (3) and Locked (8): printed with the page, and viewers do not offer to move it (Table 165).
_WIDGET_FLAGS = 4 | 128
# SignaturesExist and AppendOnly (Table 219).
_SIGNATURE_FLAGS = 1 | 2


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Where a signature is shown, with its appearance; on a page only, where it is invisible."""

    page: Page
    spot: Spot | None = None
    appearance: Reference | None = None


def add_field(
    revision: Revision, source: Document, *, name: str, signature: Reference, shown: tuple[Shown, ...]
) -> dict[str, bytes]:
    """Adds the field and its widgets, and tells the pages and the form; gives the catalog's entries that change.

    Raises DocumentMalformed where the document's form or annotations are not what they have to be.
    """
    value = b" /V " + signature.written()
    own = b"/FT /Sig /T " + written_text(name) + value
    if len(shown) == 1:
        field = revision.add(_widget(shown[0], own))
        widgets = [(shown[0].page, field)]
    else:
        field = revision.allocate()
        parent = b"/Parent " + field.written() + value
        widgets = [(each.page, revision.add(_widget(each, parent))) for each in shown]
        kids = written_array(widget.written() for _, widget in widgets)
        revision.put(field, b"<< " + own + b" /Kids " + kids + b" >>")
    _add_to_pages(revision, source, widgets)
    return _add_to_form(revision, source, field)


def _widget(shown: Shown, own: bytes) -> bytes:
    spot = shown.spot
    corners = (spot.left, spot.bottom, spot.right, spot.top) if spot else (0, 0, 0, 0)
    parts = [
        b"<< /Type /Annot /Subtype /Widget " + own,
        b"/P " + shown.page.reference.written(),
        b"/F %d" % _WIDGET_FLAGS,
        b"/Rect " + written_array(map(written_number, corners)),
    ]
    if shown.appearance is not None:
        parts.append(b"/AP << /N " + shown.appearance.written() + b" >>")
    if spot is not None and spot.rotation:
        parts.append(b"/MK << /R %d >>" % spot.rotation)
    return b" ".join(parts) + b" >>"


def _add_to_pages(revision: Revision, source: Document, widgets: list[tuple[Page, Reference]]) -> None:
    """Each page's annotations grow by its widget; a list that stands in an object of its own stays there."""
    extended: set[Reference] = set()
    for page, widget in widgets:
        annotations = page.dictionary.get("Annots")
        array = source.indirect(annotations) if isinstance(annotations, Reference) else None
        if isinstance(annotations, Reference) and array is not None and array.value is not None:
            written = _appended(array.text(), array.value, widget, what="annotations")
            if annotations not in extended:
                extended.add(annotations)
                revision.put(annotations, written)
                continue
            # Pages that share one list would each show the other's widget: the later ones get their own.
        elif annotations is None or isinstance(annotations, Reference):
            written = written_array((widget.written(),))
        else:
            direct = _entry(page.indirect.source, page.dictionary, "Annots")
            written = _appended(direct, annotations, widget, what="annotations")
        body = with_entries(page.indirect.source, page.dictionary, {"Annots": written})
        revision.put(page.reference, body)


def _add_to_form(revision: Revision, source: Document, field: Reference) -> dict[str, bytes]:
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
