"""The rows of certificates and of the requests they answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert

from identity import tables as t
from identity.ids import AgencyId, CertificateRequestId
from identity.model import Certificate, EveryAgency, PageRequest, RevocationReason
from trust.storage.database import ReadWork, Work


@dataclass(frozen=True, kw_only=True)
class Sight:
    """Which certificates a caller sees: an owner's, and for administrators an agency's or every one."""

    owner: str
    agency: AgencyId | EveryAgency | None = None


@dataclass(frozen=True, kw_only=True)
class CertificateRequest:
    """A party's request for a certificate, kept before the authority acts on it."""

    id: CertificateRequestId
    owner: str
    agency_id: AgencyId | None
    profile: str
    csr_digest: bytes


class CertificateRows:
    """Certificates as parties see them."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def of_request(self, request_id: CertificateRequestId) -> Certificate | None:
        return self._one(t.certificates.c.request_id == request_id)

    def find(self, serial: str, sight: Sight) -> Certificate | None:
        return self._one(t.certificates.c.serial == serial, _seen_by(sight))

    def page(self, sight: Sight, page: PageRequest) -> list[Certificate]:
        key = t.certificates.c.request_id
        query = _certificates().where(_seen_by(sight))
        if page.after is not None:
            query = query.where(key > page.after)
        return [_certificate(row) for row in self._work.execute(query.order_by(key).limit(page.limit + 1))]

    def _one(self, *where: ColumnElement[bool]) -> Certificate | None:
        row = self._work.execute(_certificates().where(*where)).one_or_none()
        return _certificate(row) if row else None


class CertificateInserts:
    """What is written about certificates."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def request(self, request: CertificateRequest, *, at: datetime, by: str) -> None:
        self._work.execute(insert(t.certificate_requests).values(**vars(request), at=at, by=by))

    def certificate(self, certificate: Certificate) -> bool:
        """Whether the request had no certificate before."""
        row = vars(certificate) | {"chain": list(certificate.chain)}
        for derived in ("suspensions", "suspended_at", "suspended_by", "revoked_at", "revocation_reason"):
            del row[derived]
        statement = insert(t.certificates).values(**row).on_conflict_do_nothing(index_elements=["request_id"])
        return self._work.execute(statement).rowcount == 1

    def suspension(self, serial: str, step: int, *, at: datetime, by: str) -> None:
        """A hold where `step` is odd, a release where it is even; whoever calls has locked the certificate."""
        self._work.execute(insert(t.certificate_suspensions).values(serial=serial, step=step, at=at, by=by))

    def revocation(self, serial: str, reason: RevocationReason, *, at: datetime, by: str) -> bool:
        """Whether it was not revoked before."""
        row = {"serial": serial, "reason": reason.value, "at": at, "by": by}
        statement = insert(t.certificate_revocations).values(**row).on_conflict_do_nothing()
        return self._work.execute(statement).rowcount == 1


def _seen_by(sight: Sight) -> ColumnElement[bool]:
    if sight.agency is EveryAgency.EVERY:
        return true()
    own = t.certificates.c.owner == sight.owner
    return own if sight.agency is None else or_(own, t.certificates.c.agency_id == sight.agency)


def _certificates() -> Select[Any]:
    revocations, suspensions = t.certificate_revocations, t.certificate_suspensions
    newest = (
        select(suspensions.c.serial, func.max(suspensions.c.step).label("step"))
        .group_by(suspensions.c.serial)
        .subquery()
    )
    last = suspensions.alias()
    return (
        select(
            t.certificates,
            last.c.step.label("suspensions"),
            last.c.at.label("suspended_at"),
            last.c.by.label("suspended_by"),
            revocations.c.at.label("revoked_at"),
            revocations.c.reason.label("revocation_reason"),
        )
        .outerjoin(revocations, revocations.c.serial == t.certificates.c.serial)
        .outerjoin(newest, newest.c.serial == t.certificates.c.serial)
        .outerjoin(last, and_(last.c.serial == newest.c.serial, last.c.step == newest.c.step))
    )


def _certificate(row: Any) -> Certificate:
    suspensions = row.suspensions or 0
    on_hold = suspensions % 2 == 1 and row.revoked_at is None
    return Certificate(
        request_id=CertificateRequestId(row.request_id),
        serial=row.serial,
        profile=row.profile,
        owner=row.owner,
        agency_id=AgencyId(row.agency_id) if row.agency_id else None,
        certificate=bytes(row.certificate),
        chain=tuple(map(bytes, row.chain)),
        not_before=row.not_before,
        not_after=row.not_after,
        issued_at=row.issued_at,
        suspensions=suspensions,
        suspended_at=row.suspended_at if on_hold else None,
        suspended_by=row.suspended_by if on_hold else None,
        revoked_at=row.revoked_at,
        revocation_reason=RevocationReason(row.revocation_reason) if row.revocation_reason else None,
    )
