"""Everything on embedded defaults: PostgreSQL, signer, worker and server as our own children, on loopback.

All of them end with this process, however it ends. For trying out and for tests; a deployment on several
machines runs `yinxin signer`, `worker` and `serve` by its own means (docs/runbooks/deployment.md).
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Final, Protocol

from api.migrations.upgrade import upgrade
from api.settings import Settings
from trust.authority.ceremony import SHIPPED, Ceremony, hold_ceremony
from trust.kernel.errors import Unavailable
from trust.kernel.randomness import SystemRandomness
from trust.keys.client import SignerClient
from trust.keys.errors import SignerAway
from trust.keys.wrapping import ensure_key_encryption_key
from trust.storage import leash
from trust.storage.embedded import EmbeddedPostgres

START_SECONDS: Final = 60
# What each child has no business with.
_NOT_FOR_SERVER: Final = frozenset(
    {
        "database_owner_url",
        "database_signer_url",
        "key_encryption_key_file",
        "key_encryption_key_value",
        "earlier_key_encryption_keys",
        "pkcs11_pin",
        "pkcs11_pin_file",
    }
)
_NOT_FOR_SIGNER: Final = frozenset(
    {"database_owner_url", "database_url", "database_read_url", "s3_secret_key", "personal_data_key_file"}
)


class ChildFailed(Unavailable):
    """One of the processes did not start."""

    code = "child-failed"


class Child(Protocol):
    """A process that was started, as `subprocess.Popen` shows it."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


# Starts `yinxin NAME` in an environment, its output going to the log.
Start = Callable[[str, Mapping[str, str], IO[bytes] | None], Child]


def start_yinxin(name: str, environment: Mapping[str, str], log: IO[bytes] | None) -> Child:
    """Starts `yinxin NAME` as a program of its own, ending when we do."""
    return leash.start([sys.executable, "-m", "api.cli.main", name], env=environment, stdout=log, stderr=log)


class Supervisor:
    """Starts and ends the processes of an embedded deployment; a context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        durable: bool = True,
        log: Path | None = None,
        start: Start = start_yinxin,
    ) -> None:
        self._given = settings
        self._durable = durable
        self._log_path = log
        self._start = start
        self._stack = contextlib.ExitStack()
        self.settings = settings
        self.children: dict[str, Child] = {}
        self._log: IO[bytes] | None = None

    def __enter__(self) -> "Supervisor":
        try:
            self.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self, said: Callable[[str], None] = lambda _line: None) -> None:
        """Database, schema, keys, signer, ceremony, worker, server: in this order, each waited for."""
        given = self._given
        given.data.mkdir(parents=True, exist_ok=True)
        if self._log_path is not None:
            self._log = self._stack.enter_context(self._log_path.open("ab"))
        ensure_key_encryption_key(given.key_encryption_key, SystemRandomness())
        ensure_key_encryption_key(given.personal_data_key, SystemRandomness())
        postgres = self._stack.enter_context(EmbeddedPostgres(given.data / "postgres", durable=self._durable))
        self.settings = given.with_urls(postgres.urls)
        said("database")
        upgrade(self.settings.database_owner_url)
        said("schema")
        self.start_child("signer")
        self._hold_ceremony()
        said("signer")
        self.start_child("worker")
        self.start_child("serve")
        said("server")

    def start_child(self, name: str) -> None:
        """Starts `yinxin NAME` and waits until it answers."""
        leave_out = _NOT_FOR_SIGNER if name == "signer" else _NOT_FOR_SERVER
        full = replace(
            self.settings,
            key_encryption_key_file=str(self.settings.key_encryption_key),
            personal_data_key_file=str(self.settings.personal_data_key),
        )
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("YINXIN_")}
        environment = {**inherited, **full.environment(leave_out=leave_out), "PYTHONUNBUFFERED": "1"}
        self.children[name] = self._start(name, environment, self._log)
        if name == "signer":
            self._wait(name, self._signer_answers)
        elif name == "serve":
            self._wait(name, self._server_answers)

    def stop(self) -> None:
        """Ends the children, the server first, and then the database."""
        for name in ("serve", "worker", "signer"):
            child = self.children.pop(name, None)
            if child is None or child.poll() is not None:
                continue
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)
        self._stack.close()

    def _hold_ceremony(self) -> None:
        from api.wiring import build_authorities

        path = Path(self.settings.ceremony_file) if self.settings.ceremony_file else SHIPPED
        with contextlib.closing(build_authorities(self.settings)) as parts:
            hold_ceremony(
                Ceremony.read(path),
                ledger=parts.ledger,
                signer=parts.signer,
                authority=parts.certificates,
                clock=parts.clock,
            )
            parts.revocations.refresh_all()
            parts.ocsp_keys.ensure_all()

    def _signer_answers(self) -> bool:
        client = SignerClient(self.settings.socket_path)
        try:
            client.ping()
        except SignerAway:
            return False
        finally:
            client.close()
        return True

    def _server_answers(self) -> bool:
        connection = HTTPConnection(self.settings.host, self.settings.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _wait(self, name: str, answers: Callable[[], bool]) -> None:
        child = self.children[name]
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if child.poll() is not None:
                break
            if answers():
                return
            time.sleep(0.05)
        where = f"; its log is {self._log_path}" if self._log_path else ""
        raise ChildFailed(f"`yinxin {name}` did not start{where}")


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
