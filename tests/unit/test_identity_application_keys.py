"""The public keys that applications register: P-256 for ES256, and nothing private."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from identity.applications import accepted_public_key
from identity.errors import PublicKeyRefused


def good_key() -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256").as_dict(private=False))


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        ECKey.generate_key("P-256").as_dict(private=True),
        ECKey.generate_key("P-384").as_dict(private=False),
        OKPKey.generate_key("Ed25519").as_dict(private=False),
        RSAKey.generate_key(2048).as_dict(private=False),
        good_key() | {"x": "A" * 43},
        good_key() | {"x": "A" * 42},
        good_key() | {"y": 7},
        good_key() | {"y": "=" * 43},
        good_key() | {"alg": "ES384"},
        good_key() | {"use": "enc"},
        {name: value for name, value in good_key().items() if name != "y"},
    ],
    ids=[
        "nothing",
        "private",
        "p-384",
        "ed25519",
        "rsa",
        "off the curve",
        "short",
        "number",
        "padding",
        "es384",
        "encryption",
        "no y",
    ],
)
def test_another_key_than_a_public_p256_key_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(PublicKeyRefused):
        accepted_public_key(jwk)


def test_a_good_key_is_kept_without_what_is_not_its_public_half() -> None:
    kept = accepted_public_key(good_key() | {"kid": "mine", "alg": "ES256", "use": "sig"})
    assert set(kept.as_dict(private=False)) == {"kty", "crv", "x", "y"}
