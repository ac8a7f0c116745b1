"""Finding a page and the geometry it is shown with (ISO 32000-1 §7.7.3, §14.11.2)."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed, PlacementOffPage
from trust.documents.pdf.limits import MAX_PAGE_TREE_NODES
from trust.documents.pdf.syntax import Dictionary, IndirectObject, Reference, Value

# Attributes that a page takes from the nodes above it (Table 30).
_INHERITED = ("MediaBox", "CropBox", "Rotate")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: its number from 1, where it stands, its visible box in user space, its turn (clockwise), its unit."""

    number: int
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
    (page,) = find_pages(document, (number,))
    return page


def find_pages(document: Document, numbers: Sequence[int]) -> tuple[Page, ...]:
    """Those pages in the order asked for, the page tree walked once; errors as `find_page`."""
    count = page_count(document)
    asked = [page_index(number, count) for number in numbers]
    wanted = sorted(set(asked))
    found = dict(_walk(document, wanted))
    if len(found) < len(wanted):
        raise DocumentMalformed("the page tree counts more pages than it has")
    return tuple(found[index] for index in asked)


def page_index(number: int, count: int) -> int:
    """The index, from 0, of page `number` of `count`; raises PlacementOffPage where there is none."""
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise PlacementOffPage(f"there is no page {number}: the document has {count}")
    return index


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of the tree, the index of the first page below it, what it inherits."""

    value: Value
    first: int
    inherited: dict[str, Value]


def _walk(document: Document, wanted: list[int]) -> Iterator[tuple[int, Page]]:
    """The pages of these indices (ascending), going down only where one of them lies."""
    waiting = [_Node(document.catalog().get("Pages"), 0, {})]
    seen: set[Reference] = set()
    while waiting:
        node = waiting.pop()
        reference = node.value
        found = document.indirect(reference) if isinstance(reference, Reference) else None
        if found is None or not isinstance(found.value, Dictionary) or not isinstance(reference, Reference):
            raise DocumentMalformed("the page tree has a node that is not an indirect dictionary")
        if reference in seen or len(seen) > MAX_PAGE_TREE_NODES:
            raise DocumentMalformed("the page tree runs in a circle, or lists a page twice")
        seen.add(reference)
        inherited = dict(node.inherited)
        for key in _INHERITED:
            if (value := document.resolve(found.value.get(key))) is not None:
                inherited[key] = value
        if is_page_tree_node(found.value):
            waiting.extend(_below(document, found.value, node.first, inherited, wanted))
        else:
            yield node.first, _page(document, node.first + 1, reference, found, inherited)


def is_page_tree_node(dictionary: Dictionary) -> bool:
    """Whether a node of the page tree has further nodes below it."""
    return dictionary.get("Type") == "Pages" or ("Kids" in dictionary and dictionary.get("Type") != "Page")


def _below(
    document: Document, node: Dictionary, first: int, inherited: dict[str, Value], wanted: list[int]
) -> list[_Node]:
    """The kids below which a wanted page lies, the last one first; each wanted page is below exactly one."""
    own = document.resolve(node.get("Count"))
    end = first + own if isinstance(own, int) else first
    at, below = bisect_left(wanted, first), list[_Node]()
    for position, kid in enumerate(document.array(node.get("Kids")) or []):
        if position > MAX_PAGE_TREE_NODES or at == len(wanted) or wanted[at] >= end:
            break
        dictionary = document.dictionary(kid)
        is_node = dictionary is not None and is_page_tree_node(dictionary)
        count = document.resolve(dictionary.get("Count")) if dictionary is not None and is_node else 1
        if not isinstance(count, int) or count < 0:
            raise DocumentMalformed("the page tree counts its pages wrongly")
        if wanted[at] < first + count:
            below.append(_Node(kid, first, inherited))
            at = bisect_left(wanted, first + count)
        first += count
    if at < len(wanted) and wanted[at] < end:
        raise DocumentMalformed("the page tree counts more pages than it has")
    return below[::-1]


def _page(
    document: Document,
    number: int,
    reference: Reference,
    indirect: IndirectObject,
    inherited: dict[str, Value],
) -> Page:
    dictionary = indirect.value
    if not isinstance(dictionary, Dictionary):
        raise DocumentMalformed("a page is not a dictionary")
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
        number=number,
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
