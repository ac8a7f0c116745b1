"""The manifest is read strictly: whatever is wrong is named, and nothing gives a traceback."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import ManifestRefused
from archive.ingest.manifest import MAX_MANIFEST_BYTES, read_manifest
from archive.model import MaterialRole
from tests.support.archive import application_form, manifest_of, material

FILES = {"a.json": application_form()}


def octets(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def refused(data: bytes) -> ManifestRefused:
    with pytest.raises(ManifestRefused) as caught:
        read_manifest(data)
    return caught.value


def test_a_true_manifest_is_read_whole() -> None:
    manifest = read_manifest(octets(manifest_of(FILES)))
    assert manifest.case_number == "4201-2026-000123"
    assert manifest.retention is None
    (only,) = manifest.materials
    assert (only.name, only.title, only.role) == ("a.json", "a.json", MaterialRole.MATERIAL)
    assert only.size == len(application_form())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'"' + b"a" * 100 + b'"',
        b'{"a": NaN}',
        b'{"a": 1.5}',
        b'{"a": 1, "a": 2}',
        b'{"a": ' + b"9" * 10_000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 5000 + b"]" * 5000,
        b" " * (MAX_MANIFEST_BYTES + 1),
    ],
    ids=range(14),
)
def test_what_is_no_manifest_at_all_is_refused(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "题" * 301}, "/title"),
        ({"title": "a\x00b"}, "/title"),
        ({"title": "a\nb"}, "/title"),
        ({"title": " a"}, "/title"),
        ({"title": "e\u0301"}, "/title"),
        ({"title": 7}, "/title"),
        ({"title": None}, "/title"),
        ({"case_number": "4" * 81}, "/case_number"),
        ({"class_code": "xz"}, "/class_code"),
        ({"retention": "D20"}, "/retention"),
        ({"office": "规-划"}, "/office"),
        ({"event_date": "2026-02-30"}, "/event_date"),
        ({"event_date": "20261120"}, "/event_date"),
        ({"parties": []}, "/parties"),
        ({"process": []}, "/process"),
        ({"process": [{"step": "受理", "at": "2026-11-18T09:00:00", "actor": "窗口"}]}, "/process/0/at"),
        (
            {"process": [{"step": "受理", "at": "9999-12-31T23:59:59-23:59", "actor": "窗口"}]},
            "/process/0/at",
        ),
        ({"materials": []}, "/materials"),
        ({"materials": [material("a.json", b"{}", size=-1)]}, "/materials/0/size"),
        ({"materials": [material("a.json", b"{}", size=True)]}, "/materials/0/size"),
        ({"materials": [material("a.json", b"{}", sha256="AB" * 32)]}, "/materials/0/sha256"),
        ({"materials": [material("a.json", b"{}", role="other")]}, "/materials/0/role"),
        ({"materials": [material("a.json", b"{}", extra=1)]}, "/materials/0"),
        ({"materials": [material("a.json", b"{}")] * 1001}, "/materials"),
        (
            {
                "reused": [
                    {"archival_code": "Z109-WS-0001", "material": "a", "sha256": "0" * 64, "reuse_id": "r"}
                ]
            },
            "/reused/0/archival_code",
        ),
        ({"surprise": 1}, ""),
    ],
)
def test_each_fault_is_named_by_its_pointer(changes: dict[str, Any], pointer: str) -> None:
    error = refused(octets(manifest_of(FILES, **changes)))
    assert pointer in [fault.pointer for fault in error.errors]


def test_a_lone_surrogate_is_refused() -> None:
    data = octets(manifest_of(FILES)).replace("关于".encode(), b"\\ud800")
    assert refused(data).errors[0].pointer == "/title"


def test_what_is_missing_is_named_and_no_value_is_repeated() -> None:
    document = manifest_of(FILES, title="秘密" * 200)
    del document["materials"][0]["sha256"]
    error = refused(octets(document))
    assert any("sha256" in fault.detail for fault in error.errors)
    assert not any("秘密" in fault.detail for fault in error.errors)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(field=st.sampled_from(sorted(manifest_of(FILES))), value=JSON)
def test_any_json_in_any_field_is_read_or_refused(field: str, value: Any) -> None:
    data = json.dumps(manifest_of(FILES, **{field: value})).encode()
    with suppress(ManifestRefused):
        assert read_manifest(data).octets == data
