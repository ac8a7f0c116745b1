"""What each object of a revision is used for, as far as a later revision may change such a thing.

Objects that hold what a page shows are marked as well, so that an object with two uses, one of them harmless,
is found out: that is how a change of what is shown hides behind a change that is allowed. The uses are read once
and then follow the file from revision to revision. An object that was there before and gains a use later counts
as used for something else from then on, so that no chain of changes, each allowed, launders what it was for.
"""

from collections.abc import Iterator, Set

from trust.documents.pdf.drawn import Drawn
from trust.documents.pdf.errors import DocumentMalformed, DocumentRefused, DocumentTooLarge
from trust.documents.pdf.fields import Field, form_of
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.known_references import KnownReferences
from trust.documents.pdf.limits import MAX_PAGE_TREE_NODES
from trust.documents.pdf.pages import box_of, is_page_tree_node
from trust.documents.pdf.syntax import Dictionary, Reference, Value
from trust.documents.pdf.use import (
    Box,
    PageUse,
    Use,
    appearances_of,
    may_change,
    numbers_in,
    parts_of,
    use_of,
)

# Objects looked at in one file to say on which pages a change is to be seen.
_MAX_LOOKS = 20_000
# The page tree is read anew where a revision changed it; no honest file does so many times over.
_MAX_NODES_REREAD = 100_000


