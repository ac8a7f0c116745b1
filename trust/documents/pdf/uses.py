"""What each object of a signed revision is used for, as far as a later revision may change such a thing.

Objects that hold what a page shows are marked as well, so that an object with two uses, one of them harmless,
is found out: that is how a change of what is shown hides behind a change that is allowed.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed
from trust.documents.pdf.fields import Field, form_of
from trust.documents.pdf.limits import MAX_PAGE_TREE_NODES
from trust.documents.pdf.pages import is_page_tree_node
from trust.documents.pdf.permissions import Allowed, Permissions
from trust.documents.pdf.syntax import Dictionary, Reference, Value

_READ_ONLY = 1  # field flag 1 (Table 221)


class Use(StrEnum):
    """What an object is for."""

    CATALOG = "catalog"
    FORM = "form"
    FORM_FIELDS = "list of fields"
    EMPTY_SIGNATURE = "empty signature field"
    FILLABLE = "field that may be filled in"
    PAGE = "page"
    ANNOTATIONS = "list of annotations"
    VALIDATION_DATA = "validation data"
    INFORMATION = "document information"
    METADATA = "metadata"
    SHOWN = "part of what is shown"


@dataclass(frozen=True, kw_only=True)
class PageUse:
    """A page and, where its annotations stand in an object of their own, that object."""

    reference: Reference
    dictionary: Dictionary
    annotations: Reference | None


@dataclass(frozen=True, kw_only=True)
class Uses:
    """Uses by object number, and the pages."""

    by_number: dict[int, frozenset[Use]]
    pages: tuple[PageUse, ...]


def uses_of(document: Document, fields: tuple[Field, ...], permissions: Permissions) -> Uses:
    """The uses in one revision; raises DocumentRefused where it cannot be read."""
    found: defaultdict[int, set[Use]] = defaultdict(set)

    def mark(value: Value, use: Use) -> None:
        if isinstance(value, Reference):
            found[value.number].add(use)

    catalog = document.catalog()
    mark(document.root, Use.CATALOG)
    mark(document.cross_references.trailer_value("Info"), Use.INFORMATION)
    mark(catalog.get("Metadata"), Use.METADATA)
    mark(catalog.get("AcroForm"), Use.FORM)
    if (form := form_of(document)) is not None:
        mark(form.get("Fields"), Use.FORM_FIELDS)
    for reference, use in _field_uses(fields, permissions):
        mark(reference, use)
    for value in _validation_data(document, catalog.get("DSS")):
        mark(value, Use.VALIDATION_DATA)
    pages: list[PageUse] = []
    for value, use in _page_tree(document, catalog.get("Pages"), pages):
        mark(value, use)
    return Uses(by_number={number: frozenset(uses) for number, uses in found.items()}, pages=tuple(pages))


def _field_uses(fields: tuple[Field, ...], permissions: Permissions) -> Iterator[tuple[Value, Use]]:
    may_fill = (
        permissions.allowed is not None
        and permissions.allowed >= Allowed.FORMS
        and not permissions.fields_locked
    )
    for field in fields:
        if field.kind == "Sig" and field.dictionary.get("V") is None:
            use = Use.EMPTY_SIGNATURE
        elif field.kind in ("Tx", "Btn", "Ch") and may_fill and not field.flags & _READ_ONLY:
            use = Use.FILLABLE
        else:
            continue
        for reference in {field.reference, *field.widgets}:
            yield reference, use


def _validation_data(document: Document, store: Value) -> Iterator[Value]:
    yield store
    if (dictionary := document.dictionary(store)) is not None:
        for key in ("Certs", "CRLs", "OCSPs", "VRI"):
            yield dictionary.get(key)


def _page_tree(document: Document, root: Value, pages: list[PageUse]) -> Iterator[tuple[Value, Use]]:
    waiting, seen = [root], set[Reference]()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Reference) or node in seen or len(seen) > MAX_PAGE_TREE_NODES:
            raise DocumentMalformed("the page tree runs in a circle, or has a node that is not indirect")
        seen.add(node)
        dictionary = document.dictionary(node)
        if dictionary is None:
            continue
        yield dictionary.get("Resources"), Use.SHOWN
        if is_page_tree_node(dictionary):
            yield node, Use.SHOWN
            yield dictionary.get("Kids"), Use.SHOWN
            waiting.extend(document.array(dictionary.get("Kids")) or [])
            continue
        yield node, Use.PAGE
        annotations = dictionary.get("Annots")
        yield annotations, Use.ANNOTATIONS
        contents = dictionary.get("Contents")
        yield contents, Use.SHOWN
        for stream in document.array(contents) or []:
            yield stream, Use.SHOWN
        pages.append(
            PageUse(
                reference=node,
                dictionary=dictionary,
                annotations=annotations if isinstance(annotations, Reference) else None,
            )
        )
