"""The frozen verification report: checks with outcomes, and the one indication that follows.

Terms follow ETSI EN 319 102-1: valid is TOTAL-PASSED, invalid is TOTAL-FAILED, cannot tell is
INDETERMINATE; a failing or open check carries the sub-indication. A failing check never hides another:
verifiers collect every check they can make and conclude once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from trust.kernel.errors import InvalidInput


class Indication(StrEnum):
    """What a report says in one word."""

    VALID = "valid"
    INVALID = "invalid"
    CANNOT_TELL = "cannot_tell"

    @property
    def etsi(self) -> str:
        """The main status indication of ETSI EN 319 102-1 §5.1.3."""
        return _ETSI_INDICATIONS[self]


_ETSI_INDICATIONS = {
    Indication.VALID: "TOTAL-PASSED",
    Indication.INVALID: "TOTAL-FAILED",
    Indication.CANNOT_TELL: "INDETERMINATE",
}

# Which sub-indication speaks for a report that has several: that of the building block that comes first in the
# validation of ETSI EN 319 102-1 §5.3 to §5.6, because what comes after it rests on it: format (§5.2.2), the signer's
# certificate (§5.2.3), policy (§5.2.4), cryptography (§5.2.7), then the certificate and its path (§5.2.6), acceptance
# (§5.2.8), and last the moments (§5.5, §5.6). Words of our own stand where they belong; others come last, by name.
SUB_INDICATION_ORDER = (
    "NO_SIGNATURE",
    "FORMAT_FAILURE",
    "SIGNED_DATA_NOT_FOUND",
    "NO_SIGNING_CERTIFICATE_FOUND",
    "SIGNATURE_POLICY_NOT_AVAILABLE",
    "POLICY_PROCESSING_ERROR",
    "HASH_FAILURE",
    "SIG_CRYPTO_FAILURE",
    "NO_CERTIFICATE_CHAIN_FOUND",
    "NO_CERTIFICATE_CHAIN_FOUND_NO_POE",
    "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    "CHAIN_CONSTRAINTS_FAILURE",
    "REVOKED",
    "SUSPENDED",
    "EXPIRED",
    "NOT_YET_VALID",
    "SIG_CONSTRAINTS_FAILURE",
    "CRYPTO_CONSTRAINTS_FAILURE",
    "TIMESTAMP_ORDER_FAILURE",
    "REVOKED_NO_POE",
    "REVOKED_CA_NO_POE",
    "OUT_OF_BOUNDS_NO_POE",
    "OUT_OF_BOUNDS_NOT_REVOKED",
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
    "NO_POE",
    "TRY_LATER",
    "GENERIC",
)


class Outcome(StrEnum):
    """What one check came to."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: `code` is stable kebab-case, `detail` an English sentence with the specifics.

    `sub_indication` is ETSI's word (HASH_FAILURE, REVOKED, TRY_LATER, …) where the outcome is not passed.
    """

    code: str
    outcome: Outcome
    detail: str = ""
    sub_indication: str | None = None


class NotValid(InvalidInput):
    """A report was required to be valid and is not; carries the report."""

    code = "not-valid"

    def __init__(self, report: "Report") -> None:
        super().__init__(f"{report.kind}: {report.indication}: {', '.join(report.reasons())}")
        self.report = report


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was verified (`kind`, `subject`), what it came to, and why.

    `facts` holds JSON values worth showing (signer, signing time, level, covered bytes, …).
    `parts` are reports of what lies inside (each signature of a PDF, each material of a package).
    """

    kind: str
    subject: str
    indication: Indication
    checks: tuple[Check, ...]
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    parts: tuple["Report", ...] = ()

    @classmethod
    def conclude(
        cls,
        *,
        kind: str,
        subject: str,
        checks: Sequence[Check],
        facts: Mapping[str, Any] | None = None,
        parts: Sequence["Report"] = (),
    ) -> "Report":
        """A failure makes invalid; else anything open, or nothing checked, cannot tell; else valid."""
        outcomes = [check.outcome for check in checks]
        indications = [part.indication for part in parts]
        if Outcome.FAILED in outcomes or Indication.INVALID in indications:
            indication = Indication.INVALID
        elif (
            Outcome.UNKNOWN in outcomes or Indication.CANNOT_TELL in indications or not outcomes + indications
        ):
            indication = Indication.CANNOT_TELL
        else:
            indication = Indication.VALID
        return cls(
            kind=kind,
            subject=subject,
            indication=indication,
            checks=tuple(checks),
            facts=MappingProxyType(dict(facts or {})),
            parts=tuple(parts),
        )

    def reasons(self) -> tuple[str, ...]:
        """The codes of every check, here and in the parts, that did not pass."""
        own = [check.code for check in self.checks if check.outcome is not Outcome.PASSED]
        for part in self.parts:
            own.extend(part.reasons())
        return tuple(dict.fromkeys(own))

    def all_checks(self) -> Iterable[Check]:
        """Every check, here and in the parts, in order."""
        yield from self.checks
        for part in self.parts:
            yield from part.all_checks()

    @property
    def sub_indication(self) -> str | None:
        """The sub-indication that speaks for this report, by SUB_INDICATION_ORDER; None where it is valid.

        Of an invalid report only what failed is asked, of one that cannot tell what is open; its own checks and
        those of its parts alike.
        """
        if self.indication is Indication.VALID:
            return None
        wanted = Outcome.FAILED if self.indication is Indication.INVALID else Outcome.UNKNOWN
        found = {check.sub_indication for check in self.all_checks() if check.outcome is wanted}
        named = sorted(each for each in found if each is not None)
        return min(named, key=_precedence, default="GENERIC")

    def require_valid(self) -> "Report":
        """Returns itself where valid; raises `NotValid` otherwise."""
        if self.indication is not Indication.VALID:
            raise NotValid(self)
        return self

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values; their schema is docs/schemas/verification-report.schema.json."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "indication": self.indication.value,
            "etsi_indication": self.indication.etsi,
            "sub_indication": self.sub_indication,
            "checks": [
                {
                    "code": check.code,
                    "outcome": check.outcome.value,
                    "sub_indication": check.sub_indication,
                    "detail": check.detail,
                }
                for check in self.checks
            ],
            "facts": dict(self.facts),
            "parts": [part.to_json() for part in self.parts],
        }


