"""The policy graph against RFC 5280's own tree, written out as §6.1 has it, on whatever certificates there may be."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.foreign_pki import authority
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.certificate_extensions import ExtensionValues
from trust.pki.policy_graph import ANY_POLICY, PolicyInputs, judge_policies

_BASE = read_certificate(authority("base").der)
_ISSUED = (*_BASE.issuer_name, b"below")


def _certificate(extensions: ExtensionValues, *, self_issued: bool, number: int) -> Certificate:
    issuer = _BASE.subject_name if self_issued else _ISSUED
    return replace(_BASE, der=bytes((number,)), extensions=extensions, issuer_name=issuer)


@dataclass(eq=False)
class _Node:
    """A node of valid_policy_tree."""

    policy: str
    expected: set[str]
    parent: "_Node | None"
    children: "list[_Node]" = field(default_factory=list)

    def add(self, policy: str, expected: set[str]) -> "_Node":
        self.children.append(_Node(policy, expected, self))
        return self.children[-1]


class _Tree:
    """RFC 5280 §6.1 to the letter; the tree has as many nodes as it takes."""

    def __init__(self) -> None:
        self.root: _Node | None = _Node(ANY_POLICY, {ANY_POLICY}, None)

    def level(self, depth: int) -> list[_Node]:
        found = [] if self.root is None else [self.root]
        for _ in range(depth):
            found = [child for node in found for child in node.children]
        return found

    def prune(self, depth: int) -> None:
        for above in range(depth - 1, -1, -1):
            for node in self.level(above):
                if not node.children:
                    if node.parent is None:
                        self.root = None
                    else:
                        node.parent.children.remove(node)

    def take(self, certificate: Certificate, depth: int, *, any_allowed: bool) -> None:
        if self.root is None or not certificate.policies:
            self.root = None
            return
        above = self.level(depth - 1)
        for policy in certificate.policies:
            if policy == ANY_POLICY:
                continue
            matched = [node for node in above if policy in node.expected]
            for node in matched or [node for node in above if node.policy == ANY_POLICY]:
                node.add(policy, {policy})
        if ANY_POLICY in certificate.policies and any_allowed:
            for node in above:
                for policy in node.expected - {child.policy for child in node.children}:
                    node.add(policy, {policy})
        self.prune(depth)

    def map(self, certificate: Certificate, depth: int, *, allowed: bool) -> None:
        if self.root is None:
            return
        for policy in dict.fromkeys(one for one, _ in certificate.policy_mappings):
            mapped = {two for one, two in certificate.policy_mappings if one == policy}
            nodes = [node for node in self.level(depth) if node.policy == policy]
            if not allowed:
                for node in nodes:
                    assert node.parent is not None
                    node.parent.children.remove(node)
            elif nodes:
                for node in nodes:
                    node.expected = mapped
            else:
                for node in self.level(depth):
                    if node.policy == ANY_POLICY:
                        assert node.parent is not None
                        node.parent.add(policy, mapped)
        self.prune(depth)

    def accepted(self, depth: int, asked: PolicyInputs) -> frozenset[str]:
        """§6.1.5 (g), as the policies of the anchor's domain that are left."""
        if self.root is None:
            return frozenset()
        leaves = self.level(depth)
        if any(node.policy == ANY_POLICY for node in leaves):
            return asked.acceptable
        found = set()
        for leaf in leaves:
            node = leaf
            while node.parent is not None and node.parent.policy != ANY_POLICY:
                node = node.parent
            found.add(node.policy)
        return frozenset(found if ANY_POLICY in asked.acceptable else found & asked.acceptable)


def _by_the_letter(certificates: list[Certificate], asked: PolicyInputs) -> tuple[bool, frozenset[str]]:
    """Anchor's first certificate first; whether the path stands, and for which policies."""
    count = len(certificates)
    explicit = 0 if asked.require_explicit else count + 1
    inhibit_any = 0 if asked.inhibit_any else count + 1
    mapping = 0 if asked.inhibit_mapping else count + 1
    tree = _Tree()
    for depth, certificate in enumerate(certificates, 1):
        last = depth == count
        tree.take(certificate, depth, any_allowed=inhibit_any > 0 or (not last and certificate.self_issued))
        if explicit == 0 and tree.root is None:
            return False, frozenset()
        if last:
            break
        if any(ANY_POLICY in pair for pair in certificate.policy_mappings):
            return False, frozenset()
        tree.map(certificate, depth, allowed=mapping > 0)
        if not certificate.self_issued:
            explicit, mapping, inhibit_any = (
                max(explicit - 1, 0),
                max(mapping - 1, 0),
                max(inhibit_any - 1, 0),
            )
        given = certificate.extensions
        explicit = min([explicit, *_some(given.require_explicit_policy)])
        mapping = min([mapping, *_some(given.inhibit_policy_mapping)])
        inhibit_any = min([inhibit_any, *_some(given.inhibit_any_policy)])
    explicit = max(explicit - 1, 0)
    if certificates[-1].require_explicit_policy == 0:
        explicit = 0
    accepted = tree.accepted(count, asked)
    return explicit > 0 or bool(accepted), accepted


def _some(limit: int | None) -> list[int]:
    return [] if limit is None else [limit]


_OIDS = st.sampled_from(["1.2.1", "1.2.2", "1.2.3", ANY_POLICY])
_LIMITS = st.none() | st.integers(0, 3)


@st.composite
def _certificates(draw: st.DrawFn) -> list[Certificate]:
    return [
        _certificate(
            ExtensionValues(
                policies=tuple(draw(st.lists(_OIDS, max_size=4, unique=True))),
                policy_mappings=tuple(
                    draw(
                        st.lists(
                            st.tuples(_OIDS, _OIDS).filter(lambda pair: ANY_POLICY not in pair), max_size=4
                        )
                    )
                ),
                require_explicit_policy=draw(_LIMITS),
                inhibit_policy_mapping=draw(_LIMITS),
                inhibit_any_policy=draw(_LIMITS),
            ),
            self_issued=draw(st.booleans()),
            number=number,
        )
        for number in range(draw(st.integers(1, 5)))
    ]


_ASKED = st.builds(
    PolicyInputs,
    acceptable=st.frozensets(_OIDS, min_size=1),
    require_explicit=st.booleans(),
    inhibit_mapping=st.booleans(),
    inhibit_any=st.booleans(),
)


@pytest.mark.stranger
@given(certificates=_certificates(), asked=_ASKED)
@settings(max_examples=150)
def test_the_graph_comes_to_what_the_tree_comes_to(
    certificates: list[Certificate], asked: PolicyInputs
) -> None:
    stands, accepted = _by_the_letter(certificates, asked)
    outcome = judge_policies((*reversed(certificates), _BASE), asked)
    assert (outcome.problem is None) is stands
    if stands:
        assert outcome.policies == accepted


@given(certificates=_certificates())
@settings(max_examples=60)
def test_the_short_way_for_paths_that_ask_nothing_comes_to_the_same(certificates: list[Certificate]) -> None:
    plain = [replace(each, extensions=ExtensionValues(policies=each.policies)) for each in certificates]
    path = (*reversed(plain), _BASE)
    stands, accepted = _by_the_letter(plain, PolicyInputs())
    assert stands
    assert judge_policies(path, PolicyInputs()).policies == accepted
