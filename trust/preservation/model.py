"""What is kept, in which batches, and how far its evidence has been carried."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trust.kernel.ids import Id


class BatchId(Id):
    """Document groups that got their first timestamp together."""

    prefix = "evidence"


class StageKind(StrEnum):
    """What a stage of a batch's evidence is (RFC 4998 §4.2, §5.2)."""

    INITIAL = "initial"  # the first timestamp over the batch
    TIMESTAMP = "timestamp"  # the timestamp before it is covered by a new one
    HASH_TREE = "hash-tree"  # objects and evidence are covered anew, by a stronger digest


class Due(StrEnum):
    """What a batch's evidence needs next; the reason is in words beside it."""

    NOTHING = "nothing"
    TIMESTAMP = "timestamp"
    HASH_TREE = "hash-tree"


@dataclass(frozen=True, kw_only=True)
class KeptObject:
    """One object of a document group: a version in the object store, and what it was when it was put there.

    `group` is the id of the thing it belongs to (a record, a checkpoint); the objects of one group are kept in one
    transaction, in the order of `position`, and proven by one evidence record.
    """

    group: str
    position: int
    key: str
    version_id: str
    size: int
    sha256: bytes
    agency_id: str | None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch and its newest stage; `number` 0 where it has none yet. `released` of its `groups` are kept no more.

    `not_after` is the first end among the certificates of the newest timestamp's authority and those above it but
    the anchor; `digest` that of the newest chain.
    """

    id: str
    digest: str
    at: datetime
    groups: int
    released: int
    number: int
    gen_time: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StoredStage:
    """Where the file of a stage lies."""

    number: int
    key: str
    version_id: str
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Damage:
    """An object that was not what it had been when it was to be hashed anew."""

    group: str
    position: int
    key: str
    reason: str
