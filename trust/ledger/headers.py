"""From an event to its leaf: content commitment, header, entry, leaf hash.

    commitment = SHA-256(salt ‖ canonical content)      the salt and the content can be erased
    header     = canonical JSON of all else, with the commitment
    entry      = SHA-256(header)                         what `tile/entries` holds
    leaf hash  = SHA-256(0x00 ‖ entry)                   RFC 6962 §2.1

The commitment's salt makes every entry unguessable, so entries may be published.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from trust.evidence.merkle import leaf_hash
from trust.kernel.canonical import canonical_json, canonical_string
from trust.kernel.clock import rfc3339
from trust.ledger.model import Event, EventId, EventRefused

HEADER_FORMAT: Final = "yinxin-event/v1"
# The columns of `ledger.events` that make the header, in the order of `header_octets`.
HEADER_COLUMNS: Final = (
    "event_id",
    "at",
    "latest_inclusion",
    "act",
    "actor_kind",
    "actor_id",
    "on_behalf_of",
    "subject",
    "agency",
    "outcome",
    "reason",
    "content_commitment",
)
SALT_OCTETS: Final = 32
# Content says what happened; what it happened to lies in the object store under its own key.
MAX_CONTENT_OCTETS: Final = 65_536

_NULL: Final = "null"

# An escaped NUL, which jsonb cannot hold: an odd run of backslashes before u0000.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, kw_only=True)
class Header:
    """The public part of a recorded event; the times are whole milliseconds."""

    event_id: EventId
    at: datetime
    latest_inclusion: datetime
    act: str
    actor_kind: str
    actor_id: str
    on_behalf_of: str | None
    subject: str
    agency: str | None
    outcome: str
    reason: str | None
    content_commitment: bytes

    def encode(self) -> bytes:
        """The header's octets: canonical JSON with all its names, null where there is no value."""
        return header_octets(
            self.event_id,
            self.at,
            self.latest_inclusion,
            self.act,
            self.actor_kind,
            self.actor_id,
            self.on_behalf_of,
            self.subject,
            self.agency,
            self.outcome,
            self.reason,
            self.content_commitment,
        )

    def entry(self) -> bytes:
        """What the log holds for the event: 32 octets."""
        return hashlib.sha256(self.encode()).digest()

    def leaf_hash(self) -> bytes:
        """The hash of the event's leaf in the tree."""
        return leaf_hash(self.entry())


def header_octets(  # noqa: PLR0917 - a row, in the order of HEADER_COLUMNS
    event_id: str,
    at: datetime,
    latest_inclusion: datetime,
    act: str,
    actor_kind: str,
    actor_id: str,
    on_behalf_of: str | None,
    subject: str,
    agency: str | None,
    outcome: str,
    reason: str | None,
    content_commitment: bytes,
) -> bytes:
    """A header's octets from the columns of its row: canonical JSON, its names written out in their order.

    The sequencer makes every event's header anew before anything is signed, so this is the ledger's hot path;
    that it gives what `canonical_json` would is for the tests to show.
    """
    quoted = canonical_string
    return (
        f'{{"act":{quoted(act)},"actor":{{"id":{quoted(actor_id)},"kind":{quoted(actor_kind)},'
        f'"on_behalf_of":{_NULL if on_behalf_of is None else quoted(on_behalf_of)}}},'
        f'"agency":{_NULL if agency is None else quoted(agency)},"at":"{rfc3339(at)}",'
        f'"content_commitment":"{content_commitment.hex()}","event_id":{quoted(event_id)},'
        f'"format":"{HEADER_FORMAT}","latest_inclusion":"{rfc3339(latest_inclusion)}",'
        f'"outcome":{quoted(outcome)},"reason":{_NULL if reason is None else quoted(reason)},'
        f'"subject":{quoted(subject)}}}'
    ).encode()


def entry_of(columns: Sequence[Any]) -> bytes:
    """The entry of a row given by its HEADER_COLUMNS."""
    return hashlib.sha256(header_octets(*columns)).digest()


def header_of(
    event: Event, *, event_id: EventId, at: datetime, latest_inclusion: datetime, commitment: bytes
) -> Header:
    """The header of an event about to be recorded."""
    return Header(
        event_id=event_id,
        at=at,
        latest_inclusion=latest_inclusion,
        act=event.act,
        actor_kind=event.actor.kind,
        actor_id=event.actor.id,
        on_behalf_of=event.actor.on_behalf_of,
        subject=event.subject,
        agency=event.agency,
        outcome=event.outcome.value,
        reason=event.reason,
        content_commitment=commitment,
    )


def header_of_row(row: Any) -> Header:
    """The header of a row of `ledger.events`."""
    return Header(
        event_id=EventId(row.event_id),
        at=row.at,
        latest_inclusion=row.latest_inclusion,
        act=row.act,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        on_behalf_of=row.on_behalf_of,
        subject=row.subject,
        agency=row.agency,
        outcome=row.outcome,
        reason=row.reason,
        content_commitment=bytes(row.content_commitment),
    )


def content_octets(content: Mapping[str, Any]) -> bytes:
    """The content as canonical JSON; raises `EventRefused` on what jsonb would not give back as it was."""
    try:
        octets = canonical_json(dict(content))
    except (ValueError, TypeError, RecursionError) as error:
        raise EventRefused(f"an event's content is a JSON object of texts and integers: {error}") from error
    if len(octets) > MAX_CONTENT_OCTETS:
        raise EventRefused(f"an event's content has {len(octets)} octets; at most {MAX_CONTENT_OCTETS}")
    if _NUL.search(octets):
        raise EventRefused("an event's content holds a NUL character")
    return octets


def commit(salt: bytes, content: bytes) -> bytes:
    """The commitment to content: hiding by the salt, binding by SHA-256."""
    return hashlib.sha256(salt + content).digest()


def whole_milliseconds(moment: datetime) -> datetime:
    """The moment cut to milliseconds, so that the row is exactly what the header says."""
    return moment - timedelta(microseconds=moment.microsecond % 1000)
