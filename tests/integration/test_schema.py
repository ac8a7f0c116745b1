"""The migrated database is what the tables say, and facts are kept by the database itself."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from api.migrations.tables import metadata
from trust.storage.embedded import DatabaseUrls
from trust.storage.schema import SCHEMAS


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(postgres: DatabaseUrls) -> None:
    engine = create_engine(postgres.owner)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _parents: kind != "schema" or name in SCHEMAS,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_table_of_facts_has_its_guards_and_nothing_but_them_is_granted(postgres: DatabaseUrls) -> None:
    engine = create_engine(postgres.owner)
    with engine.connect() as connection:
        guarded = {
            row[0]
            for row in connection.execute(
                text(
                    "SELECT n.nspname || '.' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgname = 'facts_only'"
                )
            )
        }
        granted = {
            (row.table, row.privilege_type)
            for row in connection.execute(
                text(
                    "SELECT table_schema || '.' || table_name AS table, privilege_type "
                    "FROM information_schema.role_table_grants WHERE grantee = 'yinxin_service'"
                )
            )
        }
    engine.dispose()
    facts = {f"{t.schema}.{t.name}" for t in metadata.sorted_tables if t.info.get("protection") == "facts"}
    assert guarded == facts
    assert "seals.seal_uses" in facts
    for table in facts:
        assert {privilege for name, privilege in granted if name == table} == {"SELECT", "INSERT"}
