"""The words for what objects of a revision are used for, as far as a later revision may change such a thing."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from trust.documents.pdf.fields import Field
from trust.documents.pdf.syntax import Dictionary, Reference, Value

_READ_ONLY = 1  # field flag 1 (Table 221)

Box = tuple[float, float, float, float]


class Use(StrEnum):
    """What an object is for."""

    CATALOG = "catalog"
    FORM = "form"
    FORM_FIELDS = "list of fields"
    EMPTY_SIGNATURE = "empty signature field"
    FILLABLE = "field that may be filled in"
    APPEARANCE = "appearance of a field that may be filled in"
    PAGE = "page"
    ANNOTATIONS = "list of annotations"
    COMMENT = "comment"
    VALIDATION_DATA = "validation data"
    INFORMATION = "document information"
    METADATA = "metadata"
    SHOWN = "part of what is shown"


@dataclass(frozen=True, kw_only=True)
class PageUse:
    """A page, its number from 1, its visible box, and the object of its annotations where they have one."""

    reference: Reference
    dictionary: Dictionary
    number: int
    box: Box | None
    annotations: Reference | None


def parts_of(field: Field) -> tuple[Reference, ...]:
    """The field's own object and those of its widgets, each once."""
    own = () if field.reference is None else (field.reference,)
    return tuple(dict.fromkeys((*own, *field.widgets)))


def appearances_of(widget: Dictionary | None) -> tuple[int, ...]:
    """The objects that a widget has as its appearances, by state or without (ISO 32000-1 §12.5.5)."""
    appearance = widget.get("AP") if widget is not None else None
    found: list[int] = []
    for value in appearance.values() if isinstance(appearance, Dictionary) else ():
        states: Iterable[Value] = value.values() if isinstance(value, Dictionary) else (value,)
        found.extend(each.number for each in states if isinstance(each, Reference))
    return tuple(found)


def may_change(field: Field) -> bool:
    """Whether a later revision may fill a field: a signature that is empty, or a form field not read-only."""
    if field.kind == "Sig":
        return field.dictionary.get("V") is None
    return field.kind in ("Tx", "Btn", "Ch") and not field.flags & _READ_ONLY


def use_of(field: Field) -> Use:
    """What a field that may change is used for."""
    return Use.EMPTY_SIGNATURE if field.kind == "Sig" else Use.FILLABLE


def numbers_in(values: Iterable[Value]) -> set[int]:
    """The objects that values refer to, themselves."""
    return {value.number for value in values if isinstance(value, Reference)}
