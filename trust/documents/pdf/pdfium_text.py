"""Finding text by pdfium, in this process: for one's own documents, for tests, and inside a process made for it.

pdfium is native code. A server does not load this module; it asks a process that may be lost.
"""

import math
import threading
import unicodedata
from collections.abc import Iterator

import pypdfium2
from pypdfium2 import raw

from trust.documents.pdf.errors import KeywordSearchFailed
from trust.documents.pdf.keywords import MAX_FOUND
from trust.documents.pdf.placement import FoundText

# Some seconds of work; a volume of three thousand pages has as many characters.
MAX_PAGES = 3_000
MAX_CHARACTERS = 3_000_000
# pdfium keeps its state in global variables: two threads in it end the process.
_PDFIUM = threading.Lock()


class PdfiumFinder:
    """A `KeywordFinder` in this process; one search at a time, whichever threads ask."""

    def find_text(self, document: bytes, keyword: str) -> tuple[FoundText, ...]:
        """See `KeywordFinder`; raises KeywordSearchFailed also for a document that pdfium cannot open."""
        wanted = _folded(keyword)
        if not wanted:
            return ()
        found: list[FoundText] = []
        with _PDFIUM:
            try:
                opened = pypdfium2.PdfDocument(document)
            except pypdfium2.PdfiumError as error:
                raise KeywordSearchFailed("the document cannot be opened to read its text") from error
            try:
                for place in _places(opened, wanted):
                    found.append(place)
                    if len(found) > MAX_FOUND:
                        raise KeywordSearchFailed(f"the keyword is there more than {MAX_FOUND} times")
            except pypdfium2.PdfiumError as error:
                raise KeywordSearchFailed("a page cannot be opened to read its text") from error
            finally:
                opened.close()
        return tuple(found)


def _places(document: pypdfium2.PdfDocument, wanted: str) -> Iterator[FoundText]:
    if len(document) > MAX_PAGES:
        raise KeywordSearchFailed(f"text is looked for in at most {MAX_PAGES} pages; name the page instead")
    left = MAX_CHARACTERS
    for number in range(1, len(document) + 1):
        page = document[number - 1]
        text = page.get_textpage()
        try:
            count = text.count_chars()
            left -= count
            if left < 0:
                raise KeywordSearchFailed(f"the document has more than {MAX_CHARACTERS} characters")
            for indices in _matches(text, count, wanted):
                if (box := _box(text, indices)) is not None:
                    yield FoundText(page=number, left=box[0], bottom=box[1], right=box[2], top=box[3])
        finally:
            text.close()
            page.close()


def _matches(text: pypdfium2.PdfTextPage, count: int, wanted: str) -> Iterator[range]:
    """The ranges of characters that read as wanted, none overlapping the one before."""
    letters: list[str] = []
    indices: list[int] = []
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text, index)
        character = chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\0"
        # A line's end is kept, and is in no keyword: what was found does not run on to the next line.
        folded = "\n" if character in "\r\n" else _folded(character)
        letters.append(folded)
        indices += [index] * len(folded)
    line = "".join(letters)
    at = line.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        yield range(indices[at], indices[end - 1] + 1)
        at = line.find(wanted, end)


def _folded(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", text) if not one.isspace())


def _box(text: pypdfium2.PdfTextPage, indices: range) -> tuple[float, float, float, float] | None:
    """Around the characters that take room; None where none does."""
    boxes = []
    for index in indices:
        left, bottom, right, top = text.get_charbox(index)
        if all(map(math.isfinite, (left, bottom, right, top))) and right > left and top > bottom:
            boxes.append((left, bottom, right, top))
    if not boxes:
        return None
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
