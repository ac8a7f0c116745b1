"""Queries over what is kept, its batches and the stages of their evidence."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from trust.crypto.digests import Digest
from trust.preservation.model import Batch, Damage, KeptObject, StageKind, StoredStage
from trust.preservation.tables import (
    evidence_batches,
    evidence_members,
    evidence_stages,
    kept_damages,
    kept_digests,
    kept_objects,
    kept_releases,
)
from trust.storage.database import ReadWork


class Preserved:
    """What is kept and proven."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    # What is kept.

    def keep(self, objects: Sequence[KeptObject], *, at: datetime) -> bool:
        """Registers the objects of a group; False where the group is kept already."""
        rows = [
            {
                "group_id": each.group,
                "position": each.position,
                "object_key": each.key,
                "object_version": each.version_id,
                "size": each.size,
                "sha256": each.sha256,
                "agency_id": each.agency_id,
                "at": at,
            }
            for each in objects
        ]
        statement = insert(kept_objects).values(rows).on_conflict_do_nothing()
        return self._work.execute(statement).rowcount > 0

    def is_kept(self, group: str) -> bool:
        """Whether this group is registered."""
        statement = select(kept_objects.c.group_id).where(kept_objects.c.group_id == group).limit(1)
        return self._work.execute(statement).one_or_none() is not None

    def release(self, group: str, *, reason: str, at: datetime) -> None:
        """Writes that a group is not kept any more; once."""
        statement = insert(kept_releases).values(group_id=group, reason=reason, at=at)
        self._work.execute(statement.on_conflict_do_nothing())

    def released(self, batch_id: str) -> frozenset[str]:
        """The groups of a batch that are not kept any more."""
        statement = (
            select(kept_releases.c.group_id)
            .join(evidence_members, evidence_members.c.group_id == kept_releases.c.group_id)
            .where(evidence_members.c.batch_id == batch_id)
        )
        return frozenset(self._work.execute(statement).scalars())

    def waiting(self, *, limit: int) -> tuple[str, ...]:
        """Groups that are in no batch, oldest first."""
        first = func.min(kept_objects.c.at)
        statement = (
            select(kept_objects.c.group_id)
            .outerjoin(evidence_members, evidence_members.c.group_id == kept_objects.c.group_id)
            .outerjoin(kept_releases, kept_releases.c.group_id == kept_objects.c.group_id)
            .where(evidence_members.c.group_id.is_(None), kept_releases.c.group_id.is_(None))
            .group_by(kept_objects.c.group_id)
            .order_by(first, kept_objects.c.group_id)
            .limit(limit)
        )
        return tuple(self._work.execute(statement).scalars())

    def groups_of(self, batch_id: str) -> tuple[tuple[KeptObject, ...], ...]:
        """The objects of a batch, by group in the batch's order."""
        statement = (
            select(kept_objects, evidence_members.c.position.label("place"))
            .join(evidence_members, evidence_members.c.group_id == kept_objects.c.group_id)
            .where(evidence_members.c.batch_id == batch_id)
            .order_by(evidence_members.c.position, kept_objects.c.position)
        )
        groups: dict[int, list[KeptObject]] = {}
        for row in self._work.execute(statement):
            groups.setdefault(row.place, []).append(
                KeptObject(
                    group=row.group_id,
                    position=row.position,
                    key=row.object_key,
                    version_id=row.object_version,
                    size=row.size,
                    sha256=bytes(row.sha256),
                    agency_id=row.agency_id,
                )
            )
        return tuple(tuple(each) for each in groups.values())

    def place_of(self, name: str) -> tuple[str, int] | None:
        """Batch and position of a group, by its id or by the key of one of its objects."""
        statement = (
            select(evidence_members.c.batch_id, evidence_members.c.position)
            .join(kept_objects, kept_objects.c.group_id == evidence_members.c.group_id)
            .where(or_(kept_objects.c.group_id == name, kept_objects.c.object_key == name))
            .order_by(kept_objects.c.at.desc())
            .limit(1)
        )
        row = self._work.execute(statement).one_or_none()
        return None if row is None else (row.batch_id, row.position)

    # Batches and stages.

    def intend(self, batch_id: str, groups: Sequence[str], *, digest: Digest, at: datetime) -> None:
        """A batch over these groups, in this order."""
        self._work.execute(evidence_batches.insert().values(id=batch_id, digest=digest.value, at=at))
        self._work.execute(
            evidence_members.insert(),
            [
                {"group_id": group, "batch_id": batch_id, "position": position}
                for position, group in enumerate(groups)
            ],
        )

    def batches(self) -> tuple[Batch, ...]:
        """Every batch with its newest stage, oldest first."""
        newest = (
            select(evidence_stages.c.batch_id, func.max(evidence_stages.c.number).label("number"))
            .group_by(evidence_stages.c.batch_id)
            .subquery()
        )
        counted = (
            select(
                evidence_members.c.batch_id,
                func.count().label("groups"),
                func.count(kept_releases.c.group_id).label("released"),
            )
            .outerjoin(kept_releases, kept_releases.c.group_id == evidence_members.c.group_id)
            .group_by(evidence_members.c.batch_id)
            .subquery()
        )
        statement = (
            select(
                evidence_batches,
                counted.c.groups,
                counted.c.released,
                func.coalesce(newest.c.number, literal(0)).label("number"),
                evidence_stages.c.digest.label("newest_digest"),
                evidence_stages.c.gen_time,
                evidence_stages.c.not_after,
            )
            .join(counted, counted.c.batch_id == evidence_batches.c.id)
            .outerjoin(newest, newest.c.batch_id == evidence_batches.c.id)
            .outerjoin(
                evidence_stages,
                and_(
                    evidence_stages.c.batch_id == newest.c.batch_id,
                    evidence_stages.c.number == newest.c.number,
                ),
            )
            .order_by(evidence_batches.c.id)
        )
        return tuple(
            Batch(
                id=row.id,
                digest=row.newest_digest or row.digest,
                at=row.at,
                groups=row.groups,
                released=row.released,
                number=row.number,
                gen_time=row.gen_time,
                not_after=row.not_after,
            )
            for row in self._work.execute(statement)
        )

    def unstamped(self) -> tuple[Batch, ...]:
        """Batches without a stage: what a crash left, or the authority's absence."""
        return tuple(each for each in self.batches() if each.number == 0)

    def stages_of(self, batch_id: str) -> tuple[StoredStage, ...]:
        """Where the stages of a batch lie, in order."""
        statement = (
            select(evidence_stages)
            .where(evidence_stages.c.batch_id == batch_id)
            .order_by(evidence_stages.c.number)
        )
        return tuple(
            StoredStage(
                number=row.number,
                key=row.object_key,
                version_id=row.object_version,
                sha256=bytes(row.object_sha256),
            )
            for row in self._work.execute(statement)
        )

    def add_stage(
        self,
        batch_id: str,
        stored: StoredStage,
        *,
        kind: StageKind,
        digest: Digest,
        gen_time: datetime,
        not_after: datetime,
        event_id: str,
        at: datetime,
    ) -> bool:
        """Writes a stage; False where another run has written one of this number."""
        statement = insert(evidence_stages).values(
            batch_id=batch_id,
            number=stored.number,
            kind=kind.value,
            digest=digest.value,
            object_key=stored.key,
            object_version=stored.version_id,
            object_sha256=stored.sha256,
            gen_time=gen_time,
            not_after=not_after,
            event_id=event_id,
            at=at,
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def has_stage(self, batch_id: str, number: int) -> bool:
        """Whether a stage of this number is written."""
        statement = select(evidence_stages.c.number).where(
            evidence_stages.c.batch_id == batch_id, evidence_stages.c.number == number
        )
        return self._work.execute(statement).one_or_none() is not None

    # Renewal: digests computed anew, and what was found damaged.

    def digests_of(self, groups: Iterable[str], digest: Digest) -> Mapping[tuple[str, int], bytes]:
        """The values computed so far, by group and position."""
        statement = select(kept_digests).where(
            kept_digests.c.group_id.in_(tuple(groups)), kept_digests.c.digest == digest.value
        )
        return {(row.group_id, row.position): bytes(row.value) for row in self._work.execute(statement)}

    def add_digests(self, found: Sequence[tuple[KeptObject, bytes]], digest: Digest, *, at: datetime) -> None:
        """Writes values computed; those that are there stay."""
        if not found:
            return
        rows = [
            {
                "group_id": each.group,
                "position": each.position,
                "digest": digest.value,
                "value": value,
                "at": at,
            }
            for each, value in found
        ]
        self._work.execute(insert(kept_digests).values(rows).on_conflict_do_nothing())

    def add_damage(self, damage: Damage, digest: Digest, *, event_id: str, at: datetime) -> bool:
        """Writes that an object was damaged; False where that is known."""
        statement = insert(kept_damages).values(
            group_id=damage.group,
            position=damage.position,
            digest=digest.value,
            reason=damage.reason,
            event_id=event_id,
            at=at,
        )
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def is_known_damage(self, damage: Damage, digest: Digest) -> bool:
        """Whether this object was found damaged in a renewal to this digest before."""
        statement = select(kept_damages.c.group_id).where(
            kept_damages.c.group_id == damage.group,
            kept_damages.c.position == damage.position,
            kept_damages.c.digest == digest.value,
        )
        return self._work.execute(statement).one_or_none() is not None

    def damaged(self) -> int:
        """How many groups had an object that was found damaged."""
        statement = select(func.count(func.distinct(kept_damages.c.group_id)))
        return int(self._work.execute(statement).scalar_one())

    def kept(self) -> tuple[int, int]:
        """How many groups are kept, and how many of them are in no batch."""
        total = select(func.count(func.distinct(kept_objects.c.group_id)))
        batched = select(func.count()).select_from(evidence_members)
        counted = int(self._work.execute(total).scalar_one())
        return counted, counted - int(self._work.execute(batched).scalar_one())
