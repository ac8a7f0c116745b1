"""The tables of licences. What happened are facts; what is personal lies sealed in rows that can be erased."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from licences.presentations import tables as presentation_tables
from licences.status import tables as status_tables
from trust.storage.schema import ERASABLE, facts, metadata, moment

__all__ = [
    "attempts",
    "contents",
    "credentials",
    "issuing",
    "licences",
    "number_counters",
    "outputs",
    "presentation_tables",
    "status_tables",
    "transitions",
    "versions",
]

_SCHEMA: Final = "licences"

licences = Table(
    "licences",
    metadata,
    Column("licence_id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("issuer_code", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("holder_kind", Text, nullable=False),
    Column("holder_index", LargeBinary, nullable=False),
    Column("created_at", moment(), nullable=False),
    UniqueConstraint("type_code", "issuer_code", "serial"),
    Index(None, "agency_id", "licence_id"),
    Index(None, "holder_index", "licence_id"),
    schema=_SCHEMA,
    info=facts,
)

versions = Table(
    "versions",
    metadata,
    Column("version_id", Text, primary_key=True),
    Column("licence_id", Text, ForeignKey("licences.licences.licence_id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("identifier", Text, nullable=False, unique=True),
    Column("replaces", Text, ForeignKey("licences.versions.version_id")),
    Column("masked_holder", Text, nullable=False),
    Column("status_list_id", Text, ForeignKey("licences.status_lists.list_id"), nullable=False),
    Column("status_index", Integer, nullable=False),
    Column("public_token", Text, nullable=False, unique=True),
    Column("issued_on", Date, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("item_code", Text, nullable=False),
    Column("case_number", Text),
    Column("key_id", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("created_at", moment(), nullable=False),
    UniqueConstraint("licence_id", "version"),
    # No index is ever given out twice, whatever the pool of free ones says.
    UniqueConstraint("status_list_id", "status_index"),
    schema=_SCHEMA,
    info=facts,
)

# Every step of a version's state; two acts that race for the same step meet at the key.
transitions = Table(
    "transitions",
    metadata,
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("reason_code", Text),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    CheckConstraint("step >= 1", name="step"),
    schema=_SCHEMA,
    info=facts,
)

# Each time somebody set out to issue a version, and until when nobody else may.
attempts = Table(
    "attempts",
    metadata,
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("lease_until", moment(), nullable=False),
    Column("at", moment(), nullable=False),
    schema=_SCHEMA,
    info=facts,
)

outputs = Table(
    "outputs",
    metadata,
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), primary_key=True),
    Column("document_key", Text, nullable=False),
    Column("document_version", Text, nullable=False),
    Column("document_sha256", LargeBinary, nullable=False),
    Column("document_size", Integer, nullable=False),
    Column("seal_use_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema=_SCHEMA,
    info=facts,
)

contents = Table(
    "contents",
    metadata,
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    schema=_SCHEMA,
    info=dict(ERASABLE),
)

credentials = Table(
    "credentials",
    metadata,
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    schema=_SCHEMA,
    info=dict(ERASABLE),
)

# A queue, not a fact: the versions that have no end yet, so that the worker need not look through all of them.
issuing = Table(
    "issuing",
    metadata,
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), primary_key=True),
    schema=_SCHEMA,
    info=dict(ERASABLE),
)

# The last number given out, by issuer, type and year; a transaction that rolls back leaves no gap.
number_counters = Table(
    "number_counters",
    metadata,
    Column("agency_id", Text, primary_key=True),
    Column("type_code", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
    schema=_SCHEMA,
)
