"""Personal content of licences at rest: encrypted, and the holder found again by a keyed blind index.

Field values, names and numbers stand in erasable rows as AES-256-GCM, each bound to its row. The holder is
looked up by HMAC-SHA-256 over the number; without the key neither can be guessed through.
"""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from licences.errors import LicenceContentBroken
from licences.model import HolderKind
from trust.kernel.canonical import canonical_json
from trust.kernel.randomness import Randomness

KEY_OCTETS: Final = 32
_NONCE_OCTETS: Final = 12  # NIST SP 800-38D §8.2.2: a random nonce of 96 bits
_FORMAT: Final = b"\x01"  # which key and cipher sealed a row; a new one gets the next octet


class ContentCipher:
    """Seals and opens JSON content bound to the row it stands in, and computes holders' indexes."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        """`key` is 32 octets of the deployment's own; raises ValueError on any other length."""
        if len(key) != KEY_OCTETS:
            raise ValueError(f"the personal data key has {KEY_OCTETS} octets, not {len(key)}")
        self._cipher = AESGCM(_derived(key, b"content: encryption"))
        self._index_key = _derived(key, b"holder: blind index")
        self._randomness = randomness

    def seal(self, content: Mapping[str, Any], *, row: str) -> bytes:
        """The encrypted content, bound to `row` (what the row is and its id)."""
        nonce = self._randomness.octets(_NONCE_OCTETS)
        sealed = self._cipher.encrypt(nonce, canonical_json(dict(content)), _FORMAT + row.encode())
        return _FORMAT + nonce + sealed

    def open(self, sealed: bytes, *, row: str) -> dict[str, Any]:
        """The content again; raises LicenceContentBroken."""
        head, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_OCTETS], sealed[1 + _NONCE_OCTETS :]
        try:
            opened = json.loads(self._cipher.decrypt(nonce, rest, head + row.encode()))
        except (InvalidTag, ValueError):
            raise LicenceContentBroken(f"the content of {row} does not open with this key") from None
        if not isinstance(opened, dict):
            raise LicenceContentBroken(f"the content of {row} is not what was sealed")
        return opened

    def holder_index(self, kind: HolderKind, code: str) -> bytes:
        """What a holder's licences are found by. Legal persons and other organisations share the USCC's numbers."""
        numbers = "resident-id" if kind is HolderKind.CITIZEN else "uscc"
        return hmac.digest(self._index_key, f"{numbers}\0{code}".encode(), sha256)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=b"yinxin licences " + purpose).derive(
        key
    )
