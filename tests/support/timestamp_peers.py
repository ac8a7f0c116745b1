"""Timestamp authorities on loopback for tests: good ones, and every kind of bad one.

with served(Good(pki)) as url: OutsideAuthority(url, trust=pki.trust_store()).token(imprint)
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.pki import TestPki
from trust.timestamp.requests import TimestampRequest, read_request
from trust.timestamp.responses import MEDIA_TYPE, granted


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a peer answers: after `silent` seconds, `drip` and `drip_headers` between octets and lines; `cut` short."""

    body: bytes
    status: int = 200
    media_type: str = MEDIA_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    silent: float = 0
    drip: float = 0
    drip_headers: float = 0
    cut: int | None = None


Peer = Callable[[bytes], Answer]


@dataclass(kw_only=True)
class Good:
    """An authority as it should be; `asked` counts, `connections` are the ports it was asked from."""

    pki: TestPki
    asked: int = 0

    def __call__(self, query: bytes) -> Answer:
        self.asked += 1
        request = read_request(query)
        return Answer(body=granted(self.pki.token(request.imprint, nonce=request.nonce)))


def bad(pki: TestPki, token: Callable[[TimestampRequest], bytes]) -> Peer:
    """An authority that grants another token than it was asked for."""
    return lambda query: Answer(body=granted(token(read_request(query))))


@contextmanager
def served(peer: Peer) -> Iterator[str]:
    """The address of a peer on loopback; connections are kept alive."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            server.came_from.add(self.client_address[1])
            server.shown.append(self.headers.get("Authorization"))
            answer = peer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            time.sleep(answer.silent)
            self.send_response(answer.status)
            self.flush_headers()
            try:
                self._drip(answer.drip_headers)
            except OSError:
                self.close_connection = True
                return
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            body = answer.body if answer.cut is None else answer.body[: answer.cut]
            try:
                if answer.drip:
                    for number in range(len(body)):
                        self.wfile.write(body[number : number + 1])
                        time.sleep(answer.drip)
                else:
                    self.wfile.write(body)
            except OSError:
                self.close_connection = True
            if answer.cut is not None:
                self.close_connection = True

        def _drip(self, seconds: float) -> None:
            for number in range(60 if seconds else 0):
                self.wfile.write(f"X-{number}: x\r\n".encode())
                time.sleep(seconds)

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        came_from: set[int]
        shown: list[str | None]

    server = Server(("127.0.0.1", 0), Handler)
    server.came_from, server.shown = set(), []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Address(f"http://127.0.0.1:{server.server_address[1]}/tsa", server)
    finally:
        server.shutdown()
        server.server_close()


class Address(str):
    """A URL, with what the server behind it has seen."""

    seen: ThreadingHTTPServer

    def __new__(cls, url: str, server: ThreadingHTTPServer) -> "Address":
        made = super().__new__(cls, url)
        made.seen = server
        return made
