"""Licences: issued, changed, suspended, reinstated, cancelled, listed, downloaded, and seen by the public."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdempotencyKey,
    IdText,
    Limit,
    Page,
    ServicesOf,
)
from identity.ids import known_id
from identity.model import PageRequest
from licences.acts.holding import Download
from licences.acts.standing import MAX_REASON
from licences.acts.statements import MAX_CASE_NUMBER, MAX_HOLDER_NAME
from licences.ids import LicenceId
from licences.model import (
    ChangeRequest,
    HolderKind,
    IssueRequest,
    Licence,
    LicenceHolder,
    LicenceState,
    LicenceSummary,
)

router = APIRouter(prefix="/v1", tags=["licences"])

CREDENTIAL_TYPE: Final = "application/dc+sd-jwt"
_PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/pdf": {}}, "description": "the sealed PDF/A-3"}
}
_CREDENTIAL: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {CREDENTIAL_TYPE: {}}, "description": "SD-JWT VC with every disclosure"}
}

HolderName = Annotated[str, Field(min_length=1, max_length=MAX_HOLDER_NAME)]
CaseNumber = Annotated[str | None, Field(min_length=1, max_length=MAX_CASE_NUMBER)]
# What a type's own schema bounds further; each field is checked against it.
Fields = Annotated[dict[str, Any], Field(max_length=200)]


class HolderBody(Body):
    """The holder: a resident id number (GB 11643) for citizens, a USCC (GB 32100) for all others."""

    kind: HolderKind
    name: HolderName
    code: Annotated[str, Field(min_length=1, max_length=40)]


class IssueBody(Body):
    """What is to be issued. `valid_from` is today where it is left out; `valid_until` only where the type asks."""

    type_code: Annotated[str, Field(pattern=r"^[0-9A-Z]{21}$")]
    holder: HolderBody
    fields: Fields
    valid_from: date | None = None
    valid_until: date | None = None
    case_number: CaseNumber = None


class ChangeBody(Body):
    """What is to be said from now on; what is left out stays. `fields` replaces all of them."""

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]
    holder_name: HolderName | None = None
    fields: Fields | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    case_number: CaseNumber = None


class StandingBody(Body):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]


class HolderAnswer(Answer):
    """The holder as named on the licence."""

    kind: HolderKind
    name: str
    code: str


class IssuerAnswer(Answer):
    """The issuing agency; `code` is its USCC."""

    agency_id: str
    name: str
    code: str


class StatusReference(Answer):
    """Where a verifier finds the status (Token Status List)."""

    list_id: str
    index: int


class LicenceAnswer(Answer):
    """A licence as it stands; document and credential are at `/document` and `/credential` once it is issued."""

    id: str
    version: int
    identifier: str
    type_code: str
    state: LicenceState
    number: str
    holder: HolderAnswer
    issuer: IssuerAnswer
    fields: dict[str, Any]
    issued_on: date
    valid_from: date
    valid_until: date | None
    item_code: str
    case_number: str | None
    status: StatusReference
    public_url: str
    document_sha256: str | None
    seal_use_id: str | None
    created_at: datetime
    issued_at: datetime | None


class LicenceSummaryAnswer(Answer):
    """A licence in a list."""

    id: str
    version: int
    identifier: str
    type_key: str
    type_code: str
    state: LicenceState
    masked_holder: str
    issued_on: date
    valid_from: date
    valid_until: date | None


class PublicLicenceAnswer(Answer):
    """What anybody may know: standing and a masked name."""

    state: LicenceState
    masked_holder: str
    type_name_zh: str
    type_name_en: str
    as_of: datetime


_STILL_ISSUING: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": LicenceAnswer, "description": "an earlier request with this key is still being worked on"}
}


@router.post("/licences", status_code=201, responses=_STILL_ISSUING)
def issue_licence(
    body: IssueBody,
    idempotency_key: IdempotencyKey,
    response: Response,
    caller: CurrentCaller,
    services: ServicesOf,
) -> LicenceAnswer:
    """Issues a licence: number, sealed PDF/A-3, credential and status entry, or nothing."""
    request = IssueRequest(
        type_code=body.type_code,
        holder=LicenceHolder(kind=body.holder.kind, name=body.holder.name, code=body.holder.code),
        fields=body.fields,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        case_number=body.case_number,
    )
    return _made(services.licences.issue(request, caller, idempotency_key=idempotency_key), response)


@router.get("/licences")
def list_licences(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[LicenceSummaryAnswer]:
    """A holder's own licences, or those the agency issued, oldest first."""
    page = services.licences.holdings.page(caller, PageRequest(after=after, limit=limit))
    return Page(items=[_summary(one) for one in page.items], next=page.next)


