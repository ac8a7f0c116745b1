"""Whether a key may be used for what a domain intends, read by the signer in one statement and snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from trust.keys.model import Intent, IntentKind, KeyId, KeyStanding, KeyState
from trust.storage.database import Database

# Everything that decides whether a key may be used, for any number of subjects, in one statement and snapshot.
_STANDING: Final = text(
    """
    SELECT wanted.subject, intent.key_id, intent.kind, intent.digest, intent.lease_until, outcome.outcome,
           (SELECT max(binding.position) FROM trust.key_bindings AS binding
             WHERE binding.key_id = intent.key_id) AS binding,
           key.state, key.uses, key.max_uses, key.usable_until
      FROM unnest(CAST(:subjects AS text[])) AS wanted (subject)
      JOIN LATERAL (SELECT * FROM trust.intents WHERE intents.subject = wanted.subject
                     ORDER BY intents.position DESC LIMIT 1) AS intent ON true
      LEFT JOIN trust.intent_outcomes AS outcome ON outcome.subject = wanted.subject
      LEFT JOIN trust.keys AS key ON key.key_id = intent.key_id
    """
)
_NEWEST_BINDING: Final = text("SELECT max(position) FROM trust.key_bindings WHERE key_id = :key_id")


@dataclass(frozen=True, kw_only=True)
class StandingIntent:
    """The newest intent of a subject, its outcome if any, its key's standing and newest binding's position."""

    intent: Intent
    outcome: str | None
    binding: int | None
    key: KeyStanding | None


def standing_intents(database: Database, subjects: Sequence[str]) -> Mapping[str, StandingIntent]:
    """What counts for each of these subjects, as of one moment; those without an intent are left out."""
    standing: dict[str, StandingIntent] = {}
    keys_met: dict[str, KeyStanding | None] = {}  # the subjects of a batch nearly always share one
    for row in database.read_once(_STANDING, {"subjects": list(subjects)}):
        values: tuple[Any, ...] = tuple(row)
        subject, key_id, kind, digest, lease_until, outcome, binding, *of_key = values
        if key_id not in keys_met:
            keys_met[key_id] = _key_standing(key_id, *of_key)
        standing[subject] = StandingIntent(
            intent=Intent(
                subject=subject,
                key_id=KeyId(key_id),
                kind=IntentKind(kind),
                digest=bytes(digest),
                lease_until=lease_until,
            ),
            outcome=outcome,
            binding=binding,
            key=keys_met[key_id],
        )
    return standing


def _key_standing(
    key_id: str, state: str | None, uses: int, max_uses: int | None, usable_until: datetime | None
) -> KeyStanding | None:
    if state is None:
        return None
    return KeyStanding(
        key_id=KeyId(key_id),
        state=KeyState(state),
        uses=uses,
        max_uses=max_uses,
        usable_until=usable_until,
    )


def newest_binding(database: Database, key_id: str) -> int | None:
    """The position of the newest binding of a key: bindings are facts, so it names one for good."""
    position = database.read_once(_NEWEST_BINDING, {"key_id": key_id})[0][0]
    return None if position is None else int(position)
