"""Tables of the schema `archive`. Records, their outcomes and what hangs on them are facts."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
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

from trust.storage.schema import facts, metadata, moment

fonds = Table(
    "fonds",
    metadata,
    Column("agency_id", Text, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("at", moment(), nullable=False),
    schema="archive",
    info=facts,
)

archive_classes = Table(
    "archive_classes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, ForeignKey("archive.fonds.agency_id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("retention", Text, nullable=False),
    Column("office", Text, nullable=False),
    Column("open_to_reuse", Boolean, nullable=False),
    Column("defined_by", Text, nullable=False),
    Column("defined_at", moment(), nullable=False),
    UniqueConstraint("agency_id", "code"),
    schema="archive",
    info=facts,
)

item_numbers = Table(
    "item_numbers",
    metadata,
    Column("agency_id", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("last", Integer, nullable=False),
    schema="archive",
)

records = Table(
    "records",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False),
    Column("agency_name", Text, nullable=False),
    Column("archival_code", Text, nullable=False, unique=True),
    Column("class_id", Text, ForeignKey("archive.archive_classes.id"), nullable=False),
    Column("class_code", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("event_date", Date, nullable=False),
    Column("retain_until", moment(), nullable=False),
    Column("application_id", Text, nullable=False),
    Column("manifest_sha256", LargeBinary, nullable=False),
    Column("submission_key", Text, nullable=False),
    Column("submission_version", Text, nullable=False),
    Column("submission_sha256", LargeBinary, nullable=False),
    Column("lease_until", moment(), nullable=False, index=True),
    Column("intended_at", moment(), nullable=False),
    Index(None, "agency_id", "case_number"),
    Index(None, "agency_id", "class_code", "year"),
    schema="archive",
    info=facts,
)

record_outcomes = Table(
    "record_outcomes",
    metadata,
    Column("record_id", Text, ForeignKey("archive.records.id"), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("package_key", Text),
    Column("package_version", Text),
    Column("package_sha256", LargeBinary),
    Column("package_size", BigInteger),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    CheckConstraint(
        "(outcome = 'registered') = (package_key IS NOT NULL AND package_version IS NOT NULL"
        " AND package_sha256 IS NOT NULL AND package_size IS NOT NULL)",
        name="registered_has_package",
    ),
    schema="archive",
    info=facts,
)

record_files = Table(
    "record_files",
    metadata,
    Column("record_id", Text, ForeignKey("archive.records.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    schema="archive",
    info=facts,
)

record_materials = Table(
    "record_materials",
    metadata,
    Column("record_id", Text, ForeignKey("archive.records.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("offset", BigInteger, nullable=False),
    schema="archive",
    info=facts,
)

record_timestamps = Table(
    "record_timestamps",
    metadata,
    Column("record_id", Text, ForeignKey("archive.records.id"), primary_key=True),
    Column("token", LargeBinary, nullable=False),
    Column("gen_time", moment(), nullable=False),
    Column("key", Text, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="archive",
    info=facts,
)

record_retentions = Table(
    "record_retentions",
    metadata,
    Column("record_id", Text, ForeignKey("archive.records.id"), primary_key=True),
    Column("retain_until", moment(), primary_key=True),
    Column("at", moment(), nullable=False),
    schema="archive",
    info=facts,
)

retrieval_requests = Table(
    "retrieval_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False, index=True),
    Column("record_id", Text, ForeignKey("archive.records.id"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("materials", ARRAY(Text), nullable=False),
    Column("until", moment(), nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", moment(), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", moment()),
    Column("note", Text),
    CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="two_persons"),
    schema="archive",
)

material_reuses = Table(
    "material_reuses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("holder_agency_id", Text, nullable=False, index=True),
    Column("recipient_agency_id", Text, nullable=False, index=True),
    Column("application_id", Text, nullable=False),
    Column("record_id", Text, ForeignKey("archive.records.id"), nullable=False, index=True),
    Column("archival_code", Text, nullable=False),
    Column("material", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("basis_reference", Text, nullable=False),
    Column("granted_at", moment(), nullable=False),
    Column("deliver_until", moment(), nullable=False),
    Column("event_id", Text, nullable=False),
    schema="archive",
    info=facts,
)

record_citations = Table(
    "record_citations",
    metadata,
    Column("record_id", Text, ForeignKey("archive.records.id"), primary_key=True),
    Column("reuse_id", Text, ForeignKey("archive.material_reuses.id"), primary_key=True),
    schema="archive",
    info=facts,
)
