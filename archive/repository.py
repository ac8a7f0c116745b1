"""Queries over records: what was intended, how it ended, what is in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import insert

from archive.codes import ArchivalCode
from archive.errors import MaterialUnknown, RecordUnknown
from archive.model import (
    ArchivalRecord,
    Material,
    MaterialRole,
    RecordState,
    RecordTimestamp,
    StoredFile,
    StoredPackage,
)
from archive.search import RecordQuery
from archive.tables import (
    item_numbers,
    record_citations,
    record_files,
    record_materials,
    record_outcomes,
    record_retentions,
    record_timestamps,
    records,
)
from trust.storage.database import ReadWork


class Records:
    """Records with their outcomes, if any."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def take_number(self, agency_id: str, series: str) -> int:
        """The next item number of a series; others wait until this transaction ends, so none is skipped."""
        statement = insert(item_numbers).values(agency_id=agency_id, series=series, last=1)
        counted = statement.on_conflict_do_update(
            index_elements=[item_numbers.c.agency_id, item_numbers.c.series],
            set_={"last": item_numbers.c.last + 1},
        )
        return int(self._work.execute(counted.returning(item_numbers.c.last)).scalar_one())

    def intend(self, record: ArchivalRecord, *, citations: Sequence[str]) -> None:
        """Inserts the record; `citations` are the ids of the reuses that its case cites."""
        self._work.execute(
            records.insert().values(
                id=record.id,
                agency_id=record.agency_id,
                agency_name=record.agency_name,
                archival_code=str(record.code),
                class_id=record.class_id,
                class_code=record.code.class_code,
                year=record.code.year,
                title=record.title,
                case_number=record.case_number,
                item_code=record.item_code,
                event_date=record.event_date,
                retain_until=record.retain_until,
                application_id=record.application_id,
                manifest_sha256=record.manifest_sha256,
                submission_key=record.submission_key,
                submission_version=record.submission_version,
                submission_sha256=record.submission_sha256,
                lease_until=record.lease_until,
                intended_at=record.intended_at,
            )
        )
        if citations:
            self._work.execute(
                record_citations.insert(),
                [{"record_id": record.id, "reuse_id": reuse_id} for reuse_id in citations],
            )

    def register(
        self,
        record_id: str,
        stored: StoredPackage,
        materials: Sequence[Material],
        *,
        event_id: str,
        at: datetime,
    ) -> bool:
        """Writes the outcome and what the package holds; False where there is an outcome already."""
        package = stored.package
        statement = insert(record_outcomes).values(
            record_id=record_id,
            outcome=RecordState.REGISTERED.value,
            package_key=package.key,
            package_version=package.version_id,
            package_sha256=package.sha256,
            package_size=package.size,
            event_id=event_id,
            at=at,
        )
        if self._work.execute(statement.on_conflict_do_nothing()).rowcount != 1:
            return False
        self._work.execute(
            record_files.insert(), [{"record_id": record_id, **vars(file)} for file in stored.files]
        )
        self._work.execute(
            record_materials.insert(),
            [
                {"record_id": record_id, "position": position, **vars(material)}
                for position, material in enumerate(materials)
            ],
        )
        return True

    def abandon(self, record_id: str, *, event_id: str, at: datetime) -> bool:
        """Writes the outcome; False where there is one already."""
        statement = insert(record_outcomes).values(
            record_id=record_id, outcome=RecordState.ABANDONED.value, event_id=event_id, at=at
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def stamp(self, record_id: str, timestamp: RecordTimestamp, *, at: datetime) -> bool:
        """Writes the one timestamp of a package; False where there is one already."""
        statement = insert(record_timestamps).values(
            record_id=record_id,
            token=timestamp.token,
            gen_time=timestamp.gen_time,
            key=timestamp.key,
            version_id=timestamp.version_id,
            at=at,
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def retained(self, record_id: str, *, until: datetime, at: datetime) -> bool:
        """Notes that the record's objects are locked until then; False where that is known already."""
        statement = insert(record_retentions).values(record_id=record_id, retain_until=until, at=at)
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def get(self, record_id: str, *, agency_id: str) -> ArchivalRecord:
        """Raises RecordUnknown where there is none in this agency."""
        return self._one(_records().where(records.c.id == record_id, records.c.agency_id == agency_id))

    def by_code_of_any_agency(self, archival_code: str) -> ArchivalRecord:
        """For reuse by another agency's case; who may see what of it is for the asker. Raises RecordUnknown."""
        return self._one(_records().where(records.c.archival_code == archival_code))

    def of_any_agency(self, record_id: str) -> ArchivalRecord:
        """For a reuse that was granted, and for the worker. Raises RecordUnknown."""
        return self._one(_records().where(records.c.id == record_id))

    def search(self, agency_id: str, query: RecordQuery) -> tuple[ArchivalRecord, ...]:
        """One page in the order of ids, which is the order of time."""
        statement = _records().where(records.c.agency_id == agency_id)
        for column, wanted in (
            (records.c.archival_code, query.archival_code),
            (records.c.case_number, query.case_number),
            (records.c.class_code, query.class_code),
            (records.c.year, query.year),
            (records.c.application_id, query.application_id),
        ):
            if wanted is not None:
                statement = statement.where(column == wanted)
        if query.title is not None:
            statement = statement.where(records.c.title.icontains(query.title, autoescape=True))
        if query.after is not None:
            statement = statement.where(records.c.id > query.after)
        return tuple(map(_record, self._work.execute(statement.order_by(records.c.id).limit(query.limit))))

    def materials(self, record_id: str) -> tuple[Material, ...]:
        """What a registered record's package holds, in the manifest's order."""
        table = record_materials
        query = select(table).where(table.c.record_id == record_id).order_by(table.c.position)
        return tuple(map(_material, self._work.execute(query)))

    def material(self, record_id: str, name: str) -> Material:
        """Raises MaterialUnknown."""
        found = [material for material in self.materials(record_id) if material.name == name]
        if not found:
            raise MaterialUnknown("the record has no such material")
        return found[0]

    def files(self, record_id: str) -> tuple[StoredFile, ...]:
        """Every file of the record's OCFL object."""
        table = record_files
        query = select(table).where(table.c.record_id == record_id).order_by(table.c.path)
        return tuple(
            StoredFile(
                path=row.path,
                key=row.key,
                version_id=row.version_id,
                size=row.size,
                sha256=bytes(row.sha256),
            )
            for row in self._work.execute(query)
        )

    def citations(self, record_id: str) -> tuple[str, ...]:
        """The ids of the reuses that the record's case cites."""
        table = record_citations
        query = select(table.c.reuse_id).where(table.c.record_id == record_id).order_by(table.c.reuse_id)
        return tuple(self._work.execute(query).scalars())

    def overdue(self, now: datetime, *, limit: int) -> tuple[ArchivalRecord, ...]:
        """Records without an outcome whose lease has expired; for the worker, over all agencies."""
        query = (
            _records()
            .where(record_outcomes.c.record_id.is_(None), records.c.lease_until < now)
            .order_by(records.c.lease_until)
            .limit(limit)
        )
        return tuple(map(_record, self._work.execute(query)))

    def unstamped(self, *, limit: int) -> tuple[ArchivalRecord, ...]:
        """Registered records that still want their timestamp; for the worker, over all agencies."""
        query = (
            _records()
            .where(
                record_outcomes.c.outcome == RecordState.REGISTERED.value,
                record_timestamps.c.record_id.is_(None),
            )
            .order_by(record_outcomes.c.at)
            .limit(limit)
        )
        return tuple(map(_record, self._work.execute(query)))

    def permanent_locked_before(self, moment: datetime, *, limit: int) -> tuple[ArchivalRecord, ...]:
        """Permanent records whose lock ends before this moment; for the worker, over all agencies."""
        newest = (
            select(func.max(record_retentions.c.retain_until))
            .where(record_retentions.c.record_id == records.c.id)
            .scalar_subquery()
        )
        query = (
            _records()
            .where(
                record_outcomes.c.outcome == RecordState.REGISTERED.value,
                # The retention is the last part but one before the item; a class may have a part `Y` too.
                records.c.archival_code.regexp_match("·Y·[^·]+-[0-9]+$"),
                func.coalesce(newest, records.c.retain_until) < moment,
            )
            .order_by(records.c.retain_until)
            .limit(limit)
        )
        return tuple(map(_record, self._work.execute(query)))

    def _one(self, query: Select[Any]) -> ArchivalRecord:
        row = self._work.execute(query).one_or_none()
        if row is None:
            raise RecordUnknown("there is no such record")
        return _record(row)


def _records() -> Select[Any]:
    outcomes, stamps = record_outcomes.c, record_timestamps.c
    return (
        select(
            records,
            outcomes.outcome,
            outcomes.package_key,
            outcomes.package_version,
            outcomes.package_sha256,
            outcomes.package_size,
            outcomes.event_id,
            outcomes.at.label("concluded_at"),
            stamps.token,
            stamps.gen_time,
            stamps.key.label("stamp_key"),
            stamps.version_id.label("stamp_version"),
        )
        .outerjoin(record_outcomes, outcomes.record_id == records.c.id)
        .outerjoin(record_timestamps, stamps.record_id == records.c.id)
    )


def _record(row: Row[Any]) -> ArchivalRecord:
    timestamp = None
    if row.token is not None:
        timestamp = RecordTimestamp(
            token=bytes(row.token),
            gen_time=row.gen_time,
            key=row.stamp_key,
            version_id=row.stamp_version,
        )
    return ArchivalRecord(
        id=row.id,
        agency_id=row.agency_id,
        agency_name=row.agency_name,
        code=ArchivalCode.parse(row.archival_code),
        class_id=row.class_id,
        title=row.title,
        case_number=row.case_number,
        item_code=row.item_code,
        event_date=row.event_date,
        retain_until=row.retain_until,
        application_id=row.application_id,
        manifest_sha256=bytes(row.manifest_sha256),
        submission_key=row.submission_key,
        submission_version=row.submission_version,
        submission_sha256=bytes(row.submission_sha256),
        lease_until=row.lease_until,
        intended_at=row.intended_at,
        state=RecordState.INTENDED if row.outcome is None else RecordState(row.outcome),
        package_key=row.package_key,
        package_version=row.package_version,
        package_sha256=None if row.package_sha256 is None else bytes(row.package_sha256),
        package_size=row.package_size,
        concluded_at=row.concluded_at,
        event_id=row.event_id,
        timestamp=timestamp,
    )


def _material(row: Row[Any]) -> Material:
    return Material(
        name=row.name,
        title=row.title,
        role=MaterialRole(row.role),
        media_type=row.media_type,
        size=row.size,
        sha256=bytes(row.sha256),
        offset=row.offset,
    )
