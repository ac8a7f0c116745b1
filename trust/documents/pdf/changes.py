"""What one revision changed in the one before it: the words for it.

A change names what it takes for it to be allowed; whether that is so is said by the permissions of each signature
before it (see `later`).
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from trust.documents.pdf.crossreference import InFile
from trust.documents.pdf.fields import Field
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.pages import box_of
from trust.documents.pdf.permissions import Permissions
from trust.documents.pdf.references import ReferenceIndex
from trust.documents.pdf.signatures import EmbeddedSignature
from trust.documents.pdf.syntax import Dictionary, Reference, Value, same
from trust.documents.pdf.use import Box, PageUse
from trust.documents.pdf.uses import Uses

# A hostile file has any number of problems; a report needs no more than these of one revision.
_MAX_CHANGES = 50
_MAX_REGIONS = 200


class ChangeKind(StrEnum):
    """What a revision was for, as far as it can be told."""

    SIGNATURE = "signature"
    DOCUMENT_TIMESTAMP = "document-timestamp"
    VALIDATION_DATA = "validation-data"
    FORM_FILLING = "form-filling"
    METADATA = "metadata"
    OTHER = "other"


class Need(StrEnum):
    """What has to be allowed for a change to be."""

    NOTHING = "nothing"
    SIGNING = "signing"
    SIGNING_IN_SIGHT = "signing where no field was prepared"
    FILLING = "filling in forms"
    ANNOTATING = "comments"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of a page, numbered from 1, in its user space: left, bottom, right, top."""

    page: int
    box: Box


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change in a sentence; `field` is the full name where it is about one."""

    kind: ChangeKind
    need: Need
    text: str
    field: str | None = None

    def is_allowed(self, permissions: Permissions) -> bool:
        """Whether these permissions have room for it."""
        match self.need:
            case Need.NOTHING:
                return True
            case Need.SIGNING:
                return permissions.may_sign(self.field or "")
            case Need.SIGNING_IN_SIGHT:
                return permissions.may_sign(self.field or "") and permissions.may_show_new_signatures()
            case Need.FILLING:
                return permissions.may_fill(self.field or "")
            case Need.ANNOTATING:
                return permissions.may_annotate()
        return False


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one revision changed; `index` is that of its cross-reference section, `end` where it ends."""

    index: int
    end: int
    changes: tuple[Change, ...]
    regions: tuple[Region, ...]


@dataclass(frozen=True, kw_only=True)
class SoundSignatures:
    """The signatures of the whole file that are sound in structure, by their dictionary and by their field."""

    by_value: Mapping[Reference, EmbeddedSignature]
    by_field: Mapping[Reference, EmbeddedSignature]


