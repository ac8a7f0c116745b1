"""Name constraints (RFC 5280 §4.2.1.10), kind by kind and along a path; the manner is that of x509-limbo."""

from collections.abc import Callable
from functools import cache

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.support.foreign_pki import Party, authority, certify, person
from tests.support.path_cases import (
    PASSED,
    Handed,
    directory,
    dns,
    ip,
    judge,
    mail,
    name_constraints,
    net,
    uri,
    verdict,
)
from trust.crypto import der

_OTHER = x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")
_OTHER_TWO = x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01a")
_REGISTERED = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
_ALL_V4, _ALL_V6 = net("0.0.0.0/0"), net("::/0")

# What is permitted, what is excluded, the leaf's names, whether it passes. The leaf's subject is foreign/leaf.
_NAMES: tuple[tuple[list[x509.GeneralName], list[x509.GeneralName], list[x509.GeneralName], bool], ...] = (
    # DNS (RFC 5280 §4.2.1.10): labels added in front stay within.
    ([dns("a.test")], [], [dns("a.test")], True),
    ([dns("a.test")], [], [dns("www.a.test")], True),
    ([dns("a.test")], [], [dns("WWW.A.Test")], True),
    ([dns("A.TEST")], [], [dns("x.y.a.test")], True),
    ([dns("a.test")], [], [dns("nota.test")], False),
    ([dns("a.test")], [], [dns("test")], False),
    ([dns("a.test")], [], [dns("a.test.evil")], False),
    ([dns("a.test")], [], [dns("a.test"), dns("b.test")], False),
    ([dns("a.test"), dns("b.test")], [], [dns("x.a.test"), dns("x.b.test")], True),
    ([], [dns("a.test")], [dns("b.test")], True),
    ([], [dns("a.test")], [dns("x.a.test")], False),
    ([dns("a.test")], [dns("x.a.test")], [dns("y.a.test")], True),
    ([dns("a.test")], [dns("x.a.test")], [dns("x.a.test")], False),
    ([dns("x.a.test")], [dns("a.test")], [dns("x.a.test")], False),
    ([dns("a.test")], [], [dns("*.a.test")], True),
    ([], [dns("x.a.test")], [dns("*.a.test")], False),
    ([], [dns("x.a.test")], [dns("*.x.a.test")], False),
    ([dns("a.test")], [], [dns("x.*.a.test")], False),
    ([dns("a.test")], [], [dns("a.test.")], False),
    ([dns("a.test")], [], [dns("x..a.test")], False),
    ([dns("a.test")], [], [dns(" x.a.test")], False),
    ([dns(".a.test")], [], [dns("x.a.test")], False),
    ([dns("")], [], [dns("x.a.test")], True),
    ([], [dns("")], [dns("x.a.test")], False),
    ([dns("a.test")], [], [], True),
    ([dns("a.test")], [], [ip("192.0.2.1")], True),
    ([dns("a.test")], [], [mail("who@b.test")], True),
    # E-mail: a mailbox, a host, or the hosts below a domain.
    ([mail("who@a.test")], [], [mail("who@A.test")], True),
    ([mail("who@a.test")], [], [mail("Who@a.test")], False),
    ([mail("a.test")], [], [mail("who@a.test")], True),
    ([mail("a.test")], [], [mail("who@x.a.test")], False),
    ([mail(".a.test")], [], [mail("who@x.a.test")], True),
    ([mail(".a.test")], [], [mail("who@a.test")], False),
    ([mail("a.test")], [], [mail("a.test")], False),
    ([mail("a.test")], [], [mail("@a.test")], False),
    ([], [mail("a.test")], [mail("who@b.test")], True),
    ([], [mail("a.test")], [mail('"x@b.test"@a.test')], False),
    # URIs: the host alone counts, and there has to be one.
    ([uri("a.test")], [], [uri("https://a.test/b.test?c.test")], True),
    ([uri("a.test")], [], [uri("https://user@A.test:8443/")], True),
    ([uri("a.test")], [], [uri("https://x.a.test/")], False),
    ([uri(".a.test")], [], [uri("https://x.a.test/")], True),
    ([uri(".a.test")], [], [uri("https://a.test/")], False),
    ([uri("a.test")], [], [uri("https://a.test@b.test/")], False),
    ([uri("a.test")], [], [uri("urn:a.test")], False),
    ([], [uri("a.test")], [uri("urn:something")], False),
    ([], [uri("a.test")], [uri("https://192.0.2.1/")], False),
    ([], [uri("a.test")], [uri("https://[2001:db8::1]/")], False),
    ([], [uri("a.test")], [uri("https://b.test#@a.test")], True),
    # Addresses.
    ([net("192.0.2.0/24")], [], [ip("192.0.2.77")], True),
    ([net("192.0.2.0/24")], [], [ip("192.0.3.77")], False),
    ([net("192.0.2.0/24")], [], [ip("2001:db8::1")], False),
    ([net("192.0.2.0/24"), _ALL_V6], [], [ip("2001:db8::1")], True),
    ([], [net("192.0.2.0/24")], [ip("192.0.2.77")], False),
    ([], [_ALL_V4], [ip("2001:db8::1")], True),
    ([], [_ALL_V4, _ALL_V6], [ip("2001:db8::1")], False),
    # Directory names: the subject counts as well.
    ([directory()], [], [], True),
    ([directory("leaf")], [], [], True),
    ([directory("LEAF ")], [], [], True),
    ([directory("other")], [], [], False),
    ([], [directory("leaf")], [], False),
    ([], [directory("leaf", "below")], [], True),
    ([directory()], [], [directory("leaf", "below")], True),
    ([directory("leaf")], [], [directory("other")], False),
    ([directory("leaf")], [directory("leaf", "below")], [directory("leaf", "below")], False),
    # Kinds that are not compared: refused where they are constrained and there, passed over otherwise.
    ([_OTHER], [], [_OTHER], False),
    ([], [_OTHER], [_OTHER_TWO], False),
    ([_OTHER], [], [dns("a.test")], True),
    ([], [_REGISTERED], [_REGISTERED], False),
    ([dns("a.test")], [], [_OTHER, _REGISTERED], True),
)


