"""The public OCFL 1.1 fixtures: each comes out as it is named."""

import os
import re
from pathlib import Path

import pytest

from trust.kernel.report import Indication
from trust.packages.ocfl import FolderFiles, validate_object

FIXTURES = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "ocfl-1.1"
NUMBERS = {"good": 12, "warn": 13, "bad": 55}


def _objects(kind: str) -> list[Path]:
    folder = FIXTURES / f"{kind}-objects"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _each(kind: str) -> pytest.MarkDecorator:
    absent = pytest.param(None, marks=pytest.mark.skip(reason=f"no fixtures in {FIXTURES} (YINXIN_VECTORS)"))
    objects = _objects(kind) or [absent]
    return pytest.mark.parametrize("fixture", objects, ids=lambda path: path.name if path else "absent")


def _named(fixture: Path) -> set[str]:
    return set(re.findall(r"[EW]\d{3}", fixture.name))


@pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no fixtures in {FIXTURES} (YINXIN_VECTORS)")
def test_all_eighty_fixtures_are_there():
    assert {kind: len(_objects(kind)) for kind in NUMBERS} == NUMBERS


@_each("good")
def test_a_good_object_is_valid_without_a_warning(fixture):
    report = validate_object(FolderFiles(fixture)).require_valid()
    assert report.facts["warnings"] == []


@_each("warn")
def test_an_object_with_a_warning_is_valid_and_says_so(fixture):
    report = validate_object(FolderFiles(fixture)).require_valid()
    assert set(report.facts["warnings"]) == _named(fixture)


@_each("bad")
def test_a_bad_object_is_invalid_for_the_reason_in_its_name(fixture):
    report = validate_object(FolderFiles(fixture))
    assert report.indication is Indication.INVALID
    assert _named(fixture) <= set(report.facts["errors"])
