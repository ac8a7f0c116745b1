"""What a verifier's report on a signed material means for its authenticity, and whether the file opens at all."""

from dataclasses import dataclass
from typing import Final

from archive.checks.rules import CheckRules, KeptFormat
from archive.model import MaterialRole
from trust.kernel.report import Outcome, Report

# The check that each kind of document passes where it could be read.
_READABLE: Final = {"pdf": "document", "sd-jwt": "structure"}
_NO_SIGNATURE: Final = "NO_SIGNATURE"


@dataclass(frozen=True, kw_only=True)
class SignatureFinding:
    """`closed`: why it does not open; `fault`: why its signatures do not hold; `open_question`: what stays open."""

    closed: str | None = None
    fault: str | None = None
    open_question: str | None = None


def judge(
    report: Report, *, kept_format: KeptFormat, role: MaterialRole, rules: CheckRules
) -> SignatureFinding:
    """Results and licences must be validly signed; any other signature must not be broken.

    What a submission brings may be signed by parties unknown here: that stays an open question in the report.
    """
    readable = _READABLE[kept_format.opener]
    outcomes = {check.outcome for check in report.checks if check.code == readable}
    if outcomes != {Outcome.PASSED}:
        return SignatureFinding(closed=f"cannot be read, or is encrypted ({', '.join(report.reasons())})")
    required = role in rules.signature_required
    failed, unknown = [], []
    for check in report.all_checks():
        if check.outcome is Outcome.PASSED or (not required and check.sub_indication == _NO_SIGNATURE):
            continue
        if check.code in rules.passed_over or (check.outcome is Outcome.UNKNOWN and not required):
            unknown.append(check.code)
        else:
            failed.append(f"{check.code} {check.sub_indication or check.outcome}")
    if failed:
        return SignatureFinding(fault=f"its signature does not hold: {', '.join(dict.fromkeys(failed))}")
    if unknown:
        return SignatureFinding(open_question=f"its signature: {', '.join(dict.fromkeys(unknown))}")
    return SignatureFinding()
