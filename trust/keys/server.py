"""The signer's door: a Unix socket that only our own user may knock at; a thread for each connection."""

import contextlib
import os
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from trust.kernel.errors import Broken, Malformed, YinxinError
from trust.keys import wire

Operation = Callable[[dict[str, Any]], dict[str, Any]]

# One batch is one frame and one answer; beyond this a client cuts its work itself.
MAX_BATCH: Final = 1000
_log = structlog.get_logger("yinxin.signer")


class SignerServer:
    """Answers frames `{"do": name, …}` with `{"ok": …}` or `{"error": code, "message": …}`."""

    def __init__(self, path: Path, operations: Mapping[str, Operation]) -> None:
        self._path = path
        self._operations = dict(operations)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        previous = os.umask(0o177)
        try:
            self._server = _Server(str(path), _Conversation)
        finally:
            os.umask(previous)
        self._server.answer = self.answer

    def serve(self) -> None:
        """Serves until `stop` is called from another thread."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def close(self) -> None:
        """Stops serving, waits for it, and takes the socket away; from another thread than `serve`."""
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """One message's answer."""
        name = str(message.get("do"))
        operation = self._operations.get(name)
        if operation is None:
            return refused(Malformed(f"the signer does not know {name!r}"))
        try:
            return {"ok": operation(message)}
        except YinxinError as error:
            _log.warning("signer.refused", operation=name, code=error.code, reason=error.message)
            return refused(error)
        except (KeyError, TypeError, ValueError) as fault:
            _log.warning("signer.malformed", operation=name, fault=type(fault).__name__)
            return refused(Malformed(f"the message for {name} is not complete: {type(fault).__name__}"))
        except Exception as fault:
            _log.exception("signer.fault", operation=name)
            return refused(Broken(f"the signer failed at {name}: {type(fault).__name__}"))


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    answer: Callable[[dict[str, Any]], dict[str, Any]]

    def __init__(self, path: str, handler: type["_Conversation"]) -> None:
        self._talking: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(path, handler)

    def begin(self, connection: socket.socket) -> None:
        with self._lock:
            self._talking.add(connection)

    def end(self, connection: socket.socket) -> None:
        with self._lock:
            self._talking.discard(connection)

    def hang_up(self) -> None:
        """Ends every conversation that is still open."""
        with self._lock:
            talking = list(self._talking)
        for connection in talking:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Conversation(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        connection: socket.socket = self.request
        if not _is_our_user(connection):
            _log.warning("signer.stranger")
            return
        self.server.begin(connection)
        try:
            reader = wire.Reader(connection)
            with contextlib.suppress(wire.FrameRefused, OSError):
                while (message := reader.receive()) is not None:
                    wire.send(connection, self.server.answer(message))
        finally:
            self.server.end(connection)


def _is_our_user(connection: socket.socket) -> bool:
    """Whether the peer runs as our own user; the folder's mode says so already, the kernel says it again."""
    if sys.platform != "linux":
        return True
    _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return bool(uid == os.geteuid())


def refused(error: YinxinError) -> dict[str, Any]:
    """An error as the answer to a message, or to one item of a batch."""
    return {"error": error.code, "message": error.message, "retryable": error.retryable}
