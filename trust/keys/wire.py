"""How the signer and its client talk: frames of a 4-octet length and a JSON object, octets in base64.

The socket lies in a folder only our own user may enter, and the signer compares the peer's user id as well.
"""

import base64
import json
import socket
import struct
from typing import Any, Final

from trust.kernel.errors import Malformed

# A CRL of 100,000 revocations is the largest request; a frame beyond this is a fault, not a request.
MAX_FRAME_OCTETS: Final = 16 * 1024 * 1024
_LENGTH: Final = struct.Struct(">I")
# One call takes a usual frame whole, its length and its body.
_RECEIVED_AT_ONCE: Final = 1 << 18


class FrameRefused(Malformed):
    """A frame that is too long, cut off, or not a JSON object."""

    code = "signer-frame-refused"


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    body = json.dumps(message, separators=(",", ":")).encode()
    connection.sendall(_LENGTH.pack(len(body)) + body)


class Reader:
    """Reads the frames of one connection; what came with a frame and belongs to the next is kept for it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._kept = bytearray()

    def receive(self) -> dict[str, Any] | None:
        """The next message, or None where the peer closed between two frames; raises FrameRefused, OSError."""
        if not self._fill(_LENGTH.size):
            return None
        (length,) = _LENGTH.unpack_from(self._kept)
        if length > MAX_FRAME_OCTETS:
            raise FrameRefused(f"a frame of {length} octets is over the limit of {MAX_FRAME_OCTETS}")
        end = _LENGTH.size + length
        self._fill(end)
        body = bytes(self._kept[_LENGTH.size : end])
        del self._kept[:end]
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as fault:
            raise FrameRefused("a frame is not JSON") from fault
        if not isinstance(message, dict):
            raise FrameRefused("a frame is not a JSON object")
        return message

    def _fill(self, count: int) -> bool:
        """Whether so many octets are there; False where the peer closed and nothing is."""
        while len(self._kept) < count:
            part = self._connection.recv(_RECEIVED_AT_ONCE)
            if not part:
                if self._kept:
                    raise FrameRefused("the connection ended inside a frame")
                return False
            self._kept += part
        return True


def octets(text: str) -> bytes:
    """Octets from base64; raises FrameRefused on anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as fault:
        raise FrameRefused("a field is not base64") from fault


def text(value: bytes) -> str:
    """Octets as base64."""
    return base64.b64encode(value).decode("ascii")
