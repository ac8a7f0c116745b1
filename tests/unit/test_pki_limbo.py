"""Odd and hostile paths, in the manner of x509-limbo: each row says what it is and what it must come to.

Name constraints have a table of their own in `test_pki_name_constraints.py`.
"""

from collections.abc import Callable
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.foreign_pki import (
    DAY,
    NOW,
    Extensions,
    Party,
    authority,
    certify,
    crl,
    name,
    person,
    usage,
)
from tests.support.path_cases import PASSED, Handed, directory, judge, name_constraints, verdict
from trust.crypto import der, der_reader
from trust.crypto.suites import SoftwareSigner
from trust.pki.path import PolicyInputs
from trust.pki.purposes import Purpose


@cache
def _root() -> Party:
    return authority("root")


_Build = Callable[[], Handed]
_CASES: dict[str, tuple[_Build, str]] = {}


def _case(verdict: str) -> Callable[[_Build], _Build]:
    def add(build: _Build) -> _Build:
        _CASES[build.__name__] = (build, verdict)
        return build

    return add


_CONSTRAINTS = "certificate-constraints failed"
_USAGE = "certificate-usage failed"
_NO_CHAIN = "chain unknown"
_FORMAT = "chain failed"


def _one(leaf_extensions: Extensions = (), **leaf_given: object) -> Handed:
    leaf = person("leaf", _root(), extensions=leaf_extensions, **leaf_given)  # type: ignore[arg-type]  # by name
    return Handed(leaf=leaf.der, root=_root())


def _below(sub: Party, *between: Party, root: Party | None = None, **leaf_given: object) -> Handed:
    """A leaf below `sub`; `between` are the authorities from there up to the root."""
    leaf = person("leaf", sub, **leaf_given)  # type: ignore[arg-type]  # by name
    return Handed(leaf=leaf.der, root=root or _root(), above=[sub, *between])


@_case(PASSED)
def a_leaf_below_the_root() -> Handed:
    return _one()


@_case(PASSED)
def a_leaf_without_any_extension() -> Handed:
    return _one(key_usage=None)


def _malformed(oid: str, value: bytes) -> Extensions:
    return [(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False)]


@_case(PASSED)
def a_path_of_the_length_allowed() -> Handed:
    upper = authority("upper", _root(), path_length=1)
    return _below(authority("lower", upper, path_length=0), upper)


@_case(_CONSTRAINTS)
def a_path_longer_than_allowed() -> Handed:
    upper = authority("upper", _root(), path_length=0)
    return _below(authority("lower", upper), upper)


@_case(_CONSTRAINTS)
def a_path_longer_than_the_anchor_allows() -> Handed:
    root = authority("short root", path_length=0)
    return _below(authority("sub", root), root=root)


@_case(PASSED)
def self_issued_authorities_are_not_counted() -> Handed:
    upper = authority("upper", _root(), path_length=0)
    return _below(authority("upper", upper), upper)


@_case("certificate-constraints failed and revocation unknown")
def a_leaf_that_issues() -> Handed:
    return _below(person("usurper", _root()))


@_case(_CONSTRAINTS)
def an_authority_without_basic_constraints() -> Handed:
    return _below(authority("sub", _root(), is_authority=None))


@_case(_CONSTRAINTS)
def an_authority_whose_basic_constraints_say_no() -> Handed:
    return _below(authority("sub", _root(), is_authority=False))


@_case(PASSED)
def an_authority_without_key_usage() -> Handed:
    return _below(authority("sub", _root(), key_usage=None))


@_case(_CONSTRAINTS)
def an_authority_that_may_only_sign_lists() -> Handed:
    return _below(authority("sub", _root(), key_usage=usage(crl_sign=True)))


@_case("revocation unknown")
def an_authority_that_may_not_sign_lists() -> Handed:
    return _below(authority("sub", _root(), key_usage=usage(key_cert_sign=True)))


@_case(_USAGE)
def a_leaf_that_may_only_encipher() -> Handed:
    return _one(key_usage=usage(key_encipherment=True))


@_case(_USAGE)
def a_leaf_that_may_only_sign_certificates() -> Handed:
    return _one(key_usage=usage(key_cert_sign=True))


def _eku(*usages: x509.ObjectIdentifier, critical: bool = False) -> Extensions:
    return [(x509.ExtendedKeyUsage(usages), critical)]


