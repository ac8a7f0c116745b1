"""The algorithm policy is data with dates."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trust.crypto.digests import Digest
from trust.crypto.errors import PolicyBroken
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.crypto.suites import Suite
from trust.kernel.report import Outcome

_NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("algorithm", [*Suite, *Digest])
def test_everything_this_house_computes_has_a_row_and_is_trusted_today(algorithm: str) -> None:
    assert shipped_policy().check(algorithm, _NOW).outcome is Outcome.PASSED


def test_a_broken_algorithm_is_open_after_its_date_and_passes_before() -> None:
    late = shipped_policy().check("sha1", _NOW)
    assert (late.outcome, late.sub_indication) == (Outcome.UNKNOWN, "CRYPTO_CONSTRAINTS_FAILURE")
    assert shipped_policy().check("sha1", datetime(2010, 1, 1, tzinfo=UTC)).outcome is Outcome.PASSED


def test_an_algorithm_nobody_named_is_open() -> None:
    assert shipped_policy().check("rot13", _NOW).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": "1", "algorithms": {}, "certificate_keys": [], "extra": 1}',
        '{"version": "1", "algorithms": {"sha256": {}}, "certificate_keys": []}',
        '{"version": "1", "algorithms": {"sha256": {"accepted_until": "2030-01-01"}}, "certificate_keys": []}',
        '{"version": "1", "algorithms": {}, "certificate_keys": ["rot13"]}',
    ],
)
def test_a_policy_file_that_is_not_one_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(PolicyBroken):
        AlgorithmPolicy.load(path)
