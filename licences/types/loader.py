"""Licence types from folders: `type.yaml`, `fields.schema.json`, `texts.yaml`, `template.typ`.

    types = load_types()                       # those that come with the service
    types.named("business-licence").check_fields(data)
    types.with_code("11100000MB0143028R001")

Everything is checked when it is read: a wrong key, a label without its field, a code whose check character
does not hold stop the start, not the first licence.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

from identity.numbers import Uscc, UsccInvalid
from licences.types.errors import LicenceTypeBroken, LicenceTypeUnknown
from licences.types.fields import FieldRules
from licences.types.model import (
    AgencyLevel,
    CommonField,
    DefiningAgency,
    HolderKind,
    IssuingAuthority,
    LicenceField,
    LicenceType,
    LocalText,
    NumberingRule,
    SealPlace,
    ServiceItemRule,
    ValidityKind,
    ValidityRule,
)
from licences.types.reading import Entries, read_bytes, read_yaml

BUILT_IN_FOLDER = Path(__file__).parent
COMMON_TEXTS = BUILT_IN_FOLDER / "common-texts.yaml"
FORMAT_VERSION = 1
PACKAGE_FILES = frozenset({"type.yaml", "fields.schema.json", "texts.yaml", "template.typ"})
# An A3 page, the largest a face is printed on.
_MAX_PAGE_MM = 420

_KEY = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_WIRE_NAME = re.compile(r"KZ_[A-Z][A-Z0-9]*")
_ITEM_CODE = re.compile(r"[0-9A-Z]{6,64}")


class LicenceTypes:
    """The loaded types, found by key or by code; iterating gives them in the order of their keys."""

    def __init__(self, types: tuple[LicenceType, ...]) -> None:
        self._by_key = {one.key: one for one in sorted(types, key=lambda one: one.key)}
        self._by_code = {one.code: one for one in types}
        if not len(self._by_key) == len(self._by_code) == len(types):
            raise LicenceTypeBroken("two licence types have the same key or the same code")

    def __iter__(self) -> Iterator[LicenceType]:
        return iter(self._by_key.values())

    def named(self, key: str) -> LicenceType:
        """Raises LicenceTypeUnknown."""
        return self._find(self._by_key, key)

    def with_code(self, code: str) -> LicenceType:
        """Raises LicenceTypeUnknown."""
        return self._find(self._by_code, code)

    @staticmethod
    def _find(types: dict[str, LicenceType], name: str) -> LicenceType:
        if name not in types:
            raise LicenceTypeUnknown("there is no licence type of that name; see the catalogue of types")
        return types[name]


def load_types(folder: Path = BUILT_IN_FOLDER) -> LicenceTypes:
    """Every type package in a folder; raises LicenceTypeBroken at the first fault."""
    packages = sorted(path.parent for path in folder.glob("*/type.yaml"))
    if not packages:
        raise LicenceTypeBroken(f"{folder.name}: holds no licence type")
    return LicenceTypes(tuple(load_type(package) for package in packages))


def load_type(package: Path) -> LicenceType:
    """One type package; raises LicenceTypeBroken naming file and place."""
    key = package.name
    if not _KEY.fullmatch(key):
        raise LicenceTypeBroken(f"{key}: a type's folder is named in lower case with hyphens")
    if strangers := {path.name for path in package.iterdir()} ^ PACKAGE_FILES:
        raise LicenceTypeBroken(f"{key}: missing or not of a type: {', '.join(sorted(strangers))}")

    # 1. The fields: their schema, their names on the wire, their labels.
    schema = _read_schema(package / "fields.schema.json", place=f"{key}/fields.schema.json")
    rules = FieldRules(schema, place=f"{key}/fields.schema.json")
    entries = read_yaml(package / "type.yaml")
    texts = read_yaml(package / "texts.yaml")
    fields = _read_fields(schema, entries.entries("wire_names"), texts.entries("fields"), key=key)
    face_texts = texts.entries("face")
    face = {name: face_texts.local_text(name) for name in face_texts.names_left()}
    texts.done()

    # 2. The rest of type.yaml; what is left over afterwards is refused.
    if entries.integer("format", least=1, most=FORMAT_VERSION) != FORMAT_VERSION:
        raise LicenceTypeBroken(f"{key}/type.yaml: format: only {FORMAT_VERSION} is known")
    loaded = LicenceType(
        key=key,
        name=entries.local_text("name"),
        defining_agency=_read_defining_agency(entries.entries("defining_agency")),
        issuing_authority=_read_issuing_authority(entries.entries("issuing_authority")),
        item=_read_item(entries.entries("item")),
        holder_kinds=frozenset(entries.choices("holder_kinds", HolderKind)),
        validity=_read_validity(entries.entries("validity")),
        numbering=_read_numbering(entries.entries("numbering")),
        seal_place=_read_seal_place(entries.entries("seal_place")),
        fields=fields,
        public_fields=_read_field_names(entries, "public_fields", fields),
        presented_fields=_read_field_names(entries, "presented_fields", fields),
        common_labels=_read_common_labels(),
        texts=MappingProxyType(face),
        template=read_bytes(package / "template.typ"),
        schema=MappingProxyType(schema),
        field_check=rules,
    )
    entries.done()
    return loaded


def _read_schema(path: Path, *, place: str) -> dict[str, Any]:
    try:
        schema = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise LicenceTypeBroken(f"{place}: not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise LicenceTypeBroken(f"{place}: must be an object")
    return schema


def _read_fields(
    schema: dict[str, Any], wire_names: Entries, labels: Entries, *, key: str
) -> tuple[LicenceField, ...]:
    """In the order of the schema, which is the order of the catalogue and of every list shown."""
    reserved = {name.value for name in CommonField}
    fields = []
    for name in schema.get("properties", {}):
        if not _FIELD_NAME.fullmatch(name) or name in reserved:
            raise LicenceTypeBroken(f"{key}: {name}: not a name for a field of a type")
        wire_name = wire_names.text(name)
        if not _WIRE_NAME.fullmatch(wire_name):
            raise wire_names.broken(name, "must be KZ_ and capital letters and digits (GB/T 36903)")
        required = name in schema.get("required", [])
        fields.append(
            LicenceField(name=name, wire_name=wire_name, label=labels.local_text(name), required=required)
        )
    wire_names.done()
    labels.done()
    if len({field.wire_name for field in fields}) != len(fields):
        raise LicenceTypeBroken(f"{key}: two fields have the same name on the wire")
    return tuple(fields)


def _read_defining_agency(entries: Entries) -> DefiningAgency:
    uscc, sequence = entries.text("uscc"), entries.text("sequence")
    try:
        if Uscc.parse(uscc).value != uscc:
            raise entries.broken("uscc", "must be in capital letters")
    except UsccInvalid as refused:
        raise entries.broken("uscc", refused.message) from refused
    if not re.fullmatch(r"[0-9]{3}", sequence):
        raise entries.broken("sequence", "must be three digits")
    level = entries.choice("level", AgencyLevel)
    agency = DefiningAgency(name=entries.text("name"), uscc=uscc, sequence=sequence, level=level)
    entries.done()
    return agency


def _read_issuing_authority(entries: Entries) -> IssuingAuthority:
    authority = IssuingAuthority(name=entries.local_text("name"), level=entries.choice("level", AgencyLevel))
    entries.done()
    return authority


def _read_item(entries: Entries) -> ServiceItemRule:
    item = ServiceItemRule(name=entries.local_text("name"), code=entries.text("code"))
    if not _ITEM_CODE.fullmatch(item.code):
        raise entries.broken("code", "must be 6 to 64 capital letters and digits")
    entries.done()
    return item


def _read_validity(entries: Entries) -> ValidityRule:
    kind = entries.choice("kind", ValidityKind)
    months = entries.integer("months", least=1, most=1200) if kind is ValidityKind.MONTHS else None
    entries.done()
    return ValidityRule(kind=kind, months=months)


def _read_numbering(entries: Entries) -> NumberingRule:
    rule = NumberingRule(
        number=entries.text("number"),
        serial_characters=entries.integer("serial_characters", least=16, most=32),
    )
    if not NumberingRule.is_pattern(rule.number):
        raise entries.broken("number", "must hold {division}, {year}, {holder_code} or {sequence:N}")
    entries.done()
    return rule


def _read_seal_place(entries: Entries) -> SealPlace:
    place = SealPlace(
        page=entries.integer("page", least=1, most=4),
        centre_x_mm=entries.number("centre_x_mm", least=0, most=_MAX_PAGE_MM),
        centre_y_mm=entries.number("centre_y_mm", least=0, most=_MAX_PAGE_MM),
    )
    entries.done()
    return place


def _read_field_names(entries: Entries, key: str, fields: tuple[LicenceField, ...]) -> tuple[str, ...]:
    known = {field.name for field in fields} | {name.value for name in CommonField}
    names = entries.names(key)
    if unknown := set(names) - known:
        raise entries.broken(key, f"not a field: {', '.join(sorted(unknown))}")
    return names


def _read_common_labels() -> MappingProxyType[CommonField, LocalText]:
    entries = read_yaml(COMMON_TEXTS)
    labels = {name: entries.local_text(name.value) for name in CommonField}
    entries.done()
    return MappingProxyType(labels)
