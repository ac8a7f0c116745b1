"""Validating the signatures of a document: PAdES baseline B-B to B-LTA (ETSI EN 319 142-1, EN 319 102-1).

    report = validate(data, trust=trust, at=clock.now())
    report.require_valid()

Every check that can be made is made and reported; none hides another. Whatever the file does, the answer is a
report: this is the one place that strangers' documents come in.
"""

import hashlib
from datetime import datetime

from trust.documents.pdf.ambiguity import ambiguity_in
from trust.documents.pdf.document import Document
from trust.documents.pdf.errors import DocumentEncrypted, reading_a_strangers_file
from trust.documents.pdf.history import History
from trust.documents.pdf.judging import SignatureJudge
from trust.documents.pdf.octets import Octets, feed
from trust.documents.pdf.signatures import EmbeddedSignature, read_signatures
from trust.kernel.errors import Broken, YinxinError
from trust.kernel.report import Checks, Report
from trust.pki.errors import TrustStoreRefused
from trust.pki.trust_store import TrustStore

_KIND = "pdf"


def validate(data: Octets, *, trust: TrustStore, at: datetime, existed_by: datetime | None = None) -> Report:
    """Verifies all signatures of a PDF file at the moment `at`; never raises on account of the file.

    `existed_by` is a moment by which the whole file is proven to have existed from outside it, as by an evidence
    record (RFC 4998): what is in it is then judged as of then, as if a document timestamp covered it.

    Raises Broken where this installation itself is not in order.

    Kind `pdf`, one part of kind `pdf-signature` or `pdf-document-timestamp` for each signature. Checks:
    `document` where the file cannot be read, `signatures` where it has none (cannot tell). Facts: size, sha256,
    revisions, signatures; the parts' are described in docs/schemas/verification-report.schema.json.
    """
    checks = Checks()
    facts: dict[str, object] = {"size": len(data), "sha256": _fingerprint(data)}
    parts: tuple[Report, ...] = ()
    signatures: tuple[EmbeddedSignature, ...] = ()
    ambiguity: str | None = None
    try:
        with reading_a_strangers_file():
            history = History(Document(data))
            facts["revisions"] = len(history.sections)
            signatures = read_signatures(history)
            facts["signatures"] = len(signatures)
            ambiguity = ambiguity_in(history.newest) if signatures else None
            parts = SignatureJudge(history, signatures, trust=trust, at=at, existed_by=existed_by).reports()
    except DocumentEncrypted as error:
        checks.unknown("document", f"{error.code}: {error.message}", sub_indication="FORMAT_FAILURE")
    except (Broken, TrustStoreRefused):
        raise  # our own tables or trust material are not in order; that says nothing about the document
    except YinxinError as error:
        checks.failed("document", f"{error.code}: {error.message}", sub_indication="FORMAT_FAILURE")
    else:
        if ambiguity is None:
            checks.passed("document", "the file can be read")
        else:
            checks.failed("document", ambiguity, sub_indication="FORMAT_FAILURE")
        if signatures:
            checks.passed("signatures", f"{len(signatures)} in the document")
        else:
            checks.unknown("signatures", "the document has no signature", sub_indication="NO_SIGNATURE")
    return Report.conclude(
        kind=_KIND, subject=f"sha256:{facts['sha256']}", checks=checks.all(), facts=facts, parts=parts
    )


def _fingerprint(data: Octets) -> str:
    running = hashlib.sha256()
    feed(data, 0, len(data), running)
    return running.hexdigest()
