"""The rows behind signing in: credentials, links, sessions, tokens and counted attempts.

They are looked up by secrets or account ids that authentication holds, so there is no agency's scope here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from identity import tables as t
from identity.caller import Scope
from identity.ids import ApplicationId, EnrolmentId, OrganisationId, SessionId, StaffId
from identity.model import Credential, Session
from trust.storage.database import Work


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """A one-time link; `staff_id` is None for the first platform administrator's."""

    id: EnrolmentId
    staff_id: StaffId | None


@dataclass(frozen=True, kw_only=True)
class GateState:
    """What is counted at one gate: failures so far, when the last was, and until when it is closed."""

    failures: int
    last_at: datetime
    closed_until: datetime


class CredentialRows:
    """User names and password hashes."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def find(self, username: str) -> Credential | None:
        c = t.credentials.c
        query = select(c.account_id, c.password_hash).where(c.username == username)
        row = self._work.execute(query).one_or_none()
        return Credential(account_id=row.account_id, password_hash=row.password_hash) if row else None

    def add(self, credential: Credential, *, username: str, at: datetime) -> bool:
        """Whether the user name was free."""
        row = {
            "account_id": credential.account_id,
            "username": username,
            "password_hash": credential.password_hash,
            "set_at": at,
        }
        statement = insert(t.credentials).values(**row).on_conflict_do_nothing()
        return self._work.execute(statement).rowcount == 1


class EnrolmentRows:
    """One-time links, by the digest of their token."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(
        self, enrolment: Enrolment, *, token_digest: bytes, issued_at: datetime, expires_at: datetime
    ) -> None:
        self._work.execute(
            insert(t.enrolments).values(
                id=enrolment.id,
                staff_id=enrolment.staff_id,
                token_digest=token_digest,
                issued_at=issued_at,
                expires_at=expires_at,
            )
        )

    def is_open(self, token_digest: bytes, at: datetime) -> bool:
        c = t.enrolments.c
        query = select(c.id).where(c.token_digest == token_digest, c.ended_at.is_(None), c.expires_at > at)
        return self._work.execute(query).one_or_none() is not None

    def take(self, token_digest: bytes, at: datetime) -> Enrolment | None:
        """Ends the link and returns it; None where it is unknown, ended or expired. Two at once: one gets it."""
        c = t.enrolments.c
        row = self._work.execute(
            update(t.enrolments)
            .where(c.token_digest == token_digest, c.ended_at.is_(None), c.expires_at > at)
            .values(ended_at=at)
            .returning(c.id, c.staff_id)
        ).one_or_none()
        if row is None:
            return None
        return Enrolment(id=EnrolmentId(row.id), staff_id=StaffId(row.staff_id) if row.staff_id else None)

    def end_for(self, staff_id: StaffId | None, at: datetime) -> None:
        """Ends the open links of an account (None: of the first platform administrator)."""
        c = t.enrolments.c
        whose = c.staff_id.is_(None) if staff_id is None else c.staff_id == staff_id
        self._work.execute(update(t.enrolments).where(whose, c.ended_at.is_(None)).values(ended_at=at))


