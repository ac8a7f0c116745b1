"""The schema `ledger`. Events, their order and the checkpoints are facts; only content may be erased."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from trust.storage.schema import ERASABLE, facts, metadata, moment

# Ids are compared octet by octet, so that their order is that of their time in every database.
_OCTETS: Final = Text(collation="C")

events = Table(
    "events",
    metadata,
    Column("event_id", _OCTETS, primary_key=True),
    Column("at", moment(), nullable=False),
    Column("act", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("on_behalf_of", Text),
    Column("subject", Text, nullable=False),
    Column("agency", Text),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("content_commitment", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("latest_inclusion", moment(), nullable=False),
    CheckConstraint("outcome IN ('done', 'refused')", name="outcome"),
    CheckConstraint("octet_length(leaf_hash) = 32", name="leaf_hash"),
    Index(None, "at", "event_id"),
    Index(None, "agency", "at", "event_id"),
    Index(None, "subject", "at", "event_id"),
    Index(None, "actor_id", "at", "event_id"),
    Index(None, "on_behalf_of", "at", "event_id"),
    # Acts are looked up by their beginning too (`seal-use.`), whatever the database's collation.
    Index(None, "act", "at", "event_id", postgresql_ops={"act": "text_pattern_ops"}),
    Index("ix_events_refused", "at", "event_id", postgresql_where=text("outcome = 'refused'")),
    schema="ledger",
    info=facts,
)

event_contents = Table(
    "event_contents",
    metadata,
    Column("event_id", _OCTETS, ForeignKey(events.c.event_id), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("content", JSONB, nullable=False),
    # By any id or case number, wherever in the content it stands: what joins the events of one case.
    Index(None, "content", postgresql_using="gin"),
    schema="ledger",
    info=dict(ERASABLE),
)

# A queue, not a fact: what is recorded and has no index yet. A row lost here is found by `verify_ledger`.
waiting = Table(
    "waiting",
    metadata,
    Column("event_id", _OCTETS, primary_key=True),
    schema="ledger",
    info=dict(ERASABLE),
)

sequence = Table(
    "sequence",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", _OCTETS, ForeignKey(events.c.event_id), nullable=False, unique=True),
    schema="ledger",
    info=facts,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="ledger",
    info=facts,
)

# The newest checkpoint, moved on by compare-and-set: the one row that says which sequencer was first.
head = Table(
    "head",
    metadata,
    Column("single", SmallInteger, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    CheckConstraint("single = 1", name="single"),
    schema="ledger",
)

# What witnesses have signed of our checkpoints: the line of each, as it is published.
cosignatures = Table(
    "cosignatures",
    metadata,
    Column("size", BigInteger, ForeignKey(checkpoints.c.size), primary_key=True, autoincrement=False),
    Column("cosigner", Text, primary_key=True),
    Column("line", Text, nullable=False),
    Column("cosigned_at", moment(), nullable=False),
    Column("at", moment(), nullable=False),
    schema="ledger",
    info=facts,
)

# What a witness says it has seen and we cannot have shown it: the alarm of a forked or restored log.
disagreements = Table(
    "disagreements",
    metadata,
    Column("cosigner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("known_size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", moment(), nullable=False),
    CheckConstraint("kind IN ('larger-tree', 'other-tree')", name="kind"),
    schema="ledger",
    info=facts,
)
