"""The signer's journal against intents and ledger; and the database's owner, who changes one book or the other."""

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql
from structlog.testing import capture_logs

from api.cli.journal_comparing import journal_report
from seals.model import SignatureLevel
from seals.uses.sign_digests import DigestsRequest
from tests.conftest import CeremonyTemplate
from tests.support.house import ITEM, House, opened_house
from tests.support.keys import KeyRoom, change_as_owner
from tests.support.pages import issue_permit
from tests.support.pdfs import build_pdf
from trust.authority.model import TIMESTAMP_LABEL
from trust.crypto.digests import sha256
from trust.kernel.report import Indication, Outcome, Report
from trust.keys.model import KeyAct
from trust.storage.database import Database
from trust.storage.embedded import DatabaseUrls
from trust.storage.jobs import libpq_url

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


@dataclass(frozen=True, kw_only=True)
class Books:
    """A database of its own, a copy of what the house left, and whoever owns it."""

    urls: DatabaseUrls

    def change(self, statement: str) -> None:
        change_as_owner(self.urls.owner, statement)

    def counted(self) -> dict[str, int]:
        with psycopg.connect(libpq_url(self.urls.signer)) as connection:
            return dict(connection.execute("SELECT key_id, uses FROM trust.keys").fetchall())

    def compared(self, *, counters: bool = True) -> Report:
        with closing(Database(self.urls.service, self.urls.reader)) as database:
            return journal_report(database, self.counted if counters else None)


def compared(room: KeyRoom) -> Report:
    def counted() -> dict[str, int]:
        return {str(key["key_id"]): int(key["uses"]) for key in room.keys.every()}

    return journal_report(room.house.services.database, counted)


def failed(report: Report) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check in report.checks:
        if check.outcome is Outcome.FAILED:
            found.setdefault(check.code, []).append(check.detail)
    return found


def _superuser(server: DatabaseUrls) -> psycopg.Connection:
    return psycopg.connect(libpq_url(server.named("postgres").superuser), autocommit=True)


