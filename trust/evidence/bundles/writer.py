"""Writes a bundle: the manifest first, then every member, stored, in one pass each."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, Final, TypeAlias

from trust.evidence.bundles.errors import BundleIncomplete
from trust.evidence.bundles.manifest import (
    MANIFEST_PATH,
    BundleKind,
    Manifest,
    Member,
    Role,
    StampedOver,
)
from trust.kernel.clock import rfc3339

_CHUNK_OCTETS: Final = 1 << 20
# The first moment a zip can name: when a bundle was made stands in its manifest.
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_REGULAR_READ_ONLY: Final = 0o100444
_MADE_BY_UNIX: Final = 3


# Opens a stream over a member that is too large for memory; it is opened twice, for its digest and to be written.
Opener: TypeAlias = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True, kw_only=True)
class Content:
    """A member about to be written: its octets, or what opens them."""

    path: str
    role: Role
    media_type: str
    octets: bytes | Opener
    of: tuple[str, ...] = ()
    byte_range: tuple[int, int, int, int] | None = None
    field: str | None = None
    over: StampedOver | None = None


def write_bundle(
    target: BinaryIO,
    *,
    kind: BundleKind,
    subject: str,
    origin: str,
    made_at: datetime,
    contents: Sequence[Content],
) -> Manifest:
    """Writes the zip to an empty file that can seek, and returns its manifest.

    The same contents at the same moment give the same octets. Raises BundleMalformed on paths and references that
    could not be read back, BundleIncomplete where nothing is proven: no object, or no proof of an event.
    """
    if not any(content.role is Role.LEDGER_PROOF for content in contents):
        raise BundleIncomplete(
            "no event of the ledger is proven yet; ask again when it is under a checkpoint"
        )
    manifest = Manifest(
        kind=kind,
        subject=subject,
        origin=origin,
        made_at=rfc3339(made_at),
        members=tuple(map(_member, contents)),
    )
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_STORED) as archive:
        _add(archive, MANIFEST_PATH, [manifest.encode()])
        for content in contents:
            _add(archive, content.path, _pieces(content.octets))
    return manifest


def repeated(contents: Iterable[Content]) -> tuple[Content, ...]:
    """The contents with each path once: what several parts bring alike (an authority's certificate) is one member."""
    found: dict[str, Content] = {}
    for content in contents:
        known = found.get(content.path)
        of = content.of if known is None else tuple(dict.fromkeys((*known.of, *content.of)))
        found[content.path] = replace(content, of=of)
    return tuple(found.values())


def _member(content: Content) -> Member:
    size, running = 0, hashlib.sha256()
    for piece in _pieces(content.octets):
        size += len(piece)
        running.update(piece)
    return Member(
        path=content.path,
        role=content.role,
        media_type=content.media_type,
        size=size,
        sha256=running.hexdigest(),
        of=content.of,
        byte_range=content.byte_range,
        field=content.field,
        over=content.over,
    )


def _pieces(octets: bytes | Opener) -> Iterable[bytes]:
    if isinstance(octets, bytes):
        yield octets
        return
    with octets() as stream:
        while piece := stream.read(_CHUNK_OCTETS):
            yield piece


def _add(archive: zipfile.ZipFile, path: str, pieces: Iterable[bytes]) -> None:
    entry = zipfile.ZipInfo(path, date_time=_MOMENT)
    entry.create_system = _MADE_BY_UNIX
    entry.external_attr = _REGULAR_READ_ONLY << 16
    with archive.open(entry, "w") as stream:
        for piece in pieces:
            stream.write(piece)


def bundle_octets(
    *, kind: BundleKind, subject: str, origin: str, made_at: datetime, contents: Sequence[Content]
) -> bytes:
    """As `write_bundle`, in memory: for what is small."""
    target = io.BytesIO()
    write_bundle(target, kind=kind, subject=subject, origin=origin, made_at=made_at, contents=contents)
    return target.getvalue()
