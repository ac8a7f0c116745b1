"""The algorithm policy is data with dates."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trust.crypto.digests import Digest
from trust.crypto.errors import PolicyBroken
from trust.crypto.policy import AlgorithmPolicy, shipped_policy
from trust.crypto.schemes import Family, KeyKind, key_kind, rsa_pkcs1
from trust.crypto.suites import SoftwareSigner, Suite, definition
from trust.kernel.report import Outcome

_NOW = datetime(2026, 11, 22, tzinfo=UTC)
_LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def _policy(**changed: object) -> str:
    sound = {"version": "1", "digests": {}, "keys": {}, "rsa_keys": [], "certificate_keys": {}}
    return json.dumps({**sound, **changed})


def test_the_policy_that_the_broken_ones_are_made_of_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(_policy())
    assert AlgorithmPolicy.load(path).version == "1"


@pytest.mark.parametrize("suite", Suite)
def test_every_suite_this_house_signs_by_is_trusted_today(suite: Suite) -> None:
    key = key_kind(SoftwareSigner.generate(suite).spki)
    assert shipped_policy().check_signature(definition(suite).scheme, key, _NOW).outcome is Outcome.PASSED


@pytest.mark.parametrize("digest", [each for each in Digest if each is not Digest.SHA1])
def test_every_digest_but_the_broken_one_is_trusted_today(digest: Digest) -> None:
    assert shipped_policy().check_digest(digest, _NOW).outcome is Outcome.PASSED


def test_a_broken_algorithm_is_open_after_its_date_and_passes_before() -> None:
    policy, key = shipped_policy(), KeyKind(name="rsa-2048", family=Family.RSA, bits=2048)
    late = policy.check_signature(rsa_pkcs1(Digest.SHA1), key, _NOW)
    assert (late.outcome, late.sub_indication) == (Outcome.UNKNOWN, "CRYPTO_CONSTRAINTS_FAILURE")
    assert policy.check_signature(rsa_pkcs1(Digest.SHA1), key, _LONG_AGO).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("bits", "long_ago", "now"),
    [(512, False, False), (1024, True, False), (1535, True, False), (2048, True, True)],
)
def test_a_modulus_is_judged_by_the_row_for_its_size(bits: int, long_ago: bool, now: bool) -> None:
    key = KeyKind(name=f"rsa-{bits}", family=Family.RSA, bits=bits)
    outcomes = [shipped_policy().check_key(key, at).outcome is Outcome.PASSED for at in (_LONG_AGO, _NOW)]
    assert outcomes == [long_ago, now]


def test_an_algorithm_nobody_named_is_open() -> None:
    policy = shipped_policy()
    curve = KeyKind(name="secp192r1", family=Family.EC, bits=192)
    for check in (
        policy.check_digest(None, _NOW),
        policy.check_key(curve, _NOW),
        policy.check_key(None, _NOW),
    ):
        assert check.outcome is Outcome.UNKNOWN
    assert policy.check_signature(None, curve, _NOW).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        _policy(extra=1),
        _policy(digests={"sha256": {}}),
        _policy(digests={"sha256": {"accepted_until": "2030-01-01"}}),
        _policy(rsa_keys=[{"accepted_until": None}]),
        _policy(certificate_keys={"seal": ["rot13"]}),
        _policy(certificate_keys={"hat": []}),
        _policy(certificate_keys=["p256-sha256"]),
    ],
)
def test_a_policy_file_that_is_not_one_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(PolicyBroken):
        AlgorithmPolicy.load(path)
