"""What a key store is: where private keys are made, opened for signing and destroyed.

The keyring asks the store that a key's row names; where new keys are made is a setting of the deployment.
"""

from dataclasses import dataclass
from typing import Protocol

from trust.crypto.suites import Suite
from trust.keys.model import KeyId, KeyPurpose, StoredKey


class KeySigner(Protocol):
    """Signs with one private key; whoever holds it cannot ask for the key."""

    @property
    def suite(self) -> Suite: ...

    @property
    def spki(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, hashed inside as the suite says."""
        ...

    def sign_hash(self, value: bytes) -> bytes:
        """The signature over what hashes to `value`; raises HashNotSigned."""
        ...


@dataclass(frozen=True, kw_only=True)
class MadeKey:
    """A new key: what signs with it, and what its row keeps of it (nothing where a token keeps it)."""

    signer: KeySigner
    wrapped: bytes | None
    wrapped_under: str | None


class KeyStore(Protocol):
    """A place where private keys lie."""

    def make(self, suite: Suite, *, key_id: KeyId, purpose: KeyPurpose) -> MadeKey:
        """A new key; raises KeyKindNotOffered where this store makes none of the suite."""
        ...

    def open(self, stored: StoredKey) -> KeySigner:
        """What signs with the key; raises WrappedKeyBroken, KeyStoreRefused or KeyStoreAway."""
        ...

    def destroy(self, stored: StoredKey) -> None:
        """Removes what lies outside the key's row, and looks that it is gone; nothing there is no error."""
        ...

    def describe(self) -> str:
        """What and where it is, for the operator; raises KeyStoreAway where it is not there."""
        ...
