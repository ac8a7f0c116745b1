"""Whatever `yinxin serve` started on embedded defaults ends with it, also when it is killed by kill -9."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from api.supervisor import free_port
from trust.storage import leash

pytestmark = [
    pytest.mark.kill,
    pytest.mark.skipif(sys.platform != "linux", reason="descendants are read from /proc"),
]
START_SECONDS = 120
# PostgreSQL shuts down in order; everything else just ends.
END_SECONDS = 10
ROOT = Path(__file__).resolve().parents[2]


def test_everything_that_serve_started_ends_when_it_is_killed(house_folder: Path) -> None:
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("YINXIN_")} | {
        "TMPDIR": str(house_folder / "t"),
        "YINXIN_DATA": str(house_folder / "data"),
        "YINXIN_CONFIG": str(house_folder / "config"),
        "YINXIN_SIGNER_SOCKET": str(house_folder / "s" / "socket"),
        "YINXIN_PORT": str(port),
        "YINXIN_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "api.cli.main", "serve"]
    with (house_folder / "output").open("wb") as output:
        serve = leash.start(command, env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until(lambda: serve.poll() is not None or _is_ready(port), START_SECONDS)
        assert serve.poll() is None, (house_folder / "output").read_text()
        children = _descendants(serve.pid)
        names = " ".join(child.command for child in children)
        assert all(name in names for name in ("signer", "worker", "serve", "postgres")), names
    finally:
        serve.kill()
        serve.wait(10)

    _wait_until(lambda: not any(child.is_alive() for child in children), END_SECONDS)
    assert [child for child in children if child.is_alive()] == []
    # What PostgreSQL leaves behind when it is not let shut down.
    assert not (house_folder / "data" / "postgres" / "cluster" / "postmaster.pid").exists()


@pytest.fixture
def house_folder() -> Iterator[Path]:
    """An empty folder in memory, which PostgreSQL's ordinary user can reach."""
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="yx-leash-", dir=root, ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        (Path(name) / "t").mkdir(mode=0o755)
        yield Path(name)


@dataclass(frozen=True, kw_only=True)
class _Process:
    """A process told apart from a later one of the same id by the moment it began."""

    pid: int
    parent: int
    began: int
    command: str

    @classmethod
    def read(cls, pid: int) -> "_Process | None":
        """None where there is none, or only what its parent has yet to fetch (a zombie)."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return None
        state, parent, *rest = stat.rpartition(")")[2].split()
        return (
            None if state in "ZX" else cls(pid=pid, parent=int(parent), began=int(rest[17]), command=command)
        )

    def is_alive(self) -> bool:
        present = _Process.read(self.pid)
        return present is not None and present.began == self.began


def _descendants(pid: int) -> list[_Process]:
    ids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    there = [process for process in map(_Process.read, ids) if process is not None]
    family: set[int] = {pid}
    found: list[_Process] = []
    while more := [process for process in there if process.parent in family and process.pid not in family]:
        family |= {process.pid for process in more}
        found += more
    return found


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _wait_until(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.05)
