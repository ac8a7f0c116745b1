"""Alembic's environment: one connection as the owner, one lock, one transaction a migration."""

from alembic import context
from sqlalchemy import create_engine, text

from api.migrations.tables import metadata
from trust.storage.schema import SCHEMAS

_LOCK = 0x59494E58494E  # "YINXIN": two upgrades at once wait for each other


def run() -> None:
    engine = create_engine(context.config.attributes["owner_url"])
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_schemas=True,
            include_name=lambda name, kind, _parents: kind != "schema" or name in SCHEMAS,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
