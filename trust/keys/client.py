"""The client of the signer: what the other processes may ask, and nothing that looks like a key."""

import select
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from trust.crypto.suites import Suite
from trust.kernel.clock import rfc3339
from trust.kernel.errors import YinxinError
from trust.keys import wire
from trust.keys.errors import KeyNotUsable, SignerAway, SignerRefused, SigningLeaseOver, WrappedKeyBroken
from trust.keys.model import KeyId, KeyInfo, KeyPurpose

ANSWER_SECONDS: Final = 15.0
_MAX_IDLE_CONNECTIONS: Final = 16
_ERRORS: Final[Mapping[str, type[YinxinError]]] = {
    error.code: error for error in (KeyNotUsable, SignerRefused, SigningLeaseOver, WrappedKeyBroken)
}


class SignerClient:
    """Asks the signer over its Unix socket; safe to share between threads.

    Every method raises SignerAway where the signer is not there, and SignerRefused or KeyNotUsable with the
    signer's own reason where it says no.
    """

    def __init__(self, socket_path: Path, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._path = socket_path
        self._seconds = answer_seconds
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def ping(self) -> None:
        """Returns where the signer is there."""
        self._ask({"do": "ping"})

    def create_key(self, purpose: KeyPurpose, suite: Suite) -> KeyInfo:
        """Has a key made; only its public half comes back."""
        answer = self._ask({"do": "create-key", "purpose": purpose.value, "suite": suite.value})
        return KeyInfo(
            key_id=KeyId.parse(answer["key_id"]),
            purpose=purpose,
            suite=suite.value,
            spki=wire.octets(answer["spki"]),
        )

    def sign_cms(self, subject: str) -> bytes:
        """The CMS SignedData (DER, no timestamp yet) for the newest intent of this seal use."""
        return wire.octets(self._ask({"do": "sign-cms", "subject": subject})["cms"])

    def sign_cms_batch(self, subjects: Sequence[str]) -> list[bytes | YinxinError]:
        """As `sign_cms` for many in one call, each with its own outcome."""
        items = self._ask({"do": "sign-cms-batch", "subjects": list(subjects)})["items"]
        return [_error(item) if "error" in item else wire.octets(item["cms"]) for item in items]

    def sign_hash_batch(self, subjects: Sequence[str]) -> list[bytes | YinxinError]:
        """The raw signatures over the hashes intended for these seal uses, each with its own outcome."""
        items = self._ask({"do": "sign-hash-batch", "subjects": list(subjects)})["items"]
        return [_error(item) if "error" in item else wire.octets(item["signature"]) for item in items]

    def issue_certificate(self, subject: str, payload: Mapping[str, Any]) -> bytes:
        """The certificate (DER) that the newest intent of this subject allows, built from `payload`."""
        answer = self._ask({"do": "issue-certificate", "subject": subject, "payload": dict(payload)})
        return wire.octets(answer["certificate"])

    def sign_credential(self, subject: str, payload: Mapping[str, Any]) -> str:
        """The compact JWS of an SD-JWT VC that the newest intent of this subject allows."""
        answer = self._ask({"do": "sign-credential", "subject": subject, "payload": dict(payload)})
        return str(answer["jws"])

    def timestamp(
        self, key_id: KeyId, *, imprint: bytes, nonce: int | None, policy: str, cert_req: bool = True
    ) -> bytes:
        """An RFC 3161 token over a SHA-256 imprint, at the signer's own time."""
        answer = self._ask(
            {
                "do": "timestamp",
                "key_id": key_id,
                "imprint": wire.text(imprint),
                "nonce": None if nonce is None else str(nonce),
                "policy": policy,
                "cert_req": cert_req,
            }
        )
        return wire.octets(answer["token"])

    def timestamp_batch(self, key_id: KeyId, *, imprints: Sequence[bytes], policy: str) -> list[bytes]:
        """RFC 3161 tokens over SHA-256 imprints, in order, in one call."""
        answer = self._ask(
            {
                "do": "timestamp-batch",
                "key_id": key_id,
                "imprints": [wire.text(imprint) for imprint in imprints],
                "policy": policy,
            }
        )
        return [wire.octets(token) for token in answer["tokens"]]

    def sign_crl(
        self,
        key_id: KeyId,
        *,
        number: int,
        this_update: datetime,
        next_update: datetime,
        revoked: Sequence[tuple[int, datetime, str]],
    ) -> bytes:
        """A complete CRL of the authority that this key is bound to (DER); `revoked`: serial, moment, reason."""
        answer = self._ask(
            {
                "do": "sign-crl",
                "key_id": key_id,
                "number": number,
                "this_update": rfc3339(this_update),
                "next_update": rfc3339(next_update),
                "revoked": [[str(serial), rfc3339(at), reason] for serial, at, reason in revoked],
            }
        )
        return wire.octets(answer["crl"])

    def sign_status_list(self, key_id: KeyId, payload: Mapping[str, Any]) -> str:
        """A status list token (compact JWS)."""
        return str(self._ask({"do": "sign-status-list", "key_id": key_id, "payload": dict(payload)})["jws"])

    def sign_checkpoint(self, key_id: KeyId, *, origin: str, size: int, root: bytes) -> str:
        """A checkpoint as a signed note."""
        message = {"do": "sign-checkpoint", "key_id": key_id, "origin": origin, "size": size}
        return str(self._ask({**message, "root": wire.text(root)})["note"])

    def sign_receipt(
        self, key_id: KeyId, *, origin: str, event_id: str, leaf_hash: bytes, latest: datetime
    ) -> str:
        """A receipt as a signed note."""
        message = {"do": "sign-receipt", "key_id": key_id, "origin": origin, "event_id": event_id}
        rest = {"leaf_hash": wire.text(leaf_hash), "latest": rfc3339(latest)}
        return str(self._ask({**message, **rest})["note"])

    def close(self) -> None:
        """Closes idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def ask(self, operation: str, **message: Any) -> dict[str, Any]:
        """One operation by its name, for the rooms that keep their own calls; raises what the signer raises."""
        return self._ask({"do": operation, **message})

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        answer = self._call(message)
        if "error" in answer:
            raise _error(answer)
        result = answer["ok"]
        return result if isinstance(result, dict) else {}

    def _call(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._connection() as connection:
            wire.send(connection.socket, message)
            answer = connection.reader.receive()
            if answer is None:
                raise ConnectionError("closed before the answer")
            return answer

    @contextmanager
    def _connection(self) -> Iterator["_Connection"]:
        """A connection that goes back to the idle ones only after a whole answer.

        A connection that was idle may have been closed by a signer that restarted; that shows when it is
        taken, not in the middle of a request, so no request is ever sent twice.
        """
        connection = self._take()
        try:
            yield connection
        except (OSError, wire.FrameRefused) as fault:
            connection.close()
            raise SignerAway(
                "the signer did not answer; it is away or restarting, try again later"
            ) from fault
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if len(self._idle) < _MAX_IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _take(self) -> "_Connection":
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                break
            if connection.still_open():
                return connection
            connection.close()
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(self._seconds)
        try:
            opened.connect(str(self._path))
        except OSError as fault:
            opened.close()
            raise SignerAway("the signer is not there; start it with `yinxin signer`") from fault
        return _Connection(opened)


class _Connection:
    """One conversation with the signer, kept open between requests."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.reader = wire.Reader(opened)
        self._readable = select.poll()
        self._readable.register(opened, select.POLLIN)

    def still_open(self) -> bool:
        """An idle connection has nothing to read; one that does was closed by the other side."""
        return not self._readable.poll(0)

    def close(self) -> None:
        self.socket.close()


def _error(answer: Mapping[str, Any]) -> YinxinError:
    kind = _ERRORS.get(str(answer.get("error")), SignerAway if answer.get("retryable") else SignerRefused)
    return kind(str(answer.get("message", "the signer refused")))
