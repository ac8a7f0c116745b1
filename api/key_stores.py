"""Key-encryption keys and key stores as the settings name them; only the signer asks for them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from api.settings import Settings
from trust.kernel.randomness import Randomness
from trust.keys.key_encryption import KeyEncryptionKey, KeyEncryptionKeys
from trust.keys.model import StoreName
from trust.keys.software_store import SoftwareStore
from trust.keys.stores import KeyStore
from trust.keys.wrapping import (
    KeyEncryptionKeyRefused,
    KeyWrap,
    parse_key_encryption_key,
    read_key_encryption_key,
)


def key_encryption_keys(settings: Settings, randomness: Randomness) -> KeyEncryptionKeys:
    """The current key-encryption key and the earlier ones, read anew whenever it is asked to."""

    def of(source: str) -> KeyEncryptionKey:
        kind, _, rest = source.strip().partition(":")
        if kind == "file":
            return KeyWrap(read_key_encryption_key(Path(rest)), randomness)
        if kind == "value":
            return KeyWrap(parse_key_encryption_key(rest), randomness)
        raise KeyEncryptionKeyRefused("an earlier key-encryption key is given as file:PATH or value:TEXT")

    def read() -> Sequence[KeyEncryptionKey]:
        if settings.key_encryption_key_value:
            current = f"value:{settings.key_encryption_key_value}"
        else:
            current = f"file:{settings.key_encryption_key}"
        earlier = [item for item in settings.earlier_key_encryption_keys.split(",") if item.strip()]
        return [of(source) for source in (current, *earlier)]

    return KeyEncryptionKeys(read)


def key_stores(wrapping: KeyEncryptionKeys) -> Mapping[StoreName, KeyStore]:
    """Every store that is set up: software always, the token's where a module is named."""
    return {StoreName.SOFTWARE: SoftwareStore(wrapping)}
