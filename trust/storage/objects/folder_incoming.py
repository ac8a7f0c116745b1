"""Content on its way into a folder store: written and synced under a temporary name first."""

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

from trust.storage.objects.folder_tree import Tree, make_durable, names_in, write_all
from trust.storage.objects.streams import HashingReader

_FOLDER: Final = ["incoming"]
# Stored content is never written to again; the mode says so to whoever looks into the folder.
_STORED_MODE: Final = 0o440
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A temporary file whose content has reached the disk."""

    directory: int
    name: str
    size: int
    sha256: bytes


class Incoming:
    """Makes temporaries, each locked by its writer so that a sweeper can tell the living from the dead."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._numbers = itertools.count()

    @contextmanager
    def receive(self, data: BinaryIO | bytes, *, limit: int) -> Iterator[Arrived]:
        """Writes `data` to a temporary and syncs it; whatever happens, the name is gone afterwards."""
        with self._tree.directory(_FOLDER) as directory:
            descriptor, name = self._create(directory)
            try:
                reader = HashingReader(data, limit=limit)
                for chunk in reader.chunks():
                    write_all(descriptor, chunk)
                os.fchmod(descriptor, _STORED_MODE)
                make_durable(descriptor)
                yield Arrived(directory=directory, name=name, size=reader.size, sha256=reader.digest())
            finally:
                # Gone already where it was renamed to its place.
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=directory)
                os.close(descriptor)

    @contextmanager
    def name(self) -> Iterator[tuple[int, str]]:
        """A free name in the folder (to link to and rename from), with the folder's descriptor."""
        with self._tree.directory(_FOLDER) as directory:
            name = self._next_name()
            # A dead process of the same number may have left it.
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
            try:
                yield directory, name
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=directory)

    def sweep(self) -> int:
        """Removes every temporary that no living process holds; answers how many."""
        swept = 0
        with self._tree.directory(_FOLDER) as directory:
            for name in names_in(directory):
                with suppress(OSError):
                    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
                    try:
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        os.unlink(name, dir_fd=directory)
                        swept += 1
                    finally:
                        os.close(descriptor)
        return swept

    def _create(self, directory: int) -> tuple[int, str]:
        while True:
            name = self._next_name()
            try:
                descriptor = os.open(name, _CREATE, 0o600, dir_fd=directory)
            except FileExistsError:
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # A sweeper may have come between the two calls and taken the file for a dead one's.
            if os.fstat(descriptor).st_nlink:
                return descriptor, name
            os.close(descriptor)

    def _next_name(self) -> str:
        return f"{os.getpid()}-{id(self):x}-{next(self._numbers)}"
