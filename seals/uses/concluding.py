"""How a use ends: one outcome with its event, written once; whoever comes second is told so."""

from collections.abc import Mapping

from identity.caller import Caller
from seals.errors import SealUseLost
from seals.events import USE_ABANDONED, USE_COMPLETED
from seals.model import DocumentOutput, SealUse, SealUseState, SignatureLevel
from seals.uses.repository import SealUses
from trust.crypto.digests import sha256
from trust.kernel.clock import Clock
from trust.keys.repository import Intents
from trust.ledger.ledger import RecordedWork
from trust.ledger.model import Event, EventReceipt


def conclude_completed(
    work: RecordedWork,
    use: SealUse,
    *,
    output: DocumentOutput,
    level: SignatureLevel,
    caller: Caller,
    clock: Clock,
) -> EventReceipt:
    """Writes the outcome of a document use and its event; raises SealUseLost where it has one already.

    `level` is the level reached; where it is not the one wanted, both stand in the event.
    """
    content: dict[str, object] = {"output_sha256": output.sha256.hex(), "case_number": use.case_number}
    below = None if level is use.level else level
    if below is not None:
        content |= {"level_wanted": use.level.value, "level_reached": below.value}
    receipt = work.record(_event(USE_COMPLETED, use, caller, content))
    now = clock.now()
    first = Intents(work).conclude(use.id, SealUseState.COMPLETED, at=now) and SealUses(work).conclude(
        use.id, SealUseState.COMPLETED, output=output, below=below, event_id=receipt.event_id, at=now
    )
    if not first:
        raise SealUseLost(f"{use.id} was resolved before this request; its record says how")
    return receipt


def conclude_signed(
    work: RecordedWork, use: SealUse, signature: bytes, *, caller: Caller, clock: Clock
) -> EventReceipt:
    """Writes the outcome of a digest use with what the key made of it; raises SealUseLost likewise."""
    content = {"signature_sha256": sha256(signature).hex(), "case_number": use.case_number}
    receipt = work.record(_event(USE_COMPLETED, use, caller, content))
    now = clock.now()
    first = Intents(work).conclude(use.id, SealUseState.COMPLETED, at=now) and SealUses(work).conclude(
        use.id, SealUseState.COMPLETED, event_id=receipt.event_id, at=now
    )
    if not first:
        raise SealUseLost(f"{use.id} was resolved before this request; its record says how")
    SealUses(work).keep_signature(use.id, signature, at=now)
    return receipt


def conclude_abandoned(work: RecordedWork, use: SealUse, *, caller: Caller, clock: Clock) -> EventReceipt:
    """Writes that the use did not come to its end; it stays counted. Raises SealUseLost likewise."""
    receipt = work.record(_event(USE_ABANDONED, use, caller, {}))
    now = clock.now()
    first = Intents(work).conclude(use.id, SealUseState.ABANDONED, at=now) and SealUses(work).conclude(
        use.id, SealUseState.ABANDONED, event_id=receipt.event_id, at=now
    )
    if not first:
        raise SealUseLost(f"{use.id} was resolved by somebody else")
    return receipt


def _event(act: str, use: SealUse, caller: Caller, content: Mapping[str, object]) -> Event:
    return Event(act=act, actor=caller.actor(), subject=use.id, agency=use.agency_id, content=content)
