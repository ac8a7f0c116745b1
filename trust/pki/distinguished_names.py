"""Distinguished names as others write them: compared as RFC 5280 §7.1 says, and shown as text (RFC 4514).

prepare(issuer_der) == prepare(subject_der)          # the same name, whatever the string type and case
within(prepare(subject_der), prepare(subtree_der))   # below it in the tree (RFC 5280 §7.1, last paragraph)
"""

import stringprep
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from trust.crypto import der, der_reader
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed

# A name in use has at most a dozen relative names; an address in one of them a few hundred characters.
MAX_RELATIVE_NAMES = 64
MAX_ATTRIBUTES_IN_ONE = 16
# Object identifiers in use have a few dozen octets; in prepared names one octet counts them.
MAX_KIND_OCTETS = 0xFF
# The few hundred authorities and parties that recur in one process.
_CACHED_NAMES = 1024

NUMERIC_STRING = 0x12
TELETEX_STRING = 0x14
VISIBLE_STRING = 0x1A
UNIVERSAL_STRING = 0x1C
BMP_STRING = 0x1E
_EMAIL_ADDRESS = "1.2.840.113549.1.9.1"

# Octets that are the same exactly where RFC 5280 §7.1 calls the relative names the same, from the root down.
PreparedName: TypeAlias = tuple[bytes, ...]

_DECODERS: Mapping[int, Callable[[bytes], str]] = MappingProxyType(
    {
        der.PRINTABLE_STRING: lambda octets: octets.decode("ascii"),
        der.IA5_STRING: lambda octets: octets.decode("ascii"),
        NUMERIC_STRING: lambda octets: octets.decode("ascii"),
        VISIBLE_STRING: lambda octets: octets.decode("ascii"),
        der.UTF8_STRING: lambda octets: octets.decode("utf-8"),
        # What T.61 is in practice: Latin-1 (as OpenSSL and browsers hold it).
        TELETEX_STRING: lambda octets: octets.decode("latin-1"),
        BMP_STRING: lambda octets: octets.decode("utf-16-be"),
        UNIVERSAL_STRING: lambda octets: octets.decode("utf-32-be"),
    }
)
# RFC 4514 §3 and the two that every tool shows.
_SHORT = MappingProxyType(
    {
        "2.5.4.3": "CN",
        "2.5.4.7": "L",
        "2.5.4.8": "ST",
        "2.5.4.10": "O",
        "2.5.4.11": "OU",
        "2.5.4.6": "C",
        "2.5.4.9": "STREET",
        "0.9.2342.19200300.100.1.25": "DC",
        "0.9.2342.19200300.100.1.1": "UID",
    }
)


@dataclass(frozen=True, slots=True)
class _Attribute:
    """One attribute: its type, its value's characters where it has any, and the value's encoding."""

    kind: Element
    text: str | None
    value: Element


@lru_cache(maxsize=_CACHED_NAMES)
def prepare(name: bytes) -> PreparedName:
    """A DER Name made ready for comparison; raises DerMalformed where it is not one.

    Character strings of every type are compared by their characters: case and white space as RFC 4518 prepares
    them. A value of any other type is compared by its octets.
    """
    return tuple(_prepared(each) for each in _read(name))


def prepare_relative(relative_name: Element, tag: int = der.SET) -> bytes:
    """The same of one RelativeDistinguishedName (`tag` where it is tagged otherwise than as a SET)."""
    return _prepared(_read_relative(relative_name, tag))


@lru_cache(maxsize=_CACHED_NAMES)
def _read(name: bytes) -> tuple[tuple[_Attribute, ...], ...]:
    relative_names = der_reader.read(name).expect(der.SEQUENCE).children()
    if len(relative_names) > MAX_RELATIVE_NAMES:
        raise DerMalformed(f"a name of {len(relative_names)} relative names; at most {MAX_RELATIVE_NAMES}")
    return tuple(_read_relative(each) for each in relative_names)


