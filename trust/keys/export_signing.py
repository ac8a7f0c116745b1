"""What the signer does for exports of events: signs the note over an export's manifest, built here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trust.evidence.export_notes import ExportNote
from trust.evidence.tlog import VerifierKey, sign_note
from trust.kernel.clock import parse_rfc3339, rfc3339
from trust.keys import wire
from trust.keys.client import SignerClient
from trust.keys.keyring import Keyring
from trust.keys.model import KeyId, KeyPurpose
from trust.keys.server import Operation


class ExportSigning:
    """Signs notes over exports with the log's key: texts that are no checkpoint and no receipt."""

    def __init__(self, *, keyring: Keyring) -> None:
        self._keyring = keyring

    def by_name(self) -> Mapping[str, Operation]:
        """The operation by the name a client asks for."""
        return {"sign-export": self.sign_export}

    def sign_export(self, message: dict[str, Any]) -> dict[str, Any]:
        """The note of one export, under the log's key."""
        note = ExportNote(
            origin=str(message["origin"]),
            manifest=wire.octets(message["manifest"]),
            export_id=str(message["export_id"]),
            events=int(message["events"]),
            at=parse_rfc3339(message["at"]),
        )
        held = self._keyring.open(KeyId(message["key_id"]), KeyPurpose.LEDGER)
        key = VerifierKey.of_spki(note.origin, held.info.spki)
        return {"note": sign_note(note.text(), key=key, sign=held.signer.sign)}


class ExportSigner:
    """The client's side, for one log and its key."""

    def __init__(self, client: SignerClient, *, key_id: KeyId, origin: str) -> None:
        self._client = client
        self._key_id = key_id
        self._origin = origin

    def sign_export(self, *, export_id: str, manifest: bytes, events: int, at: datetime) -> str:
        """The signed note; `manifest` is the manifest's SHA-256. Raises what the signer raises."""
        answer = self._client.ask(
            {
                "do": "sign-export",
                "key_id": self._key_id,
                "origin": self._origin,
                "manifest": wire.text(manifest),
                "export_id": export_id,
                "events": events,
                "at": rfc3339(at),
            }
        )
        return str(answer["note"])
