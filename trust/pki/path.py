"""Certification paths: built from what is at hand, validated at a moment for a purpose (RFC 5280 §6).

    result = validate_path(leaf, intermediates=cms.certificates, trust=trust, at=signing_time,
                           purpose=Purpose.DOCUMENT_SIGNING)
    report = Report.conclude(kind=…, subject=…, checks=result.checks)

Names are compared octet by octet, policies are not required of a path, name constraints are refused. Nothing is
fetched. Every check is made and reported: an expired certificate hides no other failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from trust.crypto import schemes
from trust.crypto.errors import SignatureInvalid
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.kernel.clock import rfc3339
from trust.kernel.report import Check, Checks, Outcome
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.errors import CertificateMalformed, CrlMalformed
from trust.pki.purposes import Purpose, usage_problems
from trust.pki.revocation import Crl, RevocationState, ask_lists
from trust.pki.trust_store import TrustStore
from trust.pki.usages import KeyUsage

# From the leaf to the anchor; government PKIs have three or four.
MAX_PATH_CERTIFICATES = 8
# What a stranger may hand in with one signature.
MAX_EXTRA_CERTIFICATES = 50
MAX_EXTRA_CRLS = 50
# Signature verifications spent on building; stops a thicket of cross-certificates from costing minutes.
MAX_EDGES_TRIED = 100
# Complete paths judged before the best of them is reported.
MAX_PATHS_JUDGED = 8


@dataclass(frozen=True, kw_only=True)
class PathResult:
    """The checks, and the path from the leaf to the anchor as DER; only the leaf where no path was found."""

    checks: tuple[Check, ...]
    chain: tuple[bytes, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.outcome is Outcome.PASSED for check in self.checks)


def validate_path(
    leaf: bytes,
    *,
    intermediates: Sequence[bytes] = (),
    trust: TrustStore,
    at: datetime,
    purpose: Purpose,
    extra_crls: Sequence[bytes] = (),
    time_is_proven: bool = True,
    policy: AlgorithmPolicy | None = None,
) -> PathResult:
    """Builds the best path from `leaf` to an anchor and validates it at a moment.

    `time_is_proven` False says that the signature may be older than `at`: a certificate expired or revoked then
    leaves the answer open (OUT_OF_BOUNDS_NO_POE, REVOKED_NO_POE; ETSI EN 319 102-1 §5.5) instead of failing it.

    Check codes: chain, certificate-signature, certificate-validity, certificate-constraints, certificate-usage,
    revocation, algorithm. A leaf that cannot be read fails `chain` with FORMAT_FAILURE.
    """
    checks = Checks()
    # 1. Read what was handed in; what cannot be read among the helpers is left aside.
    try:
        certificate = read_certificate(leaf)
    except CertificateMalformed as error:
        checks.failed("chain", error.message, sub_indication="FORMAT_FAILURE")
        return PathResult(checks=checks.all(), chain=(leaf,))
    helpers = _readable_certificates(intermediates)
    lists = (*trust.lists, *_readable_lists(extra_crls))

    # 2. Build every path up to the limits, and judge each on its own.
    search = _Search(trust, helpers)
    judge = _Judge(
        lists=lists,
        at=at,
        purpose=purpose,
        time_is_proven=time_is_proven,
        policy=policy or shipped_policy(),
    )
    best: PathResult | None = None
    for path in search.paths(certificate):
        result = PathResult(checks=judge.judge(path), chain=tuple(each.der for each in path))
        if best is None or _demerits(result) < _demerits(best):
            best = result
        if best.passed:
            return best
    if best is not None:
        return best

    # 3. No path: say why, and what the leaf alone shows.
    if search.refuted is not None:
        checks.failed("certificate-signature", search.refuted, sub_indication="SIG_CRYPTO_FAILURE")
    checks.unknown("chain", search.why_not(certificate), sub_indication="NO_CERTIFICATE_CHAIN_FOUND")
    checks.extend(judge.judge_leaf(certificate))
    return PathResult(checks=checks.all(), chain=(leaf,))


def _demerits(result: PathResult) -> tuple[int, int]:
    outcomes = [check.outcome for check in result.checks]
    return outcomes.count(Outcome.FAILED), outcomes.count(Outcome.UNKNOWN)


def _readable_certificates(octets: Sequence[bytes]) -> tuple[Certificate, ...]:
    found = []
    for each in tuple(dict.fromkeys(octets))[:MAX_EXTRA_CERTIFICATES]:
        try:
            found.append(read_certificate(each))
        except CertificateMalformed:
            continue
    return tuple(found)


def _readable_lists(octets: Sequence[bytes]) -> tuple[Crl, ...]:
    found = []
    for each in tuple(dict.fromkeys(octets))[:MAX_EXTRA_CRLS]:
        try:
            found.append(Crl(each))
        except CrlMalformed:
            continue
    return tuple(found)


class _Search:
    """Walks from the leaf towards the anchors along signatures that verify."""

    def __init__(self, trust: TrustStore, helpers: tuple[Certificate, ...]) -> None:
        self._anchors = trust.anchor_certificates
        self._anchor_octets = frozenset(trust.anchors)
        self._authorities: dict[bytes, list[Certificate]] = {}
        # Anchors first, then our own intermediates: what a stranger handed in is tried last.
        known = (*self._anchors, *trust.intermediate_certificates, *helpers)
        for each in {certificate.der: certificate for certificate in known}.values():
            self._authorities.setdefault(each.subject, []).append(each)
        self._tried = 0
        self.refuted: str | None = None

    def paths(self, leaf: Certificate) -> Iterable[tuple[Certificate, ...]]:
        """Complete paths, leaf first, anchor last; at most MAX_PATHS_JUDGED."""
        judged = 0
        waiting: list[tuple[Certificate, ...]] = [(leaf,)]
        while waiting:
            path = waiting.pop()
            if path[-1].der in self._anchor_octets:
                yield path
                judged += 1
                if judged == MAX_PATHS_JUDGED:
                    return
            elif len(path) < MAX_PATH_CERTIFICATES:
                # Reversed, because the last one put down is taken up first.
                waiting.extend((*path, above) for above in reversed(self._above(path)))

    def _above(self, path: tuple[Certificate, ...]) -> list[Certificate]:
        below = path[-1]
        seen = {(each.subject, each.spki) for each in path}
        found: list[Certificate] = []
        refuted: str | None = None
        for candidate in self._authorities.get(below.issuer, ()):
            if (candidate.subject, candidate.spki) in seen or not _keys_may_match(below, candidate):
                continue
            if self._tried >= MAX_EDGES_TRIED:
                break
            self._tried += 1
            if _signed_by(below, candidate):
                found.append(candidate)
            elif below.scheme is not None:
                refuted = f"{below.subject_text} is not signed by {candidate.subject_text}, which it names"
        if not found and refuted is not None:
            self.refuted = refuted
        return found

    def why_not(self, leaf: Certificate) -> str:
        """Why there is no path, in a sentence."""
        if not self._anchors:
            return "there are no trust anchors"
        if self._tried >= MAX_EDGES_TRIED:
            return f"no path to an anchor within {MAX_EDGES_TRIED} signatures tried"
        if leaf.scheme is None:
            return "the certificate is signed by an algorithm not known here"
        return f"no path from {leaf.subject_text} to one of {len(self._anchors)} anchors"


def _keys_may_match(below: Certificate, above: Certificate) -> bool:
    wanted, offered = below.authority_key_id, above.subject_key_id
    return wanted is None or offered is None or wanted == offered


def _signed_by(below: Certificate, above: Certificate) -> bool:
    if below.scheme is None:
        return False
    try:
        schemes.verify(above.spki, below.signature, below.tbs, below.scheme)
    except SignatureInvalid:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class _Judge:
    """Judges a complete path: every certificate, every check."""

    lists: tuple[Crl, ...]
    at: datetime
    purpose: Purpose
    time_is_proven: bool
    policy: AlgorithmPolicy

    def judge(self, path: tuple[Certificate, ...]) -> tuple[Check, ...]:
        checks = Checks()
        names = " < ".join(each.subject_text for each in path)
        checks.passed("chain", f"path of {len(path)} certificates to an anchor: {names}")
        if len(path) > 1:
            checks.passed("certificate-signature", "each certificate is signed by the one above it")
        self._judge_validity(checks, path)
        _judge_constraints(checks, path)
        self._judge_usage(checks, path)
        self._judge_algorithms(checks, path)
        self._judge_revocation(checks, path)
        return checks.all()

    def judge_leaf(self, leaf: Certificate) -> tuple[Check, ...]:
        checks = Checks()
        self._judge_validity(checks, (leaf,))
        self._judge_usage(checks, (leaf,))
        return checks.all()

    def _judge_validity(self, checks: Checks, path: tuple[Certificate, ...]) -> None:
        sound = True
        for each in path:
            if self.at < each.not_before:
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

    def _judge_usage(self, checks: Checks, path: tuple[Certificate, ...]) -> None:
        problems = usage_problems(path[0], path[1:], self.purpose)
        for problem in problems:
            checks.failed("certificate-usage", problem, sub_indication="CHAIN_CONSTRAINTS_FAILURE")
        if not problems:
            checks.passed("certificate-usage", f"the certificate may be used for {self.purpose}")

    def _judge_algorithms(self, checks: Checks, path: tuple[Certificate, ...]) -> None:
        """The leaf's key and every signature on the path but the anchor's own."""
        results = [self.policy.check_key(path[0].key, self.at)]
        results += [
            self.policy.check_signature(below.scheme, above.key, self.at) for below, above in pairwise(path)
        ]
        open_ones = [each for each in results if each.outcome is not Outcome.PASSED]
        checks.extend(open_ones or results[:1])

    def _judge_revocation(self, checks: Checks, path: tuple[Certificate, ...]) -> None:
        if len(path) == 1:
            checks.passed("revocation", "the certificate is itself an anchor")
            return
        details = []
        sound = True
        for each, above in pairwise(path):
            tokens = self.purpose is Purpose.TIMESTAMPING and each is path[0]
            answer = ask_lists(each, above, self.lists, self.at, for_tokens=tokens)
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
                checks.unknown("revocation", detail, sub_indication="REVOKED_NO_POE")
        if sound:
            checks.passed("revocation", "; ".join(details))


def _judge_constraints(checks: Checks, path: tuple[Certificate, ...]) -> None:
    """Basic constraints, path length, key usage of authorities, critical extensions (RFC 5280 §6.1.4)."""
    problems = [
        f"{each.subject_text} has a critical extension not processed here: {', '.join(each.unprocessed)}"
        for each in path
        if each.unprocessed
    ]
    for depth, each in enumerate(path[1:]):
        if not each.is_authority:
            problems.append(f"{each.subject_text} is not an authority")
        if each.key_usage is not None and KeyUsage.KEY_CERT_SIGN not in each.key_usage:
            problems.append(f"{each.subject_text} may not sign certificates")
        below = sum(1 for between in path[1 : depth + 1] if not between.self_issued)
        if each.path_length is not None and below > each.path_length:
            problems.append(
                f"{each.subject_text} allows {each.path_length} authorities below it, not {below}"
            )
    for problem in problems:
        checks.failed("certificate-constraints", problem, sub_indication="CHAIN_CONSTRAINTS_FAILURE")
    if not problems:
        checks.passed("certificate-constraints", "basic constraints and extensions allow this path")
