"""Judging one complete path: every certificate, every check; an expired one hides no other failure."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from trust.crypto.policy import AlgorithmPolicy
from trust.kernel.clock import rfc3339
from trust.kernel.report import Check, Checks, Outcome
from trust.pki.certificate import Certificate
from trust.pki.path_constraints import judge_constraints
from trust.pki.path_search import CertificatePath
from trust.pki.policy_graph import PolicyInputs
from trust.pki.purposes import Purpose, usage_problems
from trust.pki.revocation import RevocationAnswer, RevocationState, Statement
from trust.pki.revocation_desk import RevocationDesk
from trust.pki.trust_store import TrustStore


@dataclass(frozen=True, kw_only=True)
class JudgedPath:
    """The checks of one path, the policies it is good for, and the revocation data that it rests on."""

    checks: tuple[Check, ...]
    policies: frozenset[str]
    statements: tuple[Statement, ...]
    on_hold: bool = False


@dataclass(frozen=True, kw_only=True)
class PathJudge:
    """What paths are judged by; `at` is the moment that counts, whether proven or that of verifying.

    `silent_until` is until when silence about a revocation has to reach, where that is later than `at`.
    """

    trust: TrustStore
    desk: RevocationDesk
    at: datetime
    time_is_proven: bool
    purpose: Purpose
    policy: AlgorithmPolicy
    asked: PolicyInputs
    silent_until: datetime | None = None

    def judge(self, path: CertificatePath) -> JudgedPath:
        """Judges a path, leaf first and anchor last."""
        checks = Checks()
        self._judge_anchor(checks, path)
        if len(path) > 1:
            checks.passed("certificate-signature", "each certificate is signed by the one above it")
        self._judge_validity(checks, path)
        findings = judge_constraints(path, self.asked)
        for problem in findings.problems:
            checks.failed("certificate-constraints", problem, sub_indication="CHAIN_CONSTRAINTS_FAILURE")
        if not findings.problems:
            checks.passed("certificate-constraints", "basic constraints and extensions allow this path")
        self._judge_usage(checks, path)
        self._judge_algorithms(checks, path)
        answers = self._judge_revocation(checks, path)
        return JudgedPath(
            checks=checks.all(),
            policies=findings.policies,
            statements=tuple(statement for answer in answers for statement in answer.statements),
            on_hold=any(answer.on_hold for answer in answers),
        )

    def judge_leaf(self, path: CertificatePath) -> tuple[Check, ...]:
        """What a certificate shows by itself, where no path was found."""
        checks = Checks()
        self._judge_validity(checks, path)
        self._judge_usage(checks, path)
        return checks.all()

    def _judge_anchor(self, checks: Checks, path: CertificatePath) -> None:
        anchor = path[-1]
        terms = self.trust.anchor_terms.get(anchor.fingerprint)
        problem = None if terms is None else terms.problem(self.purpose, self.at)
        if problem is not None:
            checks.unknown(
                "chain",
                f"the anchor {anchor.subject_text} {problem}",
                sub_indication="NO_CERTIFICATE_CHAIN_FOUND",
            )
            return
        names = " < ".join(each.subject_text for each in path)
        checks.passed("chain", f"path of {len(path)} certificates to an anchor: {names}")

    def _judge_validity(self, checks: Checks, path: CertificatePath) -> None:
        sound = True
        for each in path:
            if self.at < each.not_before and not _vouches_for_before(each, path):
                sound = False
                detail = f"{each.subject_text} is valid only from {rfc3339(each.not_before)}"
                checks.failed("certificate-validity", detail, sub_indication="NOT_YET_VALID")
            elif self.at > each.not_after:
                sound = False
                detail = f"{each.subject_text} expired at {rfc3339(each.not_after)}"
                if self.time_is_proven:
                    checks.failed("certificate-validity", detail, sub_indication="EXPIRED")
                else:
                    checks.unknown("certificate-validity", detail, sub_indication="OUT_OF_BOUNDS_NO_POE")
        if sound:
            checks.passed("certificate-validity", f"every certificate is valid at {rfc3339(self.at)}")

    def _judge_usage(self, checks: Checks, path: CertificatePath) -> None:
        problems = usage_problems(path[0], path[1:], self.purpose)
        for problem in problems:
            checks.failed("certificate-usage", problem, sub_indication="CHAIN_CONSTRAINTS_FAILURE")
        if not problems:
            checks.passed("certificate-usage", f"the certificate may be used for {self.purpose}")

    def _judge_algorithms(self, checks: Checks, path: CertificatePath) -> None:
        """The leaf's key and every signature on the path but the anchor's own."""
        results = [self.policy.check_key(path[0].key, self.at)]
        results += [
            self.policy.check_signature(below.scheme, above.key, self.at) for below, above in pairwise(path)
        ]
        open_ones = [each for each in results if each.outcome is not Outcome.PASSED]
        checks.extend(open_ones or results[:1])

    def _judge_revocation(self, checks: Checks, path: CertificatePath) -> tuple[RevocationAnswer, ...]:
        """The answer about each certificate below the anchor."""
        if len(path) == 1:
            checks.passed("revocation", "the certificate is itself an anchor")
            return ()
        details = []
        answers: list[RevocationAnswer] = []
        sound = True
        for position, each in enumerate(path[:-1]):
            # RFC 3161 §4: whoever holds the key of an authority above makes timestamps of any time, too.
            tokens = self.purpose is Purpose.TIMESTAMPING
            answer = self.desk.ask(path[position:], silent_until=self.silent_until, for_tokens=tokens)
            answers.append(answer)
            detail = f"{each.subject_text}: {answer.detail}"
            if answer.state is RevocationState.GOOD:
                details.append(detail)
                continue
            sound = False
            if answer.state is RevocationState.UNKNOWN:
                checks.unknown("revocation", detail, sub_indication="TRY_LATER")
            elif self.time_is_proven:
                checks.failed("revocation", detail, sub_indication="REVOKED")
            else:
                open_until = "REVOKED_NO_POE" if position == 0 else "REVOKED_CA_NO_POE"
                checks.unknown("revocation", detail, sub_indication=open_until)
        if sound:
            checks.passed("revocation", "; ".join(details))
        return tuple(answers)


def _vouches_for_before(anchor: Certificate, path: CertificatePath) -> bool:
    """Whether this is the anchor, and the bridge below it is older than the anchor's own certificate.

    A new root certifies the key it follows from when that was made (RFC 4210 §4.4.1, old with new): whoever believes
    the new root believes by that what the old one signed before there was a new one. Nothing else is older than what
    certified it.
    """
    if len(path) < 3 or path[-1] is not anchor:
        return False
    below = path[-2]
    return below.self_issued and below.is_authority and below.not_before < anchor.not_before
