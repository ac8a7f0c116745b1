"""What a revision may do to the store of validation data: add to it (ISO 32000-2 §12.8.4.3; EN 319 142-1 §5.4.2)."""

from trust.documents.pdf.changes import ChangeKind, Comparison, Need
from trust.documents.pdf.syntax import Dictionary, Reference, Value, same

STORE_KEYS = frozenset({"Certs", "CRLs", "OCSPs", "VRI", "Type"})
LISTS = ("Certs", "CRLs", "OCSPs")
# What is written about one signature (ISO 32000-2 Table 262); the lists may grow, the rest comes once.
_RELATED_LISTS = frozenset({"Cert", "CRL", "OCSP"})
_RELATED_KEYS = _RELATED_LISTS | {"Type", "TU", "TS"}
# Streams of validation data say nothing about themselves but how they are stored.
_DATA_KEYS = frozenset({"Length", "Filter", "DecodeParms", "Type"})


def judge_validation_data(comparison: Comparison) -> None:
    """Certificates, lists and answers may be added to the store, none taken out."""
    findings = comparison.findings
    before, after = comparison.before, comparison.after
    old, new = (view.dictionary(view.catalog().get("DSS")) for view in (before, after))
    if new is None:
        if old is not None:
            findings.forbid("the validation data were removed")
        return
    changed = new is not old and not same(old, new)
    if new is not old:
        if odd := new.keys() - STORE_KEYS - (old or Dictionary()).keys():
            findings.forbid(f"the validation data have /{min(odd)}")
        if new.repeated:
            findings.forbid(f"the validation data have /{min(new.repeated)} twice")
    for key in LISTS:
        was, now = (old or Dictionary()).get(key), new.get(key)
        changed = _judge_list(comparison, was, now, f"/{key} of the validation data") or changed
    changed = _judge_related_data(comparison, old, new) or changed
    if changed:
        findings.tell(ChangeKind.VALIDATION_DATA, Need.NOTHING, "validation data were added")


def _judge_list(comparison: Comparison, old: Value, new: Value, what: str) -> bool:
    """Whether a list of data is another one; forbids it to have lost anything or to have gained anything else."""
    was, now = comparison.before.array(old), comparison.after.array(new)
    if now is was or same(was, now):
        return False
    before, after = was or [], now or []
    known = {value for value in before if isinstance(value, Reference)}
    listed = {value for value in after if isinstance(value, Reference)}
    if not known <= listed or len(known) < len(set(map(repr, before))):
        comparison.findings.forbid(f"something was taken out of {what}")
    gained = listed - known
    if len(listed) < len(set(map(repr, after))) or not all(_is_data(comparison, each) for each in gained):
        comparison.findings.forbid(f"{what} was given something that is no data")
    return True


def _judge_related_data(comparison: Comparison, old: Dictionary | None, new: Dictionary) -> bool:
    """What is said of single signatures (/VRI): more may come, nothing may go. Whether any did."""
    findings = comparison.findings
    before = (comparison.before.dictionary(old.get("VRI")) if old is not None else None) or Dictionary()
    after = comparison.after.dictionary(new.get("VRI"))
    if after is before or (after is None and not before):
        return False
    if after is None:
        findings.forbid("/VRI of the validation data was removed")
        return True
    if after.repeated:
        findings.forbid(f"/VRI of the validation data has /{min(after.repeated)} twice")
    for key in sorted(before.keys() | after.keys()):
        what = f"/VRI /{key} of the validation data"
        was, now = before.get(key), after.get(key)
        if key == "Type":
            if now not in (was, "VRI"):
                findings.forbid(f"{what} was changed")
            continue
        entry_before, entry = comparison.before.dictionary(was), comparison.after.dictionary(now)
        if entry is entry_before and entry is not None:
            continue
        if entry is None or _is_stream(comparison, now):
            findings.forbid(f"{what} was removed, or is no dictionary")
            continue
        _judge_related(comparison, entry_before or Dictionary(), entry, what)
    return True


def _judge_related(comparison: Comparison, old: Dictionary, new: Dictionary, what: str) -> None:
    findings = comparison.findings
    if odd := new.keys() - _RELATED_KEYS:
        findings.forbid(f"{what} has /{min(odd)}")
    if new.repeated:
        findings.forbid(f"{what} has /{min(new.repeated)} twice")
    for key in sorted(old.keys() | new.keys()):
        if key in _RELATED_LISTS:
            _judge_list(comparison, old.get(key), new.get(key), f"/{key} in {what}")
        elif key in old and key != "TU" and not same(old.get(key), new.get(key)):
            findings.forbid(f"/{key} in {what} was changed")


def _is_stream(comparison: Comparison, value: Value) -> bool:
    found = comparison.after.indirect(value) if isinstance(value, Reference) else None
    return found is not None and found.stream is not None


def _is_data(comparison: Comparison, value: Reference) -> bool:
    found = comparison.after.indirect(value)
    if found is None or found.stream is None or not isinstance(found.value, Dictionary):
        return False
    return found.value.keys() <= _DATA_KEYS and not found.value.repeated
