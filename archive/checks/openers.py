"""Whether a file opens as what it says it is; each opener answers a fault in a sentence's middle, or None."""

import io
import json
import struct
import unicodedata
import warnings
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.parsers import expat

from PIL import Image

# An A3 sheet scanned at 600 dpi has 70 million pixels; decoded in colour that is 210 MB.
MAX_PIXELS: Final = 80_000_000
# Text that is larger is a data set, not a material of a case; reading JSON takes ten times its size.
MAX_TEXT_BYTES: Final = 16 * 1024 * 1024

_IMAGE_FAULTS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def _text(data: bytes) -> str | None:
    if len(data) > MAX_TEXT_BYTES:
        return f"has more than {MAX_TEXT_BYTES} octets of text"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8"
    if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r\f" for character in text):
        return "holds control characters"
    return None


def _json(data: bytes) -> str | None:
    if len(data) > MAX_TEXT_BYTES:
        return f"has more than {MAX_TEXT_BYTES} octets of text"
    try:
        json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        return "is nested too deeply"
    except ValueError:
        return "is not JSON in UTF-8"
    return None


def _no_constant(_text: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


class _DocumentTypeFound(Exception):
    """The document has a type definition, from which entities could be expanded or fetched."""


def _xml(data: bytes) -> str | None:
    if len(data) > MAX_TEXT_BYTES:
        return f"has more than {MAX_TEXT_BYTES} octets of text"
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_document_type
    try:
        parser.Parse(data, True)
    except _DocumentTypeFound:
        return "has a document type definition; archived XML stands by itself"
    except (expat.ExpatError, ValueError):
        return "is not well-formed XML"
    return None


def _no_document_type(*_given: Any) -> None:
    raise _DocumentTypeFound


def _image(kind: str) -> Callable[[bytes], str | None]:
    def opener(data: bytes) -> str | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # First the file to its end (checksums of a PNG), then every pixel.
                with Image.open(io.BytesIO(data), formats=[kind]) as file:
                    file.verify()
                with Image.open(io.BytesIO(data), formats=[kind]) as picture:
                    if picture.width * picture.height > MAX_PIXELS:
                        return f"has more than {MAX_PIXELS} pixels"
                    picture.load()
        except _IMAGE_FAULTS:
            return f"is not a {kind} picture that can be decoded"
        return None

    return opener


# PDF and SD-JWT are opened by whoever verifies them.
OPENERS: Final[Mapping[str, Callable[[bytes], str | None]]] = {
    "text": _text,
    "json": _json,
    "xml": _xml,
    "png": _image("PNG"),
    "jpeg": _image("JPEG"),
}
