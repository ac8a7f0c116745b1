"""Where a document's signatures are shown: page and box of each signature field's widget (ISO 32000-1 §12.5.2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import fields_of
from trust.documents.pdf.pages import is_page_tree_node
from trust.documents.pdf.syntax import Dictionary, Reference, Value

# Pages looked at for widgets; a longer document's later signatures are reported without their place.
MAX_PAGES_LOOKED_AT = 3000
# A page of a form has dozens of annotations; one with more hides nothing by it but its own signature's place.
MAX_ANNOTATIONS_LOOKED_AT = 2000


@dataclass(frozen=True, kw_only=True)
class Place:
    """A page, 1 for the first, and a box in its user space: left, bottom, right, top."""

    page: int
    box: tuple[float, float, float, float]


def signature_places(document: Document) -> Mapping[str, tuple[Place, ...]]:
    """The visible places of every signature field, by the field's name; raises DocumentRefused.

    A seal across the edges of many pages has as many places.
    """
    wanted = {
        widget: field.name for field in fields_of(document) if field.kind == "Sig" for widget in field.widgets
    }
    found: dict[str, tuple[Place, ...]] = {}
    for number, page in enumerate(_pages(document), start=1):
        if not wanted or number > MAX_PAGES_LOOKED_AT:
            break
        annotations = document.array(page.get("Annots")) or []
        for annotation in annotations[:MAX_ANNOTATIONS_LOOKED_AT]:
            if not isinstance(annotation, Reference) or annotation not in wanted:
                continue
            # Popped: a widget that several pages list is shown on the first of them.
            name, box = wanted.pop(annotation), _box(document, annotation)
            if box is not None:
                found[name] = (*found.get(name, ()), Place(page=number, box=box))
    return found


def _pages(document: Document) -> Iterator[Dictionary]:
    """The pages in order; a tree that runs in a circle ends where it meets itself."""
    waiting: list[Value] = [document.catalog().get("Pages")]
    seen: set[Reference] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Reference):
            if node in seen:
                continue
            seen.add(node)
        dictionary = document.dictionary(node)
        if dictionary is None:
            continue
        if is_page_tree_node(dictionary):
            kids = document.array(dictionary.get("Kids")) or []
            waiting.extend(reversed(kids[:MAX_PAGES_LOOKED_AT]))
        else:
            yield dictionary


def _box(document: Document, widget: Reference) -> tuple[float, float, float, float] | None:
    """A widget's rectangle; None where it has none or shows nothing."""
    dictionary = document.dictionary(widget)
    corners = document.array(dictionary.get("Rect")) if dictionary is not None else None
    if corners is None or len(corners) != 4:
        return None
    numbers = [document.resolve(corner) for corner in corners]
    sides = [float(each) for each in numbers if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(sides) != 4:
        return None
    left, right = sorted((sides[0], sides[2]))
    bottom, top = sorted((sides[1], sides[3]))
    return (left, bottom, right, top) if left < right and bottom < top else None
