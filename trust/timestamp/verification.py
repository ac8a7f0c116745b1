"""Verifying a timestamp token: that these octets existed when the authority says."""

from datetime import datetime, timedelta

from trust.crypto.cms import ID_CT_TST_INFO, ParsedCms
from trust.crypto.cms_checks import check_signer
from trust.crypto.digests import Digest, digest_of
from trust.crypto.errors import CmsMalformed
from trust.kernel.clock import rfc3339
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Checks, Report
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.timestamp.errors import TimestampMalformed
from trust.timestamp.tokens import TstInfo, parse_token

_KIND = "timestamp"
# Clocks of two parties who both keep time differ by less.
CLOCK_TOLERANCE = timedelta(minutes=5)


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
    verifying: a token from later than that fails (TIMESTAMP_ORDER_FAILURE). Facts: gen_time (RFC 3339), serial
    (hex), policy, accuracy_ms, authority. Raises InvalidInput unless exactly one of `imprint` and `data` is given.
    """
    if (imprint is None) == (data is None):
        raise InvalidInput("a timestamp is verified over an imprint or over data, exactly one of them")
    checks = Checks()

    # 1. Read it.
    try:
        parsed, info = parse_token(token)
    except (CmsMalformed, TimestampMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=_KIND, subject="unreadable token", checks=checks.all())
    checks.passed("structure", "a token of one signer")

    # 2. It is about these octets, and its own signature holds.
    _check_imprint(checks, info, imprint, data)
    content = parsed.econtent or b""
    used = parsed.digest_algorithm
    digests = {} if used is None else {used: digest_of(content, used)}
    checks.extend(check_signer(parsed, digests=digests, content_type=ID_CT_TST_INFO))

    # 3. Its authority was to be trusted when it was made.
    if parsed.signer_certificate is not None:
        path = validate_path(
            parsed.signer_certificate,
            intermediates=parsed.certificates,
            trust=trust,
            at=info.gen_time,
            purpose=Purpose.TIMESTAMPING,
            extra_crls=parsed.crls,
        )
        checks.extend(path.checks)
    if at is not None:
        checks.note(
            "timestamp-order",
            info.gen_time <= at + CLOCK_TOLERANCE,
            failed="TIMESTAMP_ORDER_FAILURE",
            detail=f"the token is of {rfc3339(info.gen_time)}, verified at {rfc3339(at)}",
        )
    return Report.conclude(
        kind=_KIND, subject=f"token {info.serial:x}", checks=checks.all(), facts=_facts(parsed, info)
    )


def _check_imprint(checks: Checks, info: TstInfo, imprint: bytes | None, data: bytes | None) -> None:
    algorithm = info.imprint_algorithm
    if algorithm is None or (imprint is not None and algorithm is not Digest.SHA256):
        checks.unknown(
            "imprint",
            f"the token's imprint is of an algorithm not compared here ({algorithm or 'unknown'})",
            sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
        )
        return
    expected = imprint if data is None else digest_of(data, algorithm)
    checks.note(
        "imprint",
        info.imprint == expected,
        failed="HASH_FAILURE",
        detail=f"the token's {algorithm} imprint against the octets stamped",
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
