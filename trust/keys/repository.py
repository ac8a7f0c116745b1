"""Queries over keys, bindings and intents."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select, text
from sqlalchemy.dialects.postgresql import insert

from trust.keys.errors import KeyNotUsable
from trust.keys.model import Intent, IntentKind, KeyBinding, KeyId, KeyPurpose
from trust.keys.tables import intent_outcomes, intents, issuing_permissions, key_bindings, keys
from trust.storage.database import Database, ReadWork

# Everything that decides whether a key may be used, for any number of subjects, in one statement and snapshot.
_STANDING: Final = text(
    """
    SELECT wanted.subject, intent.key_id, intent.kind, intent.digest, intent.lease_until, outcome.outcome,
           (SELECT max(binding.position) FROM trust.key_bindings AS binding
             WHERE binding.key_id = intent.key_id) AS binding
      FROM unnest(CAST(:subjects AS text[])) AS wanted (subject)
      JOIN LATERAL (SELECT * FROM trust.intents WHERE intents.subject = wanted.subject
                     ORDER BY intents.position DESC LIMIT 1) AS intent ON true
      LEFT JOIN trust.intent_outcomes AS outcome ON outcome.subject = wanted.subject
    """
)
_NEWEST_BINDING: Final = text("SELECT max(position) FROM trust.key_bindings WHERE key_id = :key_id")


@dataclass(frozen=True, kw_only=True)
class StandingIntent:
    """The newest intent of a subject, its outcome if any, and the position of its key's newest binding."""

    intent: Intent
    outcome: str | None
    binding: int | None


def standing_intents(database: Database, subjects: Sequence[str]) -> Mapping[str, StandingIntent]:
    """What counts for each of these subjects, as of one moment; those without an intent are left out."""
    return {
        row.subject: StandingIntent(
            intent=Intent(
                subject=row.subject,
                key_id=KeyId(row.key_id),
                kind=IntentKind(row.kind),
                digest=bytes(row.digest),
                lease_until=row.lease_until,
            ),
            outcome=row.outcome,
            binding=row.binding,
        )
        for row in database.read_once(_STANDING, {"subjects": list(subjects)})
    }


def newest_binding(database: Database, key_id: str) -> int | None:
    """The position of the newest binding of a key: bindings are facts, so it names one for good."""
    position = database.read_once(_NEWEST_BINDING, {"key_id": key_id})[0][0]
    return None if position is None else int(position)


