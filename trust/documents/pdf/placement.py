"""Where an impression stands: millimetres on the page as people see it, turned into the page's own space.

    Placement(page=-1, x_mm=120, y_mm=30)                    on one page
    PlacementOnPages(pages=(1, 3), x_mm=120, y_mm=30)        on some
    PlacementOnAllPages(x_mm=120, y_mm=30)                   on each
    CrossPagePlacement(y_mm=130)                             cut across the pages' edges (骑缝章)
    PlacementBesideText(text=found, dx_mm=2)                 at a place found by `keywords`

Each resolves to spots: the page, the box on it, and which part of the picture the box shows. Page numbers count
from 1, negative ones from the end. All measures are of the displayed page, after turning and cropping it.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentTooLarge, PlacementOffPage, PlacementRefused
from trust.documents.pdf.limits import MAX_PAGES_PER_IMPRESSION, MAX_SPOTS, MIN_STRIP_MM
from trust.documents.pdf.pages import Page, find_pages, page_count, page_index

POINTS_PER_MILLIMETRE = 72 / 25.4
# A hundredth of a millimetre: below what anybody prints, above what converting units loses.
_TOLERANCE_MM = 0.01
# Twenty strips of a 45 mm seal are 2.25 mm each: as narrow as hands fan out paper.
_PAGES_PER_IMPRESSION = 20


@dataclass(frozen=True, kw_only=True)
class Placement:
    """On one page. `x_mm` and `y_mm` are the impression's lower left corner from that of the visible page.

    Width and height default to the impression's own size, here and in all placements.
    """

    page: int
    x_mm: float
    y_mm: float
    width_mm: float | None = None
    height_mm: float | None = None


@dataclass(frozen=True, kw_only=True)
class PlacementOnPages:
    """At the same place on each of these pages."""

    pages: tuple[int, ...]
    x_mm: float
    y_mm: float
    width_mm: float | None = None
    height_mm: float | None = None


@dataclass(frozen=True, kw_only=True)
class PlacementOnAllPages:
    """At the same place on every page."""

    x_mm: float
    y_mm: float
    width_mm: float | None = None
    height_mm: float | None = None


class Edge(StrEnum):
    """The edge at which the pages are fanned out."""

    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True, kw_only=True)
class CrossPagePlacement:
    """One impression cut into vertical strips of equal width, one on each page, flush with its edge (骑缝章).

    Page 1 lies on top. Fanned out to the right, its strip is the leftmost; fanned out to the left, the
    rightmost: so that the edges side by side show the whole impression. `y_mm` is the impression's lower edge
    above the page's. `pages` None takes all; for paper printed on both sides, name those with an odd number.

    More pages than `pages_per_impression` are shared out evenly over several impressions; where an even share
    would leave a page alone, a group takes one page more.
    """

    y_mm: float
    edge: Edge = Edge.RIGHT
    pages: tuple[int, ...] | None = None
    pages_per_impression: int = _PAGES_PER_IMPRESSION
    width_mm: float | None = None
    height_mm: float | None = None


@dataclass(frozen=True, kw_only=True)
class FoundText:
    """A piece of a page's text: the page from 1, and its box in the page's default user space."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


class Beside(StrEnum):
    """Where the impression stands by the text, as the page is displayed."""

    CENTRED = "centred"  # over the text, middle on middle: 骑年盖月
    RIGHT = "right"  # after its right edge, middles at one height
    LEFT = "left"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, kw_only=True)
class PlacementBesideText:
    """By a piece of text that was found; then moved by `dx_mm` to the right and `dy_mm` upwards."""

    text: FoundText
    beside: Beside = Beside.CENTRED
    dx_mm: float = 0.0
    dy_mm: float = 0.0
    width_mm: float | None = None
    height_mm: float | None = None


