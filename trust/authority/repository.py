"""Queries over certificates, revocations and CRLs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import insert

from trust.authority.model import Authority, CertificateRecord
from trust.authority.tables import certificate_intents, certificates, crls, revocations
from trust.storage.database import ReadWork


class Certificates:
    """Issued certificates and their revocations."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def intend(
        self,
        *,
        serial: str,
        authority: Authority,
        owner: str,
        agency: str | None,
        payload: Mapping[str, Any],
        at: datetime,
    ) -> None:
        self._work.execute(
            certificate_intents.insert().values(
                serial=serial,
                authority=authority.value,
                owner=owner,
                agency=agency,
                payload=dict(payload),
                at=at,
            )
        )

    def add(self, record: CertificateRecord, *, at: datetime) -> None:
        self._work.execute(
            certificates.insert().values(
                serial=record.serial,
                authority=record.authority.value,
                profile=record.profile,
                owner=record.owner,
                agency=record.agency,
                certificate=record.certificate,
                not_before=record.not_before,
                not_after=record.not_after,
                at=at,
            )
        )

    def find(self, serial: str) -> CertificateRecord | None:
        row = self._work.execute(_records().where(certificates.c.serial == serial)).one_or_none()
        return None if row is None else _record(row)

    def of_owner(self, owner: str) -> tuple[CertificateRecord, ...]:
        rows = self._work.execute(_records().where(certificates.c.owner == owner).order_by(certificates.c.at))
        return tuple(map(_record, rows))

    def revoke(self, serial: str, authority: Authority, *, reason: str, at: datetime) -> bool:
        """Records the revocation; False where the certificate is revoked already."""
        statement = insert(revocations).values(serial=serial, authority=authority.value, reason=reason, at=at)
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def revoked_by(self, authority: Authority) -> tuple[tuple[str, datetime, str], ...]:
        """Serial, moment and reason of every certificate this authority has revoked."""
        rows = self._work.execute(
            select(revocations.c.serial, revocations.c.at, revocations.c.reason)
            .where(revocations.c.authority == authority.value)
            .order_by(revocations.c.at)
        )
        return tuple((row.serial, row.at, row.reason) for row in rows)


class Crls:
    """Published CRLs."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def newest(self, authority: Authority) -> Row[Any] | None:
        """number, crl, this_update and next_update of the newest."""
        return self._work.execute(
            select(crls).where(crls.c.authority == authority.value).order_by(crls.c.number.desc()).limit(1)
        ).one_or_none()

    def add(
        self, authority: Authority, number: int, crl: bytes, this_update: datetime, next_update: datetime
    ) -> None:
        self._work.execute(
            crls.insert().values(
                authority=authority.value,
                number=number,
                crl=crl,
                this_update=this_update,
                next_update=next_update,
            )
        )


def _records() -> Select[Any]:
    return select(
        certificates, revocations.c.at.label("revoked_at"), revocations.c.reason.label("revocation_reason")
    ).outerjoin(revocations, revocations.c.serial == certificates.c.serial)


def _record(row: Row[Any]) -> CertificateRecord:
    return CertificateRecord(
        serial=row.serial,
        authority=Authority(row.authority),
        profile=row.profile,
        owner=row.owner,
        agency=row.agency,
        certificate=bytes(row.certificate),
        not_before=row.not_before,
        not_after=row.not_after,
        revoked_at=row.revoked_at,
        revocation_reason=row.revocation_reason,
    )
