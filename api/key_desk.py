"""The platform's keys in the hands of its administrators: looked at, changed by one, destroyed by two.

On the signer's machine its operator does the same by `yinxin keys`. Keys of seals and licences are agencies' and are
not reached from here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from identity.caller import Caller, Role
from identity.directory import Directory
from identity.ids import StaffId
from trust.authority.key_office import (
    KEY_CHANGE_ORDERED,
    KEY_DESTRUCTION_ASKED,
    KEY_DESTRUCTION_ORDERED,
    KEY_READ,
    KeyOffice,
)
from trust.authority.platform_keys import (
    PLATFORM_PURPOSES,
    DestroyedByTwo,
    Destruction,
    DestructionConfirmation,
    DestructionId,
    Destructions,
    KeyNotOfPlatform,
    KeyStillActive,
    KeyUnknown,
    PlatformKeys,
    ask_destruction,
    confirm_destruction,
)
from trust.kernel.clock import Clock
from trust.kernel.errors import Conflict, Forbidden, NotFound, Unavailable
from trust.kernel.ids import Ids
from trust.kernel.text import paragraph
from trust.keys.errors import KeyNotUsable
from trust.keys.key_client import KeyClient
from trust.keys.model import KeyAct, KeyId, KeyOrder, KeyState, OrderId
from trust.keys.repository import KeyBindings, KeyOrders
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Event

_ALL: Final = "keys"


@dataclass(frozen=True, kw_only=True)
class OrderStanding:
    """An order about a key: `outcome` is `open` until the signer has carried it out, then `done` or `refused`."""

    order: KeyOrder
    outcome: str
    statement: Mapping[str, Any] | None
    event_id: str | None


@dataclass(frozen=True, kw_only=True)
class KeyStory:
    """A key as the signer describes it, the label it is bound under, and what was ordered and asked about it."""

    key: Mapping[str, Any]
    label: str | None
    orders: tuple[OrderStanding, ...] = ()
    destructions: tuple[Destruction, ...] = ()


class KeyDesk:
    """What platform administrators may do about keys; every attempt is an event."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        office: KeyOffice,
        keys: KeyClient,
        directory: Directory,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._office = office
        self._keys = keys
        self._directory = directory
        self._clock = clock
        self._ids = ids

    def page(self, caller: Caller, *, after: KeyId | None = None, limit: int) -> tuple[KeyStory, ...]:
        """The platform's keys in the order of their making. Raises RoleMissing, SignerAway."""
        with self._administered(KEY_READ, caller, _ALL) as work:
            found = PlatformKeys(work).page(after=after or "", limit=limit)
            work.record(Event(act=KEY_READ, actor=caller.actor(), subject=_ALL, agency=None))
        return tuple(KeyStory(key=self._keys.show(key_id), label=label) for key_id, label in found)

    def get(self, caller: Caller, key_id: KeyId) -> KeyStory:
        """One key and its story. Raises RoleMissing, KeyUnknown, KeyNotOfPlatform, SignerAway."""
        with self._administered(KEY_READ, caller, key_id) as work:
            key = self._platform_key(key_id)
            orders = KeyOrders(work)
            bound = KeyBindings(work).of_key(key_id)
            told = tuple(_standing(orders, order) for order, _outcome in orders.of_key(key_id))
            destructions = Destructions(work).of_key(key_id)
            work.record(Event(act=KEY_READ, actor=caller.actor(), subject=key_id, agency=None))
        return KeyStory(
            key=key, label=None if bound is None else bound.label, orders=told, destructions=destructions
        )

    def change(
        self,
        caller: Caller,
        act: KeyAct,
        key_id: KeyId,
        *,
        reason: str,
        max_uses: int | None = None,
        usable_until: datetime | None = None,
    ) -> OrderStanding:
        """Has a key suspended, resumed, retired or limited; where the signer is away the worker goes on.

        Raises RoleMissing, KeyUnknown, KeyNotOfPlatform, and OrderRefused, its event kept.
        """
        if act is KeyAct.DESTROY:
            raise ValueError("a key is destroyed by two persons: ask_destruction, confirm_destruction")
        # 1. Ordered, by who may.
        with self._administered(KEY_CHANGE_ORDERED, caller, key_id) as work:
            self._platform_key(key_id)
            order_id = self._office.order(
                work,
                act,
                key_id,
                actor=caller.actor(),
                reason=reason,
                max_uses=max_uses,
                usable_until=usable_until,
            )

        # 2. Carried out.
        return self._carried_out(order_id)

    def ask_destruction(self, caller: Caller, key_id: KeyId, *, reason: str) -> Destruction:
        """Asks that a key which signs no more be destroyed; a second administrator confirms it.

        Raises RoleMissing, KeyUnknown, KeyNotOfPlatform, KeyStillActive.
        """
        with self._administered(KEY_DESTRUCTION_ASKED, caller, key_id) as work:
            words = paragraph(reason, what="the reason")
            self._require_idle(key_id)
            destruction_id = self._ids.new(DestructionId)
            receipt = work.record(
                Event(
                    act=KEY_DESTRUCTION_ASKED,
                    actor=caller.actor(),
                    subject=key_id,
                    agency=None,
                    content={"destruction": destruction_id, "reason": words},
                )
            )
            destruction = Destruction(
                id=destruction_id,
                key_id=key_id,
                reason=words,
                by_account=caller.account_id,
                event_id=receipt.event_id,
                at=self._clock.now(),
            )
            ask_destruction(work, destruction)
        return destruction

    def confirm_destruction(
        self, caller: Caller, destruction_id: DestructionId
    ) -> tuple[Destruction, OrderStanding]:
        """Confirms, which orders the destruction and has it carried out.

        Raises RoleMissing, DestructionUnknown, DestructionConfirmed, DestructionLapsed, DestroyedByTwo,
        KeyStillActive, and OrderRefused, its event kept.
        """
        with self._administered(KEY_DESTRUCTION_ORDERED, caller, destruction_id) as work:
            # 1. Still to be confirmed, by another natural person, of a key that still signs nothing.
            asked = Destructions(work).get(destruction_id)
            asked.require_confirmable(self._clock.now())
            person = self._directory.person_of(work, StaffId(asked.by_account))
            if person is None or person == caller.require_person():
                raise DestroyedByTwo("one person asks for a destruction, another confirms it")
            self._require_idle(asked.key_id)

            # 2. Ordered and confirmed, together.
            order_id = self._office.order(
                work, KeyAct.DESTROY, asked.key_id, actor=caller.actor(), reason=asked.reason
            )
            confirm_destruction(
                work,
                asked,
                DestructionConfirmation(
                    by_account=caller.account_id, order_id=order_id, at=self._clock.now()
                ),
            )
            confirmed = Destructions(work).get(destruction_id)

        # 3. Carried out.
        return confirmed, self._carried_out(order_id)

    def _carried_out(self, order_id: OrderId) -> OrderStanding:
        with suppress(Unavailable):
            self._office.carry_out(order_id)
        with self._ledger.read_primary() as work:
            orders = KeyOrders(work)
            order = orders.find(order_id)
            if order is None:
                raise KeyUnknown("there is no such order")
            return _standing(orders, order)

    def _require_idle(self, key_id: KeyId) -> None:
        if self._platform_key(key_id)["state"] == KeyState.ACTIVE:
            raise KeyStillActive("this key still signs: have it suspended or retired first")

    def _platform_key(self, key_id: KeyId) -> Mapping[str, Any]:
        try:
            key = self._keys.show(key_id)
        except KeyNotUsable as unknown:
            raise KeyUnknown("there is no such key") from unknown
        if key["purpose"] not in PLATFORM_PURPOSES:
            raise KeyNotOfPlatform("this key is an agency's: it ends by the acts of what it is for")
        return key

    @contextmanager
    def _administered(self, act: str, caller: Caller, subject: str) -> Iterator[RecordedWork]:
        """A unit of work of a platform administrator; where that is refused, the refusal is kept."""
        with self._ledger.work() as work:
            try:
                caller.require_role(Role.PLATFORM_ADMINISTRATOR)
                yield work
            except (Forbidden, NotFound, Conflict) as error:
                raise error.refused_as(caller.refusal(act, subject=subject, error=error)) from None


def _standing(orders: KeyOrders, order: KeyOrder) -> OrderStanding:
    concluded = orders.outcome(order.order_id)
    if concluded is None:
        return OrderStanding(order=order, outcome="open", statement=None, event_id=None)
    outcome, statement, event_id = concluded
    return OrderStanding(order=order, outcome=outcome, statement=statement, event_id=event_id)
