"""A type's fields as JSON Schema 2020-12, and data checked against them.

A schema is refused unless it is closed and bounded: no references, no unknown keywords, every object
without additional properties, every text and list with a longest length, no floating-point numbers
(amounts are text of format `decimal`). So no schema can fetch anything, and no data can be endless.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

from identity.numbers import ResidentIdNumber, Uscc
from licences.types.errors import LicenceFieldsRefused, LicenceTypeBroken
from trust.kernel.errors import FieldError, InvalidInput

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Bounds of what a licence says: a face is one page, and its data travels inside a credential.
MAX_DEPTH = 4
MAX_VALUES = 500
MAX_TEXT = 2000
MAX_ITEMS = 100
# A caller who sends a thousand faults learns from the first twenty.
MAX_ERRORS = 20

_KEYWORDS_OF_ANY = {"$schema", "title", "description", "type", "examples"}
_KEYWORDS_OF_LISTS = {"items", "minItems", "maxItems", "uniqueItems"}
_KEYWORDS_OF_OBJECTS = {"properties", "required", "additionalProperties"}
_KEYWORDS_OF_SCALARS = {"enum", "format", "pattern", "minLength", "maxLength", "minimum", "maximum"}
_KEYWORDS = _KEYWORDS_OF_ANY | _KEYWORDS_OF_LISTS | _KEYWORDS_OF_OBJECTS | _KEYWORDS_OF_SCALARS
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,6})?")
# Controls, bidirectional and other invisible marks, surrogates, private use, unassigned, line separators: none
# of these can be read on a face, and some make it read as something else.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _is_date(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(date.fromisoformat(text))


def _is_resident_id_number(text: str) -> bool:
    return ResidentIdNumber.parse(text).value == text


def _is_uscc(text: str) -> bool:
    return Uscc.parse(text).value == text


def _is_decimal(text: str) -> bool:
    return bool(_DECIMAL.fullmatch(text))


_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": _is_date,
    "resident-id-number": _is_resident_id_number,
    "uscc": _is_uscc,
    "decimal": _is_decimal,
}
# What each failing keyword means; jsonschema's own sentences repeat the value, which is personal.
_SENTENCES: Mapping[str, str] = {
    "type": "is of the wrong type; {value} is expected",
    "minLength": "is shorter than {value} characters",
    "maxLength": "is longer than {value} characters",
    "pattern": "does not have the form {value}",
    "format": "is not of the format {value}",
    "enum": "is none of {value}",
    "minimum": "is less than {value}",
    "maximum": "is more than {value}",
    "minItems": "has fewer than {value} items",
    "maxItems": "has more than {value} items",
    "uniqueItems": "names something twice",
}


def require_printable(texts: Mapping[str, str]) -> None:
    """Holds texts that stand beside a type's own fields to the same rule; the keys are JSON pointers.

    Raises LicenceFieldsRefused.
    """
    faults = [fault for pointer, text in texts.items() for fault in _faults_of_text(pointer, text)]
    if faults:
        raise LicenceFieldsRefused("a text of the licence cannot be shown", errors=faults)


class FieldRules:
    """The checked schema of one type; called with data, raises LicenceFieldsRefused."""

    def __init__(self, schema: object, *, place: str) -> None:
        """Raises LicenceTypeBroken where the schema is not one this house takes."""
        self._place = place
        if not isinstance(schema, dict) or schema.get("$schema") != DIALECT or schema.get("type") != "object":
            raise LicenceTypeBroken(f"{place}: must be an object schema of {DIALECT}")
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise LicenceTypeBroken(f"{place}: not a JSON Schema: {error.message}") from error
        self._require_closed(schema, "", depth=0)
        formats = FormatChecker(formats=())
        for name, check in _FORMATS.items():
            formats.checks(name, raises=(InvalidInput, ValueError))(_only_text(check))
        self._validator = Draft202012Validator(schema, format_checker=formats)

    def __call__(self, data: Mapping[str, Any]) -> None:
        faults = list(_faults_of_values(data))
        if not faults:
            faults = [fault for error in self._validator.iter_errors(data) for fault in _explain(error)]
        if faults:
            faults.sort(key=lambda fault: (fault.pointer, fault.detail))
            raise LicenceFieldsRefused(
                "the data does not fit the licence type's fields", errors=faults[:MAX_ERRORS]
            )

    def _require_closed(self, schema: object, pointer: str, *, depth: int) -> None:
        """Walks the schema; each kind of value must be bounded in its own way."""
        if not isinstance(schema, dict):
            raise self._broken(pointer, "must be a schema with a type")
        if unknown := set(schema) - _KEYWORDS:
            raise self._broken(pointer, f"unknown keywords: {', '.join(sorted(unknown))}")
        if depth > MAX_DEPTH:
            raise self._broken(pointer, f"nested deeper than {MAX_DEPTH}")
        match schema.get("type"):
            case "object":
                self._require_closed_object(schema, pointer, depth)
            case "array":
                if not 0 < schema.get("maxItems", 0) <= MAX_ITEMS:
                    raise self._broken(pointer, f"a list needs maxItems of at most {MAX_ITEMS}")
                self._require_closed(schema.get("items"), f"{pointer}/items", depth=depth + 1)
            case "string":
                self._require_bounded_text(schema, pointer)
            case "integer":
                if "minimum" not in schema or "maximum" not in schema:
                    raise self._broken(pointer, "a number needs minimum and maximum")
            case "boolean":
                pass
            case _:
                raise self._broken(pointer, "type must be one of object, array, string, integer, boolean")

    def _require_closed_object(self, schema: Mapping[str, Any], pointer: str, depth: int) -> None:
        if schema.get("additionalProperties") is not False:
            raise self._broken(pointer, "an object needs additionalProperties: false")
        properties = schema.get("properties", {})
        if missing := set(schema.get("required", [])) - set(properties):
            raise self._broken(pointer, f"required but not described: {', '.join(sorted(missing))}")
        for name, inner in properties.items():
            self._require_closed(inner, f"{pointer}/properties/{_escape(name)}", depth=depth + 1)

    def _require_bounded_text(self, schema: Mapping[str, Any], pointer: str) -> None:
        if "format" in schema and schema["format"] not in _FORMATS:
            raise self._broken(pointer, f"format must be one of {', '.join(sorted(_FORMATS))}")
        bounded = "enum" in schema or "format" in schema or 0 < schema.get("maxLength", 0) <= MAX_TEXT
        if not bounded:
            raise self._broken(pointer, f"a text needs enum, a format, or maxLength of at most {MAX_TEXT}")
        try:
            re.compile(schema.get("pattern", ""))
        except re.error as error:
            raise self._broken(pointer, f"pattern: {error}") from error

    def _broken(self, pointer: str, detail: str) -> LicenceTypeBroken:
        return LicenceTypeBroken(f"{self._place}: {pointer or '/'}: {detail}")


def _only_text(check: Callable[[str], bool]) -> Callable[[object], bool]:
    """Formats speak of text only (JSON Schema Validation §7.1); other types are `type`'s to refuse."""
    return lambda value: not isinstance(value, str) or check(value)


