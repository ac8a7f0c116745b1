"""Every table of every package, gathered: what migrations and the schema test compare against."""

import archive.tables
import identity.tables
import licences.tables
import seals.tables
import trust.authority.ceremony_tables
import trust.authority.tables
import trust.keys.stamping.tables
import trust.keys.tables
import trust.ledger.supervision.tables
import trust.ledger.tables
import trust.preservation.tables
import trust.storage.idempotency
from trust.storage.schema import metadata

__all__ = ["metadata", "packages"]

packages = (
    trust.storage.idempotency,
    trust.keys.tables,
    trust.keys.stamping.tables,
    trust.authority.tables,
    trust.authority.ceremony_tables,
    trust.ledger.tables,
    trust.preservation.tables,
    trust.ledger.supervision.tables,
    identity.tables,
    seals.tables,
    licences.tables,
    archive.tables,
)
