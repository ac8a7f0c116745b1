"""The house: every schema and table of the first release."""

from alembic import op
from procrastinate.schema import SchemaManager

from api.migrations.tables import metadata
from trust.storage.schema import (
    REFUSE_CHANGE_FUNCTION,
    SCHEMAS,
    SERVICE,
    protection_of,
    schema_grants,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for schema in SCHEMAS:
        op.execute(f"CREATE SCHEMA {schema}")
    op.execute(REFUSE_CHANGE_FUNCTION)
    metadata.create_all(connection)
    for statement in [*schema_grants(), *protection_of(metadata.sorted_tables)]:
        op.execute(statement)
    # The job queue's own schema; its text holds % signs, so it goes to the driver as it is.
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("CREATE SCHEMA procrastinate")
    driver.execute("SET LOCAL search_path = procrastinate")
    driver.execute(SchemaManager.get_schema())
    driver.execute("SET LOCAL search_path = public")
    for statement in (
        f"GRANT USAGE ON SCHEMA procrastinate TO {SERVICE}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate TO {SERVICE}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO {SERVICE}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA procrastinate TO {SERVICE}",
    ):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the first migration is not taken back: restore a backup instead")
