"""What licences need of others, as small as it is; `api/wiring.py` joins them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from identity.caller import Caller
from licences.model import HolderKind
from licences.types.model import SealPlace
from trust.kernel.report import Report
from trust.keys.model import KeyBinding
from trust.pki.trust_store import TrustStore


@dataclass(frozen=True, kw_only=True)
class AgencyFacts:
    """What a licence says of the agency that issues it; `uscc` is its GB 32100 code."""

    id: str
    name: str
    uscc: str


class Agencies(Protocol):
    """Names agencies and says whether an item or application is theirs."""

    def agency(self, agency_id: str) -> AgencyFacts:
        """Raises NotFound where there is no such agency."""
        ...

    def has_item(self, agency_id: str, item_code: str) -> bool: ...

    def has_application(self, agency_id: str, application_id: str) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class HolderNumber:
    """The number a caller holds licences under: the own resident id, or the organisation's USCC."""

    kind: HolderKind
    code: str


class Holders(Protocol):
    """Says under which number a citizen, or an agent for an organisation, holds licences."""

    def number_of(self, caller: Caller) -> HolderNumber:
        """The organisation's where the caller acts for one, the citizen's own otherwise; raises KindRefused."""
        ...


@dataclass(frozen=True, kw_only=True)
class SealedResult:
    """A sealed document, the seal use that made it, and that use's receipt where there is one."""

    document: bytes
    seal_use_id: str
    receipt: str | None = None


class Sealer(Protocol):
    """Has a document sealed by an agency's seal (PAdES B-T), by the procedure that seals every document."""

    def seal(
        self,
        *,
        agency_id: str,
        item_code: str,
        case_number: str | None,
        document: bytes,
        subject: str,
        place: SealPlace,
        requested_by: str,
    ) -> SealedResult:
        """Idempotent by `subject` (a licence version's id): called again, it answers with the same use's document.

        `requested_by` is the account that asked for the licence: an application uses the seal by its own
        authorisation for the item. Raises errors with `retryable` where a later call for the same subject
        may go through; any other YinxinError means that it never will.
        """
        ...


class CredentialKeys(Protocol):
    """Knows the key under which an agency signs credentials."""

    def for_agency(self, agency_id: str) -> KeyBinding:
        """Raises KeyNotUsable where the agency has none."""
        ...


class CredentialSigner(Protocol):
    """The signer, for credentials with a committed intent; `trust.keys.client.SignerClient` is one."""

    def sign_credential(self, subject: str, payload: Mapping[str, Any]) -> str: ...


class StatusSigner(Protocol):
    """Signs status list tokens with the service's status-list key."""

    def sign_status_list(self, payload: Mapping[str, Any]) -> str: ...


class TrustView(Protocol):
    """The anchors and revocation data of our own authorities as a stranger would hold them now."""

    def current(self) -> TrustStore: ...


class DocumentCheck(Protocol):
    """Validates a sealed PDF; `trust.documents.pdf.validate` is one."""

    def __call__(self, data: bytes, *, trust: TrustStore, at: datetime) -> Report: ...