def _faults_of_values(data: object) -> Iterator[FieldError]:
    """What no schema can say: depth and number of values, floats, text that cannot be read or shown."""
    waiting: list[tuple[str, object, int]] = [("", data, 0)]
    seen = 0
    while waiting:
        pointer, value, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES or depth > MAX_DEPTH:
            yield FieldError(pointer="", detail=f"has more than {MAX_VALUES} values or {MAX_DEPTH} levels")
            return
        match value:
            case str():
                yield from _faults_of_text(pointer, value)
            case bool() | int():
                pass
            case dict():
                for name, inner in value.items():
                    if not isinstance(name, str) or len(name) > 100 or list(_faults_of_text("", name)):
                        yield FieldError(pointer=pointer, detail="has a name that is no field's")
                        return
                    waiting.append((f"{pointer}/{_escape(name)}", inner, depth + 1))
            case list():
                waiting.extend((f"{pointer}/{index}", item, depth + 1) for index, item in enumerate(value))
            case _:
                yield FieldError(
                    pointer=pointer, detail="must be text, a whole number, true, false or a list"
                )


def _faults_of_text(pointer: str, text: str) -> Iterator[FieldError]:
    if len(text) > MAX_TEXT:
        yield FieldError(pointer=pointer, detail=f"is longer than {MAX_TEXT} characters")
    elif any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        yield FieldError(pointer=pointer, detail="holds a character that cannot be shown")
    elif text != text.strip():
        yield FieldError(pointer=pointer, detail="begins or ends with white space")


def _explain(error: ValidationError) -> Iterator[FieldError]:
    pointer = "".join(f"/{_escape(str(step))}" for step in error.absolute_path)
    schema: object = error.schema
    instance: Any = error.instance
    if error.validator == "required":
        # jsonschema raises one of these for each missing name; the name stands quoted in the message.
        missing = re.match(r"'(.*)' is a required property", error.message)
        yield FieldError(pointer=f"{pointer}/{_escape(missing[1] if missing else '')}", detail="is missing")
    elif error.validator == "additionalProperties" and isinstance(schema, Mapping):
        for name in sorted(name for name in instance if name not in schema.get("properties", {})):
            yield FieldError(pointer=f"{pointer}/{_escape(name)}", detail="is not a field of this type")
    else:
        value = error.validator_value
        listed = (
            ", ".join(map(str, value))
            if isinstance(value, Sequence) and not isinstance(value, str)
            else value
        )
        sentence = _SENTENCES.get(str(error.validator), "does not fit")
        yield FieldError(pointer=pointer, detail=sentence.format(value=listed))


def _escape(name: str) -> str:
    """RFC 6901 §3."""
    return name.replace("~", "~0").replace("/", "~1")
