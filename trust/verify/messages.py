"""Signed messages (CMS and CAdES, ETSI EN 319 122-1; `.p7s`, `.p7m`): the content beside them or inside, every
signer judged by itself.

A signer at level B-T has a valid signature timestamp; its certificates are then judged at that time. Whatever the
message holds, the answer is a report.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from trust.crypto.cms_checks import check_signer
from trust.crypto.cms_oids import DATA_TYPES, ID_DATA
from trust.crypto.digests import Digest, digest_of, sha256
from trust.crypto.errors import CmsMalformed, PemMalformed
from trust.crypto.parsed_cms import ParsedCms
from trust.crypto.pem import blocks_of
from trust.crypto.policy import AlgorithmPolicy
from trust.crypto.signed_message import MessageSigner, SignedMessage, read_signed_message
from trust.kernel.clock import rfc3339
from trust.kernel.report import Check, Checks, Outcome, Report
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.standing import Standing
from trust.pki.trust_store import TrustStore
from trust.timestamp.verification import judge_token
from trust.verify.content import SignedContent
from trust.verify.der_kinds import MESSAGE_LABELS

KIND = "cms"
_SIGNER = "cms-signature"


def message_octets(data: bytes) -> bytes:
    """The message of a file, DER or BER; raises PemMalformed where its armour is broken."""
    return data if data[:1] == b"\x30" else blocks_of(data, MESSAGE_LABELS)[0]


def verify_message(data: bytes, *, content: SignedContent | None, trust: TrustStore, at: datetime) -> Report:
    """Verifies every signer of a message (PEM, DER or BER) at the moment `at`.

    Checks of the message: `structure`, `content` (is what was signed at hand, and the same inside as beside),
    `signatures`. One part of kind `cms-signature` for each signer, with a part for each of its timestamps.
    """
    checks = Checks()
    facts: dict[str, object] = {"size": len(data), "sha256": sha256(data).hex()}
    try:
        message = read_signed_message(message_octets(data))
    except (CmsMalformed, PemMalformed) as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=KIND, subject="", checks=checks.all(), facts=facts)
    checks.passed("structure", f"SignedData with {len(message.signers)} signers")
    facts["signatures"] = len(message.signers)
    facts["detached"] = message.econtent is None
    digests = _digests(checks, facts, message, content)
    if message.signers:
        checks.passed("signatures", f"{len(message.signers)} in the message")
    else:
        checks.unknown("signatures", "the message has no signer", sub_indication="NO_SIGNATURE")
    parts = [
        _verify_signer(signer, number, message=message, digests=digests, trust=trust, at=at)
        for number, signer in enumerate(message.signers, start=1)
    ]
    return Report.conclude(kind=KIND, subject="", checks=checks.all(), facts=facts, parts=parts)


def _digests(
    checks: Checks, facts: dict[str, object], message: SignedMessage, content: SignedContent | None
) -> Mapping[Digest, bytes] | None:
    """The content's digests by every signer's algorithm; None where there is no content to be had."""
    wanted = {
        signer.parsed.digest_algorithm
        for signer in message.signers
        if signer.parsed is not None and signer.parsed.digest_algorithm is not None
    } | {Digest.SHA256}
    if message.econtent is None and content is None:
        checks.unknown(
            "content",
            "the signature is detached and the content it is over is not beside it",
            sub_indication="SIGNED_DATA_NOT_FOUND",
        )
        return None
    if message.econtent is None and content is not None:
        digests = content.digests(wanted)
        checks.passed("content", "the content beside the signature")
    else:
        digests = SignedContent.of(message.econtent or b"").digests(wanted)
        facts["content_size"] = len(message.econtent or b"")
        _compare(checks, digests, content)
    if Digest.SHA256 in digests:
        facts["content_sha256"] = digests[Digest.SHA256].hex()
    return digests


def _compare(checks: Checks, inside: Mapping[Digest, bytes], content: SignedContent | None) -> None:
    """A reader who brings content besides takes it for what was signed, so it has to be."""
    beside = {} if content is None else content.digests(inside.keys())
    if not beside:
        checks.passed("content", "the content inside the message")
        return
    checks.note(
        "content",
        all(inside[name] == digest for name, digest in beside.items()),
        failed="HASH_FAILURE",
        detail="the content beside the message against that inside it",
    )


def _verify_signer(
    signer: MessageSigner,
    number: int,
    *,
    message: SignedMessage,
    digests: Mapping[Digest, bytes] | None,
    trust: TrustStore,
    at: datetime,
) -> Report:
    checks = Checks()
    facts: dict[str, object] = {}
    parsed = signer.parsed
    if parsed is None:
        if signer.unsupported:
            checks.unknown("message", signer.problem, sub_indication="SIG_CONSTRAINTS_FAILURE")
        else:
            checks.failed("message", signer.problem, sub_indication="FORMAT_FAILURE")
        return Report.conclude(kind=_SIGNER, subject=str(number), checks=checks.all(), facts=facts)

    # 1. When it was there at the latest. Nothing proves when the tokens themselves were: now.
    material = message.material.with_more(signer.material)
    standing = Standing(
        trust, (*material.certificates, *_certificates_in(parsed.timestamp_tokens)), policy=trust.policy
    )
    crls = [each for each in material.crls if standing.counts_list(each, at)]
    ocsps = [each for each in material.ocsp_responses if standing.counts_answer(each, at)]
    tokens = [
        judge_token(
            token,
            stamped=partial(digest_of, parsed.signature),
            trust=trust,
            at=at,
            existed_by=at,
            intermediates=material.certificates,
            extra_crls=crls,
            extra_ocsps=ocsps,
        )
        for token in parsed.timestamp_tokens
    ]
    proven = min((token.proves for token in tokens if token.proves is not None), default=None)
    claimed = "none" if signer.claimed_time is None else "claimed"
    facts["claimed_time"] = None if signer.claimed_time is None else rfc3339(signer.claimed_time)
    facts["signing_time"] = None if proven is None else rfc3339(proven)
    facts["signing_time_source"] = claimed if proven is None else "signature-timestamp"
    facts["level"] = "B-B" if proven is None else "B-T"

    # 2. The signature itself, over this content.
    checks.extend(_signature_checks(parsed, digests, at=proven or at, policy=trust.policy))
    facts["signature_algorithm"] = None if parsed.scheme is None else parsed.scheme.name
    facts["digest_algorithm"] = parsed.digest_algorithm

    # 3. Whose it is.
    if parsed.signer_certificate is not None:
        facts["signer"] = _subject(parsed.signer_certificate)
        facts["certificate_sha256"] = sha256(parsed.signer_certificate).hex()
        path = validate_path(
            parsed.signer_certificate,
            intermediates=material.certificates,
            trust=trust,
            at=proven or at,
            now=at,
            purpose=Purpose.DOCUMENT_SIGNING,
            extra_crls=crls,
            extra_ocsps=ocsps,
            time_is_proven=proven is not None,
        )
        checks.extend(path.checks)
        facts["chain"] = [{"subject": _subject(each), "sha256": sha256(each).hex()} for each in path.chain]
    return Report.conclude(
        kind=_SIGNER,
        subject=str(number),
        checks=checks.all(),
        facts=facts,
        parts=[token.report for token in tokens],
    )


def _certificates_in(tokens: Sequence[bytes]) -> Iterator[bytes]:
    for token in tokens:
        try:
            yield from ParsedCms.parse(token).certificates
        except CmsMalformed:
            continue


def _signature_checks(
    parsed: ParsedCms, digests: Mapping[Digest, bytes] | None, *, at: datetime, policy: AlgorithmPolicy
) -> tuple[Check, ...]:
    # GB/T 35275 has a name of its own for data.
    content_type = parsed.econtent_type if parsed.econtent_type in DATA_TYPES else ID_DATA
    if digests is not None:
        return check_signer(parsed, digests=digests, content_type=content_type, at=at, policy=policy)
    # The digest the signer claims stands in for the content, so that everything else is judged; that one check
    # then says that the content is missing.
    claimed = {} if parsed.digest_algorithm is None else {parsed.digest_algorithm: parsed.message_digest}
    missing = Check(
        code="digest",
        outcome=Outcome.UNKNOWN,
        detail="the content is not at hand, so its digest is not known",
        sub_indication="SIGNED_DATA_NOT_FOUND",
    )
    found = check_signer(parsed, digests=claimed, content_type=content_type, at=at, policy=policy)
    return (*(check for check in found if check.code != "digest"), missing)


def _subject(certificate: bytes) -> str | None:
    try:
        return read_certificate(certificate).subject_text
    except CertificateMalformed:
        return None
