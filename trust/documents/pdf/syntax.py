"""The objects of a PDF file (ISO 32000-1 §7.3), read without loss and without trust.

Values are plain: None, bool, int, float, `str` for names (one character an octet, no slash), `bytes` for
strings, `Reference`, list and `Dictionary`. A dictionary remembers where each entry stands in its source, so
that one entry can be replaced while all others stay as their author wrote them, octet for octet.

Nothing here recurses deeper than `MAX_NESTING`, and every step is linear in what it reads.
"""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, Union

from trust.documents.pdf.errors import DocumentMalformed
from trust.documents.pdf.limits import MAX_NESTING
from trust.documents.pdf.octets import Octets


class Reference(NamedTuple):
    """`12 0 R`: the number and generation of an indirect object."""

    number: int
    generation: int

    def written(self) -> bytes:
        """As it stands in a file."""
        return b"%d %d R" % self


class Entry(NamedTuple):
    """Where an entry of a dictionary stands in its source: the key from `start`, the value from `value` to `end`."""

    key: str
    start: int
    value: int
    end: int


Value: TypeAlias = Union[bool, int, float, str, bytes, Reference, list["Value"], "Dictionary", None]


# Shared by nearly all dictionaries: a set for each would be most of what they take.
_NOTHING_REPEATED: frozenset[str] = frozenset()


class Dictionary(dict[str, Value]):
    """A dictionary by decoded key. Of a key written twice the first counts; `repeated` names it."""

    __slots__ = ("end", "entries", "repeated", "start")

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.repeated: Set[str] = _NOTHING_REPEATED
        self.start = 0
        self.end = 0


@dataclass(frozen=True, slots=True)
class IndirectObject:
    """An object as it stands in `source`: its value from `start` to `end`; stream data follow at `stream`."""

    source: Octets
    value: Value
    start: int
    end: int
    stream: int | None = None

    def text(self) -> bytes:
        """The value as its author wrote it."""
        return self.source[self.start : self.end]


_SPACE = rb"[\x00\t\n\x0c\r ]"
_END = rb"(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|\Z)"
# Possessive throughout: white space and comments are never given back, so no input makes this more than linear.
_BLANK = rb"(?:" + _SPACE + rb"++|%[^\r\n]*+)*+"
_GAP = rb"(?:" + _SPACE + rb"++|%[^\r\n]*+[\r\n])++"
_TOKEN = re.compile(
    _BLANK
    + rb"(?:(?P<reference>(\d{1,10}+)" + _GAP + rb"(\d{1,5}+)" + _GAP + rb"R" + _END + rb")"
    + rb"|(?P<number>[+-]?[\d.]++)" + _END
    + rb"|/(?P<name>[^\x00\t\n\x0c\r ()<>\[\]{}/%]*+)"
    + rb"|(?P<open><<|\[)"
    + rb"|(?P<close>>>|\])"
    + rb"|(?P<hex><)"
    + rb"|(?P<literal>\()"
    + rb"|(?P<word>true|false|null)" + _END + rb")"
)  # fmt: skip
_HEADER = re.compile(_BLANK + rb"(\d{1,10}+)" + _GAP + rb"(\d{1,5}+)" + _GAP + rb"obj")
_STREAM = re.compile(_BLANK + rb"stream(?:\r\n|\n|\r)")
_WORDS: Mapping[bytes, Value] = {b"true": True, b"false": False, b"null": None}
_PARENTHESIS = re.compile(rb"[()\\]")
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|\r|\n)|(.)|\Z)|\r\n?", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_WHITE = b"\x00\t\n\x0c\r "
# Longer runs of digits are no coordinate, count or offset of a file that fits in any store.
_MAX_NUMBER_OCTETS = 40


def read_value(source: Octets, at: int) -> tuple[Value, int]:
    """The value that begins at or after octet `at`, and where it ends; raises DocumentMalformed."""
    return _read(source, at, 0)


def read_indirect_object(source: Octets, at: int, number: int) -> IndirectObject:
    """The object `number` whose `n g obj` stands at octet `at`; raises DocumentMalformed where it does not."""
    header = _HEADER.match(source, at)
    if header is None or int(header[1]) != number:
        raise DocumentMalformed(f"object {number} is not where the cross-references say (octet {at})")
    value, end = _read(source, header.end(), 0)
    stream = _STREAM.match(source, end) if isinstance(value, Dictionary) else None
    start = value.start if isinstance(value, Dictionary) else header.end()
    return IndirectObject(source, value, start, end, stream.end() if stream else None)


def object_number_at(source: Octets, at: int) -> int | None:
    """The number of the indirect object that begins at octet `at`, if one does."""
    header = _HEADER.match(source, at)
    return int(header[1]) if header else None


def _read(source: Octets, at: int, depth: int) -> tuple[Value, int]:
    token = _TOKEN.match(source, at)
    if token is None:
        raise DocumentMalformed(f"no PDF object at octet {at}")
    return _finish(source, token, depth)


def _finish(source: Octets, token: re.Match[bytes], depth: int) -> tuple[Value, int]:
    end = token.end()
    match token.lastgroup:
        case "reference":
            return Reference(int(token[2]), int(token[3])), end
        case "number":
            return _number(token["number"]), end
        case "name":
            return _name(token["name"]), end
        case "word":
            return _WORDS[token["word"]], end
        case "hex":
            return _hex(source, end)
        case "literal":
            return _literal(source, end)
        case "open":
            if depth >= MAX_NESTING:
                raise DocumentMalformed(f"an object is nested deeper than {MAX_NESTING} levels")
            if token["open"] == b"[":
                return _array(source, end, depth + 1)
            return _dictionary(source, end, depth + 1)
    raise DocumentMalformed(f"a closing bracket without an opening one at octet {end}")


