"""Exports of events: asked for in the transaction of the asking, made by a worker, looked at as a stranger would.

An export holds what was in the log when it was asked for, and is made once a checkpoint covers its own asking. Any
number of workers may make it: it has a lease, and its outcome is a row that there is once.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import IO, Any, Final, Protocol

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from trust.evidence.event_export_format import (
    CHECKPOINT,
    EVENTS,
    MANIFEST,
    MAX_EVENTS,
    NOTE,
    ExportManifest,
    event_line,
)
from trust.evidence.event_exports import verify_event_export
from trust.evidence.merkle import inclusion_proof
from trust.evidence.tlog import VerifierKey
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound, TooLarge
from trust.kernel.ids import Id
from trust.ledger.checkpoints import Checkpoints, StoredCheckpoint
from trust.ledger.erasure import CONTENT_ERASED
from trust.ledger.errors import LedgerBroken
from trust.ledger.headers import header_of_row, whole_milliseconds
from trust.ledger.ledger import Ledger
from trust.ledger.model import EventId, EventOutcome
from trust.ledger.search import EventQuery, EventScope, matching, selected_rows
from trust.ledger.supervision.tables import export_outcomes, export_progress, exports
from trust.ledger.tables import events, sequence
from trust.ledger.tiles import TileReader
from trust.storage.database import ReadWork, Work
from trust.storage.objects.port import ObjectStore

# A page of events with their proofs takes well under a second; a dead worker's export is taken up after the lease.
LEASE: Final = timedelta(minutes=2)
PAGE_EVENTS: Final = 500
# Up to here an export is built in memory; larger ones lie in a file until they are put.
_IN_MEMORY_OCTETS: Final = 8 * 1024**2
# Zip cannot say an earlier moment; when the export was made stands in the manifest.
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)


class ExportId(Id):
    """An export of events."""

    prefix = "evexport"


class ExportUnknown(NotFound):
    """There is no such export, or it is not the caller's to see."""

    code = "event-export-unknown"


class ExportTooLarge(TooLarge):
    """More events match than one file holds; ask for a shorter period."""

    code = "event-export-too-large"


class NoteSigner(Protocol):
    """Has an export's manifest signed by the log's key."""

    def sign_export(self, *, export_id: str, manifest: bytes, events: int, at: datetime) -> str:
        """The signed note (`trust.evidence.export_notes`)."""
        ...


@dataclass(frozen=True, kw_only=True)
class ExportOutcome:
    """What came of an export: where its file lies, or the code of what it failed by."""

    failed: str | None
    object_key: str | None
    object_version: str | None
    sha256: bytes | None
    octets: int | None
    events: int | None
    tree_size: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export as it was asked for; `done` of `total` events are written while there is no outcome."""

    id: ExportId
    agency: str | None
    by_account: str
    by_kind: str
    query: Mapping[str, Any]
    event_id: EventId
    at: datetime
    done: int
    total: int
    outcome: ExportOutcome | None


class Exports:
    """Queries over exports."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def get(self, export_id: str, *, scope: EventScope, by_account: str) -> Export:
        """One's own export within one's scope; raises ExportUnknown."""
        row = self._work.execute(
            _whole().where(exports.c.id == export_id, exports.c.by_account == by_account)
        ).one_or_none()
        if row is None or (scope.agency is not None and row.agency != scope.agency):
            raise ExportUnknown("there is no such export")
        return _export(row)

    def unfinished(self) -> tuple[Export, ...]:
        """Those without an outcome, the oldest first."""
        rows = self._work.execute(
            _whole().where(export_outcomes.c.export_id.is_(None)).order_by(exports.c.id).limit(20)
        )
        return tuple(map(_export, rows))


def ask(work: Work, export: Export, *, lease_until: datetime) -> None:
    """Inserts an export, for a worker to make."""
    work.execute(
        upsert(exports).values(
            id=export.id,
            agency=export.agency,
            by_account=export.by_account,
            by_kind=export.by_kind,
            query=dict(export.query),
            event_id=export.event_id,
            at=export.at,
        )
    )
    work.execute(
        upsert(export_progress).values(export_id=export.id, done=0, total=0, lease_until=lease_until)
    )


