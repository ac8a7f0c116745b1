"""OCSP answers that stand alone (RFC 6960): who answered, whether they may, and what they say of which certificate.

A valid report says that the answer is genuine and current, not that the certificate it is about is good: that is
in the facts, and may be the contrary.
"""

from collections.abc import Iterator
from datetime import datetime

from trust.crypto import der, der_reader, schemes
from trust.crypto.digests import digest_of, sha256
from trust.crypto.errors import DerMalformed, PemMalformed, SignatureInvalid
from trust.crypto.pem import blocks_of
from trust.kernel.clock import rfc3339
from trust.kernel.report import Checks, Report
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.errors import CertificateMalformed, OcspMalformed
from trust.pki.ocsp import CertId, OcspAnswer, SingleResponse, read_ocsp
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose, usage_problems
from trust.pki.revocation_desk import CLOCK_TOLERANCE
from trust.pki.trust_store import TrustStore
from trust.verify.der_kinds import OCSP_LABELS
from trust.verify.pki_files import without_usage

KIND = "ocsp"


def verify_ocsp(data: bytes, *, trust: TrustStore, at: datetime) -> Report:
    """Verifies an OCSPResponse (DER or PEM) at the moment `at`.

    Checks: structure, issuer (the authority whose certificates it is about), signing-certificate (the responder),
    signature, freshness, and those of the path. A responder that refused to answer, an authority that is not at
    hand and an answer that has run out leave the answer open. Facts: responder, produced_at, answers (serial,
    state, this_update, next_update, revoked_at, reason), signature_algorithm, sha256.
    """
    checks = Checks()
    try:
        octets = data if data[:1] == b"\x30" else blocks_of(data, OCSP_LABELS)[0]
        answer = read_ocsp(octets)
    except (OcspMalformed, PemMalformed) as error:
        if _is_refusal(data):
            checks.unknown("structure", error.message, sub_indication="NO_SIGNATURE")
        else:
            checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=KIND, subject="", checks=checks.all())
    checks.passed("structure", f"answers about {len(answer.responses)} certificates")
    if answer.unprocessed:
        checks.unknown(
            "certificate-constraints",
            "the answer has a critical extension that is not processed here",
            sub_indication="GENERIC",
        )
    responder = _check_responder(checks, answer, trust, at)
    _check_freshness(checks, answer, at)
    facts = {
        "responder": None if responder is None else responder.subject_text,
        "produced_at": rfc3339(answer.produced_at),
        "answers": [_said(each) for each in answer.responses],
        "signature_algorithm": None if answer.scheme is None else answer.scheme.name,
        "sha256": sha256(octets).hex(),
    }
    return Report.conclude(kind=KIND, subject="", checks=checks.all(), facts=facts)


def _is_refusal(data: bytes) -> bool:
    """Whether it is an OCSPResponse with another status than successful: nothing is signed in it."""
    try:
        status = der_reader.read(data).fields().take(der.ENUMERATED)
        return status.integer(der.ENUMERATED) != 0
    except DerMalformed:
        return False


def _said(single: SingleResponse) -> dict[str, str | None]:
    return {
        "serial": f"{single.cert_id.serial:x}",
        "state": single.state.value,
        "this_update": rfc3339(single.this_update),
        "next_update": None if single.next_update is None else rfc3339(single.next_update),
        "revoked_at": None if single.revoked_at is None else rfc3339(single.revoked_at),
        "reason": None if single.reason is None else single.reason.name.lower().replace("_", " "),
    }


def _check_responder(
    checks: Checks, answer: OcspAnswer, trust: TrustStore, at: datetime
) -> Certificate | None:
    """The certificate whose key signed the answer, where it is at hand and may answer (RFC 6960 §4.2.2.2)."""
    # 1. The authority that all of it is about.
    known = (*trust.anchor_certificates, *trust.intermediate_certificates)
    authorities = [
        each for each in known if all(_is_about(single.cert_id, each) for single in answer.responses)
    ]
    if not authorities:
        checks.unknown(
            "issuer",
            "no certificate of the authority that the answer is about is at hand",
            sub_indication="NO_SIGNING_CERTIFICATE_FOUND",
        )
        return None
    checks.passed("issuer", authorities[0].subject_text)

    # 2. Signed by its own key, or by a responder that it certified for this.
    if answer.scheme is None:
        checks.unknown(
            "algorithm",
            "the answer is signed by an algorithm not known here",
            sub_indication="CRYPTO_CONSTRAINTS_FAILURE",
        )
        return None
    for authority in authorities:
        if answer.names(authority) and answer.is_signed_by(authority.spki):
            _note_signature(checks, answer)
            path = validate_path(authority.der, trust=trust, at=at, now=at, purpose=Purpose.ANY)
            checks.extend(without_usage(path.checks))
            return authority
        for responder in _responders(answer, authority, known):
            _note_signature(checks, answer)
            _check_delegation(checks, answer, responder, authority, trust=trust, at=at)
            return responder
    checks.failed(
        "signature",
        "the answer is signed neither by the authority nor by a responder that it certified",
        sub_indication="SIG_CRYPTO_FAILURE",
    )
    return None


