"""What one revision changed in the one before it, and what it takes for that to be allowed.

Every step of a file from revision to revision is judged once; what came after a signature is then the union of the
steps after it, under what that signature allows (see `later`). On the list of what may change are: further
signatures that are sound themselves, in new fields or in fields that were empty; validation data (/DSS); document
information's date and producer, and metadata that nothing else uses, as other signers write them; and, where a
certification says so, filled-in forms and comments. Any other object that is replaced, removed, or brought to
life where the file referred to nothing, is named and never allowed.
(ISO 32000-2 §12.8.2.2; ETSI EN 319 142-1 §5.4.)
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum

from trust.documents.pdf.crossreference import InFile, InStream, Location
from trust.documents.pdf.fields import Field, form_of
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.pages import box_of
from trust.documents.pdf.permissions import Permissions
from trust.documents.pdf.references import ReferenceIndex, is_metadata, times_metadata_of_the_catalog
from trust.documents.pdf.signatures import EmbeddedSignature
from trust.documents.pdf.syntax import Dictionary, Reference, Value, same
from trust.documents.pdf.uses import COMMENTS, Box, PageUse, Use, Uses, appearances_of, parts_of

# What a later revision may change in an object of each use; everything else has to stay the same.
_CHANGEABLE: Mapping[Use, frozenset[str]] = {
    Use.CATALOG: frozenset({"AcroForm", "DSS", "Extensions", "Metadata", "Version"}),
    Use.FORM: frozenset({"Fields", "SigFlags", "NeedAppearances"}),
    Use.EMPTY_SIGNATURE: frozenset({"V", "AP", "M", "F"}),
    Use.FILLABLE: frozenset({"V", "RV", "AP", "AS", "I", "M"}),
    Use.PAGE: frozenset({"Annots"}),
    Use.VALIDATION_DATA: frozenset({"Certs", "CRLs", "OCSPs", "VRI", "Type"}),
    Use.INFORMATION: frozenset({"ModDate", "Producer"}),
}
# A hostile file has any number of problems; a report needs no more than these of one revision.
_MAX_CHANGES = 50
# The form of a document that had none.
_NEW_FORM = frozenset({"Fields", "SigFlags", "DA", "DR"})
# A new signature field and its widget: nothing that acts (/A, /AA), nothing by which it could be taken for a page.
_FIELD_KEYS = frozenset({"FT", "T", "TU", "TM", "V", "Ff", "Lock", "SV", "Kids", "Parent", "DA", "Q"})
_WIDGET_KEYS = frozenset({"Type", "Subtype", "Rect", "P", "F", "AP", "MK", "Border", "BS", "M", "NM"})
# What is written about one signature (ISO 32000-2 Table 262).
_RELATED_KEYS = frozenset({"Type", "Cert", "CRL", "OCSP", "TU", "TS"})
# Streams of validation data say nothing about themselves but how they are stored.
_DATA_KEYS = frozenset({"Length", "Filter", "DecodeParms", "Type"})
# What makes an annotation act, or a field.
_ACTING = frozenset({"A", "AA", "PA", "FT", "Kids"})
_INSIDE = "a later revision has its cross-references inside the signed one"


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


def judge_step(uses: Uses, after: RevisionView, sound: SoundSignatures, references: ReferenceIndex) -> Step:
    """Judges the step from the revision that `uses` stands at to the next, and brings `uses` there.

    Raises DocumentRefused where the revisions cannot be read.
    """
    return _Judge(uses, after, sound, references).judge()


class _Judge:
    def __init__(
        self, uses: Uses, after: RevisionView, sound: SoundSignatures, references: ReferenceIndex
    ) -> None:
        self._uses = uses
        self._before = uses.view
        self._after = after
        self._sound = sound
        self._references = references
        self._changes: dict[Change, None] = {}
        self._regions: dict[Region, None] = {}
        self._placed: dict[Reference, list[PageUse]] = {}
        self._section = after.cross_references.newest
        self._replaced: set[int] = set()
        self._created: set[int] = set()

    def judge(self) -> Step:
        # 1. The revision builds on the one before and touches objects only by bringing new octets for them.
        if self._section.lowest < self._before.end:
            self._forbid(_INSIDE)
        elif self._after.root != self._before.root:
            self._forbid("another object was made the catalog")
        else:
            self._sort_touched()
            self._judge_objects()
        touched = self._replaced | self._created
        broken = any(change.need is Need.NEVER for change in self._changes)
        self._uses.follow(self._after, touched, self._created, anew=broken)
        return Step(
            index=self._after.index,
            end=self._after.end,
            changes=tuple(self._changes),
            regions=tuple(self._regions),
        )

    def _judge_objects(self) -> None:
        # 2. Every object that is no longer the same one has one use, and that allows for the change.
        for number in sorted(self._replaced):
            self._judge_replaced(number)

        # 3. The lists only grew, and only by what may come.
        self._judge_pages()
        self._judge_form()
        self._judge_metadata()
        self._judge_validation_data()

        # 4. What is new belongs to that, and did not come to life where the file referred to nothing.
        self._judge_created()

    def _tell(self, kind: ChangeKind, need: Need, text: str, field: str | None = None) -> None:
        if len(self._changes) < _MAX_CHANGES or (need is Need.NEVER and self._allowed_so_far()):
            self._changes[Change(kind=kind, need=need, text=text, field=field)] = None

    def _allowed_so_far(self) -> bool:
        return all(change.need is not Need.NEVER for change in self._changes)

    def _forbid(self, text: str, kind: ChangeKind = ChangeKind.OTHER) -> None:
        self._tell(kind, Need.NEVER, text)

    def _sort_touched(self) -> None:
        """Objects that the revision names and that stand elsewhere than before: replaced or created."""
        before = self._before.cross_references.locations
        for number, location in self._section.entries.items():
            old = before.get(number)
            if not number or location == old:
                continue
            (self._created if old is None else self._replaced).add(number)
            if not self._is_new(location):
                self._forbid(f"object {number} of a later revision stands inside an earlier one")

    def _is_new(self, location: Location) -> bool:
        if isinstance(location, InStream):
            container = self._section.entries.get(location.container)
            return isinstance(container, InFile) and container.offset >= self._before.end
        return location is None or location.offset >= self._before.end

    def _is_created(self, value: Value) -> bool:
        return isinstance(value, Reference) and value.number in self._created

    def _judge_replaced(self, number: int) -> None:
        uses = self._uses.of(number) or self._rarer_uses(number)
        if len(uses) != 1 or Use.SHOWN in uses:
            what = " and ".join(sorted(uses)) or "not on the list of what may change"
            self._forbid(f"object {number} was replaced or removed: {what}")
            for page in self._uses.pages_showing(number):
                self._mark_page(page)
            return
        (use,) = uses
        if use is Use.METADATA:
            self._judge_metadata_in_place(number)
            return
        if use is Use.APPEARANCE:
            self._judge_appearance(number)
            return
        old, new = _value_of(self._before, number), _value_of(self._after, number)
        if use is Use.COMMENT:
            self._judge_comment(number, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            if use not in (Use.FORM_FIELDS, Use.ANNOTATIONS, Use.VALIDATION_DATA):
                self._forbid(f"object {number} ({use}) became a list")
        elif isinstance(old, Dictionary) and isinstance(new, Dictionary):
            self._judge_dictionary(number, use, old, new)
        else:
            self._forbid(f"object {number} ({use}) was removed or became something else")

    def _rarer_uses(self, number: int) -> frozenset[Use]:
        """Uses that are looked for only when nothing else is known of an object that was replaced."""
        page = self._uses.page_of_annotation(number)
        value = _value_of(self._before, number)
        if page is not None and isinstance(value, Dictionary) and _is_comment(value):
            return frozenset({Use.COMMENT})
        if page is None and self._uses.owners_of_appearance(number):
            return frozenset({Use.APPEARANCE})
        return frozenset()

    def _judge_dictionary(self, number: int, use: Use, old: Dictionary, new: Dictionary) -> None:
        self._compare(old, new, _CHANGEABLE.get(use, frozenset()), f"object {number} ({use})")
        if use is Use.INFORMATION:
            if not all(isinstance(new.get(key), bytes) for key in _CHANGEABLE[use] & new.keys()):
                self._forbid(f"object {number} ({use}) holds something other than text")
            self._tell(ChangeKind.METADATA, Need.NOTHING, "the document information was brought up to date")
        elif use is Use.PAGE and not same(old.get("Contents"), new.get("Contents")):
            self._mark_page(self._uses.pages[number])
        elif use is Use.FILLABLE:
            field = self._uses.field_of[number]
            text = f"the form field {field.name!r} was filled in"
            self._tell(ChangeKind.FORM_FILLING, Need.FILLING, text, field.name)
            self._mark_widgets(field)

    def _compare(self, old: Dictionary, new: Dictionary, changeable: Set[str], what: str) -> None:
        if new.repeated:
            self._forbid(f"{what} has /{min(new.repeated)} twice")
        for key in sorted(old.keys() | new.keys()):
            if key not in changeable and not same(old.get(key), new.get(key)):
                self._forbid(f"/{key} of {what} was changed")

    def _judge_appearance(self, number: int) -> None:
        """A stream drawn anew in its place: a stream on both sides, and its field's widgets alone refer to it."""
        streams = [_stream_of(view, number) for view in (self._before, self._after)]
        if not all(streams):
            self._forbid(f"object {number} (appearance) became something other than a stream")
            return
        owners = self._uses.owners_of_appearance(number)
        known = sum(
            appearances_of(_dictionary_at(self._before, part.number, index)).count(number)
            for owner in owners
            for part in parts_of(owner)
            for index in self._before.history.versions[part.number][0]
            if index <= self._before.index
        )
        if self._references.count(number, self._before.index) != known:
            self._forbid(f"object {number} (appearance) was replaced, and has a second use")
        for owner in owners:
            text = f"the form field {owner.name!r} was drawn anew"
            self._tell(ChangeKind.FORM_FILLING, Need.FILLING, text, owner.name)
            self._mark_widgets(owner)

    def _judge_comment(self, number: int, old: Value, new: Value) -> None:
        page = self._uses.page_of_annotation(number)
        for value in (old, new):
            if isinstance(value, Dictionary) and page is not None:
                self._mark(page, self._rectangle(value))
        if new is None:
            self._tell(ChangeKind.OTHER, Need.ANNOTATING, f"the comment {number} was removed")
        elif isinstance(new, Dictionary) and _is_comment(new):
            self._tell(ChangeKind.OTHER, Need.ANNOTATING, f"the comment {number} was changed")
        else:
            self._forbid(f"the comment {number} became something else")

    def _judge_form(self) -> None:
        """Compares the forms; the fields that are new have to be signatures, or become signatures later."""
        old, new = form_of(self._before), form_of(self._after)
        if new is None:
            if old is not None:
                self._forbid("the form was removed")
            return
        if new is not old:
            changeable = _NEW_FORM if old is None else _CHANGEABLE[Use.FORM]
            self._compare(old or Dictionary(), new, changeable, "the form")
            if old is not None and not same(old.get("NeedAppearances"), new.get("NeedAppearances")):
                text = "viewers were asked to draw the form's fields, or no longer asked"
                self._tell(ChangeKind.FORM_FILLING, Need.FILLING, text)
        before = self._before.array(old.get("Fields")) if old is not None else None
        after = self._after.array(new.get("Fields"))
        if after is not before:
            for value in self._added(before or [], after or [], "the form's fields"):
                self._judge_new_field(value)
        self._judge_filled_signatures()
        for value in self._placed:
            self._forbid(f"the annotation {value.number} was added, and is not that of a new signature")

    def _added(self, before: list[Value], after: list[Value], what: str) -> list[Value]:
        if not _same_lists(before, after[: len(before)]):
            self._forbid(f"{what} were reordered or removed")
            return []
        return after[len(before) :]

    def _judge_new_field(self, value: Value) -> None:
        field = self._after.dictionary(value)
        if not isinstance(value, Reference) or not self._is_created(value) or field is None:
            self._forbid("a field was added that is not a new object")
            return
        what = f"the added field {value.number}"
        signature = self._signature_of(value, field)
        if field.get("FT") != "Sig" or signature is None:
            self._forbid(f"{what} is not a signature that covers it")
            return
        widgets = [value] if field.get("Subtype") == "Widget" else []
        self._require_plain(field, what)
        for kid in self._after.array(field.get("Kids")) or []:
            widget = self._after.dictionary(kid)
            if not isinstance(kid, Reference) or not self._is_created(kid) or widget is None or "T" in widget:
                self._forbid(f"{what} has something other than new widgets below it")
                continue
            self._require_plain(widget, what)
            widgets.append(kid)
        for widget_reference in widgets:
            for page in self._placed.pop(widget_reference, ()):
                self._mark(page, self._rectangle(self._after.dictionary(widget_reference)))
        if field.get("V") is None:
            text = f"the signature field {signature.field_name!r} was added, and signed later"
            self._tell_signature(signature, text)
        else:
            self._tell_signature(
                signature, f"the signature field {signature.field_name!r} was added and signed"
            )

    def _signature_of(self, reference: Reference, field: Dictionary) -> EmbeddedSignature | None:
        """The sound signature that a new field has, or will have had in the end; it covers the field."""
        value = field.get("V")
        if value is None:
            found = self._sound.by_field.get(reference)
        else:
            found = self._later_signature(value)
        return found if found is not None and found.covered_end > self._before.end else None

    def _later_signature(self, value: Value) -> EmbeddedSignature | None:
        """The sound signature that stands there and covers more than the revision before."""
        if not isinstance(value, Reference) or not self._is_created(value):
            return None
        found = self._sound.by_value.get(value)
        return found if found is not None and found.covered_end > self._before.end else None

    def _tell_signature(self, signature: EmbeddedSignature, text: str) -> None:
        if signature.is_document_timestamp:
            self._tell(ChangeKind.DOCUMENT_TIMESTAMP, Need.NOTHING, text, signature.field_name)
        else:
            self._tell(ChangeKind.SIGNATURE, Need.SIGNING, text, signature.field_name)

    def _require_plain(self, dictionary: Dictionary, what: str) -> None:
        if odd := dictionary.keys() - _FIELD_KEYS - _WIDGET_KEYS:
            self._forbid(f"{what} has /{min(odd)}")
        if dictionary.repeated:
            self._forbid(f"{what} has /{min(dictionary.repeated)} twice")
        if dictionary.get("Type", "Annot") != "Annot" or dictionary.get("Subtype", "Widget") != "Widget":
            self._forbid(f"{what} is not a widget")

    def _judge_filled_signatures(self) -> None:
        """A signature field that was empty may have become a signature; otherwise it has to look as before."""
        changed = {
            id(field): field
            for number in self._replaced
            if (field := self._uses.field_of.get(number)) is not None and field.kind == "Sig"
        }
        for field in changed.values():
            now = self._after.dictionary(field.reference)
            signature = self._later_signature(now.get("V")) if now is not None else None
            if signature is None:
                self._forbid(f"the signature field {field.name!r} was changed without a signature in it")
                continue
            self._tell_signature(signature, f"the signature field {field.name!r} was signed")
            self._mark_widgets(field)

    def _judge_pages(self) -> None:
        for page in self._uses.pages_listing(self._replaced):
            now = self._after.dictionary(page.reference) or Dictionary()
            before = self._before.array(page.dictionary.get("Annots")) or []
            after = self._after.array(now.get("Annots")) or []
            if not _same_lists(before, after[: len(before)]):
                kept_before = [value for value in before if not self._is_comment_in(self._before, value)]
                kept_after = [value for value in after if not self._is_comment_in(self._after, value)]
                if len(kept_before) < len(before):
                    text = f"comments on page {page.number} were removed or reordered"
                    self._tell(ChangeKind.OTHER, Need.ANNOTATING, text)
                for gone in [value for value in before if value not in after]:
                    self._mark(page, self._rectangle(self._before.dictionary(gone)))
                before, after = kept_before, kept_after
            what = f"the annotations of page object {page.reference.number}"
            for value in self._added(before, after, what):
                self._judge_new_annotation(page, value)

    def _judge_new_annotation(self, page: PageUse, value: Value) -> None:
        if not isinstance(value, Reference) or not self._is_created(value):
            self._forbid("an annotation was added that is not a new object")
        elif self._is_comment_in(self._after, value):
            self._tell(ChangeKind.OTHER, Need.ANNOTATING, f"a comment was added to page {page.number}")
            self._mark(page, self._rectangle(self._after.dictionary(value)))
        else:
            # Whether it belongs to a new signature is found with the form.
            self._placed.setdefault(value, []).append(page)
            self._mark(page, self._rectangle(self._after.dictionary(value)))

    def _is_comment_in(self, view: RevisionView, value: Value) -> bool:
        dictionary = view.dictionary(value)
        return dictionary is not None and _is_comment(dictionary)

    def _judge_metadata(self) -> None:
        before, after = (view.catalog().get("Metadata") for view in (self._before, self._after))
        if same(before, after):
            return
        if (
            isinstance(after, Reference)
            and self._is_created(after)
            and is_metadata(self._after, after.number)
        ):
            self._tell(ChangeKind.METADATA, Need.NOTHING, "the catalog was given other metadata")
        else:
            self._forbid("the catalog's metadata was removed or replaced by something else")

    def _judge_metadata_in_place(self, number: int) -> None:
        """Metadata written anew in its place: such a stream on both sides, and the catalog alone refers to it."""
        known = times_metadata_of_the_catalog(self._before, number)
        alone = self._references.count(number, self._before.index) == known
        if alone and all(is_metadata(view, number) for view in (self._before, self._after)):
            self._tell(ChangeKind.METADATA, Need.NOTHING, "the metadata were brought up to date")
        else:
            self._forbid(f"object {number} (metadata) was replaced by something else, or has a second use")

    def _judge_validation_data(self) -> None:
        """Certificates, lists and answers may be added to the store, none taken out (ISO 32000-2 §12.8.4.3)."""
        old, new = (view.dictionary(view.catalog().get("DSS")) for view in (self._before, self._after))
        if new is old and not self._replaced:
            return
        if new is None:
            if old is not None:
                self._forbid("the validation data were removed")
            return
        changed = new is not old
        if odd := new.keys() - _CHANGEABLE[Use.VALIDATION_DATA] - (old or Dictionary()).keys():
            self._forbid(f"the validation data have /{min(odd)}")
        for key in ("Certs", "CRLs", "OCSPs"):
            before = (self._before.array(old.get(key)) if old is not None else None) or []
            after = self._after.array(new.get(key)) or []
            if after is before:
                continue
            changed = True
            if not set(map(repr, before)) <= set(map(repr, after)):
                self._forbid(f"/{key} was taken out of the validation data")
            known = {value for value in before if isinstance(value, Reference)}
            for value in after:
                if value not in known and not self._is_data(value):
                    self._forbid(f"/{key} of the validation data was given something that is no data")
        changed = self._judge_related_data(old, new) or changed
        if changed:
            self._tell(ChangeKind.VALIDATION_DATA, Need.NOTHING, "validation data were added")

    def _judge_related_data(self, old: Dictionary | None, new: Dictionary) -> bool:
        """What is said of single signatures (/VRI): entries may come, and stay as they are. Whether any did."""
        before = (self._before.dictionary(old.get("VRI")) if old is not None else None) or Dictionary()
        after = self._after.dictionary(new.get("VRI")) or Dictionary()
        if after is before:
            return False
        for key, value in before.items():
            if not same(value, after.get(key)):
                self._forbid(f"/VRI /{key} of the validation data was changed")
        for key in after.keys() - before.keys() - {"Type"}:
            entry = self._after.dictionary(after[key])
            if entry is None or entry.keys() - _RELATED_KEYS:
                self._forbid("/VRI of the validation data was given something that is no validation data")
        return True

    def _is_data(self, value: Value) -> bool:
        if not isinstance(value, Reference):
            return False
        found = self._after.indirect(value)
        if found is None or found.stream is None or not isinstance(found.value, Dictionary):
            return False
        return found.value.keys() <= _DATA_KEYS and not found.value.repeated

    def _judge_created(self) -> None:
        """Follows references from what may have changed, whose changes were found allowed, to what is new."""
        if not self._created:
            return
        waiting: list[Value] = [_value_at(self._after, number) for number in self._replaced]
        waiting.append(self._after.cross_references.trailer_value("Info"))
        unreached = set(self._created)
        while waiting:
            value = waiting.pop()
            if isinstance(value, Reference) and value.number in unreached:
                unreached.discard(value.number)
                found = self._after.indirect(value)
                waiting.append(found.value if found is not None else None)
            elif isinstance(value, list):
                waiting.extend(value)
            elif isinstance(value, Dictionary):
                waiting.extend(value.values())
        for number in sorted(unreached):
            there = _value_at(self._after, number)
            structure = isinstance(there, Dictionary) and there.get("Type") in ("XRef", "ObjStm")
            if there is not None and not structure:
                self._forbid(f"object {number} was added, and nothing that may be added uses it")
        for number in sorted(self._created):
            first = self._references.first(number)
            if first is not None and first <= self._before.index:
                self._forbid(f"object {number}, referred to but not there when signed, was added")
                break

    # --- Where on the pages it is to be seen.

    def _mark(self, page: PageUse, box: Box | None) -> None:
        if box is not None and len(self._regions) < _MAX_CHANGES:
            self._regions[Region(page=page.number, box=box)] = None

    def _mark_page(self, page: PageUse) -> None:
        self._mark(page, page.box)

    def _mark_widgets(self, field: Field) -> None:
        for reference in field.widgets:
            if (page := self._uses.page_of_annotation(reference.number)) is not None:
                self._mark(page, self._rectangle(self._after.dictionary(reference)))

    def _rectangle(self, annotation: Dictionary | None) -> Box | None:
        if annotation is None:
            return None
        return box_of(self._after, self._after.resolve(annotation.get("Rect")))


