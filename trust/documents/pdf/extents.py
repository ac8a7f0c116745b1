"""How far the objects of a revision reach: none may begin in what is signed and end in what came later.

A stream that is longer than the file was when it was signed would be filled by whoever appends to it, and an
array or string left open would be closed by them, without any object being replaced.
"""

import re
from itertools import accumulate

from trust.documents.pdf.crossreference import ENDSTREAM, InFile
from trust.documents.pdf.errors import DocumentRefused, DocumentTooLarge
from trust.documents.pdf.history import History
from trust.documents.pdf.syntax import Dictionary, IndirectObject, object_number_at

# Streams whose length is wrong are looked for to their end; honest files have a handful at most.
_MAX_BROKEN_STREAMS = 1_000
# Most objects are small dictionaries; to read every one of a large document takes seconds.
_PLAIN_BYTES = 1024
# How far into an object that cannot be read a stream is looked for: dictionaries of streams are small.
_UNREADABLE_BYTES = 64 << 10
# A stream, a string, a comment, a hexadecimal string: what may hold an `endobj` that is none.
_RUNS_OVER = re.compile(rb"stream|[(%]|<<<|(?<!<)<(?!<)")
# `endobj` as a word of its own behind a closing bracket. `/endobj` is a name, and behind a key readers that are not
# strict take the word for its value: they go on reading where a search for the octets alone would stop.
_PLAIN_END = re.compile(rb"[>\]][\x00\t\n\x0c\r ]*+endobj(?=[\x00\t\n\x0c\r /<%]|\Z)")
_BRACKET = re.compile(rb"<<|>>|[\[\]]")
_OPENS = {b">>": b"<<", b"]": b"["}
_ENDOBJ = len(b"endobj")


class Extents:
    """For each revision, the furthest octet of all objects that it or an earlier one names."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._broken = 0
        self._furthest: list[int] | None = None

    def furthest(self, index: int) -> int:
        """The furthest octet of the revisions up to this one; raises DocumentRefused."""
        if self._furthest is None:
            self._furthest = list(accumulate(map(self._of_section, range(self._history.last)), max))
        return self._furthest[index]

    def _of_section(self, index: int) -> int:
        """The furthest octet of the objects that one section names."""
        furthest = 0
        for number, location in self._history.sections[index].entries.items():
            if not isinstance(location, InFile) or not number:
                continue
            if (end := self._plain_end(location.offset)) is not None:
                furthest = max(furthest, end)
                continue
            try:
                found = self._history.document.at(number, location)
            except DocumentTooLarge:
                raise
            except DocumentRefused:
                furthest = max(furthest, self._unreadable_end(location.offset))
                continue
            furthest = max(furthest, found.end, self._stream_end(index, found))
        return furthest

    def _plain_end(self, offset: int) -> int | None:
        """Where a small object ends that has no stream and nothing that could run over its own `endobj`."""
        data = self._history.document.data
        found = _PLAIN_END.search(data, offset, offset + _PLAIN_BYTES)
        if found is None:
            return None
        end = found.end() - _ENDOBJ
        text = data[offset:end]
        return end if _RUNS_OVER.search(text) is None and _is_balanced(text) else None

    def _unreadable_end(self, offset: int) -> int:
        """What cannot be read reaches nowhere, unless a reader less strict could find a stream of any length in it."""
        data = self._history.document.data
        if object_number_at(data, offset) is None:
            return 0
        stream = data.find(b"stream", offset, offset + _UNREADABLE_BYTES)
        closed = _PLAIN_END.search(data, offset, offset + _UNREADABLE_BYTES)
        return len(data) if stream >= 0 and (closed is None or stream < closed.end()) else 0

    def _stream_end(self, index: int, found: IndirectObject) -> int:
        if found.stream is None or not isinstance(found.value, Dictionary):
            return found.end
        view = self._history.view(index)
        try:
            end = view.stream_end(found)
        except DocumentRefused:
            end = found.stream
        data = self._history.document.data
        if end <= len(data) and ENDSTREAM.match(data, end) is not None:
            return end
        # Readers then go by the length all the same, or by the next end of a stream that they find.
        self._broken += 1
        if self._broken > _MAX_BROKEN_STREAMS:
            raise DocumentTooLarge("the document has more streams of a wrong length than are looked into")
        found_end = data.find(b"endstream", found.stream)
        return max(end, len(data) if found_end < 0 else found_end)


def _is_balanced(text: bytes) -> bool:
    """Whether every bracket in it is closed, each by its own kind: what is still open goes on after `endobj`."""
    still_open: list[bytes] = []
    for bracket in _BRACKET.findall(text):
        if bracket not in _OPENS:
            still_open.append(bracket)
        elif not still_open or still_open.pop() != _OPENS[bracket]:
            return False
    return not still_open
