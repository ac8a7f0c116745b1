"""What somebody outside has kept of the log: a checkpoint, a proof file or a receipt; the log has to agree with it.

A database and a store that were both put back to yesterday agree with each other. Only what was kept elsewhere
tells: each of these says of some tree or leaf that it was in the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from trust.evidence.merkle import leaf_hash
from trust.evidence.receipts import is_receipt, open_receipt
from trust.evidence.tlog import PROOF_HEADER, TlogProof, VerifierKey, open_checkpoint


@dataclass(frozen=True, kw_only=True)
class KnownTree:
    """At `size` leaves the root was `root`; `name` says where this is known from."""

    name: str
    size: int
    root: bytes


@dataclass(frozen=True, kw_only=True)
class KnownLeaf:
    """The leaf hash stands in the log: at an index where one is known, else as the leaf of an event."""

    name: str
    leaf: bytes
    index: int | None = None
    event_id: str | None = None


Known = KnownTree | KnownLeaf


def read_known(data: bytes, *, name: str, keys: Sequence[VerifierKey]) -> tuple[Known, ...]:
    """What a checkpoint, proof file or receipt says; believed only where the log signed it.

    Raises what `open_note` raises, and ProofRefused.
    """
    if is_receipt(data):
        receipt = open_receipt(data, keys)
        return (KnownLeaf(name=name, leaf=receipt.leaf_hash, event_id=receipt.event_id),)
    if data.startswith(PROOF_HEADER.encode()):
        proof = TlogProof.parse(data)
        checkpoint = proof.verify_extra(keys)
        tree = KnownTree(name=name, size=checkpoint.size, root=checkpoint.root)
        return (tree, KnownLeaf(name=name, leaf=leaf_hash(proof.extra or b""), index=proof.index))
    checkpoint = open_checkpoint(data, keys)
    return (KnownTree(name=name, size=checkpoint.size, root=checkpoint.root),)