@cache
def _root() -> Party:
    return authority("root")


@pytest.mark.parametrize("row", range(len(_NAMES)))
def test_names_are_held_against_constraints(row: int) -> None:
    permitted, excluded, names, passes = _NAMES[row]
    sub = authority("sub", _root(), extensions=name_constraints(permitted, excluded))
    leaf = person("leaf", sub, names=names)
    found = verdict(judge(Handed(leaf=leaf.der, root=_root(), above=[sub])))
    assert found == (PASSED if passes else "certificate-constraints failed"), _NAMES[row]


# Along a path.

_Build = Callable[[], Handed]
_CASES: dict[str, tuple[_Build, str]] = {}


def _case(verdict: str) -> Callable[[_Build], _Build]:
    def add(build: _Build) -> _Build:
        _CASES[build.__name__] = (build, verdict)
        return build

    return add


_CONSTRAINTS = "certificate-constraints failed"


def _below(sub: Party, *between: Party, root: Party | None = None, **leaf_given: object) -> Handed:
    """A leaf below `sub`; `between` are the authorities from there up to the root."""
    leaf = person("leaf", sub, **leaf_given)  # type: ignore[arg-type]  # by name
    return Handed(leaf=leaf.der, root=root or _root(), above=[sub, *between])


@_case(PASSED)
def constraints_that_two_authorities_put_together() -> Handed:
    upper = authority("upper", _root(), extensions=name_constraints([dns("a.test")], []))
    lower = authority("lower", upper, extensions=name_constraints([dns("x.a.test")], []))
    return _below(lower, upper, names=[dns("y.x.a.test")])


@_case(_CONSTRAINTS)
def constraints_that_the_lower_authority_widens() -> Handed:
    upper = authority("upper", _root(), extensions=name_constraints([dns("a.test")], []))
    lower = authority("lower", upper, extensions=name_constraints([dns("test")], []))
    return _below(lower, upper, names=[dns("b.test")])


@_case(_CONSTRAINTS)
def constraints_that_are_not_critical() -> Handed:
    constraints = x509.NameConstraints([dns("a.test")], None)
    return _below(authority("sub", _root(), extensions=[(constraints, False)]), names=[dns("b.test")])


@_case(_CONSTRAINTS)
def constraints_of_the_anchor() -> Handed:
    root = authority("strict root", extensions=name_constraints([dns("a.test")], []))
    leaf = person("leaf", root, names=[dns("b.test")])
    return Handed(leaf=leaf.der, root=root)


@_case(_CONSTRAINTS)
def an_authority_between_that_breaks_the_constraints() -> Handed:
    upper = authority("upper", _root(), extensions=name_constraints([], [directory("lower")]))
    return _below(authority("lower", upper), upper)


@_case(PASSED)
def a_self_issued_authority_need_not_keep_to_the_constraints() -> Handed:
    upper = authority("upper", _root(), extensions=name_constraints([directory("leaf")], []))
    rolled = authority("upper", upper)
    return _below(rolled, upper)


@_case(_CONSTRAINTS)
def an_address_in_the_subject_alone() -> Handed:
    sub = authority("sub", _root(), extensions=name_constraints([mail("a.test")], []))
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "who@b.test")])
    return Handed(leaf=certify(subject, sub).der, root=_root(), above=[sub])


@_case(_CONSTRAINTS)
def an_address_in_the_subject_in_letters_that_no_constraint_is_written_in() -> Handed:
    sub = authority("sub", _root(), extensions=name_constraints([], [mail("a.test")]))
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "who@\uff41.test")])
    return Handed(leaf=certify(subject, sub).der, root=_root(), above=[sub])


@_case(PASSED)
def an_address_in_the_subject_beside_one_in_the_alternative_name() -> Handed:
    sub = authority("sub", _root(), extensions=name_constraints([mail("a.test")], []))
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "who@b.test")])
    alternative = x509.SubjectAlternativeName([mail("who@a.test")])
    return Handed(
        leaf=certify(subject, sub, extensions=[(alternative, False)]).der, root=_root(), above=[sub]
    )


@_case(_CONSTRAINTS)
def a_subtree_with_a_maximum() -> Handed:
    subtree = der.sequence(
        der.context(2, b"a.test", constructed=False), der.context(1, b"\x01", constructed=False)
    )
    raw = der.sequence(der.context(0, subtree))
    value = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), raw)
    return _below(authority("sub", _root(), extensions=[(value, True)]), names=[dns("a.test")])


@_case(_CONSTRAINTS)
def a_network_whose_mask_has_holes() -> Handed:
    base = der.context(7, bytes((192, 0, 2, 0, 255, 0, 255, 0)), constructed=False)
    value = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.30"), der.sequence(der.context(0, der.sequence(base)))
    )
    return _below(authority("sub", _root(), extensions=[(value, True)]), names=[ip("192.0.2.1")])


@_case("chain unknown")
def an_authority_with_constraints_that_constrain_nothing() -> Handed:
    empty = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), der.sequence())
    return _below(authority("sub", _root(), extensions=[(empty, False)]))


@pytest.mark.parametrize("case", _CASES)
def test_a_case_comes_to_its_verdict(case: str) -> None:
    build, expected = _CASES[case]
    result = judge(build())
    assert verdict(result) == expected, [each.detail for each in result.checks]
