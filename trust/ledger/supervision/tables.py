"""Supervision's part of the schema `ledger`: alerts, exports and how far each has come."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from trust.ledger.tables import events
from trust.storage.schema import facts, metadata, moment

# How far each rule has read the log. A rule that is changed is another rule: its digest is part of its name.
alert_positions = Table(
    "alert_positions",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("rule_digest", LargeBinary, primary_key=True),
    Column("next_index", BigInteger, nullable=False),
    # Before it the rule only learns: nobody is alerted of what happened before the rule was made.
    Column("alerts_from", BigInteger, nullable=False),
    schema="ledger",
)

# What a rule remembers of a key: when it was last used, how often, within which limits.
alert_memory = Table(
    "alert_memory",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("rule_digest", LargeBinary, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("memory", JSONB, nullable=False),
    # When it is worth nothing any more; None: never.
    Column("forget_at", moment()),
    Index("ix_alert_memory_forget_at", "forget_at", postgresql_where=text("forget_at IS NOT NULL")),
    schema="ledger",
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("rule_digest", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    # What it is about (an account, a seal, an authorisation) and for which stretch: said once.
    Column("key", Text, nullable=False),
    Column("stretch", Text, nullable=False),
    Column("event_id", Text(collation="C"), ForeignKey(events.c.event_id), nullable=False),
    Column("agency", Text),
    Column("actor_id", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("raised_at", moment(), nullable=False),
    UniqueConstraint("rule", "rule_digest", "key", "stretch", name="uq_alerts_said_once"),
    Index(None, "agency", "id"),
    schema="ledger",
    info=facts,
)

alert_acknowledgements = Table(
    "alert_acknowledgements",
    metadata,
    Column("alert_id", Text, ForeignKey(alerts.c.id), primary_key=True),
    # The reason is content of the event, where it can be erased.
    Column("event_id", Text(collation="C"), ForeignKey(events.c.event_id), nullable=False),
    Column("by_account", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="ledger",
    info=facts,
)

exports = Table(
    "exports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency", Text),
    Column("by_account", Text, nullable=False),
    Column("by_kind", Text, nullable=False),
    Column("query", JSONB, nullable=False),
    Column("event_id", Text(collation="C"), ForeignKey(events.c.event_id), nullable=False),
    Column("at", moment(), nullable=False),
    schema="ledger",
    info=facts,
)

export_outcomes = Table(
    "export_outcomes",
    metadata,
    Column("export_id", Text, ForeignKey(exports.c.id), primary_key=True),
    # The error's code where it could not be made; else where it lies.
    Column("failed", Text),
    Column("object_key", Text),
    Column("object_version", Text),
    Column("sha256", LargeBinary),
    Column("octets", BigInteger),
    Column("events", BigInteger),
    Column("tree_size", BigInteger),
    Column("at", moment(), nullable=False),
    schema="ledger",
    info=facts,
)

# How far the work has come, for whoever waits, and until when it is one worker's.
export_progress = Table(
    "export_progress",
    metadata,
    Column("export_id", Text, ForeignKey(exports.c.id), primary_key=True),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("lease_until", moment(), nullable=False),
    schema="ledger",
)

# Orders to erase an event's content; a confirmation by another person is what erases.
erasure_orders = Table(
    "erasure_orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event_id", Text(collation="C"), ForeignKey(events.c.event_id), nullable=False),
    Column("agency", Text),
    Column("reason", Text, nullable=False),
    Column("by_account", Text, nullable=False),
    # The event that says it was ordered.
    Column("ordered_event_id", Text(collation="C"), ForeignKey(events.c.event_id), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "agency", "id"),
    schema="ledger",
    info=facts,
)

erasure_confirmations = Table(
    "erasure_confirmations",
    metadata,
    Column("order_id", Text, ForeignKey(erasure_orders.c.id), primary_key=True),
    # The event that says the content was erased.
    Column("erased_event_id", Text(collation="C"), ForeignKey(events.c.event_id), nullable=False),
    Column("by_account", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="ledger",
    info=facts,
)

# Attempts of strangers, counted before they become events: how many came from one network in one stretch of time.
attempts = Table(
    "attempts",
    metadata,
    Column("act", Text, primary_key=True),
    Column("network", Text, primary_key=True),
    Column("since", moment(), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    schema="ledger",
)
