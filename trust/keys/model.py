"""Keys, their purposes and the intents that let them be used."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from trust.kernel.ids import Id
from trust.kernel.states import Transitions


class KeyId(Id):
    """A key held by the signer."""

    prefix = "key"


class KeyPurpose(StrEnum):
    """The one thing a key is for; the signer refuses every other use."""

    AUTHORITY = "authority"  # signs certificates by intent, and its own CRLs
    OFFLINE_AUTHORITY = "offline-authority"  # lies on another machine; nothing here holds it
    SEAL = "seal"  # signs documents by intent
    CREDENTIAL = "credential"  # signs licences as SD-JWT VC by intent
    TIMESTAMP = "timestamp"  # signs RFC 3161 tokens
    STATUS_LIST = "status-list"  # signs status list tokens
    LEDGER = "ledger"  # signs checkpoints and receipts
    OCSP = "ocsp"  # signs answers about its own authority's certificates


class IntentKind(StrEnum):
    """What an intent asks the signer for."""

    SEAL_USE = "seal-use"  # digest: SHA-256 over the byte range of the prepared document
    SEAL_DIGEST = (
        "seal-digest"  # digest: of a document prepared elsewhere; the signer builds the CMS around it
    )
    SEAL_HASH = "seal-hash"  # digest: the hash of signed attributes built elsewhere; signed as it is
    CERTIFICATE = "certificate"  # digest: SHA-256 of the canonical JSON of the certificate's payload
    CREDENTIAL = "credential"  # digest: SHA-256 of the canonical JSON of the credential's payload
    CERTIFICATE_REQUEST = "certificate-request"  # digest: SHA-256 of the canonical JSON of what is asked for


PURPOSE_OF_INTENT: Final = {
    IntentKind.SEAL_USE: KeyPurpose.SEAL,
    IntentKind.SEAL_DIGEST: KeyPurpose.SEAL,
    IntentKind.SEAL_HASH: KeyPurpose.SEAL,
    IntentKind.CERTIFICATE: KeyPurpose.AUTHORITY,
    IntentKind.CREDENTIAL: KeyPurpose.CREDENTIAL,
}


class StoreName(StrEnum):
    """Where a private key lies."""

    SOFTWARE = "software"  # in the database, wrapped under a key-encryption key
    PKCS11 = "pkcs11"  # in a token, which it never leaves


class KeyState(StrEnum):
    """Whether a key may be used; its limits are looked at besides."""

    ACTIVE = "active"  # the signer uses it for its purpose
    SUSPENDED = "suspended"  # the operator resumes, retires or destroys it
    RETIRED = "retired"  # never used again; the operator may destroy it
    DESTROYED = "destroyed"  # nobody: final, the private key is gone


KEY_STEPS: Final = Transitions(
    {
        KeyState.ACTIVE: frozenset({KeyState.SUSPENDED, KeyState.RETIRED, KeyState.DESTROYED}),
        KeyState.SUSPENDED: frozenset({KeyState.ACTIVE, KeyState.RETIRED, KeyState.DESTROYED}),
        KeyState.RETIRED: frozenset({KeyState.DESTROYED}),
    }
)


class OrderId(Id):
    """An order about a key."""

    prefix = "order"


class KeyAct(StrEnum):
    """What may be ordered of a key; the signer carries out committed orders only, each once."""

    SUSPEND = "suspend"
    RESUME = "resume"
    RETIRE = "retire"
    LIMIT = "limit"  # sets both limits; one that is not given is taken away
    DESTROY = "destroy"


STATE_AFTER: Final = {
    KeyAct.SUSPEND: KeyState.SUSPENDED,
    KeyAct.RESUME: KeyState.ACTIVE,
    KeyAct.RETIRE: KeyState.RETIRED,
    KeyAct.DESTROY: KeyState.DESTROYED,
}


@dataclass(frozen=True, kw_only=True)
class KeyOrder:
    """An order about one key, committed with the event that says who gave it and why."""

    order_id: OrderId
    key_id: KeyId
    act: KeyAct
    max_uses: int | None = None
    usable_until: datetime | None = None
    agency: str | None = None


@dataclass(frozen=True, kw_only=True)
class KeyStanding:
    """What decides whether a key may be used now; a limit is None where there is none."""

    key_id: KeyId
    state: KeyState
    uses: int
    max_uses: int | None
    usable_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """A key as the signer keeps it.

    `wrapped` is the private key of the software store, under the key-encryption key `wrapped_under` (None: from
    before they had names); both are None for a key in a token, and for one that was destroyed.
    """

    key_id: KeyId
    purpose: KeyPurpose
    suite: str
    spki: bytes
    store: StoreName
    wrapped: bytes | None
    wrapped_under: str | None
    created_at: datetime
    last_used_at: datetime | None
    destroyed_at: datetime | None
    standing: KeyStanding


@dataclass(frozen=True, kw_only=True)
class KeyInfo:
    """A key as everybody may know it: its id, purpose, suite and public half (SubjectPublicKeyInfo, DER)."""

    key_id: KeyId
    purpose: KeyPurpose
    suite: str
    spki: bytes


@dataclass(frozen=True, kw_only=True)
class KeyBinding:
    """A key under the name it is known by (`seal/…`, `authority/seals`, `service/timestamp`) and its certificate.

    `certificate` and `chain` (issuers, nearest first, DER) are empty for a ledger key, which is known by its
    C2SP verifier key. A newer binding of the same label replaces an older one; the older stays on record.
    """

    key_id: KeyId
    label: str
    purpose: KeyPurpose
    suite: str
    spki: bytes
    certificate: bytes | None
    chain: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class Intent:
    """Leave to use one key once: committed before the signer is asked, read by the signer itself.

    `subject` is the domain's id (a seal use, a licence, a certificate); the newest intent of a subject counts.
    After `lease_until` the signer refuses and the worker resolves the subject.
    """

    subject: str
    key_id: KeyId
    kind: IntentKind
    digest: bytes
    lease_until: datetime