def _read_relative(relative_name: Element, tag: int = der.SET) -> tuple[_Attribute, ...]:
    attributes = relative_name.expect(tag).children()
    if not 0 < len(attributes) <= MAX_ATTRIBUTES_IN_ONE:
        raise DerMalformed(f"a relative name of {len(attributes)} attributes")
    found = []
    for attribute in attributes:
        fields = attribute.fields()
        kind, value = fields.take(der.OBJECT_IDENTIFIER), fields.take()
        fields.end()
        if len(kind.encoded) > MAX_KIND_OCTETS:
            raise DerMalformed(f"an attribute type of {len(kind.encoded)} octets")
        found.append(_Attribute(kind, _text(value), value))
    return tuple(found)


def _prepared(attributes: tuple[_Attribute, ...]) -> bytes:
    prepared = []
    for each in attributes:
        kind = each.kind.encoded
        if each.text is None:
            content = each.value.encoded
        else:
            content = b"\x00" + prepare_text(each.text).encode("utf-8", "surrogatepass")
        prepared.append(bytes((len(kind),)) + kind + len(content).to_bytes(4, "big") + content)
    return b"".join(sorted(prepared))


def within(name: PreparedName, subtree: PreparedName) -> bool:
    """Whether a name lies in a subtree: the subtree's relative names are its first ones."""
    return name[: len(subtree)] == subtree


def prepare_text(text: str) -> str:
    """RFC 4518 §2, as far as it makes two values the same: mapped, folded, normalised, white space single."""
    if text.isascii() and text.isprintable():
        return _single_spaced(text.lower())
    mapped = "".join(
        " " if unicodedata.category(each) in ("Zs", "Zl", "Zp") or each in "\t\n\v\f\r\x85" else each
        for each in text
        if not stringprep.in_table_b1(each)
        and (unicodedata.category(each) != "Cc" or each in "\t\n\v\f\r\x85")
    )
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", mapped).casefold())
    return _single_spaced(folded)


def _single_spaced(text: str) -> str:
    return " ".join(part for part in text.split(" ") if part)


def _text(value: Element) -> str | None:
    """The characters of a string value; None where it is not a string or not one of its own type."""
    decode = _DECODERS.get(value.tag)
    if decode is None:
        return None
    try:
        return decode(value.content)
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=_CACHED_NAMES)
def name_text(name: bytes) -> str:
    """A DER Name as RFC 4514 writes it, the last relative name first; values that are no text in hex."""
    return ",".join(
        "+".join(_attribute_text(each) for each in relative_name) for relative_name in reversed(_read(name))
    )


def _attribute_text(attribute: _Attribute) -> str:
    oid = _dotted(attribute.kind.encoded)
    shown = f"#{attribute.value.encoded.hex()}" if attribute.text is None else _escaped(attribute.text)
    return f"{_SHORT.get(oid, oid)}={shown}"


@lru_cache(maxsize=256)
def _dotted(oid: bytes) -> str:
    """There are few types of attributes."""
    return der_reader.read(oid).oid()


def _escaped(text: str) -> str:
    """RFC 4514 §2.4."""
    for special in '\\"+,;<>':
        text = text.replace(special, f"\\{special}")
    text = text.replace("\0", "\\00")
    if text[:1] in ("#", " "):
        text = f"\\{text}"
    if text.endswith(" ") and text != "\\ ":  # a single space is both the first and the last
        text = f"{text[:-1]}\\ "
    return text


def attribute_texts(name: bytes, oid: str) -> tuple[str, ...]:
    """The text of every attribute of one type, in order."""
    wanted = der.oid(oid)
    return tuple(
        each.text
        for relative_name in _read(name)
        for each in relative_name
        if each.text is not None and each.kind.encoded == wanted
    )


def attribute_values(name: bytes) -> tuple[tuple[str, str], ...]:
    """The dotted type and text of every attribute that is text, in order; raises DerMalformed."""
    return tuple(
        (_dotted(each.kind.encoded), each.text)
        for relative_name in _read(name)
        for each in relative_name
        if each.text is not None
    )


def email_addresses(name: bytes) -> tuple[str, ...]:
    """The e-mail addresses in a subject, which name constraints apply to where no other is given (§4.2.1.10).

    One that is no text is empty: it is there, and cannot be compared with anything.
    """
    wanted = der.oid(_EMAIL_ADDRESS)
    return tuple(
        each.text or ""
        for relative_name in _read(name)
        for each in relative_name
        if each.kind.encoded == wanted
    )
