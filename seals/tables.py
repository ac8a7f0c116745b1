"""Tables of the schema `seals`. Uses, preparations, outcomes and batches are facts."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from trust.storage.schema import ERASABLE, changeable, facts, metadata, moment

# The kinds of `ImpressionMediaType`.
_IMPRESSION_KNOWN = "impression_media_type IN ('image/png', 'image/svg+xml')"

seal_requests = Table(
    "seal_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("impression", LargeBinary, nullable=False),
    Column("impression_media_type", Text, nullable=False),
    Column("impression_sha256", LargeBinary, nullable=False),
    Column("width_mm", Integer, nullable=False),
    Column("height_mm", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", moment(), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", moment()),
    Column("lease_until", moment()),
    CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="two_persons"),
    CheckConstraint(_IMPRESSION_KNOWN, name="impression_known"),
    schema="seals",
    info=changeable("state", "decided_by", "decided_at", "lease_until"),
)

seals = Table(
    "seals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False, index=True),
    Column("request_id", Text, ForeignKey("seals.seal_requests.id"), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("key_id", Text, nullable=False, unique=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("serial", Text, nullable=False),
    Column("impression", LargeBinary, nullable=False),
    Column("impression_media_type", Text, nullable=False),
    Column("impression_sha256", LargeBinary, nullable=False),
    Column("width_mm", Integer, nullable=False),
    Column("height_mm", Integer, nullable=False),
    Column("binding", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("suspended_by", Text),
    Column("valid_from", moment(), nullable=False),
    Column("valid_until", moment(), nullable=False),
    Column("made_at", moment(), nullable=False),
    CheckConstraint(_IMPRESSION_KNOWN, name="impression_known"),
    schema="seals",
    info=changeable("state", "suspended_by"),
)

# A seal's later certificates, for the same key; the newest counts.
seal_renewals = Table(
    "seal_renewals",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("seal_id", Text, ForeignKey("seals.seals.id"), nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("serial", Text, nullable=False),
    Column("binding", LargeBinary, nullable=False),
    Column("valid_from", moment(), nullable=False),
    Column("valid_until", moment(), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "seal_id", "position"),
    schema="seals",
    info=facts,
)

seal_authorisations = Table(
    "seal_authorisations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False, index=True),
    Column("seal_id", Text, ForeignKey("seals.seals.id"), nullable=False),
    Column("application_id", Text, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("valid_from", moment(), nullable=False),
    Column("valid_until", moment(), nullable=False),
    Column("uses_allowed", Integer, nullable=False),
    Column("uses_taken", Integer, nullable=False, server_default="0"),
    Column("allows_digests", Boolean, nullable=False, server_default=false()),
    Column("state", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", moment(), nullable=False),
    CheckConstraint("uses_taken <= uses_allowed", name="uses_within"),
    Index(None, "application_id", "item_code"),
    schema="seals",
    info=changeable("state", "uses_taken"),
)

seal_batches = Table(
    "seal_batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False, index=True),
    Column("application_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("refused", JSONB, nullable=False),
    Column("at", moment(), nullable=False),
    schema="seals",
    info=facts,
)

seal_uses = Table(
    "seal_uses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False, index=True),
    Column("seal_id", Text, ForeignKey("seals.seals.id"), nullable=False, index=True),
    Column("authorisation_id", Text, ForeignKey("seals.seal_authorisations.id"), nullable=False, index=True),
    Column("application_id", Text, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("case_number", Text),
    Column("level", Text, nullable=False),
    Column("original_key", Text),
    Column("original_version", Text),
    Column("original_sha256", LargeBinary),
    Column("output_key", Text),
    Column("lease_until", moment(), nullable=False, index=True),
    Column("intended_at", moment(), nullable=False),
    Column("kind", Text, nullable=False, server_default="document"),
    Column("digest", LargeBinary),
    Column("when_timestamp_away", Text, nullable=False, server_default="fail"),
    Column("batch_id", Text, ForeignKey("seals.seal_batches.id")),
    Column("batch_position", Integer),
    CheckConstraint(
        "CASE WHEN kind = 'document' THEN digest IS NULL AND num_nulls(original_key, original_version, "
        "original_sha256, output_key) = 0 ELSE digest IS NOT NULL AND num_nonnulls(original_key, "
        "original_version, original_sha256, output_key) = 0 END",
        name="document_or_digest",
    ),
    CheckConstraint("(batch_id IS NULL) = (batch_position IS NULL)", name="place_in_batch"),
    Index(None, "batch_id", "batch_position", unique=True),
    schema="seals",
    info=facts,
)

seal_use_preparations = Table(
    "seal_use_preparations",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("use_id", Text, ForeignKey("seals.seal_uses.id"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False),
    Column("byte_range", ARRAY(BigInteger), nullable=False),
    Column("field_name", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="seals",
    info=facts,
)

seal_use_outcomes = Table(
    "seal_use_outcomes",
    metadata,
    Column("use_id", Text, ForeignKey("seals.seal_uses.id"), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("output_version", Text),
    Column("output_sha256", LargeBinary),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    Column("level", Text),  # the level reached, where it is below the one wanted
    Index("ix_seal_use_outcomes_below", "use_id", postgresql_where=text("level IS NOT NULL")),
    schema="seals",
    info=facts,
)

# What the key made of a digest: a CMS or a raw signature. A retry is given it again.
seal_use_signatures = Table(
    "seal_use_signatures",
    metadata,
    Column("use_id", Text, ForeignKey("seals.seal_uses.id"), primary_key=True),
    Column("signature", LargeBinary, nullable=False),
    Column("at", moment(), nullable=False),
    schema="seals",
    info=facts,
)

# A document delivered without its timestamp, with the timestamp appended later.
seal_use_stampings = Table(
    "seal_use_stampings",
    metadata,
    Column("use_id", Text, ForeignKey("seals.seal_uses.id"), primary_key=True),
    Column("output_key", Text, nullable=False),
    Column("output_version", Text, nullable=False),
    Column("output_sha256", LargeBinary, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="seals",
    info=facts,
)

# Spent by deleting the row in the transaction that takes the uses: of two that race one finds it.
signature_activations = Table(
    "signature_activations",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("agency_id", Text, nullable=False),
    Column("application_id", Text, nullable=False),
    Column("authorisation_id", Text, ForeignKey("seals.seal_authorisations.id"), nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("hash_count", Integer, nullable=False),
    Column("expires_at", moment(), nullable=False, index=True),
    schema="seals",
    info={**ERASABLE, "secret": True},
)
