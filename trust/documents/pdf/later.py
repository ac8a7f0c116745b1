"""What came after each signature of a file, and whether the signature has room for it.

    later = LaterChanges(history, signatures)
    later.after(signature).problems        # empty where all of it was allowed

The steps of the file from revision to revision are judged once, whatever the number of signatures.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from trust.documents.pdf.changes import Change, ChangeKind, Need, SoundSignatures, Step
from trust.documents.pdf.errors import DocumentRefused
from trust.documents.pdf.extents import Extents
from trust.documents.pdf.history import History
from trust.documents.pdf.permissions import Permissions
from trust.documents.pdf.references import ReferenceIndex
from trust.documents.pdf.signatures import EmbeddedSignature
from trust.documents.pdf.steps import judge_step
from trust.documents.pdf.use import Box
from trust.documents.pdf.uses import Uses

_END_OF_FILE = re.compile(rb"%%EOF(?:\r\n|\n|\r)?\Z")
# A hostile file has any number of problems; a report needs no more than these of one signature.
_MAX_PROBLEMS = 20
# Above the largest page that any reader shows (ISO 32000-1 Annex C.2), in units.
_FURTHEST = 1_000_000
_REFUSALS = {
    Need.SIGNING: "the signatures before it allow no other",
    Need.SIGNING_IN_SIGHT: "the signatures before it allow no other, or none to be seen where no field was prepared",
    Need.FILLING: "no certification allows this, or a lock forbids it",
    Need.ANNOTATING: "no certification allows comments",
}


@dataclass(frozen=True, kw_only=True)
class LaterRevision:
    """One revision after a signature, and whether that signature has room for all that it changed."""

    step: Step
    allowed: bool

    @cached_property
    def fact(self) -> dict[str, object]:
        """As reports have it: the revision's number from 1, where it ends, what kind it is, what it changed.

        Made once, and the same for every signature before the revision.
        """
        step = self.step
        return {
            "number": step.index + 1,
            "end": step.end,
            "kinds": sorted({change.kind.value for change in step.changes}),
            "allowed": self.allowed,
            "changes": [change.text for change in step.changes],
            "regions": [{"page": each.page, "box": _whole_units(each.box)} for each in step.regions],
        }


@dataclass(frozen=True, kw_only=True)
class After:
    """What came after one signature: what of it was not allowed, in sentences, and every revision."""

    problems: tuple[str, ...]
    revisions: tuple[LaterRevision, ...]


class LaterChanges:
    """Judges every step after the first sound signature, once."""

    def __init__(self, history: History, signatures: Sequence[EmbeddedSignature]) -> None:
        self._history = history
        self._signatures = [each for each in signatures if not each.problems and each.revision is not None]
        self._extents = Extents(history)
        self._facts: dict[tuple[int, bool], LaterRevision] = {}

    def after(self, signature: EmbeddedSignature) -> After:
        """What came after a signature that is sound in structure; raises DocumentRefused."""
        history = self._history
        end, index = signature.covered_end, signature.revision
        if end == len(history.document.data):
            return After(problems=(), revisions=())

        # 1. The file goes on in whole revisions that build on the signed one.
        problems: dict[str, None] = {}
        data = history.document.data
        if not _END_OF_FILE.search(data[-len(b"%%EOF\r\n") :]):
            problems["octets stand after the last %%EOF"] = None
        if index is None:
            problems["the file's cross-references do not build on those of the signed revision"] = None
            return After(problems=tuple(problems), revisions=())
        if index == history.last:
            problems["octets were added that are no revision"] = None
        else:
            if history.later_sections_reach_below(index, end):
                problems["a later revision has its cross-references inside the signed one"] = None
            if self._reaches_beyond(index, end):
                problems["an object of the signed revision goes on after its end"] = None

        # 2. Each of them changed only what this signature, and those before it, have room for.
        revisions: list[LaterRevision] = []
        permissions = history.view(index).permissions
        for step in self._steps:
            if step.index <= index:
                continue
            refused = _refused(step, permissions)
            problems.update(dict.fromkeys(refused))
            revisions.append(self._revision(step, allowed=not refused))
        return After(problems=tuple(problems)[:_MAX_PROBLEMS], revisions=tuple(revisions))

    def _reaches_beyond(self, index: int, end: int) -> bool:
        try:
            return self._extents.furthest(index) > end
        except DocumentRefused:
            return True  # where that cannot be told, it may be so

    def _revision(self, step: Step, *, allowed: bool) -> LaterRevision:
        key = step.index, allowed
        if key not in self._facts:
            self._facts[key] = LaterRevision(step=step, allowed=allowed)
        return self._facts[key]

    @cached_property
    def _steps(self) -> tuple[Step, ...]:
        return tuple(self._judged())

    def _judged(self) -> Iterator[Step]:
        history = self._history
        indices = [each.revision for each in self._signatures if each.revision is not None]
        first = min(indices, default=history.last)
        sound = SoundSignatures(
            by_value={each.reference: each for each in self._signatures if each.reference is not None},
            by_field={each.field: each for each in self._signatures if each.field is not None},
        )
        references = ReferenceIndex(history)
        following = first + 1
        try:
            uses = Uses(history.view(first))
            while following <= history.last:
                yield judge_step(uses, history.view(following), sound, references)
                following += 1
        except DocumentRefused as error:
            # What cannot be read cannot be compared, nor anything that builds on it.
            for index in range(following, history.last + 1):
                yield _unreadable(history, index, error.message)


def _whole_units(box: Box) -> list[int]:
    """The box rounded outwards: reports are canonical JSON, which has no decimals."""
    left, bottom, right, top = (max(-_FURTHEST, min(_FURTHEST, corner)) for corner in box)
    return [math.floor(left), math.floor(bottom), math.ceil(right), math.ceil(top)]


def _unreadable(history: History, index: int, reason: str) -> Step:
    change = Change(kind=ChangeKind.OTHER, need=Need.NEVER, text=f"it cannot be compared: {reason}")
    return Step(index=index, end=history.ends[index], changes=(change,), regions=())


def _refused(step: Step, permissions: Permissions) -> list[str]:
    return [
        f"{change.text}; {_REFUSALS[change.need]}" if change.need in _REFUSALS else change.text
        for change in step.changes
        if not change.is_allowed(permissions)
    ]
