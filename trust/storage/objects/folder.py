"""An object store in a folder: for one machine, for trying out, and for the tests.

    objects/agency/kind/id             the newest version of each key, a plain file to look at
    versions/agency/kind/id@/N-SHA256  every version (a hard link to the same file), read by its id
    versions/agency/kind/id@/….lock    until when that version is retained
    incoming/                          content on its way in; what a killed process left is swept
    locks/                             advisory locks between processes; they end with their holder

`versions/` is the truth; `objects/` is a view that every write to a key puts right. A version appears by
one link(2) after its content has reached the disk, so that a kill at any moment leaves it whole or absent.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from trust.kernel.clock import Clock, SystemClock, rfc3339
from trust.storage.objects.errors import (
    ObjectExists,
    ObjectLocked,
    ObjectMissing,
    ObjectStoreAway,
    ObjectTooLarge,
    PublishRaced,
    RangeRefused,
)
from trust.storage.objects.folder_incoming import Arrived, Incoming
from trust.storage.objects.folder_tree import DIRECTORY_MODE, Tree
from trust.storage.objects.folder_versions import KeyVersions, Version, names_a_version, prune, walk_keys
from trust.storage.objects.keys import checked_key, checked_prefix, checked_version_id
from trust.storage.objects.port import (
    MAX_GET_BYTES,
    MAX_OBJECT_BYTES,
    MAX_PUBLISHED_BYTES,
    ListedObject,
    ObjectStat,
    Promise,
    StoredObject,
)
from trust.storage.objects.streams import checked_retention, sha256_of

_TREE_LOCK: Final = "tree"


class FolderStore:
    """`ObjectStore` in a folder on a local file system with hard links and flock (not NFS).

    Durable and safe against a kill; refuses through this port what a lock forbids. It cannot promise
    write-once against whoever may write to the folder, and `promises` says so.
    """

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        """Makes the folder where it is not there, and sweeps what killed processes left in `incoming/`."""
        self._clock = clock or SystemClock()
        with _store_errors():
            path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            self._tree = Tree(path)
            for name in ("objects", "versions", "incoming", "locks"):
                with self._tree.directory([name], create=True):
                    pass
        self._incoming = Incoming(self._tree)
        self.sweep()

    def sweep(self) -> int:
        """Removes temporaries of processes that are gone; answers how many."""
        with _store_errors():
            return self._incoming.sweep()

    def put(
        self,
        key: str,
        data: BinaryIO | bytes,
        *,
        retain_until: datetime | None = None,
        immutable: bool = True,
    ) -> StoredObject:
        """See `ObjectStore.put`."""
        checked_key(key)
        until = self._retention(retain_until)
        with (
            _store_errors(),
            self._incoming.receive(data, limit=MAX_OBJECT_BYTES) as arrived,
            self._writing(key) as versions,
        ):
            newest = versions.newest()
            if newest is None or not immutable:
                return _add(versions, arrived, until)
            if not _same_content(versions, newest, arrived.sha256):
                raise ObjectExists("this key is written once and already holds other content")
            return _confirm(versions, newest, arrived, until)

    def publish(
        self,
        key: str,
        data: bytes,
        *,
        expected_version: str | None,
        retain_until: datetime | None = None,
    ) -> StoredObject:
        """See `ObjectStore.publish`; here the comparison is real, under a lock between processes."""
        checked_key(key)
        until = self._retention(retain_until)
        with (
            _store_errors(),
            self._incoming.receive(data, limit=MAX_PUBLISHED_BYTES) as arrived,
            self._writing(key) as versions,
        ):
            newest = versions.newest()
            if (newest.version_id if newest else None) == expected_version:
                return _add(versions, arrived, until)
            if newest is None or not _same_content(versions, newest, arrived.sha256):
                raise PublishRaced("another version was published first; read it and decide again")
            return _confirm(versions, newest, arrived, until)

    def get(self, key: str, version_id: str | None = None) -> bytes:
        """See `ObjectStore.get`."""
        with _store_errors(), self.open(key, version_id) as stream:
            if os.fstat(stream.fileno()).st_size > MAX_GET_BYTES:
                raise ObjectTooLarge(
                    f"this object is larger than {MAX_GET_BYTES} octets; read it as a stream"
                )
            return stream.read()

    @contextmanager
    def open(self, key: str, version_id: str | None = None) -> Iterator[BinaryIO]:
        """See `ObjectStore.open`; the stream of this store can also seek."""
        with _store_errors():
            descriptor = self._open(key, version_id)
        with os.fdopen(descriptor, "rb") as stream:
            yield stream

    def open_range(self, key: str, offset: int, length: int, version_id: str | None = None) -> bytes:
        """See `ObjectStore.open_range`."""
        with _store_errors(), self.open(key, version_id) as stream:
            size = os.fstat(stream.fileno()).st_size
            if not 0 <= offset <= offset + length <= size or length > MAX_GET_BYTES:
                raise RangeRefused(f"{length} octets from {offset} do not lie within {size} octets")
            stream.seek(offset)
            return stream.read(length)

    def stat(self, key: str, version_id: str | None = None) -> ObjectStat:
        """See `ObjectStore.stat`."""
        checked_key(key)
        with _store_errors(), self._reading(key) as versions:
            version = _find(versions, version_id)
            until = versions.retained_until(version)
            return ObjectStat(key=key, version_id=version.version_id, size=version.size, retain_until=until)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """See `ObjectStore.list`."""
        checked_prefix(prefix)
        with _store_errors():
            for key in walk_keys(self._tree, prefix):
                # A key that is purged while we walk is simply not listed.
                with suppress(ObjectMissing), self._reading(key) as versions:
                    newest = _find(versions, None)
                    yield ListedObject(key=key, version_id=newest.version_id, size=newest.size)

    def versions(self, key: str) -> tuple[ListedObject, ...]:
        """See `ObjectStore.versions`."""
        checked_key(key)
        try:
            with _store_errors(), self._reading(key) as versions:
                return tuple(
                    ListedObject(key=key, version_id=version.version_id, size=version.size)
                    for version in versions.all()
                )
        except ObjectMissing:
            return ()

    def retain(self, key: str, version_id: str, *, until: datetime) -> None:
        """See `ObjectStore.retain`."""
        checked_key(key)
        date = checked_retention(until, now=self._clock.now())
        with _store_errors(), self._writing(key, create=False) as versions:
            version = _find(versions, version_id)
            present = versions.retained_until(version)
            if present is not None and date < present:
                raise ObjectLocked(
                    f"this version is retained until {rfc3339(present)}; it cannot be shortened"
                )
            versions.retain(version, date)

    def delete(self, key: str, version_id: str) -> None:
        """See `ObjectStore.delete`."""
        checked_key(key)
        checked_version_id(version_id)
        with _store_errors(), self._lock(_TREE_LOCK, fcntl.LOCK_EX):
            try:
                with self._reading(key) as versions:
                    version = _find(versions, version_id)
                    until = versions.retained_until(version)
                    if until is not None and until > self._clock.now():
                        raise ObjectLocked(f"this version is retained until {rfc3339(until)}")
                    versions.remove(version)
            except ObjectMissing:
                return
            prune(self._tree, key)

    def promises(self) -> Mapping[str, bool]:
        """See `ObjectStore.promises`; known without trying."""
        return {
            Promise.VERSIONS: True,
            Promise.WRITE_ONCE: True,
            Promise.WRITE_ONCE_AGAINST_OPERATOR: False,
            Promise.COMPARE_AND_SET: True,
            Promise.CREATE_ONCE: True,
        }

    def _retention(self, until: datetime | None) -> datetime | None:
        return None if until is None else checked_retention(until, now=self._clock.now())

    def _open(self, key: str, version_id: str | None) -> int:
        checked_key(key)
        with self._reading(key) as versions:
            return versions.open(_find(versions, version_id))

    @contextmanager
    def _reading(self, key: str, *, create: bool = False) -> Iterator[KeyVersions]:
        try:
            opened = KeyVersions.opened(self._tree, self._incoming, key, create=create)
            with opened as versions:
                yield versions
        except FileNotFoundError as error:
            raise ObjectMissing("no such object") from error

    @contextmanager
    def _writing(self, key: str, *, create: bool = True) -> Iterator[KeyVersions]:
        """The key's versions under its lock. The shared tree lock keeps directories from being pruned."""
        # 256 locks: two keys that share one wait for each other a moment, which is harmless.
        stripe = hashlib.sha256(key.encode()).hexdigest()[:2]
        with (
            self._lock(_TREE_LOCK, fcntl.LOCK_SH),
            self._lock(stripe, fcntl.LOCK_EX),
            self._reading(key, create=create) as versions,
        ):
            yield versions

    @contextmanager
    def _lock(self, name: str, kind: int) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._tree.directory(["locks"]) as directory:
            descriptor = os.open(name, flags, 0o600, dir_fd=directory)
        try:
            # Closing the descriptor, also by a kill, lets the lock go.
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ObjectStoreAway(f"the object folder does not work: {error.strerror}") from error


