"""The archive on each object store: the same object, the same locks, whichever store keeps it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import pytest

from archive.ids import object_urn
from archive.model import ArchivalRecord, RecordState
from archive.repository import Records
from archive.search import RecordQuery
from tests.support.archive import APPLICATION, LEASE, PLANNING, ArchiveRoom, Crash, case_files
from tests.support.stores import object_store
from trust.kernel.report import Indication
from trust.packages import ocfl
from trust.storage.database import Database
from trust.storage.objects import ObjectLocked, ObjectStore


@pytest.fixture(params=["folder", "s3"])
def room(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path, store=object_store(request.param, tmp_path))


class StoredFiles:
    """The files of one OCFL object as the store lists them."""

    def __init__(self, store: ObjectStore, record: ArchivalRecord) -> None:
        self._store = store
        self._prefix = f"{record.agency_id}/archive/{ocfl.object_path(object_urn(record.id))}/"

    def entries(self) -> Iterator[ocfl.Entry]:
        for found in self._store.list(self._prefix):
            yield ocfl.Entry(path=found.key.removeprefix(self._prefix))

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        return self._store.open(self._prefix + path)


def test_a_record_is_whole_locked_and_readable(room: ArchiveRoom) -> None:
    record = room.ingest().record
    report = ocfl.validate_object(StoredFiles(room.store.inner, record))
    assert report.indication is Indication.VALID, report
    with room.ledger.read() as work:
        files = Records(work).files(record.id)
    for file in files:
        shown = room.store.stat(file.key, file.version_id).retain_until
        assert shown is not None
        assert shown >= record.retain_until
        with pytest.raises(ObjectLocked):
            room.store.delete(file.key, file.version_id)
    assert room.read(record, APPLICATION)[1] == case_files()[APPLICATION]


def test_an_ingest_cut_off_half_way_is_finished_there(room: ArchiveRoom) -> None:
    room.store.fail_at, room.store.fail_with, room.store.after = "/inventory.json", Crash, True
    with pytest.raises(Crash):
        room.ingest()
    room.store.fail_at = None
    room.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert room.desk.resume() == 1
    (record,) = room.desk.reading.search(room.planning.archivist, RecordQuery())
    assert record.state is RecordState.REGISTERED
    report = ocfl.validate_object(StoredFiles(room.store.inner, record))
    assert report.indication is Indication.VALID, report
    with room.ledger.read() as work:
        assert all(len(room.store.versions(file.key)) == 1 for file in Records(work).files(record.id))
    assert f"{PLANNING}/submissions/{record.id}/submission.zip" not in room.keys(f"{PLANNING}/submissions/")
