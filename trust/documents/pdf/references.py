"""Who refers to an object, over all octets of a file: the question that tells a second use of an object."""

import re
from collections import Counter
from collections.abc import Iterator

from trust.documents.pdf.crossreference import InFile, InStream
from trust.documents.pdf.document import Document
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


def reference_counts(document: Document) -> Counter[int]:
    """How often the file's octets refer to each object, also in object streams and in older revisions.

    Found by their shape, so compressed data may by chance add one that nothing refers to: on the safe side.
    """
    found = Counter(_references_in(document.data))
    locations = document.cross_references.locations.values()
    for container in {location.container for location in locations if isinstance(location, InStream)}:
        decoded = document.object_stream_octets(container)
        found.update(_references_in(decoded))
    return found


def _references_in(octets: Octets) -> Iterator[int]:
    for match in _END_OF_REFERENCE.finditer(octets):
        before = _last_numbers(octets, match.start())
        if before is not None and before[2] is not None:
            yield int(before[1][-_DIGITS:])
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
            yield int((before[2] or before[1])[-_DIGITS:])
        elif before[2] is not None:  # "12 0 %…" and then "R"
            yield int(before[1][-_DIGITS:])


def _last_numbers(octets: Octets, end: int) -> re.Match[bytes] | None:
    """The one or two numbers that stand right before an octet, however much white space is between."""
    window = _WINDOW
    while True:
        piece = octets[max(0, end - window) : end]
        if window >= end or piece.strip(_WHITE + b"0123456789"):
            return _LAST_NUMBERS.search(piece)
        window *= 4


def is_metadata(document: Document, number: int) -> bool:
    """Whether the object is a metadata stream (ISO 32000-1 §14.3.2) and says nothing else about itself."""
    location = document.cross_references.locations.get(number)
    found = (
        document.indirect(Reference(number, location.generation)) if isinstance(location, InFile) else None
    )
    if found is None or found.stream is None or not isinstance(found.value, Dictionary):
        return False
    about = found.value
    named = about.get("Type") == "Metadata" and about.get("Subtype") == "XML"
    return named and not about.repeated and about.keys() <= _METADATA_KEYS


def is_used_as_metadata_only(document: Document, number: int) -> bool:
    """Whether nothing but the catalog, in its several versions, refers to this object, and that as its metadata."""
    root = document.root.number
    versions = 0
    for section in document.cross_references.sections:
        location = section.entries.get(root)
        catalog = document.at(root, location).value if location is not None else None
        metadata = catalog.get("Metadata") if isinstance(catalog, Dictionary) else None
        versions += isinstance(metadata, Reference) and metadata.number == number
    return reference_counts(document)[number] == versions
