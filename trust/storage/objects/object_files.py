"""Shows an OCFL object that lies in an object store to the validator."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO

from trust.packages.ocfl import Entry
from trust.storage.objects.port import ObjectStore


class StoredFiles:
    """`trust.packages.ocfl.ObjectFiles` of the keys below one prefix.

    `versions` names the version of a path where the database recorded it (what is read then cannot be
    covered up by a later version); other paths are read in their newest.
    """

    def __init__(self, store: ObjectStore, prefix: str, *, versions: Mapping[str, str] | None = None) -> None:
        """`prefix` is the object's root as a key, without a slash at the end."""
        self._store = store
        self._prefix = prefix + "/"
        self._versions = dict(versions or {})

    def entries(self) -> Iterator[Entry]:
        """See `ObjectFiles.entries`."""
        for listed in self._store.list(self._prefix):
            yield Entry(path=listed.key.removeprefix(self._prefix))

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """See `ObjectFiles.open`."""
        return self._store.open(self._prefix + path, self._versions.get(path))
