"""The rows of the signer's journal and how they are chained: each holds the hash of the one before.

A chain begins with a signer's start; its first row names where the chains it found had come to, so that a whole
chain, or the end of an earlier one, cannot go missing either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from trust.crypto.digests import sha256
from trust.kernel.ids import Id

# What the hash of a chain's first row is chained to.
NO_ROW: Final = bytes(32)
_VERSION: Final = "yinxin signer journal v1"


class ChainId(Id):
    """The unbroken rows of one signer process."""

    prefix = "chain"


class JournalOutcome(StrEnum):
    """What came of an operation."""

    BEGUN = "begun"  # a chain begins here
    SIGNED = "signed"  # the signature was made and may have been handed out
    MADE = "made"  # a key was made
    CHANGED = "changed"  # a key's state or limit was changed by an order
    DESTROYED = "destroyed"  # a key was destroyed and looked for in vain
    LIMIT_REACHED = "limit-reached"  # a signature was refused because the key's limit is reached


@dataclass(frozen=True, kw_only=True)
class JournalRow:
    """One row.

    `count` is how many uses of the key it tells of; `subject` and `intended` are an intent's, empty for service
    keys; `signed` is the SHA-256 of the octets that were signed (for a hash signed as it is, the hash), for
    several the SHA-256 over theirs in order. `detail` is an order's id, or the heads a chain found.
    """

    chain: ChainId
    number: int
    at: datetime
    operation: str
    key_id: str
    count: int
    subject: str
    intended: bytes
    signed: bytes
    outcome: JournalOutcome
    detail: str
    previous: bytes

    def hash(self) -> bytes:
        """SHA-256 over every field and the hash of the row before; no field but the last has a line break."""
        return self.hash_at(_moment(self.at))

    def hash_at(self, moment: str) -> bytes:
        """`hash`, with `at` already written out, which the rows of a batch share."""
        return sha256(
            f"{_VERSION}\n{self.previous.hex()}\n{self.chain}\n{self.number}\n{moment}\n{self.operation}\n"
            f"{self.key_id}\n{self.count}\n{self.subject}\n{self.intended.hex()}\n{self.signed.hex()}\n"
            f"{self.outcome}\n{self.detail}".encode()
        )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, kw_only=True)
class Head:
    """How far a chain has come: its last row's number and hash."""

    chain: ChainId
    number: int
    hash: bytes

    def text(self) -> str:
        return f"{self.chain} {self.number} {self.hash.hex()}"

    @classmethod
    def parse(cls, line: str) -> "Head":
        """Reads `text`; raises ValueError on anything else."""
        chain, number, digest = line.split(" ")
        return cls(chain=ChainId.parse(chain), number=int(number), hash=bytes.fromhex(digest))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be journalled, before it has its place in a chain; the fields are those of `JournalRow`."""

    operation: str
    key_id: str
    outcome: JournalOutcome
    count: int = 0
    subject: str = ""
    intended: bytes = b""
    signed: bytes = b""
    detail: str = ""


def chained(entries: Sequence[Entry], *, after: Head, at: datetime) -> list[tuple[JournalRow, bytes]]:
    """The entries as the next rows of a chain, each with its hash."""
    rows: list[tuple[JournalRow, bytes]] = []
    previous, moment = after.hash, _moment(at)
    for number, entry in enumerate(entries, after.number + 1):
        row = JournalRow(
            chain=after.chain,
            number=number,
            at=at,
            operation=entry.operation,
            key_id=entry.key_id,
            count=entry.count,
            subject=entry.subject,
            intended=entry.intended,
            signed=entry.signed,
            outcome=entry.outcome,
            detail=entry.detail,
            previous=previous,
        )
        previous = row.hash_at(moment)
        rows.append((row, previous))
    return rows


def heads_in(detail: str) -> tuple[Head, ...]:
    """The heads that a chain's first row names; raises ValueError where the text is another."""
    return tuple(Head.parse(line) for line in detail.splitlines())
