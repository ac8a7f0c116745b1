"""The four-property check: each fault under its own code, none hiding another."""

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from archive.checks.four_properties import FourPropertyCheck, FourPropertyReport, Surroundings
from archive.checks.openers import MAX_PIXELS, OPENERS
from archive.checks.rules import check_rules
from archive.codes import Retention
from archive.ingest.manifest import read_manifest
from archive.ingest.submission import IncomingFile, received_files
from archive.model import ArchiveClass, MaterialReuse, ReuseBasis
from tests.support.archive import (
    APPLICATION,
    DRAWING,
    RESULT,
    Verifier,
    case_files,
    drawing,
    manifest_of,
    material,
    pki,
    request_of,
    scan,
    sealed_decision,
)
from tests.support.identity import SetClock, resident_number
from tests.support.pdfs import build_pdf, seal
from tests.support.pki import MOMENT, TestPki
from trust.crypto.digests import sha256
from trust.kernel.report import Indication

CLASS = ArchiveClass(
    id="archclass_1",
    agency_id="agency_1",
    fonds="Z109",
    code="XZ",
    name_zh="行政许可",
    name_en="Licensing",
    retention=Retention.THIRTY_YEARS,
    office="规划处",
    open_to_reuse=True,
    defined_by="person_1",
    defined_at=MOMENT,
)
REUSE = MaterialReuse(
    id="reuse_1",
    holder_agency_id="agency_1",
    recipient_agency_id="agency_2",
    application_id="app_1",
    record_id="rec_1",
    archival_code="Z109-XZ·2026·D30·规划处-0001",
    material="a.pdf",
    sha256=bytes(32),
    case_number="4201-2026-000123",
    purpose="办理",
    basis=ReuseBasis.CONSENT,
    basis_reference="同意书",
    granted_at=MOMENT,
    deliver_until=MOMENT,
    event_id="event_1",
)
CITATION = {
    "archival_code": REUSE.archival_code,
    "material": REUSE.material,
    "sha256": REUSE.sha256.hex(),
    "reuse_id": REUSE.id,
}


def check(
    files: Mapping[str, bytes], manifest: Mapping[str, Any] | None = None, **known: Any
) -> FourPropertyReport:
    request = request_of(manifest_of(files) if manifest is None else manifest)
    surroundings: dict[str, Any] = {
        "archive_class": CLASS,
        "item_known": True,
        "reuses": {REUSE.id: REUSE},
        "now": MOMENT,
    }
    checker = FourPropertyCheck(Verifier(pki=pki(), clock=SetClock(MOMENT)))
    incoming = [IncomingFile(name=name, stream=io.BytesIO(data)) for name, data in files.items()]
    with received_files(incoming) as received:
        return checker(read_manifest(request.manifest), received, Surroundings(**{**surroundings, **known}))


def failed(result: FourPropertyReport) -> set[str]:
    assert result.report.indication is Indication.INVALID
    assert result.errors
    return {check.code for check in result.report.all_checks() if check.outcome == "failed"}


def one(name: str, data: bytes, **changes: Any) -> FourPropertyReport:
    role = changes.pop("role", "material")
    files = {name: data}
    return check(files, manifest_of(files, materials=[material(name, data, role, **changes)]))


def test_a_whole_case_passes_every_check() -> None:
    result = check(case_files())
    assert result.report.indication is Indication.VALID, result.report
    assert not result.errors
    assert {check.code for check in result.report.all_checks()} == set(check_rules().checks)


def test_digest_size_and_name_that_disagree_are_all_reported() -> None:
    files = case_files()
    manifest = manifest_of(files)
    manifest["materials"][0]["sha256"] = "0" * 64
    manifest["materials"][1]["size"] += 1
    manifest["materials"][2]["name"] = "process/other.png"
    result = check(files, manifest)
    assert failed(result) == {"material-digest", "material-size", "material-name", "content-present"}
    pointers = {error.pointer for error in result.errors}
    assert {"/materials/0/sha256", "/materials/1/size", "/materials/2/name"} <= pointers


def test_a_material_that_the_manifest_names_twice_is_refused() -> None:
    files = {APPLICATION: b"{}"}
    manifest = manifest_of(files)
    manifest["materials"] *= 2
    assert "material-name" in failed(check(files, manifest))


def test_numbers_with_gaps_are_refused_and_without_pass() -> None:
    files = case_files()
    manifest = manifest_of(files)
    for number, entry in enumerate(manifest["materials"], start=1):
        entry["number"] = number
    assert not check(files, manifest).errors
    manifest["materials"][2]["number"] = 7
    assert failed(check(files, manifest)) == {"material-numbering"}


def test_a_process_out_of_order_or_yet_to_come_is_refused() -> None:
    files = {APPLICATION: b"{}"}
    manifest = manifest_of(files)
    manifest["process"].reverse()
    assert failed(check(files, manifest)) == {"process-record"}
    manifest = manifest_of(files)
    manifest["process"][1]["at"] = "2027-01-01T00:00:00Z"
    assert failed(check(files, manifest)) == {"process-record"}


