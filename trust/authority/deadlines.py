"""HTTP connections whose every request has one deadline, however slowly octets may drip in any part of an answer."""

import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import httpcore
from httpcore import NetworkStream


class _Deadline(threading.local):
    """The moment by which the request of this thread has to be done."""

    until: float | None = None

    def left(self, timeout: float | None) -> float | None:
        """The lesser of a time-out and what is left; raises ReadTimeout where nothing is."""
        if self.until is None:
            return timeout
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline of the request has passed")
        return left if timeout is None else min(timeout, left)


class _Stream(NetworkStream):
    """A connection whose reads and writes end at the deadline of whoever uses it."""

    def __init__(self, stream: NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        opened = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(opened, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: _Deadline) -> None:
        self._plain = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        opened = self._plain.connect_tcp(
            host, port, self._deadline.left(timeout), local_address, socket_options
        )
        return _Stream(opened, self._deadline)


class DeadlinePool:
    """Connections kept open to the authorities asked, verified by the system's anchors; safe between threads."""

    def __init__(self, *, connections: int, tls: ssl.SSLContext | None = None) -> None:
        self._deadline = _Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=60.0,
            network_backend=_Backend(self._deadline),
        )

    @contextmanager
    def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[bytes | str, bytes | str],
        connect_seconds: float,
        seconds: float,
    ) -> Iterator[httpcore.Response]:
        """The answer to a POST, its body not read yet; redirects are not followed.

        Raises httpcore's errors, its TimeoutException once `seconds` have passed, also while the body is read.
        """
        self._deadline.until = time.monotonic() + seconds
        try:
            with self._pool.stream(
                "POST",
                url,
                headers={**headers, "Content-Length": str(len(body))},
                content=body,
                extensions={
                    "timeout": {
                        "connect": connect_seconds,
                        "read": seconds,
                        "write": seconds,
                        "pool": seconds,
                    }
                },
            ) as answer:
                yield answer
        finally:
            self._deadline.until = None

    def close(self) -> None:
        """Closes every connection."""
        self._pool.close()
