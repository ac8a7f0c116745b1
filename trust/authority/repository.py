"""Queries over certificates, the acts upon them, and CRLs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert

from trust.authority.model import (
    ActRecord,
    CertificateRecord,
    CertificateStanding,
    RevocationAct,
    Standing,
)
from trust.authority.tables import certificate_intents, certificates, crls, revocation_acts
from trust.storage.database import ReadWork


class Certificates:
    """Issued certificates with their standing."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def intend(
        self,
        *,
        serial: str,
        authority: str,
        issuer_key: str,
        owner: str,
        agency: str | None,
        payload: Mapping[str, Any],
        at: datetime,
    ) -> bool:
        """Takes the serial for this certificate; False where it is taken already, by whichever authority."""
        statement = insert(certificate_intents).values(
            serial=serial,
            authority=str(authority),
            issuer_key=issuer_key,
            owner=owner,
            agency=agency,
            payload=dict(payload),
            at=at,
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def add(self, record: CertificateRecord, *, at: datetime) -> None:
        self._work.execute(
            certificates.insert().values(
                serial=record.serial,
                authority=str(record.authority),
                issuer_key=record.issuer_key,
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
        found = self._records(
            self._work.execute(select(certificates).where(certificates.c.serial == serial)).all()
        )
        return found[0] if found else None

    def intended_subject(self, serial: str) -> Mapping[str, str] | None:
        """The subject that the certificate of this serial was intended for, as short names to text."""
        payload = self._work.execute(
            select(certificate_intents.c.payload).where(certificate_intents.c.serial == serial)
        ).scalar_one_or_none()
        return None if payload is None else dict(payload["subject"])

    def of_owner(self, owner: str) -> tuple[CertificateRecord, ...]:
        return self._records(
            self._work.execute(
                select(certificates).where(certificates.c.owner == owner).order_by(certificates.c.at)
            ).all()
        )

    def last_end(self, issuer_key: str) -> datetime | None:
        """When the last certificate of this issuer ends; None where it has issued nothing."""
        ends: datetime | None = self._work.execute(
            select(func.max(certificates.c.not_after)).where(certificates.c.issuer_key == issuer_key)
        ).scalar_one()
        return ends

    def _records(self, rows: Sequence[Row[Any]]) -> tuple[CertificateRecord, ...]:
        standings = RevocationActs(self._work).standings([row.serial for row in rows])
        return tuple(_record(row, standings.get(row.serial, Standing())) for row in rows)


class RevocationActs:
    """Holds, releases and revocations: facts, numbered for each serial."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, act: ActRecord, *, authority: str, issuer_key: str) -> bool:
        """Records an act; False where another act upon the serial took its step, or it is revoked already."""
        statement = insert(revocation_acts).values(
            serial=act.serial,
            step=act.step,
            authority=str(authority),
            issuer_key=issuer_key,
            act=act.act.value,
            reason=act.reason,
            at=act.at,
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def standing(self, serial: str) -> Standing:
        """Where one certificate stands."""
        return self.standings([serial]).get(serial, Standing())

    def standings(self, serials: Sequence[str], *, issuer_key: str | None = None) -> dict[str, Standing]:
        """Where each of these serials (of this issuer) stands; those nothing was ever done to are left out."""
        if not serials:
            return {}
        statement = select(revocation_acts).where(revocation_acts.c.serial.in_(serials))
        if issuer_key is not None:
            statement = statement.where(revocation_acts.c.issuer_key == issuer_key)
        rows = self._work.execute(statement.order_by(revocation_acts.c.serial, revocation_acts.c.step))
        return _standings(map(_act, rows))

    def listed(self, issuer_key: str) -> tuple[int, tuple[tuple[str, Standing], ...]]:
        """How many acts there are upon this issuer's certificates, and what of them is held or revoked now."""
        acts = [
            _act(row)
            for row in self._work.execute(
                select(revocation_acts)
                .where(revocation_acts.c.issuer_key == issuer_key)
                .order_by(revocation_acts.c.serial, revocation_acts.c.step)
            )
        ]
        listed = (
            (serial, standing)
            for serial, standing in _standings(acts).items()
            if standing.state is not CertificateStanding.GOOD
        )
        return len(acts), tuple(sorted(listed, key=lambda pair: (pair[1].since, pair[0])))

    def count(self, issuer_key: str) -> int:
        """How many acts there are upon this issuer's certificates."""
        return int(
            self._work.execute(
                select(func.count())
                .select_from(revocation_acts)
                .where(revocation_acts.c.issuer_key == issuer_key)
            ).scalar_one()
        )


class Crls:
    """Published CRLs, numbered for each issuer's key."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def newest(self, issuer_key: str) -> Row[Any] | None:
        """number, acts, crl, this_update and next_update of the newest."""
        return self._work.execute(
            select(crls).where(crls.c.issuer_key == issuer_key).order_by(crls.c.number.desc()).limit(1)
        ).one_or_none()

    def add(
        self,
        issuer_key: str,
        number: int,
        crl: bytes,
        *,
        acts: int,
        this_update: datetime,
        next_update: datetime,
    ) -> None:
        self._work.execute(
            crls.insert().values(
                issuer_key=issuer_key,
                number=number,
                acts=acts,
                crl=crl,
                this_update=this_update,
                next_update=next_update,
            )
        )


def _standings(acts: Iterable[ActRecord]) -> dict[str, Standing]:
    """Where each serial stands after its acts, which come in their order."""
    standings: dict[str, Standing] = {}
    for act in acts:
        standings[act.serial] = standings.get(act.serial, Standing()).after(act)
    return standings


def _act(row: Row[Any]) -> ActRecord:
    return ActRecord(
        serial=row.serial, step=row.step, act=RevocationAct(row.act), reason=row.reason, at=row.at
    )


def _record(row: Row[Any], standing: Standing) -> CertificateRecord:
    return CertificateRecord(
        serial=row.serial,
        authority=row.authority,
        issuer_key=row.issuer_key,
        profile=row.profile,
        owner=row.owner,
        agency=row.agency,
        certificate=bytes(row.certificate),
        not_before=row.not_before,
        not_after=row.not_after,
        standing=standing,
    )
