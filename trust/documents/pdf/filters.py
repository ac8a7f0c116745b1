"""Stream decoding, as far as structure needs it: Flate and the PNG predictors (ISO 32000-1 §7.4.4), bounded."""

import zlib

from trust.documents.pdf.errors import DocumentMalformed, DocumentTooLarge
from trust.documents.pdf.syntax import Dictionary, Value

_FIRST_PNG_PREDICTOR = 10


def decode(data: bytes, dictionary: Dictionary, *, limit: int) -> bytes:
    """The stream's data decoded, at most `limit` octets.

    Raises DocumentTooLarge above that and DocumentMalformed for any other filter: object and
    cross-reference streams are written with Flate or plain.
    """
    filters = _as_list(dictionary.get("Filter"))
    if not filters:
        if len(data) > limit:
            raise DocumentTooLarge(f"a stream of structure is larger than {limit} octets")
        return data
    if filters != ["FlateDecode"]:
        raise DocumentMalformed("a stream of structure has a filter other than FlateDecode")
    parameters = _as_list(dictionary.get("DecodeParms"))
    parameter = parameters[0] if parameters else None
    predictor = _parameter(parameter, "Predictor", 1)
    # A predictor adds one octet a row of at least one octet.
    inflated = _inflate(data, limit * 2 if predictor >= _FIRST_PNG_PREDICTOR else limit)
    if predictor < _FIRST_PNG_PREDICTOR:
        if predictor != 1:
            raise DocumentMalformed("a stream of structure has a predictor that is not a PNG predictor")
        return inflated
    if (_parameter(parameter, "Colors", 1), _parameter(parameter, "BitsPerComponent", 8)) != (1, 8):
        raise DocumentMalformed("a stream of structure is predicted in units other than octets")
    return _undo_png_predictor(inflated, _parameter(parameter, "Columns", 1))


def _as_list(value: Value) -> list[Value]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _parameter(parameters: Value, name: str, default: int) -> int:
    value = parameters.get(name, default) if isinstance(parameters, Dictionary) else default
    if not isinstance(value, int):
        raise DocumentMalformed(f"the decode parameter /{name} is not an integer")
    return value


def _inflate(data: bytes, limit: int) -> bytes:
    try:
        inflated = zlib.decompressobj().decompress(data, limit + 1)
    except zlib.error as error:
        raise DocumentMalformed("a stream of structure cannot be decompressed") from error
    if len(inflated) > limit:
        raise DocumentTooLarge(f"a stream of structure decompresses to more than {limit} octets")
    return inflated


def _undo_png_predictor(data: bytes, columns: int) -> bytes:
    if not 1 <= columns <= max(1, len(data)):
        raise DocumentMalformed("a predictor has rows of no octets, or of more than there are")
    rows = bytearray()
    previous = bytes(columns)
    for start in range(0, len(data), columns + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + columns])
        _undo_row(kind, row, previous)
        rows += row
        previous = bytes(row).ljust(columns, b"\0")
    return bytes(rows)


def _undo_row(kind: int, row: bytearray, above: bytes) -> None:
    """PNG (RFC 2083 §6) filters 0 to 4 with one octet a pixel, in place."""
    if kind == 2:
        row[:] = bytes((value + up) & 0xFF for value, up in zip(row, above, strict=False))
    elif kind in (1, 3, 4):
        left = corner = 0
        for index, value in enumerate(row):
            up = above[index]
            predicted = left if kind == 1 else (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
            left, corner = (value + predicted) & 0xFF, up
            row[index] = left
    elif kind != 0:
        raise DocumentMalformed(f"a row has the unknown predictor {kind}")


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda candidate: abs(estimate - candidate))
