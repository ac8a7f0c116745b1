"""Certificate policies along a path (RFC 5280 §6.1.2–§6.1.5), with work that cannot blow up.

RFC 5280's valid_policy_tree grows with the power of the depth when every authority maps every policy to every
other (CVE-2023-0464). As in RFC 9618 there is one node for each policy at each depth; a node keeps from which
policies of the anchor's domain it came, which is all that is asked of the tree in the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trust.pki.certificate import Certificate

ANY_POLICY = "2.5.29.32.0"
_NO_LIMIT = 1 << 30


@dataclass(frozen=True, kw_only=True)
class PolicyInputs:
    """What the caller asks of the policies of a path (RFC 5280 §6.1.1 (c), (e), (f), (g)).

    `acceptable` is the user-initial-policy-set; with any policy in it, each will do.
    """

    acceptable: frozenset[str] = frozenset({ANY_POLICY})
    require_explicit: bool = False
    inhibit_mapping: bool = False
    inhibit_any: bool = False


NO_POLICY_ASKED = PolicyInputs()


@dataclass(frozen=True, kw_only=True)
class PolicyOutcome:
    """`policies` are those of the anchor's domain that the path is good for and the caller accepts."""

    policies: frozenset[str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Node:
    """A valid policy at one depth: what is expected of the next one, and its origins in the anchor's domain."""

    expected: frozenset[str]
    origins: frozenset[str]


_ROOT: Mapping[str, _Node] = {ANY_POLICY: _Node(frozenset({ANY_POLICY}), frozenset())}


def judge_policies(path: tuple[Certificate, ...], asked: PolicyInputs) -> PolicyOutcome:
    """Walks a path, leaf first and anchor last; the anchor's own policies are not looked at (RFC 5280 §6.1)."""
    certificates = path[-2::-1]
    if not certificates:
        return PolicyOutcome(policies=asked.acceptable)
    if asked is NO_POLICY_ASKED and not any(_restricts(each) for each in certificates):
        return _without_requirement(certificates)
    explicit = 0 if asked.require_explicit else _NO_LIMIT
    inhibit_any = 0 if asked.inhibit_any else _NO_LIMIT
    mapping = 0 if asked.inhibit_mapping else _NO_LIMIT
    nodes: Mapping[str, _Node] = _ROOT
    for certificate in certificates:
        last = certificate is certificates[-1]
        counts = last or not certificate.self_issued

        # §6.1.3 (d), (e), (f)
        any_allowed = inhibit_any > 0 or (not last and certificate.self_issued)
        nodes = _below(nodes, certificate, any_allowed=any_allowed)
        if explicit <= 0 and not nodes:
            return PolicyOutcome(
                policies=frozenset(), problem=f"no required policy is left at {certificate.subject_text}"
            )
        if last:
            break

        # §6.1.4 (a), (b)
        if any(ANY_POLICY in pair for pair in certificate.policy_mappings):
            return PolicyOutcome(
                policies=frozenset(), problem=f"{certificate.subject_text} maps from or to any policy"
            )
        nodes = _mapped(nodes, certificate, allowed=mapping > 0)

        # §6.1.4 (h), (i), (j)
        if counts:
            explicit, mapping, inhibit_any = explicit - 1, mapping - 1, inhibit_any - 1
        explicit = _lower(explicit, certificate.require_explicit_policy)
        mapping = _lower(mapping, certificate.inhibit_policy_mapping)
        inhibit_any = _lower(inhibit_any, certificate.inhibit_any_policy)

    # §6.1.5 (a), (b), (g)
    explicit -= 1
    if certificates[-1].require_explicit_policy == 0:
        explicit = 0
    policies = _accepted(nodes, asked)
    if explicit <= 0 and not policies:
        return PolicyOutcome(policies=policies, problem="the path is good for none of the policies asked for")
    return PolicyOutcome(policies=policies)


def _restricts(certificate: Certificate) -> bool:
    return bool(
        certificate.policy_mappings
        or certificate.require_explicit_policy is not None
        or certificate.inhibit_policy_mapping is not None
        or certificate.inhibit_any_policy is not None
    )


def _without_requirement(certificates: tuple[Certificate, ...]) -> PolicyOutcome:
    """The usual path, which asks and maps nothing: the policies that every certificate names."""
    policies = frozenset({ANY_POLICY})
    for certificate in certificates:
        named = frozenset(certificate.policies)
        if ANY_POLICY in policies:
            policies = named
        elif ANY_POLICY not in named:
            policies &= named
    return PolicyOutcome(policies=frozenset({ANY_POLICY}) if ANY_POLICY in policies else policies)


def _below(above: Mapping[str, _Node], certificate: Certificate, *, any_allowed: bool) -> Mapping[str, _Node]:
    if not above or not certificate.policies:
        return {}
    origins: dict[str, frozenset[str]] = {}
    for node in above.values():
        for policy in node.expected:
            origins[policy] = origins.get(policy, frozenset()) | node.origins
    any_above = ANY_POLICY in above
    found: dict[str, _Node] = {}
    for policy in certificate.policies:
        if policy == ANY_POLICY:
            continue
        if policy in origins:
            found[policy] = _Node(frozenset({policy}), origins[policy])
        elif any_above:
            found[policy] = _Node(frozenset({policy}), frozenset({policy}))
    if ANY_POLICY in certificate.policies and any_allowed:
        for policy, before in origins.items():
            if policy not in found:
                found[policy] = _Node(frozenset({policy}), before)
    return found


def _mapped(nodes: Mapping[str, _Node], certificate: Certificate, *, allowed: bool) -> Mapping[str, _Node]:
    if not certificate.policy_mappings:
        return nodes
    found = dict(nodes)
    targets: dict[str, set[str]] = {}
    for issuer_policy, subject_policy in certificate.policy_mappings:
        targets.setdefault(issuer_policy, set()).add(subject_policy)
    for policy, mapped in targets.items():
        if not allowed:
            found.pop(policy, None)
        elif policy in found:
            found[policy] = _Node(frozenset(mapped), found[policy].origins)
        elif ANY_POLICY in found:
            found[policy] = _Node(frozenset(mapped), frozenset({policy}))
    return found


def _lower(counter: int, limit: int | None) -> int:
    return counter if limit is None else min(counter, limit)


def _accepted(nodes: Mapping[str, _Node], asked: PolicyInputs) -> frozenset[str]:
    if ANY_POLICY in nodes:
        return asked.acceptable
    origins = frozenset().union(*(node.origins for node in nodes.values()))
    return origins if ANY_POLICY in asked.acceptable else origins & asked.acceptable
