"""What the signer does, one straight procedure each: read the intent, build the bytes itself, sign.

Seal, certificate and licence keys sign only for a committed intent that is the newest of its subject, not
concluded, within its lease, and for this very key. Service keys sign structures of their purpose, built here.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from trust.credentials import status_token, vc
from trust.credentials.jws import attach, signing_input
from trust.crypto.cms import CmsIdentity
from trust.crypto.cms_oids import ID_CT_TST_INFO
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.evidence.receipts import Receipt
from trust.evidence.tlog import Checkpoint, VerifierKey, sign_note
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock, parse_rfc3339
from trust.kernel.randomness import Randomness
from trust.keys import wire
from trust.keys.certificates import MAY_ISSUE, assemble_certificate, tbs_of
from trust.keys.errors import KeyNotUsable, SignerRefused, SigningLeaseOver
from trust.keys.keyring import HeldKey, Keyring
from trust.keys.model import PURPOSE_OF_INTENT, Intent, IntentKind, KeyBinding, KeyId, KeyPurpose
from trust.keys.repository import Intents, KeyBindings
from trust.keys.server import Operation
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason, Revoked, build_tbs_crl
from trust.pki.extensions import key_identifier
from trust.pki.profiles import ProfileName
from trust.pki.tbs import assemble
from trust.storage.database import Database
from trust.timestamp.tokens import build_tst_info

# What our timestamps claim: the machine's clock is kept by NTP and checked by `doctor`.
TIMESTAMP_ACCURACY: Final = timedelta(seconds=1)
_SERIAL_OCTETS: Final = 8


class Operations:
    """The signer's operations by name, for `SignerServer`."""

    def __init__(self, *, keyring: Keyring, database: Database, clock: Clock, randomness: Randomness) -> None:
        self._keyring = keyring
        self._database = database
        self._clock = clock
        self._randomness = randomness
        self._identities: dict[KeyId, tuple[KeyBinding, CmsIdentity]] = {}

    def by_name(self) -> Mapping[str, Operation]:
        """Everything a client may ask for."""
        return {
            "ping": lambda _message: {},
            "create-key": self.create_key,
            "sign-cms": self.sign_cms,
            "issue-certificate": self.issue_certificate,
            "sign-credential": self.sign_credential,
            "timestamp": self.timestamp,
            "sign-crl": self.sign_crl,
            "sign-status-list": self.sign_status_list,
            "sign-checkpoint": self.sign_checkpoint,
            "sign-receipt": self.sign_receipt,
        }

    def create_key(self, message: dict[str, Any]) -> dict[str, Any]:
        """Makes a key for one purpose."""
        info = self._keyring.create(KeyPurpose(message["purpose"]), Suite(message["suite"]))
        return {"key_id": info.key_id, "spki": wire.text(info.spki)}

    def sign_cms(self, message: dict[str, Any]) -> dict[str, Any]:
        """Signs the intended digest of a seal use: CMS with the seal's certificate and chain, detached."""
        intent = self._intended(message["subject"], IntentKind.SEAL_USE)
        held = self._held(intent)
        identity = self._identity(held)
        attributes = identity.signed_attributes(message_digest=intent.digest)
        cms = identity.signed_data(signed_attributes=attributes, signature=held.signer.sign(attributes))
        return {"cms": wire.text(cms)}

    def issue_certificate(self, message: dict[str, Any]) -> dict[str, Any]:
        """Builds the certificate the payload describes, lints it, signs it with the intended authority's key."""
        intent = self._intended(message["subject"], IntentKind.CERTIFICATE)
        payload = _matching(message["payload"], intent)
        held = self._held(intent)
        issuer = self._issuer(held, str(payload["profile"]))
        tbs = tbs_of(payload, issuer=issuer, issuer_key=held.info)
        certificate = assemble_certificate(tbs, held.signer)
        return {"certificate": wire.text(certificate)}

    def sign_credential(self, message: dict[str, Any]) -> dict[str, Any]:
        """Signs the intended payload as an SD-JWT VC with the key's chain in the header."""
        intent = self._intended(message["subject"], IntentKind.CREDENTIAL)
        payload = _matching(message["payload"], intent)
        held = self._held(intent)
        binding = self._binding(held)
        return {"jws": _jws(vc.header(_chain(binding)), payload, held)}

    def timestamp(self, message: dict[str, Any]) -> dict[str, Any]:
        """An RFC 3161 token at the signer's own time."""
        key_id = KeyId(message["key_id"])
        held = self._keyring.open(key_id, KeyPurpose.TIMESTAMP)
        identity = self._identity(held)
        nonce = message.get("nonce")
        content = build_tst_info(
            imprint=wire.octets(message["imprint"]),
            serial=int.from_bytes(self._randomness.octets(_SERIAL_OCTETS), "big") >> 1 | 1,
            gen_time=self._clock.now(),
            policy_oid=str(message["policy"]),
            nonce=None if nonce is None else int(nonce),
            accuracy=TIMESTAMP_ACCURACY,
        )
        attributes = identity.signed_attributes(content_type=ID_CT_TST_INFO, message_digest=sha256(content))
        token = identity.signed_data(
            signed_attributes=attributes,
            signature=held.signer.sign(attributes),
            content=content,
            content_type=ID_CT_TST_INFO,
            include_certificates=bool(message.get("cert_req", True)),
        )
        return {"token": wire.text(token)}

    def sign_crl(self, message: dict[str, Any]) -> dict[str, Any]:
        """A complete CRL of the authority whose key this is."""
        key_id = KeyId(message["key_id"])
        held = self._keyring.open(key_id, KeyPurpose.AUTHORITY)
        binding = self._binding(held)
        tbs = build_tbs_crl(
            issuer=read_certificate(_certificate_of(binding)).subject,
            number=int(message["number"]),
            this_update=parse_rfc3339(message["this_update"]),
            next_update=parse_rfc3339(message["next_update"]),
            revoked=[
                Revoked(
                    serial=int(serial),
                    at=parse_rfc3339(at).replace(microsecond=0),
                    reason=_reason(reason),
                )
                for serial, at, reason in message["revoked"]
            ],
            aki=key_identifier(binding.spki),
            suite=held.signer.suite,
        )
        return {"crl": wire.text(assemble(tbs, held.signer.suite, held.signer.sign(tbs)))}

    def sign_status_list(self, message: dict[str, Any]) -> dict[str, Any]:
        """A status list token (Token Status List §5.1)."""
        key_id = KeyId(message["key_id"])
        held = self._keyring.open(key_id, KeyPurpose.STATUS_LIST)
        payload = message["payload"]
        if not isinstance(payload, dict) or "status_list" not in payload or "vct" in payload:
            raise SignerRefused("a status list key signs status list tokens only")
        return {"jws": _jws(status_token.header(_chain(self._binding(held))), payload, held)}

    def sign_checkpoint(self, message: dict[str, Any]) -> dict[str, Any]:
        """A checkpoint of the log as a signed note (c2sp.org/tlog-checkpoint)."""
        checkpoint = Checkpoint(
            origin=str(message["origin"]), size=int(message["size"]), root=wire.octets(message["root"])
        )
        return {"note": self._note(message, checkpoint.origin, checkpoint.text())}

    def sign_receipt(self, message: dict[str, Any]) -> dict[str, Any]:
        """A receipt: the promise that an event will be in the log."""
        receipt = Receipt(
            origin=str(message["origin"]),
            event_id=str(message["event_id"]),
            leaf_hash=wire.octets(message["leaf_hash"]),
            latest_inclusion=parse_rfc3339(message["latest"]),
        )
        return {"note": self._note(message, receipt.origin, receipt.text())}

    def _note(self, message: dict[str, Any], origin: str, text: str) -> str:
        held = self._keyring.open(KeyId(message["key_id"]), KeyPurpose.LEDGER)
        key = VerifierKey(name=origin, public_key=held.info.spki[-32:])
        return sign_note(text, key=key, sign=held.signer.sign)

    def _intended(self, subject: str, kind: IntentKind) -> Intent:
        """The intent that counts, or SignerRefused with the reason why the key will not be used."""
        with self._database.read() as work:
            intents = Intents(work)
            intent, outcome = intents.newest(subject), intents.outcome(subject)
        if intent is None:
            raise SignerRefused(f"there is no committed intent for {subject}")
        if intent.kind is not kind:
            raise SignerRefused(f"the intent for {subject} is for a {intent.kind}, not for a {kind}")
        if outcome is not None:
            raise SignerRefused(f"{subject} is already concluded: {outcome}")
        if intent.lease_until <= self._clock.now():
            raise SigningLeaseOver(f"the lease of {subject} has run out; the worker resolves it")
        return intent

    def _held(self, intent: Intent) -> HeldKey:
        return self._keyring.open(intent.key_id, PURPOSE_OF_INTENT[intent.kind])

    def _binding(self, held: HeldKey) -> KeyBinding:
        """The certificate of a key, which must be for this very key and purpose."""
        with self._database.read() as work:
            binding = KeyBindings(work).of_key(held.info.key_id)
        if binding is None:
            raise KeyNotUsable(f"{held.info.key_id} has no certificate")
        certified = read_certificate(_certificate_of(binding)).spki
        if not binding.spki == held.info.spki == certified or binding.purpose is not held.info.purpose:
            raise KeyNotUsable(f"the certificate bound to {held.info.key_id} is for another key or purpose")
        return binding

    def _identity(self, held: HeldKey) -> CmsIdentity:
        """The CMS parts that never change for a key, kept while its certificate is the same."""
        binding = self._binding(held)
        kept = self._identities.get(held.info.key_id)
        if kept is not None and kept[0] == binding:
            return kept[1]
        identity = CmsIdentity(
            certificate=_certificate_of(binding), chain=binding.chain, suite=Suite(binding.suite)
        )
        self._identities[held.info.key_id] = (binding, identity)
        return identity

    def _issuer(self, held: HeldKey, profile: str) -> KeyBinding | None:
        """The authority that issues, None for a root that signs itself; refuses what is not its to issue."""
        with self._database.read() as work:
            known = KeyBindings(work).of_key(held.info.key_id)
        if known is None:
            if profile != ProfileName.ROOT:
                raise KeyNotUsable(f"{held.info.key_id} has no certificate to issue under")
            return None
        binding = self._binding(held)
        if profile not in MAY_ISSUE.get(binding.label, frozenset()):
            raise SignerRefused(f"{binding.label} does not issue {profile} certificates")
        return binding


def _matching(payload: Any, intent: Intent) -> dict[str, Any]:
    if not isinstance(payload, dict) or sha256(canonical_json(payload)) != intent.digest:
        raise SignerRefused(f"the payload is not the one intended for {intent.subject}")
    return payload


def _certificate_of(binding: KeyBinding) -> bytes:
    if binding.certificate is None:
        raise KeyNotUsable(f"{binding.key_id} has no certificate")
    return binding.certificate


def _chain(binding: KeyBinding) -> tuple[bytes, ...]:
    return (_certificate_of(binding), *binding.chain)


def _jws(header: Mapping[str, Any], payload: Mapping[str, Any], held: HeldKey) -> str:
    signed = signing_input(header, payload)
    return attach(signed, held.signer.sign(signed))


def _reason(name: str) -> RevocationReason | None:
    reason = RevocationReason[name.upper().replace("-", "_")]
    return None if reason is RevocationReason.UNSPECIFIED else reason
