"""The tables of presentations. The holder's own words lie in rows that are purged; what happened are facts."""

from typing import Final

from sqlalchemy import ARRAY, BigInteger, Column, ForeignKey, Identity, Index, LargeBinary, Table, Text

from trust.storage.schema import ERASABLE, facts, metadata, moment

_SCHEMA: Final = "licences"

presentations = Table(
    "presentations",
    metadata,
    Column("presentation_id", Text, primary_key=True),
    Column("licence_id", Text, ForeignKey("licences.licences.licence_id"), nullable=False),
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), nullable=False),
    Column("code_digest", LargeBinary, nullable=False, unique=True),
    Column("recipient_agency", Text, nullable=False),
    Column("recipient_application", Text),
    Column("purpose", Text, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Column("presented_by", Text, nullable=False),
    Column("created_at", moment(), nullable=False),
    Column("expires_at", moment(), nullable=False),
    Index(None, "licence_id", "presentation_id"),
    schema=_SCHEMA,
    info=dict(ERASABLE),
)

# The key is what makes a presentation serve once, whatever the service does.
redemptions = Table(
    "redemptions",
    metadata,
    Column("presentation_id", Text, primary_key=True),
    Column("redemption_id", Text, nullable=False, unique=True),
    Column("agency_id", Text, nullable=False),
    Column("application_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema=_SCHEMA,
    info=facts,
)

redemption_answers = Table(
    "redemption_answers",
    metadata,
    Column("redemption_id", Text, ForeignKey("licences.redemptions.redemption_id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    schema=_SCHEMA,
    info=dict(ERASABLE),
)

usage_entries = Table(
    "usage_entries",
    metadata,
    # The order in which entries were made; two of one millisecond have ids in no order.
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("entry_id", Text, nullable=False, unique=True),
    Column("licence_id", Text, ForeignKey("licences.licences.licence_id"), nullable=False),
    Column("version_id", Text, ForeignKey("licences.versions.version_id"), nullable=False),
    Column("holder_index", LargeBinary, nullable=False),
    Column("presentation_id", Text),
    Column("act", Text, nullable=False),
    Column("reason_code", Text),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("by_agency", Text),
    Column("recipient_agency", Text),
    Column("recipient_application", Text),
    Column("item_code", Text),
    Column("case_number", Text),
    Column("requested_fields", ARRAY(Text), nullable=False),
    Column("shown_fields", ARRAY(Text), nullable=False),
    Column("at", moment(), nullable=False),
    Index(None, "holder_index", "position"),
    schema=_SCHEMA,
    info=facts,
)
