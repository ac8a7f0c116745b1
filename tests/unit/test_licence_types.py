import contextlib
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.numbers import Uscc
from licences.types.errors import LicenceFieldsRefused, LicenceTypeBroken, LicenceTypeUnknown
from licences.types.fields import DIALECT, MAX_ERRORS, FieldRules
from licences.types.loader import BUILT_IN_FOLDER, load_type, load_types
from licences.types.model import (
    CommonField,
    HolderKind,
    Language,
    NumberingRule,
    SealPlace,
    ValidityKind,
    ValidityRule,
)
from tests.support.licence_faces import FIELDS

KEYS = sorted(FIELDS)
BUSINESS_LICENCE = load_types().named("business-licence")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of a built-in type to break."""
    return shutil.copytree(BUILT_IN_FOLDER / "business-licence", tmp_path / "business-licence")


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def rules(properties: dict[str, Any], **more: Any) -> FieldRules:
    schema = {"$schema": DIALECT, "type": "object", "additionalProperties": False, "properties": properties}
    return FieldRules({**schema, **more}, place="test")


def pointers(refused: pytest.ExceptionInfo[LicenceFieldsRefused]) -> list[str]:
    return [error.pointer for error in refused.value.errors]


def test_the_built_in_types_are_loaded_and_found_by_key_and_code():
    types = load_types()
    assert [one.key for one in types] == KEYS
    assert types.with_code("11100000MB0143028R001") is types.named("business-licence")
    for find in (types.named, types.with_code):
        with pytest.raises(LicenceTypeUnknown):
            find("no-such-type")


@pytest.mark.parametrize("key", KEYS)
def test_every_type_names_its_fields_in_both_languages(key):
    licence_type = load_types().named(key)
    names = [field.name for field in licence_type.fields] + [name.value for name in CommonField]
    for language in Language:
        assert all(licence_type.label(name, language) for name in names)
    assert set(licence_type.public_fields) <= set(names)
    assert set(licence_type.presented_fields) <= set(names)
    assert "holder_code" not in licence_type.public_fields
    with pytest.raises(ValueError, match="no_such_field"):
        licence_type.label("no_such_field", Language.EN)


@pytest.mark.parametrize("key", KEYS)
def test_the_catalogue_entry_has_the_wire_names_of_the_standard(key):
    entry = load_types().named(key).catalogue_entry()
    assert list(entry) == [
        "CertificateTypeName",
        "CertificateTypeCode",
        "CertificateDefineAuthorityName",
        "CertificateDefineAuthorityCode",
        "CertificateDefineAuthorityLevel",
        "ItemName",
        "ItemCode",
        "CertificateHolderCategory",
        "ValidtyRange",
        "CertificateIssuingAuthorityLevel",
        "CertificateIssuingAuthority",
    ]
    assert Uscc.parse(entry["CertificateDefineAuthorityCode"])
    assert len(entry["CertificateTypeCode"]) == 21


@pytest.mark.parametrize("key", KEYS)
def test_good_data_fits(key):
    load_types().named(key).check_fields(FIELDS[key])


def test_every_fault_is_told_with_its_pointer_and_without_its_value():
    permit = load_types().named("construction-planning-permit")
    data = {
        **FIELDS["construction-planning-permit"],
        "building_area": "很多",
        "project_code": "2026",
        "enclosures": ["图", "规划技术经济指标表"],
        "secret/~field": "x",
    }
    del data["project_name"]
    with pytest.raises(LicenceFieldsRefused) as refused:
        permit.check_fields(data)
    assert pointers(refused) == [
        "/building_area",
        "/enclosures/0",
        "/project_code",
        "/project_name",
        "/secret~1~0field",
    ]
    said = " ".join(error.detail for error in refused.value.errors) + str(refused.value)
    assert "很多" not in said
    assert "图" not in said


@pytest.mark.parametrize(
    "text",
    [
        "a\0b",
        "a\nb",
        "\ud800",
        "名\u202e称",
        "名\u200b称",
        "\ufeff名称",
        "名称 ",
        "名\u2028称",
        "\ue000名",
        "名\U000e0041",
    ],
)
def test_text_that_cannot_be_read_on_a_page_is_refused(text):
    with pytest.raises(LicenceFieldsRefused) as refused:
        rules({"name": {"type": "string", "maxLength": 100}})({"name": text})
    assert pointers(refused) == ["/name"]


@pytest.mark.parametrize(
    "data",
    [
        {"name": 1.0},
        {"name": float("nan")},
        {"name": None},
        {"name": b"octets"},
        {"name": {"a": {"b": {"c": {"d": {"e": "f"}}}}}},
        {"name": ["x"] * 600},
        {"name": "长" * 2001},
        {"\0": "x"},
        {"n" * 200: "x"},
        {1: "x"},
        [],
        "text",
        None,
    ],
)
def test_values_of_no_kind_a_licence_has_are_refused(data):
    with pytest.raises(LicenceFieldsRefused):
        rules({"name": {"type": "string", "maxLength": 100}})(data)


def test_a_thousand_faults_are_answered_with_the_first_few():
    with pytest.raises(LicenceFieldsRefused) as refused:
        rules({})({f"field{index}": "x" for index in range(400)})
    assert len(refused.value.errors) == MAX_ERRORS


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_data_fits_or_is_refused(data):
    with contextlib.suppress(LicenceFieldsRefused):
        BUSINESS_LICENCE.check_fields(data)


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("date", "2024-02-29", ["2023-02-29", "2024-2-29", "20240229", "2024-W01-1", "２０２４-02-29"]),
        ("decimal", "1000.50", ["1,000", "-1", "01", "1.", ".5", "1e3", "١"]),
        ("uscc", "91350100M000100Y43", ["91350100M000100Y44", "91350100m000100y43"]),
        ("resident-id-number", "11010519491231002X", ["110105194912310021", "11010519491231002x"]),
    ],
)
def test_formats_are_checked(form, good, bad):
    check = rules({"value": {"type": "string", "format": form}})
    check({"value": good})
    for text in bad:
        with pytest.raises(LicenceFieldsRefused) as refused:
            check({"value": text})
        assert [(error.pointer, error.detail) for error in refused.value.errors] == [
            ("/value", f"is not of the format {form}")
        ]


@pytest.mark.parametrize(
    ("inner", "complaint"),
    [
        ({"$ref": "https://elsewhere.example/schema.json"}, "unknown keywords: \\$ref"),
        ({"$dynamicRef": "#x", "type": "string"}, "unknown keywords"),
        ({"allOf": [], "type": "string"}, "unknown keywords|not a JSON Schema"),
        ({"type": "string"}, "maxLength"),
        ({"type": "string", "maxLength": 5000}, "maxLength"),
        ({"type": "string", "format": "email", "maxLength": 10}, "format must be one of"),
        ({"type": "string", "pattern": "(", "maxLength": 10}, "pattern|not a JSON Schema"),
        ({"type": "number"}, "type must be"),
        ({"type": ["string", "null"]}, "type must be"),
        ({"type": "integer"}, "minimum and maximum"),
        ({"type": "array", "items": {"type": "boolean"}}, "maxItems"),
        ({"type": "array", "maxItems": 3}, "must be a schema"),
        ({"type": "object", "properties": {}}, "additionalProperties"),
        ({"type": "object", "additionalProperties": False, "required": ["x"]}, "required but not described"),
        (True, "must be a schema"),
    ],
)
def test_a_schema_that_is_open_or_endless_is_refused(inner, complaint):
    with pytest.raises(LicenceTypeBroken, match=complaint):
        rules({"value": inner})


def test_a_schema_of_another_dialect_is_refused():
    with pytest.raises(LicenceTypeBroken, match="2020-12"):
        FieldRules({"type": "object", "additionalProperties": False}, place="test")


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("type.yaml", "format: 1", "format: 2", "format"),
        ("type.yaml", "format: 1", "format: 1\ncolour: red", "unknown: colour"),
        ("type.yaml", "format: 1", "format: 1\nformat: 1", "a key stands twice"),
        ("type.yaml", "11100000MB0143028R", "11100000MB0143028X", "uscc: the check character"),
        ("type.yaml", 'sequence: "001"', "sequence: 1", "sequence: must be text"),
        ("type.yaml", 'sequence: "001"', 'sequence: "01"', "three digits"),
        ("type.yaml", "level: national", "level: galactic", "level: must be one of"),
        (
            "type.yaml",
            "[legal_person, organisation]",
            "[legal_person, legal_person]",
            "names something twice",
        ),
        ("type.yaml", "[legal_person, organisation]", "[robot]", "holder_kinds: must be a list of"),
        ("type.yaml", "kind: unlimited", "kind: unlimited, months: 3", "unknown: months"),
        ("type.yaml", "kind: unlimited", "kind: months, months: 0", "months: must be a whole number"),
        ("type.yaml", '"{holder_code}"', '"{holder.code}"', "number: must hold"),
        ("type.yaml", '"{holder_code}"', '"constant"', "number: must hold"),
        ("type.yaml", "serial_characters: 20", "serial_characters: 8", "serial_characters"),
        ("type.yaml", "page: 1", "page: true", "page: must be a whole number"),
        ("type.yaml", "centre_x_mm: 219", "centre_x_mm: .nan", "centre_x_mm"),
        ("type.yaml", "public_fields: [number", "public_fields: [colour", "not a field: colour"),
        ("type.yaml", "KZ_QYLX", "QYLX", "must be KZ_"),
        ("type.yaml", "KZ_QYLX", "KZ_FDDBR", "same name on the wire"),
        ("type.yaml", "  entity_type: KZ_QYLX\n", "", "entity_type: is missing"),
        (
            "type.yaml",
            "  entity_type: KZ_QYLX\n",
            "  entity_type: KZ_QYLX\n  colour: KZ_YS\n",
            "unknown: colour",
        ),
        ("type.yaml", "name: {", "name: !!python/object/apply:os.system {", "not YAML"),
        ("texts.yaml", "{ zh-Hans: 类型, en: Type }", "{ zh-Hans: 类型 }", "en: is missing"),
        ("texts.yaml", "{ zh-Hans: 类型, en: Type }", "{ zh-Hans: 类型, en: Type, fr: Type }", "unknown: fr"),
        ("texts.yaml", "fields:", "other: {}\nfields:", "unknown: other"),
        ("fields.schema.json", '"business_term_until": {', '"number": {', "number: not a name"),
        ("fields.schema.json", "{", "{{", "not JSON"),
    ],
)
def test_a_type_package_with_a_fault_stops_the_start_naming_the_place(package, file, old, new, complaint):
    replace_in(package / file, old, new)
    with pytest.raises(LicenceTypeBroken, match=complaint):
        load_type(package)


def test_a_type_package_has_its_four_files_and_no_other(package):
    (package / "notes.txt").write_text("x")
    with pytest.raises(LicenceTypeBroken, match=r"notes\.txt"):
        load_type(package)
    (package / "notes.txt").rename(package.parent / "notes.txt")
    (package / "template.typ").unlink()
    with pytest.raises(LicenceTypeBroken, match=r"template\.typ"):
        load_type(package)


def test_two_packages_with_one_code_are_refused(package):
    shutil.copytree(package, package.with_name("another-licence"))
    with pytest.raises(LicenceTypeBroken, match="same key or the same code"):
        load_types(package.parent)


def test_an_empty_folder_is_no_catalogue(tmp_path):
    with pytest.raises(LicenceTypeBroken, match="no licence type"):
        load_types(tmp_path)


def test_numbers_are_composed_by_their_rule():
    permit = load_types().named("construction-planning-permit")
    assert permit.holder_kinds == set(HolderKind)
    assert permit.numbering.needs_sequence
    number = permit.numbering.compose(division="420100", year=2026, holder_code="x", sequence=123)
    assert number == "建字第4201002026GG0000123号"
    for sequence in (None, 0, 10_000_000):
        with pytest.raises(ValueError, match="sequence"):
            permit.numbering.compose(division="420100", year=2026, holder_code="x", sequence=sequence)


def test_a_holder_code_with_braces_is_not_filled_again():
    rule = NumberingRule(number="{holder_code}-{year}", serial_characters=20)
    assert rule.compose(division="420100", year=2026, holder_code="{year}", sequence=None) == "{year}-2026"
    assert not rule.needs_sequence


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 11, 22), 12, date(2027, 11, 21)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2026, 12, 31)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
    ],
)
def test_the_last_day_is_the_day_before_the_same_day_of_a_later_month(first, months, last):
    assert ValidityRule(kind=ValidityKind.MONTHS, months=months).last_day(first) == last


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 1200))
def test_a_last_day_is_never_before_the_first(first, months):
    last = ValidityRule(kind=ValidityKind.MONTHS, months=months).last_day(first)
    assert last is not None
    assert first < last or (months == 1 and first <= last)


def test_a_stated_last_day_is_asked_for_where_the_rule_says_so():
    stated, unlimited = ValidityRule(kind=ValidityKind.STATED), ValidityRule(kind=ValidityKind.UNLIMITED)
    day = date(2026, 11, 22)
    assert unlimited.last_day(day) is None
    assert stated.last_day(day, stated=day) == day
    for rule, given_day in ((stated, None), (stated, date(2026, 11, 21)), (unlimited, day)):
        with pytest.raises(ValueError, match="last day"):
            rule.last_day(day, stated=given_day)


def test_a_seal_is_placed_around_its_centre():
    place = SealPlace(page=1, centre_x_mm=100, centre_y_mm=50)
    assert place.corner(width_mm=45, height_mm=45) == (77.5, 27.5)


def test_the_built_in_schemas_say_nothing_that_needs_fetching():
    for key in KEYS:
        schema = json.loads((BUILT_IN_FOLDER / key / "fields.schema.json").read_text("utf-8"))
        assert schema["$schema"] == DIALECT
        assert "$ref" not in json.dumps(schema)
