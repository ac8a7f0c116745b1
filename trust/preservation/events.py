"""The ledger's acts of preservation."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from trust.ledger.model import Actor

GATHERED: Final = "evidence.gathered"
TIMESTAMP_RENEWED: Final = "evidence.timestamp-renewed"
HASH_TREE_RENEWED: Final = "evidence.hash-tree-renewed"
OBJECT_DAMAGED: Final = "evidence.object-damaged"
CHECKPOINT_KEPT: Final = "evidence.checkpoint-kept"

ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        GATHERED: "A batch of kept objects got its first archive timestamp.",
        TIMESTAMP_RENEWED: "A batch's newest archive timestamp was covered by a new one.",
        HASH_TREE_RENEWED: "A batch's objects and evidence were covered anew by a stronger digest.",
        OBJECT_DAMAGED: "A kept object was not what it had been when it was read for renewal; it was left out.",
        CHECKPOINT_KEPT: "The ledger's newest checkpoint was taken among the kept objects.",
    }
)

PRESERVATION: Final = Actor(kind="worker", id="preservation")
