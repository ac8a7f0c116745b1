"""What the signer does, one straight procedure each: read the intent, build the bytes itself, sign.

Seal, certificate and licence keys sign only for a committed intent that is the newest of its subject, not
concluded, within its lease, and for this very key. Service keys sign structures of their purpose, built here.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from trust.credentials import status_token, vc
from trust.credentials.jws import attach, signing_input
from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.evidence.receipts import Receipt
from trust.evidence.tlog import Checkpoint, VerifierKey, sign_note
from trust.kernel.canonical import canonical_json
from trust.kernel.clock import Clock, parse_rfc3339
from trust.kernel.errors import Malformed
from trust.kernel.randomness import Randomness
from trust.keys import wire
from trust.keys.ceremony_signing import CeremonySigning
from trust.keys.certificate_signing import CertificateSigning
from trust.keys.errors import SignerRefused
from trust.keys.identities import Identities, certificate_of, chain_of
from trust.keys.keyring import HeldKey, Keyring
from trust.keys.leaves import Leaves
from trust.keys.model import PURPOSE_OF_INTENT, Intent, IntentKind, KeyId, KeyPurpose
from trust.keys.ocsp_signing import OcspSigning
from trust.keys.seal_signing import SealSigning
from trust.keys.server import MAX_BATCH, Operation
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason, Revoked, build_tbs_crl
from trust.pki.extensions import key_identifier
from trust.pki.profiles import PROFILES, Profile, ProfileName
from trust.pki.tbs import assemble
from trust.storage.database import Database
from trust.timestamp.tokens import build_token, build_tst_info

# What our timestamps claim: the machine's clock is kept by NTP and checked by `doctor`.
TIMESTAMP_ACCURACY: Final = timedelta(seconds=1)
_SERIAL_OCTETS: Final = 8


class Operations:
    """The signer's operations by name, for `SignerServer`."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        database: Database,
        clock: Clock,
        randomness: Randomness,
        profiles: Mapping[ProfileName, Profile] = PROFILES,
    ) -> None:
        self._keyring = keyring
        self._database = database
        self._clock = clock
        self._randomness = randomness
        self._identities = Identities(database)
        self._leaves = Leaves(database=database, clock=clock)
        self._certificates = CertificateSigning(
            keyring=keyring,
            identities=self._identities,
            leaves=self._leaves,
            database=database,
            profiles=profiles,
        )
        self._seals = SealSigning(keyring=keyring, identities=self._identities, leaves=self._leaves)
        self._ocsp = OcspSigning(keyring=keyring, identities=self._identities, database=database, clock=clock)

    def by_name(self) -> Mapping[str, Operation]:
        """Everything a client may ask for."""
        return {
            "ping": lambda _message: {},
            "create-key": self.create_key,
            **self._seals.by_name(),
            **self._certificates.by_name(),
            **CeremonySigning(keyring=self._keyring, identities=self._identities).by_name(),
            **self._ocsp.by_name(),
            "sign-credential": self.sign_credential,
            "timestamp": self.timestamp,
            "timestamp-batch": self.timestamp_batch,
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

    def timestamp(self, message: dict[str, Any]) -> dict[str, Any]:
        """An RFC 3161 token at the signer's own time."""
        stamp = self._stamp(message)
        return {"token": wire.text(stamp(wire.octets(message["imprint"])))}

    def timestamp_batch(self, message: dict[str, Any]) -> dict[str, Any]:
        """Tokens over many imprints, each with a serial and a time of its own; all of them or an error."""
        imprints = message["imprints"]
        if not isinstance(imprints, list) or len(imprints) > MAX_BATCH:
            raise Malformed(f"a batch is a list of at most {MAX_BATCH} imprints")
        stamp = self._stamp(message)
        return {"tokens": [wire.text(stamp(wire.octets(imprint))) for imprint in imprints]}

    def _stamp(self, message: dict[str, Any]) -> Callable[[bytes], bytes]:
        """What stamps an imprint as this message asks."""
        held = self._keyring.open(KeyId(message["key_id"]), KeyPurpose.TIMESTAMP)
        identity = self._identities.identity(held)
        policy, given = str(message["policy"]), message.get("nonce")
        nonce = None if given is None else int(given)
        with_certificates = bool(message.get("cert_req", True))

        def stamp(imprint: bytes) -> bytes:
            content = build_tst_info(
                imprint=imprint,
                serial=int.from_bytes(self._randomness.octets(_SERIAL_OCTETS), "big") >> 1 | 1,
                gen_time=self._clock.now(),
                policy_oid=policy,
                nonce=nonce,
                accuracy=TIMESTAMP_ACCURACY,
            )
            return build_token(
                content, identity=identity, signer=held.signer, include_certificates=with_certificates
            )

        return stamp

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

    def _intended(self, message: dict[str, Any], kind: IntentKind) -> Intent:
        return self._leaves.of(message["subject"], (kind,)).intent

    def _held(self, intent: Intent) -> HeldKey:
        return self._keyring.open(intent.key_id, PURPOSE_OF_INTENT[intent.kind])


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