_TLS = ExtendedKeyUsageOID.SERVER_AUTH
_MAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
_STAMP = ExtendedKeyUsageOID.TIME_STAMPING
_ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE


@_case(_USAGE)
def a_leaf_for_servers() -> Handed:
    return _one(_eku(_TLS))


@_case(PASSED)
def a_leaf_for_servers_and_mail() -> Handed:
    return _one(_eku(_TLS, _MAIL))


@_case(PASSED)
def a_leaf_for_anything() -> Handed:
    return _one(_eku(_ANY))


@_case(_USAGE)
def an_authority_for_servers() -> Handed:
    return _below(authority("sub", _root(), extensions=_eku(_TLS)), extensions=_eku(_MAIL))


@_case(PASSED)
def an_authority_for_anything() -> Handed:
    return _below(authority("sub", _root(), extensions=_eku(_ANY)), extensions=_eku(_MAIL))


@_case(_USAGE)
def an_anchor_for_servers() -> Handed:
    root = authority("server root", extensions=_eku(_TLS))
    return Handed(leaf=person("leaf", root).der, root=root)


@_case(_USAGE)
def a_timestamp_authority_for_anything() -> Handed:
    leaf = person("leaf", _root(), extensions=_eku(_STAMP, _ANY, critical=True))
    return Handed(leaf=leaf.der, root=_root(), purpose=Purpose.TIMESTAMPING)


@_case(PASSED)
def a_timestamp_authority() -> Handed:
    leaf = person("leaf", _root(), extensions=_eku(_STAMP, critical=True))
    return Handed(leaf=leaf.der, root=_root(), purpose=Purpose.TIMESTAMPING)


_UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@_case(_CONSTRAINTS)
def a_leaf_with_a_critical_extension_nobody_knows() -> Handed:
    return _one([(_UNKNOWN, True)])


@_case(PASSED)
def a_leaf_with_another_extension_nobody_knows() -> Handed:
    return _one([(_UNKNOWN, False)])


@_case(_CONSTRAINTS)
def an_authority_with_a_critical_extension_nobody_knows() -> Handed:
    return _below(authority("sub", _root(), extensions=[(_UNKNOWN, True)]))


@_case(_FORMAT)
def a_leaf_with_a_malformed_extension() -> Handed:
    return _one(_malformed("2.5.29.36", der.sequence()))


@_case(_FORMAT)
def a_leaf_with_an_empty_alternative_name() -> Handed:
    return _one(_malformed("2.5.29.17", der.sequence()))


@_case(_FORMAT)
def a_leaf_with_a_policy_twice() -> Handed:
    policy = der.sequence(der.oid("1.2.3"))
    return _one(_malformed("2.5.29.32", der.sequence(policy, policy)))


@_case(PASSED)
def a_serial_of_twenty_octets() -> Handed:
    return _one(serial=(1 << 159) - 1)


def _patched(leaf: bytes, old: bytes, new: bytes) -> bytes:
    """A certificate with other octets of the same length in it; its signature no longer holds."""
    assert leaf.count(old) == 1
    assert len(old) == len(new)
    return leaf.replace(old, new)


@_case("certificate-signature failed and chain unknown")
def a_serial_changed_afterwards() -> Handed:
    leaf = person("leaf", _root(), serial=0x1234567890)
    changed = _patched(leaf.der, der.integer(0x1234567890), der.integer(0x1234567891))
    return Handed(leaf=changed, root=_root())


@_case("certificate-signature failed and chain unknown")
def a_key_exchanged_afterwards() -> Handed:
    leaf, other = person("leaf", _root()), person("leaf", _root())
    keys = [SoftwareSigner(each.key).spki for each in (leaf, other)]
    return Handed(leaf=_patched(leaf.der, keys[0], keys[1]), root=_root())


@_case("certificate-signature failed and chain unknown")
def an_authority_with_the_right_name_and_another_key() -> Handed:
    sub, namesake = authority("sub", _root()), authority("sub", _root())
    return Handed(leaf=person("leaf", sub).der, root=_root(), above=[namesake])


@_case(PASSED)
def a_namesake_beside_the_authority() -> Handed:
    sub, namesake = authority("sub", _root()), authority("sub", _root())
    return Handed(leaf=person("leaf", sub).der, root=_root(), above=[namesake, sub])


