"""Keyset cursors: the id of the last item seen, taken back only in the shape of such an id."""

from dataclasses import replace

from identity.errors import CursorRefused
from identity.model import MAX_PAGE_ITEMS, PageRequest
from trust.kernel.ids import Id


def checked(page: PageRequest, kind: type[Id]) -> PageRequest:
    """The page asked for; raises CursorRefused on a foreign cursor or a limit out of range."""
    if not 1 <= page.limit <= MAX_PAGE_ITEMS:
        raise CursorRefused(f"a page has 1 to {MAX_PAGE_ITEMS} items")
    if page.after is None:
        return page
    try:
        return replace(page, after=kind.parse(page.after))
    except ValueError:
        raise CursorRefused("this cursor is not from this list; begin again without one") from None
