"""Reuses of archived materials by other cases, with what proves the delivered octets (材料复用)."""

import base64
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdText,
    Limit,
    Page,
    ServicesOf,
    page_of,
)
from api.v1.records import MaterialAnswer, material_answer, material_response
from archive.model import MaterialReuse, ReuseBasis
from archive.reuses.acts import GrantedReuse, ReuseRequest

router = APIRouter(prefix="/v1", tags=["archive"])


class MaterialReuseBody(Body):
    """What is to be reused, in which case, on which ground."""

    archival_code: Annotated[str, Field(min_length=1, max_length=120)]
    material: Annotated[str, Field(min_length=1, max_length=200, description="its name in the record")]
    case_number: Annotated[str, Field(min_length=1, max_length=80, description="the citing case")]
    purpose: Annotated[str, Field(min_length=1, max_length=2000)]
    basis: ReuseBasis
    basis_reference: Annotated[
        str,
        Field(min_length=1, max_length=300, description="the holder's consent, or the provision relied on"),
    ]


class MaterialReuseAnswer(Answer):
    """A reuse; the material is at `/v1/material-reuses/{id}/content` until `deliver_until`."""

    id: str
    archival_code: str
    material_name: str
    sha256: str
    holder_agency_id: str
    recipient_agency_id: str
    case_number: str
    purpose: str
    basis: ReuseBasis
    basis_reference: str
    granted_at: datetime
    deliver_until: datetime
    event_id: str


class ReuseProofAnswer(Answer):
    """What proves the octets: their digest is the material's in the package, the package's is under the timestamp.

    `timestamp` is an RFC 3161 token in base64, null while the authority has yet to be reached; `event_id` is the
    ledger's event that registered the record.
    """

    archival_code: str
    material: MaterialAnswer
    package_sha256: str
    timestamp: str | None
    event_id: str


class GrantedReuseAnswer(MaterialReuseAnswer):
    """A reuse with its proof."""

    proof: ReuseProofAnswer


@router.post("/material-reuses", status_code=201)
def reuse_material(
    body: MaterialReuseBody, caller: CurrentCaller, services: ServicesOf
) -> GrantedReuseAnswer:
    """Reuses one archived material in a case of the caller's agency; both agencies see it in the ledger."""
    granted = services.archive.reuses.grant(
        caller,
        ReuseRequest(
            archival_code=body.archival_code,
            material=body.material,
            case_number=body.case_number,
            purpose=body.purpose,
            basis=body.basis,
            basis_reference=body.basis_reference,
        ),
    )
    return _granted(granted)


@router.get("/material-reuses")
def list_material_reuses(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[MaterialReuseAnswer]:
    """Reuses of the agency's records and by its cases, for archive staff and auditors."""
    rows = services.archive.reuses.page(caller, after=after, limit=limit)
    return page_of(rows, [_reuse(row) for row in rows], limit)


@router.get("/material-reuses/{reuse_id}")
def get_material_reuse(reuse_id: IdText, caller: CurrentCaller, services: ServicesOf) -> GrantedReuseAnswer:
    """One reuse, with its proof."""
    return _granted(services.archive.reuses.get(caller, reuse_id))


@router.get(
    "/material-reuses/{reuse_id}/content",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "the material"}},
)
def get_reused_content(reuse_id: IdText, caller: CurrentCaller, services: ServicesOf) -> Response:
    """The reused material, to the application that reuses it; each delivery is an event of both agencies."""
    granted, octets = services.archive.reuses.content(caller, reuse_id)
    response = material_response(granted.proof.material, octets)
    # RFC 9530: what the proof is about.
    response.headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(granted.reuse.sha256).decode()}:"
    return response


def _reuse(reuse: MaterialReuse) -> MaterialReuseAnswer:
    return MaterialReuseAnswer(
        id=reuse.id,
        archival_code=reuse.archival_code,
        material_name=reuse.material,
        sha256=reuse.sha256.hex(),
        holder_agency_id=reuse.holder_agency_id,
        recipient_agency_id=reuse.recipient_agency_id,
        case_number=reuse.case_number,
        purpose=reuse.purpose,
        basis=reuse.basis,
        basis_reference=reuse.basis_reference,
        granted_at=reuse.granted_at,
        deliver_until=reuse.deliver_until,
        event_id=reuse.event_id,
    )


def _granted(granted: GrantedReuse) -> GrantedReuseAnswer:
    proof = granted.proof
    return GrantedReuseAnswer(
        **_reuse(granted.reuse).model_dump(),
        proof=ReuseProofAnswer(
            archival_code=proof.archival_code,
            material=material_answer(proof.material),
            package_sha256=proof.package_sha256.hex(),
            timestamp=None if proof.timestamp is None else base64.b64encode(proof.timestamp).decode(),
            event_id=proof.event_id,
        ),
    )