def _find(versions: KeyVersions, version_id: str | None) -> Version:
    if version_id is None:
        version = versions.newest()
    else:
        version = versions.named(version_id) if names_a_version(checked_version_id(version_id)) else None
    if version is None:
        raise ObjectMissing("no such version of this object")
    return version


def _same_content(versions: KeyVersions, version: Version, sha256: bytes) -> bool:
    """Compares with what lies on the disk, not with what its name says."""
    with os.fdopen(versions.open(version), "rb") as stream:
        return sha256_of(stream) == sha256


def _add(versions: KeyVersions, arrived: Arrived, until: datetime | None) -> StoredObject:
    version_id = versions.add(arrived, retain_until=until)
    return _stored(versions.key, version_id, arrived)


def _confirm(
    versions: KeyVersions, newest: Version, arrived: Arrived, until: datetime | None
) -> StoredObject:
    """Answers the version that is there already, with the view and the lock put right."""
    versions.refresh_view(newest)
    present = versions.retained_until(newest)
    if until is not None and (present is None or present < until):
        versions.retain(newest, until)
    return _stored(versions.key, newest.version_id, arrived)


def _stored(key: str, version_id: str, arrived: Arrived) -> StoredObject:
    return StoredObject(key=key, version_id=version_id, size=arrived.size, sha256=arrived.sha256)
