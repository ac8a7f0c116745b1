"""Finds the files of a bag in its zip."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from trust.packages.errors import EntryMissing, ZipMalformed
from trust.packages.zip_directory import DEFAULT_LIMITS, STORED, ZipEntry, ZipLimits, read_entries


def bag_files(file: BinaryIO, *, limits: ZipLimits = DEFAULT_LIMITS) -> Mapping[str, ZipEntry]:
    """The files of the one bag in a zip by their path in the bag (`data/1.pdf`); nothing is validated yet.

    Raises a ZipRefused or ZipBomb, ZipMalformed where there is not exactly one folder at the top
    (RFC 8493 §4).
    """
    return in_bag(read_entries(file, limits=limits))


def in_bag(entries: Sequence[ZipEntry]) -> Mapping[str, ZipEntry]:
    """The entries by their path in the bag."""
    tops = {entry.name.partition("/")[0] for entry in entries}
    if len(tops) != 1 or any("/" not in entry.name for entry in entries):
        raise ZipMalformed("a zipped bag holds exactly one folder at the top, and nothing beside it")
    return {entry.name.partition("/")[2]: entry for entry in entries}


def entry_range(file: BinaryIO, path: str, *, limits: ZipLimits = DEFAULT_LIMITS) -> tuple[int, int]:
    """Where the content of one stored file lies in the zip: offset and length in octets.

    `path` is that in the bag (`data/1.pdf`). Raises EntryMissing, ZipMalformed where it is compressed.
    """
    entry = bag_files(file, limits=limits).get(path)
    if entry is None:
        raise EntryMissing("the bag has no file of this path")
    if entry.method != STORED:
        raise ZipMalformed("this file is compressed: it is no range of the zip")
    return entry.offset, entry.size
