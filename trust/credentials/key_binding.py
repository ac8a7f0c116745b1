"""The key binding JWT (RFC 9901 §4.3, §7.3): the holder signs this presentation for this audience, now."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trust.credentials import jws
from trust.credentials.encoding import base64url_encode
from trust.credentials.errors import KeyBindingRefused
from trust.credentials.jwk import jwk_of_spki, spki_of_jwk
from trust.credentials.validity import CLOCK_SKEW, numeric_date, to_numeric_date

TYP = "kb+jwt"
# A presentation is made while its recipient waits; an older one is a replay.
MAX_AGE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class KeyBindingPolicy:
    """What the recipient asked for: its own name, the nonce it gave out, and how old the answer may be."""

    nonce: str
    audience: str
    max_age: timedelta = MAX_AGE


def confirmation(holder_spki: bytes) -> dict[str, Any]:
    """The `cnf` claim that names the holder's key (RFC 7800 §3.2)."""
    return {"jwk": jwk_of_spki(holder_spki)}


def presentation_hash(presentation: str) -> str:
    """`sd_hash`: SHA-256 of everything up to the last tilde, base64url (RFC 9901 §4.3.1)."""
    return base64url_encode(hashlib.sha256(presentation.encode("utf-8")).digest())


def signing_input(presentation: str, *, nonce: str, audience: str, at: datetime) -> bytes:
    """The octets that the holder's key signs for a presentation without key binding; `jws.attach` completes."""
    payload = {
        "nonce": nonce,
        "aud": audience,
        "iat": to_numeric_date(at),
        "sd_hash": presentation_hash(presentation),
    }
    return jws.signing_input({"alg": jws.ES256, "typ": TYP}, payload)


def verify(token: str, *, presentation: str, cnf: Any, policy: KeyBindingPolicy | None, at: datetime) -> None:
    """Raises an `InvalidInput` unless the holder's key made this for this presentation (and this policy).

    `cnf` is the confirmation claim that the issuer signed.
    """
    if not isinstance(cnf, Mapping):
        raise KeyBindingRefused("the credential names no holder's key (cnf)")
    parsed = jws.parse(token)
    if parsed.header.get("typ") != TYP:
        raise KeyBindingRefused(f"the key binding's typ has to be {TYP}")
    jws.verify(parsed, spki_of_jwk(cnf.get("jwk")))
    if parsed.payload.get("sd_hash") != presentation_hash(presentation):
        raise KeyBindingRefused("the key binding was made over another presentation")
    for name in ("nonce", "aud"):
        if not isinstance(parsed.payload.get(name), str):
            raise KeyBindingRefused(f"the key binding has no {name}")
    issued = numeric_date(parsed.payload, "iat")
    if issued is None:
        raise KeyBindingRefused("the key binding has no iat")
    if issued > at + CLOCK_SKEW:
        raise KeyBindingRefused("the key binding is dated in the future")
    if policy is not None:
        _require_policy(parsed.payload, issued, policy, at)


def _require_policy(
    payload: Mapping[str, Any], issued: datetime, policy: KeyBindingPolicy, at: datetime
) -> None:
    expires = numeric_date(payload, "exp")
    if at - issued > policy.max_age or (expires is not None and at >= expires):
        raise KeyBindingRefused(f"the key binding has expired or is older than {policy.max_age}")
    if payload["nonce"] != policy.nonce:
        raise KeyBindingRefused("the key binding answers another nonce")
    if payload["aud"] != policy.audience:
        raise KeyBindingRefused("the key binding was made for another audience")
