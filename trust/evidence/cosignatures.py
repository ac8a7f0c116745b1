"""Cosignatures of witnesses on checkpoints (c2sp.org/tlog-cosignature).

    key = CosignerKey.parse("witness.example/w1+a1b2c3d4+BHk…")
    cosignatures_on(SignedNote.parse(checkpoint), [key])      # who cosigned, and when

A cosignature says that at its time this was the largest tree of the log the witness had seen, and that it was
consistent with all it had seen before. Type 0x04 is Ed25519, 0x06 is ML-DSA-44 (FIPS 204).
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from trust.evidence.tlog import (
    KEY_ID_OCTETS,
    Checkpoint,
    NoteMalformed,
    NoteSignature,
    NoteSignatureInvalid,
    SignedNote,
)

ED25519_COSIGNATURE: Final = 0x04
ML_DSA_44_COSIGNATURE: Final = 0x06
_TIMESTAMP_OCTETS: Final = 8
# A witness's clock in the year 9999 is no clock; it is also the last one a moment can be written for.
_MAX_TIMESTAMP: Final = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
_MAX_NAME_OCTETS: Final = 255


@dataclass(frozen=True, kw_only=True)
class _Algorithm:
    """One type of cosignature: lengths in octets, what is signed, and how it is verified."""

    key_octets: int
    signature_octets: int
    message: Callable[[str, str, int], bytes]
    verify: Callable[[bytes, bytes, bytes], None]


def ed25519_message(cosigner: str, text: str, timestamp: int) -> bytes:
    """What an Ed25519 cosigner signs: a header, its time, and the whole note text (not its own name)."""
    del cosigner
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def ml_dsa_44_message(cosigner: str, text: str, timestamp: int) -> bytes:
    """What an ML-DSA-44 cosigner signs: the structure `cosigned_message`, of the tree from its first leaf."""
    checkpoint = Checkpoint.parse(text)
    name, origin = cosigner.encode(), checkpoint.origin.encode()
    if max(len(name), len(origin)) > _MAX_NAME_OCTETS:
        raise NoteMalformed(f"a cosigned name has at most {_MAX_NAME_OCTETS} octets")
    return b"".join(
        (
            b"subtree/v1\n\0",
            bytes([len(name)]) + name,
            timestamp.to_bytes(8, "big"),
            bytes([len(origin)]) + origin,
            bytes(8),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


def _verify_ml_dsa_44(public: bytes, signature: bytes, message: bytes) -> None:
    MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)


_ALGORITHMS: Final[Mapping[int, _Algorithm]] = MappingProxyType(
    {
        ED25519_COSIGNATURE: _Algorithm(
            key_octets=32, signature_octets=64, message=ed25519_message, verify=_verify_ed25519
        ),
        ML_DSA_44_COSIGNATURE: _Algorithm(
            key_octets=1312, signature_octets=2420, message=ml_dsa_44_message, verify=_verify_ml_dsa_44
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class Cosignature:
    """One verified cosignature: by whom (the key's name), when (UTC, whole seconds), and its line."""

    cosigner: str
    at: datetime
    signature: NoteSignature


@dataclass(frozen=True, kw_only=True)
class CosignerKey:
    """A witness's key: its name, its type (0x04 or 0x06) and the raw public key."""

    name: str
    kind: int
    public_key: bytes

    def __post_init__(self) -> None:
        algorithm = _ALGORITHMS.get(self.kind)
        if algorithm is None:
            raise NoteMalformed("a cosigner's key is of type 0x04 (Ed25519) or 0x06 (ML-DSA-44)")
        if len(self.public_key) != algorithm.key_octets:
            raise NoteMalformed(f"this cosigner's key would have {algorithm.key_octets} octets")
        # The one rule of names is that of signature lines.
        NoteSignature.check_name(self.name)

    @classmethod
    def parse(cls, text: str) -> "CosignerKey":
        """Reads `name+id+base64(type, key)`; raises `NoteMalformed`, also where the id is not the key's."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise NoteMalformed("a cosigner's key is name+id+key")
        name, key_id, encoded = parts
        try:
            octets = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise NoteMalformed("the cosigner's key is not base64") from error
        if not octets or base64.b64encode(octets).decode() != encoded:
            raise NoteMalformed("the cosigner's key is not in canonical base64")
        key = cls(name=name, kind=octets[0], public_key=octets[1:])
        if key.key_id.hex() != key_id:
            raise NoteMalformed("the cosigner key's id is not that of its name and key")
        return key

    @property
    def key_id(self) -> bytes:
        """The first four octets of SHA-256(name, newline, type, key)."""
        hashed = self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key
        return hashlib.sha256(hashed).digest()[:KEY_ID_OCTETS]

    def encode(self) -> str:
        """The key as `name+id+base64(type, key)`."""
        octets = bytes([self.kind]) + self.public_key
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(octets).decode()}"

    def message(self, text: str, timestamp: int) -> bytes:
        """What this key signs to cosign a checkpoint's note text at a time (seconds since 1970)."""
        return _ALGORITHMS[self.kind].message(self.name, text, timestamp)

    def cosign(self, text: str, *, at: datetime, sign: Callable[[bytes], bytes]) -> NoteSignature:
        """The signature line of a cosignature; `sign` makes the raw signature over the octets given."""
        timestamp = int(at.timestamp())
        signature = sign(self.message(text, timestamp))
        octets = timestamp.to_bytes(_TIMESTAMP_OCTETS, "big") + signature
        return NoteSignature(name=self.name, key_id=self.key_id, signature=octets)

    def verify(self, text: str, line: NoteSignature) -> Cosignature:
        """Raises `NoteSignatureInvalid` unless the line is this key's cosignature of the note text."""
        algorithm = _ALGORITHMS[self.kind]
        octets, signature = line.signature[:_TIMESTAMP_OCTETS], line.signature[_TIMESTAMP_OCTETS:]
        timestamp = int.from_bytes(octets, "big")
        if len(signature) != algorithm.signature_octets or timestamp > _MAX_TIMESTAMP:
            raise NoteSignatureInvalid(f"the cosignature of {self.name} is not of its key's form")
        try:
            algorithm.verify(self.public_key, signature, self.message(text, timestamp))
        except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
            raise NoteSignatureInvalid(f"the cosignature of {self.name} does not verify") from error
        return Cosignature(cosigner=self.name, at=datetime.fromtimestamp(timestamp, UTC), signature=line)


def cosignatures_on(note: SignedNote, keys: Iterable[CosignerKey]) -> tuple[Cosignature, ...]:
    """The cosignatures of these keys on a checkpoint; lines of others are passed over.

    Raises `NoteSignatureInvalid` where a line claims one of the keys and does not verify under it.
    """
    known = {(key.name, key.key_id): key for key in keys}
    return tuple(
        known[line.name, line.key_id].verify(note.text, line)
        for line in note.signatures
        if (line.name, line.key_id) in known
    )
