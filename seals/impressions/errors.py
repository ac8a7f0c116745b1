"""Why a picture is not taken as an impression, or cannot be drawn."""

from trust.kernel.errors import InvalidInput, TooLarge


class ImpressionRefused(InvalidInput):
    """The picture or drawing is not one a seal can be made with; the message says what was expected."""

    code = "impression-refused"


class ImpressionTooLarge(TooLarge):
    """The picture or drawing is over a named limit."""

    code = "impression-too-large"


class ImpressionTextRefused(InvalidInput):
    """The text cannot be drawn on a seal: too long, empty, or with a character the font does not have."""

    code = "impression-text-refused"
