"""Colours of what is drawn into a document, as operators (ISO 32000-1 §8.6)."""

from typing import NamedTuple

from trust.documents.pdf.syntax import written_number

# sRGB without a profile, for PDF/A documents that name no RGB output intent (ISO 19005-2 §6.2.4).
CALIBRATED_RGB = (
    b"[/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2]"
    b" /Matrix [0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505] >>]"
)


class Rgb(NamedTuple):
    """A colour of sRGB, each part 0 to 255."""

    red: int
    green: int
    blue: int


BLACK = Rgb(0, 0, 0)


def filling(colour: Rgb, *, calibrated: bool) -> bytes:
    """Sets the colour of fills; calibrated ones name the colour space /Ink of the resources."""
    return _set(colour, b"/Ink cs %b sc" if calibrated else b"%b rg")


def stroking(colour: Rgb, *, calibrated: bool) -> bytes:
    """Sets the colour of strokes."""
    return _set(colour, b"/Ink CS %b SC" if calibrated else b"%b RG")


def _set(colour: Rgb, operator: bytes) -> bytes:
    return operator % b" ".join(written_number(part / 255) for part in colour)
