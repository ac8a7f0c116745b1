"""Exports of events as signed files: a stranger with the log's key alone sees what they show, and every change."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from tests.support.ledger import ORIGIN, LedgerRoom, NoteSigner, Struck, event
from trust.evidence.event_export_format import (
    EVENTS,
    MANIFEST,
    NOTE,
    ExportManifest,
    is_event_export,
)
from trust.evidence.event_exports import verify_event_export
from trust.evidence.export_notes import ExportNote
from trust.evidence.receipts import Receipt
from trust.evidence.tlog import Checkpoint, NoteMalformed, sign_note
from trust.kernel.ids import Ids
from trust.kernel.randomness import SystemRandomness
from trust.kernel.report import Indication
from trust.ledger.model import EventId
from trust.ledger.search import EventQuery, EventScope
from trust.ledger.supervision.exports import Export, ExportId, ExportMaking, Exports, ask


class SigningOffice(NoteSigner):
    """Signs exports as the signer process does."""

    def sign_export(self, *, export_id, manifest, events, at):
        note = ExportNote(origin=ORIGIN, manifest=manifest, export_id=export_id, events=events, at=at)
        return sign_note(note.text(), key=self.key, sign=self._private.sign)


class Office:
    """A ledger whose exports are made by hand."""

    def __init__(self, room):
        self.room = room
        room.signer = SigningOffice()
        self.ids = Ids(room.clock, SystemRandomness())

    def making(self, **changes):
        given = {
            "ledger": self.room.ledger,
            "store": self.room.store,
            "signer": self.room.signer,
            "origin": ORIGIN,
            "keys": [self.room.signer.key],
            "query_of": lambda export: EventQuery(
                scope=EventScope(agency=export.agency), **dict(export.query)
            ),
            "clock": self.room.clock,
        }
        return ExportMaking(**{**given, **changes})

    def ask(self, *, agency=None, **query):
        export = Export(
            id=self.ids.new(ExportId), agency=agency, by_account="staff_1", by_kind="staff", query=query,
            event_id=EventId(""), at=self.room.clock.now(), done=0, total=0, outcome=None,
        )  # fmt: skip
        with self.room.ledger.work() as work:
            receipt = work.record(event(export.id, act="events.exported", agency=agency))
            ask(work, replace(export, event_id=receipt.event_id), lease_until=self.room.clock.now())
        return export.id

    def standing(self, export_id):
        with self.room.ledger.read() as work:
            return Exports(work).get(export_id, scope=EventScope.everything(), by_account="staff_1")

    def made(self, **query):
        export_id = self.ask(**query)
        self.room.sequencer().catch_up()
        assert self.making().make_all() == 1
        outcome = self.standing(export_id).outcome
        return self.room.store.get(outcome.object_key, outcome.object_version)

    def report(self, octets, keys=None):
        return verify_event_export(octets, keys=[self.room.signer.key] if keys is None else keys)


@pytest.fixture
def office(database, tmp_path):
    return Office(LedgerRoom.open(database, tmp_path / "store"))


def rezipped(octets, **changed):
    """The same zip with some members changed, or left out (None)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(octets)) as given, zipfile.ZipFile(out, "w") as made:
        members = {name: given.read(name) for name in given.namelist()} | changed
        for name, content in members.items():
            if content is not None:
                made.writestr(name, content)
    return out.getvalue()


def lines(octets):
    with zipfile.ZipFile(io.BytesIO(octets)) as given:
        return [json.loads(line) for line in given.read(EVENTS).splitlines()]


def failed(report):
    return {check.code for check in report.checks if check.outcome.value == "failed"}