def _note_signature(checks: Checks, answer: OcspAnswer) -> None:
    name = "" if answer.scheme is None else answer.scheme.name
    checks.passed("signature", f"the {name} signature matches the responder's key")


def _is_about(cert_id: CertId, authority: Certificate) -> bool:
    if cert_id.digest is None:
        return False
    # The key's BIT STRING without the count of unused bits (RFC 6960 §4.1.1).
    key = der_reader.read(authority.spki).children()[1].content[1:]
    return cert_id.issuer_key_hash == digest_of(
        key, cert_id.digest
    ) and cert_id.issuer_name_hash == digest_of(authority.subject, cert_id.digest)


def _responders(
    answer: OcspAnswer, authority: Certificate, known: tuple[Certificate, ...]
) -> Iterator[Certificate]:
    """Certificates that the authority issued and the answer names, whose key signed it."""
    for candidate in (*_readable(answer.certificates), *known):
        if (
            candidate.issuer_name == authority.subject_name
            and answer.names(candidate)
            and answer.is_signed_by(candidate.spki)
            and _is_certified_by(candidate, authority)
        ):
            yield candidate


def _is_certified_by(certificate: Certificate, authority: Certificate) -> bool:
    if certificate.scheme is None:
        return False
    try:
        schemes.verify(authority.spki, certificate.signature, certificate.tbs, certificate.scheme)
    except SignatureInvalid:
        return False
    return True


def _readable(octets: tuple[bytes, ...]) -> Iterator[Certificate]:
    for each in octets:
        try:
            yield read_certificate(each)
        except CertificateMalformed:
            continue


def _check_delegation(
    checks: Checks,
    answer: OcspAnswer,
    responder: Certificate,
    authority: Certificate,
    *,
    trust: TrustStore,
    at: datetime,
) -> None:
    """A responder is certified by the authority itself, for this, and was valid when it answered."""
    problems = usage_problems(responder, (authority,), Purpose.OCSP_SIGNING)
    if not responder.not_before <= answer.produced_at <= responder.not_after:
        problems.append(f"{responder.subject_text} was not valid when it answered")
    for problem in problems:
        checks.failed("signing-certificate", problem, sub_indication="CHAIN_CONSTRAINTS_FAILURE")
    if not problems:
        checks.passed("signing-certificate", f"{responder.subject_text} may answer for its authority")
    # RFC 6960 §4.2.2.2.1: of one with ocsp-nocheck the authority has said not to ask whether it was revoked.
    judged = authority if responder.extensions.ocsp_no_check else responder
    path = validate_path(
        judged.der,
        intermediates=answer.certificates,
        trust=trust,
        at=min(at, judged.not_after),
        now=at,
        purpose=Purpose.ANY,
    )
    checks.extend(without_usage(path.checks))


def _check_freshness(checks: Checks, answer: OcspAnswer, at: datetime) -> None:
    stale: list[str] = []
    for single in answer.responses:
        serial = f"{single.cert_id.serial:x}"
        if single.this_update > at + CLOCK_TOLERANCE:
            stale.append(
                f"the answer about {serial} is of {rfc3339(single.this_update)}, after the moment asked about"
            )
        elif single.next_update is None:
            stale.append(f"the answer about {serial} does not say until when it holds")
        elif at > single.next_update:
            stale.append(f"newer information about {serial} was due at {rfc3339(single.next_update)}")
    for detail in stale:
        checks.unknown("freshness", detail, sub_indication="TRY_LATER")
    if not stale:
        checks.passed("freshness", "every answer is current")
