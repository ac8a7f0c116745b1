"""One request to a pinned address: no redirects, bounded in size and time, nothing sent that was not asked for.

fetcher = Fetcher(AllowedHosts.parse("crl.example,ocsp.example"))
octets = fetcher.get("http://crl.example/a.crl", limit=MAX_CRL_BYTES)
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from api.fetching.hosts import AllowedHosts, FetchRefused, Target

# The whole of one request: name, connection, answer.
SECONDS: Final = 15.0
# Requests of one verification: a few paths with a list or an answer for each certificate.
MAX_REQUESTS: Final = 40
# All answers of one verification together: they are held in memory until it is done.
MAX_OCTETS: Final = 64 << 20
_CONNECT_SECONDS: Final = 5.0
_PIECE_BYTES: Final = 64 * 1024
_OK: Final = 200


class Fetcher:
    """Fetches from allowed hosts; used by one thread at a time. Each of its methods raises FetchRefused."""

    def __init__(
        self,
        hosts: AllowedHosts,
        *,
        seconds: float = SECONDS,
        most: int = MAX_REQUESTS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = hosts
        self._seconds = seconds
        self._left = most
        self._octets_left = MAX_OCTETS
        self._tls = tls or ssl.create_default_context()

    def get(self, url: str, *, limit: int) -> bytes:
        """What stands at an address, at most `limit` octets."""
        return self._ask(url, "GET", None, {}, limit)

    def post(self, url: str, body: bytes, *, media_type: str, limit: int) -> bytes:
        """What an address answers to a body."""
        return self._ask(url, "POST", body, {"Content-Type": media_type}, limit)

    def _ask(
        self, url: str, method: str, body: bytes | None, headers: Mapping[str, str], limit: int
    ) -> bytes:
        if self._left <= 0:
            raise FetchRefused("as much was fetched already as one verification may")
        self._left -= 1
        # One deadline for all of it but the name, which the system's resolver bounds: the timer ends the
        # connection, however slowly octets may drip.
        target = self._hosts.target(url)
        limit = min(limit, self._octets_left)
        line = _Line(self._seconds)
        timer = threading.Timer(self._seconds, line.cut)
        timer.daemon = True
        timer.start()
        try:
            answered = self._exchange(target, line, method, body, headers, limit)
            self._octets_left -= len(answered)
            return answered
        except (OSError, http.client.HTTPException, ValueError) as fault:
            why = "took too long" if line.is_cut else f"failed ({type(fault).__name__})"
            raise FetchRefused(f"the request to {target.host} {why}") from fault
        finally:
            timer.cancel()
            line.cut()

    def _exchange(  # noqa: PLR0917 - the parts of one request, handed on once
        self,
        target: Target,
        line: "_Line",
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        limit: int,
    ) -> bytes:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = self._connected(target, line)
        sent = {"Host": target.authority, "Accept": "*/*", "Connection": "close", **headers}
        connection.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        if response.status != _OK:
            raise FetchRefused(
                f"{target.host} answered {response.status}; redirects are not followed"
                if 300 <= response.status < 400
                else f"{target.host} answered {response.status}"
            )
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise FetchRefused(f"{target.host} answered in a coding that was not asked for")
        pieces: list[bytes] = []
        taken = 0
        while piece := response.read(min(_PIECE_BYTES, limit + 1 - taken)):
            pieces.append(piece)
            taken += len(piece)
            if taken > limit:
                raise FetchRefused(f"{target.host} answered more than the {limit} octets taken")
        if response.length:
            raise FetchRefused(f"the answer of {target.host} broke off")
        if line.is_cut:
            raise FetchRefused(f"the request to {target.host} took too long")
        return b"".join(pieces)

    def _connected(self, target: Target, line: "_Line") -> socket.socket:
        """A connection to one of the pinned addresses; the name is not resolved again."""
        last: OSError | None = None
        for address in target.pinned:
            left = line.seconds_left()
            if left <= 0:
                break
            try:
                connected = socket.create_connection(
                    (str(address), target.port), timeout=min(_CONNECT_SECONDS, left)
                )
            except OSError as fault:
                last = fault
                continue
            connected.settimeout(self._seconds)
            line.hold(connected)
            if target.scheme == "https":
                connected = self._tls.wrap_socket(connected, server_hostname=target.host)
                line.hold(connected)
            return connected
        raise FetchRefused(f"{target.host} cannot be reached") from last


class _Line:
    """A connection that another thread may cut; what is held after that is cut at once."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self.is_cut = False

    def seconds_left(self) -> float:
        """Until the deadline."""
        return self._until - time.monotonic()

    def hold(self, connected: socket.socket) -> None:
        with self._lock:
            self._held = connected
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._held is not None:
            with suppress(OSError):
                self._held.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                self._held.close()