AnyPlacement: TypeAlias = (
    Placement | PlacementOnPages | PlacementOnAllPages | CrossPagePlacement | PlacementBesideText
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Width and height in millimetres."""

    width_mm: float
    height_mm: float


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Which vertical strip of the picture: `index` from 0 at the left, of `count` of equal width."""

    index: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where the whole picture lies, from the lower left of an upright spot, in the page's units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A box in a page's default user space, and what stands in it.

    `width` and `height` are the box as displayed, upright, in the page's units, of which one millimetre has
    `unit`; `rotation` is the page's. `picture` lies partly outside where only a `strip` of it is shown.
    """

    page: Page
    left: float
    bottom: float
    right: float
    top: float
    width: float
    height: float
    rotation: int
    unit: float
    picture: Frame
    strip: Strip | None = None


def resolve(
    placement: AnyPlacement, *, document: Document, impression: Size, caption: Size | None = None
) -> tuple[Spot, ...]:
    """The spots of a placement, in the order of the pages asked for.

    `impression` is the picture's own size; `caption` is the room for text below it. Raises PlacementOffPage
    where an impression would not lie within what is visible, PlacementRefused where the placement has no
    meaning in this document, DocumentTooLarge above MAX_SPOTS.
    """
    picture = Size(
        width_mm=impression.width_mm if placement.width_mm is None else placement.width_mm,
        height_mm=impression.height_mm if placement.height_mm is None else placement.height_mm,
    )
    if not _is_size(picture):
        raise PlacementOffPage("an impression needs a finite width and height above zero")
    match placement:
        case CrossPagePlacement():
            if caption is not None:
                raise PlacementRefused("a cross-page seal has no room for a text; leave the text away")
            return _across(placement, document, picture)
        case PlacementBesideText():
            (page,) = find_pages(document, (placement.text.page,))
            x_mm, y_mm = _beside(placement, page, picture)
            return (locate(page, picture, x_mm=x_mm, y_mm=y_mm, caption=caption),)
        case Placement():
            numbers: tuple[int, ...] = (placement.page,)
        case PlacementOnPages():
            numbers = _distinct(placement.pages, document)
        case PlacementOnAllPages():
            numbers = _all(document)
    return tuple(
        locate(page, picture, x_mm=placement.x_mm, y_mm=placement.y_mm, caption=caption)
        for page in find_pages(document, numbers)
    )


def locate(
    page: Page,
    picture: Size,
    *,
    x_mm: float,
    y_mm: float,
    caption: Size | None = None,
    strip: Strip | None = None,
) -> Spot:
    """The spot whose picture, or strip of it, has its lower left corner there; raises PlacementOffPage.

    A caption stands below the picture, centred; the box then holds both.
    """
    width_mm = picture.width_mm / (strip.count if strip else 1)
    box_width, box_height = width_mm, picture.height_mm
    inner_x = inner_y = 0.0
    if caption is not None:
        box_width, box_height = max(width_mm, caption.width_mm), box_height + caption.height_mm
        inner_x, inner_y = (box_width - width_mm) / 2, caption.height_mm
    left_mm, bottom_mm = x_mm - inner_x, y_mm - inner_y
    if not all(map(math.isfinite, (left_mm, bottom_mm))):
        raise PlacementOffPage("a placement needs finite numbers")
    unit = POINTS_PER_MILLIMETRE / page.user_unit
    x, y, width, height = (number * unit for number in (left_mm, bottom_mm, box_width, box_height))
    shown_width, shown_height = _shown(page)
    slack = _TOLERANCE_MM * unit
    if x < -slack or y < -slack or x + width > shown_width + slack or y + height > shown_height + slack:
        raise PlacementOffPage(
            f"{box_width:g} × {box_height:g} mm at ({left_mm:g}, {bottom_mm:g}) do not lie within page "
            f"{page.number}, which shows {shown_width / unit:.1f} × {shown_height / unit:.1f} mm"
        )
    corners = [_to_user_space(page, x, y), _to_user_space(page, x + width, y + height)]
    (left, right), (bottom, top) = (sorted(axis) for axis in zip(*corners, strict=True))
    return Spot(
        page=page,
        left=left,
        bottom=bottom,
        right=right,
        top=top,
        width=width,
        height=height,
        rotation=page.rotation,
        unit=unit,
        picture=Frame(
            x=(inner_x - (strip.index * width_mm if strip else 0.0)) * unit,
            y=inner_y * unit,
            width=picture.width_mm * unit,
            height=picture.height_mm * unit,
        ),
        strip=strip,
    )


def _across(placement: CrossPagePlacement, document: Document, picture: Size) -> tuple[Spot, ...]:
    most = placement.pages_per_impression
    if not 2 <= most <= MAX_PAGES_PER_IMPRESSION:
        raise PlacementRefused(f"a cross-page seal is cut over 2 to {MAX_PAGES_PER_IMPRESSION} pages")
    numbers = _all(document) if placement.pages is None else _distinct(placement.pages, document)
    if len(numbers) < 2:
        raise PlacementRefused("a cross-page seal needs two pages or more; there is one")
    spots: list[Spot] = []
    sizes = iter(_shares(len(numbers), most))
    group, index = next(sizes), 0
    for page in find_pages(document, numbers):
        if index == group:
            group, index = next(sizes), 0
        width_mm = picture.width_mm / group
        if width_mm < MIN_STRIP_MM:
            raise PlacementRefused(
                f"the strips would be {width_mm:.2f} mm wide, {MIN_STRIP_MM:g} is the least; "
                "cut the impression over fewer pages"
            )
        if placement.edge is Edge.RIGHT:
            strip = Strip(index=index, count=group)
            x_mm = _shown(page)[0] * page.user_unit / POINTS_PER_MILLIMETRE - width_mm
        else:
            strip, x_mm = Strip(index=group - 1 - index, count=group), 0.0
        spots.append(locate(page, picture, x_mm=x_mm, y_mm=placement.y_mm, strip=strip))
        index += 1
    return tuple(spots)


def _shares(pages: int, most: int) -> list[int]:
    """How many pages each impression is cut over: as even as can be, never one page alone."""
    groups = min(math.ceil(pages / most), pages // 2)
    return [pages // groups + (1 if group < pages % groups else 0) for group in range(groups)]


def _beside(placement: PlacementBesideText, page: Page, picture: Size) -> tuple[float, float]:
    """The picture's lower left corner, in millimetres of the page as displayed."""
    text = placement.text
    numbers = (text.left, text.bottom, text.right, text.top, placement.dx_mm, placement.dy_mm)
    if not all(map(math.isfinite, numbers)):
        raise PlacementOffPage("a placement needs finite numbers")
    corners = [_as_shown(page, text.left, text.bottom), _as_shown(page, text.right, text.top)]
    unit = POINTS_PER_MILLIMETRE / page.user_unit
    (left, right), (bottom, top) = (
        sorted(value / unit for value in axis) for axis in zip(*corners, strict=True)
    )
    x, y = (left + right - picture.width_mm) / 2, (bottom + top - picture.height_mm) / 2
    match placement.beside:
        case Beside.RIGHT:
            x = right
        case Beside.LEFT:
            x = left - picture.width_mm
        case Beside.ABOVE:
            y = top
        case Beside.BELOW:
            y = bottom - picture.height_mm
        case Beside.CENTRED:
            pass
    return x + placement.dx_mm, y + placement.dy_mm


def _all(document: Document) -> tuple[int, ...]:
    count = page_count(document)
    _require_countable(count)
    return tuple(range(1, count + 1))


def _distinct(numbers: tuple[int, ...], document: Document) -> tuple[int, ...]:
    """The numbers from 1, in the order given; raises PlacementRefused where there is none or one comes twice."""
    _require_countable(len(numbers))
    count = page_count(document)
    pages = tuple(page_index(number, count) + 1 for number in numbers)
    if not pages:
        raise PlacementRefused("no page is named")
    if len(set(pages)) < len(pages):
        raise PlacementRefused("a page is named twice")
    return pages


def _require_countable(count: int) -> None:
    if count > MAX_SPOTS:
        raise DocumentTooLarge(f"an impression on {count} pages; at most {MAX_SPOTS} are taken")


def _is_size(size: Size) -> bool:
    return all(math.isfinite(side) and side > 0 for side in (size.width_mm, size.height_mm))


def _shown(page: Page) -> tuple[float, float]:
    """Width and height of the page as displayed, in its units."""
    across, up = page.right - page.left, page.top - page.bottom
    return (up, across) if page.rotation in (90, 270) else (across, up)


def _to_user_space(page: Page, x: float, y: float) -> tuple[float, float]:
    """A point of the displayed page, from its lower left corner, as a point before the page is turned."""
    match page.rotation:
        case 90:
            return page.right - y, page.bottom + x
        case 180:
            return page.right - x, page.top - y
        case 270:
            return page.left + y, page.top - x
    return page.left + x, page.bottom + y


def _as_shown(page: Page, x: float, y: float) -> tuple[float, float]:
    """The other way round: a point of user space as one of the displayed page, from its lower left corner."""
    match page.rotation:
        case 90:
            return y - page.bottom, page.right - x
        case 180:
            return page.right - x, page.top - y
        case 270:
            return page.top - y, x - page.left
    return x - page.left, y - page.bottom
