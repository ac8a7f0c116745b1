"""Tables of keys and intents, in the schema `trust`."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
)

from trust.storage.schema import SIGNER, SIGNER_READS, metadata, moment

keys = Table(
    "keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("suite", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", moment(), nullable=False),
    schema="trust",
    info=dict(SIGNER),
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
