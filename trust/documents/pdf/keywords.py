"""An impression beside a keyword: from the words to a place on a page.

    placement = beside_keyword(KeywordPlacement(keyword="（盖章）", beside=Beside.CENTRED), document, finder)
    prepare(document, placement=placement, …)

Finding words needs the fonts' encodings and every drawing operator: that is done by a `KeywordFinder`, pdfium's in
`pdfium_text` for a library's own documents, a process apart for those of strangers. Here is what does not trust it.
"""

from dataclasses import dataclass
from typing import Protocol

from trust.documents.pdf.errors import KeywordNotFound, PlacementRefused
from trust.documents.pdf.placement import Beside, FoundText, PlacementBesideText
from trust.kernel.text import line

# A keyword is a label such as （公章） or 审批机关（盖章）, not a sentence.
MAX_KEYWORD_CHARACTERS = 50
# A word that is there more often than this names no place.
MAX_FOUND = 1_000


class KeywordFinder(Protocol):
    """Where in a document's pages a text stands."""

    def find_text(self, document: bytes, keyword: str) -> tuple[FoundText, ...]:
        """Every place, page after page, in a page as its content has it; at most MAX_FOUND.

        White space does not count, on either side, and compatible characters are one (NFKC: full and half
        width); a place is never longer than a line. Raises KeywordSearchFailed.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class KeywordPlacement:
    """Beside the `occurrence`th place of a keyword, 1 for the first and -1 for the last.

    The rest is as in `PlacementBesideText`.
    """

    keyword: str
    occurrence: int = 1
    beside: Beside = Beside.CENTRED
    dx_mm: float = 0.0
    dy_mm: float = 0.0
    width_mm: float | None = None
    height_mm: float | None = None


def beside_keyword(
    placement: KeywordPlacement, document: bytes, finder: KeywordFinder
) -> PlacementBesideText:
    """The placement with its place found.

    Raises KeywordNotFound, KeywordSearchFailed, PlacementRefused on an occurrence 0, InvalidInput on a keyword
    that is no line of text.
    """
    keyword = line(placement.keyword, what="the keyword", limit=MAX_KEYWORD_CHARACTERS)
    if placement.occurrence == 0:
        raise PlacementRefused("occurrences count from 1, or from -1 at the end")
    found = finder.find_text(document, keyword)
    index = placement.occurrence - 1 if placement.occurrence > 0 else len(found) + placement.occurrence
    if not 0 <= index < len(found):
        raise KeywordNotFound(
            f"the keyword is there {len(found)} times, and occurrence {placement.occurrence} was asked for; "
            "a scanned page has no text to be found"
        )
    return PlacementBesideText(
        text=found[index],
        beside=placement.beside,
        dx_mm=placement.dx_mm,
        dy_mm=placement.dy_mm,
        width_mm=placement.width_mm,
        height_mm=placement.height_mm,
    )
