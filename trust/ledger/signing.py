"""What the ledger needs signed, and the signer process behind it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from trust.keys.client import SignerClient
from trust.keys.model import KeyId


class CheckpointSigner(Protocol):
    """Signs tree heads of one log."""

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        """The checkpoint as a signed note (c2sp.org/tlog-checkpoint)."""
        ...


class ReceiptSigner(Protocol):
    """Signs receipts of one log."""

    def sign_receipt(self, event_id: str, leaf_hash: bytes, latest: datetime) -> str:
        """The receipt as a signed note (`trust.evidence.receipts`)."""
        ...


class LedgerSigner:
    """Both, by the signer process and the log's key; `further` keys sign checkpoints beside it."""

    def __init__(
        self, client: SignerClient, *, key_id: KeyId, origin: str, further: Sequence[KeyId] = ()
    ) -> None:
        self._client = client
        self._key_id = key_id
        self._further = tuple(further)
        self._origin = origin

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        return self._client.sign_checkpoint(
            self._key_id, origin=origin, size=size, root=root, further=self._further
        )

    def sign_receipt(self, event_id: str, leaf_hash: bytes, latest: datetime) -> str:
        return self._client.sign_receipt(
            self._key_id, origin=self._origin, event_id=event_id, leaf_hash=leaf_hash, latest=latest
        )
