"""The files of a submission as they arrive: counted, hashed, kept, and none of them unpacked to a path.

with received_files(files) as received:        # or received_package(zip)
    received["decision.pdf"].read()
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from archive.errors import SubmissionRefused, SubmissionTooLarge
from archive.ingest.slices import Slice
from trust.kernel.errors import FieldError
from trust.packages import bagit
from trust.packages.entry_names import folded, name_fault
from trust.packages.zip_directory import ZipLimits, read_entries, read_entry

# A material is read whole to be checked; a scanned file of a hundred pages has a tenth of this.
MAX_MATERIAL_BYTES: Final = 128 * 1024 * 1024
# The manifest's schema has the same number.
MAX_MATERIALS: Final = 1000
# Unpacked, on the disk of whoever receives it; a deployment sets what it takes packed (`max_package_bytes`).
MAX_SUBMISSION_BYTES: Final = 1024**3
# What stays below a segment's limit when a bag's folder and `data/` are put before it.
MAX_NAME_OCTETS: Final = 600
PACKAGE_LIMITS: Final = ZipLimits(
    entries=MAX_MATERIALS,
    entry_octets=MAX_MATERIAL_BYTES,
    total_octets=MAX_SUBMISSION_BYTES,
    name_octets=MAX_NAME_OCTETS,
)
# Where what describes a case lies in a bag, beside its materials.
TAG_FOLDER: Final = "metadata/"
_CHUNK_OCTETS: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class IncomingFile:
    """A file as it came: its name in the submission and a stream to read once."""

    name: str
    stream: BinaryIO


@dataclass(frozen=True, kw_only=True)
class ReceivedFile:
    """A file that was counted: `sha256` is 32 octets; `content` lies in a temporary file of ours."""

    name: str
    size: int
    sha256: bytes
    content: Slice

    def read(self) -> bytes:
        return self.content.read()


Received = Mapping[str, ReceivedFile]


@contextmanager
def received_files(files: Iterable[IncomingFile]) -> Iterator[Received]:
    """Files that came one by one; raises SubmissionRefused on a name, SubmissionTooLarge."""
    with tempfile.TemporaryFile() as spool:
        received: dict[str, ReceivedFile] = {}
        known: set[str] = set()
        for number, file in enumerate(files):
            if number >= MAX_MATERIALS:
                raise SubmissionTooLarge(f"a submission has at most {MAX_MATERIALS} files")
            _require_name(file.name, known)
            received[file.name] = _keep(spool, file.name, _chunks(file.stream))
        yield received


@contextmanager
def received_package(package: BinaryIO) -> Iterator[Received]:
    """The files of a zip, its names checked by the reader; raises a ZipRefused or ZipBomb."""
    entries = read_entries(package, limits=PACKAGE_LIMITS)
    with tempfile.TemporaryFile() as spool:
        received: dict[str, ReceivedFile] = {}
        for entry in entries:
            received[entry.name] = _keep(spool, entry.name, read_entry(package, entry))
        yield received


def kept_submission(bag: BinaryIO) -> tuple[Received, Mapping[str, bytes]]:
    """What `keep_submission` wrote: the materials, and its tag files by path. For resuming an ingest."""
    materials: dict[str, ReceivedFile] = {}
    tags: dict[str, bytes] = {}
    for path, entry in bagit.bag_files(bag).items():
        content = Slice(file=bag, offset=entry.offset, size=entry.size)
        if path.startswith(TAG_FOLDER):
            tags[path] = content.read()
        if not path.startswith("data/"):
            continue  # the bag's own declaration and manifests
        digest = hashlib.sha256()
        for chunk in _chunks(content.open()):
            digest.update(chunk)
        name = path.removeprefix("data/")
        materials[name] = ReceivedFile(name=name, size=entry.size, sha256=digest.digest(), content=content)
    return materials, tags


def keep_submission(target: BinaryIO, received: Received, tag_files: Mapping[str, bytes]) -> None:
    """Writes what was received as one bag, from which an ingest can be done again.

    The tag files lie below `metadata/`. Raises BagRefused on names that cannot stand beside each other.
    """
    bagit.write(
        target,
        name="submission",
        payload={name: file.content.open() for name, file in received.items()},
        tag_files=tag_files,
    )


def _require_name(name: str, known: set[str]) -> None:
    fault = name_fault(name, limit=MAX_NAME_OCTETS)
    if fault is None and folded(name) in known:
        fault = "is there twice (differences of case do not count)"
    if fault is not None:
        raise SubmissionRefused(
            "a file's name cannot be kept",
            errors=[FieldError(pointer="/files", detail=f"a file's name {fault}")],
        )
    known.add(folded(name))


def _keep(spool: BinaryIO, name: str, chunks: Iterable[bytes]) -> ReceivedFile:
    offset = spool.seek(0, 2)
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_MATERIAL_BYTES or offset + size > MAX_SUBMISSION_BYTES:
            raise SubmissionTooLarge(f"a material has at most {MAX_MATERIAL_BYTES} octets")
        digest.update(chunk)
        spool.write(chunk)
    return ReceivedFile(
        name=name,
        size=size,
        sha256=digest.digest(),
        content=Slice(file=spool, offset=offset, size=size),
    )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_OCTETS):
        yield chunk
