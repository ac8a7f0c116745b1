"""The form of a document: its fields, by name, and which of them are signatures (ISO 32000-1 §12.7)."""

from dataclasses import dataclass

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed, DocumentTooLarge
from trust.documents.pdf.limits import MAX_FIELDS, MAX_NESTING
from trust.documents.pdf.syntax import Dictionary, Reference, Value, text_string


@dataclass(frozen=True, kw_only=True)
class Field:
    """A form field. `name` is fully qualified; `kind` (/FT) and `flags` (/Ff) are inherited where not its own.

    `widgets` are where it is shown: itself, or its children that are no fields.
    """

    name: str
    reference: Reference | None
    dictionary: Dictionary
    kind: str | None
    flags: int
    widgets: tuple[Reference, ...]


def form_of(document: Document) -> Dictionary | None:
    """The interactive form dictionary, if the document has one."""
    return document.dictionary(document.catalog().get("AcroForm"))


def fields_of(document: Document) -> tuple[Field, ...]:
    """Every field, parents before their children; raises DocumentMalformed where the tree runs in a circle."""
    return FieldReader().read(document)


class FieldReader:
    """Reads the fields of several revisions of one file; what has not changed is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, str | None, int], Field] = {}

    def read(self, document: Document) -> tuple[Field, ...]:
        """Every field, as `fields_of` says."""
        form = form_of(document)
        waiting: list[_Node] = []
        if form is not None:
            top = document.array(form.get("Fields")) or []
            waiting = [_Node(value, "", None, 0, 0) for value in reversed(top)]
        found: list[Field] = []
        seen: set[Reference] = set()
        while waiting:
            node = waiting.pop()
            if isinstance(node.value, Reference):
                if node.value in seen:
                    raise DocumentMalformed("the form's fields run in a circle, or one is listed twice")
                seen.add(node.value)
            if len(found) >= MAX_FIELDS or len(waiting) > MAX_FIELDS:
                raise DocumentTooLarge(f"the form has more than {MAX_FIELDS} fields")
            if (dictionary := document.dictionary(node.value)) is None:
                continue
            field, children = self._field(document, node, dictionary)
            found.append(field)
            waiting.extend(reversed(children))
        return tuple(found)

    def _field(
        self, document: Document, node: "_Node", dictionary: Dictionary
    ) -> tuple[Field, list["_Node"]]:
        # By identity: an object that no revision replaced is the same one in each. Only what says all itself.
        key = id(dictionary), node.parent, node.kind, node.flags
        if (known := self._known.get(key)) is not None and known.reference == node.value:
            return known, []
        field, children = _read(document, node, dictionary)
        alone = "Kids" not in dictionary and not any(
            isinstance(dictionary.get(each), Reference) for each in ("T", "FT", "Ff")
        )
        if alone:
            self._known[key] = field
        return field, children


@dataclass(frozen=True, slots=True)
class _Node:
    value: Value
    parent: str
    kind: str | None
    flags: int
    depth: int


def _read(document: Document, node: _Node, dictionary: Dictionary) -> tuple[Field, list[_Node]]:
    if node.depth > MAX_NESTING:
        raise DocumentMalformed(f"the form's fields are nested deeper than {MAX_NESTING} levels")
    title = document.resolve(dictionary.get("T"))
    own = text_string(title) if isinstance(title, bytes) else ""
    name = f"{node.parent}.{own}" if node.parent and own else node.parent or own
    own_kind, own_flags = document.resolve(dictionary.get("FT")), document.resolve(dictionary.get("Ff"))
    kind = own_kind if isinstance(own_kind, str) else node.kind
    flags = own_flags if isinstance(own_flags, int) else node.flags
    reference = node.value if isinstance(node.value, Reference) else None
    widgets: list[Reference] = []
    if reference is not None and dictionary.get("Subtype") == "Widget":
        widgets.append(reference)
    children: list[_Node] = []
    for kid in document.array(dictionary.get("Kids")) or []:
        below = document.dictionary(kid)
        if below is not None and "T" not in below and isinstance(kid, Reference):
            widgets.append(kid)
        elif below is not None:
            children.append(_Node(kid, name, kind, flags, node.depth + 1))
    field = Field(
        name=name, reference=reference, dictionary=dictionary, kind=kind, flags=flags, widgets=tuple(widgets)
    )
    return field, children
