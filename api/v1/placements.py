"""Where a seal is shown, as JSON: one page, several, all, beside a keyword, or cut across the pages' edges (骑缝)."""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError

from api.dependencies import Body
from trust.documents import pdf
from trust.documents.pdf.keywords import MAX_KEYWORD_CHARACTERS

# A placement on many named pages with a text of four lines.
MAX_PLACEMENT_CHARACTERS = 16_000
# A hundredth of a millimetre is more than any printer keeps.
_Millimetres: TypeAlias = Annotated[
    Decimal, Field(ge=-20_000, le=20_000, decimal_places=2, allow_inf_nan=False)
]
_PageNumber: TypeAlias = Annotated[int, Field(ge=-10_000, le=10_000)]
_Pages: TypeAlias = Annotated[list[_PageNumber], Field(min_length=1, max_length=1_000)]


class CaptionBody(Body):
    """Lines of text, centred below the impression; `size_pt` in points of 1/72 inch."""

    lines: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]], Field(min_length=1, max_length=4)
    ]
    size_pt: Annotated[Decimal, Field(ge=4, le=72, decimal_places=1, allow_inf_nan=False)] = Decimal(9)

    def asked(self) -> pdf.Caption:
        """As the library takes it."""
        return pdf.Caption(lines=tuple(self.lines), size_pt=float(self.size_pt))


class _Shown(Body):
    caption: CaptionBody | None = None


class OnPage(_Shown):
    """On one page; lengths in millimetres from its lower left corner as displayed, pages from 1 or from the end."""

    kind: Literal["page"]
    page: _PageNumber
    x_mm: _Millimetres
    y_mm: _Millimetres

    def asked(self) -> pdf.Placement:
        """As the library takes it."""
        return pdf.Placement(page=self.page, x_mm=float(self.x_mm), y_mm=float(self.y_mm))


class OnPages(_Shown):
    """At the same place on each of these pages."""

    kind: Literal["pages"]
    pages: _Pages
    x_mm: _Millimetres
    y_mm: _Millimetres

    def asked(self) -> pdf.PlacementOnPages:
        """As the library takes it."""
        return pdf.PlacementOnPages(pages=tuple(self.pages), x_mm=float(self.x_mm), y_mm=float(self.y_mm))


class OnAllPages(_Shown):
    """At the same place on every page."""

    kind: Literal["all-pages"]
    x_mm: _Millimetres
    y_mm: _Millimetres

    def asked(self) -> pdf.PlacementOnAllPages:
        """As the library takes it."""
        return pdf.PlacementOnAllPages(x_mm=float(self.x_mm), y_mm=float(self.y_mm))


class BesideKeyword(_Shown):
    """Beside a keyword in the document's text: the `occurrence`th, -1 for the last; then moved by dx_mm, dy_mm."""

    kind: Literal["keyword"]
    keyword: Annotated[str, Field(min_length=1, max_length=MAX_KEYWORD_CHARACTERS)]
    occurrence: Annotated[int, Field(ge=-1_000, le=1_000)] = 1
    beside: pdf.Beside = pdf.Beside.CENTRED
    dx_mm: _Millimetres = Decimal(0)
    dy_mm: _Millimetres = Decimal(0)

    def asked(self) -> pdf.KeywordPlacement:
        """As the library takes it."""
        return pdf.KeywordPlacement(
            keyword=self.keyword,
            occurrence=self.occurrence,
            beside=self.beside,
            dx_mm=float(self.dx_mm),
            dy_mm=float(self.dy_mm),
        )


class AcrossPages(Body):
    """One impression cut into strips over the pages, flush with their edge (骑缝章); `pages` absent: all of them."""

    kind: Literal["across-pages"]
    y_mm: _Millimetres
    edge: pdf.Edge = pdf.Edge.RIGHT
    pages: _Pages | None = None
    pages_per_impression: Annotated[int, Field(ge=2, le=100)] | None = None

    def asked(self) -> pdf.CrossPagePlacement:
        """As the library takes it."""
        pages = None if self.pages is None else tuple(self.pages)
        if self.pages_per_impression is None:
            return pdf.CrossPagePlacement(y_mm=float(self.y_mm), edge=self.edge, pages=pages)
        return pdf.CrossPagePlacement(
            y_mm=float(self.y_mm), edge=self.edge, pages=pages, pages_per_impression=self.pages_per_impression
        )


PlacementBody: TypeAlias = Annotated[
    OnPage | OnPages | OnAllPages | BesideKeyword | AcrossPages, Field(discriminator="kind")
]
_READER: TypeAdapter[PlacementBody] = TypeAdapter(PlacementBody)


def read_placement(text: str | None) -> PlacementBody | None:
    """The placement of a form's field; raises RequestValidationError as any body does."""
    if text is None:
        return None
    try:
        return _READER.validate_json(text)
    except ValidationError as error:
        found = [
            {**each, "loc": ("body", "placement", *each["loc"])} for each in error.errors(include_url=False)
        ]
        raise RequestValidationError(found) from error


def caption_of(placement: PlacementBody | None) -> pdf.Caption | None:
    """The text below the impression, where the placement has one."""
    if placement is None or isinstance(placement, AcrossPages) or placement.caption is None:
        return None
    return placement.caption.asked()
