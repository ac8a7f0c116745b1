"""What to put for a new version of an object, and in which order (OCFL 1.1 §3.6, §3.7).

A crash between two puts leaves an object whose newest complete version still stands: an inventory is put
after what it names, and a sidecar after its inventory.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from trust.kernel.clock import rfc3339
from trust.packages.entry_names import folded, name_fault
from trust.packages.errors import OcflRefused
from trust.packages.ocfl.inventory import (
    DEFAULT_CONTENT_DIRECTORY,
    INVENTORY,
    Inventory,
    VersionBlock,
    sidecar_for,
    sidecar_name,
)
from trust.packages.ocfl.layout import SPECIFICATION

DECLARATION: Final = f"0=ocfl_object_{SPECIFICATION}"
ALGORITHM: Final = "sha512"
MAX_PATH_OCTETS: Final = 400
_CHUNK_OCTETS: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who makes a version: a readable name and a URI (`mailto:`, `urn:`)."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """One file to put. `published` files get a new version by compare-and-set, all others are immutable."""

    path: str
    content: bytes | BinaryIO
    published: bool = False


@dataclass(frozen=True, kw_only=True)
class VersionPlan:
    """A new version: the files in the order in which they are put, and the inventory they amount to."""

    inventory: Inventory
    files: tuple[PlannedFile, ...]


def first_version(
    object_id: str,
    content: Mapping[str, bytes | BinaryIO],
    *,
    author: Author,
    message: str,
    created: datetime,
) -> VersionPlan:
    """The object's v1 with this content by logical path; streams can seek and are read once to be hashed.

    Raises OcflRefused where there is no content or a path is not a plain one.
    """
    empty = Inventory(
        object_id=object_id,
        specification=SPECIFICATION,
        digest_algorithm=ALGORITHM,
        head="v0",
        content_directory=None,
        manifest={},
        versions={},
        fixity={},
    )
    declaration = PlannedFile(path=DECLARATION, content=f"{DECLARATION[2:]}\n".encode())
    plan = _plan(empty, content, author=author, message=message, created=created)
    return VersionPlan(inventory=plan.inventory, files=(declaration, *plan.files))


def next_version(
    inventory: Inventory,
    content: Mapping[str, bytes | BinaryIO],
    *,
    author: Author,
    message: str,
    created: datetime,
) -> VersionPlan:
    """The version after the inventory's head, whose whole state is this content.

    What the object holds already is named again and not put again. Raises OcflRefused as `first_version`
    does, and where the object is not one that is written here (another digest algorithm or specification).
    """
    if (inventory.digest_algorithm, inventory.specification) != (ALGORITHM, SPECIFICATION):
        raise OcflRefused(f"only objects of OCFL {SPECIFICATION} with {ALGORITHM} get versions here")
    return _plan(inventory, content, author=author, message=message, created=created)


def _plan(
    previous: Inventory,
    content: Mapping[str, bytes | BinaryIO],
    *,
    author: Author,
    message: str,
    created: datetime,
) -> VersionPlan:
    _check_paths(content)
    version = f"v{len(previous.versions) + 1}"
    folder = f"{version}/{previous.content_directory or DEFAULT_CONTENT_DIRECTORY}"
    # The spelling that the manifest has: a state names a digest exactly so.
    known = {digest.lower(): digest for digest in previous.manifest}
    manifest = dict(previous.manifest)
    state: dict[str, tuple[str, ...]] = {}
    files: list[PlannedFile] = []

    # 1. Content that the object does not hold yet.
    for path in sorted(content):
        digest = _sha512(content[path])
        if digest not in known:
            known[digest] = digest
            manifest[digest] = (f"{folder}/{path}",)
            files.append(PlannedFile(path=f"{folder}/{path}", content=content[path]))
        state[known[digest]] = (*state.get(known[digest], ()), path)

    # 2. The version's inventory, then the root's, each with its sidecar last.
    block = VersionBlock(
        created=rfc3339(created),
        message=message,
        user={"name": author.name, "address": author.address},
        state=state,
    )
    inventory = Inventory(
        object_id=previous.object_id,
        specification=previous.specification,
        digest_algorithm=previous.digest_algorithm,
        head=version,
        content_directory=previous.content_directory,
        manifest=manifest,
        versions={**previous.versions, version: block},
        fixity=previous.fixity,
    )
    octets = inventory.to_bytes()
    sidecar = sidecar_for(octets, ALGORITHM)
    files += [
        PlannedFile(path=f"{version}/{INVENTORY}", content=octets),
        PlannedFile(path=f"{version}/{sidecar_name(ALGORITHM)}", content=sidecar),
        PlannedFile(path=INVENTORY, content=octets, published=True),
        PlannedFile(path=sidecar_name(ALGORITHM), content=sidecar, published=True),
    ]
    return VersionPlan(inventory=inventory, files=tuple(files))


def _sha512(content: bytes | BinaryIO) -> str:
    if isinstance(content, bytes):
        return hashlib.sha512(content).hexdigest()
    start = content.tell()
    digest = hashlib.sha512()
    while chunk := content.read(_CHUNK_OCTETS):
        digest.update(chunk)
    content.seek(start)
    return digest.hexdigest()


def _check_paths(content: Mapping[str, object]) -> None:
    if not content:
        raise OcflRefused("a version needs content")
    for path in content:
        fault = name_fault(path, limit=MAX_PATH_OCTETS)
        if fault is not None:
            raise OcflRefused(f"a path of the version {fault}")
    names = {folded(path) for path in content}
    if len(names) != len(content):
        raise OcflRefused("two paths of the version are one where case does not count")
    if any(parent in names for name in names for parent in _parents(name)):
        raise OcflRefused("a path of the version lies below another that is a file")


def _parents(name: str) -> list[str]:
    segments = name.split("/")
    return ["/".join(segments[:depth]) for depth in range(1, len(segments))]
