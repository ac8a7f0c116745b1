"""Certificates: asked for with a CSR for a key of one's own, listed, put on hold and released, revoked."""

from datetime import datetime
from typing import Annotated

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from fastapi import APIRouter
from pydantic import Field, StringConstraints

from api.dependencies import (
    DEFAULT_PAGE,
    Answer,
    Body,
    CurrentCaller,
    Cursor,
    IdempotencyKey,
    Limit,
    Page,
    ServicesOf,
)
from identity.certificates.service import MAX_CSR_OCTETS
from identity.model import Certificate, PageRequest, RevocationReason

router = APIRouter(prefix="/v1", tags=["identity"])

Serial = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,40}$")]


class CertificateBody(Body):
    """A certificate signing request (PKCS #10) in PEM; its own subject is ignored."""

    csr: Annotated[str, Field(min_length=1, max_length=MAX_CSR_OCTETS)]


class RevocationBody(Body):
    """Why the certificate is revoked."""

    reason: RevocationReason


class CertificateAnswer(Answer):
    """A certificate and the chain that issued it, in PEM; `serial` in hex."""

    serial: str
    profile: str
    owner: str
    agency_id: str | None
    certificate: str
    chain: list[str]
    not_before: datetime
    not_after: datetime
    issued_at: datetime
    suspended_at: datetime | None
    revoked_at: datetime | None
    revocation_reason: RevocationReason | None


@router.post("/certificates", status_code=201)
def issue_certificate(
    body: CertificateBody, idempotency_key: IdempotencyKey, caller: CurrentCaller, services: ServicesOf
) -> CertificateAnswer:
    """Issues a certificate to the caller: citizen, organisation acted for, member of staff or application."""
    csr = body.csr.encode("utf-8")
    issued = services.identity.certificates.issue(caller, csr=csr, idempotency_key=idempotency_key)
    return _certificate(issued)


@router.get("/certificates")
def list_certificates(
    caller: CurrentCaller, services: ServicesOf, after: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Page[CertificateAnswer]:
    """The caller's certificates, and for administrators their agency's."""
    page = services.identity.certificates.list(caller, PageRequest(after=after, limit=limit))
    return Page(items=[_certificate(item) for item in page.items], next=page.next)


@router.post("/certificates/{serial}/suspensions", status_code=201)
def suspend_certificate(serial: Serial, caller: CurrentCaller, services: ServicesOf) -> CertificateAnswer:
    """Puts a certificate on hold (certificateHold): the own one, or as an administrator one of the agency's."""
    return _certificate(services.identity.certificates.suspend(caller, serial))


@router.post("/certificates/{serial}/releases", status_code=201)
def release_certificate(serial: Serial, caller: CurrentCaller, services: ServicesOf) -> CertificateAnswer:
    """Takes a certificate off hold: what its holder put on hold itself, or as an administrator any."""
    return _certificate(services.identity.certificates.release(caller, serial))


@router.post("/certificates/{serial}/revocations", status_code=201)
def revoke_certificate(
    serial: Serial, body: RevocationBody, caller: CurrentCaller, services: ServicesOf
) -> CertificateAnswer:
    """Revokes a certificate for good: the own one, or as an administrator one of the agency's."""
    return _certificate(services.identity.certificates.revoke(caller, serial, body.reason))


def _certificate(certificate: Certificate) -> CertificateAnswer:
    return CertificateAnswer(
        serial=certificate.serial,
        profile=certificate.profile,
        owner=certificate.owner,
        agency_id=certificate.agency_id,
        certificate=_pem(certificate.certificate),
        chain=[_pem(issuer) for issuer in certificate.chain],
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        issued_at=certificate.issued_at,
        suspended_at=certificate.suspended_at,
        revoked_at=certificate.revoked_at,
        revocation_reason=certificate.revocation_reason,
    )


def _pem(der: bytes) -> str:
    return load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode("ascii")
