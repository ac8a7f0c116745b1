"""Classes, records, retrieval requests and reuses: what they are and which state may follow which."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from archive.codes import ArchivalCode, Retention
from trust.kernel.states import Transitions


class RecordState(StrEnum):
    """Derived from the rows: an intent, and at most one outcome."""

    INTENDED = "intended"  # the request acts next; when its lease has expired, the worker
    REGISTERED = "registered"  # nobody: the package is stored, locked and compared
    ABANDONED = "abandoned"  # nobody: final, the stub keeps the archival code


class MaterialRole(StrEnum):
    """What a material is in its case."""

    MATERIAL = "material"  # handed in
    PRESENTATION = "presentation"  # a redeemed presentation, with the disclosed fields only
    PROCESS = "process"  # made in the course of the case
    RESULT = "result"  # what was decided, sealed
    LICENCE = "licence"  # what was issued


# Another case may reuse these. A presentation was disclosed to one recipient for one purpose, and what was made
# in the course of a case is no paper of the applicant's: neither travels on.
REUSABLE_ROLES: Final = frozenset({MaterialRole.MATERIAL, MaterialRole.RESULT, MaterialRole.LICENCE})


class RetrievalState(StrEnum):
    """Where a retrieval request stands; its period is looked at besides."""

    REQUESTED = "requested"  # an approver acts next, another person than the archivist who asked
    APPROVED = "approved"  # the archivist who asked reads, until the period ends
    DECLINED = "declined"  # nobody: final


RETRIEVAL_STEPS: Final = Transitions(
    {RetrievalState.REQUESTED: frozenset({RetrievalState.APPROVED, RetrievalState.DECLINED})}
)


class ReuseBasis(StrEnum):
    """Why a material may be reused."""

    CONSENT = "consent"  # of the holder whose material it is
    LEGAL_BASIS = "legal-basis"  # a provision that lets the agency do so without


@dataclass(frozen=True, kw_only=True)
class ArchiveClass:
    """A class of an agency's scheme. `office` names the office or matter in its codes where a manifest does not.

    `open_to_reuse` is the agency's standing leave: other agencies' cases may reuse materials of this class.
    """

    id: str
    agency_id: str
    fonds: str
    code: str
    name_zh: str
    name_en: str
    retention: Retention
    office: str
    open_to_reuse: bool
    defined_by: str
    defined_at: datetime


@dataclass(frozen=True, kw_only=True)
class Material:
    """One material of a record: its path below `data/` of the package, and where its octets lie in the zip."""

    name: str
    title: str
    role: MaterialRole
    media_type: str
    size: int
    sha256: bytes
    offset: int


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One object as it was put, to be read by this version; `path` is that in the OCFL object."""

    path: str
    key: str
    version_id: str
    size: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class StoredPackage:
    """A package in the store: the zip, every file of its OCFL object, and until when they are locked."""

    package: StoredFile
    files: tuple[StoredFile, ...]
    retain_until: datetime


@dataclass(frozen=True, kw_only=True)
class RecordTimestamp:
    """The RFC 3161 token (DER) over a package's SHA-256, and where a copy lies beside the OCFL object."""

    token: bytes
    gen_time: datetime
    key: str
    version_id: str


@dataclass(frozen=True, kw_only=True)
class ArchivalRecord:
    """An archived case as intended, and its outcome once there is one.

    `submission_…` name the working object that an unfinished ingest is resumed from. `timestamp` is None on a
    registered record while the authority has yet to be reached.
    """

    id: str
    agency_id: str
    agency_name: str
    code: ArchivalCode
    class_id: str
    title: str
    case_number: str
    item_code: str
    event_date: date
    retain_until: datetime
    application_id: str
    manifest_sha256: bytes
    submission_key: str
    submission_version: str
    submission_sha256: bytes
    lease_until: datetime
    intended_at: datetime
    state: RecordState
    package_key: str | None
    package_version: str | None
    package_sha256: bytes | None
    package_size: int | None
    concluded_at: datetime | None
    event_id: str | None
    timestamp: RecordTimestamp | None


@dataclass(frozen=True, kw_only=True)
class RetrievalRequest:
    """A request to read named materials of a record; people are natural persons, not accounts."""

    id: str
    agency_id: str
    record_id: str
    purpose: str
    materials: tuple[str, ...]
    until: datetime
    state: RetrievalState
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None

    def covers(self, *, record_id: str, material: str, person_id: str, at: datetime) -> bool:
        """Whether it lets this person read this material at this moment."""
        return (
            self.state is RetrievalState.APPROVED
            and self.record_id == record_id
            and material in self.materials
            and self.requested_by == person_id
            and at < self.until
        )


@dataclass(frozen=True, kw_only=True)
class MaterialReuse:
    """One archived material taken into another case: by whom, for what, on which ground.

    `holder_…` is the agency whose record it is, `recipient_…` the one whose case cites it.
    """

    id: str
    holder_agency_id: str
    recipient_agency_id: str
    application_id: str
    record_id: str
    archival_code: str
    material: str
    sha256: bytes
    case_number: str
    purpose: str
    basis: ReuseBasis
    basis_reference: str
    granted_at: datetime
    deliver_until: datetime
    event_id: str
