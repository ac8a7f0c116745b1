"""Profiles are data: read whole, held against rules that no file may bend, and changed by a deployment's own file."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import TestPki
from trust.pki.errors import ProfilesRefused
from trust.pki.lint import lint_tbs
from trust.pki.profile_reading import read_own_profiles, read_profiles
from trust.pki.profiles import PROFILES, SHIPPED, ProfileName, RenewalKey


def shipped() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SHIPPED.read_bytes())
    return read


def written(folder: Path, content: object) -> Path:
    path = folder / "profiles.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def own(**rows: Any) -> dict[str, Any]:
    return {"version": "own", "profiles": {name.replace("_", "-"): row for name, row in rows.items()}}


def test_a_deployment_says_how_long_under_which_policies_and_where_its_practice_is_stated(
    tmp_path: Path,
) -> None:
    path = written(
        tmp_path,
        own(
            seal={
                "validity_days": 730,
                "further_policies": ["1.2.156.112600.1"],
                "cps": "https://pki.example.test/cps",
                "further_attributes": ["title"],
                "renewal": {"days_before": 30, "key": "new"},
            }
        ),
    )
    profiles = read_own_profiles(path, PROFILES)
    seal = profiles[ProfileName.SEAL]
    assert seal.validity == timedelta(days=730)
    assert seal.policies == (PROFILES[ProfileName.SEAL].policy, "1.2.156.112600.1")
    assert (seal.renewal.before, seal.renewal.key) == (timedelta(days=30), RenewalKey.NEW)
    assert "title" in seal.allowed
    assert profiles[ProfileName.CITIZEN] == PROFILES[ProfileName.CITIZEN]
    certificate = TestPki().leaf(seal, subject={"title": "专用章"}).parsed
    assert lint_tbs(certificate.tbs, seal) == []
    assert lint_tbs(certificate.tbs, PROFILES[ProfileName.SEAL])
    assert b"https://pki.example.test/cps" in certificate.der


REFUSED_OWN: dict[str, dict[str, Any]] = {
    "an-unknown-profile": own(webserver={"validity_days": 30}),
    "an-unknown-key": own(seal={"lifetime": 3}),
    "key-usage": own(seal={"key_usage": ["keyCertSign"]}),
    "authority": own(seal={"authority": {"path_length": 0}}),
    "extended-usage": own(seal={"extended_key_usage": ["timestamping"]}),
    "our-policy": own(seal={"policy": "1.2.3"}),
    "any-policy": own(seal={"further_policies": ["2.5.29.32.0"]}),
    "a-policy-that-is-no-oid": own(seal={"further_policies": ["1.2.x"]}),
    "a-policy-twice": own(seal={"further_policies": ["1.2.3", "1.2.3"]}),
    "policies-of-a-root": own(root={"cps": "https://a.test"}),
    "too-long": own(seal={"validity_days": 3661}),
    "an-answerer-for-a-year": own(ocsp={"validity_days": 365}),
    "no-days": own(seal={"validity_days": 0}),
    "days-as-text": own(seal={"validity_days": "30"}),
    "days-true": own(seal={"validity_days": True}),
    "renewed-before-it-begins": own(seal={"validity_days": 60}),
    "renewed-with-what": own(seal={"renewal": {"days_before": 30, "key": "borrowed"}}),
    "an-attribute-of-no-name": own(seal={"further_attributes": ["favouriteDrink"]}),
    "a-practice-by-ldap": own(seal={"cps": "ldap://a.test"}),
    "rows-that-are-none": own(seal=[]),
    "more-keys-at-the-top": {**own(), "also": 1},
}


@pytest.mark.parametrize("name", REFUSED_OWN)
def test_a_deployment_bends_no_rule(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProfilesRefused):
        read_own_profiles(written(tmp_path, REFUSED_OWN[name]), PROFILES)


def _set(name: str, key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["profiles"][name].__setitem__(key, value)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["profiles"].pop("seal"),
        lambda content: content["profiles"]["seal"].pop("renewal"),
        _set("seal", "key_usage", ["digitalSignature", "keyCertSign"]),
        _set("seal", "key_usage", []),
        _set("seal", "key_usage", ["flying"]),
        _set("seal", "extended_key_usage", []),
        _set("seal", "authority", {"path_length": 0}),
        _set("seal", "any_policy", True),
        _set("seal", "critical_extended_key_usage", True),
        _set("seal", "policy", None),
        _set("seal", "policy", "2.25.57203377850238124910000674326115290642.1.8"),
        _set("seal", "required", ["O", "CN"]),
        _set("root", "key_usage", ["keyCertSign", "cRLSign", "digitalSignature"]),
        _set("root", "policy", "1.2.3"),
        _set("issuing-authority", "any_policy", False),
        _set("issuing-authority", "extended_key_usage", ["documentSigning"]),
        _set("issuing-authority", "authority", {"path_length": -1}),
        _set("timestamp", "critical_extended_key_usage", False),
        _set("timestamp", "extended_key_usage", ["timestamping", "documentSigning"]),
        _set("ocsp", "ocsp_no_check", False),
        _set("seal", "ocsp_no_check", True),
        _set("ocsp", "ocsp_no_check", "yes"),
    ],
)  # fmt: skip
def test_the_shipped_file_bends_no_rule_either(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    content = shipped()
    change(content)
    with pytest.raises(ProfilesRefused):
        read_profiles(written(tmp_path, content))


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, '"' + "x" * 300_000 + '"', '{"version": 1}']
)
def test_what_is_no_file_of_profiles_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ProfilesRefused):
        read_profiles(written(tmp_path, content))
    with pytest.raises(ProfilesRefused):
        read_profiles(tmp_path / "nothing.json")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = ["validity_days", "further_policies", "further_attributes", "cps", "renewal"]


@given(row=st.dictionaries(st.sampled_from(_KEYS), _json))
def test_whatever_stands_there_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, Any]
) -> None:
    path = written(tmp_path_factory.getbasetemp(), own(seal=row))
    try:
        read_own_profiles(path, PROFILES)
    except ProfilesRefused:
        return
    assert not row or set(row) <= set(_KEYS)
