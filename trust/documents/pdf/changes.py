"""What was changed after a signature, and whether that is on the short list of what may be.

The signed revision, cut off where its signature ends and read alone, is compared with the whole file. Allowed:
further signatures that are sound themselves, in new fields or in fields that were empty; validation data
(/DSS); document information's date and producer, and metadata that nothing else uses, as other signers write
them; and, where a certification says so, filling in forms. Any other object that is replaced, removed, or
brought to life where the signed revision referred to nothing, is named.
(ISO 32000-2 §12.8.2.2; ETSI EN 319 142-1 §5.4.)
"""

import re
from collections.abc import Mapping, Set

from trust.documents.pdf.crossreference import InFile
from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import Field, fields_of, form_of
from trust.documents.pdf.permissions import Allowed, permissions_of
from trust.documents.pdf.references import is_metadata, is_used_as_metadata_only, reference_counts
from trust.documents.pdf.signatures import EmbeddedSignature
from trust.documents.pdf.syntax import Dictionary, Reference, Value, same
from trust.documents.pdf.uses import Use, uses_of

_END_OF_FILE = re.compile(rb"%%EOF(?:\r\n|\n|\r)?\Z")
# What a later revision may change in an object of each use; everything else has to stay the same.
_CHANGEABLE: Mapping[Use, frozenset[str]] = {
    Use.CATALOG: frozenset({"AcroForm", "DSS", "Extensions", "Metadata", "Version"}),
    Use.FORM: frozenset({"Fields", "SigFlags"}),
    Use.EMPTY_SIGNATURE: frozenset({"V", "AP", "M", "F"}),
    Use.FILLABLE: frozenset({"V", "AP", "AS", "I", "M"}),
    Use.PAGE: frozenset({"Annots"}),
    Use.VALIDATION_DATA: frozenset({"Certs", "CRLs", "OCSPs", "VRI", "Type"}),
    Use.INFORMATION: frozenset({"ModDate", "Producer"}),
}
# A hostile file has any number of problems; a report needs no more than these.
_MAX_PROBLEMS = 20
# The form of a document that had none.
_NEW_FORM = frozenset({"Fields", "SigFlags", "DA", "DR"})
# A new signature field and its widget: nothing that acts (/A, /AA), nothing by which it could be taken for a page.
_FIELD_KEYS = frozenset({"FT", "T", "TU", "TM", "V", "Ff", "Lock", "SV", "Kids", "Parent", "DA", "Q"})
_WIDGET_KEYS = frozenset({"Type", "Subtype", "Rect", "P", "F", "AP", "MK", "Border", "BS", "M", "NM"})


def problems_after(
    signature: EmbeddedSignature, final: Document, sound: Mapping[Reference, int]
) -> tuple[str, ...]:
    """What was changed after the signature and may not have been, in sentences; empty where nothing was.

    `sound` holds the signatures of the whole file that are sound in structure, with the end of what they cover.
    Raises DocumentRefused where the revisions cannot be read.
    """
    if signature.covered_end == len(final.data):
        return ()
    return _Comparison(Document(final.data[: signature.covered_end]), final, sound).problems()


