"""Which names may stand in a package: such that every reader on every system means the same file."""

import unicodedata
from typing import Final

from trust.packages.errors import ZipNameRefused

MAX_SEGMENT_OCTETS: Final = 255
# Deeper than any case file; keeps checks over all parents of all names linear.
MAX_SEGMENTS: Final = 32
# Characters that a Windows reader takes for something else; the backslash is a separator there.
_UNSAFE: Final = frozenset('\\:*?"<>|')
# Invisible marks that change the direction of text: a name would not read as it is.
_DIRECTION_MARKS: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def name_fault(name: str, *, limit: int) -> str | None:
    """What is wrong with a relative path in a package, in words; None where nothing is. No trailing '/'."""
    if any(0xD800 <= ord(character) <= 0xDFFF for character in name):
        return "holds a lone surrogate"
    if len(name.encode()) > limit:
        return f"is longer than {limit} octets"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "holds a control character"
    if _UNSAFE.intersection(name):
        return "holds a character that some systems take for something else (backslash, colon, …)"
    if _DIRECTION_MARKS.intersection(name):
        return "holds a mark that changes the direction of text"
    segments = name.split("/")
    if len(segments) > MAX_SEGMENTS:
        return f"has more than {MAX_SEGMENTS} parts"
    if any(segment in {"", ".", ".."} for segment in segments):
        return "is absolute, leads outside, or has an empty part"
    if any(len(segment.encode()) > MAX_SEGMENT_OCTETS for segment in segments):
        return f"has a part longer than {MAX_SEGMENT_OCTETS} octets"
    if any(segment.endswith((" ", ".")) for segment in segments):
        return "has a part that ends with a space or a full stop"
    return None


def checked_entry_name(raw: bytes, *, utf8: bool, limit: int) -> str:
    """The name of a zip entry; without the UTF-8 flag it must be ASCII. Raises ZipNameRefused."""
    try:
        name = raw.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError as error:
        raise ZipNameRefused("an entry's name is neither ASCII nor marked and valid UTF-8") from error
    fault = name_fault(name.removesuffix("/"), limit=limit)
    if fault is not None:
        raise ZipNameRefused(f"an entry's name {fault}")
    return name


def folded(name: str) -> str:
    """The name as a file system sees it that ignores case and Unicode normal forms."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
