"""Where an impression stands: millimetres on the page as people see it, turned into the page's own space."""

import math
from dataclasses import dataclass

from trust.documents.pdf.errors import PlacementOffPage
from trust.documents.pdf.pages import Page

_POINTS_PER_MILLIMETRE = 72 / 25.4
# A hundredth of a millimetre: below what anybody prints, above what converting units loses.
_TOLERANCE_MM = 0.01


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where to put an impression.

    `page` counts from 1, negative from the end. `x_mm` and `y_mm` are the impression's lower left corner
    from the lower left corner of the visible page as displayed, after turning it. Width and height default
    to the impression's own size.
    """

    page: int
    x_mm: float
    y_mm: float
    width_mm: float | None = None
    height_mm: float | None = None


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A placement in the page's default user space: the rectangle, and the picture's upright size and turn."""

    left: float
    bottom: float
    right: float
    top: float
    width: float
    height: float
    rotation: int


def locate(page: Page, placement: Placement, *, width_mm: float, height_mm: float) -> Spot:
    """The spot on this page; raises PlacementOffPage where it would not lie within what is visible."""
    numbers = (placement.x_mm, placement.y_mm, width_mm, height_mm)
    if not all(map(math.isfinite, numbers)) or width_mm <= 0 or height_mm <= 0:
        raise PlacementOffPage("a placement needs finite numbers, and a width and height above zero")
    scale = _POINTS_PER_MILLIMETRE / page.user_unit
    x, y, width, height = (number * scale for number in numbers)
    across, up = page.right - page.left, page.top - page.bottom
    shown_width, shown_height = (up, across) if page.rotation in (90, 270) else (across, up)
    slack = _TOLERANCE_MM * scale
    if x < -slack or y < -slack or x + width > shown_width + slack or y + height > shown_height + slack:
        raise PlacementOffPage(
            f"{width_mm:g} × {height_mm:g} mm at ({placement.x_mm:g}, {placement.y_mm:g}) do not lie within page "
            f"{placement.page}, which shows {shown_width / scale:.1f} × {shown_height / scale:.1f} mm"
        )
    corners = [_to_user_space(page, x, y), _to_user_space(page, x + width, y + height)]
    (left, right), (bottom, top) = (sorted(axis) for axis in zip(*corners, strict=True))
    return Spot(
        left=left, bottom=bottom, right=right, top=top, width=width, height=height, rotation=page.rotation
    )


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