class _Comparison:
    def __init__(self, signed: Document, final: Document, sound: Mapping[Reference, int]) -> None:
        self._signed = signed
        self._final = final
        self._sound = sound
        self._problems: list[str] = []

    def problems(self) -> tuple[str, ...]:
        # 1. The file goes on in whole revisions that build on the signed one.
        if not self._continues():
            return tuple(self._problems)
        self._sort_touched()
        fields = fields_of(self._signed)
        self._permissions = permissions_of(self._signed, fields)
        self._uses = uses_of(self._signed, fields, self._permissions)

        # 2. Every object that is no longer the same one has one use, and that allows for the change.
        for number in sorted(self._replaced):
            self._check_replaced(number)

        # 3. The lists only grew, and only by signatures.
        self._check_filled_signatures(fields)
        widgets = self._check_form()
        before, after = (document.catalog().get("Metadata") for document in (self._signed, self._final))
        if not same(before, after) and not (
            isinstance(after, Reference)
            and self._is_created(after)
            and is_metadata(self._final, after.number)
        ):
            self._tell("the catalog's metadata was removed or replaced by something else")
        self._check_pages(widgets)
        self._check_validation_data()

        # 4. What is new belongs to that, and did not come to life where the signed revision referred to nothing.
        if not self._problems:
            self._check_created()
        return tuple(self._problems)

    def _tell(self, problem: str) -> None:
        if problem not in self._problems and len(self._problems) < _MAX_PROBLEMS:
            self._problems.append(problem)

    def _continues(self) -> bool:
        before, after = self._signed.cross_references.sections, self._final.cross_references.sections
        end = len(self._signed.data)
        if not _END_OF_FILE.search(self._final.data, len(self._final.data) - len(b"%%EOF\r\n")):
            self._tell("octets stand after the last %%EOF")
        if [section.start for section in after[: len(before)]] != [section.start for section in before]:
            self._tell("the file's cross-references do not build on those of the signed revision")
        elif len(after) == len(before):
            self._tell("octets were added that are no revision")
        elif any(section.start < end for section in after[len(before) :]):
            self._tell("a later revision has its cross-references inside the signed one")
        if self._final.root != self._signed.root:
            self._tell("another object was made the catalog")
        return not self._problems

    def _sort_touched(self) -> None:
        """Objects that a later section names and that stand elsewhere than when signed: replaced or created."""
        known = len(self._signed.cross_references.sections)
        before, after = self._signed.cross_references.locations, self._final.cross_references.locations
        later = self._final.cross_references.sections[known:]
        touched = {
            number
            for section in later
            for number in section.entries
            if number and after.get(number) != before.get(number)
        }
        self._replaced = {number for number in touched if before.get(number) is not None}
        self._created = touched - self._replaced

    def _is_created(self, value: Value) -> bool:
        return isinstance(value, Reference) and value.number in self._created

    def _check_replaced(self, number: int) -> None:
        uses = self._uses.by_number.get(number, frozenset())
        if len(uses) != 1 or Use.SHOWN in uses:
            what = " and ".join(sorted(uses)) or "not on the list of what may change"
            self._tell(f"object {number} was replaced or removed: {what}")
            return
        (use,) = uses
        if use is Use.METADATA:
            self._check_metadata(number)
            return
        old, new = _value_of(self._signed, number), _value_of(self._final, number)
        if isinstance(old, list) and isinstance(new, list):
            if use not in (Use.FORM_FIELDS, Use.ANNOTATIONS, Use.VALIDATION_DATA):
                self._tell(f"object {number} ({use}) became a list")
        elif isinstance(old, Dictionary) and isinstance(new, Dictionary):
            self._compare(old, new, _CHANGEABLE.get(use, frozenset()), f"object {number} ({use})")
            if use is Use.INFORMATION and not all(
                isinstance(new.get(key), bytes) for key in _CHANGEABLE[use] & new.keys()
            ):
                self._tell(f"object {number} ({use}) holds something other than text")
        else:
            self._tell(f"object {number} ({use}) was removed or became something else")

    def _compare(self, old: Dictionary, new: Dictionary, changeable: Set[str], what: str) -> None:
        if new.repeated:
            self._tell(f"{what} has /{min(new.repeated)} twice")
        for key in sorted(old.keys() | new.keys()):
            if key not in changeable and not same(old.get(key), new.get(key)):
                self._tell(f"/{key} of {what} was changed")

    def _check_form(self) -> frozenset[Reference]:
        """Compares the forms; gives the widgets of the new signatures that are accepted."""
        old, new = form_of(self._signed), form_of(self._final)
        if new is None:
            if old is not None:
                self._tell("the form was removed")
            return frozenset()
        changeable = _NEW_FORM if old is None else _CHANGEABLE[Use.FORM]
        self._compare(old or Dictionary(), new, changeable, "the form")
        before = self._signed.array(old.get("Fields")) if old is not None else None
        added = self._added(before or [], self._final.array(new.get("Fields")) or [], "the form's fields")
        widgets: set[Reference] = set()
        for value in added:
            widgets |= self._accepted_widgets(value)
        return frozenset(widgets)

    def _added(self, before: list[Value], after: list[Value], what: str) -> list[Value]:
        if not same(before, after[: len(before)]):
            self._tell(f"{what} were reordered or removed")
            return []
        return after[len(before) :]

    def _accepted_widgets(self, value: Value) -> set[Reference]:
        field = self._final.dictionary(value)
        if not isinstance(value, Reference) or not self._is_created(value) or field is None:
            self._tell("a field was added that is not a new object")
            return set()
        what = f"the added field {value.number}"
        if field.get("FT") != "Sig" or not self._is_later_signature(field.get("V")):
            self._tell(f"{what} is not a signature that covers it")
            return set()
        widgets = {value} if field.get("Subtype") == "Widget" else set()
        self._require_plain(field, what)
        for kid in self._final.array(field.get("Kids")) or []:
            widget = self._final.dictionary(kid)
            if not isinstance(kid, Reference) or not self._is_created(kid) or widget is None or "T" in widget:
                self._tell(f"{what} has something other than new widgets below it")
                continue
            self._require_plain(widget, what)
            widgets.add(kid)
        return widgets

    def _require_plain(self, dictionary: Dictionary, what: str) -> None:
        if odd := dictionary.keys() - _FIELD_KEYS - _WIDGET_KEYS:
            self._tell(f"{what} has /{min(odd)}")
        if dictionary.repeated:
            self._tell(f"{what} has /{min(dictionary.repeated)} twice")
        if dictionary.get("Type", "Annot") != "Annot" or dictionary.get("Subtype", "Widget") != "Widget":
            self._tell(f"{what} is not a widget")

    def _is_later_signature(self, value: Value) -> bool:
        """Whether a sound signature that covers more than the signed revision stands there, and may."""
        if not isinstance(value, Reference) or not self._is_created(value):
            return False
        if self._sound.get(value, 0) <= len(self._signed.data):
            return False
        if self._permissions.allowed is Allowed.NOTHING:
            signature = self._final.dictionary(value)
            return signature is not None and signature.get("SubFilter") == "ETSI.RFC3161"
        return True

    def _check_filled_signatures(self, fields: tuple[Field, ...]) -> None:
        """A signature field that was empty may have become a signature; otherwise it has to look as before."""
        for field in fields:
            numbers = {reference.number for reference in (field.reference, *field.widgets) if reference}
            was_empty = field.kind == "Sig" and field.dictionary.get("V") is None
            if not was_empty or not numbers & self._replaced:
                continue
            now = self._final.dictionary(field.reference)
            if now is None or not self._is_later_signature(now.get("V")):
                self._tell(f"the signature field {field.name!r} was changed without a signature in it")

    def _check_pages(self, widgets: frozenset[Reference]) -> None:
        for page in self._uses.pages:
            numbers = {each.number for each in (page.reference, page.annotations) if each is not None}
            if not numbers & self._replaced:
                continue
            now = self._final.dictionary(page.reference) or Dictionary()
            before = self._signed.array(page.dictionary.get("Annots")) or []
            after = self._final.array(now.get("Annots")) or []
            for value in self._added(
                before, after, f"the annotations of page object {page.reference.number}"
            ):
                if not isinstance(value, Reference) or value not in widgets:
                    self._tell("an annotation was added that is not that of a new signature")

    def _check_metadata(self, number: int) -> None:
        """Metadata written anew in its place: such a stream on both sides, and the catalog alone refers to it."""
        alone = is_used_as_metadata_only(self._signed, number)
        if not alone or not all(is_metadata(each, number) for each in (self._signed, self._final)):
            self._tell(f"object {number} (metadata) was replaced by something else, or has a second use")

    def _check_validation_data(self) -> None:
        """Certificates, lists and answers may be added to the store, none taken out (ISO 32000-2 §12.8.4.3)."""
        old, new = (
            document.dictionary(document.catalog().get("DSS")) for document in (self._signed, self._final)
        )
        if old is None:
            return
        for key in ("Certs", "CRLs", "OCSPs"):
            before = self._signed.array(old.get(key)) or []
            after = self._final.array(new.get(key)) if new is not None else None
            if not set(map(repr, before)) <= set(map(repr, after or [])):
                self._tell(f"/{key} was taken out of the validation data")
        before_named = self._signed.dictionary(old.get("VRI")) or Dictionary()
        after_named = self._final.dictionary(new.get("VRI")) if new is not None else None
        for key, value in before_named.items():
            if not same(value, (after_named or Dictionary()).get(key)):
                self._tell(f"/VRI /{key} of the validation data was changed")

    def _check_created(self) -> None:
        """Follows references from what may have changed, whose changes were found allowed, to what is new."""
        if not self._created:
            return
        waiting: list[Value] = [_value_of(self._final, number) for number in self._replaced]
        waiting.append(self._final.cross_references.trailer_value("Info"))
        unreached = set(self._created)
        while waiting:
            value = waiting.pop()
            if isinstance(value, Reference) and value.number in unreached:
                unreached.discard(value.number)
                found = self._final.indirect(value)
                waiting.append(found.value if found is not None else None)
            elif isinstance(value, list):
                waiting.extend(value)
            elif isinstance(value, Dictionary):
                waiting.extend(value.values())
        for number in sorted(unreached):
            there = self._final.resolve(Reference(number, 0))
            structure = isinstance(there, Dictionary) and there.get("Type") in ("XRef", "ObjStm")
            if there is not None and not structure:
                self._tell(f"object {number} was added, and nothing that may be added uses it")
        if awakened := self._created & reference_counts(self._signed).keys():
            self._tell(f"object {min(awakened)}, referred to but not there when signed, was added")


def _value_of(document: Document, number: int) -> Value:
    location = document.cross_references.locations.get(number)
    generation = location.generation if isinstance(location, InFile) else 0
    found = document.indirect(Reference(number, generation))
    # A stream in the place of a dictionary is something else altogether.
    return found.value if found is not None and found.stream is None else None