def test_an_export_shows_every_event_to_whoever_holds_the_key_and_names_its_gaps(office):
    office.room.record(
        *(event(f"use_{n}", act="seal.made" if n % 3 else "seal-use.intended") for n in range(300))
    )
    octets = office.made(act="seal-use.")
    report = office.report(octets)
    assert report.indication is Indication.VALID, report.checks
    assert (report.facts["events"], report.facts["tree_size"]) == (100, 301)
    assert report.facts["gap_count"] == 99
    assert report.facts["gaps"][:2] == ["1-2", "4-5"]
    assert [line["content"]["pages"] for line in lines(octets)] == [3] * 100
    whole = office.report(office.made())
    assert (whole.indication, whole.facts["events"], whole.facts["gap_count"]) == (Indication.VALID, 301, 0)


def test_erased_content_is_redacted_and_the_export_still_valid(office):
    first, *_ = office.room.record(event("use_1"), event("use_2"))
    with office.room.ledger.work() as work:
        work.erase_content(first.event_id, recorded_as=event("x", act="content.erased"))
    octets = office.made()
    report = office.report(octets)
    assert (report.indication, report.facts["redacted"]) == (Indication.VALID, 1)
    assert "某某" not in json.dumps(lines(octets)[0], ensure_ascii=False)


def test_an_export_is_of_what_was_in_the_log_when_it_was_asked_for_and_of_the_own_agency(office):
    office.room.record(event("use_1"), event("use_2", agency="agency_2"))
    export_id = office.ask(agency="agency_1")
    office.room.record(event("use_3"))
    assert office.making().make_all() == 0  # the log does not cover the asking yet
    office.room.sequencer().catch_up()
    assert office.making().make_all() == 1
    outcome = office.standing(export_id).outcome
    octets = office.room.store.get(outcome.object_key, outcome.object_version)
    assert [json.loads(line["header"])["subject"] for line in lines(octets)] == ["use_1"]
    assert outcome.sha256 == hashlib.sha256(octets).digest()


def test_without_the_right_key_nobody_can_tell(office):
    office.room.record(event())
    octets = office.made()
    assert office.report(octets, keys=[]).indication is Indication.CANNOT_TELL
    assert (
        office.report(octets, keys=[NoteSigner("other.example/log").key]).indication is Indication.CANNOT_TELL
    )
    # A key of the same name that did not sign is as unknown as any other.
    assert office.report(octets, keys=[NoteSigner().key]).indication is Indication.CANNOT_TELL


def changed_line(octets, change):
    found = lines(octets)
    change(found)
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in found)


def _drop(found):
    del found[1]


def _swap(found):
    found[0], found[1] = found[1], found[0]


def _other_content(found):
    found[0]["content"]["pages"] = 4


def _other_header(found):
    found[0]["header"] = found[0]["header"].replace("use_0", "use_9")


def _redact(found):
    found[0]["salt"] = found[0]["content"] = None


def _other_index(found):
    found[0]["index"] = 1


@pytest.mark.parametrize("change", [_drop, _swap, _other_content, _other_header, _redact, _other_index])
def test_every_change_to_the_events_is_seen_even_where_the_manifest_was_not_signed_anew(office, change):
    office.room.record_many(5)
    octets = office.made()
    changed = rezipped(octets, **{EVENTS: changed_line(octets, change)})
    report = office.report(changed)
    assert report.indication is Indication.INVALID
    assert "members" in failed(report)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_swap, "events"),
        (_other_content, "content"),
        (_other_header, "inclusion"),
        (_other_index, "inclusion"),
    ],
)
def test_a_log_that_signs_a_wrong_file_is_refuted_by_its_own_tree(office, change, code):
    """Whoever holds the key can sign any manifest, but not make events that were never in the log."""
    office.room.record_many(5)
    octets = office.made()
    events = changed_line(octets, change)
    with zipfile.ZipFile(io.BytesIO(octets)) as given:
        manifest = ExportManifest.read(given.read(MANIFEST))
    members = {**manifest.members, EVENTS: (len(events), hashlib.sha256(events).digest())}
    forged = replace(manifest, members=members).encode()
    note = office.room.signer.sign_export(
        export_id=manifest.export_id, manifest=hashlib.sha256(forged).digest(), events=manifest.events,
        at=manifest.exported_at,
    )  # fmt: skip
    report = office.report(rezipped(octets, **{EVENTS: events, MANIFEST: forged, NOTE: note.encode()}))
    assert report.indication is Indication.INVALID
    assert code in failed(report)


