"""Receipts: the promise of inclusion, signed, for whoever asked for the act to keep."""

from collections.abc import Sequence

from trust.evidence.receipts import Receipt, open_receipt
from trust.evidence.tlog import VerifierKey
from trust.kernel.errors import InvalidInput
from trust.ledger.errors import LedgerBroken
from trust.ledger.model import EventReceipt
from trust.ledger.signing import ReceiptSigner


class ReceiptDesk:
    """Makes signed receipts for events whose transaction has committed; the same event gives the same text."""

    def __init__(self, *, signer: ReceiptSigner, origin: str, keys: Sequence[VerifierKey]) -> None:
        self._signer = signer
        self._origin = origin
        self._keys = tuple(keys)

    def sign(self, receipt: EventReceipt) -> str:
        """The signed note (`trust.evidence.receipts`), looked at as a stranger would.

        Raises `LedgerBroken` where the signer signed something else, and what the signer raises. A receipt
        may be asked for again at any time: nothing is lost where the signer is away.
        """
        note = self._signer.sign_receipt(receipt.event_id, receipt.leaf_hash, receipt.latest_inclusion)
        expected = Receipt(
            origin=self._origin,
            event_id=receipt.event_id,
            leaf_hash=receipt.leaf_hash,
            latest_inclusion=receipt.latest_inclusion,
        )
        try:
            signed = open_receipt(note, self._keys)
        except InvalidInput as error:
            raise LedgerBroken(f"the signer's note is not this log's receipt: {error.message}") from error
        if signed != expected:
            raise LedgerBroken("the signer signed another receipt than was asked for")
        return note
