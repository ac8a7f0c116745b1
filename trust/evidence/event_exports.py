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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from trust.evidence.export_notes import ExportNote, open_export_note
from trust.evidence.merkle import HASH_OCTETS, MAX_PROOF_HASHES, ProofRefused, leaf_hash, verify_inclusion
from trust.evidence.notes import check_cosignatures, logs_of
from trust.evidence.tlog import (
    Checkpoint,
    NoteKeyUnknown,
    NoteMalformed,
    NoteSignatureInvalid,
    VerifierKey,
    open_checkpoint,
)
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.errors import InvalidInput, YinxinError
from trust.kernel.report import Checks, Report
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
# How many of the places between the events are named; how many there are is said.
_GAPS_SHOWN: Final = 20
# As many faults of one kind as help to find them.
_FAULTS_SHOWN: Final = 5


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


def verify_event_export(
    data: bytes, *, keys: Sequence[VerifierKey], policy: WitnessPolicy | None = None, subject: str = ""
) -> Report:
    """A report on an export: structure, members, signing-key, signature, checkpoint, events, content, selection.

    With a `policy` also cosignatures: its witnesses have to have cosigned the checkpoint.

    Facts: what was asked by whom and when, the tree, how many events, how many of them redacted, and the gaps: the
    places in the log between the first and the last event that the file does not hold (a selection has them). That
    nothing that matches was left out is not shown by any proof; a query for a whole period has no gaps.
    """
    checks = Checks()
    try:
        members = _members(data)
        manifest = ExportManifest.read(members.octets(MANIFEST, MAX_MANIFEST_OCTETS))
    except YinxinError as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=KIND, subject=subject, checks=checks.all())
    checks.passed("structure")
    facts = _facts(manifest)
    keys = logs_of(keys, policy)
    _check_members(checks, members, manifest)
    _check_note(checks, members, manifest, keys)
    checkpoint = _check_checkpoint(checks, members, manifest, keys)
    if checkpoint is not None:
        note = members.octets(CHECKPOINT, MAX_MANIFEST_OCTETS)
        facts |= check_cosignatures(checks, note, policy)
    facts |= _check_events(checks, members, manifest, checkpoint)
    return Report.conclude(kind=KIND, subject=subject, checks=checks.all(), facts=facts)


@dataclass(frozen=True, kw_only=True)
class _Members:
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


def _members(data: bytes) -> _Members:
    file = io.BytesIO(data)
    entries = {entry.name: entry for entry in read_entries(file, limits=_LIMITS)}
    unknown = sorted(set(entries) - {MANIFEST, NOTE, *MEMBERS})
    if unknown:
        raise ExportMalformed(f"the file holds what an export has not: {', '.join(unknown)[:200]}")
    return _Members(file=file, entries=entries)


def _check_members(checks: Checks, members: _Members, manifest: ExportManifest) -> None:
    if set(manifest.members) != set(MEMBERS):
        checks.failed(
            "members", "the manifest names other members than an export has", sub_indication="FORMAT_FAILURE"
        )
        return
    for name, (size, digest) in sorted(manifest.members.items()):
        hashed, octets = hashlib.sha256(), 0
        try:
            for chunk in members.chunks(name):
                hashed.update(chunk)
                octets += len(chunk)
        except YinxinError as error:
            checks.failed("members", error.message, sub_indication="FORMAT_FAILURE")
            continue
        holds = octets == size and hashed.digest() == digest
        detail = name if holds else f"{name} is not what the manifest says"
        checks.note("members", holds, failed="HASH_FAILURE", detail=detail)


