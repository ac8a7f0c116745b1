"""Operations: how far a piece of long work has come, by the id of the thing it makes.

A seal use, a licence or an archival record exists from the moment it is intended; its own id is the operation's.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from fastapi import APIRouter

from api.dependencies import Answer, CurrentCaller, IdText, ServicesOf
from api.wiring import Services
from archive.ids import RecordId
from archive.model import RecordState
from identity.caller import Caller
from identity.ids import known_id
from licences.ids import LicenceId
from licences.model import LicenceState
from seals.ids import SealBatchId, SealUseId
from seals.model import SealUseState
from trust.kernel.errors import NotFound
from trust.ledger.supervision.exports import ExportId

router = APIRouter(prefix="/v1", tags=["operations"])


class OperationState(StrEnum):
    """How far the work has come."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ProgressAnswer(Answer):
    """So many of so many; both 0 before the work has begun."""

    done: int
    total: int


class OperationAnswer(Answer):
    """The work's state; `result` is where the thing itself is answered, `progress` how far it is, where counted."""

    id: str
    state: OperationState
    result: str
    progress: ProgressAnswer | None = None


_SEAL_USE: Final = {
    SealUseState.INTENDED: OperationState.RUNNING,
    SealUseState.COMPLETED: OperationState.DONE,
    SealUseState.ABANDONED: OperationState.FAILED,
}
_LICENCE: Final = {
    LicenceState.ISSUING: OperationState.RUNNING,
    LicenceState.ABANDONED: OperationState.FAILED,
}
_RECORD: Final = {
    RecordState.INTENDED: OperationState.RUNNING,
    RecordState.REGISTERED: OperationState.DONE,
    RecordState.ABANDONED: OperationState.FAILED,
}


def _seal_use(operation_id: str, caller: Caller, services: Services) -> OperationAnswer:
    use = services.seals.reading.use(caller, known_id(SealUseId, operation_id))
    return OperationAnswer(id=use.id, state=_SEAL_USE[use.state], result=f"/v1/seal-uses/{use.id}")


def _seal_batch(operation_id: str, caller: Caller, services: Services) -> OperationAnswer:
    """Running while one of its uses is; done then, whatever came of each: the batch itself says that."""
    found = services.seals.batches.standing(caller, known_id(SealBatchId, operation_id))
    running = any(use.state is SealUseState.INTENDED for use in found.uses)
    return OperationAnswer(
        id=found.batch.id,
        state=OperationState.RUNNING if running else OperationState.DONE,
        result=f"/v1/seal-batches/{found.batch.id}",
    )


def _licence(operation_id: str, caller: Caller, services: Services) -> OperationAnswer:
    licence_id = known_id(LicenceId, operation_id)
    state = services.licences.holdings.get(licence_id, caller).state
    return OperationAnswer(
        id=licence_id, state=_LICENCE.get(state, OperationState.DONE), result=f"/v1/licences/{licence_id}"
    )


def _record(operation_id: str, caller: Caller, services: Services) -> OperationAnswer:
    record = services.archive.reading.record(caller, known_id(RecordId, operation_id)).record
    return OperationAnswer(id=record.id, state=_RECORD[record.state], result=f"/v1/records/{record.id}")


def _event_export(operation_id: str, caller: Caller, services: Services) -> OperationAnswer:
    export = services.supervision.exports.get(caller, known_id(ExportId, operation_id))
    state = OperationState.RUNNING
    if export.outcome is not None:
        state = OperationState.FAILED if export.outcome.failed else OperationState.DONE
    progress = ProgressAnswer(done=export.done, total=export.total)
    return OperationAnswer(
        id=export.id, state=state, result=f"/v1/event-exports/{export.id}", progress=progress
    )


_BY_PREFIX: Final[Mapping[str, Callable[[str, Caller, Services], OperationAnswer]]] = {
    SealUseId.prefix: _seal_use,
    SealBatchId.prefix: _seal_batch,
    LicenceId.prefix: _licence,
    RecordId.prefix: _record,
    ExportId.prefix: _event_export,
}


@router.get("/operations/{operation_id}", response_model_exclude_none=True)
def get_operation(operation_id: IdText, caller: CurrentCaller, services: ServicesOf) -> OperationAnswer:
    """How far a sealing, an issuing, an ingest or an export has come; for whoever may see the thing itself."""
    look_up = _BY_PREFIX.get(operation_id.rpartition("_")[0])
    if look_up is None:
        raise NotFound("there is no such operation")
    return look_up(operation_id, caller, services)
