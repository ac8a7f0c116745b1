"""The checks that a CMS signature itself allows: digest, signature value, signing certificate.

Whether the certificate is to be trusted is said by `trust.pki.path`.
"""

from collections.abc import Mapping
from datetime import datetime

from trust.crypto import schemes
from trust.crypto.digests import Digest, digest_of
from trust.crypto.errors import DerMalformed, SignatureInvalid
from trust.crypto.parsed_cms import ParsedCms, spki_of
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.crypto.schemes import KeyKind
from trust.kernel.report import Check, Checks, Outcome


def check_signer(
    parsed: ParsedCms,
    *,
    digests: Mapping[Digest, bytes],
    content_type: str,
    at: datetime | None = None,
    policy: AlgorithmPolicy | None = None,
) -> tuple[Check, ...]:
    """Checks `content-type`, `digest`, `signing-certificate` and `signature` (ETSI EN 319 102-1 §5.2.7, §5.2.3).

    `digests` are the content's, by every algorithm the caller computed; one that is not there leaves the check
    open. Unknown algorithms give UNKNOWN under the code `algorithm`. With `at`, the moment when the signature is
    proven to have existed or that of verifying, the policy says under the same code whether its algorithms were
    to be trusted then (§5.2.8).
    """
    checks = Checks()
    checks.note(
        "content-type",
        parsed.econtent_type == content_type,
        failed="FORMAT_FAILURE",
        detail=f"the signed content is of type {parsed.econtent_type}",
    )
    _check_digest(checks, parsed, digests)
    _check_signing_certificate(checks, parsed)
    _check_signature(checks, parsed)
    if at is not None:
        checks.extend(check_algorithms(parsed, at, policy or shipped_policy()))
    return checks.all()


def check_algorithms(parsed: ParsedCms, at: datetime, policy: AlgorithmPolicy) -> tuple[Check, ...]:
    """What the policy says at a moment of the message digest, and of the signature and its key.

    One passed check, or every one that is open. What is not known at all is told by `check_signer` already.
    """
    answers = []
    if parsed.digest_algorithm is not None:
        answers.append(policy.check_digest(parsed.digest_algorithm, at))
    if parsed.scheme is not None and parsed.signer_certificate is not None:
        answers.append(policy.check_signature(parsed.scheme, _key_of(parsed.signer_certificate), at))
    open_ones = dict.fromkeys(each for each in answers if each.outcome is not Outcome.PASSED)
    return tuple(open_ones) or tuple(answers[-1:])


def _key_of(certificate: bytes) -> KeyKind | None:
    try:
        return schemes.key_kind(spki_of(certificate))
    except DerMalformed:
        return None


def _check_digest(checks: Checks, parsed: ParsedCms, digests: Mapping[Digest, bytes]) -> None:
    algorithm = parsed.digest_algorithm
    if algorithm is None or algorithm not in digests:
        checks.unknown(
            "algorithm",
            f"the message digest is of an algorithm not computed here ({algorithm or 'unknown'})",
            sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
        )
        return
    checks.note(
        "digest",
        parsed.message_digest == digests[algorithm],
        failed="HASH_FAILURE",
        detail=f"the signed {algorithm} digest against that of the content",
    )


def _check_signing_certificate(checks: Checks, parsed: ParsedCms) -> None:
    if parsed.signer_certificate is None:
        checks.unknown(
            "signing-certificate",
            "the message holds no certificate with the signer's name",
            sub_indication="NO_SIGNING_CERTIFICATE_FOUND",
        )
    elif not parsed.signing_certificate_ids:
        version = "only in version 1 (SHA-1)" if parsed.has_signing_certificate_v1 else "missing"
        checks.unknown(
            "signing-certificate",
            f"the signed attribute that binds the signer's certificate is {version}",
            sub_indication="SIG_CONSTRAINTS_FAILURE",
        )
    elif parsed.signing_certificate_ids[0].digest is None:
        checks.unknown(
            "signing-certificate",
            "the signer's certificate is bound by a digest algorithm not known here",
            sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
        )
    else:
        bound = parsed.signing_certificate_ids[0]
        algorithm = bound.digest or Digest.SHA256
        checks.note(
            "signing-certificate",
            digest_of(parsed.signer_certificate, algorithm) == bound.value,
            failed="SIG_CONSTRAINTS_FAILURE",
            detail="the signer's certificate against its digest in the signed attributes",
        )


def _check_signature(checks: Checks, parsed: ParsedCms) -> None:
    if parsed.signer_certificate is None:
        return
    scheme = parsed.scheme
    if scheme is None or scheme.digest is not parsed.digest_algorithm:
        checks.unknown(
            "algorithm",
            "the signature is of an algorithm, or a pair of algorithms, not known here",
            sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
        )
        return
    try:
        spki = spki_of(parsed.signer_certificate)
        schemes.verify(spki, parsed.signature, parsed.signed_attrs, scheme)
    except (SignatureInvalid, DerMalformed) as error:
        checks.failed("signature", error.message, sub_indication="SIG_CRYPTO_FAILURE")
    else:
        checks.passed("signature", f"the {scheme.name} signature matches the signer's key")
