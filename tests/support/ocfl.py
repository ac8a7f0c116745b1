"""OCFL objects for tests, written as the archive writes them."""

from datetime import UTC, datetime
from pathlib import Path

from trust.packages import ocfl

OBJECT_ID = "urn:yinxin:rec_0197"
AUTHOR = ocfl.Author(name="档案局", address="urn:yinxin:agency_archives")
CREATED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def first(content=None, *, object_id: str = OBJECT_ID) -> ocfl.VersionPlan:
    """The plan for v1, by default of one package."""
    content = content or {"package.zip": b"a bag"}
    return ocfl.first_version(object_id, content, author=AUTHOR, message="归档", created=CREATED)


def following(plan: ocfl.VersionPlan, content, message: str = "补充归档") -> ocfl.VersionPlan:
    """The plan for the version after it."""
    return ocfl.next_version(plan.inventory, content, author=AUTHOR, message=message, created=CREATED)


def lay_out(folder: Path, *plans: ocfl.VersionPlan, upto: int | None = None) -> Path:
    """Puts the files of the plans into a folder in their order, or only the first `upto` of them."""
    files = [file for plan in plans for file in plan.files]
    for file in files[:upto]:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content if isinstance(file.content, bytes) else file.content.read())
    return folder


def lay_out_root(folder: Path) -> Path:
    """The files of a storage root."""
    for path, content in ocfl.root_files():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