def _copy(server: DatabaseUrls, template: str, name: str) -> DatabaseUrls:
    with _superuser(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER yinxin_owner").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return server.named(name)


def _drop(server: DatabaseUrls, name: str) -> None:
    with _superuser(server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def left_by_a_house(
    postgres_server: DatabaseUrls,
    ceremony_template: CeremonyTemplate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """What a house left that sealed, signed digests, issued, was restarted, destroyed a key, anchored its journal."""
    name = f"books_{os.getpid()}"
    urls = _copy(postgres_server, ceremony_template.database, name)
    with (
        capture_logs(),
        opened_house(tmp_path_factory.mktemp("books"), urls, ceremony_template.config) as house,
    ):
        desk = house.sealing_agency(digests=True)
        desk.seal_document(build_pdf())
        issue_permit(desk)
        digests = (sha256(b"1"), sha256(b"2"))
        house.services.seals.sign_digests(
            DigestsRequest(
                digests=digests,
                item_code=ITEM,
                idempotency_key="digests",
                body_digest=sha256(b"".join(digests)),
                level=SignatureLevel.B_B,
            ),
            desk.application,
        )
        house.signer.stop()
        house.signer.start()
        room = KeyRoom(house=house)
        room.act(KeyAct.DESTROY, room.sealing_key().key_id)
        house.services.keys.anchor_journal()
        desk.seal_document(build_pdf())
        room.stamp(room.binding(TIMESTAMP_LABEL).key_id)
    yield name
    _drop(postgres_server, name)


@pytest.fixture
def books(postgres_server: DatabaseUrls, left_by_a_house: str) -> Iterator[Books]:
    name = f"copy_{os.getpid()}_{next(_numbers)}"
    yield Books(urls=_copy(postgres_server, left_by_a_house, name))
    _drop(postgres_server, name)


def test_what_a_house_did_and_what_its_signer_signed_agree(books: Books) -> None:
    report = books.compared()
    assert failed(report) == {}
    assert report.indication is Indication.VALID
    assert report.facts["chains"] == 3  # that of the ceremony, and one before and after the restart


NEWEST_SEAL_USE = (
    "(SELECT max(number) FROM trust.signer_journal AS r WHERE r.subject LIKE 'sealuse_%'"
    " AND r.chain = (SELECT max(chain) FROM trust.signer_journal))"
)
OF_NEWEST = f"chain = (SELECT max(chain) FROM trust.signer_journal) AND number = {NEWEST_SEAL_USE}"


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (f"DELETE FROM trust.signer_journal WHERE {OF_NEWEST}", {"journal-chain", "journal-complete"}),
        (f"UPDATE trust.signer_journal SET signed = '\\x00' WHERE {OF_NEWEST}", {"journal-chain"}),
        (f"UPDATE trust.signer_journal SET subject = 'sealuse_x' WHERE {OF_NEWEST}", {"journal-intent"}),
        (f"UPDATE trust.signer_journal SET intended = '\\x01' WHERE {OF_NEWEST}", {"journal-intent"}),
        (f"UPDATE trust.signer_journal SET count = 5 WHERE {OF_NEWEST}", {"journal-chain", "journal-counter"}),
        (f"UPDATE trust.signer_journal SET outcome = 'made' WHERE {OF_NEWEST}", {"journal-chain"}),
        (
            "DELETE FROM trust.signer_journal WHERE chain = (SELECT min(chain) FROM trust.signer_journal)",
            {"journal-chain", "journal-complete"},
        ),
        (
            "DELETE FROM trust.signer_journal AS r WHERE number > 1 AND number ="
            " (SELECT max(number) FROM trust.signer_journal AS o WHERE o.chain = r.chain)"
            " AND chain < (SELECT max(chain) FROM trust.signer_journal)",
            {"journal-chain", "journal-counter"},
        ),
        ("DELETE FROM trust.signer_journal", {"journal-complete", "journal-anchor", "journal-counter"}),
        (
            "INSERT INTO trust.signer_journal SELECT chain, number + 1000, at, operation, key_id, count, subject,"
            f" intended, signed, outcome, detail, previous, hash FROM trust.signer_journal WHERE {OF_NEWEST}",
            {"journal-chain"},
        ),
        (
            "DELETE FROM trust.intents WHERE subject LIKE 'sealuse_%'",
            {"journal-intent"},
        ),
        (
            "UPDATE trust.intents SET digest = '\\x02' WHERE subject LIKE 'sealuse_%'",
            {"journal-intent"},
        ),
        (
            "UPDATE trust.intents SET key_id = 'key_x' WHERE subject LIKE 'certificate/%'",
            {"journal-intent"},
        ),
        (
            "INSERT INTO trust.intent_outcomes VALUES ('sealuse_forged', 'completed', now());"
            "INSERT INTO trust.intents (subject, key_id, kind, digest, lease_until, at)"
            " VALUES ('sealuse_forged', 'key_x', 'seal-use', '\\x03', now(), now())",
            {"journal-complete", "journal-event"},
        ),
        (
            "UPDATE trust.intent_outcomes SET outcome = 'abandoned' WHERE subject LIKE 'sealuse_%'",
            {"journal-event"},
        ),
        (
            "DELETE FROM trust.signer_journal WHERE outcome = 'destroyed'",
            {"journal-chain", "journal-anchor"},
        ),
        (
            "DELETE FROM trust.signer_journal WHERE subject IN"
            " (SELECT subject FROM trust.intents WHERE kind = 'credential')",
            {"journal-chain", "journal-complete"},
        ),
        (
            "UPDATE ledger.events SET act = 'licence.read' WHERE act = 'licence.issued'",
            {"journal-event"},
        ),
        (
            "UPDATE ledger.events SET act = 'certificate.read' WHERE act = 'certificate.issued'",
            {"journal-event"},
        ),
        ("UPDATE trust.keys SET uses = uses - 1 WHERE purpose = 'seal' AND uses > 0", {"journal-counter"}),
    ],
)  # fmt: skip
def test_each_change_by_the_databases_owner_is_found_and_named(
    books: Books, change: str, codes: set[str]
) -> None:
    books.change(change)
    report = books.compared()
    assert report.indication is Indication.INVALID
    found = failed(report)
    assert codes <= found.keys()
    assert all(detail for details in found.values() for detail in details)


def test_the_end_of_a_chain_is_not_cut_off_unseen_once_it_was_anchored(books: Books) -> None:
    """The owner cuts off the end of the newest chain and sets the counters back: only the ledger still knows."""
    books.change(
        "DELETE FROM trust.signer_journal USING trust.journal_notices AS notice"
        " WHERE signer_journal.chain = notice.chain AND signer_journal.number >= notice.number"
    )
    assert any(
        "names chain_" in detail for detail in failed(books.compared(counters=False))["journal-anchor"]
    )


def test_a_signature_for_an_intent_that_the_owner_forged_is_named_by_the_ledgers_silence(
    house: House,
) -> None:
    """The owner writes an intent that no act intended, has it signed, and leaves it, or takes it away again."""
    room = KeyRoom(house=house)
    key = room.sealing_key()
    opened, forged = room.intend(key, 2)
    assert failed(compared(room)) == {}  # an intent that is open is no disagreement
    room.client.sign_cms(forged)
    assert any(forged in detail for detail in failed(compared(room))["journal-event"])
    assert not any(opened in detail for detail in failed(compared(room))["journal-event"])
    room.as_owner("DELETE FROM trust.intents WHERE subject = %s", forged)
    assert any(forged in detail for detail in failed(compared(room))["journal-intent"])


def test_while_the_signer_signs_the_comparison_finds_nothing(house: House) -> None:
    room = KeyRoom(house=house)
    key = room.binding(TIMESTAMP_LABEL).key_id
    stop = threading.Event()

    def stamp() -> None:
        while not stop.is_set():
            room.stamp(key)

    thread = threading.Thread(target=stamp)
    thread.start()
    try:
        reports = [compared(room) for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    assert [failed(report) for report in reports] == [{}, {}, {}]
