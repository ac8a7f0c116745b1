"""The revisions of a file, each read as if the file ended with it, at the cost of reading the file once.

A revision is a view: the same octets up to an end, and the first of the file's cross-reference sections. What one
view has read stands in a cache by its place, so that fifty views of an object cost one reading. That a view says
what the revision read alone would say rests on four things, each checked where it is used: its own `startxref`
leads to one of the file's sections, so the sections before it are the same; none of those reaches beyond its end;
no object it gives reaches beyond its end; and an object stream is shared only where its dictionary says all that
is needed to decode it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import accumulate

from trust.documents.pdf.crossreference import (
    CrossReferences,
    InFile,
    InStream,
    Location,
    Section,
    last_startxref,
)
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentMalformed
from trust.documents.pdf.fields import Field, FieldReader
from trust.documents.pdf.permissions import PermissionReader, Permissions
from trust.documents.pdf.syntax import Dictionary, IndirectObject, Reference, is_self_contained

# Behind the cross-references: a comment or two, startxref, %%EOF and its line end.
_TAIL_WINDOW = 512
_TAIL = re.compile(rb"startxref[\x00\t\n\x0c\r ]+\d{1,12}[\x00\t\n\x0c\r ]+%%EOF[\x00\t\n\x0c\r ]{0,64}")

_ObjectStream = tuple[bytes, list[tuple[int, int]]]


class History:
    """The revisions of one document, by the index of their newest cross-reference section."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.sections: tuple[Section, ...] = document.cross_references.sections
        self.last = len(self.sections) - 1
        self._by_start = {section.start: index for index, section in enumerate(self.sections)}
        self._furthest = list(accumulate((section.end for section in self.sections), max))
        lowest = list(accumulate((section.lowest for section in reversed(self.sections)), min))
        self._lowest_from = lowest[::-1]
        self._views: dict[tuple[int, int], RevisionView] = {}
        self.objects: dict[tuple[int, InFile], IndirectObject] = {}
        self.object_streams: dict[tuple[int, Location], _ObjectStream] = {}
        self.packed: dict[tuple[int, int, int], IndirectObject] = {}
        self.fields = FieldReader()
        self.permissions = PermissionReader()

    @cached_property
    def versions(self) -> Mapping[int, tuple[list[int], list[Location]]]:
        """For each object number, the sections that name it and where they say it is."""
        found: dict[int, tuple[list[int], list[Location]]] = {}
        for index, section in enumerate(self.sections):
            for number, location in section.entries.items():
                if number:
                    indices, locations = found.setdefault(number, ([], []))
                    indices.append(index)
                    locations.append(location)
        return found

    @cached_property
    def ends(self) -> list[int]:
        """Where each revision ends, white space after its %%EOF included; the last one ends with the file."""
        found: list[int] = []
        furthest = 0
        for section in self.sections:
            window = self.document.data[section.end : section.end + _TAIL_WINDOW]
            tail = _TAIL.search(window)
            furthest = max(furthest, section.end + (tail.end() if tail is not None else 0))
            found.append(furthest)
        found[-1] = len(self.document.data)
        return found

    def extend(self, index: int, end: int) -> None:
        """Notes that a signature covers this revision up to `end`, whatever stands between; before any view is had."""
        for each in range(index, self.last + 1):
            if self.ends[each] >= end:
                break
            self.ends[each] = end

    def index_of(self, end: int) -> int | None:
        """The newest section of the file cut off at `end`; None where that is none of this file's.

        Raises DocumentRefused where the file cut off there does not say where it is.
        """
        if end == len(self.document.data):
            return self.last
        return self._by_start.get(last_startxref(self.document.data, end))

    def reaches_beyond(self, index: int, end: int) -> bool:
        """Whether any section up to this one is read from octets after `end`."""
        return self._furthest[index] > end

    def later_sections_reach_below(self, index: int, end: int) -> bool:
        """Whether any section after this one is read from octets before `end`."""
        return index < self.last and self._lowest_from[index + 1] < end

    def view(self, index: int, end: int | None = None) -> "RevisionView":
        """The revision whose newest section is `index`, of the file cut off at `end`."""
        if end is None:
            end = self.ends[index]
        key = index, end
        if key not in self._views:
            self._views[key] = RevisionView(self, index, end)
        return self._views[key]

    @property
    def newest(self) -> "RevisionView":
        """The whole file."""
        return self.view(self.last, len(self.document.data))


