"""Queries over retrieval requests, always within one agency."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from archive.errors import RetrievalRequestUnknown
from archive.model import RetrievalRequest, RetrievalState
from archive.tables import retrieval_requests
from trust.storage.database import ReadWork


class RetrievalRequests:
    """Requests to read archived materials."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, request: RetrievalRequest) -> None:
        self._work.execute(
            retrieval_requests.insert().values(
                id=request.id,
                agency_id=request.agency_id,
                record_id=request.record_id,
                purpose=request.purpose,
                materials=list(request.materials),
                until=request.until,
                state=request.state.value,
                requested_by=request.requested_by,
                requested_at=request.requested_at,
            )
        )

    def get(self, request_id: str, *, agency_id: str, lock: bool = False) -> RetrievalRequest:
        """Raises RetrievalRequestUnknown where there is none in this agency."""
        table = retrieval_requests
        query = select(table).where(table.c.id == request_id, table.c.agency_id == agency_id)
        row = self._work.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise RetrievalRequestUnknown("there is no such retrieval request")
        return _request(row)

    def page(self, *, agency_id: str, after: str | None, limit: int) -> tuple[RetrievalRequest, ...]:
        """One page in the order of ids, which is the order of time."""
        table = retrieval_requests
        query = select(table).where(table.c.agency_id == agency_id)
        if after is not None:
            query = query.where(table.c.id > after)
        return tuple(map(_request, self._work.execute(query.order_by(table.c.id).limit(limit))))

    def decide(self, request_id: str, *, state: RetrievalState, by: str, at: datetime, note: str) -> None:
        """Writes the decision; the caller holds the row's lock."""
        self._work.execute(
            retrieval_requests.update()
            .where(retrieval_requests.c.id == request_id)
            .values(state=state.value, decided_by=by, decided_at=at, note=note)
        )


def _request(row: Row[Any]) -> RetrievalRequest:
    return RetrievalRequest(
        id=row.id,
        agency_id=row.agency_id,
        record_id=row.record_id,
        purpose=row.purpose,
        materials=tuple(row.materials),
        until=row.until,
        state=RetrievalState(row.state),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )
