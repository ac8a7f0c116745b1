"""A witness of transparency logs (c2sp.org/tlog-witness) for the tests, in a process of its own.

    with running_witness(folder, log_vkey) as witness:
        witness.url, witness.vkey

It keeps what it has seen on the disk before it answers, refuses what does not continue it, and is written from the
C2SP texts: no part of the product is imported.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests.support.tlog_client import LogDisagrees, open_signed_note, require_consistent

MAX_BODY = 1 << 20


class Cosigner:
    """A key that cosigns: type 0x04 or 0x06, the same for the same seed."""

    def __init__(self, name: str, kind: int, seed: bytes) -> None:
        self.name, self.kind = name, kind
        self._key: Any = (
            Ed25519PrivateKey.from_private_bytes(seed)
            if kind == 4
            else MLDSA44PrivateKey.from_seed_bytes(seed)
        )
        public = bytes([kind]) + self._key.public_key().public_bytes_raw()
        self.key_id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{name}+{self.key_id.hex()}+{base64.b64encode(public).decode()}"

    def line(self, text: str, timestamp: int) -> str:
        """The cosignature line on a checkpoint's text."""
        if self.kind == 4:
            message = f"cosignature/v1\ntime {timestamp}\n{text}".encode()
        else:
            origin, size, root = text.splitlines()[:3]
            message = (
                b"subtree/v1\n\0" + bytes([len(self.name)]) + self.name.encode() + timestamp.to_bytes(8, "big")
                + bytes([len(origin)]) + origin.encode() + bytes(8) + int(size).to_bytes(8, "big")
                + base64.b64decode(root)
            )  # fmt: skip
        signed = self.key_id + timestamp.to_bytes(8, "big") + self._key.sign(message)
        return f"\u2014 {self.name} {base64.b64encode(signed).decode()}\n"


class Refusal(Exception):
    """Another answer than a cosignature."""

    def __init__(self, status: int, body: str = "", media_type: str = "text/plain") -> None:
        self.status, self.body, self.media_type = status, body, media_type


class WitnessState:
    """What was seen of each log: size and root, on the disk before anything is answered."""

    def __init__(self, path: Path, log_vkeys: list[str], cosigner: Cosigner) -> None:
        self._path = path
        self._logs = {vkey.split("+", 1)[0]: vkey for vkey in log_vkeys}
        self._cosigner = cosigner
        self._lock = threading.Lock()

    def add_checkpoint(self, body: str) -> str:
        """The cosignature line; raises Refusal."""
        head, _, note = body.partition("\n\n")
        old_line, *hashes = head.split("\n")
        origin = note.split("\n", 1)[0]
        if origin not in self._logs:
            raise Refusal(404)
        try:
            text = open_signed_note(note, self._logs[origin])
        except Exception:
            raise Refusal(403) from None
        size, root = int(text.splitlines()[1]), text.splitlines()[2]
        old = int(old_line.removeprefix("old "))
        if old > size or len(hashes) > 63:
            raise Refusal(400)
        with self._lock:
            seen = json.loads(self._path.read_text()) if self._path.exists() else {}
            known_size, known_root = seen.get(origin, [0, ""])
            if old != known_size:
                raise Refusal(409, f"{known_size}\n", "text/x.tlog.size")
            if old == size and size and root != known_root:
                raise Refusal(409, f"{known_size}\n", "text/x.tlog.size")
            if 0 < old < size:
                try:
                    proof = [base64.b64decode(item) for item in hashes]
                    require_consistent(old, size, base64.b64decode(known_root), base64.b64decode(root), proof)
                except LogDisagrees:
                    raise Refusal(422) from None
            elif hashes:
                raise Refusal(422)
            self._keep({**seen, origin: [size, root]})
        return self._cosigner.line(text, int(time.time()))

    def _keep(self, seen: dict[str, Any]) -> None:
        coming = self._path.with_suffix(".new")
        with coming.open("w") as stream:
            json.dump(seen, stream)
            stream.flush()
            os.fsync(stream.fileno())
        coming.replace(self._path)


def serve(folder: Path, name: str, kind: int, log_vkeys: list[str]) -> None:
    """Serves on loopback until the input ends; says its port and key on the first line."""
    seed = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:8]}.seed"
    if not seed.exists():
        seed.write_bytes(os.urandom(32))
    cosigner = Cosigner(name, kind, seed.read_bytes())
    state = WitnessState(seed.with_suffix(".json"), log_vkeys, cosigner)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path != "/add-checkpoint":
                return self._answer(404, "", "text/plain")
            body = self.rfile.read(min(int(self.headers["Content-Length"]), MAX_BODY)).decode()
            try:
                return self._answer(200, state.add_checkpoint(body), "text/plain")
            except Refusal as refusal:
                return self._answer(refusal.status, refusal.body, refusal.media_type)

        def _answer(self, status: int, body: str, media_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(json.dumps({"port": server.server_port, "vkey": cosigner.vkey}), flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


@dataclass(frozen=True)
class RunningWitness:
    """Where a witness takes checkpoints, and its key."""

    url: str
    vkey: str
    name: str


@contextmanager
def running_witness(
    folder: Path, *log_vkeys: str, name: str = "witness.example/w1", kind: int = 4
) -> Iterator[RunningWitness]:
    """A witness process; started again in the same folder it knows what it has seen."""
    command = [sys.executable, "-m", "tests.support.witness", str(folder), name, str(kind), *log_vkeys]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        said = json.loads(process.stdout.readline())
        yield RunningWitness(f"http://127.0.0.1:{said['port']}", said["vkey"], name)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
