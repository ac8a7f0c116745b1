"""Queries over seal uses: what was intended, prepared, how it ended, and what came after; batches of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import insert

from seals.errors import SealBatchUnknown, SealUseUnknown
from seals.model import (
    DocumentFiles,
    DocumentOutput,
    RefusedItem,
    SealBatch,
    SealPreparation,
    SealUse,
    SealUseKind,
    SealUseState,
    SignatureActivation,
    SignatureLevel,
    WhenTimestampAway,
)
from seals.tables import (
    seal_batches,
    seal_use_outcomes,
    seal_use_preparations,
    seal_use_signatures,
    seal_use_stampings,
    seal_uses,
    signature_activations,
)
from trust.storage.database import ReadWork


class SealUses:
    """Uses with their outcomes, if any."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def intend(self, *uses: SealUse) -> None:
        """Inserts the uses as intended, in one statement."""
        self._work.execute(seal_uses.insert(), [_values(use) for use in uses])

    def prepare(self, preparations: Mapping[str, SealPreparation], *, at: datetime) -> None:
        """Inserts a preparation for each of these uses, in one statement."""
        rows = [
            {
                "use_id": use_id,
                "digest": preparation.digest,
                "byte_range": list(preparation.byte_range),
                "field_name": preparation.field_name,
                "at": at,
            }
            for use_id, preparation in preparations.items()
        ]
        self._work.execute(seal_use_preparations.insert(), rows)

    def preparation(self, use_id: str) -> SealPreparation:
        """The newest preparation, the one that counts."""
        table = seal_use_preparations
        row = self._work.execute(
            select(table).where(table.c.use_id == use_id).order_by(table.c.position.desc()).limit(1)
        ).one()
        first, second, third, fourth = row.byte_range
        return SealPreparation(
            digest=bytes(row.digest), byte_range=(first, second, third, fourth), field_name=row.field_name
        )

    def conclude(
        self,
        use_id: str,
        state: SealUseState,
        *,
        output: DocumentOutput | None = None,
        below: SignatureLevel | None = None,
        event_id: str,
        at: datetime,
    ) -> bool:
        """Writes the one outcome; False where there is one already (the caller lost the race).

        `below` is the level reached where it is not the one wanted.
        """
        statement = insert(seal_use_outcomes).values(
            use_id=use_id,
            outcome=state.value,
            output_version=None if output is None else output.version,
            output_sha256=None if output is None else output.sha256,
            event_id=event_id,
            at=at,
            level=None if below is None else below.value,
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def keep_signature(self, use_id: str, signature: bytes, *, at: datetime) -> None:
        """Keeps what the key made of a digest, beside the outcome and in its transaction."""
        self._work.execute(seal_use_signatures.insert().values(use_id=use_id, signature=signature, at=at))

    def signatures(self, use_ids: Sequence[str]) -> Mapping[str, bytes]:
        """What the key made of these uses' digests; uses that have none are left out."""
        table = seal_use_signatures.c
        rows = self._work.execute(select(table.use_id, table.signature).where(table.use_id.in_(use_ids)))
        return {row.use_id: bytes(row.signature) for row in rows}

    def stamp(self, use_id: str, output: DocumentOutput, *, event_id: str, at: datetime) -> None:
        """Writes the output that a later timestamp completed; the caller holds `lock_stamping`."""
        self._work.execute(
            seal_use_stampings.insert().values(
                use_id=use_id,
                output_key=output.key,
                output_version=output.version,
                output_sha256=output.sha256,
                event_id=event_id,
                at=at,
            )
        )

    def lock_stamping(self, use_id: str) -> bool:
        """Holds the use's place until the transaction ends; False where it has its timestamp already."""
        self._work.advisory_lock(f"seal-use-stamping {use_id}")
        table = seal_use_stampings.c
        return self._work.execute(select(table.use_id).where(table.use_id == use_id)).first() is None

    def states(self, use_ids: Sequence[str]) -> Mapping[str, SealUseState]:
        """How these uses stand, over all agencies; ids of which there is no use are left out."""
        outcomes = seal_use_outcomes.c
        rows = self._work.execute(
            select(seal_uses.c.id, outcomes.outcome)
            .outerjoin(seal_use_outcomes, outcomes.use_id == seal_uses.c.id)
            .where(seal_uses.c.id.in_(use_ids))
        )
        return {
            row.id: SealUseState.INTENDED if row.outcome is None else SealUseState(row.outcome)
            for row in rows
        }

    def of_batch(self, batch_id: str, *, agency_id: str) -> tuple[SealUse, ...]:
        """The uses of a batch, in their places."""
        query = _uses().where(seal_uses.c.batch_id == batch_id, seal_uses.c.agency_id == agency_id)
        return tuple(map(_use, self._work.execute(query.order_by(seal_uses.c.batch_position))))

    def get(self, use_id: str, *, agency_id: str) -> SealUse:
        """Raises SealUseUnknown where there is none in this agency."""
        row = self._work.execute(
            _uses().where(seal_uses.c.id == use_id, seal_uses.c.agency_id == agency_id)
        ).one_or_none()
        if row is None:
            raise SealUseUnknown("there is no such seal use")
        return _use(row)

    def page(
        self, *, agency_id: str, seal_id: str | None, after: str | None, limit: int
    ) -> tuple[SealUse, ...]:
        query = _uses().where(seal_uses.c.agency_id == agency_id)
        if seal_id is not None:
            query = query.where(seal_uses.c.seal_id == seal_id)
        if after is not None:
            query = query.where(seal_uses.c.id > after)
        return tuple(map(_use, self._work.execute(query.order_by(seal_uses.c.id).limit(limit))))

    def unstamped(self, *, limit: int) -> tuple[SealUse, ...]:
        """Documents delivered below the level wanted, without their later timestamp; over all agencies."""
        query = (
            _uses()
            .where(
                seal_use_outcomes.c.level.is_not(None),
                seal_uses.c.kind == SealUseKind.DOCUMENT.value,
                seal_use_stampings.c.use_id.is_(None),
            )
            .order_by(func.random())  # those that cannot be completed never stand before all others
            .limit(limit)
        )
        return tuple(map(_use, self._work.execute(query)))

    def overdue(self, now: datetime, *, limit: int) -> tuple[SealUse, ...]:
        """Uses without an outcome whose lease has expired; for the worker, over all agencies."""
        query = (
            _uses()
            .where(seal_use_outcomes.c.use_id.is_(None), seal_uses.c.lease_until < now)
            .order_by(func.random())  # those that cannot be resolved never stand before all others
            .limit(limit)
        )
        return tuple(map(_use, self._work.execute(query)))


class SealBatches:
    """Requests of many uses."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, batch: SealBatch) -> None:
        self._work.execute(
            seal_batches.insert().values(
                id=batch.id,
                agency_id=batch.agency_id,
                application_id=batch.application_id,
                kind=batch.kind.value,
                size=batch.size,
                refused=[asdict(item) for item in batch.refused],
                at=batch.at,
            )
        )

    def get(self, batch_id: str, *, agency_id: str) -> SealBatch:
        """Raises SealBatchUnknown where there is none in this agency."""
        table = seal_batches
        row = self._work.execute(
            select(table).where(table.c.id == batch_id, table.c.agency_id == agency_id)
        ).one_or_none()
        if row is None:
            raise SealBatchUnknown("there is no such batch of seal uses")
        return SealBatch(
            id=row.id,
            agency_id=row.agency_id,
            application_id=row.application_id,
            kind=SealUseKind(row.kind),
            size=row.size,
            refused=tuple(RefusedItem(**item) for item in row.refused),
            at=row.at,
        )


class SignatureActivations:
    """Activation data given out and not yet spent."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(self, activation: SignatureActivation) -> None:
        self._work.execute(
            signature_activations.insert().values(
                token_digest=activation.token_digest,
                agency_id=activation.agency_id,
                application_id=activation.application_id,
                authorisation_id=activation.authorisation_id,
                hashes=activation.hashes,
                hash_count=activation.count,
                expires_at=activation.expires_at,
            )
        )

    def spend(self, token_digest: bytes, *, application_id: str) -> SignatureActivation | None:
        """Takes the activation of this application for good; of two that race only one is given it."""
        table = signature_activations
        row = self._work.execute(
            table.delete()
            .where(table.c.token_digest == token_digest, table.c.application_id == application_id)
            .returning(*table.c)
        ).one_or_none()
        if row is None:
            return None
        return SignatureActivation(
            token_digest=bytes(row.token_digest),
            agency_id=row.agency_id,
            application_id=row.application_id,
            authorisation_id=row.authorisation_id,
            hashes=bytes(row.hashes),
            count=row.hash_count,
            expires_at=row.expires_at,
        )

    def live(self, authorisation_id: str) -> int:
        """How many this authorisation has that are not spent; held until the transaction ends, so that none is added.

        Expired ones count unless `forget_expired` came first.
        """
        self._work.advisory_lock(f"signature-activations {authorisation_id}")
        table = signature_activations.c
        query = select(func.count()).where(table.authorisation_id == authorisation_id)
        return int(self._work.execute(query).scalar_one())

    def forget_expired(self, now: datetime) -> int:
        """Removes what nobody can use any more; how many there were."""
        table = signature_activations
        return self._work.execute(table.delete().where(table.c.expires_at <= now)).rowcount


def _uses() -> Select[Any]:
    outcomes, stampings = seal_use_outcomes.c, seal_use_stampings.c
    return (
        select(
            seal_uses,
            outcomes.outcome,
            outcomes.output_version,
            outcomes.output_sha256,
            outcomes.event_id,
            outcomes.level.label("below"),
            outcomes.at.label("concluded_at"),
            stampings.output_key.label("stamped_key"),
            stampings.output_version.label("stamped_version"),
            stampings.output_sha256.label("stamped_sha256"),
            stampings.at.label("stamped_at"),
        )
        .outerjoin(seal_use_outcomes, outcomes.use_id == seal_uses.c.id)
        .outerjoin(seal_use_stampings, stampings.use_id == seal_uses.c.id)
    )


def _values(use: SealUse) -> dict[str, Any]:
    files = use.files
    return {
        "id": use.id,
        "agency_id": use.agency_id,
        "seal_id": use.seal_id,
        "authorisation_id": use.authorisation_id,
        "application_id": use.application_id,
        "item_code": use.item_code,
        "case_number": use.case_number,
        "level": use.level.value,
        "original_key": None if files is None else files.original_key,
        "original_version": None if files is None else files.original_version,
        "original_sha256": None if files is None else files.original_sha256,
        "output_key": None if files is None else files.output_key,
        "lease_until": use.lease_until,
        "intended_at": use.intended_at,
        "kind": use.kind.value,
        "digest": use.digest,
        "when_timestamp_away": use.when_timestamp_away.value,
        "batch_id": use.batch_id,
        "batch_position": use.batch_position,
    }


def _use(row: Row[Any]) -> SealUse:
    state = SealUseState.INTENDED if row.outcome is None else SealUseState(row.outcome)
    return SealUse(
        id=row.id,
        agency_id=row.agency_id,
        seal_id=row.seal_id,
        authorisation_id=row.authorisation_id,
        application_id=row.application_id,
        item_code=row.item_code,
        case_number=row.case_number,
        kind=SealUseKind(row.kind),
        level=SignatureLevel(row.level),
        when_timestamp_away=WhenTimestampAway(row.when_timestamp_away),
        files=_files(row),
        digest=None if row.digest is None else bytes(row.digest),
        batch_id=row.batch_id,
        batch_position=row.batch_position,
        lease_until=row.lease_until,
        intended_at=row.intended_at,
        state=state,
        level_reached=_level_reached(row) if state is SealUseState.COMPLETED else None,
        output=_output(row),
        concluded_at=row.concluded_at,
        stamped_at=row.stamped_at,
        event_id=row.event_id,
    )


def _files(row: Row[Any]) -> DocumentFiles | None:
    if row.original_key is None:
        return None
    return DocumentFiles(
        original_key=row.original_key,
        original_version=row.original_version,
        original_sha256=bytes(row.original_sha256),
        output_key=row.output_key,
    )


def _output(row: Row[Any]) -> DocumentOutput | None:
    """The newest: with the later timestamp where there is one."""
    if row.stamped_key is not None:
        return DocumentOutput(
            key=row.stamped_key, version=row.stamped_version, sha256=bytes(row.stamped_sha256)
        )
    if row.output_version is None:
        return None
    return DocumentOutput(key=row.output_key, version=row.output_version, sha256=bytes(row.output_sha256))


def _level_reached(row: Row[Any]) -> SignatureLevel:
    if row.below is None or row.stamped_key is not None:
        return SignatureLevel(row.level)
    return SignatureLevel(row.below)
