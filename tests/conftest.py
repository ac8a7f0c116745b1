"""Fixtures every test may use: a PostgreSQL for the session, a fresh database for each test that asks."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from api.migrations.upgrade import upgrade
from tests.support.house import (
    House,
    RunningSigner,
    hold_shipped_ceremony,
    house_settings,
    opened_house,
    prepare_keys,
)
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls, EmbeddedPostgres
from trust.storage.jobs import libpq_url

_numbers = itertools.count(1)

# A loaded machine is no finding: property tests are bounded in examples, not in time.
hypothesis_settings.register_profile("yinxin", deadline=None)
hypothesis_settings.load_profile("yinxin")


@pytest.fixture(autouse=True)
def _logs_of_ones_own() -> Iterator[None]:
    """A command that was tried has set logging up for a stream that is gone; the next test logs as usual."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseUrls]:
    """The embedded server on memory, or the one that YINXIN_TEST_DATABASE_* name."""
    given = os.environ.get("YINXIN_TEST_DATABASE_SUPERUSER_URL")
    if given:
        yield DatabaseUrls(
            owner=os.environ["YINXIN_TEST_DATABASE_OWNER_URL"],
            service=os.environ["YINXIN_TEST_DATABASE_URL"],
            reader=os.environ["YINXIN_TEST_DATABASE_READ_URL"],
            signer=os.environ["YINXIN_TEST_DATABASE_SIGNER_URL"],
            superuser=given,
        )
        return
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
    data = Path(tempfile.mkdtemp(prefix="yinxin-test-pg-", dir=root))
    data.chmod(0o755)
    server = EmbeddedPostgres(data, durable=False)
    try:
        with server:
            yield server.urls
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _superuser(urls: DatabaseUrls) -> psycopg.Connection:
    return psycopg.connect(libpq_url(urls.named("postgres").superuser), autocommit=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: DatabaseUrls) -> str:
    """The name of a database with the whole schema, to be copied."""
    name = f"template_{os.getpid()}"
    with _superuser(postgres_server) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER yinxin_owner").format(sql.Identifier(name)))
    upgrade(postgres_server.named(name).owner)
    return name


@pytest.fixture
def postgres(postgres_server: DatabaseUrls, postgres_template: str) -> Iterator[DatabaseUrls]:
    """A fresh database with the whole schema: its URLs for each role."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _copy(postgres_server, postgres_template, name)
    yield postgres_server.named(name)
    with _superuser(postgres_server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def postgres_before(postgres_server: DatabaseUrls) -> Iterator[Callable[[str], DatabaseUrls]]:
    """A function that makes a fresh database with the schema as a migration left it, by its revision."""
    made: list[str] = []

    def build(revision: str) -> DatabaseUrls:
        name = f"before_{os.getpid()}_{next(_numbers)}"
        with _superuser(postgres_server) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER yinxin_owner").format(sql.Identifier(name)))
        made.append(name)
        upgrade(postgres_server.named(name).owner, revision)
        return postgres_server.named(name)

    yield build
    with _superuser(postgres_server) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(postgres: DatabaseUrls) -> Iterator[Database]:
    """Units of work on a fresh database, as the service and the reader."""
    opened = Database(postgres.service, postgres.reader)
    yield opened
    opened.close()


@dataclass(frozen=True, kw_only=True)
class CeremonyTemplate:
    """A database in which the ceremony has been held, to be copied, and the folder of its keys."""

    database: str
    config: Path


@pytest.fixture(scope="session")
def ceremony_template(
    postgres_server: DatabaseUrls, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> CeremonyTemplate:
    """The ceremony held once for the session."""
    name = f"ceremony_{os.getpid()}"
    _copy(postgres_server, postgres_template, name)
    folder = tmp_path_factory.mktemp("ceremony")
    with tempfile.TemporaryDirectory(prefix="yx-") as short:
        settings = house_settings(folder, postgres_server.named(name), signer_socket=f"{short}/s")
        prepare_keys(settings)
        signer = RunningSigner(settings=settings)
        signer.start()
        hold_shipped_ceremony(settings)
        signer.stop()
    return CeremonyTemplate(database=name, config=settings.config)


@pytest.fixture
def house(
    postgres_server: DatabaseUrls, ceremony_template: CeremonyTemplate, tmp_path: Path
) -> Iterator[House]:
    """The whole house in this process, on a fresh copy of a database where the ceremony has been held."""
    name = f"house_{os.getpid()}_{next(_numbers)}"
    _copy(postgres_server, ceremony_template.database, name)
    with opened_house(tmp_path, postgres_server.named(name), ceremony_template.config) as opened:
        yield opened
    with _superuser(postgres_server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def shared_house(
    postgres_server: DatabaseUrls,
    ceremony_template: CeremonyTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """One house for a file of tests that each make an agency of their own and ask only for its rows."""
    name = f"house_{os.getpid()}_{next(_numbers)}"
    _copy(postgres_server, ceremony_template.database, name)
    folder = tmp_path_factory.mktemp("house")
    with opened_house(folder, postgres_server.named(name), ceremony_template.config) as opened:
        yield opened
    with _superuser(postgres_server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def patient_house(
    postgres_server: DatabaseUrls,
    ceremony_template: CeremonyTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """A house whose leases outlast a loaded machine: for a long story in which nothing is to be resumed."""
    name = f"house_{os.getpid()}_{next(_numbers)}"
    _copy(postgres_server, ceremony_template.database, name)
    urls, folder = postgres_server.named(name), tmp_path_factory.mktemp("house")
    with opened_house(folder, urls, ceremony_template.config, lease_seconds=120.0) as opened:
        yield opened
    with _superuser(postgres_server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _copy(server: DatabaseUrls, template: str, name: str) -> None:
    with _superuser(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER yinxin_owner").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