def test_what_does_not_answer_the_query_is_named(office):
    office.room.record(event("use_1"), event("use_2"))
    octets = office.made()
    with zipfile.ZipFile(io.BytesIO(octets)) as given:
        manifest = ExportManifest.read(given.read(MANIFEST))
    forged = replace(manifest, query={"subject": "use_1"}).encode()
    note = office.room.signer.sign_export(
        export_id=manifest.export_id, manifest=hashlib.sha256(forged).digest(), events=manifest.events,
        at=manifest.exported_at,
    )  # fmt: skip
    assert failed(office.report(rezipped(octets, **{MANIFEST: forged, NOTE: note.encode()}))) == {"selection"}


@pytest.mark.parametrize("name", [MANIFEST, NOTE, "checkpoint", EVENTS])
def test_a_missing_member_is_named(office, name):
    office.room.record(event())
    report = office.report(rezipped(office.made(), **{name: None}))
    assert report.indication is Indication.INVALID


def test_what_an_export_has_not_is_refused_by_name(office):
    octets = rezipped(office.made(), **{"../evil": b"x"})
    assert office.report(octets).indication is Indication.INVALID
    assert office.report(rezipped(office.made(), readme=b"x")).indication is Indication.INVALID
    assert office.report(b"PK\x03\x04" + b"\0" * 40).indication is Indication.INVALID


def test_a_zip_that_unpacks_to_far_more_than_it_holds_is_not_unpacked(office):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression=zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(MANIFEST, b"\0" * (8 * 1024**2))
    report = office.report(out.getvalue())
    assert report.indication is Indication.INVALID
    assert is_event_export(out.getvalue())


def test_too_many_events_are_refused_with_an_outcome(office):
    office.room.record_many(4)
    export_id = office.ask()
    office.room.sequencer().catch_up()
    assert office.making(max_events=3).make_all() == 1
    assert office.standing(export_id).outcome.failed == "event-export-too-large"


def test_a_worker_that_died_loses_nothing_and_the_next_makes_it_once(office):
    office.room.record_many(3)
    export_id = office.ask()
    office.room.sequencer().catch_up()

    class Dying:
        def sign_export(self, **_given):
            raise Struck

    with pytest.raises(Struck):
        office.making(signer=Dying()).make_all()
    assert office.making().make_all() == 0  # still the dead one's
    office.room.clock.advance(timedelta(minutes=3))
    assert office.making().make_all() == 1
    assert office.making().make_all() == 0
    assert office.standing(export_id).outcome.events == 3


def test_the_signed_text_is_neither_a_checkpoint_nor_a_receipt(office):
    note = ExportNote(
        origin=ORIGIN,
        manifest=b"\1" * 32,
        export_id="evexport_" + "0" * 32,
        events=3,
        at=office.room.clock.now(),
    )
    assert ExportNote.parse(note.text()) == note
    for other in (Checkpoint, Receipt):
        with pytest.raises(NoteMalformed):
            other.parse(note.text())
    with pytest.raises(NoteMalformed):
        ExportNote.parse(Checkpoint(origin=ORIGIN, size=3, root=b"\1" * 32).text())


def test_a_row_changed_behind_the_ledgers_back_is_never_exported(office, postgres):
    office.room.record_many(3)
    office.ask()
    office.room.sequencer().catch_up()
    engine = create_engine(postgres.superuser)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE ledger.events SET subject = 'other' WHERE subject = 'use_1'"))
    engine.dispose()
    with pytest.raises(Exception, match="does not give its leaf hash"):
        office.making().make_all()
