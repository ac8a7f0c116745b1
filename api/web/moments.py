"""Moments as people read them: in China's time, said so."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from babel.dates import format_datetime

from trust.kernel.clock import parse_rfc3339
from trust.verify.texts import Language

# China has kept one time, without summer time, since 1991.
CHINA_TIME: Final = timezone(timedelta(hours=8), "UTC+08:00")
_FORMATS: Final = {
    Language.ZH: ("zh_Hans", "y年M月d日 HH:mm:ss"),
    Language.EN: ("en_GB", "d MMMM y, HH:mm:ss"),
}
_ZONES: Final = {Language.ZH: "（北京时间）", Language.EN: " (Beijing time, UTC+8)"}
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
# ISO 32000-1 §7.9.4; a time without a zone is of an unknown one and not shown as ours.
_PDF: Final = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z(?:00'?00'?)?|([+-])(\d\d)'?(\d\d)?'?)")


def moment_of(text: str) -> datetime | None:
    """An RFC 3339 moment; None where the text is none."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None


def pdf_moment(text: str) -> datetime | None:
    """A PDF date with its zone; None where the text is none."""
    found = _PDF.fullmatch(text)
    if found is None:
        return None
    *digits, sign, hours, minutes = found.groups()
    try:
        year, month, day, hour, minute, second = map(int, digits)
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment_text(moment: datetime, language: Language) -> str:
    """The moment to the second, in China's time and with its name."""
    locale, pattern = _FORMATS[language]
    try:
        shown = format_datetime(moment.astimezone(CHINA_TIME), pattern, locale=locale)
    except OverflowError:  # at the very ends of what a date can be
        return moment.isoformat()
    return shown + _ZONES[language]
