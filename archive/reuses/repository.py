"""Queries over reuses, within the agencies that take part in them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, or_, select

from archive.errors import MaterialReuseUnknown
from archive.model import MaterialReuse, ReuseBasis
from archive.tables import material_reuses
from trust.storage.database import ReadWork


class MaterialReuses:
    """Reuses as they were granted."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, reuse: MaterialReuse) -> None:
        self._work.execute(material_reuses.insert().values(**vars(reuse) | {"basis": reuse.basis.value}))

    def get(self, reuse_id: str, *, agency_id: str) -> MaterialReuse:
        """For the holding and for the receiving agency; raises MaterialReuseUnknown for any other."""
        table = material_reuses.c
        query = select(material_reuses).where(
            table.id == reuse_id,
            or_(table.holder_agency_id == agency_id, table.recipient_agency_id == agency_id),
        )
        row = self._work.execute(query).one_or_none()
        if row is None:
            raise MaterialReuseUnknown("there is no such reuse")
        return _reuse(row)

    def page(self, *, agency_id: str, after: str | None, limit: int) -> tuple[MaterialReuse, ...]:
        """Reuses by the agency's cases and of its records, in the order of time."""
        table = material_reuses.c
        query = select(material_reuses).where(
            or_(table.holder_agency_id == agency_id, table.recipient_agency_id == agency_id)
        )
        if after is not None:
            query = query.where(table.id > after)
        return tuple(map(_reuse, self._work.execute(query.order_by(table.id).limit(limit))))

    def made_by(self, agency_id: str, *, ids: Sequence[str]) -> Mapping[str, MaterialReuse]:
        """Those of these ids that were made for the agency's own cases."""
        table = material_reuses.c
        query = select(material_reuses).where(table.id.in_(ids), table.recipient_agency_id == agency_id)
        return {row.id: _reuse(row) for row in self._work.execute(query)} if ids else {}


def _reuse(row: Row[Any]) -> MaterialReuse:
    return MaterialReuse(
        id=row.id,
        holder_agency_id=row.holder_agency_id,
        recipient_agency_id=row.recipient_agency_id,
        application_id=row.application_id,
        record_id=row.record_id,
        archival_code=row.archival_code,
        material=row.material,
        sha256=bytes(row.sha256),
        case_number=row.case_number,
        purpose=row.purpose,
        basis=ReuseBasis(row.basis),
        basis_reference=row.basis_reference,
        granted_at=row.granted_at,
        deliver_until=row.deliver_until,
        event_id=row.event_id,
    )
