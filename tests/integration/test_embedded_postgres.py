"""The embedded PostgreSQL: keeps its data, its passwords and its socket to itself, and ends with its parent."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from trust.storage.embedded import EmbeddedPostgres, EmbeddedPostgresFailed
from trust.storage.jobs import libpq_url
from trust.storage.schema import OWNER, READER, SERVICE, SIGNER_ROLE

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import sys, time
from pathlib import Path
from trust.storage.embedded import EmbeddedPostgres

server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.urls.owner, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder that was initialised once, and into which one table was written."""
    root = "/dev/shm" if Path("/dev/shm").is_dir() else None
    made = Path(tempfile.mkdtemp(prefix="yinxin-embedded-", dir=root))
    made.chmod(0o755)
    data = made / "data"
    with (
        EmbeddedPostgres(data, durable=False) as server,
        psycopg.connect(libpq_url(server.urls.owner)) as owner,
    ):
        owner.execute("CREATE TABLE kept (what text)")
        owner.execute("INSERT INTO kept VALUES ('规划局')")
    yield data
    shutil.rmtree(made, ignore_errors=True)


def kept(url: str) -> list[tuple[str]]:
    with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        return connection.execute("SELECT what FROM kept").fetchall()


def sockets_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def postmaster(data: Path) -> int:
    return int((data / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def running(pid: int) -> bool:
    """Whether a process is there and not only its exit status."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 15
    while running(pid):
        assert time.monotonic() < until, "PostgreSQL outlived its parent"
        time.sleep(0.05)


def started_parent(data: Path) -> tuple[subprocess.Popen[str], str]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    return parent, parent.stdout.readline().strip()


def test_a_restart_keeps_the_data_and_the_passwords_and_stops_without_a_trace(folder: Path) -> None:
    before = json.loads((folder / "database-passwords.json").read_text())
    with EmbeddedPostgres(folder, durable=False) as server:
        assert kept(server.urls.owner) == [("规划局",)]
        sockets, pid = sockets_of(server.urls.owner), postmaster(folder)
        left_open = psycopg.connect(libpq_url(server.urls.service))
        left_open.execute("SELECT 1")
    left_open.close()
    assert not running(pid)
    assert not sockets.exists()
    assert json.loads((folder / "database-passwords.json").read_text()) == before
    with pytest.raises(EmbeddedPostgresFailed):
        _ = server.urls


def test_nobody_else_reaches_the_socket_the_passwords_or_the_cluster(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as server:
        sockets = sockets_of(server.urls.owner)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        (listening,) = [path for path in sockets.iterdir() if stat.S_ISSOCK(path.stat().st_mode)]
        assert stat.S_IMODE(listening.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "cluster").stat().st_mode) == 0o700
        passwords = folder / "database-passwords.json"
        assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
        assert passwords.stat().st_uid == os.geteuid()
        assert len(set(json.loads(passwords.read_text()).values())) == 5
        with psycopg.connect(libpq_url(server.urls.superuser)) as superuser:
            assert superuser.execute("SHOW listen_addresses").fetchone() == ("",)
            assert superuser.execute("SHOW server_encoding").fetchone() == ("UTF8",)
            assert superuser.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
        wrong = libpq_url(server.urls.service).replace("yinxin_service:", "yinxin_service:x")
        for url in (wrong, libpq_url(server.urls.service).replace("yinxin_service:", "yinxin_owner:")):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(url, connect_timeout=5)


def test_it_dies_with_a_parent_that_was_killed_and_starts_again_at_once_with_its_data(folder: Path) -> None:
    parent, url = started_parent(folder)
    assert kept(url) == [("规划局",)]
    pid = postmaster(folder)
    assert running(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    with EmbeddedPostgres(folder, durable=False) as server:  # without waiting for the old one to be gone
        assert kept(server.urls.owner) == [("规划局",)]
    wait_until_gone(pid)
    shutil.rmtree(sockets_of(url), ignore_errors=True)


def test_it_dies_with_a_parent_that_was_killed_while_a_client_is_at_work(folder: Path) -> None:
    parent, url = started_parent(folder)
    pid = postmaster(folder)
    client = psycopg.connect(libpq_url(url))
    client.execute("SELECT 1")
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    wait_until_gone(pid)
    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")
    client.close()
    shutil.rmtree(sockets_of(url), ignore_errors=True)


def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trust.storage.embedded.STOP_SECONDS", 0.3)  # how long the second waits for the first
    with EmbeddedPostgres(folder, durable=False) as first:
        second = EmbeddedPostgres(folder, durable=False)
        with pytest.raises(EmbeddedPostgresFailed, match=r"postgres\.log"):
            second.start()
        assert kept(first.urls.owner) == [("规划局",)]


def test_a_pid_file_left_by_a_dead_server_is_no_hindrance(folder: Path) -> None:
    (folder / "cluster" / "postmaster.pid").write_text("999999999\n")
    with EmbeddedPostgres(folder, durable=False) as server:
        assert kept(server.urls.owner) == [("规划局",)]


def test_an_initialisation_that_was_cut_off_is_done_again() -> None:
    root = Path(tempfile.mkdtemp(prefix="yinxin-embedded-"))
    root.chmod(0o755)
    data = root / "data"
    (data / "cluster.new").mkdir(parents=True)
    (data / "cluster.new" / "PG_VERSION").write_text("18\n")  # what initdb writes first
    roles = ("postgres", OWNER, SERVICE, READER, SIGNER_ROLE)
    (data / "database-passwords.json").write_text(json.dumps(dict.fromkeys(roles, "password")))
    data.chmod(0o755)
    try:
        with EmbeddedPostgres(data, durable=False) as server:
            psycopg.connect(libpq_url(server.urls.owner), connect_timeout=5).close()
    finally:
        shutil.rmtree(root, ignore_errors=True)
