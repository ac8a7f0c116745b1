"""The versions of one key in a folder store, and the walk over all keys."""

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.storage.objects.errors import KeyRefused, StoreMisconfigured
from trust.storage.objects.folder_incoming import Arrived, Incoming
from trust.storage.objects.folder_tree import Tree, make_durable, names_in, open_file, same_file

# No segment of a key holds '@': the folder of a key's versions cannot be another key's parent.
_MARK: Final = "@"
_LOCK_SUFFIX: Final = ".lock"
_VERSION: Final = re.compile(r"\d{8}-[0-9a-f]{64}\Z")
# 'YYYY-MM-DDTHH:MM:SS.mmmZ' and a little; whatever is longer was not written here.
_MAX_LOCK_OCTETS: Final = 64


def names_a_version(version_id: str) -> bool:
    """Whether this is the form of this store's version ids: a running number and the content's SHA-256."""
    return _VERSION.match(version_id) is not None


@dataclass(frozen=True, kw_only=True)
class Version:
    """One stored version; `size` in octets."""

    version_id: str
    size: int


class KeyVersions:
    """The folder of one key's versions, open; whoever changes it holds the key's lock."""

    def __init__(self, *, tree: Tree, incoming: Incoming, key: str, directory: int) -> None:
        self.key = key
        self._tree = tree
        self._incoming = incoming
        self._directory = directory

    @classmethod
    @contextmanager
    def opened(cls, tree: Tree, incoming: Incoming, key: str, *, create: bool) -> Iterator[Self]:
        """Opens the folder; FileNotFoundError where the key has none and `create` is not asked."""
        with tree.directory(_versions_folder(key), create=create) as directory:
            yield cls(tree=tree, incoming=incoming, key=key, directory=directory)

    def all(self) -> list[Version]:
        """Oldest first."""
        found = (self.named(name) for name in sorted(self._names()))
        return [version for version in found if version is not None]

    def newest(self) -> Version | None:
        """The version with the highest number."""
        names = self._names()
        return self.named(max(names)) if names else None

    def named(self, version_id: str) -> Version | None:
        """The version of that id, where it is there."""
        try:
            size = os.lstat(version_id, dir_fd=self._directory).st_size
        except FileNotFoundError:
            return None
        return Version(version_id=version_id, size=size)

    def open(self, version: Version) -> int:
        """A descriptor to read from."""
        return open_file(self._directory, version.version_id)

    def add(self, arrived: Arrived, *, retain_until: datetime | None) -> str:
        """Makes the temporary the newest version and answers its id; KeyRefused where keys lie below."""
        newest = self.newest()
        number = int(newest.version_id[:8]) + 1 if newest else 1
        version_id = f"{number:08d}-{arrived.sha256.hex()}"
        with self._view(create=True) as (view, name):
            # 1. Where another key lies below this one, refuse before anything is there.
            with suppress(FileNotFoundError):
                if stat.S_ISDIR(os.lstat(name, dir_fd=view).st_mode):
                    raise KeyRefused(f"objects are stored below {name!r}; no key can lie above another key")
            # 2. The lock is there before what it locks.
            if retain_until is not None:
                self._write_lock(version_id, retain_until)
            # 3. The version appears, whole, in one step.
            os.link(
                arrived.name,
                version_id,
                src_dir_fd=arrived.directory,
                dst_dir_fd=self._directory,
                follow_symlinks=False,
            )
            make_durable(self._directory)
            # 4. The view shows it.
            try:
                os.rename(arrived.name, name, src_dir_fd=arrived.directory, dst_dir_fd=view)
            except OSError:
                # A key below this one came in between: nothing was acknowledged, nothing stays.
                os.unlink(version_id, dir_fd=self._directory)
                raise
            make_durable(view)
        return version_id

    def refresh_view(self, newest: Version) -> None:
        """Makes the view show the newest version, where a kill between two steps left it behind."""
        descriptor = self.open(newest)
        try:
            with self._view(create=True) as (view, name):
                if same_file(view, name, os.fstat(descriptor)):
                    return
                # Held so that a sweeper does not take the second name for a dead writer's temporary.
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                with self._incoming.name() as (incoming, temporary):
                    os.link(
                        newest.version_id,
                        temporary,
                        src_dir_fd=self._directory,
                        dst_dir_fd=incoming,
                        follow_symlinks=False,
                    )
                    os.rename(temporary, name, src_dir_fd=incoming, dst_dir_fd=view)
                make_durable(view)
        finally:
            os.close(descriptor)

    def retained_until(self, version: Version) -> datetime | None:
        """The date of the version's lock; StoreMisconfigured where the lock cannot be read."""
        try:
            descriptor = open_file(self._directory, version.version_id + _LOCK_SUFFIX)
        except FileNotFoundError:
            return None
        try:
            return parse_rfc3339(os.read(descriptor, _MAX_LOCK_OCTETS).decode("ascii"))
        except ValueError as error:
            raise StoreMisconfigured(
                "a version's lock file does not hold a date; it was tampered with"
            ) from error
        finally:
            os.close(descriptor)

    def retain(self, version: Version, until: datetime) -> None:
        """Writes the lock's date; that it is not shortened, the store has looked at."""
        self._write_lock(version.version_id, until)

    def remove(self, version: Version) -> None:
        """Removes the version and its lock, and makes the view show what is newest then."""
        os.unlink(version.version_id, dir_fd=self._directory)
        with suppress(FileNotFoundError):
            os.unlink(version.version_id + _LOCK_SUFFIX, dir_fd=self._directory)
        make_durable(self._directory)
        newest = self.newest()
        if newest is not None:
            self.refresh_view(newest)
            return
        with suppress(FileNotFoundError), self._view(create=False) as (view, name):
            os.unlink(name, dir_fd=view)
            make_durable(view)

    def _names(self) -> list[str]:
        return [name for name in names_in(self._directory) if _VERSION.match(name)]

    def _write_lock(self, version_id: str, until: datetime) -> None:
        text = rfc3339(until).encode("ascii")
        with self._incoming.receive(text, limit=_MAX_LOCK_OCTETS) as arrived:
            lock = version_id + _LOCK_SUFFIX
            os.rename(arrived.name, lock, src_dir_fd=arrived.directory, dst_dir_fd=self._directory)
            make_durable(self._directory)

    @contextmanager
    def _view(self, *, create: bool) -> Iterator[tuple[int, str]]:
        *parents, name = self.key.split("/")
        with self._tree.directory(["objects", *parents], create=create) as directory:
            yield directory, name


def prune(tree: Tree, key: str) -> None:
    """Removes the folders that a purged key leaves empty; needs the whole tree to itself."""
    for folder in (_versions_folder(key), ["objects", *key.split("/")[:-1]]):
        for depth in range(len(folder) - 1, 0, -1):
            try:
                with tree.directory(folder[:depth]) as parent:
                    os.rmdir(folder[depth], dir_fd=parent)
            except FileNotFoundError:
                continue
            except OSError:
                # Not empty: so are all above it.
                break


def walk_keys(tree: Tree, prefix: str) -> Iterator[str]:
    """Every key that has a folder of versions and begins with `prefix`, in the order of octets."""
    *parents, rest = prefix.split("/")
    yield from _walk(tree, parents, rest)


def _walk(tree: Tree, parents: list[str], beginning: str) -> Iterator[str]:
    try:
        with tree.directory(["versions", *parents]) as directory:
            names = names_in(directory)
    except FileNotFoundError:
        return
    for name in sorted(names, key=_as_in_keys):
        bare = name.removesuffix(_MARK)
        if not bare.startswith(beginning):
            continue
        if name.endswith(_MARK):
            yield "/".join([*parents, bare])
        else:
            yield from _walk(tree, [*parents, name], "")


def _as_in_keys(name: str) -> str:
    return name.removesuffix(_MARK) if name.endswith(_MARK) else name + "/"


def _versions_folder(key: str) -> list[str]:
    *parents, name = key.split("/")
    return ["versions", *parents, name + _MARK]