class Findings:
    """Collects what a revision changed, and where on the pages that is to be seen."""

    def __init__(self) -> None:
        self._changes: dict[Change, None] = {}
        self._regions: dict[Region, None] = {}
        self.forbidden = False

    def tell(self, kind: ChangeKind, need: Need, text: str, field_name: str | None = None) -> None:
        """Notes a change that is allowed where `need` is."""
        # Whatever the number of changes, one that is never allowed is among those told.
        if len(self._changes) < _MAX_CHANGES or (need is Need.NEVER and not self.forbidden):
            self._changes[Change(kind=kind, need=need, text=text, field=field_name)] = None
        self.forbidden = self.forbidden or need is Need.NEVER

    def forbid(self, text: str) -> None:
        """Notes a change that is never allowed."""
        self.tell(ChangeKind.OTHER, Need.NEVER, text)

    def mark(self, page: PageUse, box: Box | None) -> None:
        """Notes where a change is to be seen; nothing where it has no extent."""
        if box is not None and len(self._regions) < _MAX_REGIONS:
            self._regions[Region(page=page.number, box=box)] = None

    def step(self, view: RevisionView) -> Step:
        """All of it, for the revision that ends with `view`."""
        return Step(
            index=view.index, end=view.end, changes=tuple(self._changes), regions=tuple(self._regions)
        )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two revisions, one after the other: which objects were replaced and created, and what is found."""

    uses: Uses
    before: RevisionView
    after: RevisionView
    sound: SoundSignatures
    references: ReferenceIndex
    replaced: set[int] = field(default_factory=set)
    created: set[int] = field(default_factory=set)
    findings: Findings = field(default_factory=Findings)

    def is_created(self, value: Value) -> bool:
        """Whether a value refers to an object that the later revision brought."""
        return isinstance(value, Reference) and value.number in self.created

    def later_signature(self, value: Value) -> EmbeddedSignature | None:
        """The sound signature that stands there, created and covering more than the earlier revision."""
        if not isinstance(value, Reference) or not self.is_created(value):
            return None
        found = self.sound.by_value.get(value)
        return found if found is not None and found.covered_end > self.before.end else None

    def tell_signature(self, signature: EmbeddedSignature, text: str, *, appears: bool) -> None:
        """Notes a signature that came, and whether it `appears` where nothing was to be seen before.

        Of a document timestamp nothing is asked (ISO 32000-2 Table 257), and therefore it may show nothing: what
        it showed would follow even a certification against every change.
        """
        stamped = signature.is_document_timestamp
        kind = ChangeKind.DOCUMENT_TIMESTAMP if stamped else ChangeKind.SIGNATURE
        need = Need.NOTHING if stamped else Need.SIGNING_IN_SIGHT if appears else Need.SIGNING
        if stamped and appears:
            self.findings.forbid(f"the document timestamp {signature.field_name!r} is to be seen on a page")
        self.findings.tell(kind, need, text, signature.field_name)

    def mark_widgets(self, changed: Field) -> None:
        """Marks where a field that was there before is shown."""
        for reference in changed.widgets:
            if (page := self.uses.page_of_annotation(reference.number)) is not None:
                self.findings.mark(page, self.rectangle(self.after.dictionary(reference)))

    def is_seen(self, widget: Dictionary | None) -> bool:
        """Whether a widget takes up room; its flags are not asked, for readers differ in how they heed them."""
        if widget is None:
            return False
        if widget.get("Rect") is None:
            return widget.get("AP") is not None
        corners = self.after.array(widget["Rect"])
        numbers = [self.after.resolve(each) for each in corners or ()]
        plain = [each for each in numbers if isinstance(each, int | float) and not isinstance(each, bool)]
        return len(numbers) != 4 or len(plain) != 4 or self.rectangle(widget) is not None

    def rectangle(self, annotation: Dictionary | None) -> Box | None:
        """Where an annotation is, in its page's user space."""
        if annotation is None:
            return None
        return box_of(self.after, self.after.resolve(annotation.get("Rect")))

    def compare(self, old: Dictionary, new: Dictionary, changeable: Set[str], what: str) -> None:
        """Forbids every difference but in the entries that may change."""
        if new.repeated:
            self.findings.forbid(f"{what} has /{min(new.repeated)} twice")
        for key in sorted(old.keys() | new.keys()):
            if key not in changeable and not same(old.get(key), new.get(key)):
                self.findings.forbid(f"/{key} of {what} was changed")


def same_lists(one: list[Value], other: list[Value]) -> bool:
    """Whether two lists hold the same values in the same order."""
    return one is other or (len(one) == len(other) and all(map(same, one, other)))


def added_to(comparison: Comparison, before: list[Value], after: list[Value], what: str) -> list[Value]:
    """What a list has at its end that it had not; forbids it to have changed otherwise."""
    if not same_lists(before, after[: len(before)]):
        comparison.findings.forbid(f"{what} were reordered or removed")
        return []
    return after[len(before) :]


def located(view: RevisionView, number: int) -> Reference:
    """An object's reference, with the generation that it has in this revision."""
    location = view.cross_references.locations.get(number)
    return Reference(number, location.generation if isinstance(location, InFile) else 0)


def value_at(view: RevisionView, number: int) -> Value:
    """An object's value, of a stream its dictionary; None where it is not there."""
    found = view.indirect(located(view, number))
    return found.value if found is not None else None


def plain_value_at(view: RevisionView, number: int) -> Value:
    """The same, None for a stream: in the place of a dictionary it is something else altogether."""
    found = view.indirect(located(view, number))
    return found.value if found is not None and found.stream is None else None
