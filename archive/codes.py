"""Archival codes (档号, DA/T 13-2022) and retention periods.

ArchivalCode.parse("Z109-WS·2011·Y·办公室-0001").year == 2011

Levels are joined by `-`, the parts within one by `·`: fonds, then class, year, retention and office, then item.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self


class Retention(StrEnum):
    """How long a record is kept (保管期限)."""

    PERMANENT = "Y"
    THIRTY_YEARS = "D30"
    TEN_YEARS = "D10"


_YEARS: Final = {Retention.THIRTY_YEARS: 30, Retention.TEN_YEARS: 10}
# A lock cannot be shortened, so permanent records are locked for five years at a time, and again and again.
ROLLING_YEARS: Final = 5
# The shortest number of an item, with leading zeros; a ten-thousandth item has five digits.
_ITEM_DIGITS: Final = 4
MAX_OFFICE_CHARACTERS: Final = 40

FONDS_PATTERN: Final = r"[A-Z][0-9]{3}"
CLASS_PATTERN: Final = r"[A-Z]{2}(?:·[A-Z0-9]{1,10}){0,3}"
# What separates levels and parts cannot stand inside one, nor white space or what a path means something by.
OFFICE_PATTERN: Final = r"[^\s·\-/\\]{1,40}"
_FONDS: Final = re.compile(rf"{FONDS_PATTERN}\Z")
_CLASS: Final = re.compile(rf"{CLASS_PATTERN}\Z")
_OFFICE: Final = re.compile(rf"{OFFICE_PATTERN}\Z")
_CODE: Final = re.compile(
    rf"({FONDS_PATTERN})-({CLASS_PATTERN})·([0-9]{{4}})·(Y|D30|D10)·({OFFICE_PATTERN})-([0-9]{{4,8}})\Z"
)


def is_fonds(text: str) -> bool:
    """Whether this is a fonds' code (全宗号): a letter and three digits."""
    return _FONDS.match(text) is not None


def is_class_code(text: str) -> bool:
    """Whether this is a class's code: two capitals, with up to three parts below."""
    return _CLASS.match(text) is not None


def is_office(text: str) -> bool:
    """Whether this can stand for an office or matter (机构或问题) in an archival code."""
    composed = unicodedata.is_normalized("NFC", text)
    return composed and text.isprintable() and _OFFICE.match(text) is not None


@dataclass(frozen=True, kw_only=True)
class ArchivalCode:
    """An archival code; `series` is all of it but the item's number."""

    fonds: str
    class_code: str
    year: int
    retention: Retention
    office: str
    item: int

    @property
    def series(self) -> str:
        """What numbers are counted within: everything that stands before the item."""
        return f"{self.fonds}-{self.class_code}·{self.year:04d}·{self.retention}·{self.office}"

    def __str__(self) -> str:
        return f"{self.series}-{self.item:0{_ITEM_DIGITS}d}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError on anything that is no archival code of this form."""
        match = _CODE.match(text)
        if match is None:
            raise ValueError("an archival code is fonds-class·year·retention·office-item")
        fonds, class_code, year, retention, office, item = match.groups()
        code = cls(
            fonds=fonds,
            class_code=class_code,
            year=int(year),
            retention=Retention(retention),
            office=office,
            item=int(item),
        )
        if str(code) != text:
            raise ValueError("the item's number has more leading zeros than it needs")
        return code


def retain_until(retention: Retention, event_date: date, *, now: datetime) -> datetime:
    """Until when a record stays locked: from the event, or for permanent ones five rolling years from now."""
    if retention is Retention.PERMANENT:
        return _years_on(now.date(), ROLLING_YEARS)
    return _years_on(event_date, _YEARS[retention])


def _years_on(day: date, years: int) -> datetime:
    """The end of the same day that many years on (of the first of March where there is no such day)."""
    try:
        then = day.replace(year=day.year + years)
    except ValueError:
        then = date(day.year + years, 3, 1)
    return datetime(then.year, then.month, then.day, tzinfo=UTC) + timedelta(days=1)
