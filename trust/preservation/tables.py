"""Tables of preservation, in the schema `trust`: all of it facts."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from trust.storage.schema import facts, metadata, moment

kept_objects = Table(
    "kept_objects",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("object_key", Text, nullable=False),
    Column("object_version", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("agency_id", Text),
    Column("at", moment(), nullable=False),
    Index(None, "object_key"),
    schema="trust",
    info=facts,
)

# Written before any timestamp is asked for: a batch without a stage is completed by the next run.
evidence_batches = Table(
    "evidence_batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

evidence_members = Table(
    "evidence_members",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("batch_id", Text, ForeignKey("trust.evidence_batches.id"), nullable=False),
    Column("position", Integer, nullable=False),
    UniqueConstraint("batch_id", "position"),
    schema="trust",
    info=facts,
)

evidence_stages = Table(
    "evidence_stages",
    metadata,
    Column("batch_id", Text, ForeignKey("trust.evidence_batches.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("object_version", Text, nullable=False),
    Column("object_sha256", LargeBinary, nullable=False),
    Column("gen_time", moment(), nullable=False),
    Column("not_after", moment(), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

# Groups whose objects were disposed of by right: no renewal looks for them any more.
kept_releases = Table(
    "kept_releases",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

# What was computed while the old digest was compared: a renewal that was stopped goes on after the last of them.
kept_digests = Table(
    "kept_digests",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("at", moment(), nullable=False),
    ForeignKeyConstraint(
        ["group_id", "position"], ["trust.kept_objects.group_id", "trust.kept_objects.position"]
    ),
    schema="trust",
    info=facts,
)

kept_damages = Table(
    "kept_damages",
    metadata,
    Column("group_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    ForeignKeyConstraint(
        ["group_id", "position"], ["trust.kept_objects.group_id", "trust.kept_objects.position"]
    ),
    schema="trust",
    info=facts,
)