def _precedence(sub_indication: str) -> int:
    known = sub_indication in SUB_INDICATION_ORDER
    return SUB_INDICATION_ORDER.index(sub_indication) if known else len(SUB_INDICATION_ORDER)


class Checks:
    """Collects checks while a verifier reads downwards.

    checks = Checks()
    checks.note("digest", digest == expected, failed="HASH_FAILURE", detail="…")
    checks.unknown("revocation", "no CRL covers the moment", sub_indication="TRY_LATER")
    """

    def __init__(self) -> None:
        self._checks: list[Check] = []

    def passed(self, code: str, detail: str = "") -> None:
        self._checks.append(Check(code=code, outcome=Outcome.PASSED, detail=detail))

    def failed(self, code: str, detail: str, *, sub_indication: str) -> None:
        self._checks.append(
            Check(code=code, outcome=Outcome.FAILED, detail=detail, sub_indication=sub_indication)
        )

    def unknown(self, code: str, detail: str, *, sub_indication: str) -> None:
        self._checks.append(
            Check(code=code, outcome=Outcome.UNKNOWN, detail=detail, sub_indication=sub_indication)
        )

    def note(self, code: str, holds: bool, *, failed: str, detail: str = "") -> bool:
        """Records passed or failed by `holds`, and returns it so that the caller can go on accordingly."""
        if holds:
            self.passed(code, detail)
        else:
            self.failed(code, detail, sub_indication=failed)
        return holds

    def extend(self, checks: Iterable[Check]) -> None:
        self._checks.extend(checks)

    def all(self) -> tuple[Check, ...]:
        return tuple(self._checks)