class ExportMaking:
    """Makes the exports that were asked for."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        store: ObjectStore,
        signer: NoteSigner,
        origin: str,
        keys: Sequence[VerifierKey],
        query_of: Callable[[Export], EventQuery],
        clock: Clock,
        max_events: int = MAX_EVENTS,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._signer = signer
        self._origin = origin
        self._keys = tuple(keys)
        self._query_of = query_of
        self._clock = clock
        self._max_events = max_events

    def make_all(self) -> int:
        """Makes every export whose turn it is; answers how many came to an outcome here."""
        with self._ledger.read() as work:
            waiting = Exports(work).unfinished()
        return sum(self._make_one(export) for export in waiting)

    def _make_one(self, export: Export) -> bool:
        # 1. Wait until the log covers the asking, and take the work for a while.
        with self._ledger.read() as work:
            checkpoint = Checkpoints(work).newest()
            asked_at = _index_of(work, export.event_id)
        if checkpoint is None or asked_at is None or asked_at >= checkpoint.tree.size:
            return False
        if not self._lease(export, done=0, total=0, taking=True):
            return False

        # 2. Write the file, and have its manifest signed; what cannot be made has an outcome too.
        try:
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_OCTETS) as file:
                count = self._write(export, checkpoint, asked_at, file)
                file.seek(0)
                octets = file.read()
            # 3. Look at it as a stranger would.
            verify_event_export(octets, keys=self._keys, subject=export.id).require_valid()
        except ExportTooLarge as error:
            return self._conclude(export, {"failed": error.code})

        # 4. Keep it, then say that it exists, unless another worker spoke first.
        stored = self._store.put(f"{_folder(export)}/exports/{export.id.replace('_', '-')}", octets)
        outcome = {
            "object_key": stored.key,
            "object_version": stored.version_id,
            "sha256": stored.sha256,
            "octets": len(octets),
            "events": count,
            "tree_size": checkpoint.tree.size,
        }
        return self._conclude(export, outcome)

    def _write(self, export: Export, checkpoint: StoredCheckpoint, asked_at: int, target: IO[bytes]) -> int:
        query, size = self._query_of(export), checkpoint.tree.size
        with self._ledger.read() as work:
            total = _count(work, query, before=asked_at, limit=self._max_events + 1)
        if total > self._max_events:
            raise ExportTooLarge(f"more than {self._max_events} events match; ask for a shorter period")
        members: dict[str, tuple[int, bytes]] = {}
        note_at = whole_milliseconds(self._clock.now())
        proofs = _Proofs(self._store, size)
        # The manifest is to be the first member, and names the digests of the others: those are written aside.
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_OCTETS) as lines:
            hashed, octets, count = hashlib.sha256(), 0, 0
            for page in self._pages(query, before=asked_at):
                for row in page:
                    line = _line(row, proofs)
                    lines.write(line)
                    hashed.update(line)
                    octets += len(line)
                count += len(page)
                self._lease(export, done=count, total=total)
            members[EVENTS] = (octets, hashed.digest())
            members[CHECKPOINT] = (
                len(checkpoint.note.encode()),
                hashlib.sha256(checkpoint.note.encode()).digest(),
            )
            manifest = ExportManifest(
                export_id=export.id,
                origin=self._origin,
                exported_at=note_at,
                exported_by={"kind": export.by_kind, "id": export.by_account},
                agency=export.agency,
                query=export.query,
                tree_size=size,
                root=checkpoint.tree.root,
                events=count,
                members=members,
            ).encode()
            note = self._signer.sign_export(
                export_id=export.id, manifest=hashlib.sha256(manifest).digest(), events=count, at=note_at
            )
            lines.seek(0)
            with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED) as archive:
                for name, content in (
                    (MANIFEST, manifest),
                    (NOTE, note.encode()),
                    (CHECKPOINT, checkpoint.note.encode()),
                ):
                    archive.writestr(_entry(name, zipfile.ZIP_STORED), content)
                with archive.open(_entry(EVENTS, zipfile.ZIP_DEFLATED), "w", force_zip64=False) as out:
                    while chunk := lines.read(1 << 20):
                        out.write(chunk)
        return count

    def _pages(self, query: EventQuery, *, before: int) -> Iterator[Sequence[Row[Any]]]:
        last = -1
        while True:
            with self._ledger.read() as work:
                page = selected_rows(work, query, after=last, before=before, limit=PAGE_EVENTS)
            if not page:
                return
            yield page
            last = page[-1].position

    def _lease(self, export: Export, *, done: int, total: int, taking: bool = False) -> bool:
        """Takes the work, or says how far it has come; False where another worker has it."""
        now = self._clock.now()
        statement = update(export_progress).where(export_progress.c.export_id == export.id)
        if taking:
            statement = statement.where(export_progress.c.lease_until <= now)
        with self._ledger.work() as work:
            changed = work.execute(statement.values(done=done, total=total, lease_until=now + LEASE)).rowcount
        return bool(changed)

    def _conclude(self, export: Export, outcome: Mapping[str, Any]) -> bool:
        row = {"export_id": export.id, "at": self._clock.now(), **outcome}
        with self._ledger.work() as work:
            return bool(work.execute(upsert(export_outcomes).values(row).on_conflict_do_nothing()).rowcount)


def erased_since_asked(work: ReadWork, export: Export, query: EventQuery) -> bool:
    """Whether content that the file of an export may hold has been erased since it was asked for."""
    erasure = events.alias("erasure")
    erased = select(erasure.c.subject).where(
        erasure.c.act == CONTENT_ERASED,
        erasure.c.outcome == EventOutcome.DONE.value,
        erasure.c.at >= export.at,
    )
    # Which case the erased content named, and what else stood in it, nobody can tell any more.
    by_columns = replace(query, case_number=None, mentions=None)
    statement = matching(by_columns).where(events.c.event_id.in_(erased)).limit(1)
    return work.execute(statement).first() is not None


class _Proofs:
    """Inclusion proofs of one tree; events that stand together share most of their hashes."""

    def __init__(self, store: ObjectStore, size: int) -> None:
        self._reader = TileReader(store, size)
        self._size = size
        self._nodes: dict[tuple[int, int], bytes] = {}

    def of(self, index: int) -> tuple[bytes, ...]:
        return inclusion_proof(index, self._size, self._node)

    def _node(self, level: int, index: int) -> bytes:
        known = self._nodes.get((level, index))
        if known is None:
            known = self._nodes[level, index] = self._reader.read_node(level, index)
        return known


def _line(row: Row[Any], proofs: _Proofs) -> bytes:
    header = header_of_row(row)
    if header.leaf_hash() != bytes(row.leaf_hash):
        raise LedgerBroken(f"the row of {row.event_id} does not give its leaf hash")
    return event_line(
        index=row.position,
        header=header.encode(),
        proof=proofs.of(row.position),
        salt=None if row.salt is None else bytes(row.salt),
        content=row.content,
    )


def _entry(name: str, compression: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_MOMENT)
    entry.compress_type = compression
    entry.external_attr = 0o100644 << 16
    return entry


def _folder(export: Export) -> str:
    return (export.agency or "platform").replace("_", "-")


def _index_of(work: ReadWork, event_id: str) -> int | None:
    index: int | None = work.execute(
        select(sequence.c.index).where(sequence.c.event_id == event_id)
    ).scalar_one_or_none()
    return index


def _count(work: ReadWork, query: EventQuery, *, before: int, limit: int) -> int:
    return len(selected_rows(work, query, after=-1, before=before, limit=limit, only_places=True))


def _whole() -> Any:
    return (
        select(
            exports,
            export_progress.c.done,
            export_progress.c.total,
            export_outcomes.c.export_id.label("concluded"),
            export_outcomes.c.failed,
            export_outcomes.c.object_key,
            export_outcomes.c.object_version,
            export_outcomes.c.sha256,
            export_outcomes.c.octets,
            export_outcomes.c.events,
            export_outcomes.c.tree_size,
            export_outcomes.c.at.label("concluded_at"),
        )
        .outerjoin(export_progress, export_progress.c.export_id == exports.c.id)
        .outerjoin(export_outcomes, export_outcomes.c.export_id == exports.c.id)
    )


def _export(row: Row[Any]) -> Export:
    outcome = None
    if row.concluded is not None:
        outcome = ExportOutcome(
            failed=row.failed,
            object_key=row.object_key,
            object_version=row.object_version,
            sha256=None if row.sha256 is None else bytes(row.sha256),
            octets=row.octets,
            events=row.events,
            tree_size=row.tree_size,
            at=row.concluded_at,
        )
    return Export(
        id=ExportId(row.id),
        agency=row.agency,
        by_account=row.by_account,
        by_kind=row.by_kind,
        query=row.query,
        event_id=EventId(row.event_id),
        at=row.at,
        done=row.done or 0,
        total=row.total or 0,
        outcome=outcome,
    )
