"""Validating the signatures of a document: PAdES baseline B-B and B-T (ETSI EN 319 142-1, EN 319 102-1).

    report = validate(data, trust=trust, at=clock.now())
    report.require_valid()

Every check that can be made is made and reported; none hides another. Whatever the file does, the answer is a
report: this is the one place that strangers' documents come in.
"""

from datetime import datetime

from trust.crypto.cms import ID_DATA, ParsedCms
from trust.crypto.cms_checks import check_signer
from trust.crypto.digests import Digest, sha256
from trust.crypto.errors import CmsMalformed
from trust.documents.pdf.coverage import covered_digest
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentEncrypted, DocumentRefused, reading_a_strangers_file
from trust.documents.pdf.history import History
from trust.documents.pdf.later import LaterChanges
from trust.documents.pdf.signatures import EmbeddedSignature, read_signatures
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.kernel.errors import Broken, YinxinError
from trust.kernel.report import Checks, Indication, Report
from trust.pki.certificate import read_certificate
from trust.pki.errors import CertificateMalformed, TrustStoreRefused
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.timestamp import verify_token

_KIND = "pdf"
_SIGNATURE = "pdf-signature"
_DOCUMENT_TIMESTAMP = "pdf-document-timestamp"
# PAdES, and what came before it with the same kind of message inside (ISO 32000-1 §12.8.3.3).
_CMS_SUB_FILTERS = frozenset({"ETSI.CAdES.detached", "adbe.pkcs7.detached"})


def validate(data: bytes, *, trust: TrustStore, at: datetime) -> Report:
    """Verifies all signatures of a PDF file at the moment `at`; never raises on account of the file.

    Raises Broken where this installation itself is not in order.

    Kind `pdf`, one part of kind `pdf-signature` or `pdf-document-timestamp` for each signature. Checks:
    `document` where the file cannot be read, `signatures` where it has none (cannot tell). Facts: size, sha256,
    revisions, signatures.
    """
    checks = Checks()
    facts: dict[str, object] = {"size": len(data), "sha256": sha256(data).hex()}
    subject = f"sha256:{facts['sha256']}"
    parts: list[Report] = []
    try:
        with reading_a_strangers_file():
            document = Document(data)
            facts["revisions"] = len(document.cross_references.sections)
            history = History(document)
            signatures = read_signatures(history)
            facts["signatures"] = len(signatures)
            sound = LaterChanges(history, signatures)
            parts.extend(_validate_signature(document, each, sound, trust, at) for each in signatures)
    except DocumentEncrypted as error:
        checks.unknown("document", f"{error.code}: {error.message}", sub_indication="FORMAT_FAILURE")
    except (Broken, TrustStoreRefused):
        raise  # our own tables or trust material are not in order; that says nothing about the document
    except YinxinError as error:
        checks.failed("document", f"{error.code}: {error.message}", sub_indication="FORMAT_FAILURE")
    else:
        checks.passed("document", "the file can be read")
        if signatures:
            checks.passed("signatures", f"{len(signatures)} in the document")
        else:
            checks.unknown("signatures", "the document has no signature", sub_indication="NO_SIGNATURE")
    return Report.conclude(kind=_KIND, subject=subject, checks=checks.all(), facts=facts, parts=parts)


def _validate_signature(
    document: Document,
    signature: EmbeddedSignature,
    sound: LaterChanges,
    trust: TrustStore,
    at: datetime,
) -> Report:
    checks = Checks()
    parts: list[Report] = []
    facts: dict[str, object] = {
        "field": signature.field_name,
        "sub_filter": signature.sub_filter,
        "claimed_name": signature.text("Name"),
        "claimed_time": signature.text("M"),
    }

    # 1. Structure: what the signature covers, and that it is all but itself.
    message = _check_structure(checks, signature)
    if message is not None:
        facts["covered_bytes"] = signature.covered_end
        facts["covers_whole_file"] = signature.covered_end == len(document.data)

    # 2. The message: digest, signature, certificate, and its path at the best time known.
    if message is not None and signature.byte_range is not None:
        if signature.is_document_timestamp:
            imprint = covered_digest(document.data, signature.byte_range)
            parts.append(verify_token(message, imprint=imprint, trust=trust, at=at))
            facts["signing_time"] = parts[0].facts.get("gen_time")
        elif signature.sub_filter in _CMS_SUB_FILTERS:
            tokens = _check_message(
                checks,
                facts,
                message,
                document=document,
                byte_range=signature.byte_range,
                trust=trust,
                at=at,
            )
            parts.extend(tokens)
        else:
            checks.unknown(
                "sub-filter",
                f"signatures of the kind {signature.sub_filter or 'unnamed'} are not read here",
                sub_indication="FORMAT_FAILURE",
            )

    # 3. What came after it.
    _check_later_changes(checks, document, signature, sound)
    kind = _DOCUMENT_TIMESTAMP if signature.is_document_timestamp else _SIGNATURE
    return Report.conclude(
        kind=kind, subject=signature.field_name, checks=checks.all(), facts=facts, parts=parts
    )


