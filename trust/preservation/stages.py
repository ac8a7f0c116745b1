"""The file of one stage of a batch's evidence, and evidence records cut from the files of all stages.

A batch of a thousand groups has one token for each stage, not a thousand. What is stored is the token and the tree
under it, as canonical JSON; the record of one group, with its reduced hash trees, is cut when it is asked for.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from trust.crypto.digests import Digest
from trust.evidence.ers import ArchiveTimeStamp, EvidenceRecord, HashTree, root_of
from trust.evidence.ers.structures import ReducedHashTree
from trust.kernel.canonical import canonical_json
from trust.preservation.errors import EvidenceBroken, EvidenceNotReady
from trust.preservation.model import StageKind

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. `leaves` are what the tree is over, for each group by its position in the batch.

    A timestamp renewal is over one value, the batch's token before; a group that a hash-tree renewal had to leave
    out has None. `above` are the lists from the batch's root up to what the token is over, where one token renewed
    several batches. `closed` is the token before it with validation data inside, as this stage covers it.
    """

    batch: str
    number: int
    kind: StageKind
    digest: Digest
    leaves: tuple[tuple[bytes, ...] | None, ...]
    above: ReducedHashTree
    token: bytes
    closed: bytes | None

    @cached_property
    def tree(self) -> HashTree:
        """The tree over the groups that are in it."""
        return HashTree([each for each in self.leaves if each is not None], self.digest)

    @property
    def root(self) -> bytes:
        """What the token is over."""
        return root_of(((self.tree.root,), *self.above), self.digest)

    def timestamp_of(self, position: int) -> ArchiveTimeStamp | None:
        """The archive timestamp of the group at this position; None where it was left out."""
        if self.kind is StageKind.TIMESTAMP:
            position = 0
        if self.leaves[position] is None:
            return None
        index = sum(each is not None for each in self.leaves[:position])
        return ArchiveTimeStamp.of(self.token, (*self.tree.reduced(index), *self.above), self.digest)

    def with_token(self, token: bytes) -> "Stage":
        """The same, stamped."""
        return replace(self, token=token)

    def encode(self) -> bytes:
        """The file: canonical JSON."""
        return canonical_json(
            {
                "version": _VERSION,
                "batch": self.batch,
                "number": self.number,
                "kind": self.kind.value,
                "digest": self.digest.value,
                "leaves": [None if each is None else [value.hex() for value in each] for each in self.leaves],
                "above": [[value.hex() for value in each] for each in self.above],
                "token": base64.b64encode(self.token).decode("ascii"),
                "closed": None if self.closed is None else base64.b64encode(self.closed).decode("ascii"),
            }
        )

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Reads a file of ours; raises EvidenceBroken."""
        try:
            found: dict[str, Any] = json.loads(octets)
            if found["version"] != _VERSION:
                raise EvidenceBroken(f"a stage of version {found['version']} is not known here")
            return cls(
                batch=found["batch"],
                number=found["number"],
                kind=StageKind(found["kind"]),
                digest=Digest(found["digest"]),
                leaves=tuple(None if each is None else _values(each) for each in found["leaves"]),
                above=tuple(_values(each) for each in found["above"]),
                token=base64.b64decode(found["token"], validate=True),
                closed=None if found["closed"] is None else base64.b64decode(found["closed"], validate=True),
            )
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise EvidenceBroken(f"a stored stage of evidence cannot be read: {error!r}") from error


def _values(texts: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(each) for each in texts)


def record_of(stages: Sequence[Stage], position: int) -> EvidenceRecord:
    """The evidence record of the group at `position`, from the batch's stages in order.

    A group that a stage left out keeps the record that it had before it. Raises EvidenceNotReady without a stage.
    """
    record: EvidenceRecord | None = None
    for stage in stages:
        timestamp = stage.timestamp_of(position)
        if timestamp is None:
            break
        if record is None or stage.closed is None:
            record = EvidenceRecord.initial(timestamp, stage.digest)
            continue
        record = record.with_last_token(stage.closed)
        if stage.kind is StageKind.HASH_TREE:
            record = record.with_chain(timestamp, stage.digest)
        else:
            record = record.with_timestamp(timestamp)
    if record is None:
        raise EvidenceNotReady("this batch has no timestamp yet")
    return record
