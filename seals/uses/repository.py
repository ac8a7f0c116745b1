"""Queries over seal uses: what was intended, prepared, and how it ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert

from seals.errors import SealUseUnknown
from seals.model import SealPreparation, SealUse, SealUseState, SignatureLevel
from seals.tables import seal_use_outcomes, seal_use_preparations, seal_uses
from trust.storage.database import ReadWork


class SealUses:
    """Uses with their outcomes, if any."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def intend(self, use: SealUse) -> None:
        self._work.execute(
            seal_uses.insert().values(
                id=use.id,
                agency_id=use.agency_id,
                seal_id=use.seal_id,
                authorisation_id=use.authorisation_id,
                application_id=use.application_id,
                item_code=use.item_code,
                case_number=use.case_number,
                level=use.level.value,
                original_key=use.original_key,
                original_version=use.original_version,
                original_sha256=use.original_sha256,
                output_key=use.output_key,
                lease_until=use.lease_until,
                intended_at=use.intended_at,
            )
        )

    def prepare(self, use_id: str, preparation: SealPreparation, *, at: datetime) -> None:
        self._work.execute(
            seal_use_preparations.insert().values(
                use_id=use_id,
                digest=preparation.digest,
                byte_range=list(preparation.byte_range),
                field_name=preparation.field_name,
                at=at,
            )
        )

    def preparation(self, use_id: str) -> SealPreparation:
        """The newest preparation, the one that counts."""
        table = seal_use_preparations
        row = self._work.execute(
            select(table).where(table.c.use_id == use_id).order_by(table.c.position.desc()).limit(1)
        ).one()
        first, second, third, fourth = row.byte_range
        return SealPreparation(
            digest=bytes(row.digest), byte_range=(first, second, third, fourth), field_name=row.field_name
        )

    def conclude(
        self,
        use_id: str,
        state: SealUseState,
        *,
        output_version: str | None,
        output_sha256: bytes | None,
        event_id: str,
        at: datetime,
    ) -> bool:
        """Writes the one outcome; False where there is one already (the caller lost the race)."""
        statement = insert(seal_use_outcomes).values(
            use_id=use_id,
            outcome=state.value,
            output_version=output_version,
            output_sha256=output_sha256,
            event_id=event_id,
            at=at,
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def get(self, use_id: str, *, agency_id: str) -> SealUse:
        """Raises SealUseUnknown where there is none in this agency."""
        row = self._work.execute(
            _uses().where(seal_uses.c.id == use_id, seal_uses.c.agency_id == agency_id)
        ).one_or_none()
        if row is None:
            raise SealUseUnknown("there is no such seal use")
        return _use(row)

    def page(
        self, *, agency_id: str, seal_id: str | None, after: str | None, limit: int
    ) -> tuple[SealUse, ...]:
        query = _uses().where(seal_uses.c.agency_id == agency_id)
        if seal_id is not None:
            query = query.where(seal_uses.c.seal_id == seal_id)
        if after is not None:
            query = query.where(seal_uses.c.id > after)
        return tuple(map(_use, self._work.execute(query.order_by(seal_uses.c.id).limit(limit))))

    def overdue(self, now: datetime, *, limit: int) -> tuple[SealUse, ...]:
        """Uses without an outcome whose lease has expired; for the worker, over all agencies."""
        query = (
            _uses()
            .where(seal_use_outcomes.c.use_id.is_(None), seal_uses.c.lease_until < now)
            .order_by(seal_uses.c.lease_until)
            .limit(limit)
        )
        return tuple(map(_use, self._work.execute(query)))


def _uses() -> Select[Any]:
    outcomes = seal_use_outcomes.c
    return select(
        seal_uses,
        outcomes.outcome,
        outcomes.output_version,
        outcomes.output_sha256,
        outcomes.event_id,
        outcomes.at.label("concluded_at"),
    ).outerjoin(seal_use_outcomes, outcomes.use_id == seal_uses.c.id)


def _use(row: Row[Any]) -> SealUse:
    return SealUse(
        id=row.id,
        agency_id=row.agency_id,
        seal_id=row.seal_id,
        authorisation_id=row.authorisation_id,
        application_id=row.application_id,
        item_code=row.item_code,
        case_number=row.case_number,
        level=SignatureLevel(row.level),
        original_key=row.original_key,
        original_version=row.original_version,
        original_sha256=bytes(row.original_sha256),
        output_key=row.output_key,
        lease_until=row.lease_until,
        intended_at=row.intended_at,
        state=SealUseState.INTENDED if row.outcome is None else SealUseState(row.outcome),
        output_version=row.output_version,
        output_sha256=None if row.output_sha256 is None else bytes(row.output_sha256),
        concluded_at=row.concluded_at,
        event_id=row.event_id,
    )