def _check_note(
    checks: Checks, members: _Members, manifest: ExportManifest, keys: Sequence[VerifierKey]
) -> None:
    note = _opened(
        checks, "signature", lambda: open_export_note(members.octets(NOTE, MAX_MANIFEST_OCTETS), keys)
    )
    if note is None:
        return
    digest = hashlib.sha256(manifest.encode()).digest()
    said = ExportNote(
        origin=manifest.origin,
        manifest=digest,
        export_id=manifest.export_id,
        events=manifest.events,
        at=manifest.exported_at,
    )
    checks.note(
        "signature",
        note == said,
        failed="HASH_FAILURE",
        detail="" if note == said else "what the log signed is another manifest than this",
    )


def _check_checkpoint(
    checks: Checks, members: _Members, manifest: ExportManifest, keys: Sequence[VerifierKey]
) -> Checkpoint | None:
    checkpoint = _opened(
        checks, "checkpoint", lambda: open_checkpoint(members.octets(CHECKPOINT, MAX_MANIFEST_OCTETS), keys)
    )
    if checkpoint is None:
        return None
    said = Checkpoint(origin=manifest.origin, size=manifest.tree_size, root=manifest.root)
    holds = checks.note(
        "checkpoint",
        checkpoint == said,
        failed="HASH_FAILURE",
        detail="" if checkpoint == said else "the checkpoint is another than the manifest names",
    )
    return checkpoint if holds else None


@dataclass(kw_only=True)
class _Found:
    """What the lines came to."""

    count: int = 0
    redacted: int = 0
    first: int | None = None
    last: int = -1
    gaps: list[str] = field(default_factory=list)
    gap_count: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    fault_counts: dict[str, int] = field(default_factory=dict)

    def fault(self, code: str, detail: str) -> None:
        self.fault_counts[code] = self.fault_counts.get(code, 0) + 1
        if self.fault_counts[code] <= _FAULTS_SHOWN:
            self.faults.setdefault(code, []).append(detail)

    def place(self, index: int) -> None:
        if self.first is None:
            self.first = index
        elif index > self.last + 1:
            self.gap_count += 1
            if len(self.gaps) < _GAPS_SHOWN:
                begin, end = self.last + 1, index - 1
                self.gaps.append(str(begin) if begin == end else f"{begin}-{end}")
        self.last = index


