"""The classification scheme: one fonds for an agency, one agency for a fonds, a class once."""

from pathlib import Path
from typing import Any

import pytest

from archive.errors import ArchiveClassExists, ArchiveClassRefused, FondsTaken
from tests.support.archive import ArchiveRoom
from trust.kernel.errors import InvalidInput
from trust.storage.database import Database


@pytest.fixture
def room(database: Database, tmp_path: Path) -> ArchiveRoom:
    return ArchiveRoom.open(database, tmp_path / "store", classes=False)


def test_a_class_is_defined_and_listed(room: ArchiveRoom) -> None:
    first = room.define(room.planning, "Z109")
    second = room.define(room.planning, "Z109", code="XZ·01")
    assert room.desk.scheme.page(room.planning.archivist, after=None, limit=5) == (first, second)
    assert room.desk.scheme.page(room.planning.system, after=first.id, limit=5) == (second,)
    assert room.desk.scheme.page(room.archives.archivist, after=None, limit=5) == ()
    assert room.acts(first.id) == ["archive-class.defined"]


def test_an_agency_has_one_fonds_and_a_fonds_one_agency(room: ArchiveRoom) -> None:
    room.define(room.planning, "Z109")
    with pytest.raises(FondsTaken, match="Z109"):
        room.define(room.planning, "Z110", code="WS")
    with pytest.raises(FondsTaken):
        room.define(room.archives, "Z109")
    assert room.count("fonds") == 1


def test_a_class_is_there_once(room: ArchiveRoom) -> None:
    room.define(room.planning, "Z109")
    with pytest.raises(ArchiveClassExists):
        room.define(room.planning, "Z109")
    room.define(room.archives, "A001")


@pytest.mark.parametrize(
    ("fonds", "changes"),
    [
        ("Z1", {}),
        ("Ｚ109", {}),
        ("Z109", {"code": "xz"}),
        ("Z109", {"code": "XZ-01"}),
        ("Z109", {"office": "规 划"}),
        ("Z109", {"office": ""}),
        ("Z109", {"name_zh": "a\nb"}),
        ("Z109", {"name_en": "\ud800"}),
    ],
)
def test_what_is_no_code_is_refused(room: ArchiveRoom, fonds: str, changes: dict[str, Any]) -> None:
    with pytest.raises((ArchiveClassRefused, InvalidInput)):
        room.define(room.planning, fonds, **changes)
    assert room.count("fonds") == 0
