"""What the signer does for OCSP: many answers in one call, each built here around what is said of its certificates.

A responder's key answers for the authority that issued its certificate and for no other: names and keys in the answers
are those of that authority, whatever a client sends.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trust.crypto.suites import Suite
from trust.kernel.clock import Clock, parse_rfc3339
from trust.kernel.errors import Malformed
from trust.keys import wire
from trust.keys.errors import KeyNotUsable
from trust.keys.identities import Identities, certificate_of
from trust.keys.keyring import HeldKey, Keyring
from trust.keys.model import KeyId, KeyPurpose
from trust.keys.ocsp_wire import read_status
from trust.keys.server import MAX_BATCH, Operation
from trust.keys.standing_repository import newest_binding
from trust.pki.ocsp_response import OcspIdentity
from trust.storage.database import Database


class OcspSigning:
    """Signs OCSP answers with the keys of responders."""

    def __init__(self, *, keyring: Keyring, identities: Identities, database: Database, clock: Clock) -> None:
        self._keyring = keyring
        self._identities = identities
        self._database = database
        self._clock = clock
        self._kept: dict[KeyId, tuple[int, OcspIdentity]] = {}
        self._lock = threading.Lock()

    def by_name(self) -> Mapping[str, Operation]:
        """The operations by the names a client asks for."""
        return {"sign-ocsp-batch": self.sign_ocsp_batch}

    def sign_ocsp_batch(self, message: dict[str, Any]) -> dict[str, Any]:
        """An OCSPResponse for each item of `answers`: a nonce or null, and what is said of each certificate.

        All are of `this_update` and `next_update`, and produced at the signer's own time.
        """
        answers = message["answers"]
        if not isinstance(answers, list) or len(answers) > MAX_BATCH:
            raise Malformed(f"a batch is a list of at most {MAX_BATCH} answers")
        held = self._keyring.open(KeyId(message["key_id"]), KeyPurpose.OCSP)
        responder = self._responder(held)
        moments = responder.moments(
            produced_at=_whole(self._clock.now()),
            this_update=_whole(parse_rfc3339(message["this_update"])),
            next_update=_whole(parse_rfc3339(message["next_update"])),
        )
        signed = []
        for nonce, statuses in answers:
            data = responder.response_data(
                [responder.single(read_status(status), moments) for status in statuses],
                moments,
                nonce=None if nonce is None else wire.octets(nonce),
            )
            signed.append(wire.text(responder.response(data, held.signer.sign(data))))
        return {"answers": signed}

    def _responder(self, held: HeldKey) -> OcspIdentity:
        """The parts that never change for a key under its newest binding; raises KeyNotUsable."""
        position = newest_binding(self._database, held.info.key_id)
        kept = self._kept.get(held.info.key_id)
        if kept is not None and kept[0] == position:
            return kept[1]
        binding = self._identities.binding(held)
        if not binding.chain:
            raise KeyNotUsable(f"{binding.label} has no authority to answer for")
        responder = OcspIdentity(
            certificate=certificate_of(binding), issuer=binding.chain[0], suite=Suite(binding.suite)
        )
        if position is not None:
            with self._lock:
                self._kept[held.info.key_id] = (position, responder)
        return responder


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
