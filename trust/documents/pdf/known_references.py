"""How many references to an object are known, from the places that are meant to refer to it.

Where a file's octets refer to an object more often than that, it may have a second use (see `references`).
"""

from collections import Counter
from collections.abc import Iterable, Set

from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.syntax import Dictionary, Reference, Value
from trust.documents.pdf.use import Use

# The store, /VRI in it, and the data of one signature in that.
_STORE_DEPTH = 2


class KnownReferences:
    """Counts what trailers, catalog, form, store and pages refer to, in all their versions; each octet once."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._counted: set[tuple[int, int]] = set()

    def count(self, number: int) -> int:
        """How many references to an object are known."""
        return self._counts[number]

    def add_trailer(self, view: RevisionView) -> None:
        """Counts what the newest trailer of a revision refers to."""
        trailer = view.cross_references.newest.trailer
        self._add((trailer.get("Root"), trailer.get("Info")))

    def add_object(self, view: RevisionView, number: int, uses: Set[Use]) -> None:
        """Counts what an object refers to as it is in this revision, by what it is used for."""
        location = view.cross_references.locations.get(number)
        found = view.at(number, location) if location is not None else None
        if found is None or not isinstance(found.value, Dictionary):
            return
        # Two revisions, and two numbers of an object stream, may name the same octets: they count once.
        place = id(found.source), found.start
        if place in self._counted:
            return
        self._counted.add(place)
        value = found.value
        values: list[Value] = []
        if Use.CATALOG in uses:
            form, store = value.get("AcroForm"), value.get("DSS")
            values += (form, store, value.get("Metadata"))
            values += (form.get("Fields"),) if isinstance(form, Dictionary) else ()
            values += _within_store(store) if isinstance(store, Dictionary) else ()
        if Use.FORM in uses:
            values.append(value.get("Fields"))
        if Use.VALIDATION_DATA in uses:
            values += _within_store(value)
        if Use.PAGE in uses:
            values.append(value.get("Annots"))
        self._add(values)

    def _add(self, values: Iterable[Value]) -> None:
        self._counts.update(value.number for value in values if isinstance(value, Reference))


def _within_store(value: Dictionary) -> list[Value]:
    """What the store, the data by signature, or those of one signature refer to, as far as it may be replaced."""
    found: list[Value] = []
    waiting: list[tuple[Value, int]] = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        if isinstance(each, Dictionary) and depth <= _STORE_DEPTH:
            waiting.extend((below, depth + 1) for below in each.values())
        else:
            found.append(each)
    return found
