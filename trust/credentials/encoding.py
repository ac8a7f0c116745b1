"""Strict base64url and strict JSON: one spelling for each octet string, one value for each name.

What a lenient reader forgives (stray last bits, duplicate names, `NaN`, lone surrogates) lets two
readers see two different things under one signature, so none of it is taken here.
"""

import base64
import binascii
import json
import math
import re
from typing import Any, NoReturn

from trust.credentials.errors import CredentialMalformed

# A licence's claims nest a few levels; each level costs an attacker two octets and us a stack frame.
MAX_JSON_DEPTH = 32

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")


def base64url_encode(octets: bytes) -> str:
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def base64url_decode(text: str, what: str) -> bytes:
    """Reads unpadded base64url in its one canonical form (RFC 4648 §3.5); raises `CredentialMalformed`."""
    if not _BASE64URL.match(text):
        raise CredentialMalformed(f"{what} is not base64url without padding")
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise CredentialMalformed(f"{what} is not base64url") from error
    if base64url_encode(octets) != text:
        raise CredentialMalformed(f"{what} is not in canonical base64url")
    return octets


def base64_decode(text: str, what: str) -> bytes:
    """Reads standard base64 with padding (RFC 7515 §4.1.6); raises `CredentialMalformed`."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CredentialMalformed(f"{what} is not base64") from error
    if base64.b64encode(octets).decode("ascii") != text:
        raise CredentialMalformed(f"{what} is not in canonical base64")
    return octets


def write_json(value: Any) -> bytes:
    """JSON without white space, UTF-8, names in the order given; raises `CredentialMalformed` on no-JSON."""
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise CredentialMalformed("the value cannot be written as JSON") from error


def read_json(octets: bytes, what: str) -> Any:
    """Reads one JSON text (RFC 8259); raises `CredentialMalformed`.

    Refused beyond bad syntax: duplicate names, numbers that are not finite, lone surrogates, and
    nesting deeper than `MAX_JSON_DEPTH`.
    """
    try:
        value = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_unique_names,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except CredentialMalformed as error:
        raise CredentialMalformed(f"{what}: {error.message}") from error
    except (ValueError, RecursionError) as error:
        raise CredentialMalformed(f"{what} is not JSON") from error
    _require_plain(value, what, 0)
    return value


def read_object(octets: bytes, what: str) -> dict[str, Any]:
    """Reads one JSON object; raises `CredentialMalformed`."""
    value = read_json(octets, what)
    if not isinstance(value, dict):
        raise CredentialMalformed(f"{what} is not a JSON object")
    return value


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise CredentialMalformed("a name stands twice in one object")
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise CredentialMalformed("NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise CredentialMalformed("a number is too large to be read")
    return number


def _require_plain(value: Any, what: str, depth: int) -> None:
    if depth > MAX_JSON_DEPTH:
        raise CredentialMalformed(f"{what} is nested deeper than {MAX_JSON_DEPTH} levels")
    if isinstance(value, str):
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise CredentialMalformed(f"{what} holds a lone surrogate")
    elif isinstance(value, dict):
        for name, item in value.items():
            _require_plain(name, what, depth)
            _require_plain(item, what, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _require_plain(item, what, depth + 1)
