"""The ids of the archive, a type for each kind of thing."""

import uuid
from typing import Final

from trust.kernel.ids import Id


class ArchiveClassId(Id):
    """A class of an agency's classification scheme (类别)."""

    prefix = "archclass"


class RecordId(Id):
    """An archival record: one archived case (电子档案)."""

    prefix = "rec"


class RetrievalRequestId(Id):
    """A request to read archived materials (调阅)."""

    prefix = "retrieval"


class MaterialReuseId(Id):
    """One reuse of an archived material by another case (材料复用)."""

    prefix = "reuse"


_UUID_OFFSET: Final = len(RecordId.prefix) + 1


def object_urn(record_id: str) -> str:
    """The OCFL object's id: the record's UUID as a URN (RFC 9562 §4), readable without this system."""
    return uuid.UUID(hex=record_id[_UUID_OFFSET:]).urn
