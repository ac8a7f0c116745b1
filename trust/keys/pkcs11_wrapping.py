"""A key-encryption key inside a PKCS #11 token: AES-256-GCM by the token, the key itself never here.

The token encrypts PKCS #8 as octets (C_Encrypt with CKM_AES_GCM), bound to key id and purpose as software wrapping is:
CKM_AES_KEY_WRAP would bind neither, and would have the private key be an object of the token first.
"""

from typing import Any, Final

from trust.kernel.randomness import Randomness
from trust.keys.errors import KeyStoreAway, WrappedKeyBroken
from trust.keys.model import KeyId, KeyPurpose
from trust.keys.pkcs11_token import ObjectMissing, Pkcs11Token, TokenSession
from trust.keys.wrapping import NONCE_OCTETS, KeyEncryptionKeyRefused, bound_to

_TAG_BITS: Final = 128


class TokenKeyWrap:
    """A `KeyEncryptionKey` that is the token's AES key with this label; CKA_ID and CKA_LABEL are the label."""

    def __init__(self, token: Pkcs11Token, *, label: str, randomness: Randomness) -> None:
        """Raises KeyEncryptionKeyRefused where the token holds no such key, or one that can be taken out of it."""
        self.name = f"token:{label}"
        self._token = token
        self._library = token.library
        self._id = label.encode()
        self._randomness = randomness
        attribute = self._library.Attribute
        try:
            extractable = token.run(lambda session: bool(self._key(session)[attribute.EXTRACTABLE]))
        except ObjectMissing:
            raise KeyEncryptionKeyRefused(f"the token {token.label} holds no AES key {label}") from None
        if extractable:
            raise KeyEncryptionKeyRefused(f"the AES key {label} can be taken out of the token {token.label}")

    def wrap(self, private_key: bytes, *, key_id: KeyId, purpose: KeyPurpose) -> bytes:
        nonce = self._randomness.octets(NONCE_OCTETS)
        given = self._gcm(nonce, bound_to(key_id, purpose))
        sealed = self._token.run(lambda session: bytes(self._key(session).encrypt(private_key, **given)))
        return nonce + sealed

    def unwrap(self, wrapped: bytes, *, key_id: KeyId, purpose: KeyPurpose) -> bytes:
        """Raises WrappedKeyBroken where the token's key, the key id or the purpose is another."""
        nonce, sealed = wrapped[:NONCE_OCTETS], wrapped[NONCE_OCTETS:]
        given = self._gcm(nonce, bound_to(key_id, purpose))

        def decrypt(session: TokenSession) -> bytes | None:
            key = self._key(session)
            try:
                return bytes(key.decrypt(sealed, **given))
            except self._library.PKCS11Error:
                # Tokens name a wrong tag as they please. One that still encrypts is well, so the row is not.
                key.encrypt(b"probe", **self._gcm(self._randomness.octets(NONCE_OCTETS), b"probe"))
                return None

        plain = self._token.run(decrypt)
        if plain is None:
            raise WrappedKeyBroken(f"{key_id} cannot be unwrapped with the token's key {self.name}")
        return plain

    def _key(self, session: TokenSession) -> Any:
        return session.object(self._library.ObjectClass.SECRET_KEY, self._id)

    def _gcm(self, nonce: bytes, bound: bytes) -> dict[str, Any]:
        return {
            "mechanism": self._library.Mechanism.AES_GCM,
            "mechanism_param": self._library.GCMParams(nonce, bound, _TAG_BITS),
        }


def make_token_key(token: Pkcs11Token, label: str) -> None:
    """Makes the AES-256 key in the token, where it has none of this label; raises KeyStoreAway."""
    library, object_id = token.library, label.encode()

    def make(session: TokenSession) -> None:
        if session.objects(library.ObjectClass.SECRET_KEY, object_id):
            return
        session.inner.generate_key(
            library.KeyType.AES,
            256,
            store=True,
            id=object_id,
            label=label,
            capabilities=library.MechanismFlag.ENCRYPT | library.MechanismFlag.DECRYPT,
            template={
                library.Attribute.SENSITIVE: True,
                library.Attribute.EXTRACTABLE: False,
            },
        )

    try:
        token.run(make)
    except ObjectMissing as fault:
        raise KeyStoreAway(f"the token {token.label} does not answer") from fault
