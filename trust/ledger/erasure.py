"""Erasing the personal content of one event on order: the event stays proved, what it said of a person is gone.

Content and salt are deleted; header, leaf and every proof stay as they were, and the event verifies as redacted. That
it was erased, why, and who ordered and confirmed it is an event itself. Copies in backups are erased when the backups
run out: see docs/ledger.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from trust.kernel.errors import Conflict, Forbidden
from trust.ledger.errors import EventNotFound
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Actor, Event, EventId, EventOutcome, EventReceipt
from trust.ledger.search import EventScope
from trust.ledger.tables import events

ERASURE_ORDERED: Final = "ledger-event.erasure-ordered"
CONTENT_ERASED: Final = "ledger-event.content-erased"
ACTS: Final[Mapping[str, str]] = {
    ERASURE_ORDERED: "A supervisor ordered that an event's content be erased, or was refused; another confirms it.",
    CONTENT_ERASED: "An event's content was erased on order of one person and confirmation of another, or refused.",
}


class ErasureReason(StrEnum):
    """Why content may be erased; what else is in the file of the order is not for the ledger."""

    DATA_SUBJECT_REQUEST = "data-subject-request"
    RETENTION_ENDED = "retention-ended"
    RECORDED_IN_ERROR = "recorded-in-error"
    COURT_ORDER = "court-order"


class SecondPersonNeeded(Forbidden):
    """Whoever orders an erasure and whoever confirms it are two natural persons."""

    code = "second-person-needed"


class ContentIsProof(Conflict):
    """The content is the signer's own statement: it tells of no person, and the signer's journal is held to it."""

    code = "event-content-is-proof"


# Whose content names rows of the signer's journal; see `trust.ledger.journal`.
_SIGNER: Final = "signer"


@dataclass(frozen=True, kw_only=True)
class Ordering:
    """One of the two who erase: the account that acts, and the natural person behind it, who is compared."""

    actor: Actor
    person_id: str


class ContentErasure:
    """Erases; that the two may do so by their roles is for the caller to have checked."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(
        self,
        event_id: EventId,
        *,
        scope: EventScope,
        reason: ErasureReason,
        ordered_by: Ordering,
        confirmed_by: Ordering,
    ) -> EventReceipt:
        """Erases the content of an event in the scope; answers the receipt of the event that says so.

        Raises `SecondPersonNeeded`, its event kept, `ContentIsProof`, and `EventNotFound` where there is no such
        event or no content (any more).
        """
        with self._ledger.work() as work:
            return erase(
                work, event_id, scope=scope, reason=reason, ordered_by=ordered_by, confirmed_by=confirmed_by
            )


def erase(
    work: RecordedWork,
    event_id: EventId,
    *,
    scope: EventScope,
    reason: ErasureReason,
    ordered_by: Ordering,
    confirmed_by: Ordering,
) -> EventReceipt:
    """The same in a unit of work that is open, for whoever records more beside it."""
    # 1. The event has to be one that the two may see.
    row = work.execute(
        select(events.c.agency, events.c.actor_kind).where(events.c.event_id == event_id)
    ).one_or_none()
    if row is None or scope.agency not in {None, row.agency}:
        raise EventNotFound("there is no such event")

    # 2. Two natural persons.
    if ordered_by.person_id == confirmed_by.person_id:
        raise SecondPersonNeeded("an erasure is ordered by one person and confirmed by another").refused_as(
            _event(event_id, row.agency, ordered_by, confirmed_by, SecondPersonNeeded.code, refused=True)
        )

    # 3. What the journal of signatures is compared with stays.
    require_erasable(row.actor_kind)

    # 4. Erase, and say so in the same transaction.
    return work.erase_content(
        event_id, recorded_as=_event(event_id, row.agency, ordered_by, confirmed_by, reason.value)
    )


def require_erasable(actor_kind: str) -> None:
    """Raises ContentIsProof for what the signer says."""
    if actor_kind == _SIGNER:
        raise ContentIsProof("what the signer states tells of no person and is kept")


def _event(
    event_id: EventId,
    agency: str | None,
    ordered_by: Ordering,
    confirmed_by: Ordering,
    reason: str,
    *,
    refused: bool = False,
) -> Event:
    return Event(
        act=CONTENT_ERASED,
        actor=confirmed_by.actor,
        subject=event_id,
        agency=agency,
        outcome=EventOutcome.REFUSED if refused else EventOutcome.DONE,
        reason=reason,
        content={"ordered_by": ordered_by.actor.id, "confirmed_by": confirmed_by.actor.id},
    )
