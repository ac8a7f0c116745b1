"""Tables of the authorities, in the schema `trust`: certificates, revocations and CRLs are facts."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from trust.storage.schema import facts, metadata, moment

# What was intended: the row is there before the signer is asked, so that nothing issued is ever unrecorded.
certificate_intents = Table(
    "certificate_intents",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("agency", Text),
    Column("payload", JSONB, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("agency", Text),
    Column("certificate", LargeBinary, nullable=False),
    Column("not_before", moment(), nullable=False),
    Column("not_after", moment(), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "owner", "serial"),
    schema="trust",
    info=facts,
)

revocations = Table(
    "revocations",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("authority", Text, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)

crls = Table(
    "crls",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("crl", LargeBinary, nullable=False),
    Column("this_update", moment(), nullable=False),
    Column("next_update", moment(), nullable=False),
    schema="trust",
    info=facts,
)
