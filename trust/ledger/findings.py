"""What a verification of the ledger finds, gathered by check."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from trust.kernel.report import Checks, Report

# Enough to see where the damage lies; how many more there are is said.
MAX_FINDINGS_PER_CHECK: Final = 20

# Every check, in the order of the report: what it says when all is well, and ETSI's word when it is not.
CHECKS: Final[Mapping[str, tuple[str, str]]] = {
    "event-sequence": ("every index is given once, without a gap", "FORMAT_FAILURE"),
    "event-header": ("every row gives its leaf", "HASH_FAILURE"),
    "event-content": ("all content is what was committed to, or was erased on order", "HASH_FAILURE"),
    "entries": ("every bundle holds the entries of the tree", "HASH_FAILURE"),
    "tile": ("every tile holds the hashes of the tree", "HASH_FAILURE"),
    "checkpoint": ("every stored checkpoint is a state of this tree", "HASH_FAILURE"),
    "checkpoint-signature": ("every stored checkpoint is signed by the log", "SIG_CRYPTO_FAILURE"),
    "published-checkpoint": ("what is published is the newest stored checkpoint", "HASH_FAILURE"),
    "known-checkpoint": ("what was known before still holds", "HASH_FAILURE"),
    "strange-objects": (
        "the store holds nothing under the log's name that is not the log's",
        "FORMAT_FAILURE",
    ),
    "cosignatures": ("every stored cosignature is its witness's", "SIG_CRYPTO_FAILURE"),
    "witnesses": ("no witness has ever disagreed", "HASH_FAILURE"),
    "inclusion-delay": ("every event was included in time, or still may be", "FORMAT_FAILURE"),
}


class Findings:
    """Collects what disagrees; a check without a finding has passed unless it was left open."""

    def __init__(
        self, codes: Collection[str] | None = None, checks: Mapping[str, tuple[str, str]] = CHECKS
    ) -> None:
        """`checks`: what each says when all is well and ETSI's word; `codes`: those that are made at all."""
        self._checks = {code: said for code, said in checks.items() if codes is None or code in codes}
        self._found: dict[str, list[str]] = {code: [] for code in self._checks}
        self._more: dict[str, int] = dict.fromkeys(self._checks, 0)
        self._open: dict[str, str] = {}

    def add(self, code: str, finding: str) -> None:
        """Something disagrees; `finding` names it."""
        if len(self._found[code]) < MAX_FINDINGS_PER_CHECK:
            self._found[code].append(finding)
        else:
            self._more[code] += 1

    def leave_open(self, code: str, why: str) -> None:
        """The check could not be made."""
        self._open[code] = why

    def conclude(self, *, subject: str, facts: Mapping[str, Any], kind: str = "ledger") -> Report:
        """The report: a check once where all is well, once a finding where not."""
        checks = Checks()
        for code, (well, sub_indication) in self._checks.items():
            found = list(self._found[code])
            if self._more[code]:
                found.append(f"and {self._more[code]} more")
            for finding in found:
                checks.failed(code, finding, sub_indication=sub_indication)
            if not found and code in self._open:
                checks.unknown(code, self._open[code], sub_indication="TRY_LATER")
            elif not found:
                checks.passed(code, well)
        return Report.conclude(kind=kind, subject=subject, checks=checks.all(), facts=facts)
