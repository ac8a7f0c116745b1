"""People sign in with a user name and a password and get a session; an agent chooses whom to act for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from identity.accounts import caller_of
from identity.caller import ANYONE, Caller
from identity.errors import SignInRefused
from identity.events import Act, done, refused
from identity.ids import OrganisationId, SessionId
from identity.model import Credential, Session
from identity.signin.passwords import Passwords, folded_username
from identity.signin.repository import CredentialRows, SessionRows, forget_expired
from identity.signin.throttle import FAMILIAR_FOR, FORGOTTEN_AFTER, Attempt, Throttle
from identity.signin.tokens import TokenKind, csrf_token, is_token, new_token, token_digest
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.ledger.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class SessionLimits:
    """How long a session lasts without a request, and at most."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A new session. `token` authenticates it; `csrf_token` goes into the forms of its pages."""

    session_id: SessionId
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime
    caller: Caller


class Sessions:
    """Opens and closes people's sessions."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        randomness: Randomness,
        passwords: Passwords,
        throttle: Throttle,
        limits: SessionLimits,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._passwords = passwords
        self._throttle = throttle
        self._limits = limits

    def sign_in(
        self, *, username: str, password: str, address: str, organisation_id: OrganisationId | None = None
    ) -> SignedIn:
        """Signs a person in, for an organisation if one is named.

        `address` is where the request comes from. Raises Throttled, SignInRefused (the same for every reason),
        and NotFound where the person is known but may not act for the organisation.
        """
        username = folded_username(username)

        # 1. Count the attempt first: a burst of guesses in parallel is then counted whole.
        with self._ledger.work() as work:
            attempt = self._throttle.count_sign_in(work, username=username, address=address)
            credential = CredentialRows(work).find(username) if username.isprintable() else None

        # 2. Compare outside any transaction, with the same work for an account that does not exist.
        matches = self._passwords.match(password, credential.password_hash if credential else None)

        # 3. Open the session, or keep that it was refused.
        return self._open(attempt, credential, matches=matches, organisation_id=organisation_id)

    def sign_out(self, caller: Caller, token: str) -> None:
        """Ends the session of this token; raises NotFound where it is not a session of the caller's."""
        with self._ledger.work() as work:
            rows = SessionRows(work)
            session = rows.find(token_digest(token)) if is_token(TokenKind.SESSION, token) else None
            if session is None or session.account_id != caller.account_id or not rows.end(session.id):
                raise NotFound("there is no session of this token to end")
            work.record(done(Act.SESSION_CLOSED, caller, session.id))

    def forget_expired(self) -> int:
        """Deletes expired sessions, tokens and counts; for a periodic job. Returns how many rows went."""
        now = self._clock.now()
        with self._ledger.work() as work:
            return forget_expired(
                work,
                at=now,
                idle_since=now - self._limits.idle,
                attempts_before=now - FORGOTTEN_AFTER,
                familiar_before=now - FAMILIAR_FOR,
            )

    def _open(
        self,
        attempt: Attempt,
        credential: Credential | None,
        *,
        matches: bool,
        organisation_id: OrganisationId | None,
    ) -> SignedIn:
        now = self._clock.now()
        with self._ledger.work() as work:
            account_id = credential.account_id if credential else None
            person = caller_of(work, account_id, None, at=now) if account_id and matches else None
            if person is None:
                error = SignInRefused()
                # The account where there is one; never the user name, which may be somebody's number.
                subject = account_id or "unknown-account"
                raise error.refused_as(refused(Act.SESSION_REFUSED, ANYONE, subject, error))
            self._throttle.settle(work, attempt)
            caller = caller_of(work, person.account_id, organisation_id, at=now)
            if caller is None:
                raise NotFound("there is no organisation of this id that you may act for")
            session = Session(
                id=self._ids.new(SessionId),
                account_id=caller.account_id,
                organisation_id=organisation_id,
                opened_at=now,
                last_seen_at=now,
                expires_at=now + self._limits.absolute,
            )
            token = new_token(TokenKind.SESSION, self._randomness)
            SessionRows(work).add(session, token_digest=token_digest(token))
            work.record(done(Act.SESSION_OPENED, caller, session.id))
        return SignedIn(
            session_id=session.id,
            token=token,
            csrf_token=csrf_token(token),
            expires_at=session.expires_at,
            caller=caller,
        )
