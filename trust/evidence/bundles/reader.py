"""Reads a stranger's bundle: the zip strictly, the manifest, and every member against it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, Final

from trust.evidence.bundles.errors import BundleMalformed
from trust.evidence.bundles.manifest import (
    MANIFEST_PATH,
    MAX_MANIFEST_OCTETS,
    MAX_MEMBERS,
    MAX_PATH_CHARACTERS,
    PACKAGE_TYPE,
    Manifest,
    Member,
)
from trust.packages.zip_directory import STORED, ZipEntry, ZipLimits, read_entries, read_entry

# What is read into memory at once; an object beyond this is no document, and packages are read as streams.
MAX_MEMBER_OCTETS: Final = 512 << 20
_LIMITS: Final = ZipLimits(
    entries=MAX_MEMBERS + 1, entry_octets=16 << 30, total_octets=32 << 30, name_octets=MAX_PATH_CHARACTERS
)
_LOCAL_HEADER_OCTETS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle whose zip and manifest agree; the members' digests have been compared."""

    manifest: Manifest
    file: BinaryIO
    entries: Mapping[str, ZipEntry]

    def octets(self, member: Member) -> bytes:
        """A member whole; raises BundleMalformed beyond MAX_MEMBER_OCTETS."""
        if member.size > MAX_MEMBER_OCTETS:
            raise BundleMalformed(f"{member.path} has more than the {MAX_MEMBER_OCTETS} octets read at once")
        return b"".join(read_entry(self.file, self.entries[member.path]))

    def range_of(self, member: Member) -> tuple[int, int]:
        """Where a member's octets lie in the zip: offset and length."""
        entry = self.entries[member.path]
        return entry.offset, entry.size


def is_bundle(head: bytes) -> bool:
    """Whether a zip that begins so means to be a bundle: its first entry is the manifest."""
    name = MANIFEST_PATH.encode()
    return head[:4] == b"PK\x03\x04" and head[_LOCAL_HEADER_OCTETS : _LOCAL_HEADER_OCTETS + len(name)] == name


def read_bundle(file: BinaryIO) -> Bundle:
    """Reads the directory and the manifest and holds every member against it, once through the file.

    Raises a ZipRefused or ZipBomb, and BundleMalformed where manifest and members disagree.
    """
    # 1. The zip: stored entries, the manifest first.
    entries = read_entries(file, limits=_LIMITS)
    if not entries or entries[0].name != MANIFEST_PATH:
        raise BundleMalformed(f"the first entry of a bundle is {MANIFEST_PATH}")
    packed = [entry.name for entry in entries if entry.method != STORED]
    if packed:
        raise BundleMalformed(f"{packed[0]} is compressed; a bundle's members are stored")
    if entries[0].size > MAX_MANIFEST_OCTETS:
        raise BundleMalformed(f"the manifest has more than {MAX_MANIFEST_OCTETS} octets")

    # 2. The manifest names every other entry, in order, and nothing else.
    manifest = Manifest.parse(b"".join(read_entry(file, entries[0])))
    if [entry.name for entry in entries[1:]] != [member.path for member in manifest.members]:
        raise BundleMalformed("the manifest does not list the entries of the zip, each once and in order")

    for member in manifest.members:
        # An archive package is read where it lies; everything else is read whole.
        if member.media_type != PACKAGE_TYPE and member.size > MAX_MEMBER_OCTETS:
            raise BundleMalformed(f"{member.path} has more than the {MAX_MEMBER_OCTETS} octets read at once")

    # 3. Every member is what the manifest says of it.
    for entry, member in zip(entries[1:], manifest.members, strict=True):
        running = hashlib.sha256()
        for piece in read_entry(file, entry):
            running.update(piece)
        if entry.size != member.size or running.hexdigest() != member.sha256:
            raise BundleMalformed(f"{member.path} is not of the size and digest that the manifest says")
    return Bundle(
        manifest=manifest,
        file=file,
        entries=MappingProxyType({entry.name: entry for entry in entries[1:]}),
    )
