"""The newest checkpoint, in the database (where races are decided) and as published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from trust.evidence.merkle import EMPTY_ROOT
from trust.evidence.tlog import (
    Checkpoint,
    NoteKeyUnknown,
    NoteMalformed,
    NoteSignatureInvalid,
    SignedNote,
    VerifierKey,
    open_checkpoint,
)
from trust.ledger.errors import LedgerBroken
from trust.ledger.tables import checkpoints, head, sequence
from trust.ledger.tiles import CHECKPOINT_KEY
from trust.storage.database import ReadWork, Work
from trust.storage.objects.errors import ObjectMissing, PublishRaced
from trust.storage.objects.port import ObjectStore

# Each race is lost to a sequencer that published more; losing this often in a row is a fault.
_PUBLISH_ATTEMPTS: Final = 8


@dataclass(frozen=True, kw_only=True)
class TreeHead:
    """A state of the tree: number of leaves and root."""

    size: int
    root: bytes


EMPTY_TREE: Final = TreeHead(size=0, root=EMPTY_ROOT)


@dataclass(frozen=True, kw_only=True)
class StoredCheckpoint:
    """A checkpoint as stored: the tree head, the signed note, and when it was made."""

    tree: TreeHead
    note: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class PublishedCheckpoint:
    """What stands under `ledger/checkpoint`, its signature verified, and which version of it."""

    checkpoint: Checkpoint
    note: bytes
    version_id: str


class Checkpoints:
    """Queries over `ledger.head` and `ledger.checkpoints`."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def head(self) -> TreeHead:
        """The newest stored tree head; the empty tree where nothing has been signed."""
        row = self._work.execute(select(head.c.size, head.c.root)).one_or_none()
        return TreeHead(size=row.size, root=bytes(row.root)) if row else EMPTY_TREE

    def of_size(self, size: int) -> StoredCheckpoint | None:
        """The checkpoint of a tree of this size, where one was stored."""
        row = self._work.execute(select(checkpoints).where(checkpoints.c.size == size)).one_or_none()
        if row is None:
            return None
        return StoredCheckpoint(tree=TreeHead(size=row.size, root=bytes(row.root)), note=row.note, at=row.at)

    def newest(self) -> StoredCheckpoint | None:
        """The checkpoint of the head; raises `LedgerBroken` where the head has none."""
        row = self._work.execute(
            select(head.c.size.label("at_size"), head.c.root.label("at_root"), checkpoints).outerjoin(
                checkpoints, checkpoints.c.size == head.c.size
            )
        ).one_or_none()
        if row is None or row.at_size == 0:
            return None
        if row.root != row.at_root:
            raise LedgerBroken(f"the head of size {row.at_size} is not the checkpoint of that size")
        return StoredCheckpoint(tree=TreeHead(size=row.size, root=bytes(row.root)), note=row.note, at=row.at)

    def sequenced(self) -> int:
        """How many events have an index."""
        last: int | None = self._work.execute(select(func.max(sequence.c.index))).scalar_one()
        return 0 if last is None else last + 1


def begin_head(work: Work) -> None:
    """Makes the one row of the head, for the empty tree, where it is not there yet."""
    work.execute(upsert(head).values(single=1, size=0, root=EMPTY_ROOT).on_conflict_do_nothing())


def advance(work: Work, *, before: TreeHead, after: StoredCheckpoint) -> bool:
    """Stores a checkpoint if the head is still `before`; False where another sequencer was first."""
    moved = work.execute(
        update(head)
        .where(head.c.size == before.size, head.c.root == before.root)
        .values(size=after.tree.size, root=after.tree.root)
    ).rowcount
    if moved != 1:
        return False
    work.execute(
        insert(checkpoints).values(size=after.tree.size, root=after.tree.root, note=after.note, at=after.at)
    )
    return True


def published(
    store: ObjectStore, keys: Sequence[VerifierKey], *, key: str = CHECKPOINT_KEY
) -> PublishedCheckpoint | None:
    """The published checkpoint; raises `LedgerBroken` where what stands there is not signed by the log."""
    try:
        version_id = store.stat(key).version_id
    except ObjectMissing:
        return None
    note = store.get(key, version_id)
    try:
        checkpoint = open_checkpoint(note, keys)
    except (NoteMalformed, NoteKeyUnknown, NoteSignatureInvalid) as error:
        raise LedgerBroken(f"the published checkpoint is not this log's: {error.message}") from error
    return PublishedCheckpoint(checkpoint=checkpoint, note=note, version_id=version_id)


def publish(store: ObjectStore, stored: StoredCheckpoint, keys: Sequence[VerifierKey]) -> bool:
    """Publishes a checkpoint unless one as new stands there already; it never goes backwards.

    Raises `LedgerBroken` where the published one cannot be read.
    """
    for _ in range(_PUBLISH_ATTEMPTS):
        current = published(store, keys)
        if current is not None and current.checkpoint.size >= stored.tree.size:
            return False
        expected = None if current is None else current.version_id
        try:
            store.publish(CHECKPOINT_KEY, stored.note.encode(), expected_version=expected)
        except PublishRaced:
            continue
        return True
    return False


def publish_cosigned(store: ObjectStore, key: str, note: str, keys: Sequence[VerifierKey]) -> bool:
    """Publishes a checkpoint with cosignatures under a key, in place of an older one or one with fewer of them.

    Raises `LedgerBroken` where what stands there cannot be read, or is another tree of the same size.
    """
    coming = open_checkpoint(note, keys)
    lines = set(SignedNote.parse(note).signatures)
    for _ in range(_PUBLISH_ATTEMPTS):
        current = published(store, keys, key=key)
        if current is not None:
            if current.checkpoint.size > coming.size:
                return False
            if current.checkpoint.size == coming.size:
                if current.checkpoint != coming:
                    raise LedgerBroken(f"another tree of size {coming.size} is published")
                if lines <= set(SignedNote.parse(current.note).signatures):
                    return False
        expected = None if current is None else current.version_id
        try:
            store.publish(key, note.encode(), expected_version=expected)
        except PublishRaced:
            continue
        return True
    return False
