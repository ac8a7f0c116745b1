"""A reader of transparency logs written from the C2SP texts alone: it knows nothing of how ours is made.

    log = TlogClient("http://127.0.0.1:8460/log", vkey)
    head = log.checkpoint()
    log.audit(head)                      # every entry and every tile gives the root
    log.require_extension(older, head)   # and nothing of what was seen before has changed

Standard library and one signature check; no part of the product is imported.
"""

import base64
import hashlib
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class LogDisagrees(AssertionError):
    """The log does not hold what its checkpoint says."""


@dataclass(frozen=True)
class Head:
    """A checkpoint whose signature was verified."""

    size: int
    root: bytes
    note: str


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def open_signed_note(note: str, vkey: str) -> str:
    """The text of a note that this Ed25519 key has signed (c2sp.org/signed-note)."""
    name, key_id, encoded = vkey.split("+", 2)
    public = base64.b64decode(encoded)
    assert public[0] == 1
    assert hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex() == key_id
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, value = line.split(" ")
        octets = base64.b64decode(value)
        if (dash, signer, octets[:4].hex()) == ("\u2014", name, key_id):
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(octets[4:], text.encode())
            return text
    raise LogDisagrees(f"{name} has not signed this note")


def tile_path(level: int | str, number: int, width: int) -> str:
    """`tile/<L>/<N>[.p/<W>]` (c2sp.org/tlog-tiles)."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + ("" if width == 256 else f".p/{width}")


class TlogClient:
    """Reads one log below a URL."""

    def __init__(self, url: str, vkey: str) -> None:
        self._url = url.rstrip("/")
        self._vkey = vkey
        self._origin = vkey.split("+", 1)[0]

    def fetch(self, path: str) -> tuple[bytes, str]:
        """The octets and the media type; raises LogDisagrees where there is nothing."""
        try:
            with urllib.request.urlopen(f"{self._url}/{path}", timeout=10) as answer:
                return answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            raise LogDisagrees(f"{path}: {error.code}") from error

    def checkpoint(self) -> Head:
        octets, media_type = self.fetch("checkpoint")
        assert media_type == "text/plain; charset=utf-8"
        note = octets.decode()
        origin, size, root = open_signed_note(note, self._vkey).splitlines()[:3]
        if origin != self._origin:
            raise LogDisagrees(f"the checkpoint is of {origin}")
        return Head(int(size), base64.b64decode(root), note)

    def hashes(self, level: int, number: int, size: int) -> list[bytes]:
        """The hashes that a tree of `size` has in a tile."""
        width = min((size >> 8 * level) - number * 256, 256)
        octets, media_type = self.fetch(tile_path(level, number, width))
        assert media_type == "application/octet-stream"
        if len(octets) != 32 * width:
            raise LogDisagrees(f"{tile_path(level, number, width)} has {len(octets)} octets")
        return [octets[begin : begin + 32] for begin in range(0, len(octets), 32)]

    def entries(self, size: int) -> list[bytes]:
        """Every entry of a tree of `size`."""
        found: list[bytes] = []
        for number in range(-(-size // 256)):
            width = min(size - number * 256, 256)
            octets, _ = self.fetch(tile_path("entries", number, width))
            bundle: list[bytes] = []
            while octets:
                length = int.from_bytes(octets[:2], "big")
                bundle.append(octets[2 : 2 + length])
                octets = octets[2 + length :]
            if len(bundle) != width:
                raise LogDisagrees(f"bundle {number} has {len(bundle)} entries")
            found += bundle
        return found

    def audit(self, head: Head) -> list[bytes]:
        """Everything the log serves gives the head's root; the leaf hashes."""
        leaves = [leaf(entry) for entry in self.entries(head.size)]
        if merkle_root(leaves) != head.root:
            raise LogDisagrees("the entries do not give the root")
        below, level = leaves, 0
        while below:
            served = [
                item
                for number in range(-(-len(below) // 256))
                for item in self.hashes(level, number, head.size)
            ]
            if served != below:
                raise LogDisagrees(f"the tiles of level {level} are not the tree's")
            below = [merkle_root(below[begin : begin + 256]) for begin in range(0, len(below) - 255, 256)]
            level += 1
        return leaves

    def require_extension(self, older: Head, newer: Head) -> None:
        """The leaves of the newer tree begin with those of the older one."""
        leaves = self.audit(newer)
        if merkle_root(leaves[: older.size]) != older.root:
            raise LogDisagrees("the log has forgotten what it said before")


def verify_proof_file(text: str, vkey: str, entry: bytes) -> int:
    """That a c2sp.org/tlog-proof@v1 file proves an entry; its index."""
    head, _, note = text.partition("\n\n")
    first, *lines = head.splitlines()
    assert first == "c2sp.org/tlog-proof@v1"
    lines = [line for line in lines if not line.startswith("extra ")]
    index = int(lines[0].removeprefix("index "))
    hashes = [base64.b64decode(line) for line in lines[1:]]
    _, size, root = open_signed_note(note, vkey).splitlines()[:3]
    if _root_by(leaf(entry), index, int(size), hashes) != base64.b64decode(root):
        raise LogDisagrees("the proof leads to another root")
    return index


def _root_by(hashed: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root an inclusion proof leads to: RFC 6962 §2.1.1, read backwards."""
    if size == 1:
        assert not proof
        return hashed
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return node(_root_by(hashed, index, split, proof[:-1]), proof[-1])
    return node(proof[-1], _root_by(hashed, index - split, size - split, proof[:-1]))


def require_consistent(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """PROOF(m, D[n]) of RFC 6962 §2.1.2, read from its last hash, which is the outermost."""
    left_over = list(proof)

    def roots(older: int, newer: int, whole: bool) -> tuple[bytes, bytes]:
        if older == newer:
            same = root1 if whole else left_over.pop()
            return same, same
        split = 1 << (newer - 1).bit_length() - 1
        if older <= split:
            right = left_over.pop()
            first, second = roots(older, split, whole)
            return first, node(second, right)
        left = left_over.pop()
        first, second = roots(older - split, newer - split, False)
        return node(left, first), node(left, second)

    try:
        found = roots(size1, size2, True)
    except IndexError:
        raise LogDisagrees("the proof is too short") from None
    if found != (root1, root2) or left_over:
        raise LogDisagrees("the proof joins other trees")
