"""Writes a bag as a stored zip in one pass over the payload."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from trust.packages.bagit.reader import in_bag
from trust.packages.bagit.tag_files import (
    DECLARATION,
    MAX_PATH_OCTETS,
    format_info,
    format_manifest,
    manifest_algorithm,
)
from trust.packages.entry_names import folded, name_fault
from trust.packages.errors import BagRefused
from trust.packages.zip_directory import read_entries

ALGORITHMS: Final = ("sha256", "sha512")
_CHUNK_OCTETS: Final = 1024 * 1024
# The first moment a zip can name: when a bag was made stands in bag-info.txt, not in every entry.
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_REGULAR_READ_ONLY: Final = 0o100444
_OURS: Final = frozenset({"bagit.txt", "bag-info.txt", "fetch.txt"})


@dataclass(frozen=True, kw_only=True)
class BagFile:
    """A file of a written bag: its path in the bag, digests in hex, and where its octets lie in the zip."""

    path: str
    size: int
    sha256: str
    sha512: str
    offset: int


@dataclass(frozen=True, kw_only=True)
class WrittenBag:
    """A bag as written: the folder's name, the size of the zip in octets, every file in its order."""

    name: str
    size: int
    files: tuple[BagFile, ...]


@dataclass(frozen=True, kw_only=True)
class _Digests:
    size: int
    sha256: str
    sha512: str


def write(
    target: BinaryIO,
    *,
    name: str,
    payload: Mapping[str, bytes | BinaryIO],
    info: Sequence[tuple[str, str]] = (),
    tag_files: Mapping[str, bytes] | None = None,
) -> WrittenBag:
    """Writes the bag `name` to an empty file that can seek and be read (`w+b`).

    `payload` goes by its path below `data/`, `tag_files` by their path in the bag. `info` becomes
    bag-info.txt; Payload-Oxum is added. Raises BagRefused on a path that a bag must not hold, ZipBomb
    where the result is over DEFAULT_LIMITS, so that nothing is written that would not be read.
    """
    tags = dict(tag_files or {})
    _check_paths(name, payload, tags)
    _check_info(info)
    written: dict[str, _Digests] = {}
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_STORED) as archive:

        def add(path: str, content: bytes | BinaryIO) -> None:
            written[path] = _add(archive, f"{name}/{path}", content)

        # 1. The declaration first, so that a look at the first octets tells what this is; then the payload.
        add("bagit.txt", DECLARATION)
        for path in sorted(payload):
            add(f"data/{path}", payload[path])
        held = {path: digests for path, digests in written.items() if path.startswith("data/")}

        # 2. What describes it.
        octets = sum(digests.size for digests in held.values())
        for path in sorted(tags):
            add(path, tags[path])
        add("bag-info.txt", format_info([*info, ("Payload-Oxum", f"{octets}.{len(held)}")]))

        # 3. The manifests of the payload, then those of everything else.
        for algorithm in ALGORITHMS:
            add(f"manifest-{algorithm}.txt", _manifest(held, algorithm))
        described = {path: digests for path, digests in written.items() if path not in held}
        for algorithm in ALGORITHMS:
            add(f"tagmanifest-{algorithm}.txt", _manifest(described, algorithm))

    # 4. Read the zip back as a stranger would; the offsets are those a range read will use.
    size = target.seek(0, io.SEEK_END)
    entries = in_bag(read_entries(target))
    return WrittenBag(
        name=name,
        size=size,
        files=tuple(
            BagFile(
                path=path,
                size=digests.size,
                sha256=digests.sha256,
                sha512=digests.sha512,
                offset=entries[path].offset,
            )
            for path, digests in written.items()
        ),
    )


def _add(archive: zipfile.ZipFile, name: str, content: bytes | BinaryIO) -> _Digests:
    entry = zipfile.ZipInfo(name, date_time=_MOMENT)
    entry.create_system = 3
    entry.external_attr = _REGULAR_READ_ONLY << 16
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    size, sha256, sha512 = 0, hashlib.sha256(), hashlib.sha512()
    # A stream's size is not known before: its header is always laid out for 64 bits, whatever comes.
    if isinstance(content, bytes):
        entry.file_size = len(content)
    with archive.open(entry, "w", force_zip64=not isinstance(content, bytes)) as out:
        while chunk := stream.read(_CHUNK_OCTETS):
            size += len(chunk)
            sha256.update(chunk)
            sha512.update(chunk)
            out.write(chunk)
    return _Digests(size=size, sha256=sha256.hexdigest(), sha512=sha512.hexdigest())


def _manifest(files: Mapping[str, _Digests], algorithm: str) -> bytes:
    return format_manifest(
        {path: digests.sha256 if algorithm == "sha256" else digests.sha512 for path, digests in files.items()}
    )


def _check_paths(name: str, payload: Mapping[str, object], tags: Mapping[str, object]) -> None:
    if "/" in name or name_fault(name, limit=MAX_PATH_OCTETS) is not None:
        raise BagRefused("a bag's name is one plain part of a path")
    paths = [f"data/{path}" for path in payload] + list(tags)
    for path in tags:
        if path in _OURS or manifest_algorithm(path) or path.partition("/")[0] == "data":
            raise BagRefused(f"{path!r} is written by the bag itself")
    for path in paths:
        fault = name_fault(f"{name}/{path}", limit=MAX_PATH_OCTETS)
        if fault is not None:
            raise BagRefused(f"a path for the bag {fault}")
    files = {folded(path) for path in paths}
    if len(files) != len(paths):
        raise BagRefused("two paths of the bag are one where case does not count")
    for path in files:
        parents = path.split("/")[:-1]
        if any("/".join(parents[: depth + 1]) in files for depth in range(len(parents))):
            raise BagRefused("a path of the bag lies below another that is a file")


def _check_info(info: Sequence[tuple[str, str]]) -> None:
    for label, value in info:
        if label == "Payload-Oxum" or ":" in label or not label.strip() or label != label.strip():
            raise BagRefused(
                "a label of bag-info.txt is a word without a colon; Payload-Oxum is counted here"
            )
        if any(character in label + value for character in "\r\n"):
            raise BagRefused("labels and values of bag-info.txt are single lines")
