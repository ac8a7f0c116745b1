"""The house: every schema and table of the first release, as frozen in the SQL file beside this."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

from trust.storage.schema import REFUSE_CHANGE_FUNCTION, SCHEMAS, SERVICE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    for schema in SCHEMAS:
        connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(REFUSE_CHANGE_FUNCTION)
    connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    # The job queue's own schema; its text holds % signs, so it goes to the driver as it is.
    connection.execute("CREATE SCHEMA procrastinate")
    connection.execute("SET LOCAL search_path = procrastinate")
    connection.execute(SchemaManager.get_schema())
    connection.execute("SET LOCAL search_path = public")
    for statement in (
        f"GRANT USAGE ON SCHEMA procrastinate TO {SERVICE}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate TO {SERVICE}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO {SERVICE}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA procrastinate TO {SERVICE}",
    ):
        connection.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the first migration is not taken back: restore a backup instead")
