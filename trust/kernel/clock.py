"""Time is injected: whoever needs it takes a `Clock`."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Formats an aware moment as RFC 3339 in UTC with milliseconds: `2026-11-22T08:00:00.000Z`."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be written as RFC 3339")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Reads an RFC 3339 moment; raises ValueError where the zone is missing."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; RFC 3339 needs one")
    return moment.astimezone(UTC)
