"""Software keys: PKCS #8 in the key's row, wrapped under the key-encryption key, unwrapped into memory."""

from trust.crypto.errors import SuiteUnknown
from trust.crypto.suites import SoftwareSigner, Suite
from trust.keys.errors import WrappedKeyBroken
from trust.keys.key_encryption import KeyEncryptionKeys
from trust.keys.model import KeyId, KeyPurpose, StoredKey
from trust.keys.stores import KeySigner, MadeKey


class SoftwareStore:
    """A `KeyStore` whose keys lie in the database."""

    def __init__(self, wrapping: KeyEncryptionKeys) -> None:
        self._wrapping = wrapping

    def make(self, suite: Suite, *, key_id: KeyId, purpose: KeyPurpose) -> MadeKey:
        signer = SoftwareSigner.generate(suite)
        under, wrapped = self._wrapping.wrap(signer.to_pkcs8(), key_id=key_id, purpose=purpose)
        return MadeKey(signer=signer, wrapped=wrapped, wrapped_under=under)

    def open(self, stored: StoredKey) -> KeySigner:
        """The key as its row has it, which must be of a known suite."""
        if stored.wrapped is None:
            raise WrappedKeyBroken(f"{stored.key_id} has nothing to unwrap")
        plain = self._wrapping.unwrap(
            stored.wrapped, under=stored.wrapped_under, key_id=stored.key_id, purpose=stored.purpose
        )
        try:
            return SoftwareSigner.from_pkcs8(plain)
        except SuiteUnknown as fault:
            raise WrappedKeyBroken(f"{stored.key_id} does not unwrap to a key of a known suite") from fault

    def destroy(self, stored: StoredKey) -> None:
        """Nothing of a software key lies outside its row."""

    def describe(self) -> str:
        return f"in the database, wrapped under {self._wrapping.names()[0]}"
