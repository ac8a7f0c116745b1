"""Identifiers found in public government documents and code (shared/vectors/licence-identifiers.json)."""

import json
import os
from pathlib import Path

import pytest

from licences.numbering import LicenceIdentifier, LicenceIdentifierInvalid

VECTORS = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "licence-identifiers.json"
CASES = json.loads(VECTORS.read_text("utf-8")) if VECTORS.exists() else {}

pytestmark = pytest.mark.skipif(not CASES, reason="the vectors are not there (YINXIN_VECTORS)")


@pytest.mark.parametrize("text", CASES.get("valid", []))
def test_identifiers_in_use_are_read_and_written_back(text):
    identifier = LicenceIdentifier.parse(text)
    assert str(identifier) == text
    assert (
        str(
            LicenceIdentifier.compose(
                type_code=identifier.type_code,
                issuer_code=identifier.issuer_code,
                serial=identifier.serial,
                version=identifier.version,
            )
        )
        == text
    )


@pytest.mark.parametrize("case", CASES.get("invalid_check_character", []), ids=lambda case: case["expected"])
def test_a_wrong_check_character_is_refused_naming_the_right_one(case):
    with pytest.raises(LicenceIdentifierInvalid, match=f"{case['expected']} was expected"):
        LicenceIdentifier.parse(case["identifier"])
