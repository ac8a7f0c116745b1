"""How a validator looks at an object, wherever it lies: a folder, a store, a part of either."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, Protocol

# Deeper than any object; what lies below is not entered, whoever laid it there.
MAX_DEPTH: Final = 64


class EntryKind(StrEnum):
    """What stands at a path."""

    FILE = "file"
    # Object stores have none; on a disk they are a fault in some places.
    EMPTY_DIRECTORY = "empty_directory"
    # Links, devices, pipes: never opened.
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One path, relative with `/`, and what stands there."""

    path: str
    kind: EntryKind = EntryKind.FILE


class ObjectFiles(Protocol):
    """The files of one object (or storage root)."""

    def entries(self) -> Iterator[Entry]:
        """Everything that is there, in no order; folders that hold something are not named."""
        ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """The content of a file that `entries` named, to read forwards; OSError or a YinxinError else."""
        ...


class FolderFiles:
    """`ObjectFiles` of a folder on disk; links, and folders too deep, are named as OTHER and not entered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self) -> Iterator[Entry]:
        """See `ObjectFiles.entries`."""
        yield from self._below(self._folder, "")

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """See `ObjectFiles.open`."""
        descriptor = os.open(self._folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return os.fdopen(descriptor, "rb")

    def _below(self, folder: Path, prefix: str) -> Iterator[Entry]:
        with os.scandir(folder) as scanned:
            found = sorted(scanned, key=lambda entry: entry.name)
        if not found and prefix:
            yield Entry(path=prefix.rstrip("/"), kind=EntryKind.EMPTY_DIRECTORY)
        for entry in found:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False) and path.count("/") < MAX_DEPTH:
                yield from self._below(folder / entry.name, path + "/")
            elif entry.is_file(follow_symlinks=False):
                yield Entry(path=path)
            else:
                yield Entry(path=path, kind=EntryKind.OTHER)


class SubFiles:
    """`ObjectFiles` of what lies below one path of others."""

    def __init__(self, files: ObjectFiles, below: str, entries: tuple[Entry, ...]) -> None:
        """`entries` are those of `files` below the path, with their whole paths."""
        self._files = files
        self._prefix = below + "/"
        self._entries = entries

    def entries(self) -> Iterator[Entry]:
        """See `ObjectFiles.entries`."""
        for entry in self._entries:
            yield Entry(path=entry.path.removeprefix(self._prefix), kind=entry.kind)

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """See `ObjectFiles.open`."""
        return self._files.open(self._prefix + path)
