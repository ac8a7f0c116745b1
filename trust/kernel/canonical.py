"""Canonical JSON, for digests: sorted keys, no white space, UTF-8 (RFC 8785 for the values used here).

Numbers are integers only, so the number serialisation of RFC 8785 §3.2.2.3 does not arise.
"""

import json
from typing import Any, Final

# Made once: building an encoder costs as much as encoding an event.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """The one octet string for a JSON value; raises ValueError on floats, NaN and lone surrogates."""
    return _ENCODER.encode(_ordered(value)).encode("utf-8")


def canonical_string(text: str) -> str:
    """A string as canonical JSON has it, quotation marks included: for templates of what is always the same."""
    return _ENCODER.encode(text)


def _ordered(value: Any) -> Any:
    """The value with the keys of every object in the order of their UTF-16 code units (RFC 8785 §3.2.3)."""
    if isinstance(value, float):
        raise ValueError("canonical JSON takes integers only; write a decimal as a string")
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in _in_order(value)}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    return value


def _in_order(value: dict[Any, Any]) -> list[str]:
    if not all(isinstance(key, str) for key in value):
        raise ValueError("canonical JSON takes string keys only")
    if all(key.isascii() for key in value):  # then the order of code points is that of UTF-16
        return sorted(value)
    return sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