@_case(_NO_CHAIN)
def a_key_identifier_that_names_another_key() -> Handed:
    identifier = x509.AuthorityKeyIdentifier(b"another", None, None)
    root = authority("id root", extensions=[(x509.SubjectKeyIdentifier(b"this one"), False)])
    return Handed(leaf=person("leaf", root, extensions=[(identifier, False)]).der, root=root)


@_case(_NO_CHAIN)
def an_issuer_of_another_name() -> Handed:
    return _one(issuer=name("somebody else"))


@_case(PASSED)
def an_issuer_named_in_other_letters() -> Handed:
    return _one(issuer=name("  ROOT "))


@_case(_FORMAT)
def an_issuer_without_a_name() -> Handed:
    return Handed(leaf=certify(name("leaf"), authority(""), issuer=x509.Name([])).der, root=_root())


def _version_1(party: Party, above: Party) -> bytes:
    """The same certificate in version 1: neither version nor extensions, signed again."""
    tbs = der_reader.read(party.der).children()[0].children()
    serial_to_key = [each.encoded for each in tbs[1:7]]
    old = der.sequence(*serial_to_key)
    return der.sequence(old, tbs[2].encoded, der.bit_string(SoftwareSigner(above.key).sign(old)))


@_case(PASSED)
def a_leaf_of_version_1() -> Handed:
    return Handed(leaf=_version_1(person("leaf", _root()), _root()), root=_root())


@_case(_CONSTRAINTS)
def an_authority_of_version_1() -> Handed:
    sub = authority("sub", _root())
    leaf = person("leaf", sub)
    old = _version_1(sub, _root())
    return Handed(leaf=leaf.der, root=_root(), lists=[crl(_root()), crl(sub)], more=[old])


@_case("algorithm unknown")
def a_key_too_small() -> Handed:
    return _one(key=rsa.generate_private_key(65537, 1024))


@_case("algorithm unknown")
def a_curve_nobody_named() -> Handed:
    return _one(key=ec.generate_private_key(ec.SECP256K1()))


@_case("algorithm unknown and revocation unknown")
def an_authority_with_a_key_too_small() -> Handed:
    sub = authority("sub", _root(), key=rsa.generate_private_key(65537, 1024))
    return _below(sub)


@_case(PASSED)
def keys_of_every_kind_in_one_path() -> Handed:
    upper = authority("upper", _root(), key=rsa.generate_private_key(65537, 2048))
    lower = authority("lower", upper, key=ec.generate_private_key(ec.SECP521R1()))
    return _below(lower, upper, key=ed25519.Ed25519PrivateKey.generate())


@_case(_NO_CHAIN)
def a_digest_that_is_in_no_table() -> Handed:
    return _one(digest=hashes.SHA3_256())


@_case("certificate-validity failed")
def a_leaf_that_has_expired() -> Handed:
    leaf = person("leaf", _root(), not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    lists = [crl(_root(), this_update=NOW - 2 * DAY)]
    return Handed(leaf=leaf.der, root=_root(), lists=lists)


@_case("certificate-validity failed")
def an_authority_that_is_not_yet_valid() -> Handed:
    return _below(authority("sub", _root(), not_before=NOW + DAY))


@_case(PASSED)
def the_last_second_of_a_leaf() -> Handed:
    return _one(not_after=NOW)


@_case(PASSED)
def the_first_second_of_a_leaf() -> Handed:
    return _one(not_before=NOW)


# Loops and crossings.


@_case(_NO_CHAIN)
def authorities_that_certify_each_other_and_nobody_else() -> Handed:
    one, two = authority("one"), authority("two")
    crossed = [authority("one", two, key=one.key), authority("two", one, key=two.key)]
    return Handed(leaf=person("leaf", one).der, root=_root(), above=crossed)


@_case(PASSED)
def a_loop_beside_the_way() -> Handed:
    one = authority("one", _root())
    two = authority("two", one)
    back = authority("one", two, key=one.key)
    return Handed(leaf=person("leaf", one).der, root=_root(), above=[two, back, one])


@_case(PASSED)
def a_crossed_root_whose_other_anchor_is_not_believed() -> Handed:
    other = authority("other root")
    crossed = certify(
        _root().name, other, key=_root().key, extensions=[(x509.BasicConstraints(True, None), True)]
    )
    sub = authority("sub", _root())
    return Handed(leaf=person("leaf", sub).der, root=_root(), above=[crossed, sub])


@_case(PASSED)
def an_expired_crossing_beside_a_good_one() -> Handed:
    sub = authority("sub", _root())
    expired = authority("sub", _root(), key=sub.key, not_before=NOW - 9 * DAY, not_after=NOW - DAY)
    return Handed(leaf=person("leaf", sub).der, root=_root(), above=[expired, sub])


@_case(PASSED)
def a_crossing_with_constraints_beside_one_without() -> Handed:
    sub = authority("sub", _root())
    strict = authority("sub", _root(), key=sub.key, extensions=name_constraints([], [directory("leaf")]))
    return Handed(leaf=person("leaf", sub).der, root=_root(), above=[strict, sub])


@_case(_NO_CHAIN)
def a_self_signed_stranger() -> Handed:
    return Handed(leaf=certify(name("stranger"), None).der, root=_root())


@_case("certificate-signature failed and chain unknown")
def a_self_signed_stranger_with_the_anchors_name() -> Handed:
    return Handed(leaf=certify(name("root"), None).der, root=_root())


# Policies.

_P1, _P2 = "1.2.3.1", "1.2.3.2"


def _policies(*oids: str) -> tuple[x509.ExtensionType, bool]:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in oids]
    ), False


