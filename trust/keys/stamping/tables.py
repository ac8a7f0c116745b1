"""Tables of the time that was stamped, in the schema `trust`; the signer's own but for the reports."""

from sqlalchemy import BigInteger, Column, Identity, Table, Text

from trust.storage.schema import SIGNER, facts, metadata, moment, signer_changes

# One row an era: from the first token, or from an operator's word that the clock is right, until the next such word.
# Nothing stamped in an era is later than `highest`, which a trigger lets rise and never fall.
stamping_marks = Table(
    "stamping_marks",
    metadata,
    Column("era", BigInteger, Identity(always=True), primary_key=True),
    Column("highest", moment(), nullable=False),
    Column("opened_at", moment(), nullable=False),
    schema="trust",
    info=signer_changes("highest"),
)

stamping_clock_changes = Table(
    "stamping_clock_changes",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("state", Text, nullable=False),
    Column("clock_at", moment(), nullable=False),
    Column("expected_at", moment(), nullable=False),
    schema="trust",
    info=dict(SIGNER),
)

# Which changes the ledger knows of: the signer writes no events, so the worker does.
stamping_clock_reports = Table(
    "stamping_clock_reports",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("at", moment(), nullable=False),
    schema="trust",
    info=facts,
)
