"""Compact JWS (RFC 7515) with ES256, the one algorithm on the allow-list.

The key is elsewhere: writing is `signing_input` → a signature somebody makes → `attach`.

    octets = signing_input({"alg": "ES256", "typ": "dc+sd-jwt"}, payload)
    token = attach(octets, signer.sign(octets))     # ECDSA signature in DER
    verify(parse(token), spki)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from trust.credentials.encoding import base64url_decode, base64url_encode, read_object, write_json
from trust.credentials.errors import AlgorithmRefused, CredentialMalformed, CredentialSignatureInvalid
from trust.crypto import suites
from trust.crypto.errors import SignatureInvalid
from trust.crypto.suites import Suite

ES256 = "ES256"
ALLOWED_ALGORITHMS: Mapping[str, Suite] = MappingProxyType({ES256: Suite.P256_SHA256})

# A licence is a few kilobytes; a status list token is the largest JWS and says its own limit.
MAX_JWS_CHARACTERS = 262_144
_COORDINATE_OCTETS = 32


@dataclass(frozen=True, kw_only=True)
class Jws:
    """A compact JWS taken apart; nothing is verified. `signature` is r and s, 32 octets each (RFC 7518 §3.4)."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    signing_input: bytes
    signature: bytes
    compact: str


def signing_input(header: Mapping[str, Any], payload: Mapping[str, Any]) -> bytes:
    """The octets to be signed (RFC 7515 §5.1); raises `AlgorithmRefused` on a header that names no allowed one."""
    require_algorithm(header)
    parts = (base64url_encode(write_json(dict(part))) for part in (header, payload))
    return ".".join(parts).encode("ascii")


def attach(octets: bytes, der_signature: bytes) -> str:
    """The compact JWS of a signing input and its ECDSA signature in DER; raises `CredentialMalformed`."""
    try:
        r, s = decode_dss_signature(der_signature)
        raw = r.to_bytes(_COORDINATE_OCTETS, "big") + s.to_bytes(_COORDINATE_OCTETS, "big")
    except (ValueError, OverflowError) as error:
        raise CredentialMalformed("the signature is not one of ECDSA over P-256 in DER") from error
    return octets.decode("ascii") + "." + base64url_encode(raw)


def parse(compact: str, *, max_characters: int = MAX_JWS_CHARACTERS) -> Jws:
    """Takes a compact JWS apart, strictly; raises `CredentialMalformed`.

    A `crit` header is refused whatever it names: no extension is understood here (RFC 7515 §4.1.11).
    """
    if len(compact) > max_characters:
        raise CredentialMalformed(f"a token of more than {max_characters} characters is not read")
    parts = compact.split(".")
    if len(parts) != 3:
        raise CredentialMalformed("a compact JWS is header.payload.signature")
    header = read_object(base64url_decode(parts[0], "the JWS header"), "the JWS header")
    payload = read_object(base64url_decode(parts[1], "the JWS payload"), "the JWS payload")
    if "crit" in header:
        raise CredentialMalformed("the JWS header has critical extensions; none is understood")
    return Jws(
        header=MappingProxyType(header),
        payload=MappingProxyType(payload),
        signing_input=f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature=base64url_decode(parts[2], "the JWS signature"),
        compact=compact,
    )


def require_algorithm(header: Mapping[str, Any]) -> Suite:
    """The suite that the header's `alg` means; raises `AlgorithmRefused`."""
    algorithm = header.get("alg")
    suite = ALLOWED_ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
    if suite is None:
        raise AlgorithmRefused(f"the token's algorithm is not one of {', '.join(ALLOWED_ALGORITHMS)}")
    return suite


def verify(jws: Jws, spki: bytes) -> None:
    """Raises `AlgorithmRefused` or `CredentialSignatureInvalid` unless `spki` (DER) signed this."""
    suite = require_algorithm(jws.header)
    if len(jws.signature) != 2 * _COORDINATE_OCTETS:
        raise CredentialSignatureInvalid("an ES256 signature has 64 octets")
    r = int.from_bytes(jws.signature[:_COORDINATE_OCTETS], "big")
    s = int.from_bytes(jws.signature[_COORDINATE_OCTETS:], "big")
    try:
        suites.verify(spki, encode_dss_signature(r, s), jws.signing_input, suite)
    except SignatureInvalid as error:
        raise CredentialSignatureInvalid("the token's signature does not verify") from error