def _check_events(
    checks: Checks, members: _Members, manifest: ExportManifest, checkpoint: Checkpoint | None
) -> dict[str, Any]:
    found = _Found()
    try:
        for number, line in enumerate(members.lines(EVENTS), 1):
            if number > MAX_EVENTS:
                raise ExportMalformed(f"an export has at most {MAX_EVENTS} events")
            _check_line(found, number, line, manifest, checkpoint)
    except YinxinError as error:
        found.fault("events", error.message)
    if found.count != manifest.events:
        found.fault("events", f"the file holds {found.count} events; the manifest says {manifest.events}")
    well = {
        "events": f"{found.count} events",
        "inclusion": f"under the checkpoint of {manifest.tree_size} events",
        "content": f"{found.redacted} redacted" if found.redacted else "",
        "selection": "",
    }
    reasons = {"events": "FORMAT_FAILURE", "selection": "FORMAT_FAILURE"}
    for code, detail in well.items():
        faults = found.faults.get(code, [])
        for fault in faults:
            checks.failed(code, fault, sub_indication=reasons.get(code, "HASH_FAILURE"))
        if found.fault_counts.get(code, 0) > _FAULTS_SHOWN:
            more = f"and {found.fault_counts[code] - _FAULTS_SHOWN} more"
            checks.failed(code, more, sub_indication=reasons.get(code, "HASH_FAILURE"))
        if not faults and code == "inclusion" and checkpoint is None:
            checks.unknown(
                code, "there is no believed checkpoint to prove against", sub_indication="TRY_LATER"
            )
        elif not faults:
            checks.passed(code, detail)
    facts: dict[str, Any] = {"redacted": found.redacted, "gap_count": found.gap_count, "gaps": found.gaps}
    if found.first is not None:
        facts |= {"first_index": found.first, "last_index": found.last}
    return facts


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One event of the file. `committed` is what its salt and content commit to, None where they were erased."""

    index: int
    header: Mapping[str, Any]
    leaf: bytes
    proof: tuple[bytes, ...]
    content: Mapping[str, Any] | None
    committed: bytes | None

    @classmethod
    def read(cls, octets: bytes) -> "_Line":
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


def _check_line(
    found: _Found, number: int, octets: bytes, manifest: ExportManifest, checkpoint: Checkpoint | None
) -> None:
    try:
        line = _Line.read(octets)
    except ExportMalformed as error:
        found.fault("events", f"line {number}: {error.message}")
        return
    found.count += 1
    if line.index <= found.last:
        found.fault("events", f"line {number} does not come after the line before it in the log")
    found.place(line.index)
    if checkpoint is not None:
        try:
            verify_inclusion(
                index=line.index,
                size=checkpoint.size,
                leaf=line.leaf,
                proof=line.proof,
                root=checkpoint.root,
            )
        except ProofRefused as error:
            found.fault("inclusion", f"{line.id}: {error.message}")
    if line.committed is None:
        found.redacted += 1
    elif line.committed != line.commits_to:
        found.fault("content", f"{line.id}: the content is not what the header commits to")
    if not _selected(manifest, line.header, line.content):
        found.fault("selection", f"{line.id} is not what was asked for")


def _commitment(salt: bytes, content: Any) -> bytes:
    return hashlib.sha256(salt + canonical_json(content)).digest()


def _selected(manifest: ExportManifest, header: Mapping[str, Any], content: Mapping[str, Any] | None) -> bool:
    """Whether the event answers the query, as far as it shows."""
    query, actor = manifest.query, header.get("actor")
    actor = actor if isinstance(actor, dict) else {}
    act, asked = header.get("act"), query.get("act")
    if manifest.agency is not None and header.get("agency") != manifest.agency:
        return False
    begins_so = isinstance(asked, str) and asked.endswith(".") and str(act).startswith(asked)
    if asked is not None and act != asked and not begins_so:
        return False
    shown = {
        "subject": header.get("subject"),
        "actor_id": actor.get("id"),
        "on_behalf_of": actor.get("on_behalf_of"),
        "outcome": header.get("outcome"),
        "reason": header.get("reason"),
    }
    if content is not None:
        shown["case_number"] = content.get("case_number")
    if any(name in query and query[name] != value for name, value in shown.items()):
        return False
    # Times of one form, RFC 3339 in UTC with milliseconds, are in the order of their characters.
    at = header.get("at")
    since, until = query.get("since"), query.get("until")
    if not isinstance(at, str):
        return False
    return not (isinstance(since, str) and at < since) and not (isinstance(until, str) and at >= until)


def _opened(checks: Checks, code: str, open_it: Callable[[], Any]) -> Any:
    try:
        opened = open_it()
    except NoteSignatureInvalid as error:
        checks.failed(code, error.message, sub_indication="SIG_CRYPTO_FAILURE")
    except NoteKeyUnknown as error:
        checks.unknown("signing-key", error.message, sub_indication="NO_SIGNING_CERTIFICATE_FOUND")
    except (NoteMalformed, YinxinError) as error:
        checks.failed(code, error.message, sub_indication="FORMAT_FAILURE")
    else:
        checks.passed("signing-key")
        return opened
    return None


def _facts(manifest: ExportManifest) -> dict[str, Any]:
    return {
        "export_id": manifest.export_id,
        "origin": manifest.origin,
        "exported_at": rfc3339(manifest.exported_at),
        "exported_by": f"{manifest.exported_by['kind']} {manifest.exported_by['id']}",
        "agency": manifest.agency,
        "query": json.dumps(dict(manifest.query), ensure_ascii=False, sort_keys=True),
        "tree_size": manifest.tree_size,
        "root": manifest.root.hex(),
        "events": manifest.events,
    }


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
