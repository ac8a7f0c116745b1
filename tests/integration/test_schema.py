"""The migrated database is what the tables say, and facts are kept by the database itself."""

import os
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from api.migrations.tables import metadata
from api.migrations.upgrade import upgrade
from seals.model import DocumentOutput, SealUseKind, SealUseState, SignatureLevel
from seals.repository import SealAuthorisations
from seals.uses.repository import SealUses
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls
from trust.storage.jobs import libpq_url
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
    protected = {f"{t.schema}.{t.name}": t.info.get("protection") for t in metadata.sorted_tables}
    facts = {name for name, protection in protected.items() if protection == "facts"}
    of_signer = {name for name, protection in protected.items() if protection == "signer-facts"}
    assert of_signer == {"trust.signer_journal"}
    assert guarded == facts | of_signer
    assert "seals.seal_uses" in facts
    for table in facts:
        assert {privilege for name, privilege in granted if name == table} == {"SELECT", "INSERT"}
    for table in of_signer:
        assert {privilege for name, privilege in granted if name == table} == {"SELECT"}


def test_a_database_of_the_first_release_is_brought_to_the_newest_with_its_seal_uses(
    postgres_server: DatabaseUrls,
) -> None:
    name = f"first_release_{os.getpid()}"
    superuser = libpq_url(postgres_server.named("postgres").superuser)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER yinxin_owner".encode())
    try:
        urls = postgres_server.named(name)
        upgrade(urls.owner, "0001")
        with psycopg.connect(libpq_url(urls.owner), autocommit=True) as connection:
            for statement in _A_USE_OF_THE_FIRST_RELEASE:
                connection.execute(statement.encode())
        upgrade(urls.owner)
        with closing(Database(urls.service, urls.reader)) as database, database.read() as work:
            use = SealUses(work).get("use", agency_id="agency")
            authorisation = SealAuthorisations(work).get("authorisation", agency_id="agency")
        assert (use.kind, use.state) == (SealUseKind.DOCUMENT, SealUseState.COMPLETED)
        assert (use.level, use.level_reached) == (SignatureLevel.B_T, SignatureLevel.B_T)
        assert use.output == DocumentOutput(key="sealed", version="2", sha256=b"22")
        assert not authorisation.allows_digests
    finally:
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


_A_USE_OF_THE_FIRST_RELEASE = (
    "INSERT INTO seals.seal_requests (id, agency_id, name, reason, impression_png, impression_sha256, width_mm,"
    " height_mm, state, requested_by, requested_at)"
    " VALUES ('request', 'agency', 'n', 'r', '', '', 42, 42, 'made', 'p', now())",
    "INSERT INTO seals.seals (id, agency_id, request_id, name, key_id, certificate, serial, impression_png,"
    " impression_sha256, width_mm, height_mm, binding, state, valid_from, valid_until, made_at)"
    " VALUES ('seal', 'agency', 'request', 'n', 'key', '', '1', '', '', 42, 42, '', 'active', now(), now(), now())",
    "INSERT INTO seals.seal_authorisations (id, agency_id, seal_id, application_id, item_code, valid_from,"
    " valid_until, uses_allowed, state, granted_by, granted_at)"
    " VALUES ('authorisation', 'agency', 'seal', 'app', 'i', now(), now(), 1, 'granted', 'p', now())",
    "INSERT INTO seals.seal_uses (id, agency_id, seal_id, authorisation_id, application_id, item_code, level,"
    " original_key, original_version, original_sha256, output_key, lease_until, intended_at)"
    " VALUES ('use', 'agency', 'seal', 'authorisation', 'app', 'i', 'B-T', 'original', '1', '11', 'sealed',"
    " now(), now())",
    "INSERT INTO seals.seal_use_outcomes (use_id, outcome, output_version, output_sha256, event_id, at)"
    " VALUES ('use', 'completed', '2', '22', 'event', now())",
)