def _check_structure(checks: Checks, signature: EmbeddedSignature) -> bytes | None:
    """Notes what is unsound; gives the message without its padding where all is sound."""
    problems = list(signature.problems)
    message = None
    if not problems:
        message, problem = _without_padding(signature.contents or b"")
        problems = [problem] if problem else []
    for problem in problems:
        checks.failed("structure", problem, sub_indication="FORMAT_FAILURE")
    if problems:
        return None
    checks.passed("structure", "the signature covers its revision but for its own /Contents")
    return message


def _without_padding(contents: bytes) -> tuple[bytes | None, str | None]:
    """The DER value at the beginning; whatever follows has to be zeros, or it could carry anything."""
    if len(contents) < 2 or contents[0] != 0x30:
        return None, "/Contents does not begin as a CMS message"
    size, head = contents[1], 2
    if size > 0x80:
        head += size - 0x80
        size = int.from_bytes(contents[2:head], "big")
    elif size == 0x80:
        return None, "the message in /Contents has no definite length, so it is not DER"
    if head + size > len(contents):
        return None, "the message in /Contents is cut off"
    if contents[head + size :].strip(b"\0"):
        return None, "the padding of /Contents holds something other than zeros"
    return contents[: head + size], None


def _check_message(
    checks: Checks,
    facts: dict[str, object],
    message: bytes,
    *,
    document: Document,
    byte_range: tuple[int, int, int, int],
    trust: TrustStore,
    at: datetime,
) -> list[Report]:
    try:
        parsed = ParsedCms.parse(message)
    except CmsMalformed as error:
        checks.failed("message", error.message, sub_indication="FORMAT_FAILURE")
        return []
    if parsed.econtent is not None:
        checks.failed("message", "the message holds content of its own", sub_indication="FORMAT_FAILURE")
    digests: dict[Digest, bytes] = {}
    if parsed.digest_algorithm is not None:
        digests[parsed.digest_algorithm] = covered_digest(document.data, byte_range, parsed.digest_algorithm)
    checks.extend(check_signer(parsed, digests=digests, content_type=ID_DATA))

    tokens = [
        verify_token(token, data=parsed.signature, trust=trust, at=at) for token in parsed.timestamp_tokens
    ]
    proven = [
        parse_rfc3339(str(token.facts["gen_time"]))
        for token in tokens
        if token.indication is Indication.VALID
    ]
    facts["level"] = "B-T" if proven else "B-B"
    facts["signing_time"] = rfc3339(min(proven)) if proven else None
    if parsed.signer_certificate is not None:
        facts["signer"] = _subject(parsed.signer_certificate)
        facts["certificate_sha256"] = sha256(parsed.signer_certificate).hex()
        path = validate_path(
            parsed.signer_certificate,
            intermediates=parsed.certificates,
            trust=trust,
            at=min(proven, default=at),
            purpose=Purpose.DOCUMENT_SIGNING,
            extra_crls=parsed.crls,
            time_is_proven=bool(proven),
        )
        checks.extend(path.checks)
    return tokens


def _subject(certificate: bytes) -> str | None:
    try:
        return read_certificate(certificate).subject_text
    except CertificateMalformed:
        return None


def _check_later_changes(
    checks: Checks, document: Document, signature: EmbeddedSignature, sound: LaterChanges
) -> None:
    if signature.problems:
        checks.unknown(
            "later-changes",
            "what was signed is not known, so neither is what was changed after it",
            sub_indication="FORMAT_FAILURE",
        )
        return
    try:
        problems = sound.after(signature).problems
    except DocumentRefused as error:
        problems = (error.message,)
    for problem in problems:
        checks.failed("later-changes", problem, sub_indication="FORMAT_FAILURE")
    if not problems:
        later = signature.covered_end < len(document.data)
        checks.passed("later-changes", "only what is allowed" if later else "none: the file ends with it")
