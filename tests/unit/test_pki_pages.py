"""The pages about algorithms and anchors say what the files and tables say."""

import json
import re
from pathlib import Path

from trust.pki import path, path_search
from trust.pki.certificate_extensions import MAX_POLICIES, MAX_POLICY_MAPPINGS
from trust.pki.name_constraints import MAX_COMPARISONS
from trust.pki.purposes import Purpose

_ROOT = Path(__file__).resolve().parents[2]
_POLICY = json.loads((_ROOT / "trust/crypto/policy.json").read_text(encoding="utf-8"))
_PAGE = (_ROOT / "docs/algorithm-policy.md").read_text(encoding="utf-8")


def _rows() -> dict[str, str]:
    """What the page's tables say: each name with its end."""
    found = {}
    for names, end in re.findall(
        r"^\| (`.+?`|RSA from \d+ bits) \| (no end|\d{4}-\d\d-\d\d) \|", _PAGE, re.MULTILINE
    ):
        for name in names.replace("`", "").split(", "):
            found[name] = end
    return found


def _end(row: dict[str, str | None]) -> str:
    until = row["accepted_until"]
    return "no end" if until is None else until.removesuffix("T00:00:00Z")


def test_the_page_has_every_algorithm_with_its_end_and_no_other() -> None:
    expected = {name: _end(row) for table in ("digests", "keys") for name, row in _POLICY[table].items()}
    expected |= {f"RSA from {row['from_bits']} bits": _end(row) for row in _POLICY["rsa_keys"]}
    assert _rows() == expected


def test_the_formats_page_names_every_purpose_of_an_anchor() -> None:
    page = (_ROOT / "docs/formats.md").read_text(encoding="utf-8")
    wanted = [purpose for purpose in Purpose if purpose is not Purpose.ANY]
    assert all(f"`{purpose.value.replace(' ', '-')}`" in page for purpose in wanted)


def test_the_page_about_paths_names_the_limits_as_they_are() -> None:
    page = " ".join((_ROOT / "docs/path-validation.md").read_text(encoding="utf-8").split())
    for limit, what in (
        (path_search.MAX_PATH_CERTIFICATES, "certificates;"),
        (path_search.MAX_EDGES_TRIED, "signatures"),
        (path_search.MAX_STEPS, "steps"),
        (path_search.MAX_PATHS_JUDGED, "complete paths"),
        (path.MAX_EXTRA_CERTIFICATES, "certificates,"),
        (path.MAX_EXTRA_CRLS, "lists"),
        (path.MAX_EXTRA_OCSPS, "answers"),
        (MAX_COMPARISONS, "names"),
        (MAX_POLICIES, "policies"),
        (MAX_POLICY_MAPPINGS, "mappings"),
    ):
        assert f"{limit:,} {what}" in page


def test_the_page_says_which_suites_are_certified_for_what() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| (`[^|]+`) \| [^|]+ \|$", _PAGE, re.MULTILINE)
    said = {
        use: names.replace("`", "").split(", ") for use, names in rows if use in _POLICY["certificate_keys"]
    }
    assert said == _POLICY["certificate_keys"]
