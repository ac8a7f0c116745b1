"""Seals, requests, authorisations and uses: what they are and which state may follow which."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from trust.kernel.states import Transitions


class SealRequestState(StrEnum):
    """Where an application for a seal stands."""

    REQUESTED = "requested"  # an approver acts next, another person than the officer who asked
    APPROVED = "approved"  # the seal is being made; when its lease has expired the worker makes it
    DECLINED = "declined"  # nobody: final
    MADE = "made"  # nobody: final, the seal exists


SEAL_REQUEST_STEPS: Final = Transitions(
    {
        SealRequestState.REQUESTED: frozenset({SealRequestState.APPROVED, SealRequestState.DECLINED}),
        SealRequestState.APPROVED: frozenset({SealRequestState.MADE}),
    }
)


class SealState(StrEnum):
    """Whether a seal can be used."""

    ACTIVE = "active"  # authorised applications use it
    SUSPENDED = "suspended"  # loss reported (挂失): an approver reinstates or revokes
    REVOKED = "revoked"  # its certificate is on the CRL: an approver may have the key destroyed
    DESTROYED = "destroyed"  # nobody: final, its key is destroyed, or the worker has the signer do it


SEAL_STEPS: Final = Transitions(
    {
        SealState.ACTIVE: frozenset({SealState.SUSPENDED, SealState.REVOKED}),
        SealState.SUSPENDED: frozenset({SealState.ACTIVE, SealState.REVOKED}),
        SealState.REVOKED: frozenset({SealState.DESTROYED}),
    }
)


class SealAuthorisationState(StrEnum):
    """Whether an authorisation still stands; its period and count are looked at besides."""

    GRANTED = "granted"  # the application uses it
    WITHDRAWN = "withdrawn"  # nobody: final


class SealUseState(StrEnum):
    """Derived from the rows: an intent, and at most one outcome."""

    INTENDED = "intended"  # the request acts next; when its lease has expired, the worker
    COMPLETED = "completed"  # nobody: final, the output is stored and verified
    ABANDONED = "abandoned"  # nobody: final, counted as a use and shown to the auditor


class SealUseKind(StrEnum):
    """What a seal's key is used on, and so what comes of it."""

    DOCUMENT = "document"  # a PDF that was prepared here: the sealed document
    DIGEST = "digest"  # the digest of a document prepared elsewhere: a CMS built around it
    HASH = "hash"  # the hash of signed attributes built elsewhere: the raw signature (CSC)


class WhenTimestampAway(StrEnum):
    """What the caller wants where the timestamp authority is away; chosen beforehand, never by us."""

    FAIL = "fail"  # no document without a timestamp
    DELIVER_B_B = "deliver_b_b"  # the document at B-B now; the worker appends a document timestamp later


class SignatureLevel(StrEnum):
    """How much evidence a signature carries (ETSI EN 319 142-1 §6), each level holding those before it."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"

    @property
    def lasts(self) -> bool:
        """Whether it needs the document itself: validation data and timestamps appended to it."""
        return self in (SignatureLevel.B_LT, SignatureLevel.B_LTA)

    def reaches(self, wanted: "SignatureLevel") -> bool:
        """Whether it is the wanted level or holds it."""
        order = tuple(SignatureLevel)
        return order.index(self) >= order.index(wanted)


class ImpressionMediaType(StrEnum):
    """What an impression's octets are."""

    PNG = "image/png"
    SVG = "image/svg+xml"


@dataclass(frozen=True, kw_only=True)
class ImpressionRow:
    """A seal's picture (PNG) or drawing (SVG): octets, their SHA-256, and its size on paper in millimetres."""

    media_type: ImpressionMediaType
    octets: bytes = field(repr=False)
    sha256: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, kw_only=True)
class SealRequest:
    """An application for a seal. `requested_by` is the natural person who asked, `decided_by` who decided."""

    id: str
    agency_id: str
    name: str
    reason: str
    impression: ImpressionRow
    state: SealRequestState
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    lease_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A seal: the key's id, its certificate (DER), and the impression, bound together by `binding`.

    `binding` is the SHA-256 of canonical JSON over id, name, certificate and impression digests, size and
    period; it stands in the ledger from the day the seal was made and is checked before each use.
    """

    id: str
    agency_id: str
    request_id: str
    name: str
    key_id: str
    certificate: bytes
    serial: str
    impression: ImpressionRow
    binding: bytes
    state: SealState
    suspended_by: str | None
    valid_from: datetime
    valid_until: datetime
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class SealAuthorisation:
    """Leave for one application to use one seal for one service item, in a period, a number of times.

    Only with `allows_digests` may digests be signed: then nobody here has seen what the seal is put to.
    """

    id: str
    agency_id: str
    seal_id: str
    application_id: str
    item_code: str
    valid_from: datetime
    valid_until: datetime
    uses_allowed: int
    uses_taken: int
    allows_digests: bool
    state: SealAuthorisationState
    granted_by: str
    granted_at: datetime


@dataclass(frozen=True, kw_only=True)
class DocumentFiles:
    """Where a document use keeps its original, with its SHA-256, and the key its output goes to."""

    original_key: str
    original_version: str
    original_sha256: bytes
    output_key: str


@dataclass(frozen=True, kw_only=True)
class DocumentOutput:
    """A sealed document as it is stored: key, version, SHA-256."""

    key: str
    version: str
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class SealUse:
    """One act of sealing, as intended; what follows `state` is there once it is concluded.

    `files` are those of a document use, `digest` that of the other kinds. `level` is what was asked for and
    `level_reached` what was delivered; `output` is the newest, `stamped_at` when a later timestamp completed it.
    `batch_id` and `batch_position` (from 0) say which request of many it came with.
    """

    id: str
    agency_id: str
    seal_id: str
    authorisation_id: str
    application_id: str
    item_code: str
    case_number: str | None
    kind: SealUseKind
    level: SignatureLevel
    when_timestamp_away: WhenTimestampAway
    files: DocumentFiles | None
    digest: bytes | None
    batch_id: str | None
    batch_position: int | None
    lease_until: datetime
    intended_at: datetime
    state: SealUseState = SealUseState.INTENDED
    level_reached: SignatureLevel | None = None
    output: DocumentOutput | None = None
    concluded_at: datetime | None = None
    stamped_at: datetime | None = None
    event_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedItem:
    """An item of a batch that no use was made of: its place from 0, and the error's code and sentence."""

    position: int
    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, kw_only=True)
class SealBatch:
    """A request of `size` items; those not refused are seal uses of their own with their place in it."""

    id: str
    agency_id: str
    application_id: str
    kind: SealUseKind
    size: int
    refused: tuple[RefusedItem, ...]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SignatureActivation:
    """Leave given to one application to have exactly these hashes signed, once, until `expires_at` (CSC: SAD).

    Kept under the SHA-256 of the activation data; `hashes` is the SHA-256 over the hashes in their order.
    """

    token_digest: bytes
    agency_id: str
    application_id: str
    authorisation_id: str
    hashes: bytes
    count: int
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Centred:
    """Where the middle of an impression goes, in millimetres from the lower left of the page as displayed.

    For whoever knows the place but not yet the seal, and so not its size.
    """

    page: int
    x_mm: float
    y_mm: float


@dataclass(frozen=True, kw_only=True)
class SealPreparation:
    """What the signer was asked to sign: the byte range and its SHA-256; the newest of a use counts."""

    digest: bytes
    byte_range: tuple[int, int, int, int]
    field_name: str
