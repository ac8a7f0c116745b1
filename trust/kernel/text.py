"""What text from outside must satisfy before it is kept or shown."""

import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from trust.kernel.errors import InvalidInput

# Long enough for any title or reason seen in public service items; stops a row from becoming a store.
MAX_LINE_CHARACTERS = 300
MAX_PARAGRAPH_CHARACTERS = 4000


def line(text: str, *, what: str, limit: int = MAX_LINE_CHARACTERS) -> str:
    """One line of text, NFC, trimmed; raises InvalidInput on controls, lone surrogates, over-length."""
    cleaned = _clean(text, what=what, limit=limit)
    if any(unicodedata.category(character) == "Cc" for character in cleaned):
        raise InvalidInput(f"{what} holds a control character; it must be one line of text")
    if not cleaned:
        raise InvalidInput(f"{what} is empty")
    return cleaned


def paragraph(text: str, *, what: str, limit: int = MAX_PARAGRAPH_CHARACTERS) -> str:
    """Text of several lines; refuses as `line` does but allows tab and line breaks."""
    cleaned = _clean(text, what=what, limit=limit)
    if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r" for character in cleaned):
        raise InvalidInput(f"{what} holds a control character")
    if not cleaned:
        raise InvalidInput(f"{what} is empty")
    return cleaned


# Line and paragraph separators, and what turns the direction of what follows: they make a text look like another.
_DECEIVING: Final = frozenset("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _clean(text: str, *, what: str, limit: int) -> str:
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise InvalidInput(f"{what} holds a lone surrogate; it must be valid Unicode text")
    if _DECEIVING.intersection(text):
        raise InvalidInput(f"{what} holds a separator or direction mark that makes it look like another text")
    if len(text) > limit:
        raise InvalidInput(f"{what} has {len(text)} characters; at most {limit} are taken")
    normal = unicodedata.normalize("NFC", text).strip()
    if len(normal) > limit:  # a few characters become two
        raise InvalidInput(f"{what} has {len(normal)} characters; at most {limit} are taken")
    return normal


def texts_in(value: Any) -> Iterator[str]:
    """Every text that is a value somewhere in a JSON value; names are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)
