"""What can go wrong on the way from data to a page."""

from trust.kernel.errors import Broken, InvalidInput, Unavailable


class GlyphMissing(InvalidInput):
    """The font has no glyph for a character of the text; nothing is shown in its place, so nothing is rendered.

    `characters` are the ones missing.
    """

    code = "glyph-missing"

    def __init__(self, characters: str) -> None:
        named = ", ".join(f"U+{ord(character):04X}" for character in characters)
        super().__init__(f"the font has no glyph for {named}; write the text without it")
        self.characters = characters


class DoesNotFit(InvalidInput):
    """The text is too much for the page it has to stand on."""

    code = "text-does-not-fit"


class LinkRefused(InvalidInput):
    """The address for the QR code is not an https address of a length that scans."""

    code = "qr-link-refused"


class TemplateFailed(Broken):
    """A template does not compile; the message is the compiler's, `diagnostic` shows the place in the source."""

    code = "template-failed"

    def __init__(self, message: str, *, diagnostic: str = "") -> None:
        super().__init__(message)
        self.diagnostic = diagnostic


class TypesetterAway(Unavailable):
    """The typesetting process cannot be started, died, or took longer than it may."""

    code = "typesetter-away"
