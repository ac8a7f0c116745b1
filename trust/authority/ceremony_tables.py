"""Tables of what ceremonies decide and of certificates from elsewhere, in the schema `trust`; all of them are facts."""

from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from trust.storage.schema import facts, metadata, moment

# The log of each ceremony as a signed note.
ceremony_logs = Table(
    "ceremony_logs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("file_sha256", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

# Requests (PKCS #10) for keys of ours, to be certified by somebody else.
certificate_requests = Table(
    "certificate_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("agency", Text),
    Column("payload", JSONB, nullable=False),
    Column("csr", LargeBinary, nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "label", "at"),
    schema="trust",
    info=facts,
)

# What came back and was taken: at most one certificate for a request.
imported_certificates = Table(
    "imported_certificates",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("chain", ARRAY(LargeBinary), nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

# Others' anchors and what each is believed for: its newest row counts, one without purposes is believed no longer.
external_anchors = Table(
    "external_anchors",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("purposes", ARRAY(Text), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "fingerprint", "position"),
    schema="trust",
    info=facts,
)
