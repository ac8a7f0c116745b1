"""What the signer does, one straight procedure each: read the intent, build the bytes itself, sign.

Seal, certificate and licence keys sign only for a committed intent that is the newest of its subject, not
concluded, within its lease, and for this very key. Service keys sign structures of their purpose, built here.
"""

from collections.abc import Mapping
from typing import Any, Final

from trust.credentials import status_token, vc
from trust.credentials.jws import attach, signing_input
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.evidence.receipts import Receipt
from trust.evidence.tlog import Checkpoint, VerifierKey, add_signature, sign_note
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock, parse_rfc3339
from trust.kernel.errors import Malformed
from trust.kernel.randomness import Randomness
from trust.keys import wire
from trust.keys.ceremony_signing import CeremonySigning
from trust.keys.certificate_signing import CertificateSigning
from trust.keys.errors import SignerRefused
from trust.keys.export_signing import ExportSigning
from trust.keys.identities import Identities, certificate_of, chain_of
from trust.keys.journal import Journal
from trust.keys.key_acts import KeyActs
from trust.keys.keyring import HeldKey, Keyring
from trust.keys.leaves import Leaves
from trust.keys.model import Intent, IntentKind, KeyId, KeyPurpose
from trust.keys.ocsp_signing import OcspSigning
from trust.keys.seal_signing import SealSigning
from trust.keys.server import Operation
from trust.keys.stamping.clock import StampingClock
from trust.keys.stamping.repository import StampingMarks
from trust.keys.timestamp_signing import TimestampSigning
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason, Revoked, build_tbs_crl
from trust.pki.extensions import key_identifier
from trust.pki.profiles import PROFILES, Profile, ProfileName
from trust.pki.tbs import assemble
from trust.storage.database import Database

# An algorithm for the long term beside the usual one, and room for a change from one to the next.
MAX_FURTHER_KEYS: Final = 4


class Operations:
    """The signer's operations by name, for `SignerServer`."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        journal: Journal,
        database: Database,
        clock: Clock,
        randomness: Randomness,
        key_acts: KeyActs,
        profiles: Mapping[ProfileName, Profile] = PROFILES,
        stamping_clock: StampingClock | None = None,
    ) -> None:
        """`stamping_clock` guards the time that timestamps bear; by default `clock` at the usual accuracy."""
        self._keyring = keyring
        self._key_acts = key_acts
        self._journal = journal
        self._database = database
        self._identities = Identities(database)
        self._leaves = Leaves(database=database, clock=clock)
        self._certificates = CertificateSigning(
            keyring=keyring,
            identities=self._identities,
            leaves=self._leaves,
            database=database,
            profiles=profiles,
        )
        self._seals = SealSigning(
            keyring=keyring, identities=self._identities, leaves=self._leaves, journal=journal
        )
        self._ocsp = OcspSigning(keyring=keyring, identities=self._identities, database=database, clock=clock)
        self._timestamps = TimestampSigning(
            keyring=keyring,
            identities=self._identities,
            clock=stamping_clock or StampingClock(clock=clock, marks=StampingMarks(database)),
            randomness=randomness,
        )

    def by_name(self) -> Mapping[str, Operation]:
        """Everything a client may ask for, each inside a call of the journal (`trust/keys/journal.py`)."""
        return self._journal.recorded(self._operations())

    def _operations(self) -> Mapping[str, Operation]:
        return {
            "ping": lambda _message: {},
            "create-key": self.create_key,
            **self._key_acts.by_name(),
            **self._seals.by_name(),
            **self._certificates.by_name(),
            **CeremonySigning(keyring=self._keyring, identities=self._identities).by_name(),
            **self._ocsp.by_name(),
            **ExportSigning(keyring=self._keyring).by_name(),
            "sign-credential": self.sign_credential,
            **self._timestamps.by_name(),
            "sign-crl": self.sign_crl,
            "sign-status-list": self.sign_status_list,
            "sign-checkpoint": self.sign_checkpoint,
            "sign-receipt": self.sign_receipt,
        }

    def create_key(self, message: dict[str, Any]) -> dict[str, Any]:
        """Makes a key for one purpose."""
        info = self._keyring.create(KeyPurpose(message["purpose"]), Suite(message["suite"]))
        return {"key_id": info.key_id, "spki": wire.text(info.spki)}

    def sign_credential(self, message: dict[str, Any]) -> dict[str, Any]:
        """Signs the intended payload as an SD-JWT VC with the key's chain in the header."""
        intent = self._intended(message, IntentKind.CREDENTIAL)
        payload = _matching(message["payload"], intent)
        held = self._held(intent)
        binding = self._identities.binding(held)
        return {"jws": _jws(vc.header(chain_of(binding)), payload, held)}

    def sign_crl(self, message: dict[str, Any]) -> dict[str, Any]:
        """A complete CRL of the authority whose key this is."""
        key_id = KeyId(message["key_id"])
        held = self._keyring.open(key_id, KeyPurpose.AUTHORITY)
        binding = self._identities.binding(held)
        authority = read_certificate(certificate_of(binding))
        tbs = build_tbs_crl(
            issuer=authority.subject,
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
            # Nothing that this key ever revoked is dropped: see trust/authority/revocation.py.
            keeps_expired_since=authority.not_before,
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
        return {"jws": _jws(status_token.header(chain_of(self._identities.binding(held))), payload, held)}

    def sign_checkpoint(self, message: dict[str, Any]) -> dict[str, Any]:
        """A checkpoint of the log as a signed note (c2sp.org/tlog-checkpoint)."""
        checkpoint = Checkpoint(
            origin=str(message["origin"]), size=int(message["size"]), root=wire.octets(message["root"])
        )
        note = self._note(message, checkpoint.origin, checkpoint.text())
        for further in _further_keys(message):
            held = self._keyring.open(further, KeyPurpose.LEDGER)
            key = VerifierKey.of_spki(checkpoint.origin, held.info.spki)
            note = add_signature(note, key=key, sign=held.signer.sign)
        return {"note": note}

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
        key = VerifierKey.of_spki(origin, held.info.spki)
        return sign_note(text, key=key, sign=held.signer.sign)

    def _intended(self, message: dict[str, Any], kind: IntentKind) -> Intent:
        return self._leaves.of(message["subject"], (kind,)).intent

    def _held(self, intent: Intent) -> HeldKey:
        return self._keyring.open_for(intent)


def _further_keys(message: dict[str, Any]) -> list[KeyId]:
    """Keys that sign a checkpoint besides the first."""
    given = message.get("further_key_ids", [])
    if not isinstance(given, list) or len(given) > MAX_FURTHER_KEYS:
        raise Malformed(f"further_key_ids is a list of at most {MAX_FURTHER_KEYS} keys")
    return [KeyId(str(each)) for each in given]


def _matching(payload: Any, intent: Intent) -> dict[str, Any]:
    if not isinstance(payload, dict) or sha256(canonical_json(payload)) != intent.digest:
        raise SignerRefused(f"the payload is not the one intended for {intent.subject}")
    return payload


def _jws(header: Mapping[str, Any], payload: Mapping[str, Any], held: HeldKey) -> str:
    signed = signing_input(header, payload)
    return attach(signed, held.signer.sign(signed))


def _reason(name: str) -> RevocationReason | None:
    reason = RevocationReason[name.upper().replace("-", "_")]
    return None if reason is RevocationReason.UNSPECIFIED else reason
