"""Verifying a timestamp token: that these octets existed when the authority says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trust.crypto.cms import ID_CT_TST_INFO, ParsedCms
from trust.crypto.cms_checks import check_signer
from trust.crypto.digests import Digest, digest_of
from trust.crypto.errors import CmsMalformed
from trust.crypto.policy import AlgorithmPolicy
from trust.kernel.clock import rfc3339
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Checks, Indication, Outcome, Report
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed
from trust.pki.path import PathResult, validate_path
from trust.pki.purposes import Purpose
from trust.pki.standing import Standing
from trust.pki.trust_store import TrustStore
from trust.timestamp.errors import TimestampMalformed
from trust.timestamp.tokens import TstInfo, parse_token

_KIND = "timestamp"
# Clocks of two parties who both keep time differ by less.
CLOCK_TOLERANCE = timedelta(minutes=5)

DigestOfStamped = Callable[[Digest], bytes | None]


@dataclass(frozen=True, kw_only=True)
class JudgedToken:
    """A token's report, and what further reasoning needs: what it says and the path of its authority.

    `info`, `parsed` and `path` are None where the token could not be read so far. `existed_by` is by when the token
    was known to exist.
    """

    report: Report
    info: TstInfo | None = None
    parsed: ParsedCms | None = None
    path: PathResult | None = None
    existed_by: datetime | None = None

    @property
    def proves(self) -> datetime | None:
        """The moment at which the octets are proven to have existed; None where the token is not valid."""
        return self.info.gen_time if self.info and self.report.indication is Indication.VALID else None


def verify_token(
    token: bytes,
    *,
    imprint: bytes | None = None,
    data: bytes | None = None,
    trust: TrustStore,
    at: datetime | None = None,
) -> Report:
    """Verifies a DER token over a SHA-256 `imprint`, or over `data` by whichever digest the token names.

    The authority's path is judged at the token's own time, revocation after RFC 3161 §4. `at` is the moment of
    verifying: a token from later than that fails (TIMESTAMP_ORDER_FAILURE), and lists that had run out by then do
    not show that the authority had its key to itself (TRY_LATER). Facts: gen_time (RFC 3339), serial
    (hex), policy, accuracy_ms, authority. Raises InvalidInput unless exactly one of `imprint` and `data` is given.
    """
    if (imprint is None) == (data is None):
        raise InvalidInput("a timestamp is verified over an imprint or over data, exactly one of them")

    def stamped(algorithm: Digest) -> bytes | None:
        if data is not None:
            return digest_of(data, algorithm)
        return imprint if algorithm is Digest.SHA256 else None

    return judge_token(token, stamped=stamped, trust=trust, at=at).report


def judge_token(
    token: bytes,
    *,
    stamped: DigestOfStamped,
    trust: TrustStore,
    at: datetime | None = None,
    existed_by: datetime | None = None,
    intermediates: Sequence[bytes] = (),
    extra_crls: Sequence[bytes] = (),
    extra_ocsps: Sequence[bytes] = (),
    policy: AlgorithmPolicy | None = None,
) -> JudgedToken:
    """Verifies a DER token over octets of which `stamped` gives the digests (None: not known by that algorithm).

    As `verify_token`, and beyond it (ETSI EN 319 102-1 §5.4, §5.6.2): `existed_by` is when the token itself is
    proven to have existed, or the moment of verifying where nothing proves it. A token of an authority whose
    certificate had expired by then, or by an algorithm not trusted any more by then, could have been made by
    anybody since: that leaves the answer open (OUT_OF_BOUNDS_NO_POE, CRYPTO_CONSTRAINTS_FAILURE). So does silence
    about the authority that does not reach until then (TRY_LATER): the lists of any day past are public, and a thief
    of the key claims that day. The rest is material that came with the token.
    """
    checks = Checks()

    # 1. Read it.
    try:
        parsed, info = parse_token(token)
    except (CmsMalformed, TimestampMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        report = Report.conclude(kind=_KIND, subject="unreadable token", checks=checks.all())
        return JudgedToken(report=report)
    checks.passed("structure", "a token of one signer")

    # 2. It is about these octets, and its own signature holds.
    rules = policy or trust.policy
    _check_imprint(checks, info, stamped, existed_by, rules)
    content = parsed.econtent or b""
    used = parsed.digest_algorithm
    digests = {} if used is None else {used: digest_of(content, used)}
    checks.extend(
        check_signer(parsed, digests=digests, content_type=ID_CT_TST_INFO, at=existed_by, policy=rules)
    )

    # 3. Its authority was to be trusted when it was made, and could still be when the token is known to be there.
    path = None
    if parsed.signer_certificate is not None:
        path = validate_path(
            parsed.signer_certificate,
            intermediates=(*parsed.certificates, *intermediates),
            trust=trust,
            at=info.gen_time,
            now=at,
            purpose=Purpose.TIMESTAMPING,
            extra_crls=(*_own_lists(parsed, intermediates, trust, existed_by, rules), *extra_crls),
            extra_ocsps=extra_ocsps,
            policy=rules,
            silent_until=existed_by or at,
        )
        checks.extend(path.checks)
        if existed_by is not None:
            _check_standing(checks, path, existed_by, rules)
    if at is not None:
        checks.note(
            "timestamp-order",
            info.gen_time <= at + CLOCK_TOLERANCE,
            failed="TIMESTAMP_ORDER_FAILURE",
            detail=f"the token is of {rfc3339(info.gen_time)}, verified at {rfc3339(at)}",
        )
    report = Report.conclude(
        kind=_KIND, subject=f"token {info.serial:x}", checks=checks.all(), facts=_facts(parsed, info)
    )
    return JudgedToken(report=report, info=info, parsed=parsed, path=path, existed_by=existed_by or at)


def _own_lists(
    parsed: ParsedCms,
    intermediates: Sequence[bytes],
    trust: TrustStore,
    existed_by: datetime | None,
    policy: AlgorithmPolicy,
) -> tuple[bytes, ...]:
    """The lists inside a token that count: they are not signed with it, and are as old as it is known to be."""
    if existed_by is None or not parsed.crls:
        return parsed.crls
    standing = Standing(trust, (*parsed.certificates, *intermediates), policy=policy)
    return tuple(each for each in parsed.crls if standing.counts_list(each, existed_by))


def _check_imprint(
    checks: Checks,
    info: TstInfo,
    stamped: DigestOfStamped,
    existed_by: datetime | None,
    policy: AlgorithmPolicy,
) -> None:
    algorithm = info.imprint_algorithm
    expected = None if algorithm is None else stamped(algorithm)
    if expected is None:
        checks.unknown(
            "imprint",
            f"the token's imprint is of an algorithm not compared here ({algorithm or 'unknown'})",
            sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
        )
        return
    checks.note(
        "imprint",
        info.imprint == expected,
        failed="HASH_FAILURE",
        detail=f"the token's {algorithm} imprint against the octets stamped",
    )
    if existed_by is not None:
        answer = policy.check_digest(algorithm, existed_by)
        if answer.outcome is not Outcome.PASSED:
            checks.extend((answer,))


def _check_standing(checks: Checks, path: PathResult, existed_by: datetime, policy: AlgorithmPolicy) -> None:
    """Whether, by the time at which the token is known to exist, its path had not run out (the anchor's end apart)."""
    sound = True
    for octets in path.chain[: max(1, len(path.chain) - 1)]:
        try:
            certificate = read_certificate(octets)
        except CertificateMalformed:
            return  # told by the path
        if certificate.not_after < existed_by:
            sound = False
            checks.unknown(
                "certificate-validity",
                f"{certificate.subject_text} expired at {rfc3339(certificate.not_after)}, and nothing proves that "
                f"the token existed before {rfc3339(existed_by)}",
                sub_indication="OUT_OF_BOUNDS_NO_POE",
            )
        answer = policy.check_key(certificate.key, existed_by)
        if answer.outcome is not Outcome.PASSED:
            checks.extend((answer,))
    if sound:
        checks.passed(
            "certificate-validity",
            f"the authority's certificate had not expired at {rfc3339(existed_by)}, by when the token existed",
        )


def _facts(parsed: ParsedCms, info: TstInfo) -> dict[str, str | int | None]:
    return {
        "gen_time": rfc3339(info.gen_time),
        "serial": f"{info.serial:x}",
        "policy": info.policy,
        "accuracy_ms": None if info.accuracy is None else info.accuracy // timedelta(milliseconds=1),
        "authority": _authority(parsed.signer_certificate),
    }


def _authority(certificate: bytes | None) -> str | None:
    if certificate is None:
        return None
    try:
        return read_certificate(certificate).subject_text
    except CertificateMalformed:
        return None
