"""What the signatures of a document allow to be changed after them (ISO 32000-2 §12.8.2, §12.7.5.5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from trust.documents.pdf.document import Document
from trust.documents.pdf.fields import Field
from trust.documents.pdf.syntax import Dictionary, Reference, Value, is_self_contained, text_string


class Allowed(IntEnum):
    """The DocMDP permissions, by their numbers in the standard."""

    NOTHING = 1
    FORMS = 2  # filling in forms, signing
    ANNOTATIONS = 3  # and annotations


@dataclass(frozen=True, kw_only=True)
class FieldLock:
    """Which fields a signature locks (Table 236, FieldMDP): those named, or all but those named."""

    named: frozenset[str]
    all_others: bool

    def names(self, field_name: str) -> bool:
        """Whether the list names this field or one above it."""
        parts = field_name.split(".")
        return any(".".join(parts[:length]) in self.named for length in range(1, len(parts) + 1))

    def locks(self, field_name: str) -> bool:
        """Whether this field is locked."""
        return self.names(field_name) != self.all_others


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """`allowed` is None where no signature says anything; `certified` where the catalog names a certification."""

    allowed: Allowed | None
    locks: tuple[FieldLock, ...] = ()
    certified: bool = False

    def may_fill(self, field_name: str) -> bool:
        """Whether a form field may be filled in: a certification has to say so, and no lock the contrary."""
        forms = self.allowed is not None and self.allowed >= Allowed.FORMS
        return forms and not any(lock.locks(field_name) for lock in self.locks)

    def may_sign(self, field_name: str) -> bool:
        """Whether a signature may come: a lock on all fields is about those that are filled in, one by name is not."""
        named = any(not lock.all_others and lock.names(field_name) for lock in self.locks)
        return self.allowed is not Allowed.NOTHING and not named

    def may_show_new_signatures(self) -> bool:
        """Whether a signature may be shown where no field was prepared for it; what it shows could say anything."""
        return not self.certified

    def may_annotate(self) -> bool:
        """Whether comments may be written, changed and removed."""
        return self.allowed is Allowed.ANNOTATIONS


@dataclass(frozen=True, kw_only=True)
class _Rules:
    """What one signed field says."""

    said: tuple[Allowed, ...]
    locks: tuple[FieldLock, ...]


_NO_RULES = _Rules(said=(), locks=())


def permissions_of(document: Document, fields: tuple[Field, ...]) -> Permissions:
    """The strictest of what the certification and the locks of signed fields say."""
    return PermissionReader().read(document, fields)


class PermissionReader:
    """Reads the permissions of several revisions of one file; what a signature says is read once."""

    def __init__(self) -> None:
        # The dictionaries are kept along with what they say, so that their identities stay theirs.
        self._known: dict[tuple[int, int], tuple[Dictionary, Dictionary, _Rules]] = {}

    def read(self, document: Document, fields: tuple[Field, ...]) -> Permissions:
        """As `permissions_of` says."""
        said: list[Allowed] = []
        locks: list[FieldLock] = []
        # What the catalog names as certification has to be somebody's signature; otherwise it says nothing.
        named = document.dictionary(document.catalog().get("Perms"))
        value = named.get("DocMDP") if named is not None else None
        signed = any(field.kind == "Sig" and field.dictionary.get("V") == value for field in fields)
        certified = isinstance(value, Reference) and signed
        if certified:
            certification = document.dictionary(value)
            said.extend(_docmdp(document, certification) if certification is not None else ())
        for field in fields:
            if field.kind != "Sig" or (value := field.dictionary.get("V")) is None:
                continue
            if (signature := document.dictionary(value)) is None:
                continue
            rules = self._rules(document, field.dictionary, signature)
            said.extend(rules.said)
            locks.extend(rules.locks)
        return Permissions(
            allowed=min(said, default=None), locks=tuple(dict.fromkeys(locks)), certified=certified
        )

    def _rules(self, document: Document, field: Dictionary, signature: Dictionary) -> _Rules:
        if "Lock" not in field and "Reference" not in signature:
            return _NO_RULES
        key = id(field), id(signature)
        if (known := self._known.get(key)) is not None:
            return known[2]
        rules = _rules_of(document, field, signature)
        if is_self_contained(field.get("Lock")) and is_self_contained(signature.get("Reference")):
            self._known[key] = field, signature, rules
        return rules


def _rules_of(document: Document, field: Dictionary, signature: Dictionary) -> _Rules:
    said: list[Allowed] = []
    locks: list[FieldLock] = []
    lock = document.dictionary(field.get("Lock"))
    if lock is not None:
        locks.append(_lock(document, lock))
        if "P" in lock:
            said.append(_allowed(document.resolve(lock["P"])))
    for transform, parameters in _transforms(document, signature):
        if transform == "FieldMDP":
            locks.append(_lock(document, parameters))
    return _Rules(said=tuple(said), locks=tuple(locks))


def _lock(document: Document, parameters: Dictionary | None) -> FieldLock:
    """Of a lock that cannot be read, everything is locked."""
    action = document.resolve(parameters.get("Action")) if parameters is not None else None
    listed = document.array(parameters.get("Fields")) if parameters is not None else None
    names = frozenset(
        text_string(name) for item in listed or [] if isinstance(name := document.resolve(item), bytes)
    )
    if action == "Include" and listed is not None:
        return FieldLock(named=names, all_others=False)
    return FieldLock(named=names if action == "Exclude" else frozenset(), all_others=True)


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
