"""Finding a page and the geometry it is shown with (ISO 32000-1 §7.7.3, §14.11.2)."""

from dataclasses import dataclass

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed, PlacementOffPage
from trust.documents.pdf.limits import MAX_PAGE_TREE_NODES
from trust.documents.pdf.syntax import Dictionary, IndirectObject, Reference, Value

# Attributes that a page takes from the nodes above it (Table 30).
_INHERITED = ("MediaBox", "CropBox", "Rotate")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: where it stands, its visible box in user space, how it is turned (clockwise) and its unit."""

    reference: Reference
    indirect: IndirectObject
    dictionary: Dictionary
    left: float
    bottom: float
    right: float
    top: float
    rotation: int
    user_unit: float


def page_count(document: Document) -> int:
    """How many pages the document says that it has."""
    pages = document.dictionary(document.catalog().get("Pages"))
    count = document.resolve(pages.get("Count")) if pages is not None else None
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise DocumentMalformed("the document has no pages")
    return count


def find_page(document: Document, number: int) -> Page:
    """Page `number`, 1 for the first and -1 for the last; raises PlacementOffPage where there is none."""
    count = page_count(document)
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise PlacementOffPage(f"there is no page {number}: the document has {count}")
    node = document.catalog().get("Pages")
    inherited: dict[str, Value] = {}
    seen: set[Reference] = set()
    while True:
        found = document.indirect(node) if isinstance(node, Reference) else None
        if found is None or not isinstance(found.value, Dictionary) or not isinstance(node, Reference):
            raise DocumentMalformed("the page tree has a node that is not an indirect dictionary")
        if node in seen or len(seen) > MAX_PAGE_TREE_NODES:
            raise DocumentMalformed("the page tree runs in a circle")
        seen.add(node)
        for key in _INHERITED:
            if (value := document.resolve(found.value.get(key))) is not None:
                inherited[key] = value
        if not is_page_tree_node(found.value):
            return _page(document, node, found, found.value, inherited)
        node, index = _descend(document, found.value, index)


def is_page_tree_node(dictionary: Dictionary) -> bool:
    """Whether a node of the page tree has further nodes below it."""
    return dictionary.get("Type") == "Pages" or ("Kids" in dictionary and dictionary.get("Type") != "Page")


def _descend(document: Document, node: Dictionary, index: int) -> tuple[Value, int]:
    for position, kid in enumerate(document.array(node.get("Kids")) or []):
        if position > MAX_PAGE_TREE_NODES:
            break
        below = document.dictionary(kid)
        count = document.resolve(below.get("Count")) if below and is_page_tree_node(below) else 1
        if not isinstance(count, int) or count < 0:
            raise DocumentMalformed("the page tree counts its pages wrongly")
        if index < count:
            return kid, index
        index -= count
    raise DocumentMalformed("the page tree counts more pages than it has")


def _page(
    document: Document,
    reference: Reference,
    indirect: IndirectObject,
    dictionary: Dictionary,
    inherited: dict[str, Value],
) -> Page:
    media = box_of(document, inherited.get("MediaBox"))
    if media is None:
        raise DocumentMalformed("the page has no media box")
    crop = box_of(document, inherited.get("CropBox")) or media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    if left >= right or bottom >= top:
        # Viewers show the media box where the crop box leaves nothing of it.
        left, bottom, right, top = media
    rotation = inherited.get("Rotate", 0)
    if not isinstance(rotation, int) or rotation % 90:
        raise DocumentMalformed("the page is turned by an angle that is not a multiple of 90 degrees")
    unit = document.resolve(dictionary.get("UserUnit"))
    if unit is None:
        unit = 1.0
    if isinstance(unit, bool) or not isinstance(unit, int | float) or unit <= 0:
        raise DocumentMalformed("the page has an impossible unit")
    return Page(
        reference=reference,
        indirect=indirect,
        dictionary=dictionary,
        left=left,
        bottom=bottom,
        right=right,
        top=top,
        rotation=rotation % 360,
        user_unit=float(unit),
    )


def box_of(document: Document, value: Value) -> tuple[float, float, float, float] | None:
    """A rectangle (its array, resolved) with its corners in order; None where it is not one or is empty."""
    if not isinstance(value, list) or len(value) != 4:
        return None
    corners = [document.resolve(corner) for corner in value]
    numbers = [
        float(each) for each in corners if isinstance(each, int | float) and not isinstance(each, bool)
    ]
    if len(numbers) != 4:
        return None
    left, right = sorted((numbers[0], numbers[2]))
    bottom, top = sorted((numbers[1], numbers[3]))
    return (left, bottom, right, top) if left < right and bottom < top else None
