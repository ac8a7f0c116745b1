"""Judging one step of a file, from a revision to the next: every object that it touched, every list that grew.

On the list of what may change are: further signatures that are sound themselves, in new fields or in fields that
were empty; validation data (/DSS); document information's date and producer, and metadata that nothing else uses,
as other signers write them; and, where a certification says so, filled-in forms and comments. Any other object
that is replaced, removed, or brought to life where the file referred to nothing, is named and never allowed.
(ISO 32000-2 §12.8.2.2; ETSI EN 319 142-1 §5.4.)
"""

from collections.abc import Mapping

from trust.documents.pdf.changes import (
    ChangeKind,
    Comparison,
    Need,
    SoundSignatures,
    Step,
    located,
    plain_value_at,
    value_at,
)
from trust.documents.pdf.crossreference import InFile, InStream, Location
from trust.documents.pdf.form_changes import judge_form
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.layout import problems_of_layout
from trust.documents.pdf.page_changes import is_comment, judge_comment, judge_pages
from trust.documents.pdf.references import ReferenceIndex, is_metadata
from trust.documents.pdf.store_changes import judge_validation_data
from trust.documents.pdf.syntax import Dictionary, Reference, Value, same
from trust.documents.pdf.use import Use, appearances_of, parts_of
from trust.documents.pdf.uses import Uses

# What a later revision may change in an object of each use; everything else has to stay the same. What the form,
# the lists and the store may become is judged with them.
_CHANGEABLE: Mapping[Use, frozenset[str]] = {
    Use.CATALOG: frozenset({"AcroForm", "DSS", "Extensions", "Metadata", "Version"}),
    Use.EMPTY_SIGNATURE: frozenset({"V", "AP", "M", "F"}),
    Use.FILLABLE: frozenset({"V", "RV", "AP", "AS", "I", "M"}),
    Use.PAGE: frozenset({"Annots"}),
    Use.INFORMATION: frozenset({"ModDate", "Producer"}),
}
_LISTS = (Use.FORM_FIELDS, Use.ANNOTATIONS, Use.VALIDATION_DATA)
_JUDGED_ELSEWHERE = (Use.FORM, Use.VALIDATION_DATA)


def judge_step(uses: Uses, after: RevisionView, sound: SoundSignatures, references: ReferenceIndex) -> Step:
    """Judges the step from the revision that `uses` stands at to the next, and brings `uses` there.

    Raises DocumentRefused where the revisions cannot be read.
    """
    before = uses.view
    comparison = Comparison(uses=uses, before=before, after=after, sound=sound, references=references)
    findings = comparison.findings

    # 1. The revision builds on the one before, and touches objects only by bringing new octets for them.
    if after.cross_references.newest.lowest < before.end:
        findings.forbid("a later revision has its cross-references inside the signed one")
    elif after.root != before.root:
        findings.forbid("another object was made the catalog")
    else:
        _sort_touched(comparison)

        # 2. Every object that is no longer the same one has one use, and that allows for the change.
        for number in sorted(comparison.replaced):
            _judge_replaced(comparison, number)

        # 3. The lists only grew, and only by what may come.
        judge_form(comparison, judge_pages(comparison))
        _judge_metadata(comparison)
        _judge_information(comparison)
        judge_validation_data(comparison)

        # 4. What is new belongs to that, and did not come to life where the file referred to nothing.
        _judge_created(comparison)

        # 5. And it is written so that nobody reads it otherwise.
        for problem in problems_of_layout(after, before.end):
            findings.forbid(problem)

    uses.follow(after, comparison.replaced, comparison.created, anew=findings.forbidden)
    return findings.step(after)


def _sort_touched(comparison: Comparison) -> None:
    """Objects that the revision names and that stand elsewhere than before: replaced or created."""
    entries = comparison.after.cross_references.newest.entries
    before = comparison.before.cross_references.locations
    for number, location in entries.items():
        old = before.get(number)
        if not number or location == old:
            continue
        (comparison.created if old is None else comparison.replaced).add(number)
        if not _is_new(location, entries, comparison.before.end):
            comparison.findings.forbid(f"object {number} of a later revision stands inside an earlier one")


