"""Reports on what a ledger hands out: checkpoints, receipts, proof files.

Keys are C2SP verifier keys the verifier already trusts. Without the right one the answer is cannot tell.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trust.evidence.cosignatures import cosignatures_on
from trust.evidence.merkle import ProofRefused, leaf_hash
from trust.evidence.receipts import Receipt, open_receipt
from trust.evidence.tlog import (
    Checkpoint,
    NoteKeyUnknown,
    NoteMalformed,
    NoteSignatureInvalid,
    SignedNote,
    TlogProof,
    VerifierKey,
    open_checkpoint,
)
from trust.evidence.witness_policy import WitnessPolicy
from trust.kernel.clock import rfc3339
from trust.kernel.report import Checks, Report

CHECKPOINT_KIND = "checkpoint"
RECEIPT_KIND = "ledger-receipt"
PROOF_KIND = "ledger-proof"

_OpenedT = TypeVar("_OpenedT")


def verify_checkpoint(
    data: bytes, *, keys: Sequence[VerifierKey], policy: WitnessPolicy | None = None, subject: str = ""
) -> Report:
    """A report on a signed checkpoint: structure, signing-key, signature; with a policy also its cosignatures.

    Facts: origin, tree_size, root (hex), cosigned_by. Too few cosignatures for the policy's quorum leave the
    answer open: a log shows its newest checkpoint before its witnesses have seen it.
    """
    checks = Checks()
    keys = logs_of(keys, policy)
    checkpoint = _open(checks, lambda: open_checkpoint(data, keys))
    facts: dict[str, Any] = {}
    if checkpoint is not None:
        facts = _checkpoint_facts(checkpoint) | check_cosignatures(checks, data, policy)
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


def verify_proof(
    data: bytes, *, keys: Sequence[VerifierKey], policy: WitnessPolicy | None = None, subject: str = ""
) -> Report:
    """A report on a proof file that holds its entry: structure, signing-key, signature, inclusion, cosignatures.

    A file without its entry proves nothing by itself: cannot tell. Facts: origin, tree_size, root, index,
    leaf_hash, cosigned_by.
    """
    checks = Checks()
    keys = logs_of(keys, policy)
    try:
        proof = TlogProof.parse(data)
    except NoteMalformed as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=PROOF_KIND, subject=subject, checks=checks.all())
    facts: dict[str, Any] = {"index": proof.index}
    checkpoint = _open(checks, lambda: open_checkpoint(proof.checkpoint, keys))
    if checkpoint is not None:
        facts |= _checkpoint_facts(checkpoint) | check_cosignatures(checks, proof.checkpoint, policy)
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


def logs_of(keys: Sequence[VerifierKey], policy: WitnessPolicy | None) -> Sequence[VerifierKey]:
    """The keys trusted as logs: those given, and those the policy names."""
    return keys if policy is None else [*keys, *policy.logs]


def check_cosignatures(checks: Checks, note: bytes | str, policy: WitnessPolicy | None) -> dict[str, Any]:
    """Who of the policy's witnesses cosigned, as a check against its quorum and as a fact."""
    if policy is None:
        return {}
    try:
        found = cosignatures_on(SignedNote.parse(note), policy.keys)
    except NoteSignatureInvalid as error:
        checks.failed("cosignatures", error.message, sub_indication="SIG_CRYPTO_FAILURE")
        return {}
    names = ", ".join(each.cosigner for each in found) or "nobody"
    if policy.met_by({each.cosigner for each in found}):
        checks.passed("cosignatures", f"cosigned by {names}")
    else:
        checks.unknown(
            "cosignatures",
            f"cosigned by {names}, which is not the quorum asked for",
            sub_indication="TRY_LATER",
        )
    return {"cosigned_by": [{"witness": each.cosigner, "at": rfc3339(each.at)} for each in found]}


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
