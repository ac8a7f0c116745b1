"""Queries over ceremonies' logs, requests to others, and others' anchors."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from trust.authority.ceremony_tables import (
    ceremony_logs,
    certificate_requests,
    external_anchors,
    imported_certificates,
)
from trust.authority.tables import certificates
from trust.pki.anchors import AnchorTerms, purposes_by_word
from trust.pki.profiles import ProfileName
from trust.storage.database import ReadWork


class Requests:
    """Requests for certificates from elsewhere, and what answered them."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, **values: Any) -> None:
        """A request that was signed; the columns by name."""
        self._work.execute(certificate_requests.insert().values(**values))

    def find(self, request_id: str) -> Row[Any] | None:
        """The request of this id."""
        return self._work.execute(
            select(certificate_requests).where(certificate_requests.c.id == request_id)
        ).one_or_none()

    def open(self, label: str | None = None) -> tuple[Row[Any], ...]:
        """Requests that nothing has answered yet, oldest first; of one label where it is given."""
        statement = (
            select(certificate_requests)
            .outerjoin(imported_certificates, imported_certificates.c.request_id == certificate_requests.c.id)
            .where(imported_certificates.c.request_id.is_(None))
            .order_by(certificate_requests.c.at, certificate_requests.c.id)
        )
        if label is not None:
            statement = statement.where(certificate_requests.c.label == label)
        return tuple(self._work.execute(statement))

    def answer(self, request_id: str, *, certificate: bytes, chain: Sequence[bytes], at: datetime) -> bool:
        """Records what was taken for a request; False where something was already."""
        statement = insert(imported_certificates).values(
            request_id=request_id, certificate=certificate, chain=list(chain), at=at
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1


class ExternalAnchors:
    """Others' anchors, by the newest row about each."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def record(self, fingerprint: str, certificate: bytes, *, purposes: Sequence[str], at: datetime) -> None:
        self._work.execute(
            external_anchors.insert().values(
                fingerprint=fingerprint, certificate=certificate, purposes=list(purposes), at=at
            )
        )

    def certificates(self) -> tuple[bytes, ...]:
        """Those that are believed for something (DER)."""
        return tuple(bytes(row.certificate) for row in self._newest())

    def terms(self) -> Mapping[str, AnchorTerms]:
        """What each is believed for, by fingerprint."""
        return {
            row.fingerprint: AnchorTerms(purposes=purposes_by_word(row.purposes)) for row in self._newest()
        }

    def _newest(self) -> Iterator[Row[Any]]:
        rows = self._work.execute(
            select(external_anchors)
            .ext(distinct_on(external_anchors.c.fingerprint))
            .order_by(external_anchors.c.fingerprint, external_anchors.c.position.desc())
        )
        return (row for row in rows if row.purposes)


class Bridges:
    """Certificates by which one key of a root certifies another (RFC 4210 §4.4)."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def all(self) -> tuple[bytes, ...]:
        """Every one that was issued here or taken in (DER), oldest first."""
        issued = self._work.execute(
            select(certificates.c.certificate)
            .where(certificates.c.profile == ProfileName.CROSS.value)
            .order_by(certificates.c.at, certificates.c.serial)
        )
        return tuple(bytes(row.certificate) for row in issued)


class CeremonyLogs:
    """The logs of ceremonies, signed."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, log_id: str, *, file_sha256: bytes, note: str, at: datetime) -> None:
        self._work.execute(
            ceremony_logs.insert().values(id=log_id, file_sha256=file_sha256, note=note, at=at)
        )

    def all(self) -> tuple[Row[Any], ...]:
        """Every log, oldest first."""
        return tuple(self._work.execute(select(ceremony_logs).order_by(ceremony_logs.c.at)))
