"""Putting a package into the store: one OCFL 1.1 object, every file under its lock, looked at again.

Each agency's archive is an OCFL storage root of its own, `agency/archive/`, laid out by extension 0004.
"""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Final, TypeAlias

from archive.errors import PackageBroken
from archive.ids import object_urn
from archive.ingest.package import PACKAGE_FILE
from archive.model import ArchivalRecord, StoredFile, StoredPackage
from trust.packages import ocfl
from trust.packages.ocfl import PlannedFile
from trust.storage.objects import ObjectMissing, ObjectStore

PackageOpener: TypeAlias = Callable[[], AbstractContextManager[BinaryIO]]
_CHUNK_OCTETS: Final = 1024 * 1024
_PACKAGE_PATH: Final = f"v1/content/{PACKAGE_FILE}"
_AUTHOR_ADDRESS: Final = "urn:yinxin:archive"
_ROOT_DECLARATION: Final = ocfl.root_files()[-1][0]


class PackageStore:
    """Stores packages, and reads materials out of them."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def put(self, record: ArchivalRecord, package: BinaryIO) -> StoredPackage:
        """Puts the object's files in OCFL's order: content, version inventory, root inventory, sidecars last.

        May be done again after a crash: what is there already is answered, with a lost lock put right. Raises
        PackageBroken where the store does not show the lock or does not give the octets back; ObjectStoreAway.
        """
        root = _root_of(record.agency_id)
        self._declare(root)
        package.seek(0)
        plan = ocfl.first_version(
            object_urn(record.id),
            {PACKAGE_FILE: package},
            author=ocfl.Author(name=record.agency_name, address=_AUTHOR_ADDRESS),
            message=f"归档 {record.code}",
            created=record.intended_at,
        )
        place = f"{root}/{ocfl.object_path(object_urn(record.id))}"
        files = [self._put(place, planned, until=record.retain_until) for planned in plan.files]
        for file in files:
            self._look_again(file, until=record.retain_until)
        package_file = next(file for file in files if file.path == _PACKAGE_PATH)
        return StoredPackage(package=package_file, files=tuple(files), retain_until=record.retain_until)

    def read_stretch(self, record: ArchivalRecord, *, offset: int, size: int, sha256: bytes) -> bytes:
        """One material by a range read of the recorded version; raises PackageBroken on other octets."""
        if record.package_key is None:
            raise PackageBroken(f"{record.id} has no package")
        octets = self._objects.open_range(record.package_key, offset, size, record.package_version)
        if hashlib.sha256(octets).digest() != sha256:
            raise PackageBroken(f"a material of {record.id} is not what was archived")
        return octets

    def opener(self, record: ArchivalRecord) -> PackageOpener:
        """Opens the recorded version of the package as a stream, each time anew."""
        key, version = record.package_key, record.package_version
        if key is None:
            raise PackageBroken(f"{record.id} has no package")
        return lambda: self._objects.open(key, version)

    def retain(self, files: tuple[StoredFile, ...], *, until: datetime) -> None:
        """Extends the lock of every file of an object, and sees that the store shows it."""
        for file in files:
            self._objects.retain(file.key, file.version_id, until=until)
            self._require_lock(file, until=until)

    def _declare(self, root: str) -> None:
        """The storage root's own files; the declaration comes last, so where it is, all are."""
        try:
            self._objects.stat(f"{root}/{_ROOT_DECLARATION}")
        except ObjectMissing:
            for path, content in ocfl.root_files():
                self._objects.put(f"{root}/{path}", content)

    def _put(self, place: str, planned: PlannedFile, *, until: datetime) -> StoredFile:
        key = f"{place}/{planned.path}"
        if planned.published and isinstance(planned.content, bytes):
            stored = self._objects.publish(key, planned.content, expected_version=None, retain_until=until)
        else:
            stored = self._objects.put(key, planned.content, retain_until=until)
        return StoredFile(
            path=planned.path,
            key=key,
            version_id=stored.version_id,
            size=stored.size,
            sha256=stored.sha256,
        )

    def _look_again(self, file: StoredFile, *, until: datetime) -> None:
        self._require_lock(file, until=until)
        digest = hashlib.sha256()
        with self._objects.open(file.key, file.version_id) as stream:
            while chunk := stream.read(_CHUNK_OCTETS):
                digest.update(chunk)
        if digest.digest() != file.sha256:
            raise PackageBroken(f"the store does not give back what was put as {file.key}")

    def _require_lock(self, file: StoredFile, *, until: datetime) -> None:
        shown = self._objects.stat(file.key, file.version_id)
        if shown.size != file.size or shown.retain_until is None or shown.retain_until < until:
            raise PackageBroken(f"the store does not show the lock of {file.key}")


def _root_of(agency_id: str) -> str:
    return f"{agency_id}/archive"