def test_seals_from_before_there_were_drawings_are_pictures_with_the_same_octets(
    postgres_before: Callable[[str], DatabaseUrls],
) -> None:
    urls = postgres_before("0002")
    engine = create_engine(urls.owner)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO seals.seal_requests (id, agency_id, name, reason, impression_png, impression_sha256, "
                "width_mm, height_mm, state, requested_by, requested_at) "
                "VALUES ('r', 'a', 'n', 'w', '\\x89504e47', '\\x00', 42, 42, 'made', 'p', now())"
            )
        )
        connection.execute(
            text(
                "INSERT INTO seals.seals (id, agency_id, request_id, name, key_id, certificate, serial, "
                "impression_png, impression_sha256, width_mm, height_mm, binding, state, valid_from, valid_until, "
                "made_at) VALUES ('s', 'a', 'r', 'n', 'k', '\\x00', '1', '\\x89504e47', '\\x00', 42, 42, '\\x01', "
                "'active', now(), now(), now())"
            )
        )
    upgrade(urls.owner)
    with engine.connect() as connection:
        for table in ("seals.seal_requests", "seals.seals"):
            (row,) = connection.execute(text(f"SELECT * FROM {table}"))
            assert (row.impression_media_type, bytes(row.impression)) == ("image/png", b"\x89PNG")
            with pytest.raises(DBAPIError, match="impression_known"), connection.begin_nested():
                connection.execute(text(f"UPDATE {table} SET impression_media_type = 'text/html'"))
    engine.dispose()


def test_what_was_issued_and_revoked_before_there_were_generations_belongs_to_the_key_that_signed_it(
    postgres_before: Callable[[str], DatabaseUrls],
) -> None:
    urls = postgres_before("0003")
    engine = create_engine(urls.owner)
    with engine.begin() as connection:
        for statement in _CERTIFICATES_BEFORE_THERE_WERE_GENERATIONS:
            connection.execute(text(statement))
    upgrade(urls.owner)
    with engine.connect() as connection:
        facts = [
            "SELECT issuer_key FROM trust.certificate_intents ORDER BY serial",
            "SELECT issuer_key FROM trust.certificates ORDER BY serial",
            "SELECT serial, step, act, issuer_key FROM trust.revocation_acts ORDER BY serial",
            "SELECT issuer_key, number, acts FROM trust.crls",
        ]
        found = [list(map(tuple, connection.execute(text(statement)))) for statement in facts]
    assert found == [
        [("key_root",), ("key_identity",)],
        [("key_root",)],
        [("2", 1, "revoke", "key_identity")],
        [("key_root", 7, -1)],
    ]
    with engine.connect() as connection, pytest.raises(DBAPIError, match="facts"):
        connection.execute(text("UPDATE trust.crls SET acts = 0"))
    engine.dispose()


_CERTIFICATES_BEFORE_THERE_WERE_GENERATIONS = (
    "INSERT INTO trust.key_bindings (key_id, label, purpose, suite, spki, chain, at)"
    " VALUES ('key_root', 'authority/root', 'authority', 's', '', '{}', now()),"
    " ('key_identity', 'authority/identity', 'authority', 's', '', '{}', now())",
    "INSERT INTO trust.intents (subject, key_id, kind, digest, lease_until, at)"
    " VALUES ('certificate/1', 'key_root', 'certificate', '', now(), now())",
    "INSERT INTO trust.certificate_intents (serial, authority, owner, payload, at)"
    " VALUES ('1', 'root', 'o', '{}', now()), ('2', 'identity', 'o', '{}', now())",
    "INSERT INTO trust.certificates (serial, authority, profile, owner, certificate, not_before, not_after, at)"
    " VALUES ('1', 'root', 'p', 'o', '', now(), now(), now())",
    "INSERT INTO trust.revocations (serial, authority, reason, at) VALUES ('2', 'identity', 'superseded', now())",
    "INSERT INTO trust.crls (authority, number, crl, this_update, next_update)"
    " VALUES ('root', 7, '', now(), now())",
)
