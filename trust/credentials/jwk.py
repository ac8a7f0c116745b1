"""Public keys as JWK (RFC 7517, RFC 7518 §6.2): P-256 points only, never a private part."""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from trust.credentials.encoding import base64url_decode, base64url_encode, write_json
from trust.credentials.errors import CredentialMalformed

_COORDINATE_OCTETS = 32
_PRIVATE_OR_SYMMETRIC = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})


def spki_of_jwk(jwk: Any) -> bytes:
    """The SubjectPublicKeyInfo (DER) of a P-256 JWK; raises `CredentialMalformed`."""
    if not isinstance(jwk, Mapping) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise CredentialMalformed("the key is not a JWK of a P-256 point")
    if _PRIVATE_OR_SYMMETRIC & set(jwk):
        raise CredentialMalformed("the JWK holds more than a public key")
    octets = b"".join(_coordinate(jwk, name) for name in ("x", "y"))
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + octets)
    except ValueError as error:
        raise CredentialMalformed("the JWK's point is not on P-256") from error
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def jwk_of_spki(spki: bytes) -> dict[str, str]:
    """The JWK of a P-256 SubjectPublicKeyInfo (DER); raises `CredentialMalformed`."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CredentialMalformed("the public key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CredentialMalformed("the public key is not one of P-256")
    numbers = key.public_numbers()
    coordinates = (number.to_bytes(_COORDINATE_OCTETS, "big") for number in (numbers.x, numbers.y))
    x, y = map(base64url_encode, coordinates)
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def thumbprint(spki: bytes) -> str:
    """The JWK thumbprint (RFC 7638) with SHA-256, base64url."""
    jwk = jwk_of_spki(spki)
    return base64url_encode(hashlib.sha256(write_json(dict(sorted(jwk.items())))).digest())


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise CredentialMalformed(f"the JWK has no {name}")
    octets = base64url_decode(value, f"the JWK's {name}")
    if len(octets) != _COORDINATE_OCTETS:
        raise CredentialMalformed(f"the JWK's {name} is not {_COORDINATE_OCTETS} octets")
    return octets
