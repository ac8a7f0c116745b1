"""What a bad submission gets: a stable code, a kept event, and nothing half-done."""

import io
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from archive.errors import ManifestRefused, SubmissionRefused, SubmissionTooLarge
from archive.ingest import submission
from tests.support.archive import (
    ARCHIVES,
    PLANNING,
    ArchiveRoom,
    case_files,
    manifest_of,
    material,
    request_of,
    zip_of,
)
from trust.kernel.errors import InvalidInput, YinxinError
from trust.packages.errors import ZipBomb, ZipMalformed, ZipRefused
from trust.storage.database import Database

FILES = {"a.json": b"{}"}


@pytest.fixture
def room(database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path / "store")


def refusal(room: ArchiveRoom, request: Any) -> YinxinError:
    """The error; whatever it is, nothing was taken and nothing is left."""
    with pytest.raises(YinxinError) as caught:
        room.desk.ingest(request, room.planning.system)
    assert room.count("records") == 0
    assert room.count("item_numbers") == 0
    assert room.keys(PLANNING) == []
    return caught.value


def zip_entry(name: str, data: bytes = b"{}", *, mode: int = 0) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3
        entry.external_attr = mode << 16
        archive.writestr(entry, data)
    return stored.getvalue()


@pytest.mark.parametrize("name", ["../a.json", "/a.json", "a/../../b.json", "C:\\a.json", "a\x00.json", "a."])
def test_a_zip_that_leads_outside_is_refused(room: ArchiveRoom, name: str) -> None:
    # zipfile cuts names at NUL and turns backslashes: put the very octets in.
    placeholder = "x" * len(name.encode())
    package = zip_entry(placeholder).replace(placeholder.encode(), name.encode())
    error = refusal(room, request_of(manifest_of(FILES), package=package))
    assert error.code == "zip-name-refused"


def test_a_link_in_a_zip_is_refused(room: ArchiveRoom) -> None:
    package = zip_entry("a.json", b"/etc/passwd", mode=stat.S_IFLNK | 0o777)
    assert refusal(room, request_of(manifest_of(FILES), package=package)).code == "zip-link"


def test_a_bomb_is_refused_before_it_is_unpacked(room: ArchiveRoom) -> None:
    bomb = {"a.json": bytes(64 * 1024 * 1024)}
    error = refusal(room, request_of(manifest_of(FILES), package=zip_of(bomb, compressed=True)))
    assert isinstance(error, ZipBomb)


def test_a_zip_that_lies_about_its_sizes_is_refused(room: ArchiveRoom) -> None:
    package = bytearray(zip_of({"a.json": b"{}" * 100}, compressed=True))
    position = package.index(b"PK\x01\x02") + 24
    struct.pack_into("<I", package, position, 5)
    assert isinstance(refusal(room, request_of(manifest_of(FILES), package=bytes(package))), ZipRefused)


@pytest.mark.parametrize("package", [b"", b"not a zip", b"PK\x05\x06" + bytes(18) + b"more"])
def test_what_is_no_zip_is_refused(room: ArchiveRoom, package: bytes) -> None:
    error = refusal(room, request_of(manifest_of(FILES), package=package))
    assert isinstance(error, ZipMalformed)


@pytest.mark.parametrize(
    "name", ["../a.json", "/a.json", "a\\b.json", "", "a\x00.json", "\ud800.json", "a/" * 40]
)
def test_a_files_name_that_cannot_be_kept_is_refused(room: ArchiveRoom, name: str) -> None:
    request = request_of(manifest_of(FILES))
    incoming = [submission.IncomingFile(name=name, stream=io.BytesIO(b"{}"))]
    error = refusal(room, type(request)(**{**vars(request), "files": incoming}))
    assert isinstance(error, SubmissionRefused)


def test_two_files_of_one_name_are_refused(room: ArchiveRoom) -> None:
    request = request_of(manifest_of(FILES))
    incoming = [submission.IncomingFile(name=name, stream=io.BytesIO(b"{}")) for name in ("a.json", "A.json")]
    error = refusal(room, type(request)(**{**vars(request), "files": incoming}))
    assert isinstance(error, SubmissionRefused)


def test_a_file_that_is_also_a_folder_is_refused(room: ArchiveRoom) -> None:
    files = {"a.json": b"{}", "a.json/b.json": b"{}"}
    assert isinstance(refusal(room, request_of(manifest_of(files), files)), InvalidInput)


def test_files_and_a_zip_at_once_are_refused(room: ArchiveRoom) -> None:
    error = refusal(room, request_of(manifest_of(FILES), FILES, package=zip_of(FILES)))
    assert error.code == "invalid-input"


def test_nothing_at_all_is_refused(room: ArchiveRoom) -> None:
    error = refusal(room, request_of(manifest_of(FILES)))
    assert isinstance(error, SubmissionRefused)
    assert "content-present" in error.message


def test_a_material_over_the_limit_is_refused(room: ArchiveRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "MAX_MATERIAL_BYTES", 10)
    files = {"a.json": b'"0123456789"'}
    assert isinstance(refusal(room, request_of(manifest_of(files), files)), SubmissionTooLarge)


def test_a_manifest_that_cannot_be_read_is_refused(room: ArchiveRoom) -> None:
    assert isinstance(refusal(room, request_of(b"{", FILES)), ManifestRefused)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"size": 3}, "/materials/0/size"),
        ({"sha256": "0" * 64}, "/materials/0/sha256"),
        ({"name": "b.json"}, "/materials/0/name"),
    ],
)
def test_a_manifest_that_disagrees_with_the_files_is_refused_and_the_refusal_kept(
    room: ArchiveRoom, changes: dict[str, Any], pointer: str
) -> None:
    manifest = manifest_of(FILES, materials=[material("a.json", b"{}", **changes)])
    error = refusal(room, request_of(manifest, FILES))
    assert isinstance(error, SubmissionRefused)
    assert pointer in [fault.pointer for fault in error.errors]
    (event,) = [event for event in room.events("record.intended") if event["outcome"] == "refused"]
    assert event["reason"] == "submission-refused"
    assert event["agency"] == PLANNING


def test_another_agencys_class_is_none_of_ours(room: ArchiveRoom) -> None:
    room.define(room.archives, "A001", code="ZY")
    error = refusal(room, request_of(manifest_of(FILES, class_code="ZY"), FILES))
    assert [fault.pointer for fault in error.errors] == ["/class_code"]


def test_another_agencys_reuse_cannot_be_cited(database: Database, tmp_path: Path) -> None:
    room = ArchiveRoom.open(database, tmp_path / "store")
    record = room.ingest().record
    reuse = room.reuse(record, "materials/site.pdf").reuse
    cited = {
        "archival_code": reuse.archival_code,
        "material": reuse.material,
        "sha256": reuse.sha256.hex(),
        "reuse_id": reuse.id,
    }
    with pytest.raises(SubmissionRefused, match="citation"):
        room.ingest(reused=[cited], case_number=reuse.case_number)
    assert room.ingest(staff=room.archives, reused=[cited], case_number=reuse.case_number).record
    assert room.archives.agency_id == ARCHIVES
    assert case_files()