def _array(source: Octets, at: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    while True:
        token = _TOKEN.match(source, at)
        if token is None:
            raise DocumentMalformed(f"an array is not closed at octet {at}")
        if token.lastgroup == "close":
            if token["close"] != b"]":
                raise DocumentMalformed(f"an array is closed as a dictionary at octet {at}")
            return items, token.end()
        value, at = _finish(source, token, depth)
        items.append(value)


def _dictionary(source: Octets, at: int, depth: int) -> tuple[Value, int]:
    result = Dictionary()
    result.start = at - 2
    while True:
        token = _TOKEN.match(source, at)
        if token is None:
            raise DocumentMalformed(f"a dictionary is not closed at octet {at}")
        if token.lastgroup == "close" and token["close"] == b">>":
            result.end = token.end()
            return result, result.end
        if token.lastgroup != "name":
            raise DocumentMalformed(f"a dictionary has something other than a name as key at octet {at}")
        key = _name(token["name"])
        value, end = _read(source, token.end(), depth)
        if key in result:
            result.repeated = {*result.repeated, key}
        else:
            result[key] = value
        result.entries.append(Entry(key, token.start("name") - 1, token.end(), end))
        at = end


def _number(text: bytes) -> int | float:
    if len(text) > _MAX_NUMBER_OCTETS:
        raise DocumentMalformed(f"a number has {len(text)} digits")
    try:
        return float(text) if b"." in text else int(text)
    except ValueError as error:
        raise DocumentMalformed(f"{text!r} is no number") from error


def _name(text: bytes) -> str:
    if b"#" in text:
        text = _NAME_ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), text)
    return text.decode("latin-1")


def _hex(source: Octets, at: int) -> tuple[bytes, int]:
    end = source.find(b">", at)
    if end < 0:
        raise DocumentMalformed(f"a string is not closed at octet {at}")
    digits = source[at:end].translate(None, _WHITE)
    try:
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii")), end + 1
    except ValueError as error:
        raise DocumentMalformed(f"a hexadecimal string holds something else at octet {at}") from error


def _literal(source: Octets, at: int) -> tuple[bytes, int]:
    open_brackets, position = 1, at
    while open_brackets:
        mark = _PARENTHESIS.search(source, position)
        if mark is None:
            raise DocumentMalformed(f"a string is not closed at octet {at}")
        position = mark.end()
        if mark[0] == b"\\":
            position += 1
        else:
            open_brackets += 1 if mark[0] == b"(" else -1
    return _ESCAPE.sub(_unescaped, source[at : position - 1]), position


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal, line_break, character = match.groups()
    if octal is not None:
        return bytes((int(octal, 8) & 0xFF,))
    if line_break is not None:
        return b""
    if character is not None:
        return _ESCAPED.get(character, character)
    return b"\n" if match[0].startswith(b"\r") else b""


def text_string(value: bytes) -> str:
    """A text string (ISO 32000-2 §7.9.2.2) as text; PDFDocEncoding is read as Latin-1, its common part."""
    if value.startswith(b"\xfe\xff"):
        return value[2:].decode("utf-16-be", "replace")
    if value.startswith(b"\xff\xfe"):
        return value[2:].decode("utf-16-le", "replace")
    if value.startswith(b"\xef\xbb\xbf"):
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1")


def written_text(text: str) -> bytes:
    """Text as a text string in UTF-16BE, hexadecimal: nothing in it needs escaping."""
    return b"<feff" + text.encode("utf-16-be").hex().encode("ascii") + b">"


def written_number(number: float) -> bytes:
    """A number with at most five decimals, never with an exponent."""
    text = f"{number:.5f}".rstrip("0").rstrip(".")
    return (text if text not in ("-0", "") else "0").encode("ascii")


def written_array(items: Iterable[bytes]) -> bytes:
    """An array of values already written."""
    return b"[" + b" ".join(items) + b"]"


def with_entries(source: Octets, dictionary: Dictionary, replaced: Mapping[str, bytes]) -> bytes:
    """The dictionary as its author wrote it, with some entries replaced or added (values already written).

    Raises DocumentMalformed where a replaced key stands there twice: readers disagree which counts.
    """
    if dictionary.repeated & replaced.keys():
        raise DocumentMalformed(f"/{min(dictionary.repeated & replaced.keys())} stands twice in a dictionary")
    kept = [source[entry.start : entry.end] for entry in dictionary.entries if entry.key not in replaced]
    added = [b"/" + key.encode("ascii") + b" " + value for key, value in replaced.items()]
    return b"<< " + b"\n".join(kept + added) + b" >>"


def same(one: Value, other: Value) -> bool:
    """Whether two values mean the same, references not followed; a repeated key is never the same as anything."""
    if isinstance(one, Dictionary) and isinstance(other, Dictionary):
        return (
            not one.repeated
            and not other.repeated
            and one.keys() == other.keys()
            and all(same(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, Reference) or isinstance(other, Reference):
        return isinstance(one, Reference) and isinstance(other, Reference) and one == other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def is_self_contained(value: Value) -> bool:
    """Whether no part of a value is said by another object, which a later revision could replace."""
    if isinstance(value, Reference):
        return False
    if isinstance(value, list):
        return all(map(is_self_contained, value))
    return not isinstance(value, Dictionary) or all(map(is_self_contained, value.values()))