def _is_new(location: Location, entries: Mapping[int, Location], end: int) -> bool:
    if isinstance(location, InStream):
        container = entries.get(location.container)
        return isinstance(container, InFile) and container.offset >= end
    return location is None or location.offset >= end


def _judge_replaced(comparison: Comparison, number: int) -> None:
    findings, known = comparison.findings, comparison.uses
    uses = known.of(number) or _rarer_uses(comparison, number)
    if len(uses) != 1 or Use.SHOWN in uses:
        what = " and ".join(sorted(uses)) or "not on the list of what may change"
        findings.forbid(f"object {number} was replaced or removed: {what}")
        for page in known.pages_showing(number):
            findings.mark(page, page.box)
        return
    (use,) = uses
    if _has_second_use(comparison, number, use):
        findings.forbid(f"object {number} was replaced: {use}, and part of what is shown")
    elif use is Use.METADATA:
        _judge_metadata_in_place(comparison, number)
    elif use is Use.APPEARANCE:
        _judge_appearance(comparison, number)
    else:
        _judge_value(comparison, number, use)


def _rarer_uses(comparison: Comparison, number: int) -> frozenset[Use]:
    """Uses that are looked for only when nothing else is known of an object that was replaced."""
    page = comparison.uses.page_of_annotation(number)
    value = plain_value_at(comparison.before, number)
    if page is not None and isinstance(value, Dictionary) and is_comment(value):
        return frozenset({Use.COMMENT})
    if page is None and comparison.uses.owners_of_appearance(number):
        return frozenset({Use.APPEARANCE})
    return frozenset()


def _has_second_use(comparison: Comparison, number: int, use: Use) -> bool:
    """Whether an object may also be reached from what is drawn on a page.

    Most things that change are referred to from one known place. Where the file has more references to one than
    that, everything that is drawn is looked through for it. Of a page only the annotations may change, which no
    drawing can call upon; the appearance of a field is drawn, and judged by who else refers to it.
    """
    if use in (Use.PAGE, Use.APPEARANCE):
        return False
    uses = comparison.uses
    counted = use not in (Use.EMPTY_SIGNATURE, Use.FILLABLE, Use.COMMENT)
    if counted and comparison.references.count(number, comparison.before.index) <= uses.expected(number):
        return False
    return uses.is_drawn(number)


