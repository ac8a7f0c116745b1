"""Orders about keys: given with a reason and an event, carried out by the signer, and told with its statement.

office.act(KeyAct.DESTROY, key_id, actor=operator, reason="superseded")     # order, then carry out

An order and its event are one transaction; the signer carries out committed orders only. Its statement becomes the
outcome of the order and an event of its own: for a destroyed key that event is the proof, under the ledger's
checkpoints. What a crash leaves in between is an order without an outcome, which the worker has carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from trust.kernel.clock import Clock, rfc3339
from trust.kernel.errors import Conflict, YinxinError
from trust.kernel.ids import Ids
from trust.kernel.states import StateRefused
from trust.kernel.text import paragraph
from trust.keys.errors import KeyNotUsable
from trust.keys.journal_rows import Head, JournalOutcome
from trust.keys.key_client import KeyClient
from trust.keys.model import KeyAct, KeyId, KeyOrder, OrderId
from trust.keys.repository import KeyOrders
from trust.keys.tables import journal_notices, signer_journal
from trust.ledger.ledger import Ledger, RecordedWork
from trust.ledger.model import Actor, Event, EventOutcome

KEY_CHANGE_ORDERED: Final = "key.change-ordered"
KEY_CHANGED: Final = "key.changed"
KEY_DESTRUCTION_ORDERED: Final = "key.destruction-ordered"
KEY_DESTROYED: Final = "key.destroyed"
KEY_LIMIT_REACHED: Final = "key.limit-reached"
KEYS_REWRAPPED: Final = "key.rewrapped"
JOURNAL_ANCHORED: Final = "signer-journal.anchored"
ACTS: Final[Mapping[str, str]] = {
    KEY_CHANGE_ORDERED: "An operator ordered that a key be suspended, resumed, retired or limited.",
    KEY_CHANGED: "The signer carried out an order about a key.",
    KEY_DESTRUCTION_ORDERED: "It was ordered, with a reason, that a key be destroyed.",
    KEY_DESTROYED: "The signer destroyed a key and found it gone; its statement is the proof.",
    KEY_LIMIT_REACHED: "A key has reached the limit of its uses or days, and a signature was refused.",
    KEYS_REWRAPPED: "Stored keys were wrapped anew under another key-encryption key.",
    JOURNAL_ANCHORED: "The ledger took in how far the signer's journal had come.",
}

_SIGNER: Final = Actor(kind="signer", id="signer")
_PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class CarriedOut:
    """What came of an order: the signer's statement, and the event under which it is in the ledger."""

    order_id: OrderId
    statement: Mapping[str, Any]
    event_id: str


class OrderRefused(Conflict):
    """The signer refused to carry out an order about a key; the order is concluded with its reason."""

    code = "key-order-refused"


