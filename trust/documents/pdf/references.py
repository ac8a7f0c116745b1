"""Who refers to an object, over all octets of a file: the question that tells a second use of an object."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from trust.documents.pdf.crossreference import InFile, InStream, Location
from trust.documents.pdf.document import Document
from trust.documents.pdf.history import History, RevisionView
from trust.documents.pdf.octets import Octets
from trust.documents.pdf.syntax import Dictionary, Reference

_WHITE = b"\x00\t\n\x0c\r "
_SPACE = rb"[\x00\t\n\x0c\r ]"
_R = rb"R(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|\Z)"
# Both begin with a literal: looking for digits first would take ten times as long in a file of pictures.
_END_OF_REFERENCE = re.compile(_R + rb"(?<=" + _SPACE + rb"R)")
_START_OF_COMMENT = re.compile(rb"%(?<=[\d\x00\t\n\x0c\r ]%)")
_LAST_NUMBERS = re.compile(rb"(?<![\d.])(\d++)(?:" + _SPACE + rb"++(\d++))?+" + _SPACE + rb"*+\Z")
_LINE_END = re.compile(rb"[\r\n]")
_BLANK = rb"(?:" + _SPACE + rb"++|%[^\r\n]*+)*+"
_AFTER_COMMENT = re.compile(_BLANK + rb"(?:(\d++)(?=[%\x00\t\n\x0c\r ])" + _BLANK + rb")?+" + _R)
_WINDOW = 64
# Object numbers have no more digits but leading zeros.
_DIGITS = 10
# What a metadata stream says about itself; with anything more it could also be a pattern or a picture.
_METADATA_KEYS = frozenset({"Type", "Subtype", "Length", "Filter", "DecodeParms"})


class ReferenceIndex:
    """How often the octets of a file refer to each object, revision by revision; read once, at the first question.

    All octets count, also those of older revisions and of every object stream that any revision names. References
    are found by their shape, so compressed data may by chance add one that nothing refers to: on the safe side.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    def first(self, number: int) -> int | None:
        """The earliest revision whose octets refer to an object; None where none does."""
        found = self._found.get(number)
        return min(found) if found else None

    def count(self, number: int, index: int) -> int:
        """How often the file refers to an object, as it was at the end of a revision."""
        return sum(times for revision, times in self._found.get(number, {}).items() if revision <= index)

    def numbers(self) -> Iterator[int]:
        """Every object referred to."""
        return iter(self._found)

    @cached_property
    def _found(self) -> Mapping[int, Mapping[int, int]]:
        history = self._history
        found: dict[int, dict[int, int]] = {}
        data = history.document.data
        for number, at in _references_in(data):
            _note(found, number, bisect_right(history.ends, at))
        containers: set[tuple[int, Location]] = set()
        for index, section in enumerate(history.sections):
            view = history.view(index)
            for location in section.entries.values():
                if not isinstance(location, InStream):
                    continue
                place = view.cross_references.locations.get(location.container)
                if (location.container, place) in containers:
                    continue
                containers.add((location.container, place))
                offset = place.offset if isinstance(place, InFile) else 0
                revision = min(index, bisect_right(history.ends, offset))
                for number, _ in _references_in(view.object_stream_octets(location.container)):
                    _note(found, number, revision)
        return found


def _note(found: dict[int, dict[int, int]], number: int, revision: int) -> None:
    times = found.setdefault(number, {})
    times[revision] = times.get(revision, 0) + 1


def reference_counts(document: Document) -> Counter[int]:
    """How often the whole file refers to each object, as `ReferenceIndex` counts."""
    history = History(document)
    index = ReferenceIndex(history)
    return Counter({number: index.count(number, history.last) for number in index.numbers()})


def _references_in(octets: Octets) -> Iterator[tuple[int, int]]:
    """Each object referred to, and an octet before which the reference begins."""
    for match in _END_OF_REFERENCE.finditer(octets):
        before = _last_numbers(octets, match.start())
        if before is not None and before[2] is not None:
            yield int(before[1][-_DIGITS:]), match.start()
    # The same with a comment inside. What follows a comment is read once for all that begin on its line.
    line_end, after = -1, None
    for match in _START_OF_COMMENT.finditer(octets):
        before = _last_numbers(octets, match.start())
        if before is None:
            continue
        if match.start() > line_end:
            end = _LINE_END.search(octets, match.end())
            line_end = end.start() if end is not None else len(octets)
            after = _AFTER_COMMENT.match(octets, line_end)
        if after is None:
            continue
        if after[1] is not None:  # "12 %…" and then "0 R"
            yield int((before[2] or before[1])[-_DIGITS:]), match.start()
        elif before[2] is not None:  # "12 0 %…" and then "R"
            yield int(before[1][-_DIGITS:]), match.start()


def _last_numbers(octets: Octets, end: int) -> re.Match[bytes] | None:
    """The one or two numbers that stand right before an octet, however much white space is between."""
    window = _WINDOW
    while True:
        piece = octets[max(0, end - window) : end]
        if window >= end or piece.strip(_WHITE + b"0123456789"):
            return _LAST_NUMBERS.search(piece)
        window *= 4


def is_metadata(view: RevisionView, number: int) -> bool:
    """Whether the object is a metadata stream (ISO 32000-1 §14.3.2) and says nothing else about itself."""
    location = view.cross_references.locations.get(number)
    found = view.indirect(Reference(number, location.generation)) if isinstance(location, InFile) else None
    if found is None or found.stream is None or not isinstance(found.value, Dictionary):
        return False
    about = found.value
    named = about.get("Type") == "Metadata" and about.get("Subtype") == "XML"
    return named and not about.repeated and about.keys() <= _METADATA_KEYS
