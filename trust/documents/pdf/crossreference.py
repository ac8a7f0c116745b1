"""Where the objects of a PDF file are (ISO 32000-1 §7.5.4, §7.5.8): tables, streams and hybrids of both.

Nothing is repaired or guessed. A file whose cross-references are wrong is read differently by every program,
so neither sealing it nor calling it valid would mean anything.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from trust.documents.pdf import filters
from trust.documents.pdf.errors import (
    DocumentMalformed,
    DocumentNotPdf,
    DocumentTooLarge,
    DocumentTruncated,
)
from trust.documents.pdf.limits import (
    FEWEST_OBJECTS_ALLOWED,
    MAX_BYTES_AFTER_EOF,
    MAX_DECODED_STREAM_BYTES,
    MAX_OBJECTS,
    MAX_REVISIONS,
    OCTETS_PER_OBJECT,
)
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.syntax import (
    Dictionary,
    IndirectObject,
    Reference,
    Value,
    object_number_at,
    read_indirect_object,
    read_value,
)

_HEADER_WINDOW = 1024
_STARTXREF = re.compile(rb"startxref[\x00\t\n\x0c\r ]*(\d{1,12})[\x00\t\n\x0c\r ]*\Z")
_STARTXREF_WINDOW = 64
_TABLE = re.compile(rb"[\x00\t\n\x0c\r ]*+xref(?=[\x00\t\n\x0c\r ])")
_SUBSECTION = re.compile(rb"[\x00\t\n\x0c\r ]*+(\d{1,10}+)[ \t]++(\d{1,10}+)(?=[\x00\t\n\x0c\r ])")
_ENTRY = re.compile(rb"[\x00\t\n\x0c\r ]*+(\d{1,10}+)[ \t]++(\d{1,5}+)[ \t]++([nf])(?=[\x00\t\n\x0c\r ])")
_TRAILER = re.compile(rb"[\x00\t\n\x0c\r ]*+trailer")
ENDSTREAM = re.compile(rb"[\x00\t\n\x0c\r ]*+endstream")


class InFile(NamedTuple):
    """An object that stands at an octet of the file."""

    offset: int
    generation: int


class InStream(NamedTuple):
    """An object that stands at a place of an object stream."""

    container: int
    position: int


# None is a free entry: the object is not there.
Location: TypeAlias = InFile | InStream | None


@dataclass(frozen=True, kw_only=True)
class Section:
    """One cross-reference section: what one revision (or half of a linearised file) adds.

    It is read from octets between `lowest` and `end`; `lowest` is below `start` where a hybrid's stream stands
    before its table.
    """

    start: int
    lowest: int
    end: int
    entries: Mapping[int, Location]
    trailer: Dictionary
    is_stream: bool


@dataclass(frozen=True, kw_only=True)
class CrossReferences:
    """All sections, oldest first, and what they come to together."""

    sections: tuple[Section, ...]
    start: int
    locations: Mapping[int, Location]

    @property
    def newest(self) -> Section:
        return self.sections[-1]

    def trailer_value(self, key: str) -> Value:
        """A trailer entry, from the newest trailer that has it."""
        for section in reversed(self.sections):
            if section.trailer.get(key) is not None:
                return section.trailer[key]
        return None

    def next_number(self) -> int:
        """The lowest object number above every one that a section names or a trailer counts."""
        sizes = [section.trailer.get("Size") for section in self.sections]
        counted = max((size for size in sizes if isinstance(size, int)), default=0)
        return max(counted, max(self.locations, default=0) + 1, 1)


def read_cross_references(data: Octets) -> CrossReferences:
    """The cross-references of a whole file; raises a `DocumentRefused` that says what is wrong with it."""
    _require_header(data)
    newest_first: list[Section] = []
    seen: set[int] = set()
    objects = 0
    first = at = last_startxref(data, len(data))
    while True:
        if at in seen or len(seen) >= MAX_REVISIONS:
            raise DocumentMalformed(
                f"the cross-references run in a circle, or over {MAX_REVISIONS} revisions"
            )
        seen.add(at)
        section = _read_section(data, at)
        newest_first.append(section)
        objects += len(section.entries)
        _require_few(objects, data)
        previous = section.trailer.get("Prev")
        if previous is None:
            break
        at = _offset(previous, "Prev")
    sections = tuple(reversed(newest_first))
    locations: dict[int, Location] = {}
    for section in sections:
        locations.update(section.entries)
    locations.pop(0, None)  # the head of the list of free objects
    return CrossReferences(sections=sections, start=first, locations=locations)


def _require_header(data: Octets) -> None:
    at = data.find(b"%PDF-", 0, _HEADER_WINDOW)
    if at < 0:
        raise DocumentNotPdf("this is not a PDF file: it does not begin with %PDF-")
    if at > 0:
        raise DocumentMalformed(f"{at} octets stand before %PDF-; save the document anew without them")


def last_startxref(data: Octets, limit: int) -> int:
    """Where the file, cut off at `limit`, says that its newest section stands; raises DocumentRefused."""
    end = data.rfind(b"%%EOF", 0, limit)
    if end < 0 or limit - end - 5 > MAX_BYTES_AFTER_EOF:
        raise DocumentTruncated("the file does not end with %%EOF; it seems cut off")
    match = _STARTXREF.search(data[max(0, end - _STARTXREF_WINDOW) : end])
    if match is None:
        raise DocumentMalformed("no startxref stands before the last %%EOF")
    return int(match[1])


def _offset(value: Value, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DocumentMalformed(f"/{name} is not an offset")
    return value


def _read_section(data: Octets, at: int) -> Section:
    if at >= len(data):
        raise DocumentTruncated(f"cross-references should stand at octet {at}, after the end of the file")
    table = _TABLE.match(data, at)
    if table is not None:
        return _read_table(data, at, table.end())
    number = object_number_at(data, at)
    if number is not None:
        return _read_stream(data, at, number)
    raise DocumentMalformed(f"no cross-references stand at octet {at}, where the file says; save it anew")


def _read_table(data: Octets, start: int, at: int) -> Section:
    used: dict[int, Location] = {}
    free: dict[int, Location] = {}
    while (trailer := _TRAILER.match(data, at)) is None:
        head = _SUBSECTION.match(data, at)
        if head is None:
            raise DocumentMalformed(f"the cross-reference table is broken at octet {at}")
        first, count, at = int(head[1]), int(head[2]), head.end()
        for number in range(first, first + count):
            entry = _ENTRY.match(data, at)
            if entry is None:
                raise DocumentMalformed(f"the cross-reference table is broken at octet {at}")
            at = entry.end()
            # Octet 0 is the file's head: such entries are free ones whose writer said otherwise.
            if entry[3] == b"n" and int(entry[1]):
                place = InFile(int(entry[1]), int(entry[2]))
                if used.setdefault(number, place) != place:
                    raise DocumentMalformed(f"the cross-reference table has object {number} in two places")
                free.pop(number, None)
            elif number not in used:
                free[number] = None
    dictionary, end = read_value(data, trailer.end())
    if not isinstance(dictionary, Dictionary):
        raise DocumentMalformed("the trailer is not a dictionary")
    _require_single_keys(dictionary)
    hidden = _read_hidden(data, dictionary, used)
    return Section(
        start=start,
        lowest=start if hidden is None else min(start, hidden.start),
        end=end if hidden is None else max(end, hidden.end),
        entries={**free, **({} if hidden is None else hidden.entries), **used},
        trailer=dictionary,
        is_stream=False,
    )


def _read_hidden(data: Octets, trailer: Dictionary, used: Mapping[int, Location]) -> Section | None:
    """The stream of a hybrid file (§7.5.8.4): it shows objects that the table calls free."""
    if trailer.get("XRefStm") is None:
        return None
    at = _offset(trailer["XRefStm"], "XRefStm")
    number_there = object_number_at(data, at)
    if number_there is None:
        raise DocumentMalformed(f"no cross-reference stream stands at octet {at}")
    hidden = _read_stream(data, at, number_there)
    for number in used.keys() & hidden.entries.keys():
        if used[number] != hidden.entries[number]:
            raise DocumentMalformed(f"a hybrid file has object {number} in two places")
    return hidden


def _read_stream(data: Octets, start: int, number: int) -> Section:
    indirect = read_indirect_object(data, start, number)
    dictionary = indirect.value
    if not isinstance(dictionary, Dictionary) or dictionary.get("Type") != "XRef":
        raise DocumentMalformed(f"object {number} at octet {start} is not a cross-reference stream")
    widths = dictionary.get("W")
    if not isinstance(widths, list) or len(widths) != 3:
        raise DocumentMalformed("a cross-reference stream has no /W of three widths")
    columns = [_offset(width, "W") for width in widths]
    if max(columns) > 8 or sum(columns) < 1:
        raise DocumentMalformed("a cross-reference stream has impossible widths")
    ranges = list(_index_ranges(dictionary))
    count = sum(len(each) for each in ranges)
    _require_few(count, data)
    limit = min(count * (sum(columns) + 1) + 4096, MAX_DECODED_STREAM_BYTES)
    encoded = stream_octets(indirect, dictionary.get("Length"))
    decoded = filters.decode(encoded, dictionary, limit=limit)
    if len(decoded) < count * sum(columns):
        raise DocumentMalformed("a cross-reference stream is shorter than it says")
    _require_single_keys(dictionary)
    entries: dict[int, Location] = {}
    for entry_number, location in _stream_entries(decoded, columns, ranges):
        if entries.setdefault(entry_number, location) != location:
            raise DocumentMalformed(f"the cross-reference stream has object {entry_number} in two places")
    end = (indirect.stream or start) + len(encoded)
    return Section(start=start, lowest=start, end=end, entries=entries, trailer=dictionary, is_stream=True)


def _require_few(objects: int, data: Octets) -> None:
    most = min(MAX_OBJECTS, FEWEST_OBJECTS_ALLOWED + len(data) // OCTETS_PER_OBJECT)
    if objects > most:
        raise DocumentTooLarge(f"a document of {len(data)} octets has no more than {most} objects")


def _require_single_keys(trailer: Dictionary) -> None:
    """Readers disagree which of two /Prev or /Root counts."""
    if trailer.repeated:
        raise DocumentMalformed(f"/{min(trailer.repeated)} stands twice in a trailer")


def _index_ranges(dictionary: Dictionary) -> Iterator[range]:
    index = dictionary.get("Index")
    if index is None:
        index = [0, dictionary.get("Size")]
    if not isinstance(index, list) or len(index) % 2:
        raise DocumentMalformed("a cross-reference stream has an impossible /Index")
    for at in range(0, len(index), 2):
        first, count = _offset(index[at], "Index"), _offset(index[at + 1], "Index")
        if count > MAX_OBJECTS:
            raise DocumentTooLarge(f"a cross-reference stream lists more than {MAX_OBJECTS} objects")
        yield range(first, first + count)


def _stream_entries(
    decoded: bytes, columns: list[int], ranges: list[range]
) -> Iterator[tuple[int, Location]]:
    kind_width, first_width, _ = columns
    row, at = sum(columns), 0
    for numbers in ranges:
        for number in numbers:
            kind = int.from_bytes(decoded[at : at + kind_width], "big") if kind_width else 1
            first = int.from_bytes(decoded[at + kind_width : at + kind_width + first_width], "big")
            second = int.from_bytes(decoded[at + kind_width + first_width : at + row], "big")
            at += row
            # Table 18; a type that is not listed there is to be read as null.
            location: Location = None
            if kind == 1 and first:
                location = InFile(first, second)
            elif kind == 2:
                location = InStream(first, second)
            yield number, location


def stream_octets(indirect: IndirectObject, length: Value) -> bytes:
    """The encoded data of a stream object, given its /Length resolved; raises DocumentMalformed."""
    if indirect.stream is None or isinstance(length, bool) or not isinstance(length, int) or length < 0:
        raise DocumentMalformed("a stream of structure is not a stream, or has no length")
    end = indirect.stream + length
    if end > len(indirect.source):
        raise DocumentTruncated("a stream goes on after the end of the file")
    if ENDSTREAM.match(indirect.source, end) is None:
        raise DocumentMalformed("a stream of structure does not end where its length says")
    return indirect.source[indirect.stream : end]


def own_stream_reference(section: Section, data: Octets) -> Reference | None:
    """The reference of the section's own stream object, where it is one."""
    number = object_number_at(data, section.start) if section.is_stream else None
    return Reference(number, 0) if number is not None else None