class KeyOffice:
    """Gives orders about keys and has them carried out."""

    def __init__(self, *, ledger: Ledger, keys: KeyClient, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._keys = keys
        self._clock = clock
        self._ids = ids

    def act(
        self,
        act: KeyAct,
        key_id: KeyId,
        *,
        actor: Actor,
        reason: str,
        max_uses: int | None = None,
        usable_until: datetime | None = None,
    ) -> CarriedOut:
        """Orders and carries out; raises KeyNotUsable, OrderRefused, and SignerAway, after which the worker goes on."""
        # 1. There is such a key; an order about none would stay for ever.
        self._keys.show(key_id)

        # 2. The order, with who and why.
        with self._ledger.work() as work:
            order_id = self.order(
                work, act, key_id, actor=actor, reason=reason, max_uses=max_uses, usable_until=usable_until
            )

        # 3. Carried out.
        return self.carry_out(order_id)

    def order(
        self,
        work: RecordedWork,
        act: KeyAct,
        key_id: KeyId,
        *,
        actor: Actor,
        reason: str,
        agency: str | None = None,
        max_uses: int | None = None,
        usable_until: datetime | None = None,
    ) -> OrderId:
        """Gives the order in the transaction of whoever decides; it is carried out once that has committed."""
        order = KeyOrder(
            order_id=self._ids.new(OrderId),
            key_id=key_id,
            act=act,
            max_uses=max_uses,
            usable_until=usable_until,
            agency=agency,
        )
        receipt = work.record(
            Event(
                act=KEY_DESTRUCTION_ORDERED if act is KeyAct.DESTROY else KEY_CHANGE_ORDERED,
                actor=actor,
                subject=key_id,
                agency=agency,
                content={
                    "order": order.order_id,
                    "act": act.value,
                    "reason": paragraph(reason, what="the reason"),
                    "max_uses": max_uses,
                    "usable_until": None if usable_until is None else rfc3339(usable_until),
                },
            )
        )
        KeyOrders(work).give(order, event_id=receipt.event_id, at=self._clock.now())
        return order.order_id

    def order_destruction(
        self, work: RecordedWork, key_id: str, *, agency: str, actor: Actor, reason: str
    ) -> str:
        """For the domains: the key of something of an agency is to be destroyed; the order's id."""
        return self.order(work, KeyAct.DESTROY, KeyId(key_id), actor=actor, reason=reason, agency=agency)

    def destroyed(self, order_id: str) -> None:
        """Has an ordered destruction carried out now; raises SignerAway, after which the worker goes on."""
        self.carry_out(OrderId(order_id))

    def carry_out(self, order_id: OrderId) -> CarriedOut:
        """Has the signer carry out a committed order, and records its statement, once."""
        # 1. What the signer says of it; it may have been carried out before.
        try:
            statement = self._keys.carry_out(order_id)
        except (KeyNotUsable, StateRefused) as error:  # for good; whatever else is wrong is tried again
            self._conclude(order_id, {"code": error.code}, refused=error.code)
            raise OrderRefused(f"the signer refused the order: {error.message}") from error

        # 2. Recorded, unless somebody else has.
        return self._conclude(order_id, statement)

    def resume(self) -> int:
        """Carries out what a crash or an absent signer left; for the worker. How many there were.

        Each for itself: what cannot be carried out now is tried at the next turn. Raises the last fault.
        """
        with self._ledger.read() as work:
            left = KeyOrders(work).open(limit=_PAGE)
        last = None
        for order in left:
            try:
                self.carry_out(order.order_id)
            except OrderRefused:
                continue  # concluded with its reason
            except YinxinError as fault:
                last = fault
        if last is not None:
            raise last
        return len(left)

    def tell_limits(self) -> int:
        """Takes into the ledger, once each, that a key has reached its limit; for the worker. How many there were."""
        told = select(journal_notices.c.number).where(
            journal_notices.c.chain == signer_journal.c.chain,
            journal_notices.c.number == signer_journal.c.number,
        )
        untold = (
            select(signer_journal)
            .where(signer_journal.c.outcome == JournalOutcome.LIMIT_REACHED.value)
            .where(~told.exists())
            .limit(_PAGE)
        )
        with self._ledger.work() as work:
            work.advisory_lock("trust.journal_notices")
            rows = work.execute(untold).all()
            for row in rows:
                receipt = work.record(
                    Event(
                        act=KEY_LIMIT_REACHED,
                        actor=_SIGNER,
                        subject=row.key_id,
                        agency=None,
                        content={"limit": row.detail, "operation": row.operation},
                    )
                )
                work.execute(
                    insert(journal_notices).values(
                        chain=row.chain, number=row.number, event_id=receipt.event_id, at=self._clock.now()
                    )
                )
        return len(rows)

    def anchor_journal(self) -> Head | None:
        """Takes into the ledger where the newest chain of the signer's journal has come to, if it has gone on.

        From then on its rows up to there can be neither changed nor cut off without the ledger telling.
        """
        with self._ledger.work() as work:
            work.advisory_lock("trust.journal_notices")
            row = work.execute(_UNANCHORED).one_or_none()
            if row is None:
                return None
            head = Head(chain=row.chain, number=row.number, hash=bytes(row.hash))
            receipt = work.record(
                Event(
                    act=JOURNAL_ANCHORED,
                    actor=_SIGNER,
                    subject=head.chain,
                    agency=None,
                    content={"number": head.number, "hash": head.hash.hex()},
                )
            )
            work.execute(
                insert(journal_notices).values(
                    chain=head.chain, number=head.number, event_id=receipt.event_id, at=self._clock.now()
                )
            )
        return head

    def record_rewrapping(self, *, actor: Actor, under: str, done: int, refused: int) -> str:
        """That keys were wrapped anew, after it was done; the event's id."""
        with self._ledger.work() as work:
            receipt = work.record(
                Event(
                    act=KEYS_REWRAPPED,
                    actor=actor,
                    subject="keys",
                    agency=None,
                    content={"under": under, "done": done, "refused": refused},
                )
            )
        return receipt.event_id

    def _conclude(
        self, order_id: OrderId, statement: Mapping[str, Any], *, refused: str | None = None
    ) -> CarriedOut:
        with self._ledger.work() as work:
            work.advisory_lock(f"trust.key_orders/{order_id}")
            orders = KeyOrders(work)
            known = orders.outcome(order_id)
            order = orders.find(order_id)
            if known is not None or order is None:
                _outcome, said, event_id = known or ("", statement, "")
                return CarriedOut(order_id=order_id, statement=said, event_id=event_id)
            receipt = work.record(
                Event(
                    act=KEY_DESTROYED if order.act is KeyAct.DESTROY else KEY_CHANGED,
                    actor=_SIGNER,
                    subject=order.key_id,
                    agency=order.agency,
                    outcome=EventOutcome.REFUSED if refused else EventOutcome.DONE,
                    reason=refused,
                    content={"order": order_id, **({} if refused else {"statement": dict(statement)})},
                )
            )
            orders.conclude(
                order_id,
                "refused" if refused else "done",
                statement=statement,
                event_id=receipt.event_id,
                at=self._clock.now(),
            )
        return CarriedOut(order_id=order_id, statement=statement, event_id=receipt.event_id)


# The head of the newest chain, unless it is the head that was anchored last.
_UNANCHORED: Final = text(
    """
    SELECT last.chain, last.number, last.hash
      FROM trust.signer_journal AS last
     WHERE last.chain = (SELECT max(chain) FROM trust.signer_journal)
       AND last.number = (SELECT max(number) FROM trust.signer_journal AS row WHERE row.chain = last.chain)
       AND NOT EXISTS (SELECT 1 FROM trust.journal_notices AS notice
                        WHERE notice.chain = last.chain AND notice.number = last.number)
    """
)