class SessionRows:
    """Sessions, by the digest of their token."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, session: Session, *, token_digest: bytes) -> None:
        self._work.execute(insert(t.sessions).values(**vars(session), token_digest=token_digest))

    def find(self, token_digest: bytes) -> Session | None:
        query = select(t.sessions).where(t.sessions.c.token_digest == token_digest)
        row = self._work.execute(query).one_or_none()
        if row is None:
            return None
        return Session(
            id=SessionId(row.id),
            account_id=row.account_id,
            organisation_id=OrganisationId(row.organisation_id) if row.organisation_id else None,
            opened_at=row.opened_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
        )

    def seen(self, session_id: SessionId, at: datetime) -> None:
        self._work.execute(update(t.sessions).where(t.sessions.c.id == session_id).values(last_seen_at=at))

    def end(self, session_id: SessionId) -> bool:
        """Whether the session was still there."""
        return self._work.execute(delete(t.sessions).where(t.sessions.c.id == session_id)).rowcount == 1

    def end_of_account(self, account_id: str) -> None:
        self._work.execute(delete(t.sessions).where(t.sessions.c.account_id == account_id))


class AccessTokenRows:
    """Applications' access tokens and the assertions they were given for."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(
        self,
        token_digest: bytes,
        application_id: ApplicationId,
        scopes: frozenset[Scope],
        expires_at: datetime,
    ) -> None:
        self._work.execute(
            insert(t.access_tokens).values(
                token_digest=token_digest,
                application_id=application_id,
                scopes=sorted(scope.value for scope in scopes),
                expires_at=expires_at,
            )
        )

    def find(self, token_digest: bytes, at: datetime) -> tuple[ApplicationId, frozenset[Scope]] | None:
        c = t.access_tokens.c
        query = select(c.application_id, c.scopes).where(c.token_digest == token_digest, c.expires_at > at)
        row = self._work.execute(query).one_or_none()
        return (ApplicationId(row.application_id), frozenset(map(Scope, row.scopes))) if row else None

    def end_of_application(self, application_id: ApplicationId) -> None:
        c = t.access_tokens.c
        self._work.execute(delete(t.access_tokens).where(c.application_id == application_id))

    def spend(self, application_id: ApplicationId, jti: str, expires_at: datetime) -> bool:
        """Takes an assertion's `jti`; whether it was not taken before."""
        row = {"application_id": application_id, "jti": jti, "expires_at": expires_at}
        statement = insert(t.spent_assertions).values(**row).on_conflict_do_nothing()
        return self._work.execute(statement).rowcount == 1


class AttemptRows:
    """Counted attempts and the addresses an account has signed in from."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def lock(self, gate: str, key: bytes, at: datetime) -> GateState:
        """The state of a gate, held until this transaction ends.

        One statement: between an insert and a select, another transaction could delete the row.
        """
        c = t.attempts.c
        row = self._work.execute(
            insert(t.attempts)
            .values(gate=gate, key=key, failures=0, last_at=at, closed_until=at)
            .on_conflict_do_update(index_elements=[c.gate, c.key], set_={"failures": c.failures})
            .returning(c.failures, c.last_at, c.closed_until)
        ).one()
        return GateState(failures=row.failures, last_at=row.last_at, closed_until=row.closed_until)

    def set(self, gate: str, key: bytes, state: GateState) -> None:
        c = t.attempts.c
        self._work.execute(update(t.attempts).where(c.gate == gate, c.key == key).values(**vars(state)))

    def give_back(self, gate: str, key: bytes) -> None:
        """One attempt that was counted was no failure after all."""
        c = t.attempts.c
        self._work.execute(
            update(t.attempts)
            .where(c.gate == gate, c.key == key)
            .values(failures=func.greatest(c.failures - 1, 0))
        )

    def forget(self, gate: str, key: bytes) -> None:
        c = t.attempts.c
        self._work.execute(delete(t.attempts).where(c.gate == gate, c.key == key))

    def is_familiar(self, account_key: bytes, address_key: bytes, since: datetime) -> bool:
        c = t.familiar_addresses.c
        query = select(c.last_at).where(
            c.account_key == account_key, c.address_key == address_key, c.last_at > since
        )
        return self._work.execute(query).one_or_none() is not None

    def make_familiar(self, account_key: bytes, address_key: bytes, at: datetime) -> None:
        statement = insert(t.familiar_addresses).values(
            account_key=account_key, address_key=address_key, last_at=at
        )
        keys: Sequence[Any] = [t.familiar_addresses.c.account_key, t.familiar_addresses.c.address_key]
        self._work.execute(statement.on_conflict_do_update(index_elements=keys, set_={"last_at": at}))


def forget_expired(
    work: Work, *, at: datetime, idle_since: datetime, attempts_before: datetime, familiar_before: datetime
) -> int:
    """Deletes what has expired; returns how many rows went."""
    s = t.sessions.c
    statements = (
        delete(t.sessions).where(or_(s.expires_at <= at, s.last_seen_at <= idle_since)),
        delete(t.access_tokens).where(t.access_tokens.c.expires_at <= at),
        delete(t.spent_assertions).where(t.spent_assertions.c.expires_at <= at),
        delete(t.familiar_addresses).where(t.familiar_addresses.c.last_at <= familiar_before),
        delete(t.attempts).where(
            and_(t.attempts.c.last_at <= attempts_before, t.attempts.c.closed_until <= at)
        ),
    )
    return sum(work.execute(statement).rowcount for statement in statements)
