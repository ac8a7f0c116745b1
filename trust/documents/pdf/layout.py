"""Whether a later revision is written so that every reader reads it alike.

A reader that finds a fault in cross-references rebuilds them by looking for objects, and each reader finds fault
with something else. So a forger plants an object that nothing lists, and a fault. Of a revision after a signature
it is therefore asked that every octet belongs to something that its cross-references name, and that these are
written as ISO 32000-1 §7.5.4 and §7.5.5 say, to the octet.
"""

import re
from collections.abc import Iterator

from trust.documents.pdf.crossreference import InFile, Section
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.syntax import Reference, object_number_at, read_value

_EOL = rb"(?:\r\n|\n|\r)"
_TABLE = re.compile(
    rb"xref *+"
    + _EOL
    + rb"(?:\d{1,10}+ \d{1,10}+ *+"
    + _EOL
    + rb"(?:\d{10} \d{5} [nf](?: \r| \n|\r\n))*+)*+"
    + rb"trailer[\x00\t\n\x0c\r ]*+"
)
_HEAD = re.compile(rb"(\d{1,10}+)[\x00\t\n\x0c\r ]++(\d{1,5}+)[\x00\t\n\x0c\r ]++obj")
_END = re.compile(rb"[\x00\t\n\x0c\r ]*+endobj")
_END_OF_STREAM = re.compile(rb"[\x00\t\n\x0c\r ]*+endstream[\x00\t\n\x0c\r ]*+endobj")
_POINTER = re.compile(rb"startxref *+" + _EOL + rb"\d{1,12}+ *+" + _EOL + rb"%%EOF[\x00\t\n\x0c\r ]*+\Z")
# White space, and comments such as writers leave to name themselves.
_GAP = re.compile(rb"(?:[\x00\t\n\x0c\r ]++|%[^\r\n]*+" + _EOL + rb")*+")
_OBJECT_LIKE = re.compile(rb"obj|xref|trailer|stream")
# Gaps are a few octets; what is longer is not looked at piece by piece.
_MAX_GAP = 1024


def problems_of_layout(view: RevisionView, start: int) -> Iterator[str]:
    """What is odd about the newest revision of a view, which begins at octet `start`; raises DocumentRefused."""
    section = view.cross_references.newest
    data = view.data
    yield from _trailer_problems(view, section)

    # 1. The pieces: objects that are listed, the cross-references, and what leads to them.
    pieces: list[tuple[int, int]] = []
    for number, location in section.entries.items():
        if not isinstance(location, InFile) or not number or location.offset < start:
            continue
        end = _object_end(view, number, location)
        if end is None:
            yield f"object {number} of a later revision has another head or end than it should"
        else:
            pieces.append((location.offset, end))
    tail = None
    for at in _section_places(section):
        end = _section_end(view, section, at)
        if end is None:
            yield "the cross-references of a later revision are not written as they should be"
            return
        pieces.append((at, end))
        tail = end if at == section.start else tail
    if tail is None:
        return
    pointer = data.find(b"startxref", tail, view.end)
    if pointer < 0 or _POINTER.match(data[pointer : view.end]) is None:
        yield "a later revision does not end as it should, with startxref and %%EOF"
        return
    pieces.append((pointer, view.end))

    # 2. Nothing else.
    at = start
    for first, end in sorted(set(pieces)):
        if first < at:
            yield f"objects of a later revision overlap at octet {first}"
            return
        if not _is_gap(data, at, first):
            yield f"a later revision has octets that belong to nothing (at octet {at})"
            return
        at = end


def _trailer_problems(view: RevisionView, section: Section) -> Iterator[str]:
    trailer = section.trailer
    size = trailer.get("Size")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        yield "the trailer of a later revision does not say how many objects there are"
    if trailer.get("Root") != view.root:
        yield "the trailer of a later revision names no catalog"
    information = trailer.get("Info")
    if "Info" in trailer and (not isinstance(information, Reference) or view.dictionary(information) is None):
        yield "the trailer of a later revision names document information that is not there"


def _section_places(section: Section) -> Iterator[int]:
    yield section.start
    hidden = section.trailer.get("XRefStm")
    if not section.is_stream and isinstance(hidden, int):
        yield hidden


def _section_end(view: RevisionView, section: Section, at: int) -> int | None:
    data = view.data
    if section.is_stream or at != section.start:
        number = object_number_at(data, at)
        head = _HEAD.match(data, at)
        return None if number is None or head is None else _object_end(view, number, InFile(at, int(head[2])))
    table = _TABLE.match(data, at)
    return read_value(data, table.end())[1] if table is not None else None


def _object_end(view: RevisionView, number: int, location: InFile) -> int | None:
    """Where `endobj` ends; None where the object's head is another one, or its end is not where it should be."""
    data = view.data
    head = _HEAD.match(data, location.offset)
    if head is None or (int(head[1]), int(head[2])) != (number, location.generation):
        return None
    found = view.at(number, location)
    if found.stream is None:
        end = _END.match(data, found.end)
    else:
        end = _END_OF_STREAM.match(data, view.stream_end(found))
    return end.end() if end is not None else None


def _is_gap(data: Octets, start: int, end: int) -> bool:
    if end - start > _MAX_GAP:
        return False
    gap = data[start:end]
    whole = _GAP.fullmatch(gap) is not None
    return whole and _OBJECT_LIKE.search(gap) is None