def _is_comment(annotation: Dictionary) -> bool:
    return (
        annotation.get("Subtype") in COMMENTS
        and annotation.get("Type", "Annot") == "Annot"
        and not annotation.keys() & _ACTING
        and not annotation.repeated
    )


def _same_lists(one: list[Value], other: list[Value]) -> bool:
    return one is other or (len(one) == len(other) and all(map(same, one, other)))


def _located(view: RevisionView, number: int) -> Reference:
    location = view.cross_references.locations.get(number)
    return Reference(number, location.generation if isinstance(location, InFile) else 0)


def _value_at(view: RevisionView, number: int) -> Value:
    found = view.indirect(_located(view, number))
    return found.value if found is not None else None


def _value_of(view: RevisionView, number: int) -> Value:
    found = view.indirect(_located(view, number))
    # A stream in the place of a dictionary is something else altogether.
    return found.value if found is not None and found.stream is None else None


def _stream_of(view: RevisionView, number: int) -> bool:
    found = view.indirect(_located(view, number))
    return found is not None and found.stream is not None


def _dictionary_at(view: RevisionView, number: int, index: int) -> Dictionary | None:
    """An object's dictionary as a revision up to this one has it."""
    earlier = view.history.view(index)
    value = _value_at(earlier, number)
    return value if isinstance(value, Dictionary) else None
