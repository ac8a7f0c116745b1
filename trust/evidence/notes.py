"""Reports on what a ledger hands out: checkpoints, receipts, proof files.

Keys are C2SP verifier keys the verifier already trusts. Without the right one the answer is cannot tell.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trust.evidence.merkle import ProofRefused, leaf_hash
from trust.evidence.receipts import Receipt, open_receipt
from trust.evidence.tlog import (
    Checkpoint,
    NoteKeyUnknown,
    NoteMalformed,
    NoteSignatureInvalid,
    TlogProof,
    VerifierKey,
    open_checkpoint,
)
from trust.kernel.clock import rfc3339
from trust.kernel.report import Checks, Report

CHECKPOINT_KIND = "checkpoint"
RECEIPT_KIND = "ledger-receipt"
PROOF_KIND = "ledger-proof"

_OpenedT = TypeVar("_OpenedT")


def verify_checkpoint(data: bytes, *, keys: Sequence[VerifierKey], subject: str = "") -> Report:
    """A report on a signed checkpoint: structure, signing-key, signature. Facts: origin, tree_size, root (hex)."""
    checks = Checks()
    checkpoint = _open(checks, lambda: open_checkpoint(data, keys))
    facts = {} if checkpoint is None else _checkpoint_facts(checkpoint)
    return Report.conclude(kind=CHECKPOINT_KIND, subject=subject, checks=checks.all(), facts=facts)


def verify_receipt(data: bytes, *, keys: Sequence[VerifierKey], subject: str = "") -> Report:
    """A report on a signed receipt: structure, signing-key, signature.

    Facts: origin, event_id, leaf_hash (hex), latest_inclusion. A valid receipt is a promise; that it was
    kept is shown by the proof file of the same leaf.
    """
    checks = Checks()
    receipt = _open(checks, lambda: open_receipt(data, keys))
    facts = {} if receipt is None else _receipt_facts(receipt)
    return Report.conclude(kind=RECEIPT_KIND, subject=subject, checks=checks.all(), facts=facts)


def verify_proof(data: bytes, *, keys: Sequence[VerifierKey], subject: str = "") -> Report:
    """A report on a proof file that holds its entry: structure, signing-key, signature, inclusion.

    A file without its entry proves nothing by itself: cannot tell. Facts: origin, tree_size, root, index,
    leaf_hash.
    """
    checks = Checks()
    try:
        proof = TlogProof.parse(data)
    except NoteMalformed as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=PROOF_KIND, subject=subject, checks=checks.all())
    facts: dict[str, Any] = {"index": proof.index}
    checkpoint = _open(checks, lambda: open_checkpoint(proof.checkpoint, keys))
    if checkpoint is not None:
        facts |= _checkpoint_facts(checkpoint)
    if proof.extra is None:
        checks.unknown("inclusion", "the file does not hold the entry it is for", sub_indication="TRY_LATER")
    elif checkpoint is not None:
        leaf = leaf_hash(proof.extra)
        facts["leaf_hash"] = leaf.hex()
        try:
            proof.verify(leaf, keys)
            checks.passed("inclusion", f"entry {proof.index} of {checkpoint.size}")
        except ProofRefused as error:
            checks.failed("inclusion", error.message, sub_indication="HASH_FAILURE")
    return Report.conclude(kind=PROOF_KIND, subject=subject, checks=checks.all(), facts=facts)


def _open(checks: Checks, open_it: Callable[[], _OpenedT]) -> _OpenedT | None:
    try:
        opened = open_it()
    except NoteMalformed as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return None
    except NoteSignatureInvalid as error:
        checks.failed("signature", error.message, sub_indication="SIG_CRYPTO_FAILURE")
        return None
    except NoteKeyUnknown as error:
        checks.unknown("signing-key", error.message, sub_indication="NO_SIGNING_CERTIFICATE_FOUND")
        return None
    checks.passed("structure")
    checks.passed("signing-key")
    checks.passed("signature")
    return opened


def _checkpoint_facts(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"origin": checkpoint.origin, "tree_size": checkpoint.size, "root": checkpoint.root.hex()}


def _receipt_facts(receipt: Receipt) -> dict[str, Any]:
    return {
        "origin": receipt.origin,
        "event_id": receipt.event_id,
        "leaf_hash": receipt.leaf_hash.hex(),
        "latest_inclusion": rfc3339(receipt.latest_inclusion),
    }
