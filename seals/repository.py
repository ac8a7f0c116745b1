"""Queries over seals, always within one agency."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select, true

from seals.errors import SealAuthorisationUnknown, SealRequestUnknown, SealUnknown
from seals.model import (
    ImpressionMediaType,
    ImpressionRow,
    Seal,
    SealAuthorisation,
    SealAuthorisationState,
    SealRequest,
    SealRequestState,
    SealState,
)
from seals.tables import seal_authorisations, seal_renewals, seal_requests, seals
from trust.storage.database import ReadWork


class SealRequests:
    """Applications for seals."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, request: SealRequest) -> None:
        self._work.execute(
            seal_requests.insert().values(
                id=request.id,
                agency_id=request.agency_id,
                name=request.name,
                reason=request.reason,
                impression=request.impression.octets,
                impression_media_type=request.impression.media_type.value,
                impression_sha256=request.impression.sha256,
                width_mm=request.impression.width_mm,
                height_mm=request.impression.height_mm,
                state=request.state.value,
                requested_by=request.requested_by,
                requested_at=request.requested_at,
            )
        )

    def get(self, request_id: str, *, agency_id: str, lock: bool = False) -> SealRequest:
        """Raises SealRequestUnknown where there is none in this agency."""
        table = seal_requests
        query = select(table).where(table.c.id == request_id, table.c.agency_id == agency_id)
        row = self._work.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise SealRequestUnknown("there is no such seal request")
        return _request(row)

    def page(self, *, agency_id: str, after: str | None, limit: int) -> tuple[SealRequest, ...]:
        table = seal_requests
        query = select(table).where(table.c.agency_id == agency_id)
        return tuple(map(_request, self._work.execute(_page(query, table.c.id, after, limit))))

    def decide(
        self, request_id: str, *, state: SealRequestState, by: str, at: datetime, lease_until: datetime | None
    ) -> None:
        self._work.execute(
            seal_requests.update()
            .where(seal_requests.c.id == request_id)
            .values(state=state.value, decided_by=by, decided_at=at, lease_until=lease_until)
        )

    def made(self, request_id: str) -> None:
        self._work.execute(
            seal_requests.update()
            .where(seal_requests.c.id == request_id)
            .values(state=SealRequestState.MADE.value, lease_until=None)
        )

    def renew_lease(self, request_id: str, until: datetime) -> None:
        self._work.execute(
            seal_requests.update().where(seal_requests.c.id == request_id).values(lease_until=until)
        )

    def overdue(self, now: datetime, *, limit: int) -> tuple[SealRequest, ...]:
        """Approved requests whose making has not come to its end; for the worker, over all agencies."""
        table = seal_requests
        query = (
            select(table)
            .where(table.c.state == SealRequestState.APPROVED.value, table.c.lease_until < now)
            .order_by(table.c.lease_until)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return tuple(map(_request, self._work.execute(query)))


class Seals:
    """Seals that were made."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, seal: Seal) -> None:
        self._work.execute(
            seals.insert().values(
                id=seal.id,
                agency_id=seal.agency_id,
                request_id=seal.request_id,
                name=seal.name,
                key_id=seal.key_id,
                certificate=seal.certificate,
                serial=seal.serial,
                impression=seal.impression.octets,
                impression_media_type=seal.impression.media_type.value,
                impression_sha256=seal.impression.sha256,
                width_mm=seal.impression.width_mm,
                height_mm=seal.impression.height_mm,
                binding=seal.binding,
                state=seal.state.value,
                valid_from=seal.valid_from,
                valid_until=seal.valid_until,
                made_at=seal.made_at,
            )
        )

    def get(self, seal_id: str, *, agency_id: str, lock: bool = False) -> Seal:
        """Raises SealUnknown where there is none in this agency."""
        query = _seals().where(seals.c.id == seal_id, seals.c.agency_id == agency_id)
        row = self._work.execute(query.with_for_update(of=seals) if lock else query).one_or_none()
        if row is None:
            raise SealUnknown("there is no such seal")
        return _seal(row)

    def of_request(self, request_id: str, *, agency_id: str) -> Seal | None:
        query = _seals().where(seals.c.request_id == request_id, seals.c.agency_id == agency_id)
        row = self._work.execute(query).one_or_none()
        return None if row is None else _seal(row)

    def page(self, *, agency_id: str, after: str | None, limit: int) -> tuple[Seal, ...]:
        query = _seals().where(seals.c.agency_id == agency_id)
        return tuple(map(_seal, self._work.execute(_page(query, seals.c.id, after, limit))))

    def ending(self, before: datetime, *, after: str, limit: int) -> tuple[Seal, ...]:
        """Seals that can be used and end before this moment, in the order of their ids, those after one of them.

        For the worker; one on hold waits until it is back.
        """
        query = (
            _seals()
            .where(
                seals.c.id > after,
                seals.c.state == SealState.ACTIVE.value,
                func.coalesce(_NEWEST.c.valid_until, seals.c.valid_until) <= before,
            )
            .order_by(seals.c.id)
            .limit(limit)
        )
        return tuple(map(_seal, self._work.execute(query)))

    def renewed(
        self,
        seal_id: str,
        *,
        certificate: bytes,
        serial: str,
        binding: bytes,
        period: tuple[datetime, datetime],
        at: datetime,
    ) -> None:
        """Records the certificate that counts from now on."""
        self._work.execute(
            seal_renewals.insert().values(
                seal_id=seal_id,
                certificate=certificate,
                serial=serial,
                binding=binding,
                valid_from=period[0],
                valid_until=period[1],
                at=at,
            )
        )

    def agencies(self) -> tuple[str, ...]:
        """Every agency that has or had a seal; for the worker."""
        return tuple(
            self._work.execute(select(seals.c.agency_id).distinct().order_by(seals.c.agency_id)).scalars()
        )

    def become(self, seal_id: str, state: SealState, *, suspended_by: str | None = None) -> None:
        self._work.execute(
            seals.update().where(seals.c.id == seal_id).values(state=state.value, suspended_by=suspended_by)
        )


class SealAuthorisations:
    """Permissions to use a seal."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, granted: SealAuthorisation) -> None:
        self._work.execute(
            seal_authorisations.insert().values(
                id=granted.id,
                agency_id=granted.agency_id,
                seal_id=granted.seal_id,
                application_id=granted.application_id,
                item_code=granted.item_code,
                valid_from=granted.valid_from,
                valid_until=granted.valid_until,
                uses_allowed=granted.uses_allowed,
                uses_taken=granted.uses_taken,
                allows_digests=granted.allows_digests,
                state=granted.state.value,
                granted_by=granted.granted_by,
                granted_at=granted.granted_at,
            )
        )

    def get(self, authorisation_id: str, *, agency_id: str, lock: bool = False) -> SealAuthorisation:
        """Raises SealAuthorisationUnknown where there is none in this agency."""
        table = seal_authorisations
        query = select(table).where(table.c.id == authorisation_id, table.c.agency_id == agency_id)
        row = self._work.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise SealAuthorisationUnknown("there is no such seal authorisation")
        return _authorisation(row)

    def for_use(
        self,
        *,
        agency_id: str,
        application_id: str,
        item_code: str,
        seal_id: str | None,
        at: datetime,
        digests: bool = False,
    ) -> SealAuthorisation | None:
        """The standing authorisation to use: the newest that can be used at this moment, else the newest.

        Of this application for this item, and this seal if one is named; with `digests` one that allows them,
        without them rather one for documents alone, so that documents do not use up what was given for digests.
        """
        table = seal_authorisations
        usable = and_(
            table.c.valid_from <= at,
            at < table.c.valid_until,
            table.c.uses_taken < table.c.uses_allowed,
            seals.c.state == SealState.ACTIVE.value,
        )
        query = select(table).join(seals, seals.c.id == table.c.seal_id)
        query = query.where(
            table.c.agency_id == agency_id,
            table.c.application_id == application_id,
            table.c.item_code == item_code,
            table.c.state == SealAuthorisationState.GRANTED.value,
        )
        if seal_id is not None:
            query = query.where(table.c.seal_id == seal_id)
        if digests:
            query = query.where(table.c.allows_digests)
        row = self._work.execute(
            query.order_by(usable.desc(), table.c.allows_digests, table.c.granted_at.desc()).limit(1)
        ).one_or_none()
        return None if row is None else _authorisation(row)

    def page(
        self, *, agency_id: str, seal_id: str, after: str | None, limit: int
    ) -> tuple[SealAuthorisation, ...]:
        table = seal_authorisations
        query = select(table).where(table.c.agency_id == agency_id, table.c.seal_id == seal_id)
        return tuple(map(_authorisation, self._work.execute(_page(query, table.c.id, after, limit))))

    def of_application(
        self, *, agency_id: str, application_id: str, at: datetime
    ) -> tuple[SealAuthorisation, ...]:
        """Those by which this application may sign digests at this moment, in the order of time."""
        table = seal_authorisations
        query = select(table).where(
            table.c.agency_id == agency_id,
            table.c.application_id == application_id,
            table.c.state == SealAuthorisationState.GRANTED.value,
            table.c.allows_digests,
            table.c.valid_from <= at,
            at < table.c.valid_until,
        )
        return tuple(map(_authorisation, self._work.execute(query.order_by(table.c.id))))

    def take(self, authorisation_id: str, count: int = 1) -> None:
        """Counts so many uses; the caller holds the row's lock and has seen that they are left."""
        table = seal_authorisations
        self._work.execute(
            table.update().where(table.c.id == authorisation_id).values(uses_taken=table.c.uses_taken + count)
        )

    def withdraw(self, authorisation_id: str) -> None:
        self._work.execute(
            seal_authorisations.update()
            .where(seal_authorisations.c.id == authorisation_id)
            .values(state=SealAuthorisationState.WITHDRAWN.value)
        )


def _page(query: Select[Any], column: Any, after: str | None, limit: int) -> Select[Any]:
    """One page in the order of ids, which is the order of time."""
    if after is not None:
        query = query.where(column > after)
    return query.order_by(column).limit(limit)


def _impression(row: Row[Any]) -> ImpressionRow:
    return ImpressionRow(
        media_type=ImpressionMediaType(row.impression_media_type),
        octets=bytes(row.impression),
        sha256=bytes(row.impression_sha256),
        width_mm=row.width_mm,
        height_mm=row.height_mm,
    )


def _request(row: Row[Any]) -> SealRequest:
    return SealRequest(
        id=row.id,
        agency_id=row.agency_id,
        name=row.name,
        reason=row.reason,
        impression=_impression(row),
        state=SealRequestState(row.state),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        lease_until=row.lease_until,
    )


_NEWEST = (
    select(seal_renewals)
    .where(seal_renewals.c.seal_id == seals.c.id)
    .order_by(seal_renewals.c.position.desc())
    .limit(1)
    .lateral("newest")
)
_RENEWED = ("certificate", "serial", "binding", "valid_from", "valid_until")


def _seals() -> Select[Any]:
    """Seals with what their newest renewal says."""
    renewed = (_NEWEST.c[name].label(f"renewed_{name}") for name in _RENEWED)
    return select(seals, *renewed).outerjoin(_NEWEST, true())


def _seal(row: Row[Any]) -> Seal:
    fields = row._mapping
    held = {
        name: fields[name] if fields["renewed_serial"] is None else fields[f"renewed_{name}"]
        for name in _RENEWED
    }
    return Seal(
        id=row.id,
        agency_id=row.agency_id,
        request_id=row.request_id,
        name=row.name,
        key_id=row.key_id,
        certificate=bytes(held["certificate"]),
        serial=held["serial"],
        impression=_impression(row),
        binding=bytes(held["binding"]),
        state=SealState(row.state),
        suspended_by=row.suspended_by,
        valid_from=held["valid_from"],
        valid_until=held["valid_until"],
        made_at=row.made_at,
    )


def _authorisation(row: Row[Any]) -> SealAuthorisation:
    return SealAuthorisation(
        id=row.id,
        agency_id=row.agency_id,
        seal_id=row.seal_id,
        application_id=row.application_id,
        item_code=row.item_code,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        uses_allowed=row.uses_allowed,
        uses_taken=row.uses_taken,
        allows_digests=row.allows_digests,
        state=SealAuthorisationState(row.state),
        granted_by=row.granted_by,
        granted_at=row.granted_at,
    )
