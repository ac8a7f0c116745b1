"""The tables of status lists."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
)

from trust.storage.schema import facts, metadata, moment

_SCHEMA: Final = "licences"

status_lists = Table(
    "status_lists",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("agency_id", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", moment(), nullable=False),
    Index(None, "agency_id", "list_id"),
    schema=_SCHEMA,
    info=facts,
)

# The indexes still to be given out, in the random order they were shuffled into when the list was made.
# Not a fact: taking one removes its row, and locking a row needs the right to change it.
free_indexes = Table(
    "free_indexes",
    metadata,
    Column("list_id", Text, ForeignKey("licences.status_lists.list_id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("index", Integer, nullable=False),
    schema=_SCHEMA,
)

# Each change of one entry; versions of a list are counted without gaps, so the highest says what a token covers.
status_changes = Table(
    "status_changes",
    metadata,
    Column("list_id", Text, ForeignKey("licences.status_lists.list_id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("index", Integer, nullable=False),
    Column("value", SmallInteger, nullable=False),
    Column("at", moment(), nullable=False),
    CheckConstraint("value BETWEEN 0 AND 2", name="value"),
    schema=_SCHEMA,
    info=facts,
)
