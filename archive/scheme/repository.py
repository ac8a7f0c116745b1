"""Queries over fonds and classes, always within one agency."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert

from archive.codes import Retention
from archive.errors import ArchiveClassExists, ArchiveClassUnknown, FondsTaken
from archive.model import ArchiveClass
from archive.tables import archive_classes, fonds
from trust.storage.database import ReadWork


class ClassificationScheme:
    """An agency's fonds and classes."""

    def __init__(self, work: ReadWork, *, agency_id: str) -> None:
        self._work = work
        self._agency_id = agency_id

    def take_fonds(self, code: str, *, at: datetime) -> None:
        """Makes this the agency's fonds; raises FondsTaken where it has another, or another agency has it."""
        self._work.execute(
            insert(fonds).values(agency_id=self._agency_id, code=code, at=at).on_conflict_do_nothing()
        )
        own = self._work.execute(select(fonds.c.code).where(fonds.c.agency_id == self._agency_id)).scalar()
        if own is None:
            raise FondsTaken(f"the fonds {code} is another agency's")
        if own != code:
            raise FondsTaken(f"this agency's fonds is {own}; an agency has one")

    def add(self, defined: ArchiveClass) -> None:
        """Raises ArchiveClassExists where the scheme has a class of this code."""
        statement = insert(archive_classes).values(
            id=defined.id,
            agency_id=defined.agency_id,
            code=defined.code,
            name_zh=defined.name_zh,
            name_en=defined.name_en,
            retention=defined.retention.value,
            office=defined.office,
            open_to_reuse=defined.open_to_reuse,
            defined_by=defined.defined_by,
            defined_at=defined.defined_at,
        )
        if self._work.execute(statement.on_conflict_do_nothing()).rowcount != 1:
            raise ArchiveClassExists(f"the scheme has a class {defined.code} already")

    def by_code(self, code: str) -> ArchiveClass:
        """Raises ArchiveClassUnknown."""
        return self._one(_classes().where(archive_classes.c.code == code))

    def get(self, class_id: str) -> ArchiveClass:
        """Raises ArchiveClassUnknown."""
        return self._one(_classes().where(archive_classes.c.id == class_id))

    def page(self, *, after: str | None, limit: int) -> tuple[ArchiveClass, ...]:
        query = _classes().where(archive_classes.c.agency_id == self._agency_id)
        if after is not None:
            query = query.where(archive_classes.c.id > after)
        return tuple(map(_class, self._work.execute(query.order_by(archive_classes.c.id).limit(limit))))

    def _one(self, query: Select[Any]) -> ArchiveClass:
        row = self._work.execute(query.where(archive_classes.c.agency_id == self._agency_id)).one_or_none()
        if row is None:
            raise ArchiveClassUnknown("the agency's scheme has no such class")
        return _class(row)


class ArchivingAgencies:
    """The agencies that archive here, for the worker's chores."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def all(self) -> tuple[str, ...]:
        return tuple(self._work.execute(select(fonds.c.agency_id).order_by(fonds.c.agency_id)).scalars())


def _classes() -> Select[Any]:
    return select(archive_classes, fonds.c.code.label("fonds")).join(fonds)


def _class(row: Row[Any]) -> ArchiveClass:
    return ArchiveClass(
        id=row.id,
        agency_id=row.agency_id,
        fonds=row.fonds,
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        retention=Retention(row.retention),
        office=row.office,
        open_to_reuse=row.open_to_reuse,
        defined_by=row.defined_by,
        defined_at=row.defined_at,
    )
