"""What each object of a revision is used for, as far as a later revision may change such a thing.

Objects that hold what a page shows are marked as well, so that an object with two uses, one of them harmless,
is found out: that is how a change of what is shown hides behind a change that is allowed. The uses are read once
and then follow the file from revision to revision. An object that was there before and gains a use later counts
as used for something else from then on, so that no chain of changes, each allowed, launders what it was for.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from enum import StrEnum

from trust.documents.pdf.drawn import Drawn
from trust.documents.pdf.errors import DocumentMalformed, DocumentTooLarge
from trust.documents.pdf.fields import Field, form_of
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.limits import MAX_PAGE_TREE_NODES
from trust.documents.pdf.pages import box_of, is_page_tree_node
from trust.documents.pdf.syntax import Dictionary, Reference, Value

_READ_ONLY = 1  # field flag 1 (Table 221)
# The page tree is read anew where a revision changed it; no honest file does so many times over.
_MAX_NODES_REREAD = 100_000
# The store, /VRI in it, and the data of one signature in that.
_STORE_DEPTH = 2

Box = tuple[float, float, float, float]


class Use(StrEnum):
    """What an object is for."""

    CATALOG = "catalog"
    FORM = "form"
    FORM_FIELDS = "list of fields"
    EMPTY_SIGNATURE = "empty signature field"
    FILLABLE = "field that may be filled in"
    APPEARANCE = "appearance of a field that may be filled in"
    PAGE = "page"
    ANNOTATIONS = "list of annotations"
    COMMENT = "comment"
    VALIDATION_DATA = "validation data"
    INFORMATION = "document information"
    METADATA = "metadata"
    SHOWN = "part of what is shown"


@dataclass(frozen=True, kw_only=True)
class PageUse:
    """A page, its number from 1, its visible box, and the object of its annotations where they have one."""

    reference: Reference
    dictionary: Dictionary
    number: int
    box: Box | None
    annotations: Reference | None


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
        self._annotated: dict[int, int] | None = None
        self._drawn: Drawn | None = None
        self._expected: Counter[int] = Counter()
        self._counted: set[tuple[int, int]] = set()
        self._read_singles()
        self._read_fields()
        self._read_pages()
        self._expect_all()

    def of(self, number: int) -> frozenset[Use]:
        """The uses of an object."""
        found = set(self._singles.get(number, ()))
        if (field := self.field_of.get(number)) is not None:
            found.add(_use_of(field))
        if number in self.pages:
            found.add(Use.PAGE)
        if self._lists.get(number):
            found.add(Use.ANNOTATIONS)
        if number in self._shown or number in self._tainted:
            found.add(Use.SHOWN)
        return frozenset(found)

    def pages_showing(self, number: int) -> tuple[PageUse, ...]:
        """The pages that an object is part of, as far as it is known here."""
        numbers = self._shown.get(number, set())
        return tuple(self.pages[each] for each in sorted(numbers) if each in self.pages)

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
            if _use_of(field) is Use.FILLABLE
            and any(number in appearances_of(self.view.dictionary(each)) for each in parts_of(field))
        )

    def expected(self, number: int) -> int:
        """How many references to an object are known: from trailers, catalog, form, store and pages."""
        return self._expected[number]

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
                (number, _use_of(field))
                for number, field in self.field_of.items()
                if number not in known or _use_of(known[number]) is not _use_of(field)
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
        self._expect_trailer(view)
        for number in touched:
            self._expect_from(view, number)
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
        numbers = _numbers((store,))
        dictionary = self.view.dictionary(store)
        if dictionary is None:
            return numbers
        numbers |= _numbers(dictionary.get(key) for key in ("Certs", "CRLs", "OCSPs", "VRI"))
        for value in (self.view.dictionary(dictionary.get("VRI")) or {}).values():
            entry = self.view.dictionary(value)
            if entry is not None and isinstance(value, Reference):
                numbers.add(value.number)
            if entry is not None:
                numbers |= _numbers(entry.get(key) for key in ("Cert", "CRL", "OCSP"))
        return numbers

    def _expect_all(self) -> None:
        """Counts the references from every version, up to this revision, of the things there is one of."""
        history = self.view.history
        single = [number for number in self._singles if number in history.versions]
        for index in range(self.view.index + 1):
            self._expect_trailer(history.view(index))
        for number in {*single, *(page for pages in self._lists.values() for page in pages)}:
            for index in history.versions[number][0]:
                if index <= self.view.index:
                    self._expect_from(history.view(index), number)

    def _expect_trailer(self, view: RevisionView) -> None:
        trailer = view.cross_references.newest.trailer
        self._expected.update(_numbers_with_repeats((trailer.get("Root"), trailer.get("Info"))))

    def _expect_from(self, view: RevisionView, number: int) -> None:
        """Counts what one version of the catalog, the form, the store or a page refers to."""
        location = view.cross_references.locations.get(number)
        found = view.at(number, location) if location is not None else None
        if found is None or not isinstance(found.value, Dictionary):
            return
        # Two revisions, and two numbers of an object stream, may name the same octets: they count once.
        place = id(found.source), found.start
        if place in self._counted:
            return
        self._counted.add(place)
        value, uses = found.value, self._singles.get(number, set())
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
        if number in self.pages:
            values.append(value.get("Annots"))
        self._expected.update(_numbers_with_repeats(values))

    def _read_fields(self) -> None:
        self.field_of = {}
        numbers = set()
        form = self.view.catalog().get("AcroForm")
        if (dictionary := self.view.dictionary(form)) is not None:
            numbers |= _numbers((form, dictionary.get("Fields")))
        for field in self.fields:
            parts = _numbers((field.reference, *field.widgets))
            numbers |= parts
            if "Kids" in field.dictionary:
                numbers |= _numbers((field.dictionary["Kids"],))
            if _may_change(field):
                self.field_of.update(dict.fromkeys(parts, field))
        self._form_numbers = numbers

    def _read_pages(self) -> None:
        for reference, dictionary, boxes in self._page_tree():
            if is_page_tree_node(dictionary):
                self._tree |= _numbers((reference, dictionary.get("Kids")))
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


def parts_of(field: Field) -> tuple[Reference, ...]:
    """The field's own object and those of its widgets, each once."""
    own = () if field.reference is None else (field.reference,)
    return tuple(dict.fromkeys((*own, *field.widgets)))


