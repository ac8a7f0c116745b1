"""Software keys at rest: AES-256-GCM under the key-encryption key, bound to key id and purpose.

The key-encryption key lies in a file of 32 octets outside the data folder (`YINXIN_KEY_ENCRYPTION_KEY_FILE`), or its
octets are given as text, or it lies in a token (`trust/keys/pkcs11_wrapping.py`).
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trust.crypto.digests import sha256
from trust.kernel.errors import Broken
from trust.kernel.randomness import Randomness
from trust.keys.errors import WrappedKeyBroken
from trust.keys.model import KeyId, KeyPurpose

KEY_OCTETS: Final = 32
NONCE_OCTETS: Final = 12
# Enough that no two keys of one house share a name, and too little to tell anything of the key.
_NAME_OCTETS: Final = 8


class KeyEncryptionKeyRefused(Broken):
    """A key-encryption key is missing, of another size, readable by others, or not known by that notation."""

    code = "key-encryption-key-refused"


class KeyWrap:
    """A `KeyEncryptionKey` of 32 octets in this process's memory."""

    def __init__(self, key_encryption_key: bytes, randomness: Randomness) -> None:
        digest = sha256(b"yinxin key-encryption key name v1|" + key_encryption_key)
        self.name = digest[:_NAME_OCTETS].hex()
        self._cipher = AESGCM(key_encryption_key)
        self._randomness = randomness

    def wrap(self, private_key: bytes, *, key_id: KeyId, purpose: KeyPurpose) -> bytes:
        nonce = self._randomness.octets(NONCE_OCTETS)
        return nonce + self._cipher.encrypt(nonce, private_key, bound_to(key_id, purpose))

    def unwrap(self, wrapped: bytes, *, key_id: KeyId, purpose: KeyPurpose) -> bytes:
        """Raises WrappedKeyBroken where the key-encryption key, key id or purpose is another."""
        nonce, sealed = wrapped[:NONCE_OCTETS], wrapped[NONCE_OCTETS:]
        try:
            return self._cipher.decrypt(nonce, sealed, bound_to(key_id, purpose))
        except (InvalidTag, ValueError) as fault:
            raise WrappedKeyBroken(f"{key_id} cannot be unwrapped with this key-encryption key") from fault


def bound_to(key_id: KeyId, purpose: KeyPurpose) -> bytes:
    """The associated data of a wrapping: it opens as the key it was made for, or not at all."""
    return f"yinxin key v1|{key_id}|{purpose}".encode()


def read_key_encryption_key(path: Path) -> bytes:
    """Reads the 32 octets; raises KeyEncryptionKeyRefused where the file is missing, open to others or odd."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as fault:
        raise KeyEncryptionKeyRefused(f"the key-encryption key cannot be read: {fault.strerror}") from fault
    if mode & 0o077:
        raise KeyEncryptionKeyRefused("the key-encryption key is readable by others; chmod 600 it")
    if len(content) != KEY_OCTETS:
        raise KeyEncryptionKeyRefused(f"the key-encryption key has {len(content)} octets, not {KEY_OCTETS}")
    return content


def read_secret_file(path: Path, *, what: str) -> str:
    """The one line of a secret's file; raises KeyEncryptionKeyRefused where it is missing or open to others."""
    try:
        mode = path.stat().st_mode
        content = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise KeyEncryptionKeyRefused(f"{what} cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError:
        raise KeyEncryptionKeyRefused(f"{what} is not text") from None
    if mode & 0o077:
        raise KeyEncryptionKeyRefused(f"the file of {what} is readable by others; chmod 600 it")
    return content.removesuffix("\n")


def parse_key_encryption_key(text: str) -> bytes:
    """Reads 32 octets in hex or base64; raises KeyEncryptionKeyRefused, which never repeats the text."""
    given = text.strip()
    try:
        octets = (
            bytes.fromhex(given) if len(given) == 2 * KEY_OCTETS else base64.b64decode(given, validate=True)
        )
    except (ValueError, binascii.Error) as fault:
        raise KeyEncryptionKeyRefused("a key-encryption key given as text is hex or base64") from fault
    if len(octets) != KEY_OCTETS:
        raise KeyEncryptionKeyRefused(
            f"a key-encryption key given as text has {len(octets)} octets, not {KEY_OCTETS}"
        )
    return octets


def ensure_key_encryption_key(path: Path, randomness: Randomness) -> bool:
    """Makes the file where it is not there yet, for trying out; True where it was made."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(randomness.octets(KEY_OCTETS))
        file.flush()
        os.fsync(file.fileno())
    return True
