"""What the signer does for authorities: certificates by intent, and requests for keys that others certify.

Whether an authority issues a profile is a fact recorded at a ceremony and read here; what a client says of it is not
heard. A key of ours asks for a certificate (PKCS #10) of the profile that its purpose is for, and of no other.
"""

from collections.abc import Mapping
from typing import Any, Final

from trust.crypto.digests import sha256
from trust.crypto.suites import Suite
from trust.kernel.canonical import canonical_json
from trust.keys import wire
from trust.keys.certificates import assemble_certificate, tbs_of
from trust.keys.errors import KeyNotUsable, SignerRefused
from trust.keys.identities import Identities
from trust.keys.keyring import HeldKey, Keyring
from trust.keys.leaves import Leaves
from trust.keys.model import Intent, IntentKind, KeyBinding, KeyPurpose
from trust.keys.repository import IssuingPermissions, KeyBindings
from trust.keys.server import Operation
from trust.pki.csr_writing import assemble_request, build_request_info
from trust.pki.profiles import PROFILES, Profile, ProfileName
from trust.storage.database import Database

# What a key of each purpose is certified as.
PROFILES_OF_PURPOSE: Final[Mapping[KeyPurpose, frozenset[ProfileName]]] = {
    KeyPurpose.AUTHORITY: frozenset({ProfileName.ISSUING_AUTHORITY}),
    KeyPurpose.SEAL: frozenset({ProfileName.SEAL}),
    KeyPurpose.CREDENTIAL: frozenset({ProfileName.LICENCE}),
    KeyPurpose.TIMESTAMP: frozenset({ProfileName.TIMESTAMP}),
    KeyPurpose.STATUS_LIST: frozenset({ProfileName.SERVICE}),
    KeyPurpose.LEDGER: frozenset({ProfileName.LEDGER}),
}


class CertificateSigning:
    """Signs certificates and requests for committed intents; nothing that a client sends is signed."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        identities: Identities,
        leaves: Leaves,
        database: Database,
        profiles: Mapping[ProfileName, Profile] = PROFILES,
    ) -> None:
        self._keyring = keyring
        self._identities = identities
        self._leaves = leaves
        self._database = database
        self._profiles = profiles

    def by_name(self) -> Mapping[str, Operation]:
        """The operations by the names a client asks for."""
        return {"issue-certificate": self.issue_certificate, "sign-request": self.sign_request}

    def issue_certificate(self, message: dict[str, Any]) -> dict[str, Any]:
        """Builds the certificate the payload describes, lints it, signs it with the intended authority's key."""
        intent, payload = self._intended(message, IntentKind.CERTIFICATE)
        held = self._keyring.open_for(intent)
        issuer = self._issuer(held, payload)
        tbs = tbs_of(payload, issuer=issuer, issuer_key=held.info, profiles=self._profiles)
        return {"certificate": wire.text(assemble_certificate(tbs, held.signer))}

    def sign_request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Builds the request (PKCS #10) the payload describes and signs it with the key it is about."""
        intent, payload = self._intended(message, IntentKind.CERTIFICATE_REQUEST)
        profile = self._profiles[ProfileName(payload["profile"])]
        purpose = KeyPurpose(payload["purpose"])
        if profile.name not in PROFILES_OF_PURPOSE.get(purpose, frozenset()):
            raise SignerRefused(f"a key for {purpose} is not certified as {profile.name}")
        held = self._keyring.open_for(intent, purpose)
        info = build_request_info(
            subject={str(key): str(value) for key, value in payload["subject"].items()},
            spki=held.info.spki,
            profile=profile,
        )
        return {"csr": wire.text(assemble_request(info, Suite(held.info.suite), held.signer.sign(info)))}

    def _intended(self, message: dict[str, Any], kind: IntentKind) -> tuple[Intent, dict[str, Any]]:
        intent = self._leaves.of(message["subject"], (kind,)).intent
        payload = message["payload"]
        if not isinstance(payload, dict) or sha256(canonical_json(payload)) != intent.digest:
            raise SignerRefused(f"the payload is not the one intended for {intent.subject}")
        return intent, payload

    def _issuer(self, held: HeldKey, payload: Mapping[str, Any]) -> KeyBinding | None:
        """The authority that issues, None for a root that signs itself; refuses what is not its to issue."""
        profile = str(payload["profile"])
        with self._database.read() as work:
            known = KeyBindings(work).of_key(held.info.key_id)
            permitted = IssuingPermissions(work).of(held.info.key_id) or frozenset()
            of_label = () if known is None else KeyBindings(work).labelled(known.label)
        if known is None:
            if profile != ProfileName.ROOT:
                raise KeyNotUsable(f"{held.info.key_id} has no certificate to issue under")
            return None
        binding = self._identities.binding(held)
        if profile not in permitted:
            raise SignerRefused(f"{binding.label} does not issue {profile} certificates")
        if profile == ProfileName.CROSS and wire.octets(payload["spki"]) not in {
            each.spki for each in of_label if each.label == binding.label
        }:
            raise SignerRefused(
                f"a bridge leads from one key of {binding.label} to another, and nowhere else"
            )
        return binding
