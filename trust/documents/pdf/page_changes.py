"""What a revision may do to the lists of annotations: widgets of new signatures, and comments where allowed."""

from trust.documents.pdf.changes import ChangeKind, Comparison, Need, added_to, same_lists
from trust.documents.pdf.history import RevisionView
from trust.documents.pdf.syntax import Dictionary, Reference, Value, same
from trust.documents.pdf.use import PageUse

# Comments (ISO 32000-2 Table 171, markup annotations), without those that are made to cover what is there:
# free text, stamps and redactions are what attacks on certified documents hide behind.
_COMMENTS = frozenset(
    {
        "Text",
        "Line",
        "Square",
        "Circle",
        "Polygon",
        "PolyLine",
        "Highlight",
        "Underline",
        "Squiggly",
        "StrikeOut",
        "Caret",
        "Ink",
        "Popup",
    }
)
# What makes an annotation act, or a field of the form.
_ACTING = frozenset({"A", "AA", "PA", "FT", "Kids"})
# What lets a comment of any kind cover what was certified: a picture of its own, and a filled inside.
_COVERING = frozenset({"AP", "IC"})
# In points, the widest that readers offer; twice that is a bar across the text.
_WIDEST_LINE = 12
# What may be said anew in a comment that has such a look, where the look and its place stay.
_SAID = frozenset({"Contents", "RC", "M", "T", "Subj", "Open", "State", "StateModel", "CreationDate"})


def is_comment(annotation: Dictionary) -> bool:
    """Whether an annotation is a comment and nothing more."""
    return (
        annotation.get("Subtype") in _COMMENTS
        and annotation.get("Type", "Annot") == "Annot"
        and not annotation.keys() & _ACTING
        and not annotation.repeated
    )


def _leaves_in_sight(comparison: Comparison, annotation: Dictionary) -> bool:
    """Whether a comment is drawn by the reader alone, in lines, and so does not cover what is below it."""
    view = comparison.after
    if annotation.keys() & _COVERING:
        return False
    style, border = view.dictionary(annotation.get("BS")), view.array(annotation.get("Border"))
    widths = [] if style is None else [view.resolve(style.get("W", 1))]
    widths += [view.resolve(each) for each in (border or [])[2:3]]
    return all(
        isinstance(each, int | float) and not isinstance(each, bool) and abs(each) <= _WIDEST_LINE
        for each in widths
    )


def _looks_the_same(old: Value, new: Dictionary) -> bool:
    """Whether a comment says something else and is otherwise as it was."""
    return isinstance(old, Dictionary) and all(
        same(old.get(key), new.get(key)) for key in (old.keys() | new.keys()) - _SAID
    )


def judge_pages(comparison: Comparison) -> dict[Reference, list[PageUse]]:
    """Judges what was added to the pages; gives the annotations that have to be those of new signatures."""
    placed: dict[Reference, list[PageUse]] = {}
    judged: set[tuple[Reference, Reference]] = set()
    for page in comparison.uses.pages_listing(comparison.replaced):
        now = comparison.after.dictionary(page.reference) or Dictionary()
        # Pages may share one list; it is judged once.
        if isinstance(listed := now.get("Annots"), Reference) and page.annotations is not None:
            if (page.annotations, listed) in judged:
                continue
            judged.add((page.annotations, listed))
        before = comparison.before.array(page.dictionary.get("Annots")) or []
        after = comparison.after.array(now.get("Annots")) or []
        if not same_lists(before, after[: len(before)]):
            before, after = _without_comments(comparison, page, before, after)
        what = f"the annotations of page object {page.reference.number}"
        for value in added_to(comparison, before, after, what):
            _judge_new_annotation(comparison, page, value, placed)
    return placed


def judge_comment(comparison: Comparison, number: int, old: Value, new: Value) -> None:
    """Judges a comment that was written anew in its place, or removed."""
    page = comparison.uses.page_of_annotation(number)
    for value in (old, new):
        if isinstance(value, Dictionary) and page is not None:
            comparison.findings.mark(page, comparison.rectangle(value))
    if new is None:
        text = f"the comment {number} was removed"
    elif isinstance(new, Dictionary) and is_comment(new):
        text = f"the comment {number} was changed"
        if not (_leaves_in_sight(comparison, new) or _looks_the_same(old, new)):
            comparison.findings.forbid(f"the comment {number} was changed, and may cover what is on the page")
    else:
        comparison.findings.forbid(f"the comment {number} became something else")
        return
    comparison.findings.tell(ChangeKind.OTHER, Need.ANNOTATING, text)


def _without_comments(
    comparison: Comparison, page: PageUse, before: list[Value], after: list[Value]
) -> tuple[list[Value], list[Value]]:
    """Both lists without their comments, where there were any before; notes those that are gone."""
    kept = [value for value in before if not _is_comment_in(comparison.before, value)]
    if len(kept) == len(before):
        return before, after
    text = f"comments on page {page.number} were removed or reordered"
    comparison.findings.tell(ChangeKind.OTHER, Need.ANNOTATING, text)
    left = {value for value in after if isinstance(value, Reference)}
    for value in before:
        if isinstance(value, Reference) and value not in left:
            comparison.findings.mark(page, comparison.rectangle(comparison.before.dictionary(value)))
    known = {value for value in before if isinstance(value, Reference)}
    return kept, [
        value
        for value in after
        if not (isinstance(value, Reference) and value in known and _is_comment_in(comparison.after, value))
    ]


def _judge_new_annotation(
    comparison: Comparison, page: PageUse, value: Value, placed: dict[Reference, list[PageUse]]
) -> None:
    findings = comparison.findings
    if not isinstance(value, Reference) or not comparison.is_created(value):
        findings.forbid("an annotation was added that is not a new object")
        return
    annotation = comparison.after.dictionary(value)
    findings.mark(page, comparison.rectangle(annotation))
    if annotation is not None and is_comment(annotation):
        text = f"a comment was added to page {page.number}"
        findings.tell(ChangeKind.OTHER, Need.ANNOTATING, text)
        if not _leaves_in_sight(comparison, annotation):
            findings.forbid(f"the comment added to page {page.number} may cover what is on it")
    else:
        # Whether it belongs to a new signature is found with the form.
        placed.setdefault(value, []).append(page)


def _is_comment_in(view: RevisionView, value: Value) -> bool:
    dictionary = view.dictionary(value)
    return dictionary is not None and is_comment(dictionary)
