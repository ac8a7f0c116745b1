"""What a revision may do to the form: new signatures, signatures in fields that were empty, nothing else.

Values of fields that are filled in are judged with their objects (see `steps`).
"""

from trust.documents.pdf.changes import ChangeKind, Comparison, Need, added_to
from trust.documents.pdf.fields import Field, form_of
from trust.documents.pdf.signatures import EmbeddedSignature
from trust.documents.pdf.syntax import Dictionary, Reference, Value, same
from trust.documents.pdf.use import PageUse, parts_of

# The form of a document that had none, and what may change in one that was there.
_NEW_FORM = frozenset({"Fields", "SigFlags", "DA", "DR"})
_CHANGEABLE = frozenset({"Fields", "SigFlags", "NeedAppearances"})
# A new signature field and its widget: nothing that acts (/A, /AA), nothing by which it could be taken for a page.
_FIELD_KEYS = frozenset({"FT", "T", "TU", "TM", "V", "Ff", "Lock", "SV", "Kids", "Parent", "DA", "Q"})
_WIDGET_KEYS = frozenset({"Type", "Subtype", "Rect", "P", "F", "AP", "MK", "Border", "BS", "M", "NM"})

# What a widget looks like, as far as signing it may change that.
_LOOKS = ("AP", "F")


def judge_form(comparison: Comparison, placed: dict[Reference, list[PageUse]]) -> None:
    """Compares the forms; `placed` are the new annotations and the pages that list them."""
    findings = comparison.findings
    old, new = form_of(comparison.before), form_of(comparison.after)
    if new is None:
        if old is not None:
            findings.forbid("the form was removed")
    else:
        if new is not old:
            _compare_forms(comparison, old, new)
        before = comparison.before.array(old.get("Fields")) if old is not None else None
        after = comparison.after.array(new.get("Fields"))
        if after is not before:
            for value in added_to(comparison, before or [], after or [], "the form's fields"):
                _judge_new_field(comparison, value, placed)
    _judge_filled_signatures(comparison)
    for value in placed:
        findings.forbid(f"the annotation {value.number} was added, and is not that of a new signature")


def _compare_forms(comparison: Comparison, old: Dictionary | None, new: Dictionary) -> None:
    comparison.compare(old or Dictionary(), new, _NEW_FORM if old is None else _CHANGEABLE, "the form")
    flags = new.get("SigFlags")
    if flags is not None and (isinstance(flags, bool) or not isinstance(flags, int)):
        comparison.findings.forbid("/SigFlags of the form are not a number")
    kept = (old or Dictionary()).get("SigFlags")
    if isinstance(kept, int) and isinstance(flags, int | None) and kept & ~(flags or 0):
        comparison.findings.forbid("/SigFlags of the form deny what they said")
    if old is not None and not same(old.get("NeedAppearances"), new.get("NeedAppearances")):
        if not isinstance(new.get("NeedAppearances", False), bool):
            comparison.findings.forbid("/NeedAppearances of the form is neither true nor false")
        text = "viewers were asked to draw the form's fields, or no longer asked"
        comparison.findings.tell(ChangeKind.FORM_FILLING, Need.FILLING, text)


def _judge_new_field(comparison: Comparison, value: Value, placed: dict[Reference, list[PageUse]]) -> None:
    findings = comparison.findings
    field = comparison.after.dictionary(value)
    if not isinstance(value, Reference) or not comparison.is_created(value) or field is None:
        findings.forbid("a field was added that is not a new object")
        return
    what = f"the added field {value.number}"
    signature = _signature_of(comparison, value, field)
    if field.get("FT") != "Sig" or signature is None:
        findings.forbid(f"{what} is not a signature that covers it")
        return
    _require_plain(comparison, field, what)
    widgets = [value] if field.get("Subtype") == "Widget" else []
    for kid in comparison.after.array(field.get("Kids")) or []:
        widget = comparison.after.dictionary(kid)
        created = isinstance(kid, Reference) and comparison.is_created(kid)
        if not isinstance(kid, Reference) or not created or widget is None or "T" in widget:
            findings.forbid(f"{what} has something other than new widgets below it")
            continue
        _require_plain(comparison, widget, what)
        widgets.append(kid)
    appears = False
    for each in widgets:
        widget = comparison.after.dictionary(each)
        appears = appears or comparison.is_seen(widget)
        for page in placed.pop(each, ()):
            findings.mark(page, comparison.rectangle(widget))
    how = "signed later" if field.get("V") is None else "signed"
    text = f"the signature field {signature.field_name!r} was added and {how}"
    comparison.tell_signature(signature, text, appears=appears)


def _signature_of(
    comparison: Comparison, reference: Reference, field: Dictionary
) -> EmbeddedSignature | None:
    """The sound signature that a new field has, or gets in a later revision; it covers the field."""
    value = field.get("V")
    if value is not None:
        return comparison.later_signature(value)
    found = comparison.sound.by_field.get(reference)
    return found if found is not None and found.covered_end > comparison.before.end else None


def _require_plain(comparison: Comparison, dictionary: Dictionary, what: str) -> None:
    findings = comparison.findings
    if odd := dictionary.keys() - _FIELD_KEYS - _WIDGET_KEYS:
        findings.forbid(f"{what} has /{min(odd)}")
    if dictionary.repeated:
        findings.forbid(f"{what} has /{min(dictionary.repeated)} twice")
    if dictionary.get("Type", "Annot") != "Annot" or dictionary.get("Subtype", "Widget") != "Widget":
        findings.forbid(f"{what} is not a widget")


def _judge_filled_signatures(comparison: Comparison) -> None:
    """A signature field that was empty may have become a signature; otherwise it has to look as before."""
    changed = {
        id(field): field
        for number in comparison.replaced
        if (field := comparison.uses.field_of.get(number)) is not None and field.kind == "Sig"
    }
    for field in changed.values():
        now = comparison.after.dictionary(field.reference)
        signature = comparison.later_signature(now.get("V")) if now is not None else None
        if signature is None:
            comparison.findings.forbid(
                f"the signature field {field.name!r} was changed without a signature in it"
            )
            continue
        text = f"the signature field {field.name!r} was signed"
        looks_otherwise = signature.is_document_timestamp and _looks_otherwise(comparison, field)
        comparison.tell_signature(signature, text, appears=looks_otherwise)
        comparison.mark_widgets(field)


def _looks_otherwise(comparison: Comparison, field: Field) -> bool:
    """Whether what a field shows, or whether it is shown, changed while it was signed."""
    for part in parts_of(field):
        old, new = comparison.before.dictionary(part), comparison.after.dictionary(part)
        if old is None or new is None or any(not same(old.get(key), new.get(key)) for key in _LOOKS):
            return True
    return False
