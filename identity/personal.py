"""Resident id numbers at rest: encrypted, and found again by a keyed blind index.

The two keys are derived from one secret that the wiring gives. A number leaves only through `open`; nothing
here shows one in a representation or an error.
"""

import hmac
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from identity.ids import PersonId
from identity.numbers import ResidentIdNumber
from trust.kernel.errors import Broken
from trust.kernel.randomness import Randomness

KEY_OCTETS: Final = 32
_NONCE_OCTETS: Final = 12  # NIST SP 800-38D §8.2.2: a random nonce of 96 bits
_FORMAT: Final = b"\x01"  # which key and cipher sealed a number; a new one gets the next octet


class SealedNumberBroken(Broken):
    """A stored resident id number does not open: another key, another person's row, or a changed octet."""

    code = "sealed-number-broken"


class PersonalDataCipher:
    """Seals and opens resident id numbers (AES-256-GCM) and computes what they are found by."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        """`key` is 32 octets of the deployment's own; raises ValueError on any other length."""
        if len(key) != KEY_OCTETS:
            raise ValueError(f"the personal data key has {KEY_OCTETS} octets, not {len(key)}")
        self._cipher = AESGCM(_derived(key, b"resident id numbers: encryption"))
        self._index_key = _derived(key, b"resident id numbers: blind index")
        self._sign_in_key = _derived(key, b"sign-in: user names and addresses")
        self._randomness = randomness

    def seal(self, number: ResidentIdNumber, person_id: PersonId) -> bytes:
        """The encrypted number, bound to the person's row."""
        nonce = self._randomness.octets(_NONCE_OCTETS)
        sealed = self._cipher.encrypt(nonce, number.value.encode(), _FORMAT + person_id.encode())
        return _FORMAT + nonce + sealed

    def open(self, sealed: bytes, person_id: PersonId) -> ResidentIdNumber:
        """The number again; raises SealedNumberBroken."""
        head, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_OCTETS], sealed[1 + _NONCE_OCTETS :]
        try:
            opened = self._cipher.decrypt(nonce, rest, head + person_id.encode())
        except (InvalidTag, ValueError):
            raise SealedNumberBroken("a stored resident id number does not open with this key") from None
        return ResidentIdNumber.parse(opened.decode())

    def index(self, number: ResidentIdNumber) -> bytes:
        """What a number is looked up by: HMAC-SHA-256, which without the key cannot be guessed through."""
        return hmac.digest(self._index_key, number.value.encode(), sha256)

    def sign_in_key(self, gate: str, text: str) -> bytes:
        """A keyed digest of a user name or an address, for counting attempts without storing either."""
        return hmac.digest(self._sign_in_key, f"{gate}\0{text}".encode("utf-8", "surrogatepass"), sha256)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=b"yinxin identity " + purpose).derive(
        key
    )
