"""What the house asks of an object store; `FolderStore` and `S3Store` answer it alike.

stored = store.put("agency_x/originals/use_1", document)
store.get(stored.key, stored.version_id) == document

Every put makes a version; whoever needs an object later records the version id and reads by it. A key is
`agency/kind/id…` (see `keys.py`), never shared between agencies and never derived from content alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Final, Protocol

# The largest package foreseen is a scanned case file of some gigabytes; a stream that goes on is an attack.
MAX_OBJECT_BYTES: Final = 16 * 1024**3
# `get` holds the whole object in memory; what is larger is read by `open` or `open_range`.
MAX_GET_BYTES: Final = 256 * 1024**2
# What is published is small: an inventory, a sidecar, a checkpoint, a status list.
MAX_PUBLISHED_BYTES: Final = 32 * 1024**2


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One version as it was stored: `size` in octets and `sha256` (32 octets) are of what went in."""

    key: str
    version_id: str
    size: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class ObjectStat:
    """One version as the store shows it; `retain_until` is set where it is locked (COMPLIANCE)."""

    key: str
    version_id: str
    size: int
    retain_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class ListedObject:
    """One version in a listing."""

    key: str
    version_id: str
    size: int


class Promise(StrEnum):
    """What a store may or may not guarantee; `doctor` shows each with yes or no."""

    # Older versions stay readable by their id.
    VERSIONS = "versions"
    # The store itself refuses to delete a locked version or bring its date forward, whoever asks through it.
    WRITE_ONCE = "write_once"
    # The same holds against whoever has the store's disks mounted.
    WRITE_ONCE_AGAINST_OPERATOR = "write_once_against_operator"
    # Of two racing publications that expect the same version, the store lets only one through.
    COMPARE_AND_SET = "compare_and_set"
    # Two racing first publications likewise (`expected_version=None`).
    CREATE_ONCE = "create_once"


class ObjectStore(Protocol):
    """Versioned objects under checked keys.

    Every method raises KeyRefused on a bad key or version id, ObjectStoreAway where the store cannot be
    reached or is full (nothing is half-done: a retry is safe) and StoreMisconfigured where it refuses us.
    """

    def put(
        self,
        key: str,
        data: BinaryIO | bytes,
        *,
        retain_until: datetime | None = None,
        immutable: bool = True,
    ) -> StoredObject:
        """Stores `data` as a version of `key`, durably, hashed and counted on the way in.

        With `immutable` the key is written once: the same content again answers the version that is there
        (so a resumed procedure may simply put again, and a lock that was lost is repaired), other content
        raises ObjectExists. Without it every call makes a new version. With `retain_until` the version is
        locked until then, and counts as stored only when the store shows lock and date: LockNotKept
        otherwise. Raises ObjectTooLarge over MAX_OBJECT_BYTES.
        """
        ...

    def publish(
        self,
        key: str,
        data: bytes,
        *,
        expected_version: str | None,
        retain_until: datetime | None = None,
    ) -> StoredObject:
        """Puts a new version of a small key whose newest version changes (root inventory, checkpoint).

        Goes through only if the newest version is `expected_version` (None: the key has none); otherwise
        raises PublishRaced, except that a newest version with this very content is answered as published.
        How firm the comparison is, `promises` says: the caller's database row is what decides a race.
        """
        ...

    def get(self, key: str, version_id: str | None = None) -> bytes:
        """The whole content of that version (None: the newest); ObjectMissing, ObjectTooLarge."""
        ...

    def open(self, key: str, version_id: str | None = None) -> AbstractContextManager[BinaryIO]:
        """The content as a stream to read forwards, closed at the end; ObjectMissing on entering."""
        ...

    def open_range(self, key: str, offset: int, length: int, version_id: str | None = None) -> bytes:
        """Exactly `length` octets from `offset`; RangeRefused where the object ends before."""
        ...

    def stat(self, key: str, version_id: str | None = None) -> ObjectStat:
        """Size and lock of that version (None: the newest); ObjectMissing."""
        ...

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """The newest version of every key that begins with `prefix`, in the order of the keys' octets."""
        ...

    def versions(self, key: str) -> tuple[ListedObject, ...]:
        """Every version of exactly this key, oldest first; empty where there is none."""
        ...

    def retain(self, key: str, version_id: str, *, until: datetime) -> None:
        """Locks that version until then or later; an earlier date than the present raises ObjectLocked."""
        ...

    def delete(self, key: str, version_id: str) -> None:
        """Purges that version for good; one that is gone is no error. ObjectLocked while it is retained."""
        ...

    def promises(self) -> Mapping[str, bool]:
        """Which `Promise` this store keeps, as far as can be found out by asking and trying."""
        ...