def _judge_value(comparison: Comparison, number: int, use: Use) -> None:
    findings = comparison.findings
    old, new = plain_value_at(comparison.before, number), plain_value_at(comparison.after, number)
    if use is Use.COMMENT:
        judge_comment(comparison, number, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        if use not in _LISTS:
            findings.forbid(f"object {number} ({use}) became a list")
    elif isinstance(old, Dictionary) and isinstance(new, Dictionary):
        if use not in _JUDGED_ELSEWHERE:
            comparison.compare(old, new, _CHANGEABLE.get(use, frozenset()), f"object {number} ({use})")
        if use is Use.FILLABLE:
            field = comparison.uses.field_of[number]
            text = f"the form field {field.name!r} was filled in"
            findings.tell(ChangeKind.FORM_FILLING, Need.FILLING, text, field.name)
            comparison.mark_widgets(field)
        elif use is Use.PAGE and any(
            not same(old.get(key), new.get(key)) for key in (old.keys() | new.keys()) - {"Annots"}
        ):
            page = comparison.uses.pages[number]
            findings.mark(page, page.box)
    else:
        findings.forbid(f"object {number} ({use}) was removed or became something else")


def _judge_appearance(comparison: Comparison, number: int) -> None:
    """A stream drawn anew in its place: a stream on both sides, and its field's widgets alone refer to it."""
    findings, before = comparison.findings, comparison.before
    for view in (before, comparison.after):
        found = view.indirect(located(view, number))
        if found is None or found.stream is None:
            findings.forbid(f"object {number} (appearance) is not a stream any more")
            return
    owners = comparison.uses.owners_of_appearance(number)
    known = sum(
        appearances_of(_earlier(before, part, index)).count(number)
        for owner in owners
        for part in parts_of(owner)
        for index in before.history.versions[part.number][0]
        if index <= before.index
    )
    if comparison.references.count(number, before.index) != known:
        findings.forbid(f"object {number} (appearance) was replaced, and has a second use")
    for owner in owners:
        text = f"the form field {owner.name!r} was drawn anew"
        findings.tell(ChangeKind.FORM_FILLING, Need.FILLING, text, owner.name)
        comparison.mark_widgets(owner)


def _earlier(view: RevisionView, reference: Reference, index: int) -> Dictionary | None:
    value = value_at(view.history.view(index), reference.number)
    return value if isinstance(value, Dictionary) else None


def _judge_metadata(comparison: Comparison) -> None:
    before, after = (view.catalog().get("Metadata") for view in (comparison.before, comparison.after))
    if same(before, after):
        return
    created = isinstance(after, Reference) and comparison.is_created(after)
    if isinstance(after, Reference) and created and is_metadata(comparison.after, after.number):
        comparison.findings.tell(ChangeKind.METADATA, Need.NOTHING, "the catalog was given other metadata")
    else:
        comparison.findings.forbid("the catalog's metadata was removed or replaced by something else")


def _judge_metadata_in_place(comparison: Comparison, number: int) -> None:
    """Metadata written anew in its place: such a stream on both sides, and the catalog alone refers to it."""
    expected = comparison.uses.expected(number)
    alone = comparison.references.count(number, comparison.before.index) <= expected
    if alone and all(is_metadata(view, number) for view in (comparison.before, comparison.after)):
        comparison.findings.tell(ChangeKind.METADATA, Need.NOTHING, "the metadata were brought up to date")
    else:
        comparison.findings.forbid(
            f"object {number} (metadata) was replaced by something else, or has a second use"
        )


def _judge_information(comparison: Comparison) -> None:
    """Compares what the trailers name as document information, in its place or in another (§14.3.3)."""
    old, new = (
        view.dictionary(view.cross_references.trailer_value("Info"))
        for view in (comparison.before, comparison.after)
    )
    if new is old:
        return
    changeable = _CHANGEABLE[Use.INFORMATION]
    what = "the document information"
    comparison.compare(old or Dictionary(), new or Dictionary(), changeable, what)
    for key in changeable & (new or Dictionary()).keys():
        if not isinstance((new or Dictionary()).get(key), bytes):
            comparison.findings.forbid(f"/{key} of {what} is something other than text")
    comparison.findings.tell(ChangeKind.METADATA, Need.NOTHING, f"{what} was brought up to date")


def _judge_created(comparison: Comparison) -> None:
    """Follows references from what may have changed, whose changes were found allowed, to what is new."""
    if not comparison.created:
        return
    after, findings = comparison.after, comparison.findings
    waiting: list[Value] = [value_at(after, number) for number in comparison.replaced]
    waiting.append(after.cross_references.trailer_value("Info"))
    unreached = set(comparison.created)
    while waiting and unreached:
        value = waiting.pop()
        if isinstance(value, Reference):
            if value.number in unreached:
                unreached.discard(value.number)
                found = after.indirect(value)
                waiting.append(found.value if found is not None else None)
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, Dictionary):
            waiting.extend(value.values())
    for number in sorted(unreached):
        if not _is_harmless(after, number):
            findings.forbid(f"object {number} was added, and nothing that may be added uses it")
    for number in sorted(comparison.created):
        first = comparison.references.first(number)
        if first is not None and first <= comparison.before.index:
            findings.forbid(f"object {number}, referred to but not there when signed, was added")
            break


def _is_harmless(view: RevisionView, number: int) -> bool:
    """Whether an object that nothing uses is part of the file's own structure, or says and draws nothing."""
    found = view.indirect(located(view, number))
    if found is None or found.value is None:
        return True
    if not isinstance(found.value, Dictionary):
        return False
    if found.stream is None:
        return False
    return found.value.get("Type") in ("XRef", "ObjStm") or view.stream_end(found) == found.stream
