"""Whether a document says two things at once where its pages are concerned: readers then disagree about what it shows.

Of a key that stands twice in a dictionary, ISO 32000-1 §7.3.7 does not say which value counts; some readers take the
first, most the last. In the catalog, the page tree and the form that decides what is shown as the signed document.
"""

from collections.abc import Iterator

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentRefused
from trust.documents.pdf.fields import form_of
from trust.documents.pdf.limits import MAX_PAGE_TREE_NODES
from trust.documents.pdf.syntax import Dictionary, Reference, Value


def ambiguity_in(view: Document) -> str | None:
    """The first thing found that is said twice, in a sentence; None where there is none, or nothing can be read."""
    try:
        for what, dictionary in _dictionaries(view):
            if dictionary.repeated:
                return f"{what} has /{min(dictionary.repeated)} twice: readers disagree which counts"
    except DocumentRefused:
        return None  # what cannot be read is told where it matters
    return None


def _dictionaries(view: Document) -> Iterator[tuple[str, Dictionary]]:
    catalog = view.catalog()
    yield "the catalog", catalog
    if (form := form_of(view)) is not None:
        yield "the form", form
    waiting: list[Value] = [catalog.get("Pages")]
    seen: set[Reference] = set()
    while waiting and len(seen) <= MAX_PAGE_TREE_NODES:
        node = waiting.pop()
        if not isinstance(node, Reference) or node in seen:
            continue
        seen.add(node)
        dictionary = view.dictionary(node)
        if dictionary is None:
            continue
        yield f"object {node.number} of the page tree", dictionary
        if "Kids" in dictionary:
            waiting.extend(view.array(dictionary["Kids"]) or [])
