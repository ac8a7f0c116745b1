"""What can be reached from what is drawn on the pages: resources, contents, and the looks of annotations.

Looked for only where a file refers to a thing that may change from more places than are known: a dictionary that
is the form and also a page's dictionary of pictures would change what is shown along with itself.
"""

from trust.documents.pdf.errors import DocumentTooLarge
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.syntax import Dictionary, Reference, Value

# Beyond that the question costs more than its answer is worth to an honest file.
_MAX_OBJECTS = 300_000
# What of a node of the page tree is drawn, and which of a dictionary's entries only lead back.
_DRAWN = ("Resources", "Contents", "Group")
_BACK = frozenset({"Parent", "P", "StructParent", "StructParents"})


class Drawn:
    """The numbers of all objects that drawing can come upon; raises DocumentTooLarge above `most`."""

    def __init__(self, most: int = _MAX_OBJECTS) -> None:
        self._most = most
        self.numbers: set[int] = set()
        self._lists: set[int] = set()

    def add_node(self, view: RevisionView, dictionary: Dictionary) -> None:
        """Adds what a page, or a node above pages, draws."""
        self._add(view, [dictionary.get(key) for key in _DRAWN])
        annotations = dictionary.get("Annots")
        if isinstance(annotations, Reference):
            if annotations.number in self._lists:
                return
            self._lists.add(annotations.number)
        for value in view.array(annotations) or []:
            if (annotation := view.dictionary(value)) is not None:
                self._add(view, [annotation.get("AP")])

    def add_annotation(self, view: RevisionView, number: int) -> None:
        """Adds the looks of an annotation that came or changed; nothing where the object is none."""
        location = view.cross_references.locations.get(number)
        value = view.at(number, location).value if location is not None else None
        if isinstance(value, Dictionary) and "AP" in value:
            self._add(view, [value["AP"]])

    def _add(self, view: RevisionView, values: list[Value]) -> None:
        waiting = values
        while waiting:
            value = waiting.pop()
            if isinstance(value, Reference):
                if value.number in self.numbers:
                    continue
                self.numbers.add(value.number)
                if len(self.numbers) > self._most:
                    raise DocumentTooLarge("the document draws more than is looked through")
                found = view.indirect(value)
                waiting.append(found.value if found is not None else None)
            elif isinstance(value, list):
                waiting.extend(value)
            elif isinstance(value, Dictionary):
                waiting.extend(below for key, below in value.items() if key not in _BACK)
