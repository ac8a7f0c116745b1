"""Tables of keys and intents, in the schema `trust`."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from trust.storage.schema import FACTS, SIGNER_FACTS, SIGNER_READS, metadata, moment, signer_changes

keys = Table(
    "keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("suite", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("store", Text, nullable=False, server_default="software"),
    Column("wrapped", LargeBinary),
    Column("wrapped_under", Text),
    Column("state", Text, nullable=False, server_default="active"),
    Column("uses", BigInteger, nullable=False, server_default="0"),
    Column("max_uses", BigInteger),
    Column("usable_until", moment()),
    Column("created_at", moment(), nullable=False),
    Column("last_used_at", moment()),
    Column("destroyed_at", moment()),
    CheckConstraint("state IN ('active', 'suspended', 'retired', 'destroyed')", name="state"),
    CheckConstraint(
        "(wrapped IS NOT NULL) = (store = 'software' AND state <> 'destroyed')", name="wrapped_while_there"
    ),
    schema="trust",
    info=signer_changes(
        "wrapped",
        "wrapped_under",
        "state",
        "uses",
        "max_uses",
        "usable_until",
        "last_used_at",
        "destroyed_at",
    ),
)

signer_journal = Table(
    "signer_journal",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", moment(), nullable=False),
    Column("operation", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("intended", LargeBinary, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "subject", postgresql_where=text("subject <> ''")),
    Index(None, "key_id", postgresql_where=text("outcome <> 'signed'")),
    schema="trust",
    info=dict(SIGNER_FACTS),
)

# One row, made when the journal was: intents up to this position were signed for before there was one.
journal_start = Table(
    "journal_start",
    metadata,
    Column("intents_before", BigInteger, primary_key=True, autoincrement=False),
    schema="trust",
    info=dict(FACTS),
)

key_orders = Table(
    "key_orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("max_uses", BigInteger),
    Column("usable_until", moment()),
    Column("agency", Text),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "key_id"),
    schema="trust",
    info=dict(SIGNER_READS),
)

key_order_outcomes = Table(
    "key_order_outcomes",
    metadata,
    Column("order_id", Text, ForeignKey(key_orders.c.order_id), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("statement", JSONB, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=dict(SIGNER_READS),
)

# That a key of the platform's is to be destroyed, asked for by one; another's confirmation is what orders it.
key_destructions = Table(
    "key_destructions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by_account", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "key_id"),
    schema="trust",
    info=dict(FACTS),
)

key_destruction_confirmations = Table(
    "key_destruction_confirmations",
    metadata,
    Column("destruction_id", Text, ForeignKey(key_destructions.c.id), primary_key=True),
    Column("order_id", Text, ForeignKey(key_orders.c.order_id), nullable=False),
    Column("by_account", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=dict(FACTS),
)

# What the house has taken into its ledger from the journal, once each.
journal_notices = Table(
    "journal_notices",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=dict(FACTS),
)

key_bindings = Table(
    "key_bindings",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("suite", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("certificate", LargeBinary),
    Column("chain", ARRAY(LargeBinary), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "label", "position"),
    Index(None, "key_id"),
    schema="trust",
    info=dict(SIGNER_READS),
)

intents = Table(
    "intents",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("lease_until", moment(), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "subject", "position"),
    schema="trust",
    info=dict(SIGNER_READS),
)

intent_outcomes = Table(
    "intent_outcomes",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=dict(SIGNER_READS),
)

# What a key may issue: its newest row counts. The signer reads it here and believes nobody else.
issuing_permissions = Table(
    "issuing_permissions",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("profiles", ARRAY(Text), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "key_id", "position"),
    schema="trust",
    info=dict(SIGNER_READS),
)
