"""The ledger's acts of the archive."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CLASS_DEFINED: Final = "archive-class.defined"
RECORD_INTENDED: Final = "record.intended"
RECORD_REGISTERED: Final = "record.registered"
RECORD_ABANDONED: Final = "record.abandoned"
RECORD_STAMPED: Final = "record.stamped"
RECORD_RETAINED: Final = "record.retained"
RETRIEVAL_REQUESTED: Final = "retrieval-request.made"
RETRIEVAL_APPROVED: Final = "retrieval-request.approved"
RETRIEVAL_DECLINED: Final = "retrieval-request.declined"
MATERIAL_READ: Final = "material.read"
PACKAGE_READ: Final = "package.read"
REUSE_GRANTED: Final = "material-reuse.granted"
REUSE_DELIVERED: Final = "material-reuse.delivered"

ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        CLASS_DEFINED: "An archivist put a class into the agency's classification scheme.",
        RECORD_INTENDED: "A submission passed the checks; its archival code was taken and its package is to be stored.",
        RECORD_REGISTERED: "The package was stored under its lock and the record registered.",
        RECORD_ABANDONED: "The ingest did not come to its end; its archival code stays taken and names this stub.",
        RECORD_STAMPED: "The timestamp over the package was obtained after the registration.",
        RECORD_RETAINED: "A permanent record's lock was extended by the rolling period.",
        RETRIEVAL_REQUESTED: "An archivist asked to read named materials of a record for a purpose.",
        RETRIEVAL_APPROVED: "A second person approved the retrieval request.",
        RETRIEVAL_DECLINED: "A second person declined the retrieval request.",
        MATERIAL_READ: "An archived material was read under an approved retrieval request.",
        PACKAGE_READ: "A whole archive package was read under an approved retrieval request of all its materials.",
        REUSE_GRANTED: "An archived material was reused by another case, on consent or a legal basis.",
        REUSE_DELIVERED: "A reused material was delivered to the agency of the citing case.",
    }
)