def test_a_class_item_or_day_that_cannot_be_is_refused() -> None:
    files = {APPLICATION: b"{}"}
    assert failed(check(files, archive_class=None)) == {"metadata-reasonable"}
    assert failed(check(files, item_known=False)) == {"metadata-reasonable"}
    later = manifest_of(files, event_date=(MOMENT + timedelta(days=2)).date().isoformat())
    assert failed(check(files, later)) == {"metadata-reasonable"}


def test_a_resident_id_number_in_the_metadata_is_refused_without_being_repeated() -> None:
    files = {APPLICATION: b"{}"}
    number = resident_number(1)
    result = check(files, manifest_of(files, parties=[{"role": "applicant", "name": f"王民 {number}"}]))
    assert failed(result) == {"numbers-masked"}
    assert number not in str(result)


def test_a_citation_must_be_what_was_reused_for_this_very_case() -> None:
    files = {APPLICATION: b"{}"}
    assert not check(files, manifest_of(files, reused=[CITATION])).errors
    for changes in (
        {"reuse_id": "reuse_2"},
        {"material": "b.pdf"},
        {"sha256": "11" * 32},
        {"archival_code": "Z109-XZ·2026·D30·规划处-0002"},
    ):
        assert failed(check(files, manifest_of(files, reused=[{**CITATION, **changes}]))) == {"citation"}
    assert failed(check(files, manifest_of(files, reused=[CITATION, CITATION]))) == {"citation"}
    other_case = manifest_of(files, reused=[CITATION], case_number="4201-2026-000999")
    assert failed(check(files, other_case)) == {"citation"}


def test_a_result_must_be_validly_signed_and_a_material_must_not_be_broken() -> None:
    unsigned = drawing()
    assert failed(one(RESULT, unsigned, role="result")) == {"material-signature"}
    assert not one(DRAWING, unsigned).errors

    position = sealed_decision().index(b"Approved")
    tampered = sealed_decision().replace(b"Approved", b"Rejected", 1)
    assert position > 0
    assert failed(one(RESULT, tampered, role="result")) == {"material-signature"}
    assert failed(one(DRAWING, tampered)) == {"material-signature"}


def test_a_material_sealed_by_someone_unknown_is_kept_as_an_open_question() -> None:
    foreign = TestPki(now=MOMENT)
    sealed = seal(build_pdf(), foreign.leaf(), pki=foreign)
    result = one(DRAWING, sealed)
    assert not result.errors
    assert result.report.indication is Indication.CANNOT_TELL
    assert failed(one(RESULT, sealed, role="result")) == {"material-signature"}


def png(width: int, height: int) -> bytes:
    stored = io.BytesIO()
    Image.new("1", (width, height)).save(stored, "PNG")
    return stored.getvalue()


ENCRYPTED = build_pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt << /Filter /Standard /V 1 >>")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", b"not a pdf"),
        ("a.pdf", build_pdf()[:200]),
        ("a.pdf", ENCRYPTED),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.png", scan()[:-20]),
        ("a.jpg", scan()),
        ("a.json", b"{"),
        ("a.json", b'{"a": NaN}'),
        ("a.json", b"[" * 100_000),
        ("a.json", b"\xff"),
        ("a.xml", b"<a>"),
        ("a.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        ("a.txt", b"\x00"),
        ("a.txt", "中文".encode("gbk")),
        ("a.sd-jwt", b"not.a.jwt~"),
        ("a.sd-jwt", b"\xff\xfe"),
    ],
)
def test_a_file_that_does_not_open_is_refused(name: str, data: bytes) -> None:
    assert failed(one(name, data)) == {"format-opens"}


def test_files_that_open_pass() -> None:
    jpeg = io.BytesIO()
    Image.new("RGB", (20, 20)).save(jpeg, "JPEG")
    files = {
        "a.jpg": jpeg.getvalue(),
        "b.xml": "<案/>".encode(),
        "c.txt": "一二\n三\t四".encode(),
        "d.json": b"[]",
    }
    assert not check(files).errors


def test_a_picture_that_would_unpack_to_gigabytes_is_not_decoded() -> None:
    side = 9000
    assert side * side > MAX_PIXELS
    assert "pixels" in (OPENERS["png"](png(side, side)) or "")


def test_formats_that_are_not_kept_and_wrong_endings_are_refused() -> None:
    assert failed(one("a.zip", b"PK\x05\x06", media_type="application/zip")) == {"format-allowed"}
    assert failed(one("a.exe", b"{}", media_type="application/json")) == {"format-allowed"}


# Turned round, so that no scanner takes this file for the thing it tests for.
EICAR = "*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X"[::-1].encode()


def test_programs_and_the_test_virus_are_refused_whatever_they_are_called() -> None:
    assert sha256(EICAR).hex() == "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    assert {"no-program", "format-opens"} <= failed(one("a.pdf", b"MZ\x90\x00" + bytes(60)))
    assert "no-program" in failed(one("a.txt", b"#!/bin/sh\nrm -rf /\n"))
    assert failed(one("a.txt", b"hello " + EICAR)) == {"no-malware"}


def test_every_check_has_its_texts_and_its_property() -> None:
    rules = check_rules()
    assert len(rules.checks) >= 14
    assert {opener.opener for opener in rules.formats.values()} - OPENERS.keys() == {"pdf", "sd-jwt"}
