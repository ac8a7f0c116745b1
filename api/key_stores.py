"""Key-encryption keys and key stores as the settings name them; only the signer asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings
from trust.kernel.randomness import Randomness
from trust.keys.errors import KeyStoreRefused
from trust.keys.key_encryption import KeyEncryptionKey, KeyEncryptionKeys
from trust.keys.model import StoreName
from trust.keys.pkcs11_store import Pkcs11Store
from trust.keys.pkcs11_token import Pkcs11Token
from trust.keys.pkcs11_wrapping import TokenKeyWrap
from trust.keys.software_store import SoftwareStore
from trust.keys.stores import KeyStore
from trust.keys.wrapping import (
    KeyEncryptionKeyRefused,
    KeyWrap,
    parse_key_encryption_key,
    read_key_encryption_key,
    read_secret_file,
)


@dataclass(frozen=True, kw_only=True)
class KeyPlaces:
    """Where this deployment's keys lie."""

    wrapping: KeyEncryptionKeys
    stores: Mapping[StoreName, KeyStore]
    new_keys_in: StoreName
    token: Pkcs11Token | None


def key_places(settings: Settings, randomness: Randomness) -> KeyPlaces:
    """Raises KeyEncryptionKeyRefused, KeyStoreRefused and KeyStoreAway."""
    token = _token(settings)
    wrapping = KeyEncryptionKeys(lambda: _key_encryption_keys(settings, token, randomness))
    stores: dict[StoreName, KeyStore] = {StoreName.SOFTWARE: SoftwareStore(wrapping)}
    if token is not None:
        stores[StoreName.PKCS11] = Pkcs11Store(token)
    try:
        new_keys_in = StoreName(settings.key_store)
    except ValueError as fault:
        raise KeyStoreRefused(f"YINXIN_KEY_STORE is one of {', '.join(StoreName)}") from fault
    return KeyPlaces(wrapping=wrapping, stores=stores, new_keys_in=new_keys_in, token=token)


def _token(settings: Settings) -> Pkcs11Token | None:
    if not settings.pkcs11_module:
        return None
    if not settings.pkcs11_token:
        raise KeyStoreRefused("YINXIN_PKCS11_TOKEN names the token by its label")
    if settings.pkcs11_pin:
        pin = settings.pkcs11_pin
    elif settings.pkcs11_pin_file:
        pin = read_secret_file(Path(settings.pkcs11_pin_file), what="the token's PIN")
    else:
        raise KeyStoreRefused("the token's PIN is in YINXIN_PKCS11_PIN_FILE or YINXIN_PKCS11_PIN")
    return Pkcs11Token(
        module=settings.pkcs11_module,
        label=settings.pkcs11_token,
        pin=pin,
        sessions=settings.pkcs11_sessions,
    )


def _key_encryption_keys(
    settings: Settings, token: Pkcs11Token | None, randomness: Randomness
) -> Sequence[KeyEncryptionKey]:
    """The current key and the earlier ones, read from where they lie now."""

    def of(source: str) -> KeyEncryptionKey:
        kind, _, rest = source.strip().partition(":")
        if kind == "file":
            return KeyWrap(read_key_encryption_key(Path(rest)), randomness)
        if kind == "value":
            return KeyWrap(parse_key_encryption_key(rest), randomness)
        if kind == "token":
            if token is None:
                raise KeyEncryptionKeyRefused("a key-encryption key is in a token, and no token is set up")
            return TokenKeyWrap(token, label=rest, randomness=randomness)
        raise KeyEncryptionKeyRefused(
            "an earlier key-encryption key is given as file:PATH, value:TEXT or token:LABEL"
        )

    if settings.key_encryption_key_value:
        current = f"value:{settings.key_encryption_key_value}"
    elif settings.key_encryption_key_label:
        current = f"token:{settings.key_encryption_key_label}"
    else:
        current = f"file:{settings.key_encryption_key}"
    earlier = [item for item in settings.earlier_key_encryption_keys.split(",") if item.strip()]
    return [of(source) for source in (current, *earlier)]
