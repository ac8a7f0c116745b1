"""Timestamps: in a batch of the signer against the raw signature, and over HTTP as tokens a second.

Over HTTP the whole house runs on embedded defaults, the server in one process, and sixty-four connections each ask for
one timestamp after the other. The processors' time that server, signer and PostgreSQL took for it is counted as well:
that says what one core does, whatever else the machine is at.
"""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from api.settings import Settings
from api.supervisor import Supervisor, free_port
from tests.bench.timing import case, medians
from tests.support.signing_room import opened_signing_room
from trust.crypto.digests import sha256
from trust.keys.stamping_client import WantedToken
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.timestamp.requests import make_request

_BATCH = 100
_ROUNDS = 40
_CONNECTIONS = 64
_REQUESTS = 6400
_WARM_UP = 640
_TICKS = os.sysconf("SC_CLK_TCK")


def cases() -> Iterator[dict[str, object]]:
    """Yields `timestamp`: per token in a batch of a hundred (`more_ms` than raw), and what HTTP gives."""
    wanted = [
        WantedToken(imprint=sha256(bytes([number])), policy=TIMESTAMP_POLICY, nonce=number + 2**60)
        for number in range(_BATCH)
    ]
    with opened_signing_room() as room:
        octets = b"as many octets as signed attributes have, more or less".ljust(200)

        def raw() -> None:
            for _ in range(_BATCH):
                room.local.sign(octets)

        together, limit = medians(
            lambda: room.client.stamping.tokens(room.timestamp_key_id, wanted), raw, rounds=_ROUNDS
        )
    each, bare = together / _BATCH, limit / _BATCH
    yield case("timestamp", each, "the raw signature", bare, more_ms=round(each - bare, 3), **_over_http())


def _over_http() -> dict[str, object]:
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="yx-tsa-", dir=root) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's ordinary user has to reach its own folder inside
        port = free_port()
        settings = Settings(
            data=folder / "data",
            config=folder / "config",
            signer_socket=str(folder / "signer" / "socket"),
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            timestamp_requests_per_minute=1_000_000,
        )
        house = stack.enter_context(Supervisor(settings, durable=False, log=folder / "log"))
        _ask(port, _WARM_UP)
        served, signed = (house.children[each].pid for each in ("serve", "signer"))
        before = _cpu_seconds(served), _cpu_seconds(signed)
        started = time.perf_counter()
        _ask(port, _REQUESTS)
        seconds = time.perf_counter() - started
        server, signer = _cpu_seconds(served) - before[0], _cpu_seconds(signed) - before[1]
        return {
            "http_tokens_per_s": round(_REQUESTS / seconds),
            "http_tokens_per_core_s": round(_REQUESTS / (server + signer)),
            "server_cpu_ms": round(server / _REQUESTS * 1000, 3),
            "signer_cpu_ms": round(signer / _REQUESTS * 1000, 3),
        }


def _ask(port: int, requests: int) -> None:
    """So many requests over the connections, each answered by a token."""
    threads = [
        threading.Thread(target=_talk, args=(port, number, requests // _CONNECTIONS))
        for number in range(_CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _talk(port: int, number: int, requests: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        reader = connection.makefile("rb")
        for turn in range(requests):
            body = make_request(sha256(b"%d %d" % (number, turn)), nonce=number * 10_000 + turn + 1)
            connection.sendall(
                b"POST /tsa HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/timestamp-query\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            status, length = reader.readline(), 0
            while line := reader.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answer = reader.read(length)
            # granted, and long enough to hold a token
            if b" 200 " not in status or len(answer) < 500:
                raise AssertionError(f"no token: {status!r} {answer[:100]!r}")


def _cpu_seconds(pid: int) -> float:
    """User and system time that a process of ours has taken."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS
