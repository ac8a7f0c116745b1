"""Directories reached through descriptors only, so that no link inside the folder is ever followed.

A path handed to the kernel as text can be redirected between two looks at it; a descriptor cannot. Every
step is opened with O_NOFOLLOW relative to the one before.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from trust.storage.objects.errors import KeyRefused, StoreMisconfigured

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO laid in the way must not hang the reader.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
DIRECTORY_MODE: Final = 0o700


class Tree:
    """The folder of a store. `root` itself may be a link (the operator's choice); nothing in it may."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    @contextmanager
    def directory(self, parts: Sequence[str], *, create: bool = False) -> Iterator[int]:
        """The descriptor of a directory below the root; FileNotFoundError where it is not there.

        Raises KeyRefused where a file stands in the way and StoreMisconfigured where a link does.
        """
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                following = _step(descriptor, part, create=create)
                os.close(descriptor)
                descriptor = following
            yield descriptor
        finally:
            os.close(descriptor)


def _step(parent: int, name: str, *, create: bool) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    except OSError as error:
        raise _in_the_way(parent, name, error) from error
    try:
        os.mkdir(name, DIRECTORY_MODE, dir_fd=parent)
    except FileExistsError:
        # Another writer made it in between.
        pass
    else:
        make_durable(parent)
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError as error:
        raise _in_the_way(parent, name, error) from error


def _in_the_way(parent: int, name: str, error: OSError) -> Exception:
    if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
        return error
    if stat.S_ISLNK(os.lstat(name, dir_fd=parent).st_mode):
        return StoreMisconfigured(f"{name!r} in the object folder is a link; links are never followed")
    return KeyRefused(f"an object is stored at {name!r}; no key can lie below another key")


def open_file(directory: int, name: str) -> int:
    """A descriptor of a regular file; FileNotFoundError, or StoreMisconfigured on anything else."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreMisconfigured(f"{name!r} in the object folder is a link") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StoreMisconfigured(f"{name!r} in the object folder is not a regular file")
    return descriptor


def names_in(directory: int) -> list[str]:
    """The names in an open directory, in no order."""
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def write_all(descriptor: int, content: bytes) -> None:
    """Writes every octet; os.write may take fewer."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def make_durable(descriptor: int) -> None:
    """Waits until a file or directory has reached the disk itself, not only its cache."""
    full: int | None = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None:
        os.fsync(descriptor)
    else:
        # macOS: fsync leaves the drive's own cache out.
        fcntl.fcntl(descriptor, full)


def same_file(directory: int, name: str, inode: os.stat_result) -> bool:
    """Whether `name` is there and is that very file."""
    try:
        found = os.lstat(name, dir_fd=directory)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, inode)
