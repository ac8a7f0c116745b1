"""Whether an export of ledger events shows what it says; `trust.evidence.event_export_format` reads it.

Everything is proved by the log's key alone: the manifest is what the log signed, the members are the manifest's, and
each event is under the checkpoint. Nothing in the file is believed because the file says so.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trust.evidence.event_export_format import (
    CHECKPOINT,
    EVENTS,
    KIND,
    MANIFEST,
    MAX_EVENTS,
    MAX_MANIFEST_OCTETS,
    MEMBERS,
    NOTE,
    EventLine,
    ExportMalformed,
    ExportManifest,
    ExportMembers,
    export_members,
)
from trust.evidence.export_notes import ExportNote, open_export_note
from trust.evidence.merkle import ProofRefused, verify_inclusion
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
from trust.kernel.clock import rfc3339
from trust.kernel.errors import YinxinError
from trust.kernel.report import Checks, Report

# How many of the places between the events are named; how many there are is said.
_GAPS_SHOWN: Final = 20
# As many faults of one kind as help to find them.
_FAULTS_SHOWN: Final = 5


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
        members = export_members(data)
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


def _check_members(checks: Checks, members: ExportMembers, manifest: ExportManifest) -> None:
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
    checks: Checks, members: ExportMembers, manifest: ExportManifest, keys: Sequence[VerifierKey]
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
    checks: Checks, members: ExportMembers, manifest: ExportManifest, keys: Sequence[VerifierKey]
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
    checks: Checks, members: ExportMembers, manifest: ExportManifest, checkpoint: Checkpoint | None
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


def _check_line(
    found: _Found, number: int, octets: bytes, manifest: ExportManifest, checkpoint: Checkpoint | None
) -> None:
    try:
        line = EventLine.read(octets)
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
