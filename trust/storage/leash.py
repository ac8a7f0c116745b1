"""Child processes that end when their parent does, however the parent ends (also by kill -9).

On Linux the kernel does it (PR_SET_PDEATHSIG). Elsewhere this module, run as a program, stands between the
two and watches its own parent: `python -m trust.storage.leash SIGNAL COMMAND…`.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class OrdinaryUser:
    """Whom a child runs as where the parent is root."""

    uid: int
    gid: int


def start(
    command: Sequence[str],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    user: OrdinaryUser | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a child that gets `death_signal` when the calling thread's process dies.

    The kernel ties the signal to the thread that forked: call this from a thread that lives as long as the
    process, in practice the main one.
    """
    on_linux = sys.platform == "linux"
    full = (
        list(command)
        if on_linux
        else [sys.executable, "-m", "trust.storage.leash", death_signal.name, *command]
    )
    return subprocess.Popen(
        full,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        preexec_fn=_prepare(death_signal, user, os.getpid()),  # noqa: PLW1509 -- called from the main thread
        start_new_session=True,
    )


def _prepare(death_signal: signal.Signals, user: OrdinaryUser | None, parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:  # the parent died between fork and prctl
                os._exit(1)

    return prepare


def watch(death_signal: signal.Signals, command: Sequence[str]) -> int:
    """Runs the command and passes it the signal when our parent is no longer the one that started us."""
    parent = os.getppid()
    child = subprocess.Popen(list(command))
    for forwarded in (signal.SIGTERM, signal.SIGINT):
        signal.signal(forwarded, lambda number, _frame: child.send_signal(number))
    while child.poll() is None:
        if os.getppid() != parent:
            child.send_signal(death_signal)
            return child.wait()
        time.sleep(_POLL_SECONDS)
    return child.returncode


if __name__ == "__main__":
    sys.exit(watch(signal.Signals[sys.argv[1]], sys.argv[2:]))