class _LocationsAt(Mapping[int, Location]):
    """Where objects are according to the sections up to one of them."""

    def __init__(self, history: History, index: int) -> None:
        self._versions = history.versions
        self._index = index

    def get(self, number: int, default: Location = None) -> Location:  # type: ignore[override]  # narrower
        found = self._versions.get(number)
        if found is None:
            return default
        indices, locations = found
        # Nearly all objects have one version, or are asked about in their newest one.
        if indices[-1] <= self._index:
            return locations[-1]
        position = bisect_right(indices, self._index)
        return locations[position - 1] if position else default

    def __getitem__(self, number: int) -> Location:
        if number not in self:
            raise KeyError(number)
        return self.get(number)

    def __contains__(self, number: object) -> bool:
        found = self._versions.get(number) if isinstance(number, int) else None
        return found is not None and found[0][0] <= self._index

    def __iter__(self) -> Iterator[int]:
        return (number for number, (indices, _) in self._versions.items() if indices[0] <= self._index)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class RevisionView(Document):
    """A document as it was at the end of one of its revisions; raises what `Document` raises.

    `index` is that of its newest section, `end` where its octets end. `data` are those of the whole file: read
    them through the methods.
    """

    def __init__(self, history: History, index: int, end: int) -> None:
        # Not that of the base: the octets and sections have been read already.
        whole = history.document
        self.data = whole.data
        self.history = history
        self.index = index
        self.end = end
        sections = history.sections[: index + 1]
        self.cross_references = CrossReferences(
            sections=sections, start=sections[-1].start, locations=_LocationsAt(history, index)
        )
        root = self.cross_references.trailer_value("Root")
        # The earlier half of a linearised file, which nobody reads alone, names none (ISO 32000-1 Annex F.3.4).
        self.root = root if isinstance(root, Reference) else whole.root
        self._decoded = whole._decoded  # one budget for all that the file decodes to
        self._own_streams: dict[int, _ObjectStream] = {}

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Every field of the form, as `fields_of` gives them."""
        return self.history.fields.read(self)

    @cached_property
    def permissions(self) -> Permissions:
        """What the signatures in it allow, as `permissions_of` gives it."""
        return self.history.permissions.read(self, self.fields)

    def indirect(self, reference: Reference) -> IndirectObject | None:
        location = self.cross_references.locations.get(reference.number)
        if location is None:
            return None
        if (location.generation if isinstance(location, InFile) else 0) != reference.generation:
            return None
        return self.at(reference.number, location)

    def at(self, number: int, location: InFile | InStream) -> IndirectObject:
        if isinstance(location, InStream):
            # The stream stays in a cache as long as the history, so its identity is its name.
            key = number, location.position, id(self._object_stream(location.container))
            if key not in self.history.packed:
                self.history.packed[key] = self._in_object_stream(number, location)
            return self.history.packed[key]
        found = self.history.objects.get((number, location))
        if found is None:
            found = super().at(number, location)
            self.history.objects[number, location] = found
        if found.end > self.end or (found.stream is not None and found.stream > self.end):
            raise DocumentMalformed(f"object {number} goes on after the end of its revision")
        return found

    def stream_end(self, found: IndirectObject) -> int:
        """Where the data of a stream object end by its /Length; its own end where it is no stream."""
        length = self.resolve(found.value.get("Length")) if isinstance(found.value, Dictionary) else None
        if found.stream is None or isinstance(length, bool) or not isinstance(length, int):
            return found.end
        return found.stream + length

    def _object_stream(self, number: int) -> _ObjectStream:
        location = self.cross_references.locations.get(number)
        found = self.history.object_streams.get((number, location)) or self._own_streams.get(number)
        if found is not None:
            return found
        container = self.indirect(Reference(number, 0)) if isinstance(location, InFile) else None
        if container is not None and self.stream_end(container) > self.end:
            raise DocumentMalformed(f"object stream {number} goes on after the end of its revision")
        self._object_streams = {}
        found = super()._object_stream(number)
        if container is not None and is_self_contained(container.value):
            self.history.object_streams[number, location] = found
        else:
            self._own_streams[number] = found
        return found
