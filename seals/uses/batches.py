"""Batches: one request of many uses, each a use of its own with its own intent, count, event and outcome.

An item that is refused makes no use; it stands in the batch with its reason, so that a retry is told the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from identity.caller import Caller, Scope
from seals.acts.rights import refused
from seals.errors import SealBatchUnknown
from seals.events import BATCH_READ, USE_INTENDED
from seals.model import RefusedItem, SealBatch, SealUse, SealUseKind
from seals.uses.repository import SealBatches, SealUses
from seals.uses.taking import UseTaking
from trust.kernel.errors import Broken, InvalidInput, TooLarge, Unavailable, YinxinError
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event
from trust.storage.database import ReadWork

# One transaction takes the locks for all; more than this would keep other callers waiting for them.
MAX_ITEMS: Final = 100
# All documents of a batch are held in memory together, and twice: as they came and as they are prepared.
MAX_BATCH_BYTES: Final = 128 * 1024 * 1024

ItemT = TypeVar("ItemT")


class BatchRefused(InvalidInput):
    """A batch has no items, or more than one request may hold."""

    code = "seal-batch-refused"


class BatchTooLarge(TooLarge):
    """The documents of a batch, those named by reference too, are more than fit into one."""

    code = "seal-batch-too-large"


@dataclass(frozen=True, kw_only=True)
class BatchAnswer:
    """A batch as it stands: its uses in their places, and for digest uses what the key made of them."""

    batch: SealBatch
    uses: tuple[SealUse, ...]
    signatures: Mapping[str, bytes]


def require_size(items: Sequence[object]) -> None:
    """Raises BatchRefused unless there are from one to MAX_ITEMS."""
    if not 1 <= len(items) <= MAX_ITEMS:
        raise BatchRefused(f"a batch has from 1 to {MAX_ITEMS} items, not {len(items)}")


def refused_item(position: int, error: YinxinError) -> RefusedItem:
    """How a batch keeps a refusal; raises the error itself where it is no answer to the item.

    A part that is away or broken is about the whole request, and nothing has been counted yet.
    """
    if isinstance(error, Unavailable | Broken):
        raise error
    return RefusedItem(position=position, code=error.code, message=error.message, retryable=error.retryable)


def record_refusals(
    work: RecordedWork, caller: Caller, uses: Sequence[SealUse], refusals: Mapping[str, YinxinError]
) -> list[RefusedItem]:
    """Keeps the events of what could not be taken, in the batch's own transaction."""
    items: list[RefusedItem] = []
    events: list[Event] = []
    for use in uses:
        error = refusals.get(use.id)
        if error is None or use.batch_position is None:
            continue
        items.append(refused_item(use.batch_position, error))
        event = refused(error, caller, act=USE_INTENDED, subject=use.authorisation_id).refusal
        if isinstance(event, Event):
            events.append(event)
    work.record_all(events)
    return items


def answer_of(work: ReadWork, batch_id: str, *, agency_id: str) -> BatchAnswer:
    """The batch and its uses as they stand now; raises SealBatchUnknown."""
    batch = SealBatches(work).get(batch_id, agency_id=agency_id)
    uses = SealUses(work).of_batch(batch_id, agency_id=agency_id)
    return BatchAnswer(batch=batch, uses=uses, signatures=SealUses(work).signatures([use.id for use in uses]))


class SealBatchReading:
    """Looks batches up for the application that sent them, with the scope that it sent them with.

    Raises SealBatchUnknown, also for another application's, and ScopeMissing with the event kept.
    """

    def __init__(self, *, ledger: Ledger, taking: UseTaking) -> None:
        self._ledger = ledger
        self._taking = taking

    def __call__(self, caller: Caller, batch_id: str) -> BatchAnswer:
        """The batch with its signatures; that these are handed out is an event, as reading a document is."""
        answer = self._found(caller, batch_id)
        if answer.signatures:
            with self._ledger.work() as work:
                work.record(
                    Event(
                        act=BATCH_READ, actor=caller.actor(), subject=batch_id, agency=answer.batch.agency_id
                    )
                )
        return answer

    def standing(self, caller: Caller, batch_id: str) -> BatchAnswer:
        """How the batch stands, without its signatures; for being asked again and again."""
        return replace(self._found(caller, batch_id), signatures={})

    def _found(self, caller: Caller, batch_id: str) -> BatchAnswer:
        with self._ledger.read() as work:
            answer = answer_of(work, batch_id, agency_id=caller.require_agency())
        if answer.batch.application_id != caller.account_id:
            raise SealBatchUnknown("there is no such batch of seal uses")
        scope = Scope.CSC_SIGN if answer.batch.kind is SealUseKind.HASH else Scope.SEAL_USE
        self._taking.require_application(caller, scope, act=BATCH_READ)
        return answer
