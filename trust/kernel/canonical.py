"""Canonical JSON, for digests: sorted keys, no white space, UTF-8 (RFC 8785 for the values used here).

Numbers are integers only, so the number serialisation of RFC 8785 §3.2.2.3 does not arise.
"""

import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """The one octet string for a JSON value; raises ValueError on floats, NaN and lone surrogates."""
    _refuse_floats(value)
    text = json.dumps(_ordered(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def _ordered(value: Any) -> Any:
    """The value with the keys of every object in the order of their UTF-16 code units (RFC 8785 §3.2.3)."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    return value


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("canonical JSON takes integers only; write a decimal as a string")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("canonical JSON takes string keys only")
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
