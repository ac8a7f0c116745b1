"""Cosignatures and disagreements of witnesses, in the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from trust.evidence.cosignatures import Cosignature
from trust.evidence.witness_policy import WitnessPolicy
from trust.ledger.tables import checkpoints, cosignatures, disagreements
from trust.storage.database import ReadWork

# How many cosigned checkpoints are looked at for one with a quorum; a rarer quorum is none.
_LOOKED_AT: Final = 64
_PAGE: Final = 1000


@dataclass(frozen=True, kw_only=True)
class StoredCosignature:
    """A cosignature as stored: which checkpoint, whose key, the line without its newline."""

    size: int
    cosigner: str
    line: str


class DisagreementKind(StrEnum):
    """How a witness disagrees; both are alarms for the operator, and nobody else acts on them."""

    LARGER_TREE = "larger-tree"
    OTHER_TREE = "other-tree"


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """A witness knows `known_size` and does not take our checkpoint of `size`."""

    cosigner: str
    kind: DisagreementKind
    size: int
    known_size: int


class Cosignatures:
    """Queries over `ledger.cosignatures` and `ledger.disagreements`; the two `keep` need a unit that writes."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def of_size(self, size: int) -> tuple[StoredCosignature, ...]:
        """The cosignatures on the checkpoint of a size, by name."""
        rows = self._work.execute(
            select(cosignatures).where(cosignatures.c.size == size).order_by(cosignatures.c.cosigner)
        )
        return tuple(StoredCosignature(size=row.size, cosigner=row.cosigner, line=row.line) for row in rows)

    def last_sizes(self) -> Mapping[str, int]:
        """The largest size that each witness has cosigned for us."""
        rows = self._work.execute(
            select(cosignatures.c.cosigner, func.max(cosignatures.c.size).label("largest")).group_by(
                cosignatures.c.cosigner
            )
        )
        return {row.cosigner: row.largest for row in rows}

    def witnessed_beyond(self, index: int, policy: WitnessPolicy) -> int | None:
        """The size of the newest checkpoint over this leaf that a quorum has cosigned."""
        rows = self._work.execute(
            select(cosignatures.c.size, func.array_agg(cosignatures.c.cosigner).label("cosigners"))
            .where(cosignatures.c.size > index)
            .group_by(cosignatures.c.size)
            .order_by(cosignatures.c.size.desc())
            .limit(_LOOKED_AT)
        )
        return next((row.size for row in rows if policy.met_by(set(row.cosigners))), None)

    def every(self) -> Iterator[Row[Any]]:
        """Every cosignature with the note it is on (`size`, `cosigner`, `line`, `note`), in pages."""
        last = (-1, "")
        key = tuple_(cosignatures.c.size, cosignatures.c.cosigner)
        while True:
            rows = self._work.execute(
                select(cosignatures, checkpoints.c.note)
                .join(checkpoints, checkpoints.c.size == cosignatures.c.size)
                .where(key > last)
                .order_by(cosignatures.c.size, cosignatures.c.cosigner)
                .limit(_PAGE)
            ).all()
            yield from rows
            if len(rows) < _PAGE:
                return
            last = (rows[-1].size, rows[-1].cosigner)

    def disagreements(self) -> Sequence[Disagreement]:
        """Every disagreement there ever was, oldest first."""
        rows = self._work.execute(
            select(disagreements).order_by(disagreements.c.at, disagreements.c.cosigner)
        )
        return [
            Disagreement(
                cosigner=row.cosigner,
                kind=DisagreementKind(row.kind),
                size=row.size,
                known_size=row.known_size,
            )
            for row in rows
        ]

    def keep(self, size: int, cosignature: Cosignature, *, at: datetime) -> None:
        """Stores a cosignature; one that is there already stays."""
        self._work.execute(
            insert(cosignatures)
            .values(
                size=size,
                cosigner=cosignature.cosigner,
                line=cosignature.signature.line(),
                cosigned_at=cosignature.at,
                at=at,
            )
            .on_conflict_do_nothing()
        )

    def keep_disagreement(self, disagreement: Disagreement, *, at: datetime) -> bool:
        """Stores a disagreement; whether it is a new one. The same one at a larger size of ours is not."""
        told = select(disagreements.c.at).where(
            disagreements.c.cosigner == disagreement.cosigner,
            disagreements.c.kind == disagreement.kind.value,
            disagreements.c.known_size == disagreement.known_size,
        )
        if self._work.execute(told).first() is not None:
            return False
        stored = self._work.execute(
            insert(disagreements)
            .values(
                cosigner=disagreement.cosigner,
                kind=disagreement.kind.value,
                size=disagreement.size,
                known_size=disagreement.known_size,
                at=at,
            )
            .on_conflict_do_nothing()
        )
        return bool(stored.rowcount == 1)
