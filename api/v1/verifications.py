"""Verifications: anybody's file, judged against what this service would have a stranger trust."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import AwareDatetime

from api.dependencies import Answer, Body, ServicesOf, checked_form, read_upload
from api.verification.batches import MAX_BATCH_FILES, Batch, BatchFile
from api.verification.names import shown_name
from api.verification.uploads import content_of
from api.web.languages import accepted_language
from trust.kernel.errors import TooLarge
from trust.kernel.report import Check, Indication, Outcome, Report
from trust.verify.content import SignedContent
from trust.verify.texts import (
    Language,
    check_text,
    fact_text,
    indication_text,
    kind_text,
    outcome_text,
    reason_text,
)

router = APIRouter(prefix="/v1", tags=["verification"])


class CheckAnswer(Answer):
    """One check: stable codes, the same in words, and the specifics as an English sentence."""

    code: str
    title: str
    outcome: Outcome
    outcome_text: str
    sub_indication: str | None
    reason: str | None
    detail: str


class ReportAnswer(Answer):
    """A report: what it came to, every check, facts worth showing, and what lies inside.

    `etsi_indication` and `sub_indication` say the same in the words of ETSI EN 319 102-1 §5.1.3; the second is null
    where it is valid.
    """

    kind: str
    kind_text: str
    subject: str
    indication: Indication
    indication_text: str
    etsi_indication: str
    sub_indication: str | None
    checks: list[CheckAnswer]
    facts: dict[str, Any]
    fact_titles: dict[str, str]
    parts: list["ReportAnswer"]


class VerificationAnswer(ReportAnswer):
    """The report on the file, the moment it is of, and the language of its words."""

    verified_at: datetime
    language: Language


class BatchItemAnswer(Answer):
    """One file of a batch; `content` names the file of the same batch that a detached signature was held against."""

    name: str
    content: str | None
    report: ReportAnswer


class BatchAnswer(Answer):
    """A report for every file, in order, and how many came to what."""

    items: list[BatchItemAnswer]
    valid: int
    invalid: int
    cannot_tell: int
    verified_at: datetime
    language: Language


class VerificationFields(Body):
    """What may be asked beside the file."""

    at: AwareDatetime | None
    digest: str | None = None


Moment = Annotated[str | None, Form(max_length=40, description="moment to verify at, RFC 3339")]
Spoken = Annotated[Language | None, Query(description="else by Accept-Language")]


@router.post("/verifications")
def verify_file(
    request: Request,
    services: ServicesOf,
    file: Annotated[
        UploadFile,
        File(
            description="a sealed PDF, a licence credential, an archive package, a ledger's word, a signature file, "
            "a timestamp, a certificate, a revocation list"
        ),
    ],
    content: Annotated[
        UploadFile | None, File(description="what a detached signature or a timestamp is over")
    ] = None,
    digest: Annotated[
        str | None,
        Form(max_length=140, description="instead of `content`: its digest, as sha256:<hexadecimal digits>"),
    ] = None,
    at: Moment = None,
    language: Spoken = None,
) -> VerificationAnswer:
    """Verifies a file. Nothing is kept; whatever the file holds, the answer is a report."""
    fields = checked_form(VerificationFields, at=at, digest=digest)
    spoken = language or accepted_language(request.headers.get("accept-language", ""))
    limit = services.settings.max_document_bytes
    report, moment = services.verification.verify(
        lambda: read_upload(file, limit),
        name=file.filename or "",
        address=address_of(request),
        at=fields.at,
        content=lambda: content_of(content, limit, digest=fields.digest),
    )
    return VerificationAnswer(**_report(report, spoken), verified_at=moment, language=spoken)


@router.post("/verifications/batches")
def verify_batch(
    request: Request,
    services: ServicesOf,
    files: Annotated[
        list[UploadFile],
        File(
            description=f"at most {MAX_BATCH_FILES} files of different names, together no larger than one file may "
            "be; `x.p7s` or `x.tsr` is held against `x` where that is among them"
        ),
    ],
    at: Moment = None,
    language: Spoken = None,
) -> BatchAnswer:
    """Verifies several files in one go, each by itself: one that is invalid spoils no other's answer."""
    fields = checked_form(VerificationFields, at=at)
    spoken = language or accepted_language(request.headers.get("accept-language", ""))
    limit = services.settings.max_document_bytes
    if sum(file.size or 0 for file in files) > limit:
        raise TooLarge(f"the files of a batch have at most {limit} octets together")
    batch = Batch([_batch_file(file, limit) for file in files])
    items, moment = services.verification.verify_batch(batch, address=address_of(request), at=fields.at)
    outcomes = Counter(item.report.indication for item in items)
    return BatchAnswer(
        items=[
            BatchItemAnswer(
                name=item.name, content=item.content, report=ReportAnswer(**_report(item.report, spoken))
            )
            for item in items
        ],
        valid=outcomes[Indication.VALID],
        invalid=outcomes[Indication.INVALID],
        cannot_tell=outcomes[Indication.CANNOT_TELL],
        verified_at=moment,
        language=spoken,
    )


def address_of(request: Request) -> str:
    """The visitor's address."""
    return request.client.host if request.client else "unknown"


def _batch_file(file: UploadFile, limit: int) -> BatchFile:
    def read() -> bytes:
        file.file.seek(0)
        return read_upload(file, limit)

    def content() -> SignedContent:
        return content_of(file, limit) or SignedContent()

    return BatchFile(name=shown_name(file.filename or ""), read=read, content=content)


def _report(report: Report, language: Language) -> dict[str, Any]:
    return {
        "kind": report.kind,
        "kind_text": kind_text(report.kind, language),
        "subject": report.subject,
        "indication": report.indication,
        "indication_text": indication_text(report.indication, language),
        "etsi_indication": report.indication.etsi,
        "sub_indication": report.sub_indication,
        "checks": [_check(check, language) for check in report.checks],
        "facts": dict(report.facts),
        "fact_titles": {name: fact_text(name, language) for name in report.facts},
        "parts": [ReportAnswer(**_report(part, language)) for part in report.parts],
    }


def _check(check: Check, language: Language) -> CheckAnswer:
    return CheckAnswer(
        code=check.code,
        title=check_text(check.code, language),
        outcome=check.outcome,
        outcome_text=outcome_text(check.outcome, language),
        sub_indication=check.sub_indication,
        reason=reason_text(check.sub_indication, language) if check.sub_indication else None,
        detail=check.detail,
    )
