"""Queries over keys, bindings and intents."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from trust.keys.errors import KeyNotUsable
from trust.keys.model import (
    Intent,
    IntentKind,
    KeyAct,
    KeyBinding,
    KeyId,
    KeyInfo,
    KeyOrder,
    KeyPurpose,
    KeyStanding,
    KeyState,
    OrderId,
    StoredKey,
    StoreName,
)
from trust.keys.tables import (
    intent_outcomes,
    intents,
    issuing_permissions,
    key_bindings,
    key_order_outcomes,
    key_orders,
    keys,
)
from trust.storage.database import ReadWork


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


class KeyOrders:
    """Orders about keys and what came of them."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def give(self, order: KeyOrder, *, event_id: str, at: datetime) -> None:
        """Takes effect when the transaction commits."""
        self._work.execute(
            key_orders.insert().values(
                order_id=order.order_id,
                key_id=order.key_id,
                act=order.act.value,
                max_uses=order.max_uses,
                usable_until=order.usable_until,
                agency=order.agency,
                event_id=event_id,
                at=at,
            )
        )

    def find(self, order_id: str) -> KeyOrder | None:
        """An order, or None."""
        row = self._work.execute(select(key_orders).where(key_orders.c.order_id == order_id)).one_or_none()
        return None if row is None else _order(row)

    def open(self, *, limit: int) -> tuple[KeyOrder, ...]:
        """Orders of which nothing has come yet, oldest first."""
        concluded = select(key_order_outcomes.c.order_id)
        rows = self._work.execute(
            select(key_orders)
            .where(key_orders.c.order_id.not_in(concluded))
            .order_by(key_orders.c.order_id)
            .limit(limit)
        )
        return tuple(_order(row) for row in rows)

    def conclude(
        self, order_id: str, outcome: str, *, statement: Mapping[str, Any], event_id: str, at: datetime
    ) -> None:
        """The one outcome of an order; the caller holds its lock and has looked that there is none."""
        self._work.execute(
            key_order_outcomes.insert().values(
                order_id=order_id, outcome=outcome, statement=dict(statement), event_id=event_id, at=at
            )
        )

    def outcome(self, order_id: str) -> tuple[str, Mapping[str, Any], str] | None:
        """Outcome, the signer's statement and the event of a concluded order, or None while it is open."""
        row = self._work.execute(
            select(key_order_outcomes).where(key_order_outcomes.c.order_id == order_id)
        ).one_or_none()
        return None if row is None else (row.outcome, row.statement, row.event_id)

    def of_key(self, key_id: str) -> tuple[tuple[KeyOrder, str], ...]:
        """A key's orders with their outcome ("open" where there is none), oldest first."""
        rows = self._work.execute(
            select(key_orders, key_order_outcomes.c.outcome)
            .outerjoin(key_order_outcomes, key_order_outcomes.c.order_id == key_orders.c.order_id)
            .where(key_orders.c.key_id == key_id)
            .order_by(key_orders.c.order_id)
        )
        return tuple((_order(row), row.outcome or "open") for row in rows)


def _order(row: Row[Any]) -> KeyOrder:
    return KeyOrder(
        order_id=OrderId(row.order_id),
        key_id=KeyId(row.key_id),
        act=KeyAct(row.act),
        max_uses=row.max_uses,
        usable_until=row.usable_until,
        agency=row.agency,
    )


class WrappedKeys:
    """The signer's own rows: no other role may read them."""

    def __init__(self, work: ReadWork) -> None:
        self._work = work

    def add(
        self,
        info: KeyInfo,
        *,
        store: StoreName,
        wrapped: bytes | None,
        wrapped_under: str | None,
        at: datetime,
    ) -> None:
        self._work.execute(
            keys.insert().values(
                key_id=info.key_id,
                purpose=info.purpose.value,
                suite=info.suite,
                spki=info.spki,
                store=store.value,
                wrapped=wrapped,
                wrapped_under=wrapped_under,
                created_at=at,
            )
        )

    def find(self, key_id: str, *, lock: bool = False) -> StoredKey | None:
        """A key's row, or None; with `lock` nobody else changes it before this transaction ends."""
        query = select(keys).where(keys.c.key_id == key_id)
        row = self._work.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _stored(row)

    def standing(self, key_id: str) -> KeyStanding | None:
        """What decides whether a key may be used, or None where there is no such key."""
        found = self.find(key_id)
        return None if found is None else found.standing

    def page(self, *, after: str, limit: int) -> tuple[StoredKey, ...]:
        """Keys in the order of their ids, that of their making."""
        query = select(keys).where(keys.c.key_id > after).order_by(keys.c.key_id).limit(limit)
        return tuple(_stored(row) for row in self._work.execute(query))

    def not_under(self, name: str, *, after: str, limit: int) -> tuple[StoredKey, ...]:
        """Wrapped keys under another key-encryption key than this, in the order of their ids."""
        query = (
            select(keys)
            .where(keys.c.key_id > after, keys.c.wrapped.is_not(None))
            .where(keys.c.wrapped_under.is_distinct_from(name))
            .order_by(keys.c.key_id)
            .limit(limit)
        )
        return tuple(_stored(row) for row in self._work.execute(query))

    def under(self) -> Mapping[str, int]:
        """How many wrapped keys lie under each key-encryption key; "" for those from before they had names."""
        rows = self._work.execute(
            select(keys.c.wrapped_under, func.count().label("many"))
            .where(keys.c.wrapped.is_not(None))
            .group_by(keys.c.wrapped_under)
        )
        return {row.wrapped_under or "": row.many for row in rows}

    def change(self, key_id: str, **columns: Any) -> None:
        """Changes what the signer may change of a key's row."""
        self._work.execute(update(keys).where(keys.c.key_id == key_id).values(**columns))


def _stored(row: Row[Any]) -> StoredKey:
    key_id = KeyId(row.key_id)
    return StoredKey(
        key_id=key_id,
        purpose=KeyPurpose(row.purpose),
        suite=row.suite,
        spki=bytes(row.spki),
        store=StoreName(row.store),
        wrapped=None if row.wrapped is None else bytes(row.wrapped),
        wrapped_under=row.wrapped_under,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        destroyed_at=row.destroyed_at,
        standing=KeyStanding(
            key_id=key_id,
            state=KeyState(row.state),
            uses=row.uses,
            max_uses=row.max_uses,
            usable_until=row.usable_until,
        ),
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
