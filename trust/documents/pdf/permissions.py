"""What the signatures of a document allow to be changed after them (ISO 32000-2 §12.8.2.2, §12.7.5.5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import Field
from trust.documents.pdf.syntax import Dictionary, Value


class Allowed(IntEnum):
    """The DocMDP permissions, by their numbers in the standard."""

    NOTHING = 1
    FORMS = 2  # filling in forms, signing
    ANNOTATIONS = 3  # and annotations


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """`allowed` is None where no signature says anything; `fields_locked` where any field is locked."""

    allowed: Allowed | None
    fields_locked: bool


def permissions_of(document: Document, fields: tuple[Field, ...]) -> Permissions:
    """The strictest of what the certification and the locks of signed fields say."""
    said: list[Allowed] = []
    locked = False
    named = document.dictionary(document.catalog().get("Perms"))
    if named is not None and (certification := document.dictionary(named.get("DocMDP"))) is not None:
        said.extend(_docmdp(document, certification))
    for field in fields:
        if field.kind != "Sig" or (signature := document.dictionary(field.dictionary.get("V"))) is None:
            continue
        lock = document.dictionary(field.dictionary.get("Lock"))
        if lock is not None:
            locked = True
            if "P" in lock:
                said.append(_allowed(document.resolve(lock["P"])))
        for transform, _ in _transforms(document, signature):
            locked = locked or transform == "FieldMDP"
    return Permissions(allowed=min(said, default=None), fields_locked=locked)


def _docmdp(document: Document, signature: Dictionary) -> Iterator[Allowed]:
    for transform, parameters in _transforms(document, signature):
        if transform == "DocMDP":
            yield _allowed(document.resolve(parameters.get("P")) if parameters is not None else None)


def _transforms(document: Document, signature: Dictionary) -> Iterator[tuple[Value, Dictionary | None]]:
    for item in document.array(signature.get("Reference")) or []:
        if (reference := document.dictionary(item)) is not None:
            parameters = document.dictionary(reference.get("TransformParams"))
            yield document.resolve(reference.get("TransformMethod")), parameters


def _allowed(value: Value) -> Allowed:
    if value is None:
        return Allowed.FORMS  # Table 257: the default
    # A number the standard does not know allows nothing that could be wrong.
    return Allowed(value) if isinstance(value, int) and value in (1, 2, 3) else Allowed.NOTHING
