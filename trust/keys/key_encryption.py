"""The key-encryption keys a signer knows: the one it wraps under, and earlier ones it still unwraps with.

Each has a name that is kept with what it wrapped. Rotation: put a new key in the place of the current one, have
everything wrapped anew (`yinxin keys rewrap`) while the signer goes on signing, take the earlier one away.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from trust.keys.errors import WrappedKeyBroken
from trust.keys.model import KeyId, KeyPurpose


class KeyEncryptionKey(Protocol):
    """One key that wraps private keys (PKCS #8, DER)."""

    @property
    def name(self) -> str:
        """What rows under it say: for octets a truncated hash of them, for a token's key its label."""
        ...

    def wrap(self, private_key: bytes, *, key_id: KeyId, purpose: KeyPurpose) -> bytes: ...

    def unwrap(self, wrapped: bytes, *, key_id: KeyId, purpose: KeyPurpose) -> bytes:
        """Raises WrappedKeyBroken where this key, the key id or the purpose is another."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Known:
    current: KeyEncryptionKey
    by_name: dict[str, KeyEncryptionKey]


class KeyEncryptionKeys:
    """The current key-encryption key and every earlier one that was there; safe to share between threads.

    `read` gives the keys as they are set up now, the current one first. What was known once stays known until the
    process ends, so that a key whose place was taken by a new one still opens what is under it.
    """

    def __init__(self, read: Callable[[], Sequence[KeyEncryptionKey]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._known = self._gathered({})

    def read_again(self) -> str:
        """Learns what has been set up since; the name of the current key. Raises KeyEncryptionKeyRefused."""
        with self._lock:
            self._known = self._gathered(self._known.by_name)
            return self._known.current.name

    def names(self) -> tuple[str, ...]:
        """The names of all that are known, the current one first."""
        known = self._known
        return (known.current.name, *(name for name in known.by_name if name != known.current.name))

    def wrap(self, private_key: bytes, *, key_id: KeyId, purpose: KeyPurpose) -> tuple[str, bytes]:
        """Wraps under the current key: its name, and what goes into the row."""
        current = self._known.current
        return current.name, current.wrap(private_key, key_id=key_id, purpose=purpose)

    def unwrap(self, wrapped: bytes, *, under: str | None, key_id: KeyId, purpose: KeyPurpose) -> bytes:
        """The private key; raises WrappedKeyBroken where no key that is known opens it.

        What was wrapped before key-encryption keys had names (`under` is None) is tried with each.
        """
        known = self._known
        if under is not None:
            named = known.by_name.get(under)
            if named is None:
                raise WrappedKeyBroken(f"{key_id} is under the key-encryption key {under}, which is not here")
            return named.unwrap(wrapped, key_id=key_id, purpose=purpose)
        for key in known.by_name.values():
            try:
                return key.unwrap(wrapped, key_id=key_id, purpose=purpose)
            except WrappedKeyBroken:
                continue
        raise WrappedKeyBroken(f"{key_id} cannot be unwrapped with any key-encryption key that is here")

    def _gathered(self, earlier: dict[str, KeyEncryptionKey]) -> _Known:
        keys = self._read()
        return _Known(current=keys[0], by_name={**earlier, **{key.name: key for key in keys}})
