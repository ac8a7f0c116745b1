"""A stranger's text made fit to be shown: one line, nothing that turns the reading direction, of bounded length."""

import unicodedata
from typing import Final

MAX_NAME_CHARACTERS: Final = 200
# Controls, format characters (among them the bidirectional overrides), surrogates, line separators.
_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def plain_line(text: str, limit: int) -> str:
    """The text on one line, cut with an ellipsis after `limit` characters."""
    line = "".join(
        " " if unicodedata.category(letter) in _UNSHOWN else letter for letter in text[: limit + 1]
    )
    return line if len(line) <= limit else line[:limit] + "…"


def shown_name(name: str) -> str:
    """A file's name as it was sent: its last part, whose end is kept for it says what the file is meant to be."""
    last = name.replace("\\", "/").rpartition("/")[2][-MAX_NAME_CHARACTERS:]
    return plain_line(last, MAX_NAME_CHARACTERS).strip()
