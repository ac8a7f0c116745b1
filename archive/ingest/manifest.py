"""The manifest of a submission: strict JSON of a published shape, read before any file is looked at.

The shape is `manifest.schema.json` (JSON Schema 2020-12); what a schema cannot say is said here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from archive.codes import ArchivalCode, Retention, is_class_code, is_office
from archive.errors import ManifestRefused
from archive.model import MaterialRole
from trust.crypto.digests import sha256
from trust.kernel.clock import parse_rfc3339
from trust.kernel.errors import FieldError, InvalidInput
from trust.kernel.text import MAX_PARAGRAPH_CHARACTERS, line, paragraph

# A thousand materials with titles take a third of this.
MAX_MANIFEST_BYTES: Final = 1024 * 1024
# Whoever sends a thousand faults learns from the first twenty.
MAX_ERRORS: Final = 20
# The shape has four levels; deeper JSON is not even validated.
_MAX_DEPTH: Final = 8


@dataclass(frozen=True, kw_only=True)
class ManifestMaterial:
    """One material as the manifest names it; `sha256` is 32 octets."""

    name: str
    title: str
    role: MaterialRole
    media_type: str
    size: int
    sha256: bytes
    number: int | None


@dataclass(frozen=True, kw_only=True)
class Citation:
    """An archived material that the case reused, as the manifest cites it."""

    archival_code: str
    material: str
    sha256: bytes
    reuse_id: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest as read; `octets` are the very ones that were sent, and are kept in the package."""

    octets: bytes
    case_number: str
    item_code: str
    title: str
    class_code: str
    retention: Retention | None
    office: str | None
    event_date: date
    parties: tuple[Mapping[str, str], ...]
    process: tuple[Mapping[str, str], ...]
    materials: tuple[ManifestMaterial, ...]
    reused: tuple[Citation, ...]

    @property
    def sha256(self) -> bytes:
        return sha256(self.octets)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text of the manifest with its JSON pointer."""
        yield from _texts(json.loads(self.octets), "")


def read_manifest(octets: bytes) -> Manifest:
    """Reads a manifest; raises ManifestRefused with the pointers of what is wrong."""
    if len(octets) > MAX_MANIFEST_BYTES:
        raise ManifestRefused(f"the manifest is larger than {MAX_MANIFEST_BYTES} octets")
    document = _json(octets)
    _check_shape(document)
    _check_texts(document)
    return _manifest(octets, document)


def _json(octets: bytes) -> Any:
    try:
        document = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_no_float,
        )
    except UnicodeDecodeError as fault:
        raise ManifestRefused("the manifest is not UTF-8") from fault
    except RecursionError as fault:
        raise ManifestRefused("the manifest is nested too deeply") from fault
    except json.JSONDecodeError as fault:
        raise ManifestRefused(
            f"the manifest is not JSON: line {fault.lineno}, column {fault.colno}"
        ) from fault
    except ValueError as fault:
        # int() refuses numbers of thousands of digits with a plain ValueError.
        raise ManifestRefused("the manifest holds a number that cannot be read") from fault
    if _depth(document) > _MAX_DEPTH:
        raise ManifestRefused("the manifest is nested too deeply")
    return document


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ManifestRefused("an object of the manifest names a member twice")
    return dict(pairs)


def _no_constant(_text: str) -> Any:
    raise ManifestRefused("NaN and Infinity are not JSON")


def _no_float(_text: str) -> Any:
    raise ManifestRefused("the manifest holds a number with a fraction; it has whole numbers only")


def _depth(value: Any) -> int:
    """How many levels of objects and lists, counted level by level so that depth costs no stack."""
    level, layer = 0, [value]
    while layer:
        level += 1
        layer = [
            item
            for each in layer
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    return level


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(files(__package__).joinpath("manifest.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _check_shape(document: Any) -> None:
    errors: list[FieldError] = []
    for fault in _validator().iter_errors(document):
        errors.append(FieldError(pointer=_pointer(fault.absolute_path), detail=_sentence(fault)))
        if len(errors) == MAX_ERRORS:
            break
    if errors:
        raise ManifestRefused("the manifest is not of the documented shape", errors=errors)


def _sentence(fault: ValidationError) -> str:
    """What is wrong, without repeating the value: it may be personal, and as long as it likes."""
    wanted: Any = fault.validator_value
    if fault.validator == "required":
        given: Any = fault.instance
        return f"is missing: {', '.join(name for name in wanted if name not in given)}"
    if fault.validator == "additionalProperties":
        return "has a member that the manifest does not have"
    return f"{fault.validator} {wanted} is expected"


def _check_texts(document: Any) -> None:
    errors: list[FieldError] = []
    for pointer, text in _texts(document, ""):
        try:
            keep = paragraph if pointer.endswith("/note") else line
            if keep(text, what="the text", limit=MAX_PARAGRAPH_CHARACTERS) != text:
                errors.append(
                    FieldError(
                        pointer=pointer,
                        detail="is not in Unicode's composed form, or has white space around it",
                    )
                )
        except InvalidInput as fault:
            errors.append(FieldError(pointer=pointer, detail=fault.message))
        if len(errors) == MAX_ERRORS:
            break
    if errors:
        raise ManifestRefused("the manifest holds text that cannot be kept", errors=errors)


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{index}")


def _manifest(octets: bytes, document: Mapping[str, Any]) -> Manifest:
    errors: list[FieldError] = []

    def refuse(pointer: str, detail: str) -> None:
        errors.append(FieldError(pointer=pointer, detail=detail))

    event_date = date.min
    try:
        event_date = date.fromisoformat(document["event_date"])
    except ValueError:
        refuse("/event_date", "is no day of the calendar")
    if not is_class_code(document["class_code"]):
        refuse("/class_code", "is not a class's code")
    if "office" in document and not is_office(document["office"]):
        refuse("/office", "is not one word without white space, '·', '-' and slashes")
    for index, step in enumerate(document["process"]):
        if _moment(step["at"]) is None:
            refuse(f"/process/{index}/at", "is not an RFC 3339 moment with its zone")
    for index, cited in enumerate(document.get("reused", ())):
        try:
            ArchivalCode.parse(cited["archival_code"])
        except ValueError:
            refuse(f"/reused/{index}/archival_code", "is not an archival code")
    if errors:
        raise ManifestRefused("the manifest says what cannot be", errors=errors[:MAX_ERRORS])
    return Manifest(
        octets=octets,
        case_number=document["case_number"],
        item_code=document["item_code"],
        title=document["title"],
        class_code=document["class_code"],
        retention=Retention(document["retention"]) if "retention" in document else None,
        office=document.get("office"),
        event_date=event_date,
        parties=tuple(document["parties"]),
        process=tuple(document["process"]),
        materials=tuple(map(_material, document["materials"])),
        reused=tuple(map(_citation, document.get("reused", ()))),
    )


def _material(given: Mapping[str, Any]) -> ManifestMaterial:
    return ManifestMaterial(
        name=given["name"],
        title=given.get("title", given["name"]),
        role=MaterialRole(given["role"]),
        media_type=given["media_type"],
        size=given["size"],
        sha256=bytes.fromhex(given["sha256"]),
        number=given.get("number"),
    )


def _citation(given: Mapping[str, Any]) -> Citation:
    return Citation(
        archival_code=given["archival_code"],
        material=given["material"],
        sha256=bytes.fromhex(given["sha256"]),
        reuse_id=given["reuse_id"],
    )


def _moment(text: str) -> datetime | None:
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None


def _pointer(path: Sequence[str | int]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
