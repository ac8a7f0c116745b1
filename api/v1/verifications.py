"""Verifications: anybody's file, judged against what this service would have a stranger trust."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import AwareDatetime

from api.dependencies import Answer, Body, ServicesOf, checked_form, read_upload
from api.web.languages import accepted_language
from trust.kernel.report import Check, Indication, Outcome, Report
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
    """A report: what it came to (ETSI EN 319 102-1), every check, facts worth showing, and what lies inside."""

    kind: str
    kind_text: str
    subject: str
    indication: Indication
    indication_text: str
    checks: list[CheckAnswer]
    facts: dict[str, Any]
    fact_titles: dict[str, str]
    parts: list["ReportAnswer"]


class VerificationAnswer(ReportAnswer):
    """The report on the file, the moment it is of, and the language of its words."""

    verified_at: datetime
    language: Language


class VerificationFields(Body):
    """What may be asked beside the file."""

    at: AwareDatetime | None


@router.post("/verifications")
def verify_file(
    request: Request,
    services: ServicesOf,
    file: Annotated[
        UploadFile,
        File(description="a sealed PDF, a licence credential, an archive package, a ledger's word"),
    ],
    at: Annotated[str | None, Form(max_length=40, description="moment to verify at, RFC 3339")] = None,
    language: Annotated[Language | None, Query(description="else by Accept-Language")] = None,
) -> VerificationAnswer:
    """Verifies a file. Nothing is kept; whatever the file holds, the answer is a report."""
    fields = checked_form(VerificationFields, at=at)
    spoken = language or accepted_language(request.headers.get("accept-language", ""))
    report, moment = services.verification.verify(
        lambda: read_upload(file, services.settings.max_document_bytes),
        name=file.filename or "",
        address=request.client.host if request.client else "unknown",
        at=fields.at,
    )
    return VerificationAnswer(**_report(report, spoken), verified_at=moment, language=spoken)


def _report(report: Report, language: Language) -> dict[str, Any]:
    return {
        "kind": report.kind,
        "kind_text": kind_text(report.kind, language),
        "subject": report.subject,
        "indication": report.indication,
        "indication_text": indication_text(report.indication, language),
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
