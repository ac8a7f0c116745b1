"""The status lists of the Token Status List draft: read as it says, and packed to the same octets."""

import json
import os
import re
from pathlib import Path

import pytest

from trust.credentials import jws
from trust.credentials.status_list import StatusList

VECTORS = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "status-list"
FILES = sorted(VECTORS.glob("*_json.md"))

pytestmark = pytest.mark.skipif(not FILES, reason=f"no vectors under {VECTORS}")

# The entries that the draft's appendix of test vectors lists; every other one of the 2**20 is zero.
ONE_BIT = dict.fromkeys([0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345], 1)
TWO_BITS = ONE_BIT | {1993: 2, 159495: 3, 645645: 2, 934534: 2, 1000345: 3}
FOUR_BITS = {0: 1, 1993: 2, 35460: 3, 459495: 4, 595669: 5, 754353: 6, 845645: 7, 923232: 8, 924445: 9}
FOUR_BITS |= {934534: 10, 1004534: 11, 1000345: 12, 1030203: 13, 1030204: 14, 1030205: 15}


def claim(file: Path) -> dict:
    text = file.read_text()
    body = text[text.index("{") :]
    return json.loads(re.sub(r"\s+", "", body))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_list_packs_to_the_drafts_octets(file):
    given = claim(file)
    statuses = StatusList.decode(given)
    assert statuses.encode() == given


def test_the_short_lists_read_as_the_draft_prints_them():
    one = StatusList.decode(claim(VECTORS / "status_list_encoding_json.md"))
    assert one.octets() == bytes([0xB9, 0xA3])
    assert [one.get(index) for index in range(16)] == [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    two = StatusList.decode(claim(VECTORS / "status_list_encoding2_json.md"))
    assert two.octets() == bytes([0xC9, 0x44, 0xF9])
    assert [two.get(index) for index in range(12)] == [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]


@pytest.mark.parametrize(("name", "expected"), [("1_long", ONE_BIT), ("2_long", TWO_BITS), ("4", FOUR_BITS)])
def test_the_long_lists_hold_what_the_draft_lists_and_nothing_else(name, expected):
    statuses = StatusList.decode(claim(VECTORS / f"status_list_encoding{name}_json.md"))
    assert statuses.size == 2**20
    found = {index: value for index in range(statuses.size) if (value := statuses.get(index))}
    assert found == expected


def test_the_drafts_token_parses():
    token = jws.parse("".join((VECTORS / "status_list_jwt_raw.md").read_text().split()))
    assert token.header["typ"] == "statuslist+jwt"
    assert StatusList.decode(token.payload["status_list"]).size == 16
