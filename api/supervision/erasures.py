"""Erasing an event's content on order: a supervisor orders, another person confirms, and neither is in the event.

Confirming is for another supervisor, or for an auditor of the agency whose event it is; the platform's own events are
supervisors' alone. Whoever the event names by an account of theirs does neither.
"""

from typing import Final

from api.supervision.events import ERASURE_ORDERS_READ, supervision_done
from api.supervision.rights import sight_of, supervised
from identity.caller import Caller, Role
from identity.directory import Directory
from identity.ids import PersonId, StaffId
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.text import texts_in
from trust.ledger.erasure import (
    CONTENT_ERASED,
    ERASURE_ORDERED,
    ErasureReason,
    Ordering,
    SecondPersonNeeded,
    erase,
    require_erasable,
)
from trust.ledger.ledger import Ledger
from trust.ledger.model import Actor, Event, EventId
from trust.ledger.search import EventScope, RecordedEvent, find_event
from trust.ledger.supervision.erasures import (
    ContentErased,
    ErasureConfirmation,
    ErasureOfOwnEvent,
    ErasureOrder,
    ErasureOrderId,
    ErasureOrders,
    confirm,
    give,
)
from trust.storage.database import ReadWork

_ALL: Final = "erasure-orders"


class ErasureDesk:
    """Orders to erase, given and confirmed."""

    def __init__(self, *, ledger: Ledger, directory: Directory, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._directory = directory
        self._clock = clock
        self._ids = ids

    def order(self, caller: Caller, event_id: EventId, *, reason: ErasureReason) -> ErasureOrder:
        """Orders that an event's content be erased; nothing is erased yet.

        Raises RoleMissing, EventNotFound, ErasureOfOwnEvent, ContentErased, ContentIsProof.
        """
        with supervised(self._ledger, ERASURE_ORDERED, caller, event_id) as work:
            # 1. A supervisor, who is not in the event.
            caller.require_role(Role.SUPERVISOR)
            found = find_event(work, event_id, scope=EventScope.everything())
            self._require_uninvolved(work, caller, found)

            # 2. There is something to erase, and it may be.
            _require_content(found)
            require_erasable(found.actor.kind)

            # 3. Ordered, and said.
            order_id = self._ids.new(ErasureOrderId)
            receipt = work.record(
                Event(
                    act=ERASURE_ORDERED,
                    actor=caller.actor(),
                    subject=event_id,
                    agency=found.agency,
                    reason=reason.value,
                    content={"order": order_id},
                )
            )
            order = ErasureOrder(
                id=order_id,
                event_id=event_id,
                agency=found.agency,
                reason=reason,
                by_account=caller.account_id,
                ordered_event_id=receipt.event_id,
                at=self._clock.now(),
            )
            give(work, order)
        return order

    def confirm(self, caller: Caller, order_id: ErasureOrderId) -> ErasureOrder:
        """Confirms an order, which erases the content for good.

        Raises RoleMissing, ErasureOrderUnknown, ErasureConfirmed, ErasureOrderLapsed, SecondPersonNeeded,
        ErasureOfOwnEvent, ContentErased.
        """
        with supervised(self._ledger, CONTENT_ERASED, caller, order_id) as work:
            # 1. An order that the caller may see, and that still stands.
            scope = sight_of(caller).scope
            order = ErasureOrders(work).get(order_id, scope=scope)
            order.require_confirmable(self._clock.now())

            # 2. Another natural person than who ordered, and neither is in the event.
            found = find_event(work, order.event_id, scope=scope)
            ordered_by = self._person_of(work, order.by_account)
            if ordered_by is None:
                raise SecondPersonNeeded("nobody knows any more which person gave this order")
            self._require_uninvolved(work, caller, found)

            # 3. Erased, and both facts kept with the event that says so.
            _require_content(found)
            receipt = erase(
                work,
                order.event_id,
                scope=scope,
                reason=order.reason,
                ordered_by=Ordering(actor=Actor(kind="staff", id=order.by_account), person_id=ordered_by),
                confirmed_by=Ordering(actor=caller.actor(), person_id=caller.require_person()),
            )
            confirm(
                work,
                order,
                ErasureConfirmation(
                    by_account=caller.account_id, erased_event_id=receipt.event_id, at=self._clock.now()
                ),
            )
            return ErasureOrders(work).get(order_id, scope=scope)

    def page(
        self,
        caller: Caller,
        *,
        waiting_only: bool | None = None,
        after: ErasureOrderId | None = None,
        limit: int = 50,
    ) -> tuple[ErasureOrder, ...]:
        """One page, newest first: the agency's for its auditors, all for supervisors. Raises RoleMissing."""
        with supervised(self._ledger, ERASURE_ORDERS_READ, caller, caller.agency_id or _ALL) as work:
            sight = sight_of(caller)
            found = ErasureOrders(work).page(
                scope=sight.scope, waiting_only=waiting_only, after=after, limit=limit
            )
            work.record(
                supervision_done(ERASURE_ORDERS_READ, caller, sight.agency or _ALL, agency=sight.agency)
            )
        return found

    def get(self, caller: Caller, order_id: ErasureOrderId) -> ErasureOrder:
        """One order; raises RoleMissing, ErasureOrderUnknown."""
        with supervised(self._ledger, ERASURE_ORDERS_READ, caller, order_id) as work:
            order = ErasureOrders(work).get(order_id, scope=sight_of(caller).scope)
            work.record(supervision_done(ERASURE_ORDERS_READ, caller, order_id, agency=order.agency))
        return order

    def _require_uninvolved(self, work: ReadWork, caller: Caller, found: RecordedEvent) -> None:
        """That the event names no account of the caller, nor of the same natural person."""
        person = caller.require_person()
        for named in {found.subject, found.actor.id, *texts_in(found.content)}:
            if named in (caller.account_id, person) or self._person_of(work, named) == person:
                raise ErasureOfOwnEvent("what an event says of oneself is erased by others")

    def _person_of(self, work: ReadWork, account: str) -> PersonId | None:
        if account.startswith(f"{StaffId.prefix}_"):
            return self._directory.person_of(work, StaffId(account))
        return self._directory.person_of_citizen(work, account)


def _require_content(found: RecordedEvent) -> None:
    if found.redacted:
        raise ContentErased("the content of this event was erased before")
