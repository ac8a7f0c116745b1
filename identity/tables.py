"""The tables of identity. `secret` tables are closed to the reader's role: only the service sees them."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trust.storage.schema import facts, metadata, moment

_SCHEMA: Final = "identity"
_SECRET: Final = {"secret": True}
_SECRET_FACTS: Final = {**facts, "secret": True}

agencies = Table(
    "agencies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("uscc", Text, nullable=False, unique=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("created_at", moment(), nullable=False),
    Column("created_by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

service_items = Table(
    "service_items",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, ForeignKey("identity.agencies.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("created_at", moment(), nullable=False),
    Column("created_by", Text, nullable=False),
    UniqueConstraint("agency_id", "code"),
    schema=_SCHEMA,
    info=facts,
)

# A natural person is a resident id number and nothing else: the names on accounts are what was claimed there.
people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number_index", LargeBinary, nullable=False, unique=True),
    Column("sealed_number", LargeBinary, nullable=False),
    Column("known_since", moment(), nullable=False),
    schema=_SCHEMA,
    info=_SECRET_FACTS,
)

staff = Table(
    "staff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, ForeignKey("identity.agencies.id")),
    Column("person_id", Text, ForeignKey("identity.people.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False),
    Column("invited_at", moment(), nullable=False),
    Column("invited_by", Text, nullable=False),
    Column("deactivated_at", moment()),
    # The service checks both too; here they hold whatever the service does.
    CheckConstraint(
        "NOT (roles && ARRAY['platform-administrator', 'agency-administrator']"
        " AND roles && ARRAY['seal-officer', 'seal-approver'])",
        name="administrators_hold_no_seal_role",
    ),
    CheckConstraint(
        "(agency_id IS NULL) = (roles && ARRAY['platform-administrator'])",
        name="platform_administrators_belong_to_no_agency",
    ),
    schema=_SCHEMA,
)
Index(
    "uq_staff_one_account_in_use",
    staff.c.agency_id,
    staff.c.person_id,
    unique=True,
    postgresql_where=staff.c.state != "deactivated",
)
Index(
    "uq_staff_one_platform_account_in_use",
    staff.c.person_id,
    unique=True,
    postgresql_where=(staff.c.state != "deactivated") & staff.c.agency_id.is_(None),
)

citizens = Table(
    "citizens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("identity.people.id"), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("masked_number", Text, nullable=False),
    Column("assurance_level", SmallInteger, nullable=False),
    Column("registered_at", moment(), nullable=False),
    schema=_SCHEMA,
    info=facts,
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("uscc", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("assurance_level", SmallInteger, nullable=False),
    Column("registered_at", moment(), nullable=False),
    Column("registered_by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation_id", Text, ForeignKey("identity.organisations.id"), nullable=False),
    Column("citizen_id", Text, ForeignKey("identity.citizens.id"), nullable=False, index=True),
    Column("valid_from", moment(), nullable=False),
    Column("valid_until", moment()),
    Column("may_authorise", Boolean, nullable=False),
    Column("authorised_at", moment(), nullable=False),
    Column("authorised_by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

agent_withdrawals = Table(
    "agent_withdrawals",
    metadata,
    Column("agent_id", Text, ForeignKey("identity.agents.id"), primary_key=True),
    Column("at", moment(), nullable=False),
    Column("by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

applications = Table(
    "applications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agency_id", Text, ForeignKey("identity.agencies.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("public_jwk", JSONB, nullable=False),
    # RFC 7638: one key stands for one application, so that no assertion serves two.
    Column("key_thumbprint", Text, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("registered_at", moment(), nullable=False),
    Column("registered_by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

application_revocations = Table(
    "application_revocations",
    metadata,
    Column("application_id", Text, ForeignKey("identity.applications.id"), primary_key=True),
    Column("at", moment(), nullable=False),
    Column("by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

certificate_requests = Table(
    "certificate_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("agency_id", Text, ForeignKey("identity.agencies.id")),
    Column("profile", Text, nullable=False),
    Column("csr_digest", LargeBinary, nullable=False),
    Column("at", moment(), nullable=False),
    Column("by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

certificates = Table(
    "certificates",
    metadata,
    Column("request_id", Text, ForeignKey("identity.certificate_requests.id"), primary_key=True),
    Column("serial", Text, nullable=False, unique=True),
    Column("profile", Text, nullable=False),
    Column("owner", Text, nullable=False, index=True),
    Column("agency_id", Text, ForeignKey("identity.agencies.id"), index=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("chain", ARRAY(LargeBinary), nullable=False),
    Column("not_before", moment(), nullable=False),
    Column("not_after", moment(), nullable=False),
    Column("issued_at", moment(), nullable=False),
    schema=_SCHEMA,
    info=facts,
)

certificate_revocations = Table(
    "certificate_revocations",
    metadata,
    Column("serial", Text, ForeignKey("identity.certificates.serial"), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", moment(), nullable=False),
    Column("by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

# Holds and releases, numbered for each certificate: one with an odd number of them is on hold.
certificate_suspensions = Table(
    "certificate_suspensions",
    metadata,
    Column("serial", Text, ForeignKey("identity.certificates.serial"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("at", moment(), nullable=False),
    Column("by", Text, nullable=False),
    schema=_SCHEMA,
    info=facts,
)

# What follows is for signing in: secrets are kept as digests only, and rows go when they have expired.

credentials = Table(
    "credentials",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("username", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("set_at", moment(), nullable=False),
    schema=_SCHEMA,
    info=_SECRET,
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_digest", LargeBinary, nullable=False, unique=True),
    # None: the first platform administrator, who is nobody's invitation.
    Column("staff_id", Text, ForeignKey("identity.staff.id")),
    Column("issued_at", moment(), nullable=False),
    Column("expires_at", moment(), nullable=False),
    Column("ended_at", moment()),
    schema=_SCHEMA,
    info=_SECRET,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_digest", LargeBinary, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("organisation_id", Text, ForeignKey("identity.organisations.id")),
    Column("opened_at", moment(), nullable=False),
    Column("last_seen_at", moment(), nullable=False),
    Column("expires_at", moment(), nullable=False, index=True),
    schema=_SCHEMA,
    info=_SECRET,
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("token_digest", LargeBinary, primary_key=True),
    Column("application_id", Text, ForeignKey("identity.applications.id"), nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("expires_at", moment(), nullable=False, index=True),
    schema=_SCHEMA,
    info=_SECRET,
)

# A client assertion's `jti` is taken once (RFC 7523 §3 item 7); the row outlives the assertion.
spent_assertions = Table(
    "spent_assertions",
    metadata,
    Column("application_id", Text, ForeignKey("identity.applications.id"), primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("expires_at", moment(), nullable=False, index=True),
    schema=_SCHEMA,
    info=_SECRET,
)

# Keys are keyed digests: neither user names nor addresses can be read here.
attempts = Table(
    "attempts",
    metadata,
    Column("gate", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", moment(), nullable=False, index=True),
    Column("closed_until", moment(), nullable=False),
    schema=_SCHEMA,
    info=_SECRET,
)

familiar_addresses = Table(
    "familiar_addresses",
    metadata,
    Column("account_key", LargeBinary, primary_key=True),
    Column("address_key", LargeBinary, primary_key=True),
    Column("last_at", moment(), nullable=False, index=True),
    schema=_SCHEMA,
    info=_SECRET,
)
