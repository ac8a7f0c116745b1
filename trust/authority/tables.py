"""Tables of the authorities, in the schema `trust`: certificates, revocations and CRLs are facts."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from trust.storage.schema import facts, metadata, moment

# What was intended: the row is there before the signer is asked, so that nothing issued is ever unrecorded.
certificate_intents = Table(
    "certificate_intents",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("issuer_key", Text, nullable=False),
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
    Column("issuer_key", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("agency", Text),
    Column("certificate", LargeBinary, nullable=False),
    Column("not_before", moment(), nullable=False),
    Column("not_after", moment(), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "owner", "serial"),
    Index(None, "issuer_key", "not_after"),
    schema="trust",
    info=facts,
)

# Every act upon a certificate's standing, numbered for each serial; where it stands is derived from them.
revocation_acts = Table(
    "revocation_acts",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("authority", Text, nullable=False),
    Column("issuer_key", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", moment(), nullable=False),
    CheckConstraint("act IN ('hold', 'release', 'revoke')", name="act_known"),
    Index(None, "issuer_key"),
    # For good means once.
    Index("uq_revocation_acts_revoked_once", "serial", unique=True, postgresql_where=text("act = 'revoke'")),
    schema="trust",
    info=facts,
)

# `acts` is how many acts of the issuer the list takes in: acts are facts, so equal numbers are the same acts.
crls = Table(
    "crls",
    metadata,
    Column("issuer_key", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("acts", BigInteger, nullable=False),
    Column("crl", LargeBinary, nullable=False),
    Column("this_update", moment(), nullable=False),
    Column("next_update", moment(), nullable=False),
    schema="trust",
    info=facts,
)

# Answers signed in advance (RFC 5019), one for each certificate that has not ended, by the two digests clients use;
# no facts: they can be signed again at any time. `step` is the last act upon the certificate that they take in.
# `position` grows with each that is written, so that whoever keeps answers sees which are old.
ocsp_answers = Table(
    "ocsp_answers",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("issuer_key", Text, nullable=False),
    Column("position", BigInteger, Identity(always=False), nullable=False),
    Column("step", Integer, nullable=False),
    Column("sha1", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("this_update", moment(), nullable=False),
    Column("next_update", moment(), nullable=False),
    Index(None, "issuer_key", "position"),
    Index(None, "issuer_key", "this_update"),
    schema="trust",
)