def _mappings(*pairs: tuple[str, str]) -> tuple[x509.ExtensionType, bool]:
    value = der.sequence(*(der.sequence(der.oid(one), der.oid(two)) for one, two in pairs))
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), value), True


def _asking(handed: Handed, *policies: str) -> Handed:
    asked = PolicyInputs(acceptable=frozenset(policies), require_explicit=True)
    return Handed(leaf=handed.leaf, root=handed.root, above=handed.above, asked=asked)


@_case(PASSED)
def a_policy_that_is_asked_for_and_there() -> Handed:
    sub = authority("sub", _root(), extensions=[_policies(_P1, _P2)])
    return _asking(_below(sub, extensions=[_policies(_P1)]), _P1)


@_case(_CONSTRAINTS)
def a_policy_that_is_asked_for_and_is_another() -> Handed:
    sub = authority("sub", _root(), extensions=[_policies(_P1, _P2)])
    return _asking(_below(sub, extensions=[_policies(_P1)]), _P2)


@_case(_CONSTRAINTS)
def a_policy_that_the_authority_does_not_have() -> Handed:
    sub = authority("sub", _root(), extensions=[_policies(_P2)])
    return _asking(_below(sub, extensions=[_policies(_P1)]), _P1)


@_case(PASSED)
def a_policy_mapped_to_the_one_asked_for() -> Handed:
    sub = authority("sub", _root(), extensions=[_policies(_P1), _mappings((_P1, _P2))])
    return _asking(_below(sub, extensions=[_policies(_P2)]), _P1)


@_case(_CONSTRAINTS)
def a_mapping_from_any_policy() -> Handed:
    sub = authority("sub", _root(), extensions=[_policies(_P1), _mappings(("2.5.29.32.0", _P2))])
    return _below(sub, extensions=[_policies(_P2)])


@_case(_CONSTRAINTS)
def a_policy_that_the_authority_requires() -> Handed:
    sub = authority("sub", _root(), extensions=[(x509.PolicyConstraints(0, None), True)])
    return _below(sub)


@_case(_CONSTRAINTS)
def any_policy_where_it_no_longer_counts() -> Handed:
    sub = authority("sub", _root(), extensions=[_policies(_P1), (x509.InhibitAnyPolicy(0), True)])
    return _asking(_below(sub, extensions=[_policies("2.5.29.32.0")]), _P1)


@pytest.mark.parametrize("case", _CASES)
def test_a_case_comes_to_its_verdict(case: str) -> None:
    build, expected = _CASES[case]
    result = judge(build())
    assert verdict(result) == expected, [each.detail for each in result.checks]


def test_refusals_mean_something_because_cases_of_the_same_make_pass() -> None:
    verdicts = [expected for _, expected in _CASES.values()]
    assert len(verdicts) >= 60
    assert sum(each == PASSED for each in verdicts) >= 20
