"""Idempotency keys: the same key with the same body gets the same answer, whatever happened in between.

The row is inserted in the transaction that records the intent, so key and intent exist together or not at all.
"""

from dataclasses import dataclass

from sqlalchemy import Column, LargeBinary, Table, Text, select
from sqlalchemy.dialects.postgresql import insert

from trust.kernel.errors import Conflict, InvalidInput
from trust.kernel.text import line
from trust.storage.database import ReadWork, Work
from trust.storage.schema import facts, metadata, moment

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("act", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_digest", LargeBinary, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

MAX_KEY_CHARACTERS = 128


class IdempotencyKeyReused(Conflict):
    """The key was used before with another body."""

    code = "idempotency-key-reused"


class IdempotencyKeyRefused(InvalidInput):
    """The key is missing or not a line of at most 128 characters."""

    code = "idempotency-key-refused"


@dataclass(frozen=True, kw_only=True)
class IdempotencyClaim:
    """One caller's key for one act, with the SHA-256 of the body it came with."""

    caller: str
    act: str
    key: str
    body_digest: bytes

    def __post_init__(self) -> None:
        try:
            line(self.key, what="the idempotency key", limit=MAX_KEY_CHARACTERS)
        except InvalidInput as refused:
            raise IdempotencyKeyRefused(refused.message) from refused


def find(work: ReadWork, claim: IdempotencyClaim) -> str | None:
    """The subject an earlier request with this key made, or None; raises IdempotencyKeyReused on another body."""
    keys = idempotency_keys.c
    row = work.execute(
        select(keys.body_digest, keys.subject).where(
            keys.caller == claim.caller, keys.act == claim.act, keys.key == claim.key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.body_digest != claim.body_digest:
        raise IdempotencyKeyReused("this idempotency key came with another body before; use a new key")
    return str(row.subject)


def claim_for(work: Work, claim: IdempotencyClaim, *, subject: str, at: object) -> str:
    """Takes the key for this subject, or returns the subject that has it already.

    A concurrent request with the same key waits here until the first has committed or rolled back.
    """
    taken = work.execute(
        insert(idempotency_keys)
        .values(
            caller=claim.caller,
            act=claim.act,
            key=claim.key,
            body_digest=claim.body_digest,
            subject=subject,
            at=at,
        )
        .on_conflict_do_nothing()
    ).rowcount
    if taken == 1:
        return subject
    earlier = find(work, claim)
    if earlier is None:
        raise IdempotencyKeyReused("this idempotency key is in use; try again")
    return earlier
