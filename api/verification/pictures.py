"""Pictures of a verified PDF's pages, with the places of signatures and of what was changed after them.

    pictures = PagePictures()
    shown = pictures.of(data, report)  # never raises on account of the file; None where there is nothing to show

They are drawn in processes of their own (`api/verification/painting.py`), never in one that verifies: the library
that draws is native code, and a file that takes a process over must not answer for the next visitor's file. So the
pool replaces a process that has drawn. Nothing is kept: pictures go into the answer and are gone.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeGuard

import structlog

from api.verification.frames import Job
from api.verification.pool import VerificationAway, VerificationPool
from trust.kernel.report import Report

# The pages that matter for a decision with a few signatures; a reader looks at no more before opening the file.
MAX_PICTURES: Final = 8
# Boxes in one answer; a revision that touches more places than this is not made clearer by more boxes.
MAX_MARKS: Final = 60
# A page of ordinary size takes a tenth of a second.
SECONDS: Final = 10.0
# The library, the file several times over, and a few bitmaps.
MEMORY_BYTES: Final = 1024**3
WAIT_SECONDS: Final = 5.0
_MAX_SIDE: Final = 4000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SIGNATURES: Final = frozenset({"pdf-signature", "pdf-document-timestamp"})
_log = structlog.get_logger("yinxin.verification")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place that a revision changed after a signature: `number` as it is shown, `field` the first such signature.

    `box` is in the page's user space; `kinds` are the report's codes for what the revision was for; `allowed` says
    whether every signature before it has room for it.
    """

    number: int
    page: int
    box: tuple[float, float, float, float]
    field: str
    revision: int
    allowed: bool
    kinds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle in a picture's pixels: of a `mark`, or of the signature in `field`."""

    x: int
    y: int
    width: int
    height: int
    mark: Mark | None = None
    field: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A page as a PNG in base64; `signature` names the field whose signed state it shows, None the file as it is."""

    page: int
    signature: str | None
    width: int
    height: int
    png: str
    boxes: tuple[Box, ...]

    @property
    def address(self) -> str:
        """The picture as a data URI."""
        return f"data:image/png;base64,{self.png}"


@dataclass(frozen=True, kw_only=True)
class ShownPages:
    """What came of drawing: `failed` where it could not be done. `pages` is how many the document has."""

    pages: int = 0
    pictures: tuple[Picture, ...] = ()
    marks: tuple[Mark, ...] = ()
    failed: bool = False

    @property
    def complete(self) -> bool:
        """Whether every page is shown as it is."""
        return len({picture.page for picture in self.pictures if picture.signature is None}) >= self.pages


class PagePictures:
    """Draws pages in limited processes; safe to share between threads."""

    def __init__(self, size: int = 1, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._pool = VerificationPool(
            size, memory_bytes=memory_bytes, seconds=seconds, wait_seconds=WAIT_SECONDS
        )

    def start(self) -> None:
        """Starts the processes."""
        self._pool.start()

    def close(self) -> None:
        """Ends them."""
        self._pool.close()

    def of(self, data: bytes, report: Report) -> ShownPages | None:
        """The pages of a verified PDF; None for any other kind of file, or a PDF that cannot be read."""
        if report.kind != "pdf" or any(
            check.code == "document" and check.sub_indication for check in report.checks
        ):
            return None
        marks = marks_of(report)
        order = {
            "job": Job.PAINT,
            "most": MAX_PICTURES,
            "marks": [
                {"id": mark.number, "page": mark.page, "box": list(mark.box), "field": mark.field}
                for mark in marks
            ],
        }
        try:
            outcome = self._pool.run(order, b"", data)
            return _shown(outcome["painted"], marks)
        except VerificationAway:
            _log.warning("pictures.away")
        except (KeyError, TypeError, ValueError, AttributeError):
            why = outcome.get("failed", "unreadable-answer")
            _log.warning("pictures.ended", why=why, fault=outcome.get("fault"))
        return ShownPages(marks=marks, failed=True)


def marks_of(report: Report) -> tuple[Mark, ...]:
    """Every region that the report names as changed after a signature, numbered in the order of the report."""
    found: dict[tuple[int, tuple[float, ...], int], Mark] = {}
    for part in report.parts:
        if part.kind not in _SIGNATURES:
            continue
        for later in _mappings(part.facts.get("later_revisions")):
            revision, allowed = later.get("number"), later.get("allowed") is True
            for region in _mappings(later.get("regions")):
                page, box = region.get("page"), _box(region.get("box"))
                if not _is_count(page) or not _is_count(revision) or box is None:
                    continue
                known = found.get((page, box, revision))
                if known is not None:
                    found[page, box, revision] = replace(known, allowed=known.allowed and allowed)
                elif len(found) < MAX_MARKS:
                    found[page, box, revision] = Mark(
                        number=len(found) + 1,
                        page=page,
                        box=box,
                        field=str(part.facts.get("field", "")),
                        revision=revision,
                        allowed=allowed,
                        kinds=kinds_of(later),
                    )
    return tuple(found.values())


def kinds_of(later: Mapping[str, Any]) -> tuple[str, ...]:
    """What a later revision was for, by the report's codes."""
    kinds = later.get("kinds")
    return tuple(kind for kind in kinds if isinstance(kind, str)) if isinstance(kinds, list | tuple) else ()


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, Mapping))


def _box(value: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 4:
        return None
    sides = [float(side) for side in value if isinstance(side, int | float) and not isinstance(side, bool)]
    if len(sides) != 4 or not all(abs(side) < 1e6 for side in sides):
        return None
    return (sides[0], sides[1], sides[2], sides[3])


def _shown(given: Any, marks: tuple[Mark, ...]) -> ShownPages:
    """What a drawing process answered, read as a stranger's; raises ValueError and its kin on anything else."""
    numbered = {mark.number: mark for mark in marks}
    pictures = tuple(_picture(each, numbered) for each in given["pictures"][:MAX_PICTURES])
    return ShownPages(pages=_count(given["pages"], 10_000_000), pictures=pictures, marks=marks)


def _picture(given: Any, marks: Mapping[int, Mark]) -> Picture:
    png = given["png"]
    try:
        octets = base64.b64decode(png, validate=True)
    except binascii.Error as error:
        raise ValueError("a picture is not base64") from error
    if not octets.startswith(_PNG):
        raise ValueError("a picture is not a PNG")
    signature = given["signature"]
    return Picture(
        page=_count(given["page"], 10_000_000),
        signature=None if signature is None else _text(signature),
        width=_count(given["width"], _MAX_SIDE),
        height=_count(given["height"], _MAX_SIDE),
        png=base64.b64encode(octets).decode("ascii"),
        boxes=tuple(_box_of(each, marks) for each in given["boxes"][: 2 * MAX_MARKS]),
    )


def _box_of(given: Any, marks: Mapping[int, Mark]) -> Box:
    x, y, width, height = (_count(given[name], _MAX_SIDE) for name in ("x", "y", "width", "height"))
    mark = marks[given["mark"]] if "mark" in given else None
    field = None if "mark" in given else _text(given["field"])
    return Box(x=x, y=y, width=width, height=height, mark=mark, field=field)


def _text(value: Any) -> str:
    """A field's name as the report has it: without lone surrogates."""
    return str(value).encode("utf-8", "replace").decode()


def _count(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError("a number is out of range")
    return value
