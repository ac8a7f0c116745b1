"""An export of ledger events: a zip that shows, to whoever holds the log's key alone, that each event is in the log.

yinxin-export.json    the manifest: what was asked for, by whom, under which checkpoint, and every member's SHA-256
yinxin-export.note    the manifest's digest, signed by the log (`trust.evidence.export_notes`)
checkpoint            the signed tree head that all proofs lead to
events.ndjson         one event a line: index, header, proof, and salt and content where they were not erased

docs/event-export.md has the format in full. The reader trusts nothing: limits before octets, every name expected.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from trust.evidence.merkle import HASH_OCTETS, MAX_PROOF_HASHES, leaf_hash
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.errors import InvalidInput
from trust.packages.zip_directory import ZipEntry, ZipLimits, read_entries, read_entry

FORMAT: Final = "yinxin-export/v1"
KIND: Final = "event-export"
MANIFEST: Final = "yinxin-export.json"
NOTE: Final = "yinxin-export.note"
CHECKPOINT: Final = "checkpoint"
EVENTS: Final = "events.ndjson"
MEMBERS: Final = (CHECKPOINT, EVENTS)
HEADER_FORMAT: Final = "yinxin-event/v1"
# What a signed export may hold; a longer period is exported in parts.
MAX_EVENTS: Final = 50_000
# Content of 64 KiB escaped at worst, its header and its proof.
MAX_LINE_OCTETS: Final = 524_288
MAX_MANIFEST_OCTETS: Final = 65_536
_LIMITS: Final = ZipLimits(entries=8, entry_octets=512 * 1024**2, total_octets=520 * 1024**2, name_octets=64)
_LINE_NAMES: Final = frozenset({"index", "header", "proof", "salt", "content"})
_EVENT_ID: Final = re.compile(r"[a-z]+_[0-9a-f]{32}\Z")


class ExportMalformed(InvalidInput):
    """The file is not an export of events as this reads them."""

    code = "event-export-malformed"


@dataclass(frozen=True, kw_only=True)
class ExportManifest:
    """What an export says of itself. `query` is what was asked, by its names in the API."""

    export_id: str
    origin: str
    exported_at: datetime
    exported_by: Mapping[str, str]
    agency: str | None
    query: Mapping[str, Any]
    tree_size: int
    root: bytes
    events: int
    members: Mapping[str, tuple[int, bytes]]

    def encode(self) -> bytes:
        """The manifest's octets: canonical JSON."""
        return canonical_json(
            {
                "format": FORMAT,
                "export_id": self.export_id,
                "origin": self.origin,
                "exported_at": rfc3339(self.exported_at),
                "exported_by": dict(self.exported_by),
                "agency": self.agency,
                "query": dict(self.query),
                "tree_size": self.tree_size,
                "root": self.root.hex(),
                "events": self.events,
                "members": {
                    name: {"octets": size, "sha256": digest.hex()}
                    for name, (size, digest) in self.members.items()
                },
            }
        )

    @classmethod
    def read(cls, octets: bytes) -> "ExportManifest":
        """Reads a manifest; raises ExportMalformed."""
        try:
            given = json.loads(octets.decode("utf-8"))
            manifest = cls(
                export_id=_text(given["export_id"]),
                origin=_text(given["origin"]),
                exported_at=parse_rfc3339(_text(given["exported_at"])),
                exported_by={name: _text(given["exported_by"][name]) for name in ("kind", "id")},
                agency=None if given["agency"] is None else _text(given["agency"]),
                query=_object(given["query"]),
                tree_size=_number(given["tree_size"]),
                root=bytes.fromhex(_text(given["root"])),
                events=_number(given["events"]),
                members={
                    name: (_number(each["octets"]), bytes.fromhex(_text(each["sha256"])))
                    for name, each in _object(given["members"]).items()
                },
            )
            canonical = manifest.encode() == octets
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
            raise ExportMalformed(f"the manifest cannot be read: {_short(fault)}") from fault
        if not canonical:
            raise ExportMalformed("the manifest is not canonical, or holds what is not known here")
        return manifest


def is_event_export(data: bytes) -> bool:
    """Whether this zip's first member is an export's manifest."""
    return data.startswith(b"PK\x03\x04") and data[30 : 30 + len(MANIFEST)] == MANIFEST.encode()


