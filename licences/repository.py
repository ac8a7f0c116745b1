"""Queries over licences and their versions; every one within the scope of an agency or a holder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from licences.errors import LicenceUnknown
from licences.ids import LicenceId, LicenceVersionId
from licences.model import (
    LICENCE_STEPS,
    AgencyRows,
    HolderKind,
    HolderRows,
    LicenceOutput,
    LicenceScope,
    LicenceState,
    LicenceVersion,
)
from licences.tables import (
    attempts,
    contents,
    credentials,
    issuing,
    licences,
    number_counters,
    outputs,
    transitions,
    versions,
)
from trust.ledger.model import Actor
from trust.storage.database import ReadWork


@dataclass(frozen=True, kw_only=True)
class NewLicence:
    """The row of a licence that is set out to be issued for the first time."""

    licence_id: LicenceId
    agency_id: str
    type_code: str
    issuer_code: str
    serial: str
    holder_kind: str
    holder_index: bytes


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """The row of a version that is set out to be issued."""

    version_id: LicenceVersionId
    licence_id: LicenceId
    version: int
    identifier: str
    replaces: str | None
    masked_holder: str
    status_list_id: str
    status_index: int
    public_token: str
    issued_on: date
    valid_from: date
    valid_until: date | None
    item_code: str
    case_number: str | None
    key_id: str
    requested_by: str


class LicenceRows:
    """The licences, in the caller's transaction."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    # Issuing.

    def lock(self, licence_id: str) -> None:
        """Waits until nobody else acts on this licence; held to the end of the transaction."""
        self._work.advisory_lock(f"licences/licence/{licence_id}")

    def next_number(self, *, agency_id: str, type_code: str, year: int) -> int:
        """The issuer's next number of the year for a type, from 1; who asks at once waits."""
        statement = upsert(number_counters).values(
            agency_id=agency_id, type_code=type_code, year=year, last=1
        )
        counted = statement.on_conflict_do_update(
            index_elements=["agency_id", "type_code", "year"], set_={"last": number_counters.c.last + 1}
        ).returning(number_counters.c.last)
        return int(self._work.execute(counted).scalar_one())

    def add_licence(self, licence: NewLicence, *, at: datetime) -> None:
        self._work.execute(insert(licences).values(**vars(licence), created_at=at))

    def add_version(self, version: NewVersion, *, sealed_content: bytes, at: datetime) -> None:
        """A version in the state `issuing`, with its content; it waits among those without an end."""
        self._work.execute(insert(versions).values(**vars(version), created_at=at))
        self._work.execute(insert(contents).values(version_id=version.version_id, sealed=sealed_content))
        self._work.execute(insert(issuing).values(version_id=version.version_id))

    def add_attempt(self, version_id: str, attempt: int, *, lease_until: datetime, at: datetime) -> bool:
        """Takes a version's n-th attempt; False where somebody has it already."""
        statement = upsert(attempts).values(
            version_id=version_id, attempt=attempt, lease_until=lease_until, at=at
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def last_attempt(self, version_id: str) -> tuple[int, datetime]:
        """Number and lease of a version's newest attempt."""
        row = self._work.execute(
            select(attempts.c.attempt, attempts.c.lease_until)
            .where(attempts.c.version_id == version_id)
            .order_by(attempts.c.attempt.desc())
            .limit(1)
        ).one()
        return int(row.attempt), row.lease_until

    def without_lease(self, *, at: datetime, limit: int) -> tuple[LicenceVersionId, ...]:
        """Versions that have no end and whose newest lease has run out, oldest first."""
        newest = (
            select(func.max(attempts.c.lease_until))
            .where(attempts.c.version_id == issuing.c.version_id)
            .scalar_subquery()
        )
        rows = self._work.execute(
            select(issuing.c.version_id).where(newest <= at).order_by(issuing.c.version_id).limit(limit)
        )
        return tuple(LicenceVersionId(row.version_id) for row in rows)

    def versions_in_work(self, licence_id: str) -> int:
        """How many versions of a licence are being issued."""
        return int(
            self._work.execute(
                select(func.count())
                .select_from(issuing)
                .join(versions, versions.c.version_id == issuing.c.version_id)
                .where(versions.c.licence_id == licence_id)
            ).scalar_one()
        )

    def highest_version(self, licence_id: str) -> int:
        """The highest version number a licence has used, abandoned ones included."""
        return int(
            self._work.execute(
                select(func.max(versions.c.version)).where(versions.c.licence_id == licence_id)
            ).scalar_one()
        )

    def conclude(
        self, version_id: str, *, output: LicenceOutput | None, sealed_credential: bytes | None
    ) -> None:
        """Keeps what was made, if anything, and takes the version from among those without an end."""
        if output is not None:
            self._work.execute(
                insert(outputs).values(
                    version_id=version_id,
                    document_key=output.document_key,
                    document_version=output.document_version,
                    document_sha256=output.document_sha256,
                    document_size=output.document_size,
                    seal_use_id=output.seal_use_id,
                    at=output.issued_at,
                )
            )
        if sealed_credential is not None:
            self._work.execute(insert(credentials).values(version_id=version_id, sealed=sealed_credential))
        self._work.execute(delete(issuing).where(issuing.c.version_id == version_id))

    # Standing.

    def move(
        self,
        version: LicenceVersion,
        state: LicenceState,
        *,
        actor: Actor,
        at: datetime,
        reason_code: str | None = None,
    ) -> None:
        """Records a version's next state; raises StateRefused on a step the table does not have.

        The caller holds the licence's lock and has read the version under it.
        """
        LICENCE_STEPS.require(version.stored_state, state)
        self._work.execute(
            insert(transitions).values(
                version_id=version.version_id,
                step=version.step + 1,
                state=state.value,
                reason_code=reason_code,
                actor_kind=actor.kind,
                actor_id=actor.id,
                at=at,
            )
        )

    # Finding.

    def version(self, version_id: str, *, scope: LicenceScope) -> LicenceVersion:
        """One version; raises LicenceUnknown outside the scope."""
        return self._one(versions.c.version_id == version_id, scope)

    def current(self, licence_id: str, *, scope: LicenceScope) -> LicenceVersion:
        """The version that stands for a licence: the last one issued, else the last one tried."""
        return self._one(licences.c.licence_id == licence_id, scope)

    def with_public_token(self, token: str) -> LicenceVersion | None:
        """The version whose page bears this token. The token itself is the right to ask."""
        row = self._work.execute(_versions().where(versions.c.public_token == token)).one_or_none()
        return None if row is None else _version(row)

    def page(self, *, scope: LicenceScope, after: str | None, limit: int) -> tuple[LicenceVersion, ...]:
        """Current versions of the licences in a scope, oldest licence first, at most `limit`."""
        conditions = [*_within(scope)]
        if after is not None:
            conditions.append(licences.c.licence_id > after)
        chosen = select(licences.c.licence_id).where(*conditions).order_by(licences.c.licence_id).limit(limit)
        rows = self._work.execute(_currents().where(licences.c.licence_id.in_(chosen)))
        return tuple(_version(row) for row in rows)

    def sealed_content(self, version_id: str) -> bytes | None:
        """The sealed content of a version the caller has found; None where it was erased."""
        return self._sealed(contents.c.sealed, contents.c.version_id, version_id)

    def sealed_credential(self, version_id: str) -> bytes | None:
        """The sealed credential of a version the caller has found; None where there is none."""
        return self._sealed(credentials.c.sealed, credentials.c.version_id, version_id)

    def output(self, version_id: str) -> LicenceOutput | None:
        """Where the document of a version the caller has found lies."""
        row = self._work.execute(select(outputs).where(outputs.c.version_id == version_id)).one_or_none()
        if row is None:
            return None
        return LicenceOutput(
            document_key=row.document_key,
            document_version=row.document_version,
            document_sha256=bytes(row.document_sha256),
            document_size=row.document_size,
            seal_use_id=row.seal_use_id,
            issued_at=row.at,
        )

    def _one(self, condition: ColumnElement[bool], scope: LicenceScope) -> LicenceVersion:
        row = self._work.execute(_currents().where(condition, *_within(scope)).limit(1)).one_or_none()
        if row is None:
            raise LicenceUnknown("there is no such licence")
        return _version(row)

    def _sealed(self, column: ColumnElement[bytes], key: ColumnElement[str], version_id: str) -> bytes | None:
        found = self._work.execute(select(column).where(key == version_id)).scalar_one_or_none()
        return None if found is None else bytes(found)


# How far a version has come: its last transition, or none yet.
_LAST: Final = (
    select(transitions.c.state, transitions.c.step)
    .where(transitions.c.version_id == versions.c.version_id)
    .order_by(transitions.c.step.desc())
    .limit(1)
    .lateral("last_transition")
)


def _versions() -> Select[Any]:
    return (
        select(
            versions,
            licences.c.agency_id,
            licences.c.type_code,
            licences.c.issuer_code,
            licences.c.holder_kind,
            licences.c.holder_index,
            func.coalesce(_LAST.c.state, LicenceState.ISSUING.value).label("state"),
            func.coalesce(_LAST.c.step, 0).label("step"),
        )
        .join(licences, licences.c.licence_id == versions.c.licence_id)
        .join(_LAST, literal(True), isouter=True)
    )


def _currents() -> Select[Any]:
    """One version for each licence: the last one issued, else the last one tried."""
    issued = (
        select(outputs.c.version_id)
        .where(outputs.c.version_id == versions.c.version_id)
        .exists()
        .correlate(versions)
    )
    return (
        _versions()
        .ext(distinct_on(licences.c.licence_id))
        .order_by(licences.c.licence_id, issued.desc(), versions.c.version.desc())
    )


def _within(scope: LicenceScope) -> Sequence[ColumnElement[bool]]:
    match scope:
        case AgencyRows():
            return [licences.c.agency_id == scope.agency_id]
        case HolderRows():
            # What was never issued is the issuer's affair alone.
            ever_issued = (
                select(outputs.c.version_id)
                .join(_OTHER, _OTHER.c.version_id == outputs.c.version_id)
                .where(_OTHER.c.licence_id == licences.c.licence_id)
                .exists()
                .correlate(licences)
            )
            return [licences.c.holder_index == scope.holder_index, ever_issued]
        case _:
            return []


_OTHER: Final = versions.alias("issued_versions")


def _version(row: Row[Any]) -> LicenceVersion:
    return LicenceVersion(
        version_id=row.version_id,
        licence_id=row.licence_id,
        agency_id=row.agency_id,
        type_code=row.type_code,
        issuer_code=row.issuer_code,
        version=row.version,
        identifier=row.identifier,
        replaces=row.replaces,
        holder_kind=HolderKind(row.holder_kind),
        holder_index=bytes(row.holder_index),
        masked_holder=row.masked_holder,
        status_list_id=row.status_list_id,
        status_index=row.status_index,
        public_token=row.public_token,
        issued_on=row.issued_on,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        item_code=row.item_code,
        case_number=row.case_number,
        key_id=row.key_id,
        requested_by=row.requested_by,
        created_at=row.created_at,
        stored_state=LicenceState(row.state),
        step=row.step,
    )
