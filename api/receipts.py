"""Signed receipts for events, for the answers of the API."""

from dataclasses import dataclass
from datetime import datetime

from trust.ledger.ledger import Ledger
from trust.ledger.model import EventId
from trust.ledger.receipts import ReceiptDesk
from trust.ledger.search import EventScope, find_event


@dataclass(frozen=True, kw_only=True)
class SignedReceipt:
    """A receipt as the API gives it: `leaf_hash` hex, `note` the signed text."""

    event_id: str
    leaf_hash: str
    latest_inclusion: datetime
    note: str


class EventReceipts:
    """Makes the signed receipt of a recorded event; it can be asked for again at any time."""

    def __init__(self, *, ledger: Ledger, desk: ReceiptDesk) -> None:
        self._ledger = ledger
        self._desk = desk

    def of_event(self, event_id: str) -> SignedReceipt:
        """Whoever asks has been found to be allowed to see the event's subject."""
        with self._ledger.read() as work:
            event = find_event(work, EventId(event_id), scope=EventScope.everything())
        receipt = event.receipt()
        return SignedReceipt(
            event_id=receipt.event_id,
            leaf_hash=receipt.leaf_hash.hex(),
            latest_inclusion=receipt.latest_inclusion,
            note=self._desk.sign(receipt),
        )
