"""Hostile paths cost little: more certificates, policies or names cost more in proportion, or are refused."""

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.foreign_pki import NOW, Extensions, Party, answer, authority, certify, crl, name, person
from tests.support.growth import require_linear
from tests.support.path_cases import dns, name_constraints
from trust.crypto import der, schemes
from trust.crypto.schemes import Scheme
from trust.kernel.report import Outcome
from trust.pki import name_constraints as constraints_module
from trust.pki import path_search
from trust.pki.certificate import read_certificate
from trust.pki.certificate_extensions import MAX_POLICIES, MAX_POLICY_MAPPINGS
from trust.pki.errors import CertificateMalformed
from trust.pki.path import MAX_EXTRA_CERTIFICATES, PathResult, PolicyInputs, validate_path
from trust.pki.policy_graph import judge_policies
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore


@cache
def _root() -> Party:
    return authority("root")


def _validate(leaf: Party, above: Sequence[Party], **given: object) -> PathResult:
    asked: dict[str, object] = {
        "intermediates": [each.der for each in above],
        "trust": TrustStore(anchors=(_root().der,)),
        "at": NOW,
        "purpose": Purpose.DOCUMENT_SIGNING,
    }
    return validate_path(leaf.der, **{**asked, **given})  # type: ignore[arg-type]  # keywords by name


def _codes(result: PathResult) -> set[str]:
    return {each.code for each in result.checks if each.outcome is not Outcome.PASSED}


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[Scheme]:
    """Every signature that is really verified."""
    made: list[Scheme] = []
    verify = schemes.verify

    def counted(spki: bytes, signature: bytes, data: bytes, scheme: Scheme) -> None:
        made.append(scheme)
        verify(spki, signature, data, scheme)

    monkeypatch.setattr(schemes, "verify", counted)
    return made


# Certificates.


def test_two_hundred_namesakes_of_the_authority_do_not_hide_it(verifications: list[Scheme]) -> None:
    sub = authority("sub", _root())
    namesakes = [authority("sub", _root(), not_before=NOW + timedelta(days=1)) for _ in range(200)]
    leaf = person("leaf", sub)
    result = _validate(leaf, [*namesakes, sub])
    assert "chain" not in _codes(result)
    assert len(verifications) <= path_search.MAX_EDGES_TRIED


def test_two_hundred_namesakes_that_are_as_likely_end_the_search(verifications: list[Scheme]) -> None:
    namesakes = [authority("sub", _root()) for _ in range(200)]
    result = _validate(person("leaf", authority("sub", _root())), namesakes)
    (chain,) = [each for each in result.checks if each.code == "chain"]
    assert chain.outcome is Outcome.UNKNOWN
    assert str(path_search.MAX_EDGES_TRIED) in chain.detail
    assert len(verifications) == path_search.MAX_EDGES_TRIED


def test_a_thicket_of_crossings_ends_after_a_bounded_number_of_steps(verifications: list[Scheme]) -> None:
    """Twelve authorities who all certify each other, one of them by the anchor too: millions of ways."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(12)]
    alone = [authority(f"a{number}", key=key) for number, key in enumerate(keys)]
    crossed = [
        authority(f"a{below}", alone[above], key=keys[below])
        for above in range(12)
        for below in range(12)
        if above != below
    ]
    leaf = person("leaf", alone[0])
    begun = time.process_time()
    found = _validate(leaf, [*crossed, authority("a11", _root(), key=keys[11])])
    # By names there is a way out; the key is another's.
    lost = _validate(leaf, [*crossed, authority("a11", authority("root"), key=keys[11])])
    assert time.process_time() - begun < 2
    assert "chain" not in _codes(found)
    (chain,) = [each for each in lost.checks if each.code == "chain"]
    assert f"{path_search.MAX_STEPS} steps" in chain.detail
    assert len(verifications) <= 2 * path_search.MAX_EDGES_TRIED


def test_a_thicket_of_longer_ways_does_not_hide_the_short_one() -> None:
    """Every authority is certified by the anchor too, and none may have another below it."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(10)]
    alone = [authority(f"a{number}", key=key) for number, key in enumerate(keys)]
    crossed = [
        authority(f"a{below}", alone[above], key=keys[below], path_length=0)
        for above in range(10)
        for below in range(10)
        if above != below
    ]
    ways = [authority(f"a{number}", _root(), key=key, path_length=0) for number, key in enumerate(keys)]
    assert _codes(_validate(person("leaf", alone[0]), [*crossed, *ways])) == {"revocation"}


def test_more_certificates_than_are_read_are_left_aside() -> None:
    sub = authority("sub", _root())
    others = [certify(name(f"n{number}"), sub).der for number in range(MAX_EXTRA_CERTIFICATES)]
    leaf = person("leaf", sub)
    assert "chain" in _codes(_validate(leaf, [], intermediates=[*others, sub.der]))
    assert "chain" not in _codes(_validate(leaf, [], intermediates=[*others[:-1], sub.der]))


