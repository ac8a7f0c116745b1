"""What happened, who did it, and the promise that it will be in the log.

Everything in an `Event` but its `content` is public for ever and is never erased: opaque ids and stable
codes only. Whatever names a person or quotes one (a purpose, an officer's words, a file name) is content.

The ledger knows no domain's acts: each domain names its own in `events.py`, in a table `ACTS` from the act,
dotted kebab-case with the thing before what befell it (`seal-use.intended`), to a sentence that documents it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from trust.kernel.errors import InvalidInput
from trust.kernel.ids import Id
from trust.ledger.origin import ORIGIN

# Long enough for every id and archival code; stops a row from becoming a store.
MAX_NAME_CHARACTERS = 200
MAX_CODE_CHARACTERS = 100

_WORDS = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_ACT = re.compile(rf"{_WORDS}(?:\.{_WORDS})+\Z")
_CODE = re.compile(rf"{_WORDS}\Z")


class EventId(Id):
    """An event of the ledger."""

    prefix = "event"


class EventRefused(InvalidInput):
    """An event cannot be kept as it is: a name is empty, over-long or unprintable, or content too large."""

    code = "event-refused"


class EventOutcome(StrEnum):
    """Whether the act was done or refused."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acted: the kind of party (`staff`, `application`, …), the account's id, and for whom.

    `session` is the sign-in that the act was done under; it goes into the content, not into the public part.
    """

    kind: str
    id: str
    on_behalf_of: str | None = None
    # Compared with nothing: the same account acts, whichever session it uses.
    session: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _require_code(self.kind, "an actor's kind")
        _require_name(self.id, "an actor's id")
        if self.on_behalf_of is not None:
            _require_name(self.on_behalf_of, "whom an actor acts for")


@dataclass(frozen=True, kw_only=True)
class Event:
    """One act, as it is recorded in the transaction of the act itself.

    `subject` is the id of the thing acted on, `agency` the agency whose auditors may see the event (None:
    the platform's own), `reason` a stable kebab-case code (the `code` of the error for a refusal), never
    free text. `content` is a JSON object without floats, at most `MAX_CONTENT_OCTETS` as canonical JSON; it
    is salted, may be erased, and the log still verifies. Raises `EventRefused`.
    """

    act: str
    actor: Actor
    subject: str
    agency: str | None
    outcome: EventOutcome = EventOutcome.DONE
    reason: str | None = None
    content: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        _require_act(self.act)
        _require_name(self.subject, "an event's subject")
        if self.agency is not None:
            _require_name(self.agency, "an event's agency")
        if self.reason is not None:
            _require_code(self.reason, "an event's reason")
        if ORIGIN in self.content:
            raise EventRefused(f"the name {ORIGIN} in an event's content is the ledger's own")


@dataclass(frozen=True, kw_only=True)
class EventReceipt:
    """What recording an event promises: its leaf will be under a checkpoint by `latest_inclusion` (UTC).

    `leaf_hash` is RFC 6962's leaf hash, 32 octets. Signed on request by `trust.ledger.receipts`.
    """

    event_id: EventId
    leaf_hash: bytes
    latest_inclusion: datetime


def _require_act(act: str) -> None:
    if len(act) > MAX_CODE_CHARACTERS or not _ACT.match(act):
        raise EventRefused("an act is written thing.what-befell-it, in lower-case words")


def _require_code(text: str, what: str) -> None:
    if len(text) > MAX_CODE_CHARACTERS or not _CODE.match(text):
        raise EventRefused(f"{what} is a stable code of lower-case words; put free text into the content")


def _require_name(text: str, what: str) -> None:
    # isprintable is false for controls, NUL and lone surrogates, none of which PostgreSQL or JSON keep.
    if not 0 < len(text) <= MAX_NAME_CHARACTERS or not text.isprintable():
        raise EventRefused(f"{what} has 1 to {MAX_NAME_CHARACTERS} printable characters")