def event_line(
    *,
    index: int,
    header: bytes,
    proof: Sequence[bytes],
    salt: bytes | None,
    content: Mapping[str, Any] | None,
) -> bytes:
    """One line of `events.ndjson`."""
    return (
        canonical_json(
            {
                "index": index,
                "header": header.decode("utf-8"),
                "proof": [each.hex() for each in proof],
                "salt": None if salt is None else salt.hex(),
                "content": None if content is None else dict(content),
            }
        )
        + b"\n"
    )


@dataclass(frozen=True, kw_only=True)
class ExportMembers:
    """The entries of the zip by name."""

    file: io.BytesIO
    entries: Mapping[str, ZipEntry]

    def chunks(self, name: str) -> Iterator[bytes]:
        if name not in self.entries:
            raise ExportMalformed(f"the file lacks its member {name}")
        return read_entry(self.file, self.entries[name])

    def octets(self, name: str, limit: int) -> bytes:
        gathered = bytearray()
        for chunk in self.chunks(name):
            gathered += chunk
            if len(gathered) > limit:
                raise ExportMalformed(f"the member {name} has more than {limit} octets")
        return bytes(gathered)

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member, each at most MAX_LINE_OCTETS."""
        left = b""
        for chunk in self.chunks(name):
            *whole, left = (left + chunk).split(b"\n")
            for line in whole:
                yield _bounded(line)
            _bounded(left)
        if left:
            raise ExportMalformed(f"the last line of {name} breaks off")


def export_members(data: bytes) -> ExportMembers:
    file = io.BytesIO(data)
    entries = {entry.name: entry for entry in read_entries(file, limits=_LIMITS)}
    unknown = sorted(set(entries) - {MANIFEST, NOTE, *MEMBERS})
    if unknown:
        raise ExportMalformed(f"the file holds what an export has not: {', '.join(unknown)[:200]}")
    return ExportMembers(file=file, entries=entries)


@dataclass(frozen=True, kw_only=True)
class EventLine:
    """One event of the file. `committed` is what its salt and content commit to, None where they were erased."""

    index: int
    header: Mapping[str, Any]
    leaf: bytes
    proof: tuple[bytes, ...]
    content: Mapping[str, Any] | None
    committed: bytes | None

    @classmethod
    def read(cls, octets: bytes) -> "EventLine":
        """Reads a line; raises ExportMalformed."""
        try:
            given = _object(json.loads(octets.decode("utf-8")))
            header_octets = _text(given["header"]).encode("utf-8")
            salt, content = given["salt"], given["content"]
            line = cls(
                index=_number(given["index"]),
                header=_object(json.loads(header_octets)),
                leaf=leaf_hash(hashlib.sha256(header_octets).digest()),
                proof=tuple(bytes.fromhex(_text(each)) for each in given["proof"]),
                content=None if content is None else _object(content),
                committed=None if salt is None else _commitment(bytes.fromhex(_text(salt)), content),
            )
            whole = set(given) == _LINE_NAMES and (salt is None) == (content is None)
            known = line.header["format"] == HEADER_FORMAT and _EVENT_ID.match(line.id) and line.commits_to
            proved = len(line.proof) <= MAX_PROOF_HASHES and all(
                len(one) == HASH_OCTETS for one in line.proof
            )
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            raise ExportMalformed(f"it cannot be read: {_short(fault)}") from fault
        if not (whole and known and proved):
            raise ExportMalformed("it has not the names, the header or the proof of a line")
        return line

    @property
    def id(self) -> str:
        return _text(self.header["event_id"])

    @property
    def commits_to(self) -> bytes:
        return bytes.fromhex(_text(self.header["content_commitment"]))


def _commitment(salt: bytes, content: Any) -> bytes:
    return hashlib.sha256(salt + canonical_json(content)).digest()


def _bounded(line: bytes) -> bytes:
    if len(line) > MAX_LINE_OCTETS:
        raise ExportMalformed(f"a line of an export has at most {MAX_LINE_OCTETS} octets")
    return line


def _short(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"[:200].encode("ascii", "replace").decode("ascii")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is something else")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise ValueError("a number is something else")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("an object is something else")
    return value
