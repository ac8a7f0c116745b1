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


class FrameRefused(Malformed):
    """A frame that is too long, cut off, or not a JSON object."""

    code = "signer-frame-refused"


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    body = json.dumps(message, separators=(",", ":")).encode()
    connection.sendall(_LENGTH.pack(len(body)) + body)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message, or None where the peer closed between two frames."""
    head = _exactly(connection, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_OCTETS:
        raise FrameRefused(f"a frame of {length} octets is over the limit of {MAX_FRAME_OCTETS}")
    body = _exactly(connection, length)
    if body is None:
        raise FrameRefused("the connection ended inside a frame")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise FrameRefused("a frame is not JSON") from fault
    if not isinstance(message, dict):
        raise FrameRefused("a frame is not a JSON object")
    return message


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            if parts:
                raise FrameRefused("the connection ended inside a frame")
            return None
        parts += part
    return bytes(parts)


def octets(text: str) -> bytes:
    """Octets from base64; raises FrameRefused on anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as fault:
        raise FrameRefused("a field is not base64") from fault


def text(value: bytes) -> str:
    """Octets as base64."""
    return base64.b64encode(value).decode("ascii")
