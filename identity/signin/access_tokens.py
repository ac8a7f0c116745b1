"""The token endpoint: OAuth 2.0 client credentials (RFC 6749 §4.4) with `private_key_jwt` (RFC 7523).

Tokens are opaque, so that revoking an application holds at its next request.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from identity.caller import Caller, CallerKind, Scope
from identity.errors import OAuthRefused
from identity.events import Act, done, refused
from identity.model import Application, EveryAgency
from identity.repository import ApplicationRows
from identity.signin.assertions import AssertionRefused, ClientAssertion, claimed_client, read_assertion
from identity.signin.repository import AccessTokenRows
from identity.signin.tokens import TokenKind, new_token, token_digest
from trust.kernel.clock import Clock
from trust.kernel.randomness import Randomness
from trust.ledger.ledger import Ledger, RecordedWork

TOKEN_LIFETIME: Final = timedelta(minutes=10)
GRANT_TYPE: Final = "client_credentials"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """The form sent to the token endpoint; what is missing is None. An empty field counts as missing."""

    grant_type: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = field(default=None, repr=False)
    client_id: str | None = None
    scope: str | None = None


@dataclass(frozen=True, kw_only=True)
class GrantedToken:
    """A bearer token, its life in seconds and its scopes."""

    access_token: str = field(repr=False)
    expires_in: int
    scopes: frozenset[Scope]


class AccessTokens:
    """Grants access tokens to applications."""

    def __init__(self, *, ledger: Ledger, clock: Clock, randomness: Randomness, issuer: str) -> None:
        """`issuer` is this service's identifier, the one audience an assertion may have."""
        self._ledger = ledger
        self._clock = clock
        self._randomness = randomness
        self._issuer = issuer

    def grant(self, request: TokenRequest) -> GrantedToken:
        """Grants a token for all of the application's scopes, or those asked for.

        Raises OAuthRefused with the code of RFC 6749 §5.2. An assertion that held is spent even where its
        request is refused.
        """
        assertion = _assertion_of(request)
        refusal: OAuthRefused | None = None
        with self._ledger.work() as work:
            # 1. Who is it? A stranger's assertion leaves no trace; a known application's refusal is kept.
            application = self._application(work, assertion, request.client_id)
            caller = _caller(application, frozenset())
            try:
                held = self._read(assertion, application)
                if not AccessTokenRows(work).spend(application.id, held.jti, held.expires_at):
                    raise _invalid_client("this client assertion was used before")
            except OAuthRefused as error:
                raise error.refused_as(refused(Act.TOKEN_REFUSED, caller, application.id, error)) from None

            # 2. What may it do? From here on the assertion stays spent.
            try:
                scopes = _scopes(request.scope, application)
            except OAuthRefused as error:
                refusal = error
                work.record(refused(Act.TOKEN_REFUSED, caller, application.id, error))
            else:
                token = new_token(TokenKind.ACCESS, self._randomness)
                expires_at = self._clock.now() + TOKEN_LIFETIME
                AccessTokenRows(work).add(token_digest(token), application.id, scopes, expires_at)
                content = {"scopes": sorted(scopes)}
                work.record(done(Act.TOKEN_GRANTED, caller, application.id, content=content))
        if refusal is not None:
            raise refusal
        return GrantedToken(access_token=token, expires_in=int(TOKEN_LIFETIME.total_seconds()), scopes=scopes)

    def _application(self, work: RecordedWork, assertion: str, client_id: str | None) -> Application:
        try:
            claimed = claimed_client(assertion)
        except AssertionRefused as error:
            raise _invalid_client(error.message) from None
        if client_id is not None and client_id != claimed:
            raise _invalid_client("client_id is not the assertion's subject")
        application = ApplicationRows(work).find(claimed, EveryAgency.EVERY)
        if application is None:
            raise _invalid_client("the client is not registered, or not in use any more")
        return application

    def _read(self, assertion: str, application: Application) -> ClientAssertion:
        try:
            held = read_assertion(
                assertion, application=application, issuer=self._issuer, now=self._clock.now()
            )
        except AssertionRefused as error:
            raise _invalid_client(error.message) from None
        # Told only to whoever holds the key.
        if application.revoked_at is not None:
            raise _invalid_client("the client is not registered, or not in use any more")
        return held


def _assertion_of(request: TokenRequest) -> str:
    if not request.grant_type:
        raise OAuthRefused(OAuthRefused.INVALID_REQUEST, "grant_type is missing")
    if request.grant_type != GRANT_TYPE:
        raise OAuthRefused(OAuthRefused.UNSUPPORTED_GRANT_TYPE, f"the one grant type here is {GRANT_TYPE}")
    if not request.client_assertion or request.client_assertion_type != ASSERTION_TYPE:
        raise _invalid_client(f"authenticate by a client_assertion of the type {ASSERTION_TYPE}")
    return request.client_assertion


def _scopes(asked: str | None, application: Application) -> frozenset[Scope]:
    """What was asked for where the application has it all (RFC 6749 §3.3); all it has where nothing was."""
    if not asked:
        return application.scopes
    names = set(asked.split(" "))
    granted = frozenset(scope for scope in application.scopes if scope.value in names)
    if len(granted) != len(names):
        raise OAuthRefused(OAuthRefused.INVALID_SCOPE, "a scope asked for is not one of the application's")
    return granted


def _caller(application: Application, scopes: frozenset[Scope]) -> Caller:
    return Caller(
        kind=CallerKind.APPLICATION,
        account_id=application.id,
        agency_id=application.agency_id,
        scopes=scopes,
    )


def _invalid_client(message: str) -> OAuthRefused:
    return OAuthRefused(OAuthRefused.INVALID_CLIENT, message)
