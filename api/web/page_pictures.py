"""Pictures of a document's pages as a page shows them: figures with numbered boxes, and a legend in words."""

from dataclasses import dataclass
from typing import Final

from api.verification.names import plain_line
from api.verification.pictures import Box, Mark, Picture, ShownPages
from api.web.results import Say
from trust.kernel.report import Report
from trust.verify.texts import Language, change_text, kind_text

# The badge of a box, in pixels of the picture: large enough to be read on a narrow screen. A signature's label is
# two or three letters.
_BADGE: Final = 44
_SIGNATURE_BADGE: Final = 68
# A change that put a signature there has the same box; drawn so far outside, both are seen.
_OUTSET: Final = 8
# Half a line's width, so that the line of a box as large as the page is seen.
_EDGE: Final = 3
_MAX_NAME_CHARACTERS: Final = 60
_KINDS: Final = frozenset({"pdf-signature", "pdf-document-timestamp"})


@dataclass(frozen=True, kw_only=True)
class ShownBox:
    """A box with its badge, in which `label` stands.

    `kind` is `change`, `refused` (a change that is not allowed) or `signature`.
    """

    kind: str
    label: str
    x: int
    y: int
    width: int
    height: int
    badge_x: int
    badge_y: int
    badge_width: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a legend."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One picture: `caption` says which page in which state, `description` what is marked in it."""

    id: str
    address: str
    width: int
    height: int
    badge: int
    caption: str
    description: str
    boxes: tuple[ShownBox, ...]
    legend: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The figures in order, those of one page side by side; `note` says what is not shown."""

    rows: tuple[tuple[Figure, ...], ...]
    note: str
    failed: bool


def pages_of(shown: ShownPages | None, report: Report, language: Language, _: Say) -> Pages | None:
    """What to show of the pages; None where the file has none to show."""
    if shown is None:
        return None
    if shown.failed or not shown.pictures:
        return Pages(rows=(), note="", failed=True)
    labels = _Labels(report, language, _)
    rows: dict[int, list[Figure]] = {}
    for number, picture in enumerate(shown.pictures):
        rows.setdefault(picture.page, []).append(labels.figure(picture, f"page-{number}"))
    note = ""
    if not shown.complete:
        text = _("Shown are the pages with signatures or changes, then the first ones; %(total)d in all.")
        note = text % {"total": shown.pages}
    return Pages(rows=tuple(map(tuple, rows.values())), note=note, failed=False)


class _Labels:
    """The words for boxes: signatures by their place in the report, changes by their number."""

    def __init__(self, report: Report, language: Language, say: Say) -> None:
        self._language = language
        self._say = say
        parts = [part for part in report.parts if part.kind in _KINDS]
        self._signatures = {
            str(part.facts.get("field", "")): (number, kind_text(part.kind, language))
            for number, part in enumerate(parts, start=1)
        }

    def figure(self, picture: Picture, name: str) -> Figure:
        _ = self._say
        if picture.signature is None:
            caption = _("Page %(page)d, as the file is now") % {"page": picture.page}
        else:
            caption = _("Page %(page)d, as it was signed: %(signature)s") % {
                "page": picture.page,
                "signature": self._named(picture.signature),
            }
        found = [(self._shown(picture, box), self._line(box)) for box in picture.boxes]
        legend = tuple(dict.fromkeys(line for __, line in found))
        return Figure(
            id=name,
            address=picture.address,
            width=picture.width,
            height=picture.height,
            badge=_BADGE,
            caption=caption,
            description="; ".join(f"{line.label}: {line.text}" for line in legend)
            or _("Nothing is marked on this page."),
            boxes=tuple(shown for shown, __ in found),
            legend=legend,
        )

    def _named(self, field: str) -> str:
        number, kind = self._signatures.get(field, (0, ""))
        name = plain_line(field, _MAX_NAME_CHARACTERS)
        return f"{kind} {number} ({name})" if number else name

    def _line(self, box: Box) -> Line:
        _ = self._say
        if box.mark is None:
            field = box.field or ""
            text = _("where this stands: %(signature)s") % {"signature": self._named(field)}
            return Line(kind="signature", label=self._label(box), text=text)
        mark = box.mark
        words = {
            "revision": mark.revision,
            "what": ("、" if self._language is Language.ZH else ", ").join(
                change_text(kind, self._language) for kind in mark.kinds
            ),
            "signature": self._named(mark.field),
        }
        if mark.allowed:
            text = _("changed by revision %(revision)d (%(what)s) after %(signature)s; allowed") % words
        else:
            text = _("changed by revision %(revision)d (%(what)s) after %(signature)s; not allowed") % words
        return Line(kind=_kind(mark), label=self._label(box), text=text)

    def _label(self, box: Box) -> str:
        if box.mark is not None:
            return str(box.mark.number)
        number = self._signatures.get(box.field or "", (0, ""))[0]
        _ = self._say
        return _("S%(number)s") % {"number": number or "?"}

    def _shown(self, picture: Picture, box: Box) -> ShownBox:
        outset, width = (0, _SIGNATURE_BADGE) if box.mark is None else (_OUTSET, _BADGE)
        left, top = max(_EDGE, box.x - outset), max(_EDGE, box.y - outset)
        right = min(picture.width - _EDGE, box.x + box.width + outset)
        bottom = min(picture.height - _EDGE, box.y + box.height + outset)
        # Badges of changes stand at the left corner, those of signatures at the right: they often share a box.
        x = box.x if box.mark is not None else box.x + box.width - width
        return ShownBox(
            kind="signature" if box.mark is None else _kind(box.mark),
            label=self._label(box),
            x=left,
            y=top,
            width=max(1, right - left),
            height=max(1, bottom - top),
            badge_x=max(0, min(x, picture.width - width)),
            badge_y=max(0, min(box.y - _BADGE, picture.height - _BADGE)),
            badge_width=width,
        )


def _kind(mark: Mark) -> str:
    return "change" if mark.allowed else "refused"
