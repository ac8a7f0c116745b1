"""Servers that die by kill -9 at a named step of a procedure: orders to `tests.support.kill_launcher`."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from trust.storage import leash

SIGKILLED = -9


@dataclass(frozen=True, kw_only=True)
class KillPoint:
    """Where in a procedure (`package.module:Class.method`) the server kills itself.

    With `step` alone: at the first line that runs after that step's block, after the last step when the
    procedure returns. With `before`: before the statement of that step, or of the whole function where no step
    is given, that starts with these words, the `arrival`-th time it is to run.
    """

    procedure: str
    step: int | None = None
    before: str | None = None
    arrival: int = 1

    def __str__(self) -> str:
        where = f"{self.procedure.rpartition(':')[2]} "
        if self.before is None:
            return f"{where} after step {self.step}"
        return f"{where} in step {self.step}, before {self.before!r} ({self.arrival})"


class Launcher:
    """The launcher's process, and orders to it; may be used as `Supervisor`'s way to start a child."""

    def __init__(self, log: Path, *, temporary: Path) -> None:
        """`temporary`: a folder for what killed processes leave behind."""
        self.kill: KillPoint | None = None
        self._temporary = temporary
        self._lock = threading.Lock()
        with log.open("ab") as written:
            self._process = leash.start(
                [sys.executable, "-m", "tests.support.kill_launcher"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=written,
                cwd=Path(__file__).resolve().parents[2],
            )  # fmt: skip

    def __call__(self, name: str, environment: Mapping[str, str], _log: IO[bytes] | None) -> "ForkedChild":
        kill = self.kill if name == "serve" else None
        order = {
            "start": name,
            "environment": dict(environment),
            "kill": None if kill is None else vars(kill),
        }
        return ForkedChild(pid=self.ask(order)["pid"], launcher=self)

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """One order, one answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
            answer = stdout.readline()
        if not answer:
            raise RuntimeError("the launcher has ended; its log says why")
        result: dict[str, Any] = json.loads(answer)
        return result

    def close(self) -> None:
        """Ends the launcher, and with it whatever it started."""
        self._process.terminate()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@dataclass(kw_only=True)
class ForkedChild:
    """A child of the launcher's, as `Supervisor` looks at its children."""

    pid: int
    launcher: Launcher = field(repr=False)

    def poll(self) -> int | None:
        status: int | None = self.launcher.ask({"poll": self.pid})["status"]
        return status

    def wait(self, timeout: float | None = None) -> int:
        until = time.monotonic() + (60.0 if timeout is None else timeout)
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 60.0)
            time.sleep(0.01)
        return status

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None:  # asked of its parent first, so that the id is not somebody else's by now
            os.kill(self.pid, number)
