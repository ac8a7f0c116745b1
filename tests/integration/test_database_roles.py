"""What each role may do, asked of PostgreSQL itself: facts stay, keys are the signer's, readers read."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.migrations.tables import metadata
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls
from trust.storage.errors import DatabaseAway
from trust.storage.jobs import libpq_url
from trust.storage.schema import OWNER, READER, SCHEMAS, SERVICE, SIGNER_ROLE

INSERTED = (
    "INSERT INTO trust.revocation_acts (serial, step, authority, issuer_key, act, reason, at)"
    " VALUES ('1', 1, 'identity', 'key', 'revoke', 'superseded', now())"
)
CHANGES = (
    "UPDATE trust.revocation_acts SET reason = 'x'",
    "DELETE FROM trust.revocation_acts",
    "TRUNCATE trust.revocation_acts",
)
# What the signer reads to decide whether a key may be used, and its own keys.
SIGNERS = {
    "trust.signer_journal",
    "trust.key_orders",
    "trust.key_order_outcomes",
    "trust.keys",
    "trust.key_bindings",
    "trust.intents",
    "trust.issuing_permissions",
    "trust.intent_outcomes",
    "trust.stamping_clock_changes",
    "trust.stamping_marks",
}
WRITING = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

Connect = Callable[[str], psycopg.Connection]


@pytest.fixture
def connect(postgres: DatabaseUrls) -> Iterator[Connect]:
    """Connections by the name of a role, each statement its own transaction."""
    opened: list[psycopg.Connection] = []

    def open_one(role: str) -> psycopg.Connection:
        connection = psycopg.connect(libpq_url(getattr(postgres, role)), autocommit=True)
        opened.append(connection)
        return connection

    yield open_one
    for connection in opened:
        connection.close()


def tables(superuser: psycopg.Connection) -> list[str]:
    rows = superuser.execute(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = ANY(%s) OR schemaname = %s",
        (list(SCHEMAS), "procrastinate"),
    ).fetchall()
    return sorted(row[0] for row in rows)


def may(superuser: psycopg.Connection, role: str, privilege: str) -> set[str]:
    """The tables on which a role has a privilege, also by column or by PUBLIC."""
    column = privilege in ("SELECT", "INSERT", "UPDATE", "REFERENCES")
    asked = "has_table_privilege(%(r)s, %(t)s, %(p)s)"
    if column:
        asked += " OR has_any_column_privilege(%(r)s, %(t)s, %(p)s)"
    found = set()
    for table in tables(superuser):
        row = superuser.execute(
            f"SELECT has_schema_privilege(%(r)s, %(s)s, 'USAGE') AND ({asked})",  # type: ignore[arg-type]  # ours
            {"r": role, "t": table, "p": privilege, "s": table.split(".")[0]},
        ).fetchone()
        if row and row[0]:
            found.add(table)
    return found


def test_the_four_roles_are_ordinary_and_none_is_in_another(connect: Connect) -> None:
    superuser = connect("superuser")
    rows = superuser.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND NOT rolsuper AND NOT rolcreaterole"
        " AND NOT rolcreatedb AND NOT rolreplication AND NOT rolbypassrls",
        ([OWNER, SERVICE, READER, SIGNER_ROLE],),
    ).fetchall()
    assert len(rows) == 4
    members = superuser.execute(
        "SELECT count(*) FROM pg_auth_members WHERE member::regrole::text = ANY(%s)",
        ([OWNER, SERVICE, READER, SIGNER_ROLE],),
    ).fetchone()
    assert members == (0,)


def test_private_keys_are_the_signers_alone(connect: Connect) -> None:
    superuser = connect("superuser")
    for privilege in ("SELECT", *WRITING):
        for role in (SERVICE, READER):
            assert "trust.keys" not in may(superuser, role, privilege)
    for role in ("service", "reader"):
        with pytest.raises(errors.InsufficientPrivilege):
            connect(role).execute("SELECT wrapped FROM trust.keys")


def test_the_signer_sees_what_it_needs_and_writes_keys_only(connect: Connect) -> None:
    superuser = connect("superuser")
    assert may(superuser, SIGNER_ROLE, "SELECT") == SIGNERS
    assert may(superuser, SIGNER_ROLE, "INSERT") == {
        "trust.keys",
        "trust.signer_journal",
        "trust.stamping_marks",
        "trust.stamping_clock_changes",
    }
    for privilege in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
        assert may(superuser, SIGNER_ROLE, privilege) == set()


def test_the_signer_changes_how_a_key_stands_and_never_what_it_is(connect: Connect) -> None:
    assert may(connect("superuser"), SIGNER_ROLE, "UPDATE") == {"trust.keys", "trust.stamping_marks"}
    for column in ("key_id", "purpose", "suite", "spki", "store", "created_at"):
        with pytest.raises(errors.InsufficientPrivilege):
            connect("signer").execute(f"UPDATE trust.keys SET {column} = {column}".encode())


def test_the_signers_journal_is_appended_to_by_the_signer_alone_and_changed_by_nobody(
    connect: Connect,
) -> None:
    row = (
        "INSERT INTO trust.signer_journal (chain, number, at, operation, key_id, count, subject, intended, signed,"
        " outcome, detail, previous, hash) VALUES ('c', 1, now(), 'o', 'k', 0, '', '', '', 'begun', '', '', '')"
    )
    for role in ("service", "reader"):
        with pytest.raises(errors.InsufficientPrivilege):
            connect(role).execute(row.encode())
    connect("signer").execute(row.encode())
    for role in ("signer", "service", "owner"):
        for change in ("UPDATE trust.signer_journal SET count = 1", "DELETE FROM trust.signer_journal"):
            with pytest.raises(errors.InsufficientPrivilege):
                connect(role).execute(change.encode())


def test_the_signer_cannot_write_itself_an_intent(connect: Connect) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        connect("signer").execute(
            "INSERT INTO trust.intents (subject, key_id, kind, digest, lease_until, at)"
            " VALUES ('use_1', 'key_1', 'seal-use', '', now(), now())"
        )


def test_the_reader_writes_nowhere_and_makes_nothing(connect: Connect) -> None:
    superuser = connect("superuser")
    for privilege in WRITING:
        assert may(superuser, READER, privilege) == set()
    for role in ("reader", "service", "signer"):
        for statement in (
            "CREATE TABLE public.mine (x int)",
            "CREATE TABLE trust.mine (x int)",
            "CREATE SCHEMA mine",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connect(role).execute(statement)


def test_secret_tables_are_closed_to_the_reader(connect: Connect) -> None:
    secret = {f"{t.schema}.{t.name}" for t in metadata.tables.values() if t.info.get("secret")}
    assert secret
    assert not secret & may(connect("superuser"), READER, "SELECT")


def test_on_every_table_of_facts_the_service_may_insert_and_read_and_nothing_else(connect: Connect) -> None:
    superuser = connect("superuser")
    facts = {f"{t.schema}.{t.name}" for t in metadata.tables.values() if t.info.get("protection") == "facts"}
    assert len(facts) > 10
    for privilege in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"):
        assert not facts & may(superuser, SERVICE, privilege)
    assert facts <= may(superuser, SERVICE, "INSERT")
    for role in (SERVICE, READER, SIGNER_ROLE):
        assert may(superuser, role, "TRUNCATE") == set()
    guards = superuser.execute(
        "SELECT n.nspname || '.' || c.relname, array_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE t.tgname IN ('facts_only', 'facts_kept') AND t.tgenabled = 'O' GROUP BY 1"
    ).fetchall()
    assert {name for name, both in guards if both == ["facts_kept", "facts_only"]} == facts | {
        "trust.signer_journal"  # facts too, of which the service only reads
    }


def test_every_table_of_the_database_is_declared_and_owned_by_the_owner(connect: Connect) -> None:
    superuser = connect("superuser")
    declared = {f"{t.schema}.{t.name}" for t in metadata.tables.values()}
    assert {name for name in tables(superuser) if not name.startswith("procrastinate.")} == declared
    owners = superuser.execute(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = ANY(%s)", (list(SCHEMAS),)
    ).fetchall()
    assert owners == [(OWNER,)]


def test_a_fact_once_inserted_is_changed_by_nobody_not_even_its_owner(connect: Connect) -> None:
    service = connect("service")
    service.execute(INSERTED)
    for role in ("service", "reader", "signer", "owner"):
        connection = connect(role)
        for change in CHANGES:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(change)  # type: ignore[arg-type]  # a constant of this file
    assert service.execute("SELECT reason FROM trust.revocation_acts").fetchall() == [("superseded",)]


def test_the_service_cannot_switch_the_guard_off(connect: Connect) -> None:
    service = connect("service")
    for statement in (
        "ALTER TABLE trust.revocation_acts DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER facts_only ON trust.revocation_acts",
        "CREATE OR REPLACE FUNCTION trust.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "SET ROLE yinxin_owner",
        "DROP TABLE trust.revocation_acts",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            service.execute(statement)  # type: ignore[arg-type]  # constants of this loop


def test_reading_is_read_only_even_by_the_services_own_role(postgres: DatabaseUrls) -> None:
    opened = Database(postgres.service)
    try:
        with pytest.raises(DBAPIError, match="read-only transaction"), opened.read() as work:
            work.execute(text(INSERTED))
        with opened.read() as work:
            assert work.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
            assert work.execute(text("SELECT count(*) FROM trust.revocation_acts")).scalar_one() == 0
        with opened.work() as work:  # the same connection writes again afterwards
            work.execute(text(INSERTED))
    finally:
        opened.close()


def test_reading_goes_by_the_readers_role(database: Database) -> None:
    with database.read() as work:
        assert work.execute(text("SELECT current_user")).scalar_one() == READER
    with database.work() as work:
        assert work.execute(text("SELECT current_user")).scalar_one() == SERVICE


def test_an_error_rolls_everything_back(database: Database) -> None:
    with contextlib.suppress(ZeroDivisionError), database.work() as work:
        work.execute(text(INSERTED))
        raise ZeroDivisionError
    with database.read() as work:
        assert work.execute(text("SELECT count(*) FROM trust.revocation_acts")).scalar_one() == 0


def test_the_lock_of_a_name_is_held_until_the_transaction_ends(database: Database) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with database.work() as work:
            waiting.set()
            work.advisory_lock("crl/identity")
            order.append("second")

    with database.work() as work:
        work.advisory_lock("crl/identity")
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        with database.work() as other:
            other.advisory_lock("crl/seals")  # another name does not wait
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_a_database_that_is_not_there_is_away() -> None:
    opened = Database("postgresql+psycopg://x:hunter2@127.0.0.1:1/x")
    with pytest.raises(DatabaseAway) as away, opened.work():
        pass
    assert away.value.retryable
    assert "hunter2" not in away.value.message
    opened.close()


def test_a_session_that_was_ended_is_away_once_and_then_replaced(
    database: Database, connect: Connect
) -> None:
    def end_it() -> None:
        with database.work() as work:
            connect("superuser").execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = 'yinxin_service'"
            )
            work.execute(text("SELECT 1"))

    with pytest.raises(DatabaseAway):
        end_it()
    with database.work() as work:
        work.execute(text("SELECT 1"))


def test_an_error_of_the_database_does_not_print_the_values_it_was_given(database: Database) -> None:
    with pytest.raises(DBAPIError) as failed, database.work() as work:
        work.execute(
            text("SELECT 1 / CAST(:zero AS int), CAST(:secret AS text)"), {"zero": 0, "secret": "hunter2"}
        )
    assert "hunter2" not in str(failed.value)
