"""Client assertions: a JWT by which an application proves that it holds its key (RFC 7523 §2.2, §3).

issuer and subject   both the application's id
audience             exactly the issuer of this service, as a string or as a list of that one string
expiry               ahead, by 60 seconds at most
jti                  present; taken once, which is for the caller to see to
algorithm            ES256, with the key registered for the application; nothing in the header changes that
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from identity.ids import ApplicationId
from identity.model import Application
from trust.kernel.errors import Unauthenticated

MAX_ASSERTION_CHARACTERS: Final = 4096
MAX_JTI_CHARACTERS: Final = 128
LONGEST_LIFE: Final = timedelta(seconds=60)
ALGORITHM: Final = "ES256"


class AssertionRefused(Unauthenticated):
    """The client assertion does not prove who is calling; the message says which rule it breaks."""

    code = "client-assertion-refused"


@dataclass(frozen=True, kw_only=True)
class ClientAssertion:
    """A client assertion that holds: the id to be taken once, and when it ends."""

    jti: str
    expires_at: datetime


def claimed_client(assertion: str) -> ApplicationId:
    """Who the assertion says it is from; to be believed only after `read_assertion`."""
    if len(assertion) > MAX_ASSERTION_CHARACTERS:
        raise AssertionRefused(f"a client assertion has {MAX_ASSERTION_CHARACTERS} characters at most")
    try:
        token = jws.extract_compact(assertion.encode("ascii"))
        claims = json.loads(token.payload)
        subject = claims["sub"] if isinstance(claims, dict) else None
        return ApplicationId.parse(subject) if isinstance(subject, str) else _no_client()
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        return _no_client()


def read_assertion(
    assertion: str, *, application: Application, issuer: str, now: datetime
) -> ClientAssertion:
    """Checks an assertion with the application's key; raises AssertionRefused."""
    try:
        key = ECKey.import_key(dict(application.public_jwk))
        token = jwt.decode(assertion, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, RecursionError):
        raise AssertionRefused(
            "the client assertion's signature is not ES256 by the registered key"
        ) from None
    claims = token.claims
    if claims.get("iss") != application.id or claims.get("sub") != application.id:
        raise AssertionRefused("iss and sub must both be the client id")
    if claims.get("aud") not in (issuer, [issuer]):
        raise AssertionRefused("aud must be exactly the issuer of this service")
    expires_at = _moment(claims, "exp")
    if expires_at is None or not now < expires_at <= now + LONGEST_LIFE:
        raise AssertionRefused("exp must be ahead, by 60 seconds at most")
    for claim in ("nbf", "iat"):
        begins = _moment(claims, claim)
        if claim in claims and (begins is None or begins >= expires_at):
            raise AssertionRefused(f"{claim} must be a moment before exp")
    begins = _moment(claims, "nbf")
    if begins is not None and begins > now:
        raise AssertionRefused("the client assertion is not valid yet")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_CHARACTERS or not jti.isprintable():
        raise AssertionRefused(f"jti must be text of 1 to {MAX_JTI_CHARACTERS} characters")
    return ClientAssertion(jti=jti, expires_at=expires_at)


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A NumericDate (RFC 7519 §2); None where it is missing or is none."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _no_client() -> ApplicationId:
    raise AssertionRefused("the client assertion is not a JWT whose sub is a client id")