def appearances_of(widget: Dictionary | None) -> tuple[int, ...]:
    """The objects that a widget has as its appearances, by state or without (ISO 32000-1 §12.5.5)."""
    appearance = widget.get("AP") if widget is not None else None
    found: list[int] = []
    for value in appearance.values() if isinstance(appearance, Dictionary) else ():
        states: Iterable[Value] = value.values() if isinstance(value, Dictionary) else (value,)
        found.extend(each.number for each in states if isinstance(each, Reference))
    return tuple(found)


def _may_change(field: Field) -> bool:
    if field.kind == "Sig":
        return field.dictionary.get("V") is None
    return field.kind in ("Tx", "Btn", "Ch") and not field.flags & _READ_ONLY


def _use_of(field: Field) -> Use:
    return Use.EMPTY_SIGNATURE if field.kind == "Sig" else Use.FILLABLE


def _parts_of_page(view: RevisionView, page: Dictionary) -> set[int]:
    contents = page.get("Contents")
    parts = (page.get("Resources"), contents, page.get("Annots"), *(view.array(contents) or []))
    return _numbers(parts)


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


def _numbers_with_repeats(values: Iterable[Value]) -> list[int]:
    return [value.number for value in values if isinstance(value, Reference)]


def _numbers(values: Iterable[Value]) -> set[int]:
    return {value.number for value in values if isinstance(value, Reference)}


def _reference(value: Value) -> Reference | None:
    return value if isinstance(value, Reference) else None


def _visible(boxes: tuple[Box | None, Box | None]) -> Box | None:
    media, crop = boxes
    if media is None or crop is None:
        return media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else media
