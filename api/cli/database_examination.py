"""The database as each role finds it: there, of the newest schema, and with exactly the rights it should have."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any, Final

import psycopg
from alembic.script import ScriptDirectory

from api.cli.examination import Finding, Level
from api.migrations.tables import metadata
from api.migrations.upgrade import configuration
from api.settings import Settings
from trust.kernel.clock import SystemClock
from trust.storage.jobs import libpq_url

_CONNECT_SECONDS: Final = 5
_OLDEST: Final = 15
# Of what runs on one machine none; of machines kept by NTP, well below this.
_CLOCK_WARN: Final = timedelta(seconds=2)
_CLOCK_FAIL: Final = timedelta(seconds=30)

_Connection = psycopg.Connection[Any]


def database_findings(settings: Settings) -> Iterator[Finding]:
    """Every role whose URL is set, looked at through its own connection."""
    roles = {
        "service": settings.database_url,
        "reader": settings.database_read_url,
        "owner": settings.database_owner_url,
        "signer": settings.database_signer_url,
    }
    for role, url in roles.items():
        subject = f"database as {role}"
        if not url:
            if role == "reader":
                detail = "no URL of its own: reading uses the service's role"
                yield Finding(subject=subject, level=Level.WARN, detail=detail)
            continue
        try:
            connection = psycopg.connect(libpq_url(url), connect_timeout=_CONNECT_SECONDS, autocommit=True)
        except psycopg.OperationalError:
            # The driver's own message may hold the address with its password.
            yield Finding(subject=subject, level=Level.FAIL, detail="PostgreSQL does not answer, or refuses")
            continue
        try:
            with closing(connection):
                if role == "service":
                    yield from _server(connection)
                yield _rights(connection, role, subject)
        except psycopg.Error as fault:
            detail = (
                f"PostgreSQL refused to be asked (SQLSTATE {fault.sqlstate}); has `yinxin db upgrade` run?"
            )
            yield Finding(subject=subject, level=Level.FAIL, detail=detail)


def _server(connection: _Connection) -> Iterator[Finding]:
    major = connection.info.server_version // 10_000
    level = Level.OK if major >= _OLDEST else Level.FAIL
    yield Finding(subject="PostgreSQL", level=level, detail=f"{major} ({_OLDEST} or newer is needed)")

    names = [f"{table.schema}.{table.name}" for table in metadata.sorted_tables]
    missing = [name for name in names if _value(connection, "SELECT to_regclass(%s)", [name]) is None]
    detail = (
        f"{len(missing)} tables are missing: run `yinxin db upgrade`" if missing else f"{len(names)} tables"
    )
    yield Finding(subject="schema", level=Level.FAIL if missing else Level.OK, detail=detail)

    before = SystemClock().now()
    theirs = _value(connection, "SELECT clock_timestamp()")
    apart = abs(theirs - before)
    level = Level.FAIL if apart > _CLOCK_FAIL else Level.WARN if apart > _CLOCK_WARN else Level.OK
    detail = f"{apart.total_seconds():.1f} s apart from the database's; keep both by NTP"
    yield Finding(subject="clock", level=level, detail=detail)


def _rights(connection: _Connection, role: str, subject: str) -> Finding:
    """What the role may do that it should not, or cannot do that it must."""
    if role == "owner":
        return _version(connection, subject)
    wrong = list(_role_faults(connection))
    for table in metadata.sorted_tables:
        name, protection = f"{table.schema}.{table.name}", table.info.get("protection")
        wrong.extend(f"may {right} {name}" for right in _forbidden(role, protection, connection, name))
        secret = protection == "signer" or bool(table.info.get("secret"))
        if role == "signer":
            must = protection == "signer" or bool(table.info.get("signer_reads"))
        else:
            must = protection != "signer" and not (role == "reader" and secret)
        if must and not _may(connection, name, "SELECT"):
            wrong.append(f"cannot SELECT {name}")
        if role == "service" and protection in ("facts", "signer-facts") and not _guarded(connection, name):
            wrong.append(f"{name} has lost the triggers that keep facts")
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        return Finding(subject=subject, level=Level.FAIL, detail="; ".join(wrong[:5]) + more)
    said = {
        "service": "inserts facts and cannot change them",
        "reader": "only reads",
        "signer": "sees its keys, its journal and the intents, nothing else",
    }
    return Finding(subject=subject, level=Level.OK, detail=said[role])


def _version(connection: _Connection, subject: str) -> Finding:
    """Only the owner reads which migrations have run."""
    head = ScriptDirectory.from_config(configuration("")).get_current_head()
    found = _value(connection, "SELECT version_num FROM alembic_version")
    detail = f"migrations up to {found}; the newest is {head}"
    return Finding(subject=subject, level=Level.OK if found == head else Level.FAIL, detail=detail)


def _role_faults(connection: _Connection) -> Iterator[str]:
    if _value(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield "the role is a superuser, whom nothing binds"
    owned = _value(
        connection,
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE pg_has_role(current_user, c.relowner, 'MEMBER') AND n.nspname = ANY(%s)",
        [sorted({str(table.schema) for table in metadata.sorted_tables})],
    )
    if owned:
        yield f"the role owns {owned} of our tables, so it could change what protects them"


def _forbidden(role: str, protection: str | None, connection: _Connection, name: str) -> Iterator[str]:
    writing = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
    if role == "service":
        refused: tuple[str, ...] = {
            None: ("TRUNCATE",),
            "facts": ("UPDATE", "DELETE", "TRUNCATE"),
            "erasable": ("UPDATE", "TRUNCATE"),
            "signer": ("SELECT", *writing),
            "signer-facts": writing,
        }[protection]
    elif role == "reader":
        refused = writing if protection != "signer" else ("SELECT", *writing)
    else:
        refused = {
            "signer": ("UPDATE", "DELETE", "TRUNCATE"),  # some columns it may change, never the table
            "signer-facts": ("UPDATE", "DELETE", "TRUNCATE"),
        }.get(protection or "", writing)
    yield from (right for right in refused if _may(connection, name, right))


def _may(connection: _Connection, table: str, right: str) -> bool:
    """False also for a table that is not there: that is said of the schema."""
    query = (
        "SELECT has_schema_privilege(to_regnamespace(%s)::oid, 'USAGE')"
        " AND has_table_privilege(to_regclass(%s)::oid, %s)"
    )
    return bool(_value(connection, query, [table.split(".", maxsplit=1)[0], table, right]))


def _guarded(connection: _Connection, table: str) -> bool:
    query = (
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled <> 'D'"
        " AND tgname IN ('facts_only', 'facts_kept')"
    )
    return bool(_value(connection, query, [table]) == 2)


def _value(connection: _Connection, query: str, parameters: list[Any] | None = None) -> Any:
    row = connection.execute(query.encode(), parameters).fetchone()
    return None if row is None else row[0]