def test_handing_in_more_certificates_costs_in_proportion() -> None:
    sub = authority("sub", _root())
    others = [certify(name(f"n{number}"), sub).der for number in range(240)]
    leaf = person("leaf", sub)
    require_linear(lambda size: _validate(leaf, [], intermediates=[*others[:size], sub.der]), 30)


def test_a_thousand_lists_and_answers_by_strangers_are_left_aside_soon(verifications: list[Scheme]) -> None:
    sub, leaf = authority("sub", _root()), None
    leaf = person("leaf", sub)
    forger = authority("sub")
    lists = [crl(forger, number=number) for number in range(1000)]
    answers = [answer(leaf, sub, responder=forger, this_update=NOW - timedelta(hours=n)) for n in range(200)]
    result = _validate(leaf, [sub, forger], extra_crls=lists, extra_ocsps=answers)
    assert _codes(result) == {"revocation"}
    assert len(verifications) < 600


# Policies: what blew up valid_policy_tree elsewhere (CVE-2023-0464).


def _policies(count: int) -> Extensions:
    every = [x509.PolicyInformation(x509.ObjectIdentifier(f"1.2.3.{each}"), None) for each in range(count)]
    return [(x509.CertificatePolicies(every), False)]


def _mappings(pairs: Sequence[tuple[int, int]]) -> Extensions:
    value = der.sequence(
        *(der.sequence(der.oid(f"1.2.3.{one}"), der.oid(f"1.2.3.{two}")) for one, two in pairs)
    )
    return [(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), value), True)]


def _mapped_path(depth: int, policies: int) -> list[Party]:
    """Leaf to root; every authority maps every policy to as many others as an extension holds."""
    each_to = MAX_POLICY_MAPPINGS // policies
    pairs = [(one, (one + shift) % policies) for one in range(policies) for shift in range(each_to)]
    above = [_root()]
    for level in range(depth):
        extensions = [*_policies(policies), *_mappings(pairs)]
        above.insert(0, authority(f"mapping {level}", above[0], extensions=extensions))
    return [person("leaf", above[0], extensions=_policies(policies)), *above]


@pytest.mark.parametrize("policies", [4, 11, 32, 64])
def test_mapping_every_policy_to_every_other_costs_in_proportion_to_the_depth(policies: int) -> None:
    asked = PolicyInputs(require_explicit=True)

    def judge(depth: int) -> None:
        path = paths[depth]
        outcome = judge_policies(path, asked)
        assert outcome.problem is None
        assert len(outcome.policies) == policies

    # Deeper than any path that is followed: the bound is the algorithm's, not the depth limit's.
    paths = {
        depth: tuple(read_certificate(each.der) for each in _mapped_path(depth, policies))
        for depth in (3, 24)
    }
    require_linear(judge, 3)


def test_the_longest_path_with_the_most_policies_and_mappings_is_judged_at_once() -> None:
    path = _mapped_path(path_search.MAX_PATH_CERTIFICATES - 2, MAX_POLICIES)
    begun = time.process_time()
    result = _validate(path[0], path[1:-1], asked=PolicyInputs(require_explicit=True))
    assert _codes(result) == {"revocation"}
    assert len(result.policies) == MAX_POLICIES
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "extensions",
    [_policies(MAX_POLICIES + 1), _mappings([(1, each) for each in range(MAX_POLICY_MAPPINGS + 1)])],
)
def test_more_policies_or_mappings_than_are_read_are_refused(extensions: Extensions) -> None:
    with pytest.raises(CertificateMalformed, match="are read"):
        read_certificate(certify(name("many"), None, extensions=extensions).der)


# Names.


def test_many_names_against_many_constraints_are_given_up_and_refused() -> None:
    subtrees = [dns(f"s{number}.test") for number in range(300)]
    sub = authority("sub", _root(), extensions=name_constraints(subtrees, []))
    few, many = (person("leaf", sub, names=[dns("x.s299.test")] * count) for count in (100, 400))
    assert "certificate-constraints" not in _codes(_validate(few, [sub]))
    result = _validate(many, [sub])
    details = [each.detail for each in result.checks if each.code == "certificate-constraints"]
    assert details == ["the path has more names and name constraints than are compared"]
    assert 300 * 400 > constraints_module.MAX_COMPARISONS > 300 * 100


def test_many_names_that_are_not_allowed_make_a_report_of_a_few_sentences() -> None:
    sub = authority("sub", _root(), extensions=name_constraints([], [dns("a.test")]))
    label = "x" * 60
    leaf = person("leaf", sub, names=[dns(f"n{n}.{label}.{label}.{label}.a.test") for n in range(100)])
    found = [each.detail for each in _validate(leaf, [sub]).checks if each.code == "certificate-constraints"]
    assert len(found) == 21
    assert found[-1] == "and 80 more like these"
    assert max(map(len, found)) < 200