@router.get("/licences/{licence_id}")
def get_licence(licence_id: IdText, caller: CurrentCaller, services: ServicesOf) -> LicenceAnswer:
    """One licence, for its holder and its issuer."""
    return _answer(services.licences.holdings.get(known_id(LicenceId, licence_id), caller))


@router.get("/licences/{licence_id}/document", response_class=Response, responses=_PDF)
def download_document(licence_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The sealed PDF/A-3 with its data attached; the download stands in the holder's usage log."""
    download = services.licences.holdings.document(known_id(LicenceId, licence_id), caller)
    return _file(download, "application/pdf")


@router.get("/licences/{licence_id}/credential", response_class=Response, responses=_CREDENTIAL)
def download_credential(licence_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The SD-JWT VC with every disclosure; the download stands in the holder's usage log."""
    download = services.licences.holdings.credential(known_id(LicenceId, licence_id), caller)
    return _file(download, CREDENTIAL_TYPE)


@router.post("/licences/{licence_id}/changes", status_code=201, responses=_STILL_ISSUING)
def change_licence(
    licence_id: IdText,
    body: ChangeBody,
    idempotency_key: IdempotencyKey,
    response: Response,
    caller: CurrentCaller,
    services: ServicesOf,
) -> LicenceAnswer:
    """Issues a new version in the place of the present one, which is then invalid."""
    request = ChangeRequest(
        licence_id=known_id(LicenceId, licence_id),
        reason=body.reason,
        holder_name=body.holder_name,
        fields=body.fields,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        case_number=body.case_number,
    )
    return _made(services.licences.change(request, caller, idempotency_key=idempotency_key), response)


@router.post("/licences/{licence_id}/suspensions", status_code=201)
def suspend_licence(
    licence_id: IdText, body: StandingBody, caller: CurrentCaller, services: ServicesOf
) -> LicenceAnswer:
    """The licence does not hold until it is reinstated; its public status follows at once."""
    standing = services.licences.standing
    return _answer(standing.suspend(known_id(LicenceId, licence_id), caller, reason=body.reason))


@router.post("/licences/{licence_id}/reinstatements", status_code=201)
def reinstate_licence(
    licence_id: IdText, body: StandingBody, caller: CurrentCaller, services: ServicesOf
) -> LicenceAnswer:
    """A suspended licence holds again."""
    standing = services.licences.standing
    return _answer(standing.reinstate(known_id(LicenceId, licence_id), caller, reason=body.reason))


@router.post("/licences/{licence_id}/cancellations", status_code=201)
def cancel_licence(
    licence_id: IdText, body: StandingBody, caller: CurrentCaller, services: ServicesOf
) -> LicenceAnswer:
    """The licence never holds again."""
    standing = services.licences.standing
    return _answer(standing.cancel(known_id(LicenceId, licence_id), caller, reason=body.reason))


@router.get("/public/licences/{token}")
def public_licence(token: Annotated[str, Path(max_length=80)], services: ServicesOf) -> PublicLicenceAnswer:
    """For anybody who holds a licence's page in hand: by the random token of its QR code."""
    return PublicLicenceAnswer.model_validate(services.licences.public.look_up(token))


def _made(licence: Licence, response: Response) -> LicenceAnswer:
    if licence.state is LicenceState.ISSUING:
        response.status_code = 202
    response.headers["Location"] = f"/v1/licences/{licence.version.licence_id}"
    return _answer(licence)


def _file(download: Download, media_type: str) -> Response:
    named = {"Content-Disposition": f'attachment; filename="{download.file_name}"'}
    return Response(download.content, media_type=media_type, headers=named)


def _answer(licence: Licence) -> LicenceAnswer:
    version, content, output = licence.version, licence.content, licence.output
    return LicenceAnswer(
        id=version.licence_id,
        version=version.version,
        identifier=version.identifier,
        type_code=version.type_code,
        state=licence.state,
        number=content.number,
        holder=HolderAnswer.model_validate(content.holder),
        issuer=IssuerAnswer(agency_id=version.agency_id, name=content.issuer_name, code=version.issuer_code),
        fields=dict(content.fields),
        issued_on=version.issued_on,
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        item_code=version.item_code,
        case_number=version.case_number,
        status=StatusReference(list_id=version.status_list_id, index=version.status_index),
        public_url=licence.public_url,
        document_sha256=None if output is None else output.document_sha256.hex(),
        seal_use_id=None if output is None else output.seal_use_id,
        created_at=version.created_at,
        issued_at=None if output is None else output.issued_at,
    )


def _summary(summary: LicenceSummary) -> LicenceSummaryAnswer:
    version = summary.version
    return LicenceSummaryAnswer(
        id=version.licence_id,
        version=version.version,
        identifier=version.identifier,
        type_key=summary.type_key,
        type_code=version.type_code,
        state=summary.state,
        masked_holder=version.masked_holder,
        issued_on=version.issued_on,
        valid_from=version.valid_from,
        valid_until=version.valid_until,
    )