class Intents:
    """The intents of the domains, in the domain's own transaction."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def record(self, *recorded: Intent, at: datetime) -> None:
        """Commits the signer to nothing by itself: it takes effect when the transaction commits."""
        rows = [
            {
                "subject": intent.subject,
                "key_id": intent.key_id,
                "kind": intent.kind.value,
                "digest": intent.digest,
                "lease_until": intent.lease_until,
                "at": at,
            }
            for intent in recorded
        ]
        self._work.execute(intents.insert(), rows)

    def newest(self, subject: str) -> Intent | None:
        """The intent that counts for this subject."""
        row = self._work.execute(
            select(intents).where(intents.c.subject == subject).order_by(intents.c.position.desc()).limit(1)
        ).one_or_none()
        if row is None:
            return None
        return Intent(
            subject=row.subject,
            key_id=KeyId(row.key_id),
            kind=IntentKind(row.kind),
            digest=bytes(row.digest),
            lease_until=row.lease_until,
        )

    def conclude(self, subject: str, outcome: str, *, at: datetime) -> bool:
        """Writes the one outcome of a subject; False where it has one already (the caller lost the race)."""
        statement = insert(intent_outcomes).values(subject=subject, outcome=outcome, at=at)
        return self._work.execute(statement.on_conflict_do_nothing()).rowcount == 1

    def outcome(self, subject: str) -> str | None:
        """The outcome of a subject, or None while it is open."""
        found = self._work.execute(
            select(intent_outcomes.c.outcome).where(intent_outcomes.c.subject == subject)
        ).scalar_one_or_none()
        return None if found is None else str(found)


class KeyBindings:
    """Which key is known by which label, with its certificate."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def bind(self, binding: KeyBinding, *, at: datetime) -> None:
        self._work.execute(
            key_bindings.insert().values(
                key_id=binding.key_id,
                label=binding.label,
                purpose=binding.purpose.value,
                suite=binding.suite,
                spki=binding.spki,
                certificate=binding.certificate,
                chain=list(binding.chain),
                at=at,
            )
        )

    def find(self, label: str) -> KeyBinding | None:
        """The newest binding of a label."""
        return self._one(key_bindings.c.label == label)

    def require(self, label: str) -> KeyBinding:
        """The newest binding of a label; raises KeyNotUsable where there is none."""
        found = self.find(label)
        if found is None:
            raise KeyNotUsable(f"no key is bound to {label}; has the ceremony been held?")
        return found

    def of_key(self, key_id: str) -> KeyBinding | None:
        """The newest binding of a key."""
        return self._one(key_bindings.c.key_id == key_id)

    def of_label(self, label: str) -> tuple[KeyBinding, ...]:
        """Every binding of a label, oldest first."""
        rows = self._work.execute(
            select(key_bindings).where(key_bindings.c.label == label).order_by(key_bindings.c.position)
        )
        return tuple(_binding(row) for row in rows)

    def labelled(self, prefix: str) -> tuple[KeyBinding, ...]:
        """Every binding whose label begins so, oldest first."""
        rows = self._work.execute(
            select(key_bindings)
            .where(key_bindings.c.label.startswith(prefix, autoescape=True))
            .order_by(key_bindings.c.position)
        )
        return tuple(_binding(row) for row in rows)

    def _one(self, condition: ColumnElement[bool]) -> KeyBinding | None:
        row = self._work.execute(
            select(key_bindings).where(condition).order_by(key_bindings.c.position.desc()).limit(1)
        ).one_or_none()
        return None if row is None else _binding(row)


def _binding(row: Row[Any]) -> KeyBinding:
    fields = row._mapping
    certificate = fields["certificate"]
    return KeyBinding(
        key_id=KeyId(fields["key_id"]),
        label=fields["label"],
        purpose=KeyPurpose(fields["purpose"]),
        suite=fields["suite"],
        spki=bytes(fields["spki"]),
        certificate=None if certificate is None else bytes(certificate),
        chain=tuple(bytes(item) for item in fields["chain"]),
    )


class IssuingPermissions:
    """What each authority's key may issue; recorded at ceremonies, read by the signer."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def record(self, key_id: str, profiles: Collection[str], *, at: datetime) -> None:
        """From now on this key issues these profiles and no others; none at all ends its issuing."""
        self._work.execute(
            issuing_permissions.insert().values(key_id=key_id, profiles=sorted(profiles), at=at)
        )

    def of(self, key_id: str) -> frozenset[str] | None:
        """The profiles this key may issue; None where nothing was ever said about it."""
        row = self._work.execute(
            select(issuing_permissions.c.profiles)
            .where(issuing_permissions.c.key_id == key_id)
            .order_by(issuing_permissions.c.position.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else frozenset(row.profiles)


class WrappedKeys:
    """The signer's own rows: no other role may read them."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(
        self, *, key_id: KeyId, purpose: KeyPurpose, suite: str, spki: bytes, wrapped: bytes, at: datetime
    ) -> None:
        self._work.execute(
            keys.insert().values(
                key_id=key_id, purpose=purpose.value, suite=suite, spki=spki, wrapped=wrapped, created_at=at
            )
        )

    def find(self, key_id: str) -> tuple[KeyPurpose, str, bytes, bytes] | None:
        """Purpose, suite, public key and wrapped private key of a key, or None."""
        row = self._work.execute(
            select(keys.c.purpose, keys.c.suite, keys.c.spki, keys.c.wrapped).where(keys.c.key_id == key_id)
        ).one_or_none()
        return (
            None if row is None else (KeyPurpose(row.purpose), row.suite, bytes(row.spki), bytes(row.wrapped))
        )