class Uses:
    """The uses in one revision, brought forward to the next by `follow`; raises DocumentRefused."""

    def __init__(self, view: RevisionView) -> None:
        self.view = view
        self.pages: dict[int, PageUse] = {}
        self.fields: tuple[Field, ...] = view.fields
        self.field_of: dict[int, Field] = {}
        self._singles: dict[int, set[Use]] = {}
        self._form_numbers: set[int] = set()
        self._tree: set[int] = set()
        self._shown: dict[int, set[int]] = {}
        self._lists: dict[int, set[int]] = {}
        self._tainted: set[int] = set()
        self._reread = 0
        self._looks_left = _MAX_LOOKS
        self._annotated: dict[int, int] | None = None
        self._drawn: Drawn | None = None
        self._known = KnownReferences()
        self._read_singles()
        self._read_fields()
        self._read_pages()
        self._count_known()

    def of(self, number: int) -> frozenset[Use]:
        """The uses of an object."""
        found = set(self._singles.get(number, ()))
        if (field := self.field_of.get(number)) is not None:
            found.add(use_of(field))
        if number in self.pages:
            found.add(Use.PAGE)
        if self._lists.get(number):
            found.add(Use.ANNOTATIONS)
        if number in self._shown or number in self._tainted:
            found.add(Use.SHOWN)
        return frozenset(found)

    def pages_showing(self, number: int) -> tuple[PageUse, ...]:
        """The pages that an object is part of: known at once, or found by looking through what each draws.

        Only for saying where a change is to be seen, so the looking ends where it has become too much.
        """
        numbers = self._shown.get(number, set())
        if numbers:
            return tuple(self.pages[each] for each in sorted(numbers) if each in self.pages)
        found = []
        for page in self.pages.values():
            drawn = Drawn(self._looks_left)
            try:
                drawn.add_node(self.view, page.dictionary)
            except DocumentRefused:
                self._looks_left = 0
                break
            self._looks_left -= len(drawn.numbers) + 1
            if number in drawn.numbers:
                found.append(page)
            if self._looks_left <= 0:
                break
        return tuple(found)

    def pages_listing(self, touched: Set[int]) -> tuple[PageUse, ...]:
        """The pages that are among these objects, or whose list of annotations is."""
        found = {number for number in touched if number in self.pages}
        for number in touched:
            found |= self._lists.get(number, set())
        return tuple(self.pages[number] for number in sorted(found))

    def page_of_annotation(self, number: int) -> PageUse | None:
        """The page that lists an annotation, so that it can be drawn where it is."""
        if self._annotated is None:
            self._annotated = {}
            for page in self.pages.values():
                self._note_annotations(page)
        return self.pages.get(self._annotated.get(number, -1))

    def owners_of_appearance(self, number: int) -> tuple[Field, ...]:
        """The fields that may be filled in and have this object as an appearance of one of their widgets."""
        return tuple(
            field
            for field in {id(field): field for field in self.field_of.values()}.values()
            if use_of(field) is Use.FILLABLE
            and any(number in appearances_of(self.view.dictionary(each)) for each in parts_of(field))
        )

    def expected(self, number: int) -> int:
        """How many references to an object are known: from trailers, catalog, form, store and pages."""
        return self._known.count(number)

    def is_drawn(self, number: int) -> bool:
        """Whether what is drawn on any page can reach an object."""
        if self._drawn is None:
            self._drawn = Drawn()
            for _, dictionary, _ in self._page_tree():
                self._drawn.add_node(self.view, dictionary)
        return number in self._drawn.numbers

    def follow(self, view: RevisionView, replaced: Set[int], created: Set[int], *, anew: bool) -> None:
        """Goes on to the next revision, in which these objects were touched; reads all `anew` where asked."""
        before = self.view
        self.view = view
        touched = replaced | created
        gained: list[tuple[int, Use]] = []

        # 1. The few things that there is one of.
        singles = self._singles
        self._singles = {}
        self._read_singles()
        gained.extend(
            (number, use)
            for number, uses in self._singles.items()
            for use in uses
            if use not in singles.get(number, ())
        )

        # 2. The fields, where anything of the form is among what was touched.
        if anew or touched & self._form_numbers or before.root.number in touched:
            known = self.field_of
            self.fields = view.fields
            self._read_fields()
            gained.extend(
                (number, use_of(field))
                for number, field in self.field_of.items()
                if number not in known or use_of(known[number]) is not use_of(field)
            )

        # 3. The pages: those that were touched, or all where the tree itself was.
        if anew or touched & self._tree:
            shown, lists, pages = self._shown, self._lists, self.pages
            self._shown, self._lists, self.pages, self._tree, self._annotated = {}, {}, {}, set(), None
            self._read_pages()
            gained.extend((number, Use.SHOWN) for number in self._shown.keys() - shown.keys())
            gained.extend((number, Use.ANNOTATIONS) for number in self._lists.keys() - lists.keys())
            gained.extend((number, Use.PAGE) for number in self.pages.keys() - pages.keys())
        else:
            affected = {number for number in touched if number in self.pages}
            for number in touched:
                affected |= self._shown.get(number, set()) & self.pages.keys()
                affected |= self._lists.get(number, set())
            for number in affected:
                gained.extend(self._reread_page(number))

        # 4. What was there before and is now used for something new has two uses from now on.
        locations = before.cross_references.locations
        for number, _ in gained:
            if number not in created and locations.get(number) is not None:
                self._tainted.add(number)

        # 5. Who refers to what, and what is drawn.
        self._known.add_trailer(view)
        for number in touched:
            self._known.add_object(view, number, self._referring_uses(number))
        if anew:
            self._drawn = None
        elif self._drawn is not None:
            for number in touched:
                self._drawn.add_annotation(view, number)

    def _mark(self, value: Value, use: Use) -> None:
        if isinstance(value, Reference):
            self._singles.setdefault(value.number, set()).add(use)

    def _read_singles(self) -> None:
        view = self.view
        catalog = view.catalog()
        self._mark(view.root, Use.CATALOG)
        self._mark(view.cross_references.trailer_value("Info"), Use.INFORMATION)
        self._mark(catalog.get("Metadata"), Use.METADATA)
        self._mark(catalog.get("AcroForm"), Use.FORM)
        if (form := form_of(view)) is not None:
            self._mark(form.get("Fields"), Use.FORM_FIELDS)
        for number in self._store_numbers(catalog.get("DSS")):
            self._singles.setdefault(number, set()).add(Use.VALIDATION_DATA)

    def _store_numbers(self, store: Value) -> set[int]:
        """The objects of the store of validation data, but for the data themselves."""
        numbers = numbers_in((store,))
        dictionary = self.view.dictionary(store)
        if dictionary is None:
            return numbers
        numbers |= numbers_in(dictionary.get(key) for key in ("Certs", "CRLs", "OCSPs", "VRI"))
        for value in (self.view.dictionary(dictionary.get("VRI")) or {}).values():
            entry = self.view.dictionary(value)
            if entry is not None and isinstance(value, Reference):
                numbers.add(value.number)
            if entry is not None:
                numbers |= numbers_in(entry.get(key) for key in ("Cert", "CRL", "OCSP"))
        return numbers

    def _count_known(self) -> None:
        """Counts the references from every version, up to this revision, of the things there is one of."""
        history = self.view.history
        for index in range(self.view.index + 1):
            self._known.add_trailer(history.view(index))
        listing = (page for pages in self._lists.values() for page in pages)
        for number in {*(each for each in self._singles if each in history.versions), *listing}:
            uses = self._referring_uses(number)
            for index in history.versions[number][0]:
                if index <= self.view.index:
                    self._known.add_object(history.view(index), number, uses)

    def _referring_uses(self, number: int) -> Set[Use]:
        return self._singles.get(number, set()) | ({Use.PAGE} if number in self.pages else set())

    def _read_fields(self) -> None:
        self.field_of = {}
        numbers = set()
        form = self.view.catalog().get("AcroForm")
        if (dictionary := self.view.dictionary(form)) is not None:
            numbers |= numbers_in((form, dictionary.get("Fields")))
        for field in self.fields:
            parts = numbers_in((field.reference, *field.widgets))
            numbers |= parts
            if "Kids" in field.dictionary:
                numbers |= numbers_in((field.dictionary["Kids"],))
            if may_change(field):
                self.field_of.update(dict.fromkeys(parts, field))
        self._form_numbers = numbers

    def _read_pages(self) -> None:
        for reference, dictionary, boxes in self._page_tree():
            if is_page_tree_node(dictionary):
                self._tree |= numbers_in((reference, dictionary.get("Kids")))
                for value in (reference, dictionary.get("Kids"), dictionary.get("Resources")):
                    self._show(value, 0)
                continue
            page = PageUse(
                reference=reference,
                dictionary=dictionary,
                number=len(self.pages) + 1,
                box=_visible(boxes),
                annotations=_reference(dictionary.get("Annots")),
            )
            self._take(page)

    def _page_tree(self) -> Iterator[tuple[Reference, Dictionary, tuple[Box | None, Box | None]]]:
        """Every node in the order of the pages, with the media and the crop box that it has or inherits."""
        waiting: list[tuple[Value, Box | None, Box | None]] = [(self.view.catalog().get("Pages"), None, None)]
        seen = set[Reference]()
        while waiting:
            node, media, crop = waiting.pop()
            if not isinstance(node, Reference) or node in seen or len(seen) > MAX_PAGE_TREE_NODES:
                raise DocumentMalformed("the page tree runs in a circle, or has a node that is not indirect")
            seen.add(node)
            dictionary = self.view.dictionary(node)
            if dictionary is None:
                continue
            media = box_of(self.view, self.view.resolve(dictionary.get("MediaBox"))) or media
            crop = box_of(self.view, self.view.resolve(dictionary.get("CropBox"))) or crop
            yield node, dictionary, (media, crop)
            if is_page_tree_node(dictionary):
                kids = self.view.array(dictionary.get("Kids")) or []
                waiting.extend((kid, media, crop) for kid in reversed(kids))
        self._reread += len(seen)
        if self._reread > MAX_PAGE_TREE_NODES + _MAX_NODES_REREAD:
            raise DocumentTooLarge("the pages were changed in more revisions than are compared")

    def _take(self, page: PageUse) -> list[tuple[int, Use]]:
        """Adds a page; gives what its parts are now used for."""
        number = page.reference.number
        self.pages[number] = page
        contents = page.dictionary.get("Contents")
        marked: list[tuple[int, Use]] = []
        for value in (page.dictionary.get("Resources"), contents, *(self.view.array(contents) or [])):
            if isinstance(value, Reference):
                marked.append((value.number, Use.SHOWN))
                self._show(value, number)
        if page.annotations is not None:
            marked.append((page.annotations.number, Use.ANNOTATIONS))
            self._lists.setdefault(page.annotations.number, set()).add(number)
        return marked

    def _show(self, value: Value, page: int) -> None:
        if isinstance(value, Reference):
            self._shown.setdefault(value.number, set()).add(page)

    def _reread_page(self, number: int) -> list[tuple[int, Use]]:
        """Reads one page as it is now; gives the uses that its parts did not have before."""
        old = self.pages[number]
        dictionary = self.view.dictionary(old.reference)
        if dictionary is None:
            return []
        known = {each: self.of(each) for each in _parts_of_page(self.view, dictionary)}
        if old.annotations is not None:
            self._lists[old.annotations.number].discard(number)
        page = PageUse(
            reference=old.reference,
            dictionary=dictionary,
            number=old.number,
            box=old.box,
            annotations=_reference(dictionary.get("Annots")),
        )
        marked = self._take(page)
        if self._annotated is not None:
            self._note_annotations(page)
        return [(each, use) for each, use in marked if use not in known.get(each, frozenset())]

    def _note_annotations(self, page: PageUse) -> None:
        if self._annotated is None:
            return
        # Pages may share one list; it is walked once.
        if page.annotations is None or min(self._lists[page.annotations.number]) == page.reference.number:
            for value in self.view.array(page.dictionary.get("Annots")) or []:
                if isinstance(value, Reference):
                    self._annotated.setdefault(value.number, page.reference.number)


def _parts_of_page(view: RevisionView, page: Dictionary) -> set[int]:
    contents = page.get("Contents")
    parts = (page.get("Resources"), contents, page.get("Annots"), *(view.array(contents) or []))
    return numbers_in(parts)


def _reference(value: Value) -> Reference | None:
    return value if isinstance(value, Reference) else None


def _visible(boxes: tuple[Box | None, Box | None]) -> Box | None:
    media, crop = boxes
    if media is None or crop is None:
        return media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else media
