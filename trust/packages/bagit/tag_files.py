"""The tag files of a bag: declaration, manifests, bag-info (RFC 8493 §2.1.1, §2.1.3, §2.2.2)."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from trust.packages.entry_names import name_fault

DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MAX_PATH_OCTETS: Final = 1024

_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_DECLARATION: Final = re.compile(
    r"BagIt-Version: (\d+\.\d+)(?:\r\n|\r|\n)Tag-File-Character-Encoding: (\S+)(?:\r\n|\r|\n)?\Z"
)
_MANIFEST_LINE: Final = re.compile(r"([0-9a-fA-F]+)[ \t]+(\S(?:.*\S)?)\Z")
_MANIFEST_NAME: Final = re.compile(r"(tag)?manifest-([a-z0-9]+)\.txt\Z")
_ESCAPE: Final = re.compile(r"%(0[aA]|0[dD]|25)")
_LABEL: Final = re.compile(r"[^\s:](?:[^:]*[^\s:])?\Z")


class TagFileMalformed(ValueError):
    """A tag file cannot be read; the message says why, in a sentence's middle."""


def manifest_algorithm(name: str) -> tuple[bool, str] | None:
    """For a manifest's file name: whether it is a tag manifest, and its algorithm as written."""
    match = _MANIFEST_NAME.match(name)
    return (match.group(1) is not None, match.group(2)) if match else None


def read_declaration(content: bytes) -> tuple[str, str]:
    """Version and encoding named in bagit.txt."""
    match = _DECLARATION.match(_text(content))
    if match is None:
        raise TagFileMalformed("is not the two lines that declare a bag")
    return match.group(1), match.group(2)


def format_manifest(digests: Mapping[str, str]) -> bytes:
    """Lines of digest and path, in the order of paths; %, CR and LF in a path are escaped."""
    lines = [f"{digest}  {_escaped(path)}\n" for path, digest in sorted(digests.items())]
    return "".join(lines).encode()


def read_manifest(content: bytes) -> dict[str, str]:
    """Digest in lower case by path."""
    digests: dict[str, str] = {}
    for line in _lines(content):
        match = _MANIFEST_LINE.match(line)
        if match is None:
            raise TagFileMalformed("has a line that is not a digest and a path")
        path = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), match.group(2))
        fault = name_fault(path.removeprefix("./"), limit=MAX_PATH_OCTETS)
        if fault is not None:
            raise TagFileMalformed(f"names a path that {fault}")
        if path in digests:
            raise TagFileMalformed("names a path twice")
        digests[path] = match.group(1).lower()
    return digests


def format_info(info: Sequence[tuple[str, str]]) -> bytes:
    """Lines of label and value; long values are not folded."""
    return "".join(f"{label}: {value}\n" for label, value in info).encode()


def read_info(content: bytes) -> list[tuple[str, str]]:
    """Labels and values in their order; a line that begins with white space continues the one before."""
    # Parts are joined at the end: a value of a million continued lines must not be copied a million times.
    info: list[tuple[str, list[str]]] = []
    for line in _lines(content):
        if line[0] in " \t":
            if not info:
                raise TagFileMalformed("begins with a continued line")
            info[-1][1].append(line.strip())
            continue
        label, colon, value = line.partition(":")
        if not colon or not _LABEL.match(label):
            raise TagFileMalformed("has a line that is not a label and a value")
        info.append((label, [value.strip()]))
    return [(label, " ".join(parts)) for label, parts in info]


def _lines(content: bytes) -> list[str]:
    return [line for line in _NEWLINE.split(_text(content)) if line.strip()]


def _text(content: bytes) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        raise TagFileMalformed("begins with a byte order mark")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TagFileMalformed("is not UTF-8") from error


def _escaped(path: str) -> str:
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
