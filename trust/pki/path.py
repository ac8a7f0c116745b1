"""Certification paths: built from what is at hand, validated at a moment for a purpose (RFC 5280 §6).

    result = validate_path(leaf, intermediates=cms.certificates, trust=trust, at=best_signature_time, now=now,
                           purpose=Purpose.DOCUMENT_SIGNING, extra_crls=dss.crls, extra_ocsps=dss.ocsps)
    report = Report.conclude(kind=…, subject=…, checks=result.checks)
    embed(result.certificates_used, result.crls_used, result.ocsps_used)

Nothing is fetched. Every check is made and reported: an expired certificate hides no other failure. The parts:
`path_search` builds, `path_constraints` (names, policies, lengths) and `path_judging` judge, `revocation_desk` asks
lists and answers, `revocation` weighs what they say.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.kernel.errors import Malformed
from trust.kernel.report import Check, Checks, Outcome
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed
from trust.pki.ocsp import read_ocsp
from trust.pki.path_judging import JudgedPath, PathJudge
from trust.pki.path_search import CertificatePath, CertificatePool, PathSearch
from trust.pki.policy_graph import NO_POLICY_ASKED, PolicyInputs
from trust.pki.purposes import Purpose
from trust.pki.revocation_desk import RevocationDesk
from trust.pki.revocation_list import read_crl
from trust.pki.trust_store import TrustStore

__all__ = ["PathResult", "PolicyInputs", "validate_path"]

# What a stranger may hand in with one signature: a document's security store has a few dozen.
MAX_EXTRA_CERTIFICATES = 256
MAX_EXTRA_CRLS = 100
MAX_EXTRA_OCSPS = 100


@dataclass(frozen=True, kw_only=True)
class PathResult:
    """The checks, and the path from the leaf to the anchor as DER; only the leaf where no path was found.

    `crls_used`, `ocsps_used` (as they were handed in) and `certificates_used` are what the answer rests on, each
    once: the lists and answers that were heard, the path, and the certificates of whoever signed those. A verifier
    with the same anchors needs nothing else to come to the same answer. `policies` are the certificate policies, of
    the anchor's domain, that the path is good for. `on_hold` says that a certificate of the path is on hold at the
    moment: what is open then is not open for want of lists.
    """

    checks: tuple[Check, ...]
    chain: tuple[bytes, ...]
    crls_used: tuple[bytes, ...] = ()
    ocsps_used: tuple[bytes, ...] = ()
    certificates_used: tuple[bytes, ...] = ()
    policies: frozenset[str] = frozenset()
    on_hold: bool = False

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
    extra_ocsps: Sequence[bytes] = (),
    time_is_proven: bool = True,
    now: datetime | None = None,
    policy: AlgorithmPolicy | None = None,
    asked: PolicyInputs = NO_POLICY_ASKED,
    silent_until: datetime | None = None,
) -> PathResult:
    """Builds the best path from `leaf` to an anchor and validates it at a moment.

    `at` is when the certificates must have been valid: the best signature time (ETSI EN 319 102-1 §5.6), which
    `time_is_proven` says is proven by a timestamp or known otherwise. `now` is the moment of verifying, where the
    caller knows it: lists and answers made after it are not heard. Without proof the signature may be of any time
    until `now`, so the later of the two is judged, and a certificate expired or revoked then leaves the answer open
    (OUT_OF_BOUNDS_NO_POE, REVOKED_NO_POE, REVOKED_CA_NO_POE; §5.5) instead of failing it.

    With a proven time: a certificate that has expired since is good; a revocation dated after it does not spoil,
    and the detail says so; one dated before spoils; algorithms are judged as of then. Lists and answers made after
    it count (they say more, not less) as long as they were made while the certificate had not expired, or by an
    authority that keeps the expired ones. Silence counts only from a list or answer that had not run out before the
    moment judged: freshness is measured against that moment, not against `now`. Where what is judged says its time
    itself, as a timestamp does, that would be whatever moment a thief of the key chooses: `silent_until` is by when
    it is known to exist, and silence has to reach until then. The rules are in `trust.pki.revocation`.

    Anchors are believed for the purposes and times that the trust store says. `asked` are RFC 5280's policy inputs.

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
    pool = CertificatePool(trust, _readable(intermediates, read_certificate, MAX_EXTRA_CERTIFICATES))
    moment = at if time_is_proven or now is None else max(at, now)
    desk = RevocationDesk(
        pool=pool,
        own_lists=trust.lists_by_issuer,
        lists=_readable(extra_crls, read_crl, MAX_EXTRA_CRLS),
        answers=(*trust.answers, *_readable(extra_ocsps, read_ocsp, MAX_EXTRA_OCSPS)),
        at=moment,
        now=now,
        policy=policy or shipped_policy(),
    )
    judge = PathJudge(
        trust=trust,
        desk=desk,
        at=moment,
        time_is_proven=time_is_proven,
        purpose=purpose,
        policy=policy or shipped_policy(),
        asked=asked,
        silent_until=silent_until,
    )

    # 2. Build every path up to the limits, and judge each on its own.
    search = PathSearch(pool, at=moment)
    best: PathResult | None = None
    for path in search.paths(certificate):
        result = _result(path, judge.judge(path))
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
    checks.extend(judge.judge_leaf((certificate,)))
    return PathResult(checks=checks.all(), chain=(leaf,))


def _result(path: CertificatePath, judged: JudgedPath) -> PathResult:
    chain = tuple(each.der for each in path)
    statements = judged.statements
    return PathResult(
        checks=judged.checks,
        chain=chain,
        crls_used=_each_once(der for each in statements for der in each.lists),
        ocsps_used=_each_once(der for each in statements for der in each.answers),
        certificates_used=_each_once((*chain, *(der for each in statements for der in each.signers))),
        policies=judged.policies,
        on_hold=judged.on_hold,
    )


def _each_once(octets: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(octets))


def _demerits(result: PathResult) -> tuple[int, int]:
    outcomes = [check.outcome for check in result.checks]
    return outcomes.count(Outcome.FAILED), outcomes.count(Outcome.UNKNOWN)


_Read = TypeVar("_Read")


def _readable(octets: Sequence[bytes], read: Callable[[bytes], _Read], most: int) -> tuple[_Read, ...]:
    found = []
    for each in tuple(dict.fromkeys(octets))[:most]:
        try:
            found.append(read(each))
        except Malformed:
            continue
    return tuple(found)
