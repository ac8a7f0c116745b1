"""Leave to use a key: the committed intents of many subjects looked at in one reading, each judged by itself."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from trust.kernel.clock import Clock
from trust.kernel.errors import Malformed, YinxinError
from trust.keys.errors import SignerRefused, SigningLeaseOver
from trust.keys.life import refusal_of
from trust.keys.model import Intent, IntentKind
from trust.keys.standing_repository import standing_intents
from trust.storage.database import Database

# Subjects are ids of the domains; what else a client sends has no intent, and is not sent to the database.
_SUBJECT: Final = re.compile(r"[\x21-\x7e]{1,120}")


@dataclass(frozen=True, kw_only=True)
class Leave:
    """An intent by which a key may be used now; `binding` is the position of the key's newest binding, if any."""

    intent: Intent
    binding: int | None


class Leaves:
    """Judges whether a key may be used for a subject: by its newest intent, not concluded, within its lease.

    A key that is not active is refused here, before it is used; that it is still active, and how often it may be
    used, is decided when the use is journalled.
    """

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, subject: object, kinds: Collection[IntentKind]) -> Leave:
        """The leave for one subject; raises SignerRefused with the reason why the key will not be used."""
        leave = self.of_all([subject], kinds)[0]
        if isinstance(leave, YinxinError):
            raise leave
        return leave

    def of_all(self, subjects: Sequence[object], kinds: Collection[IntentKind]) -> list[Leave | YinxinError]:
        """The leave or the refusal for each subject, in order, as the database stood at one moment."""
        known = [text for text in subjects if isinstance(text, str) and _SUBJECT.fullmatch(text)]
        standing = standing_intents(self._database, known) if known else {}
        now = self._clock.now()
        found: list[Leave | YinxinError] = []
        for subject in subjects:
            if not isinstance(subject, str):
                found.append(Malformed("a subject is text"))
                continue
            row = standing.get(subject)
            if row is None:
                found.append(SignerRefused(f"there is no committed intent for {subject!a:.140}"))
            elif row.intent.kind not in kinds:
                wanted = " or ".join(f"a {kind}" for kind in kinds)
                found.append(
                    SignerRefused(f"the intent for {subject} is for a {row.intent.kind}, not for {wanted}")
                )
            elif row.outcome is not None:
                found.append(SignerRefused(f"{subject} is already concluded: {row.outcome}"))
            elif row.intent.lease_until <= now:
                found.append(SigningLeaseOver(f"the lease of {subject} has run out; the worker resolves it"))
            elif (refusal := refusal_of(row.key, row.intent.key_id, uses=1, at=now)) is not None:
                found.append(refusal)
            else:
                found.append(Leave(intent=row.intent, binding=row.binding))
        return found
