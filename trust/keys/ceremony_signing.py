"""What the signer signs of a ceremony: its log, read and written anew here, by the ledger's key and by the root's.

A log begins with a line that says what it is, so a signature over it is no certificate, no list and no checkpoint.
"""

from collections.abc import Mapping
from typing import Any

from trust.evidence.ceremony_log import CeremonyLog, RootSignature
from trust.evidence.tlog import SignedNote, VerifierKey, sign_note
from trust.keys.errors import SignerRefused
from trust.keys.identities import Identities
from trust.keys.keyring import Keyring
from trust.keys.model import KeyId, KeyPurpose
from trust.keys.server import Operation
from trust.pki.certificate import read_certificate


class CeremonySigning:
    """Signs logs of ceremonies; a root signs none but those in which it is named."""

    def __init__(self, *, keyring: Keyring, identities: Identities) -> None:
        self._keyring = keyring
        self._identities = identities

    def by_name(self) -> Mapping[str, Operation]:
        """The operations by the names a client asks for."""
        return {"sign-ceremony-log": self.sign}

    def sign(self, message: dict[str, Any]) -> dict[str, Any]:
        """The log as a note with the ledger's signature, and after it the root's where its key is named."""
        text = CeremonyLog.parse(str(message["text"])).text()
        origin = CeremonyLog.parse(text).origin
        ledger = self._keyring.open(KeyId(message["ledger_key"]), KeyPurpose.LEDGER)
        key = VerifierKey.of_spki(origin, ledger.info.spki)
        note = SignedNote.parse(sign_note(text, key=key, sign=ledger.signer.sign))
        signatures = list(note.signatures)
        if message.get("root_key") is not None:
            root = self._keyring.open(KeyId(message["root_key"]), KeyPurpose.AUTHORITY)
            certificate = self._identities.binding(root).certificate
            if certificate is None or not read_certificate(certificate).self_issued:
                raise SignerRefused(
                    "a ceremony's log is signed by the root's key, not by another authority's"
                )
            signatures.append(
                RootSignature(origin=origin, spki=root.info.spki).signed(root.signer.sign(text.encode()))
            )
        return {"note": SignedNote(text=text, signatures=tuple(signatures)).encode()}
