"""Colours as SVG writes them (SVG 1.1 §4.2, CSS2 §4.3.6)."""

import re

from trust.documents.pdf.colours import Rgb
from trust.documents.pdf.errors import ImpressionRefused

_HEXADECIMAL = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_PARTS = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
# The sixteen of CSS2.1 and the reds that seals have.
_NAMED = {
    "aqua": Rgb(0, 255, 255),
    "black": Rgb(0, 0, 0),
    "blue": Rgb(0, 0, 255),
    "crimson": Rgb(220, 20, 60),
    "darkred": Rgb(139, 0, 0),
    "firebrick": Rgb(178, 34, 34),
    "fuchsia": Rgb(255, 0, 255),
    "gray": Rgb(128, 128, 128),
    "green": Rgb(0, 128, 0),
    "lime": Rgb(0, 255, 0),
    "maroon": Rgb(128, 0, 0),
    "navy": Rgb(0, 0, 128),
    "olive": Rgb(128, 128, 0),
    "orange": Rgb(255, 165, 0),
    "purple": Rgb(128, 0, 128),
    "red": Rgb(255, 0, 0),
    "silver": Rgb(192, 192, 192),
    "teal": Rgb(0, 128, 128),
    "white": Rgb(255, 255, 255),
    "yellow": Rgb(255, 255, 0),
}


def colour(text: str, *, inherited: Rgb | None) -> Rgb | None:
    """A colour, None for `none`; raises ImpressionRefused for references and what is not known."""
    text = text.strip()
    if text == "none":
        return None
    if text == "inherit":
        return inherited
    if match := _HEXADECIMAL.fullmatch(text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return Rgb(*bytes.fromhex(digits))
    if match := _PARTS.fullmatch(text):
        parts = [min(255, int(part)) for part in match.groups()]
        return Rgb(*parts)
    if text.lower() in _NAMED:
        return _NAMED[text.lower()]
    raise ImpressionRefused(
        f"the drawing has a colour {text[:40]!r}; #rrggbb, rgb(…), none and common names are taken"
    )
