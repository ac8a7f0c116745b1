"""The unit of work: one request or task, one transaction.

with database.work() as work:          # service role; commits at the end, rolls back on any error
    work.execute(insert(...))
    work.defer("webhooks.deliver", delivery=delivery_id)
with database.read() as work:          # reader role, READ ONLY: cannot write by mistake or by attack
    work.execute(select(...))

Whoever opens a second unit while holding one (a refusal that is kept although the act is undone) gets its connection
from a pool apart: callers that each hold one and want another never wait for each other in a circle.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection, CursorResult, Engine, Executable, Row, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from trust.storage.errors import DatabaseAway
from trust.storage.jobs import Enqueuer

# A lock is held for one short transaction; whoever waits longer than this meets a fault, not a queue.
LOCK_TIMEOUT: Final = "5s"
STATEMENT_TIMEOUT: Final = "30s"
CONNECT_TIMEOUT_SECONDS: Final = 5
POOL_TIMEOUT_SECONDS: Final = 10
# For units within units, a pool for each depth: whoever waits for one of these holds no other of the same pool. Acts go
# two units deep within the first; a deeper one would share the last pool, and could wait there for its own like.
INNER_CONNECTIONS: Final = 4
_DEEPEST: Final = 2
# The statements read by themselves are few and go by an index whatever their parameters: one plan serves them all.
_SINGLE_STATEMENTS: Final = "-c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan"


class ReadWork:
    """A transaction that only reads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Runs a SQLAlchemy Core statement in this transaction."""
        return self.connection.execute(statement, parameters)

    def advisory_lock(self, name: str) -> None:
        """Waits for the transaction-long lock of this name (hashed by PostgreSQL)."""
        self.connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:n, 0))"), {"n": name})


class Work(ReadWork):
    """A transaction that may write."""

    def __init__(self, connection: Connection, enqueuer: Enqueuer) -> None:
        super().__init__(connection)
        self._enqueuer = enqueuer

    def defer(self, task_name: str, **arguments: Any) -> None:
        """Enqueues a job in this transaction: it exists if and only if the transaction commits."""
        self._enqueuer.defer(self.connection, task_name, arguments)

    def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Inserts many rows in one stream (COPY), a fraction of an INSERT's cost each; `table` with its schema."""
        driver: Any = self.connection.connection.driver_connection
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


class Database:
    """Opens units of work on one PostgreSQL by the service's URL and, for reading, the reader's."""

    def __init__(self, url: str, read_url: str | None = None, *, pool_size: int = 10) -> None:
        self._enqueuer = Enqueuer()
        self._held = _Held()
        self._engines = _by_depth(url, pool_size)
        self._read_engines = _by_depth(read_url, pool_size) if read_url else self._engines
        self._single_engine = _engine(
            read_url or url,
            pool_size,
            session=_SINGLE_STATEMENTS,
            pool_pre_ping=False,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
        )

        self._writing_engine = _engine(
            url,
            pool_size,
            session="-c plan_cache_mode=force_generic_plan",
            pool_pre_ping=False,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
        )

    @contextmanager
    def work(self) -> Iterator[Work]:
        """A unit of work that commits when the block ends without an error.

        Raises DatabaseAway where PostgreSQL is not there or does not answer in time.
        """
        with _faults_named(), self._held.one_more() as depth, self._engines[depth].begin() as connection:
            yield Work(connection, self._enqueuer)

    @contextmanager
    def read(self) -> Iterator[ReadWork]:
        """A READ ONLY unit of work under the reader's role."""
        with (
            _faults_named(),
            self._held.one_more() as depth,
            self._read_engines[depth].connect() as connection,
        ):
            yield ReadWork(connection.execution_options(postgresql_readonly=True))

    @contextmanager
    def read_primary(self) -> Iterator[ReadWork]:
        """A READ ONLY unit of work on the database that is written to, for what must not be behind.

        Where the reader's URL names a copy, `read` may answer what was true a while ago.
        """
        with _faults_named(), self._held.one_more() as depth, self._engines[depth].connect() as connection:
            yield ReadWork(connection.execution_options(postgresql_readonly=True))

    def read_once(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """The rows of one reading statement by itself: one round trip, one snapshot, no transaction around it.

        A connection that turns out to be dead is replaced and the statement sent again, which reading allows.
        """
        with _faults_named():
            try:
                return self._read_single(statement, parameters)
            except (OperationalError, InterfaceError) as fault:
                if not fault.connection_invalidated:
                    raise
            return self._read_single(statement, parameters)

    def write_once(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> None:
        """One writing statement by itself: one round trip, committed when this returns.

        Raises DatabaseAway where it may or may not have been done; it is never sent twice.
        """
        with _faults_named(), self._writing_engine.connect() as connection:
            connection.execute(statement, parameters)

    def _read_single(self, statement: Executable, parameters: Mapping[str, Any] | None) -> Sequence[Row[Any]]:
        with self._single_engine.connect() as connection:
            return connection.execute(statement, parameters).all()

    def close(self) -> None:
        """Returns every connection."""
        for engine in (*self._engines, *self._read_engines, self._single_engine, self._writing_engine):
            engine.dispose()


class _Held:
    """How many units each thread holds open; one that is closed by another thread counts for that which opened it."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def one_more(self) -> Iterator[int]:
        """Yields how deep within others this unit is, at most the deepest that has a pool of its own."""
        held: list[object] = self._local.__dict__.setdefault("held", [])
        unit = object()
        depth = min(len(held), _DEEPEST)
        held.append(unit)
        try:
            yield depth
        finally:
            held.remove(unit)


def _by_depth(url: str, pool_size: int) -> tuple[Engine, ...]:
    inner = (_engine(url, INNER_CONNECTIONS, max_overflow=0) for _ in range(_DEEPEST))
    return (_engine(url, pool_size), *inner)


def _engine(
    url: str,
    pool_size: int,
    *,
    session: str = "",
    pool_pre_ping: bool = True,
    max_overflow: int | None = None,
    **options: Any,
) -> Engine:
    return create_engine(
        url,
        **options,
        hide_parameters=True,  # what a statement carried is nobody's to read in a log
        pool_size=pool_size,
        max_overflow=pool_size if max_overflow is None else max_overflow,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_pre_ping=pool_pre_ping,
        # Without it an INSERT … ON CONFLICT does not say whether it inserted.
        execution_options={"preserve_rowcount": True},
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "options": f"-c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT} "
            f"-c search_path=procrastinate,public -c timezone=UTC {session}",
        },
    )


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except (
        OperationalError,
        InterfaceError,
        PoolTimeout,
        psycopg.OperationalError,  # as they come from a COPY
        psycopg.InterfaceError,
    ) as fault:
        raise DatabaseAway("the database did not answer; nothing was changed, try again later") from fault
    except DBAPIError as fault:
        if fault.connection_invalidated:
            raise DatabaseAway("the connection to the database was lost; try again later") from fault
        raise
